#include "io/log/sink.h"

#include <stddef.h>
#include <string.h>

/*
 * An id never changes once it is published, because people filter by it. A new event gets a new one
 * from `systemd-id128 new`, and an explanation in systemd/keyrotated.catalog.
 */
static const struct {
    const char *name;
    const char *message_id;
} events[] = {
    {"daemon.started", "f4e07b9a895e40629e5e12d458150c9a"},
    {"daemon.status", "dea2a800282f43d2bee44e60d9bbe176"},
    {"daemon.stopping", "6c795481df744aec81b426d45d3b40eb"},
    {"config.loaded", "632e9112bc18443eb632925368cb4a84"},
    {"config.rejected", "07be8b1ad069477d8ff2a9c28c0abfa5"},
    {"journal.created", "36fa1207a68b49ad8b6c7b82a535da86"},
    {"journal.failed", "b3cd44e141104fe1a187ae80b66f83bb"},
    {"clock.jumped", "ac3f3c018b7e435291ef42d0ecb2a0b8"},
    {"cloud.discovered", "5b0c1d3e7a4f4d0f9c2a86e1b7f3d914"},
    {"metrics.failed", "7d1f0a4e5b2c4c6f9e83b60d4a1c2f75"},
    {"cloud.failed", "c9e27f60a1b84c35a0d4f8127e6b5c3d"},
    {"credential.expiring", "cb8cd6ccada040b6bfaa4d919415ccee"},
    {"token.acquired", "2e42aced6b9a4d5ab17deebfee9614a1"},
    {"token.failed", "45bc5020d3f54199847b912efafaafa3"},
    {"request.throttled", "1f8c49202f1c44e39ae8cf291051e193"},
    {"account.adopted", "9e77aaac76654c52bb3e8d146e3ab1f8"},
    {"account.removed", "de51848558654c4f9de18ae36edda595"},
    {"account.held", "7e991b7be035498aaf7e6bb3ee40f8dc"},
    {"account.released", "809d13862a0f4dddbaf1c628d7fe02cb"},
    {"account.blocked", "7392ee73600e40d8b2a221d7a1a38d6e"},
    {"account.unblocked", "3830ea8557f14acfaa9f1a6bb1febbbf"},
    {"account.undone", "4e9f5e690b2043f2b0896ab768e1a770"},
    {"discovery.completed", "7e63e868bbd94a5885d67706560db5f2"},
    {"discovery.failed", "4f3deebbb49f437eb53aa3d6769036f4"},
    {"discovery.degraded", "38240b8947e84e5489d9caa3ccbdeb9b"},
    {"discovery.missing", "e9a5861ad80f44d392a9850b7a89681f"},
    {"freeze.started", "83b589224ffd404cb87daf36003471c1"},
    {"freeze.changed", "e9acc0595d584bae97cfdf54efff886b"},
    {"freeze.ended", "09b7b0b557934739918e140d6536ce77"},
    {"rotation.started", "3f92ff347e134e66babf2c8db72c1222"},
    {"rotation.resumed", "ee1eb7b68d984821911bd333ada66731"},
    {"rotation.retrying", "847f66ceb0dd4ba294e62f0e92c391fc"},
    {"rotation.overdue", "f1eea12548d0423abf380b1a36281b36"},
    {"rotation.completed", "5047b3e40e42475d9c30ca125576e434"},
    {"window.missed", "4c99be620ec0400380cdb5a338d6c366"},
    {"operation.started", "ab3f1f23536c45c5874dec9e9507052e"},
    {"operation.ended", "2d9e4d93e1644236a05061d1263bca8b"},
    {"operation.lost", "ef01ee1c029c46f5831c7a0f4d350082"},
    {"key.regenerated", "5f7f6c008d614e6b86aac6ce01ce884a"},
    {"key.verified", "cbabd0e284694341ba9817f6ce31f90f"},
    {"key.unverified", "b36055785d7b43598bc4e8ecd6d15adc"},
    {"key.delivered", "fdca5d4a72ac485793be4b8165f10bb1"},
    {"delivery.failed", "39fca44eeb35443f853b1d9351a44676"},
    {"delivery.output", "8f9265fd07b34ab585eb03d4c8afbac2"},
    {"notification.dropped", "83d870b130344d89ace131646b3c1d21"},
    {"drift.suspected", "3d2519ae9a4c4d5d96bd7c2e57c871d5"},
    {"drift.detected", "52ee1a110dba4592997bc03a18f63464"},
    {"drift.repaired", "a869bba7a7124f40a5ac33803a680335"},
    {"consumers.at_risk", "12ffee3cc063499dbc200e743c594f1f"},
    {"consumers.safe", "c1c0e8b3415f47bab5c2d84609b4f850"},
    {"target.abandoned", "a72004e7afbe41b991f8b0b996ec22d2"},
    {"revoke.started", "2873ed515ca1453b8b1e11477adb4ff8"},
    {"revoke.step", "14789694a83a4bb6b3088b2b3b31a407"},
    {"revoke.completed", "463b50c178f242dcb2ef62293e6240df"},
    {"trouble.ended", "21d0317930c64e74a5d3d22f7402e797"},
    {"log.dropped", "2857fce27fae415b8a06eab2475986aa"},
    {"operator.command", "1acf0e063b5749e49f5d935fe0e51772"},
};

const char *log_event_message_id(const char *event)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (strcmp(events[i].name, event) == 0)
            return events[i].message_id;
    }
    return NULL;
}
