/*
 * A hub that somebody else changes at any time, lists and descriptions that are late, and two
 * writers that keep to unchanged.h, and tell each other most of what they see. No key of somebody
 * else's is ever undone, and they write nevertheless.
 *
 * A change takes its time: it gives the etag when it begins, when it ends, or at both, and the key
 * when it ends. The oracle is the hub itself: what is written back is what it has.
 */
#include "proto/two_key/unchanged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    WORLDS = 3000,
    LASTS = 4000,    /* so many steps of time */
    LATE_MAX = 50,   /* so late is what is shown */
    CHANGE_MAX = 200 /* so long takes a change */
};

enum etag_at { AT_BEGIN, AT_END, AT_BOTH, ETAG_AT_COUNT };

/* Which part of the rule the writer leaves out. */
enum forgets { NOTHING, CHANGES_UNDER_WAY, THE_END_OF_CHANGES, THE_WAIT };

struct moment {
    int etag;
    int key; /* of another policy */
    bool is_changing;
};

struct hub {
    struct moment moments[LASTS];
    uint64_t random;
    size_t written, refused, undone;
};

static unsigned pick(struct hub *hub, unsigned below)
{
    hub->random = hub->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(hub->random >> 33) % below;
}

static void live(struct hub *hub, enum etag_at at, unsigned rarely)
{
    struct moment now = {.etag = 1, .key = 1};
    unsigned left = 0;

    for (size_t i = 0; i < LASTS; i++) {
        if (now.is_changing && --left == 0) {
            now.is_changing = false;
            now.key++;
            now.etag += at != AT_BEGIN;
        } else if (!now.is_changing && pick(hub, rarely) == 0) {
            now.is_changing = true;
            now.etag += at != AT_END;
            left = 1 + pick(hub, CHANGE_MAX);
        }
        hub->moments[i] = now;
    }
}

static const struct moment *shown(struct hub *hub, size_t now)
{
    const size_t late = pick(hub, LATE_MAX + 1);

    return &hub->moments[now > late ? now - late : 0];
}

static void note(struct two_key_unchanged *unchanged, const struct moment *described,
                 duration_ms at, enum forgets forgets)
{
    const duration_ms since = unchanged->since;
    const bool was_changing = unchanged->is_changing;
    char etag[16];

    (void)snprintf(etag, sizeof(etag), "%d", described->etag);
    two_key_unchanged_saw(unchanged, etag, described->is_changing && forgets != CHANGES_UNDER_WAY,
                          at);
    if (forgets == THE_END_OF_CHANGES && was_changing && !described->is_changing)
        unchanged->since = since;
}

/* Reads the hub, and writes it back with If-Match where that may be done. */
static void write_back(struct hub *hub, struct two_key_unchanged *unchanged, size_t now,
                       enum forgets forgets)
{
    const duration_ms at = (duration_ms)now + 1, wait = forgets == THE_WAIT ? 0 : LATE_MAX + 1;
    const struct moment *described = pick(hub, 4) == 0 ? shown(hub, now) : &hub->moments[now];
    const struct moment *is = &hub->moments[now], *listed = shown(hub, now);

    note(unchanged, described, at, forgets);
    if (described->is_changing || two_key_unchanged_left(unchanged, wait, at) > 0)
        return;
    if (is->etag != described->etag || is->is_changing) {
        hub->refused++; /* 412, 409 */
        return;
    }
    hub->written++;
    hub->undone += listed->key != is->key;
}

static void tell(struct hub *hub, struct two_key_unchanged *one,
                 const struct two_key_unchanged *other)
{
    if (pick(hub, 4) > 0)
        two_key_unchanged_learn(one, other);
}

static void run(struct hub *hub, enum forgets forgets)
{
    *hub = (struct hub){.random = 0};
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct two_key_unchanged seen[2] = {{.since = 0}};
        unsigned pace;

        hub->random = seed;
        pace = 1 + pick(hub, 300);
        live(hub, (enum etag_at)(seed % ETAG_AT_COUNT), 20 + pick(hub, 600));
        for (size_t now = 0; now < LASTS; now += 1 + pick(hub, pace)) {
            const unsigned writer = pick(hub, 2);

            tell(hub, &seen[writer], &seen[1 - writer]);
            write_back(hub, &seen[writer], now, forgets);
            tell(hub, &seen[1 - writer], &seen[writer]);
        }
    }
}

static void test_nothing_is_undone(void **state)
{
    static struct hub hub;

    (void)state;
    run(&hub, NOTHING);
    assert_true(hub.written > WORLDS);
    assert_true(hub.refused > 0);
    assert_int_equal(hub.undone, 0);
}

/* The oracle sees what each part of the rule is for. */
static void test_what_each_part_is_for(void **state)
{
    static struct hub hub;

    (void)state;
    for (int forgets = CHANGES_UNDER_WAY; forgets <= THE_WAIT; forgets++) {
        run(&hub, (enum forgets)forgets);
        assert_true(hub.undone > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_undone),
        cmocka_unit_test(test_what_each_part_is_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
