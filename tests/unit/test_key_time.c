/* When keys were made, as Azure tells: what counts, and what it is used for. */
#include "core/key_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW (INT64_C(1790000000) * MS_SECOND)

static struct fingerprint key(unsigned char number)
{
    struct fingerprint fingerprint;

    memset(fingerprint.bytes, number, sizeof(fingerprint.bytes));
    return fingerprint;
}

/* Adopted at NOW with keys 1 and 2, of which the primary one is active. */
static struct record adopted(void)
{
    struct record record;

    record_init(&record);
    record.adopted = true;
    record.active = SLOT_PRIMARY;
    record.adopted_at = NOW;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        record.live[slot] = key((unsigned char)(slot + 1));
        record.born[slot] = NOW;
    }
    return record;
}

static struct look showing(unsigned char primary, time_ms primary_made, unsigned char secondary,
                           time_ms secondary_made)
{
    return (struct look){.live = {key(primary), key(secondary)},
                         .made = {primary_made, secondary_made}};
}

static void test_what_can_be_true(void **state)
{
    static const struct {
        time_ms told, expected;
    } cases[] = {
        {NOW - MS_DAY, NOW - MS_DAY},
        {KEY_TIME_FIRST, KEY_TIME_FIRST},
        {KEY_TIME_FIRST - 1, 0},
        {0, 0},
        {-1, 0},
        {INT64_MIN, 0},
        {INT64_C(-62135596800000), 0}, /* 0001-01-01 */
        {NOW, NOW},
        {NOW + 1, NOW},
        {NOW + 5 * MS_MINUTE, NOW},
        {NOW + 5 * MS_MINUTE + 1, 0},
        {TIME_NEVER, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(key_time_told(cases[i].told, NOW), cases[i].expected);
    assert_int_equal(key_time_told(NOW, TIME_NEVER), NOW);
}

static void test_found_keys(void **state)
{
    struct record record = adopted();
    struct look look = showing(1, NOW - 90 * MS_DAY, 2, NOW - 3 * MS_DAY);
    bool older;

    (void)state;
    assert_int_equal(key_time_born(&record, SLOT_PRIMARY, &older), NOW);
    assert_true(older);
    key_time_note(&record, &look, NOW + MS_HOUR);
    assert_int_equal(key_time_born(&record, SLOT_PRIMARY, &older), NOW - 90 * MS_DAY);
    assert_false(older);
    assert_int_equal(key_time_born(&record, SLOT_SECONDARY, &older), NOW - 3 * MS_DAY);

    /* A look that does not tell takes nothing back; one that shows another key says nothing. */
    look = showing(1, 0, 3, NOW - 5 * MS_DAY);
    key_time_note(&record, &look, NOW + MS_HOUR);
    assert_int_equal(record.made[SLOT_PRIMARY], NOW - 90 * MS_DAY);
    assert_int_equal(record.made[SLOT_SECONDARY], NOW - 3 * MS_DAY);

    /* A key that was there cannot have been made afterwards, but for what clocks differ by. */
    look = showing(1, NOW + MS_MINUTE, 2, NOW + 6 * MS_MINUTE);
    key_time_note(&record, &look, NOW + MS_DAY);
    assert_int_equal(record.made[SLOT_PRIMARY], NOW);
    assert_int_equal(record.made[SLOT_SECONDARY], NOW - 3 * MS_DAY);
}

static void test_keys_that_came_later(void **state)
{
    struct record record = adopted();
    const struct look look = showing(1, NOW - MS_DAY, 2, NOW - MS_DAY);
    bool older;

    (void)state;
    /* The journal's own rotation made it: that is known better. */
    record.born[SLOT_SECONDARY] = NOW + MS_DAY;
    key_time_note(&record, &look, NOW + 2 * MS_DAY);
    assert_int_equal(record.made[SLOT_SECONDARY], 0);
    assert_int_equal(key_time_born(&record, SLOT_SECONDARY, &older), NOW + MS_DAY);
    assert_false(older);
    /* Somebody else made it. */
    key_time_take(&record, SLOT_SECONDARY, &look, NOW + 2 * MS_DAY);
    assert_int_equal(key_time_born(&record, SLOT_SECONDARY, &older), NOW - MS_DAY);
    assert_false(older);
    /* Nothing is known of an account that is not adopted. */
    record = adopted();
    record.adopted = false;
    key_time_note(&record, &look, NOW);
    assert_int_equal(record.made[SLOT_PRIMARY], 0);
}

static void test_news(void **state)
{
    struct record record = adopted();
    struct look look = showing(1, NOW - MS_DAY, 2, NOW - MS_DAY);

    (void)state;
    assert_int_equal(key_time_of_news(&record, NULL, NOW), 0);
    assert_int_equal(key_time_of_news(&record, &look, NOW), 0);
    look = showing(1, NOW - MS_DAY, 3, NOW - MS_HOUR);
    assert_int_equal(key_time_of_news(&record, &look, NOW), NOW - MS_HOUR);
    look = showing(4, NOW - MS_MINUTE, 3, NOW - MS_HOUR);
    assert_int_equal(key_time_of_news(&record, &look, NOW), NOW - MS_MINUTE);
    look = showing(4, NOW + MS_DAY, 3, NOW - MS_HOUR);
    assert_int_equal(key_time_of_news(&record, &look, NOW), NOW - MS_HOUR);
    /* An open intent of ours may have made it. */
    record.intent.open = true;
    record.intent.slot = SLOT_SECONDARY;
    assert_int_equal(key_time_of_news(&record, &look, NOW), 0);
}

/* A look in a hurry has no description, and is told nothing: what the first one was told counts, of
 * the same key. */
static void test_second_looks(void **state)
{
    struct record record = adopted();
    struct look look = showing(1, 0, 3, NOW - MS_HOUR);

    (void)state;
    key_time_keep(&record, &look, NOW);
    record.unconfirmed.live[SLOT_PRIMARY] = look.live[SLOT_PRIMARY];
    record.unconfirmed.live[SLOT_SECONDARY] = look.live[SLOT_SECONDARY];
    look = showing(1, 0, 3, 0);
    assert_int_equal(key_time_of_news(&record, &look, NOW), 0);
    record.unconfirmed.pending = true;
    assert_int_equal(key_time_of_news(&record, &look, NOW), NOW - MS_HOUR);
    look = showing(1, 0, 4, 0);
    assert_int_equal(key_time_of_news(&record, &look, NOW), 0);
    look = showing(1, 0, 3, NOW + MS_DAY);
    record.born[SLOT_SECONDARY] = NOW + MS_MINUTE;
    key_time_take(&record, SLOT_SECONDARY, &look, NOW + MS_MINUTE);
    assert_int_equal(record.made[SLOT_SECONDARY], NOW - MS_HOUR);
}

static void test_first_rotation(void **state)
{
    const struct policy policy = {.rotate_every = 40 * MS_DAY, .overlap = 10 * MS_DAY};
    struct record record = adopted();

    (void)state;
    assert_int_equal(key_time_first_by(&record, &policy), TIME_NEVER);
    record.made[SLOT_PRIMARY] = NOW - 10 * MS_DAY;
    assert_int_equal(key_time_first_by(&record, &policy), NOW + 30 * MS_DAY);
    record.made[SLOT_SECONDARY] = NOW - 60 * MS_DAY;
    assert_int_equal(key_time_first_by(&record, &policy), NOW + 20 * MS_DAY);
    record.made[SLOT_SECONDARY] = NOW - 400 * MS_DAY;
    assert_int_equal(key_time_first_by(&record, &policy), NOW - 320 * MS_DAY);
    record.active = SLOT_SECONDARY;
    assert_int_equal(key_time_first_by(&record, &policy), NOW - 360 * MS_DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_true),     cmocka_unit_test(test_found_keys),
        cmocka_unit_test(test_keys_that_came_later), cmocka_unit_test(test_news),
        cmocka_unit_test(test_second_looks),         cmocka_unit_test(test_first_rotation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
