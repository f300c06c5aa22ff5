/*
 * Deliveries that hang, and reloads or repairs meanwhile. Chosen by the instant and not by chance,
 * so that each seed keeps its other incidents.
 */
#include "base/hash.h"
#include "script.h"

enum { ONE_IN = 3 };

static uint64_t hash_of(uint64_t a, uint64_t b)
{
    const uint64_t both[] = {a, b};

    return hash_bytes(HASH_START, both, sizeof(both));
}

unsigned script_hang_by_chance(const struct script *script, unsigned anchor, duration_ms at,
                               struct incident *mishap, struct incident reloads[HANG_RELOADS_MAX])
{
    const uint64_t instant = hash_of(hash_of(script->seed, mishap->times), (uint64_t)at);
    unsigned count = 0;

    if (instant % ONE_IN != 0)
        return 0;
    mishap->mishap = MISHAP_HANGS;
    while (count < HANG_RELOADS_MAX) {
        const uint64_t hash = hash_of(instant, count);
        struct incident *out = &reloads[count++];
        struct incident *back = &reloads[count++];

        *out = (struct incident){
            .kind = hash % 2 == 0 ? INCIDENT_TARGET_OUT : INCIDENT_TARGET_OPTIONAL,
            .account = mishap->account,
            .target = (unsigned)(hash / 2 % script->target_count),
        };
        out->at = at + (5 * MS_SECOND << hash / 8 % 13) + (duration_ms)(hash / 128 % 1000);
        *back = *out;
        back->kind = INCIDENT_TARGET_IN;
        back->at = out->at + (MS_SECOND << hash / 1024 % 20);
        if (out->target == anchor)
            return count - 2;
    }
    return count;
}

unsigned script_repair_by_chance(const struct script *script, duration_ms at,
                                 const struct incident *mishap,
                                 struct incident repair[REPAIR_INCIDENTS_MAX])
{
    const uint64_t hash = hash_of(script->seed, (uint64_t)at);
    unsigned count = 0;

    if (mishap->mishap != MISHAP_HANGS || hash % 2 == 0)
        return 0;
    if (hash / 2 % 3 == 0)
        repair[count++] = (struct incident){.kind = INCIDENT_REGENERATE,
                                            .slot = (enum slot)(hash / 8 % SLOT_COUNT)};
    for (unsigned i = 0; hash / 2 % 3 != 0 && i < script->target_count; i++)
        if (script->targets[i].readable)
            repair[count++] =
                (struct incident){.kind = INCIDENT_WRITE, .target = i, .writing = WRITING_NOTHING};
    repair[count++] = (struct incident){
        .kind = INCIDENT_COMMAND, .command = hash / 2 % 3 == 2 ? SCRIPT_REDELIVER : SCRIPT_CHECK};
    for (unsigned i = 0; i < count; i++) {
        repair[i].account = mishap->account;
        repair[i].at = at + (i == count - 1 ? MS_SECOND : 0);
    }
    return count;
}

void script_vary_command(struct incident *incident, duration_ms at)
{
    const unsigned way = (unsigned)(at / MS_SECOND % 6);

    if (incident->command == SCRIPT_HOLD) {
        if (way < 2)
            incident->account = ALL_ACCOUNTS;
        return;
    }
    if (way == 0)
        incident->command = SCRIPT_UNBLOCK;
    if (way == 1)
        incident->command = SCRIPT_CHECK;
    if (way == 2)
        incident->account = ALL_ACCOUNTS;
    if (way == 3) {
        incident->command = SCRIPT_RESUME_HOLD;
        incident->account = ALL_ACCOUNTS;
        incident->times = 1 + (unsigned)(at / MS_MINUTE % 3);
    }
}
