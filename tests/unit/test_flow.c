#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rotation.h"

enum { NOW_MS = 1000 * 1000 * 1000 };

/* An account that is new, put into that position; `urgent`: with drift to be confirmed. */
static struct effects step(enum position position, enum event_kind kind, const struct look *look,
                           bool urgent)
{
    static const struct policy policy = {.rotate = true};
    static const struct timing timing = {.retry_initial = 1000, .retry_max = 1000};
    const struct rotation_context context = {
        .account_id = "a", .policy = &policy, .timing = &timing, .daemon_started_at = 1};
    const struct event event = {.kind = kind, .now = NOW_MS, .look = look};
    struct record record;
    struct effects effects;

    record_init(&record);
    record.position = position;
    record.unconfirmed.pending = urgent;
    rotation_step(&context, &record, &event, &effects);
    return effects;
}

/* What each position awaits, by the comments of core/position.h. */
static const struct {
    enum position position;
    enum event_kind kind;
} awaited[] = {
    {POSITION_ADOPT_WAIT, EVENT_WAKE},
    {POSITION_ADOPT_LOOK, EVENT_LOOKED},
    {POSITION_IDLE, EVENT_WAKE},
    {POSITION_CHECK_LOOK, EVENT_LOOKED},
    {POSITION_PROVE_TARGET, EVENT_VERIFIED},
    {POSITION_PROVE_LIVE, EVENT_VERIFIED},
    {POSITION_CONFIRM_WAIT, EVENT_WAKE},
    {POSITION_PREFLIGHT, EVENT_PREFLIGHT_DONE},
    {POSITION_ROTATE_LOOK, EVENT_LOOKED},
    {POSITION_INTENT, EVENT_PERSISTED},
    {POSITION_REGENERATE, EVENT_REGENERATED},
    {POSITION_OPERATION, EVENT_PERSISTED},
    {POSITION_POLL_WAIT, EVENT_WAKE},
    {POSITION_POLL, EVENT_POLLED},
    {POSITION_DOUBT_WAIT, EVENT_WAKE},
    {POSITION_DOUBT_LOOK, EVENT_LOOKED},
    {POSITION_VERIFY_LOOK, EVENT_LOOKED},
    {POSITION_VERIFY, EVENT_VERIFIED},
    {POSITION_VERIFY_WAIT, EVENT_WAKE},
    {POSITION_DELIVER_LOOK, EVENT_LOOKED},
    {POSITION_DELIVER_INTENT, EVENT_PERSISTED},
    {POSITION_DELIVER, EVENT_DELIVERED},
    {POSITION_DELIVER_WAIT, EVENT_WAKE},
};

/* An unexpected completion is a fault, whatever its result; an unexpected timer or commit changes
 * nothing. */
static void test_what_nobody_waited_for(void **state)
{
    static const enum event_kind kinds[] = {
        EVENT_WAKE,        EVENT_PERSISTED, EVENT_PREFLIGHT_DONE, EVENT_LOOKED,
        EVENT_REGENERATED, EVENT_VERIFIED,  EVENT_DELIVERED,      EVENT_POLLED};
    static const struct look looks[] = {{.taken_at = 0}, {.taken_at = 1}};

    (void)state;
    assert_int_equal(sizeof(awaited) / sizeof(awaited[0]), POSITION_COUNT);
    for (size_t i = 0; i < POSITION_COUNT; i++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) * 2; k++) {
            const enum event_kind kind = kinds[k / 2];
            struct effects effects;

            if (kind == awaited[i].kind)
                continue;
            effects = step(awaited[i].position, kind, &looks[k % 2], false);
            assert_int_equal(effects.move_count, 0);
            assert_int_equal(effects.action.kind, ACTION_NONE);
            if (kind != EVENT_WAKE && kind != EVENT_PERSISTED)
                assert_string_equal(effects.fault, "a completion that nobody waited for");
        }
    }
}

/* A look that waited in a queue for too long is repeated with the same request: it asks for the
 * description, unless it serves an urgent repair and no intent may follow. */
static void test_stale_looks(void **state)
{
    static const struct look stale = {.taken_at = 1};

    (void)state;
    for (size_t i = 0; i < POSITION_COUNT * 2; i++) {
        const enum position position = awaited[i / 2].position;
        const bool urgent = i % 2 == 1;
        struct effects effects;

        if (awaited[i / 2].kind != EVENT_LOOKED)
            continue;
        effects = step(position, EVENT_LOOKED, &stale, urgent);
        assert_int_equal(effects.move_count, 0);
        assert_int_equal(effects.action.kind, ACTION_LOOK);
        assert_int_equal(effects.action.urgent, urgent);
        assert_int_equal(effects.action.describe, !urgent || position == POSITION_ROTATE_LOOK ||
                                                      position == POSITION_DOUBT_LOOK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_nobody_waited_for),
        cmocka_unit_test(test_stale_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
