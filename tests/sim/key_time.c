/*
 * What Azure tells of when keys were made: in some worlds the truth, in others whatever comes, in
 * most nothing. "key times: told, keys 300d old": the age of the keys when the world begins.
 */
#include <string.h>

#include "base/hash.h"
#include "script_words.h"
#include "world.h"

static const char *const names[KEY_TIMES_COUNT] = {
    [KEY_TIMES_NONE] = "none",
    [KEY_TIMES_TOLD] = "told",
    [KEY_TIMES_WRONG] = "wrong",
};

/* --- the line of scenarios --- */

bool key_times_read(struct words *words, struct script *script)
{
    unsigned kind = 0;

    while (kind < KEY_TIMES_COUNT && !words_are(words, 3, names[kind]))
        kind++;
    if (words->count != 8 || kind == KEY_TIMES_COUNT || !words_are(words, 1, "times") ||
        !words_are(words, 2, ":") || !words_are(words, 4, ",") || !words_are(words, 5, "keys") ||
        !duration_parse(words->word[6], &script->keys_age) || !words_are(words, 7, "old"))
        return words_wrong(words, "it reads \"key times: told, keys 300d old\", or wrong, or none");
    script->key_times = (enum script_key_times)kind;
    return true;
}

void key_times_print(const struct script *script, struct buf *out)
{
    char age[DURATION_TEXT_MAX];

    if (script->key_times != KEY_TIMES_NONE)
        buf_append_format(out, "key times: %s, keys %s old\n", names[script->key_times],
                          duration_to_text(script->keys_age, age));
}

/* --- by chance --- */

static uint64_t hash_of(uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t all[] = {a, b, c};
    const uint64_t hash = hash_bytes(HASH_START, all, sizeof(all));

    return hash ^ hash >> 29;
}

/* Not drawn from the chance, so that a seed without key times stays what it was. */
void key_times_by_chance(struct script *script)
{
    const uint64_t hash = hash_of(script->seed, 0, 0) % 100;

    if (hash < 20)
        script->key_times = KEY_TIMES_TOLD;
    else if (hash < 40)
        script->key_times = KEY_TIMES_WRONG;
    if (script->key_times != KEY_TIMES_NONE)
        script->keys_age = (duration_ms)(hash_of(script->seed, 1, 0) % 500) * MS_DAY;
}

/* --- what answers show --- */

static time_ms wrong_time(const struct world *world, const struct world_account *account,
                          enum slot slot)
{
    const uint64_t week = (uint64_t)((world->now - world->began) / MS_WEEK);
    const uint64_t hash =
        hash_of(world->script->seed, (uint64_t)account->index * SLOT_COUNT + slot, week);

    switch (hash % 9) {
    case 0:
        return INT64_C(-62135596800000); /* "0001-01-01T00:00:00Z" */
    case 1:
        return INT64_MIN;
    case 2:
        return TIME_NEVER;
    case 3:
        return world->now + MS_HOUR;
    case 4:
        return world->now + 2 * MS_MINUTE;
    case 5:
        return world->now;
    case 6:
        return world->began - (time_ms)(hash / 9 % 6000) * MS_DAY;
    case 7:
        return account->live_since[slot_other(slot)];
    default:
        return 0;
    }
}

time_ms key_time_shown(const struct operation *operation, enum slot slot)
{
    const struct world *world = operation->world;
    const struct world_account *account = operation->account;
    const time_ms since = account->live_since[slot];

    /* Some types tell it with the description. */
    if (operation->effect != EFFECT_LOOK || (account->index % 2 == 1 && !operation->described))
        return 0;
    switch (world->script->key_times) {
    case KEY_TIMES_TOLD:
        if (operation->live[slot] != account->live[slot])
            return 0;
        return since != 0 ? since : world->began - world->script->keys_age;
    case KEY_TIMES_WRONG:
        return wrong_time(world, account, slot);
    default:
        return 0;
    }
}
