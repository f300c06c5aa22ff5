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
    [PACE_EFFECT_ANYWHERE] = "random",
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

static bool is_account(const char *word, unsigned index)
{
    return word[0] == 'a' && word[1] == (char)('1' + index) && word[2] == '\0';
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
    else if (words_are(words, from, "polled") && words_are(words, from + 1, "every") && (*at += 2))
        ok = read_duration(words, (*at)++, &pace->asks);
    else if (words_are(words, from, "effect") && words_are(words, from + 1, "at") && (*at += 2)) {
        ok = read_name(words, (*at)++, effect_names, PACE_EFFECT_COUNT, &index);
        pace->effect = (enum pace_effect)index;
    } else if (words_are(words, from, "answer") && ++*at) {
        ok = read_name(words, (*at)++, answer_names, PACE_ANSWER_COUNT, &index);
        pace->answer = (enum pace_answer)index;
    } else {
        return words_wrong(words,
                           "regenerates take D, at most D, have their effect at start, "
                           "middle, end or random, answer both, one or nothing, lists lag D, and "
                           "they are polled every D");
    }
    return ok;
}

static bool read_parts(struct words *words, size_t at, struct script_pace *pace)
{
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

bool pace_read(struct words *words, struct script *script)
{
    struct script_pace pace = {0};
    unsigned account = 0;
    const bool of_one = words_are(words, 1, "of");
    const size_t at = of_one ? 3 : 1;

    while (of_one && words->count > 2 && account < script->accounts &&
           !is_account(words->word[2], account))
        account++;
    if (!words_are(words, at, ":") || account == script->accounts)
        return words_wrong(words,
                           "it reads \"regenerates: take 2h, at most 6h\", or "
                           "\"regenerates of a2: …\"");
    if (!read_parts(words, at + 1, &pace))
        return false;
    for (unsigned i = 0; i < WORLD_ACCOUNTS_MAX; i++)
        if (!of_one || i == account)
            script->paces[i] = pace;
    return true;
}

bool pace_is_plain(const struct script_pace *pace)
{
    static const struct script_pace plain;

    return memcmp(pace, &plain, sizeof(plain)) == 0;
}

static void print(const struct script_pace *pace, const char *whose, struct buf *out)
{
    char takes[DURATION_TEXT_MAX], at_most[DURATION_TEXT_MAX], lag[DURATION_TEXT_MAX];
    char asks[DURATION_TEXT_MAX];

    buf_append_format(
        out, "regenerates%s: take %s, at most %s, effect at %s, answer %s, lists lag %s", whose,
        duration_to_text(pace->takes, takes), duration_to_text(pace->at_most, at_most),
        effect_names[pace->effect], answer_names[pace->answer], duration_to_text(pace->lag, lag));
    if (pace->asks > 0)
        buf_append_format(out, ", polled every %s", duration_to_text(pace->asks, asks));
    buf_append_format(out, "\n");
}

void pace_print(const struct script *script, struct buf *out)
{
    const struct script_pace *paces = script->paces;
    bool same = true;

    for (unsigned i = 1; i < script->accounts; i++)
        same = same && memcmp(&paces[i], &paces[0], sizeof(paces[0])) == 0;
    for (unsigned i = 0; i < script->accounts; i++) {
        char whose[16] = "";

        if (pace_is_plain(&paces[i]) || (same && i > 0))
            continue;
        if (!same)
            snprintf(whose, sizeof(whose), " of a%u", i + 1);
        print(&paces[i], whose, out);
    }
}
