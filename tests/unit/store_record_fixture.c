#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/record_table.h"

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

/* Extreme values are likelier than others. */
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

static void randomize_member(const struct record_member *member, void *row, uint64_t *state)
{
    static const unsigned counts[] = {
        [MEMBER_SLOT] = SLOT_COUNT,
        [MEMBER_POSITION] = POSITION_COUNT,
        [MEMBER_TRIGGER] = TRIGGER_COMMAND + 1,
        [MEMBER_DRIFT] = DRIFT_KIND_COUNT,
        [MEMBER_REASON] = REASON_COUNT,
    };
    void *out = (char *)row + member->offset;

    switch (member->kind) {
    case MEMBER_BOOL:
        *(bool *)out = random_bool(state);
        break;
    case MEMBER_U32:
        *(uint32_t *)out = random_u32(state);
        break;
    case MEMBER_U64:
        *(uint64_t *)out = next_random(state) >> 1;
        break;
    case MEMBER_TIME:
        *(time_ms *)out = random_time(state);
        break;
    case MEMBER_TEXT:
        random_text(state, out, member->size);
        break;
    case MEMBER_FINGERPRINT:
    case MEMBER_TARGET_ID:
        *(struct fingerprint *)out = random_fingerprint(state);
        break;
    case MEMBER_REPLACED:
        for (size_t i = 0; i < REPLACED_MAX; i++)
            ((struct fingerprint *)out)[i] = random_fingerprint(state);
        break;
    case MEMBER_REPLACED_AT:
        for (size_t i = 0; i < REPLACED_MAX; i++)
            ((time_ms *)out)[i] = random_bool(state) ? (time_ms)(next_random(state) >> 1) : 0;
        break;
    case MEMBER_SLOTS:
        for (size_t i = 0; i < REPLACED_MAX; i++)
            ((enum slot *)out)[i] = random_below(state, SLOT_COUNT);
        break;
    default:
        *(unsigned *)out = random_below(state, counts[member->kind]);
    }
}

void record_randomize(struct record *record, uint64_t seed)
{
    uint64_t state = seed;

    record_init(record);
    for (size_t i = 0; i < record_table.count; i++)
        randomize_member(&record_table.members[i], record, &state);
    record->target_count = random_below(&state, TARGETS_MAX + 1);
    for (size_t t = 0; t < record->target_count; t++) {
        for (size_t i = 0; i < record_target_table.count; i++)
            randomize_member(&record_target_table.members[i], &record->targets[t], &state);
        record->targets[t].id.bytes[0] = (uint8_t)(t + 1); /* no two are alike */
    }
}

/* Without the table's own comparison, which is under test too. */
static void assert_rows_equal(const struct record_table *table, const void *a, const void *b)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct record_member *member = &table->members[i];
        const char *left = (const char *)a + member->offset;
        const char *right = (const char *)b + member->offset;

        if (member->kind == MEMBER_TEXT)
            assert_string_equal(left, right);
        else
            assert_memory_equal(left, right, member->size);
    }
}

void assert_records_equal(const struct record *a, const struct record *b)
{
    assert_rows_equal(&record_table, a, b);
    assert_int_equal(a->target_count, b->target_count);
    for (size_t i = 0; i < a->target_count; i++)
        assert_rows_equal(&record_target_table, &a->targets[i], &b->targets[i]);
}
