#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Every member has to be in these functions: see record_members.c. */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool random_bool(uint64_t *state)
{
    return next_random(state) & 1;
}

static unsigned random_below(uint64_t *state, unsigned limit)
{
    return (unsigned)(next_random(state) % limit);
}

/* The edges are likelier than chance would have them. */
static time_ms random_time(uint64_t *state)
{
    switch (random_below(state, 8)) {
    case 0:
        return TIME_NEVER;
    case 1:
        return 0;
    case 2:
        return -1;
    default:
        return (time_ms)(next_random(state) >> 20);
    }
}

static uint32_t random_u32(uint64_t *state)
{
    return random_below(state, 4) ? (uint32_t)next_random(state) : UINT32_MAX;
}

static struct fingerprint random_fingerprint(uint64_t *state)
{
    struct fingerprint fingerprint = {0};

    if (random_below(state, 4) == 0)
        return fingerprint;
    for (size_t i = 0; i < FINGERPRINT_LENGTH; i++)
        fingerprint.bytes[i] = (uint8_t)next_random(state);
    return fingerprint;
}

static void random_text(uint64_t *state, char *out, size_t size)
{
    static const char *const pieces[] = {"a", "'", "\"", "\n", "ü", "€", "%s", ";--", "\\"};
    const unsigned count = random_below(state, 12);

    out[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        const char *piece = pieces[random_below(state, sizeof(pieces) / sizeof(pieces[0]))];

        if (strlen(out) + strlen(piece) < size)
            strcat(out, piece);
    }
}

static enum slot random_slot(uint64_t *state)
{
    return random_bool(state) ? SLOT_SECONDARY : SLOT_PRIMARY;
}

static enum reason random_reason(uint64_t *state)
{
    return (enum reason)random_below(state, REASON_COUNT);
}

static void randomize_target(struct target_record *target, size_t place, uint64_t *state)
{
    for (size_t i = 0; i < TARGET_ID_LENGTH; i++)
        target->id.bytes[i] = (uint8_t)next_random(state);
    target->id.bytes[0] = (uint8_t)place; /* no two are alike */
    target->required = random_bool(state);
    target->acknowledged = random_bool(state);
    target->fingerprint = random_fingerprint(state);
    target->acknowledged_at = random_time(state);
    target->offered = random_bool(state);
    target->unsettled_until = random_time(state);
    target->attempts = random_u32(state);
    target->retry_at = random_time(state);
    target->reason = random_reason(state);
    target->failing_since = random_time(state);
    target->dead_since = random_time(state);
    target->early = random_bool(state);
}

static void randomize_keys(struct record *record, uint64_t *state)
{
    record->position = (enum position)random_below(state, POSITION_COUNT);
    record->adopted = random_bool(state);
    record->active = random_slot(state);
    record->goal = random_slot(state);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        record->live[slot] = random_fingerprint(state);
        record->born[slot] = random_time(state);
        record->intent.before[slot] = random_fingerprint(state);
        record->surprise.live[slot] = random_fingerprint(state);
    }
    for (size_t i = 0; i < REPLACED_MAX; i++)
        record->replaced[i] = random_fingerprint(state);
    record->surprise.pending = random_bool(state);
    record->surprise.targets = random_fingerprint(state);
    record->surprise.seen_at = random_time(state);
    record->surprise.standby_in_use = random_bool(state);
    record->surprise.proven = random_bool(state);
    record->intent.open = random_bool(state);
    record->intent.slot = random_slot(state);
    record->intent.written_at = random_time(state);
    record->intent.attempts = random_u32(state);
}

static void randomize_course(struct record *record, uint64_t *state)
{
    record->cycle = next_random(state) >> 1;
    record->trigger = (enum trigger)random_below(state, TRIGGER_COMMAND + 1);
    random_text(state, record->actor, sizeof(record->actor));
    random_text(state, record->correlation, sizeof(record->correlation));
    record->started_at = random_time(state);
    record->completed_at = random_time(state);
    record->verify_since = random_time(state);
    record->verified = random_bool(state);
    record->refused = random_bool(state);
    record->regenerate_after = random_time(state);
    random_text(state, record->endpoint, sizeof(record->endpoint));
    random_text(state, record->location, sizeof(record->location));
    record->overlap_from = random_time(state);
    record->foreign_change_at = random_time(state);
    record->another_rotator = random_bool(state);
    record->looked_at = random_time(state);
    record->repairing = (enum drift_kind)random_below(state, DRIFT_KIND_COUNT);
    record->consumers_at_risk = random_bool(state);
    record->both_changed_at = random_time(state);
    record->adopted_at = random_time(state);
    record->planned_at = random_time(state);
    record->due_at = random_time(state);
    record->planned_with = random_time(state);
    record->catching_up = random_bool(state);
    record->window_missed_reported = random_bool(state);
    record->overdue_reported_at = random_time(state);
    record->check_at = random_time(state);
    record->requested = random_bool(state);
}

void record_randomize(struct record *record, uint64_t seed)
{
    uint64_t state = seed;

    record_init(record);
    randomize_keys(record, &state);
    randomize_course(record, &state);
    record->blocked = random_reason(&state);
    record->blocked_at = random_time(&state);
    record->blocked_reported_at = random_time(&state);
    record->trouble = random_reason(&state);
    record->trouble_since = random_time(&state);
    record->attempts = random_u32(&state);
    record->retry_at = random_time(&state);
    record->hold_id = random_below(&state, 1000);
    record->hold_until = random_time(&state);
    record->adopt_told = random_bool(&state);
    record->adopt_slot = random_slot(&state);
    record->target_count = random_below(&state, TARGETS_MAX + 1);
    for (size_t i = 0; i < record->target_count; i++)
        randomize_target(&record->targets[i], i, &state);
}

#define SAME(member) assert_memory_equal(&a->member, &b->member, sizeof(a->member))

static void assert_targets_equal(const struct target_record *a, const struct target_record *b)
{
    SAME(id);
    SAME(required);
    SAME(acknowledged);
    SAME(fingerprint);
    SAME(acknowledged_at);
    SAME(offered);
    SAME(unsettled_until);
    SAME(attempts);
    SAME(retry_at);
    SAME(reason);
    SAME(failing_since);
    SAME(dead_since);
    SAME(early);
}

static void assert_courses_equal(const struct record *a, const struct record *b)
{
    SAME(cycle);
    SAME(trigger);
    assert_string_equal(a->actor, b->actor);
    assert_string_equal(a->correlation, b->correlation);
    SAME(started_at);
    SAME(completed_at);
    SAME(verify_since);
    SAME(regenerate_after);
    assert_string_equal(a->endpoint, b->endpoint);
    assert_string_equal(a->location, b->location);
    SAME(verified);
    SAME(refused);
    SAME(overlap_from);
    SAME(foreign_change_at);
    SAME(both_changed_at);
    SAME(another_rotator);
    SAME(looked_at);
    SAME(repairing);
    SAME(consumers_at_risk);
    SAME(adopted_at);
    SAME(planned_at);
    SAME(due_at);
    SAME(planned_with);
    SAME(catching_up);
    SAME(window_missed_reported);
    SAME(overdue_reported_at);
    SAME(check_at);
    SAME(requested);
}

void assert_records_equal(const struct record *a, const struct record *b)
{
    SAME(position);
    SAME(adopted);
    SAME(active);
    SAME(goal);
    SAME(live);
    SAME(born);
    SAME(replaced);
    SAME(intent.open);
    SAME(intent.slot);
    SAME(intent.before);
    SAME(intent.written_at);
    SAME(intent.attempts);
    SAME(surprise.pending);
    SAME(surprise.live);
    SAME(surprise.targets);
    SAME(surprise.seen_at);
    SAME(surprise.standby_in_use);
    SAME(surprise.proven);
    assert_courses_equal(a, b);
    SAME(blocked);
    SAME(blocked_at);
    SAME(blocked_reported_at);
    SAME(trouble);
    SAME(trouble_since);
    SAME(attempts);
    SAME(retry_at);
    SAME(hold_id);
    SAME(hold_until);
    SAME(adopt_told);
    SAME(adopt_slot);
    SAME(target_count);
    for (size_t i = 0; i < a->target_count; i++)
        assert_targets_equal(&a->targets[i], &b->targets[i]);
}
