/*
 * How Azure regenerates keys in a world: "regenerates: take 2h, at most 6h, effect at end, answer
 * nothing, lists lag 5m".
 */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "script_words.h"

static const char *const effect_names[PACE_EFFECT_COUNT] = {
    [PACE_EFFECT_AT_START] = "start",
    [PACE_EFFECT_IN_MIDDLE] = "middle",
    [PACE_EFFECT_AT_END] = "end",
};
static const char *const answer_names[PACE_ANSWER_COUNT] = {
    [PACE_ANSWERS_BOTH] = "both",
    [PACE_ANSWERS_ONE] = "one",
    [PACE_ANSWERS_NOTHING] = "nothing",
};

static bool read_name(struct words *words, size_t at, const char *const *names, size_t count,
                      unsigned *ret_index)
{
    for (unsigned i = 0; i < count; i++) {
        if (!words_are(words, at, names[i]))
            continue;
        *ret_index = i;
        return true;
    }
    return words_wrong(words, "\"%s\" cannot stand there",
                       at < words->count ? words->word[at] : "the end");
}

static bool read_duration(struct words *words, size_t at, duration_ms *ret_duration)
{
    if (at < words->count && duration_parse(words->word[at], ret_duration))
        return true;
    return words_wrong(words, "a duration such as 2h is missing");
}

/* One part; *at is behind it. */
static bool read_part(struct words *words, size_t *at, struct script_pace *pace)
{
    unsigned index = 0;
    bool ok = false;
    const size_t from = *at;

    if (words_are(words, from, "take") && ++*at)
        ok = read_duration(words, (*at)++, &pace->takes);
    else if (words_are(words, from, "at") && words_are(words, from + 1, "most") && (*at += 2))
        ok = read_duration(words, (*at)++, &pace->at_most);
    else if (words_are(words, from, "lists") && words_are(words, from + 1, "lag") && (*at += 2))
        ok = read_duration(words, (*at)++, &pace->lag);
    else if (words_are(words, from, "effect") && words_are(words, from + 1, "at") && (*at += 2)) {
        ok = read_name(words, (*at)++, effect_names, PACE_EFFECT_COUNT, &index);
        pace->effect = (enum pace_effect)index;
    } else if (words_are(words, from, "answer") && ++*at) {
        ok = read_name(words, (*at)++, answer_names, PACE_ANSWER_COUNT, &index);
        pace->answer = (enum pace_answer)index;
    } else {
        return words_wrong(words,
                           "regenerates take D, at most D, have their effect at start, "
                           "middle or end, answer both, one or nothing, and lists lag D");
    }
    return ok;
}

bool pace_read(struct words *words, struct script_pace *pace)
{
    size_t at = 2;

    if (!words_are(words, 1, ":"))
        return words_wrong(words, "it reads \"regenerates: take 2h, at most 6h\"");
    for (;;) {
        if (!read_part(words, &at, pace))
            return false;
        if (at == words->count)
            return pace->at_most >= pace->takes ||
                   words_wrong(words, "regenerates take longer than at most");
        if (!words_are(words, at++, ","))
            return words_wrong(words, "its parts are separated by commas");
    }
}

bool pace_is_plain(const struct script_pace *pace)
{
    static const struct script_pace plain;

    return memcmp(pace, &plain, sizeof(plain)) == 0;
}

void pace_print(const struct script_pace *pace, struct buf *out)
{
    char takes[DURATION_TEXT_MAX], at_most[DURATION_TEXT_MAX], lag[DURATION_TEXT_MAX];

    if (pace_is_plain(pace))
        return;
    buf_append_format(
        out, "regenerates: take %s, at most %s, effect at %s, answer %s, lists lag %s\n",
        duration_to_text(pace->takes, takes), duration_to_text(pace->at_most, at_most),
        effect_names[pace->effect], answer_names[pace->answer], duration_to_text(pace->lag, lag));
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

void pace_by_chance(struct script *script, uint64_t seed)
{
    static const duration_ms times[] = {20 * MS_SECOND, 5 * MS_MINUTE, 40 * MS_MINUTE, 3 * MS_HOUR,
                                        8 * MS_HOUR};
    static const duration_ms lags[] = {0, 0, 0, 30 * MS_SECOND, 5 * MS_MINUTE};
    uint64_t state = seed ^ UINT64_C(0x70616365);
    struct script_pace *pace = &script->pace;

    if (draw(&state, 4) != 0)
        return;
    pace->answer = (enum pace_answer)draw(&state, PACE_ANSWER_COUNT);
    pace->lag = lags[draw(&state, sizeof(lags) / sizeof(lags[0]))];
    if (draw(&state, 3) == 0)
        return;
    pace->takes = times[draw(&state, sizeof(times) / sizeof(times[0]))];
    pace->at_most = pace->takes + (duration_ms)draw(&state, (uint64_t)pace->takes);
    pace->effect = (enum pace_effect)draw(&state, PACE_EFFECT_COUNT);
}
