/*
 * A policy in words: "every 30d, overlap 7d, check every 6h, verify required, window weekend".
 */
#include "base/time.h"
#include "script_words.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { CHOICES_MAX = 3 };

/* One part: its words, followed by a duration or by one of a few choices. */
struct part {
    const char *words[2];
    size_t offset; /* of a duration_ms; or, with choices, what get and set know */
    const char *choices[CHOICES_MAX];
    unsigned (*get)(const struct script_policy *policy);
    void (*set)(struct script_policy *policy, unsigned choice);
    bool always; /* printed even where it is the default */
};

static unsigned get_verify(const struct script_policy *policy)
{
    return policy->verify;
}

static void set_verify(struct script_policy *policy, unsigned choice)
{
    policy->verify = (enum verify_mode)choice;
}

static unsigned get_drift(const struct script_policy *policy)
{
    return policy->on_drift;
}

static void set_drift(struct script_policy *policy, unsigned choice)
{
    policy->on_drift = (enum drift_mode)choice;
}

static unsigned get_rotate(const struct script_policy *policy)
{
    return policy->rotate;
}

static void set_rotate(struct script_policy *policy, unsigned choice)
{
    policy->rotate = choice == 1;
}

static unsigned get_window(const struct script_policy *policy)
{
    return policy->has_window;
}

static void set_window(struct script_policy *policy, unsigned choice)
{
    policy->has_window = choice == 1;
}

static const struct part parts[] = {
    {.words = {"every"}, .offset = offsetof(struct script_policy, rotate_every), .always = true},
    {.words = {"overlap"}, .offset = offsetof(struct script_policy, overlap), .always = true},
    {.words = {"splay"}, .offset = offsetof(struct script_policy, splay)},
    {.words = {"check", "every"}, .offset = offsetof(struct script_policy, check_every)},
    {.words = {"overdue", "after"}, .offset = offsetof(struct script_policy, overdue_after)},
    {.words = {"freeze", "from"}, .offset = offsetof(struct script_policy, freeze_from)},
    {.words = {"freeze", "until"}, .offset = offsetof(struct script_policy, freeze_until)},
    {.words = {"verify"},
     .choices = {[VERIFY_AUTO] = "auto", [VERIFY_REQUIRED] = "required", [VERIFY_OFF] = "off"},
     .get = get_verify,
     .set = set_verify},
    {.words = {"on", "drift"},
     .choices = {[DRIFT_REDELIVER] = "redeliver", [DRIFT_ALERT] = "alert"},
     .get = get_drift,
     .set = set_drift},
    {.words = {"rotate"}, .choices = {"no", "yes"}, .get = get_rotate, .set = set_rotate},
    {.words = {"window"}, .choices = {"none", "weekend"}, .get = get_window, .set = set_window},
};
enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static duration_ms *duration_of(const struct part *part, struct script_policy *policy)
{
    return (duration_ms *)(void *)((char *)policy + part->offset);
}

static duration_ms get_duration(const struct part *part, const struct script_policy *policy)
{
    return *(const duration_ms *)(const void *)((const char *)policy + part->offset);
}

/* How many words of its name match: all, or 0. */
static size_t match_name(const struct words *words, size_t at, const struct part *part)
{
    if (!words_are(words, at, part->words[0]))
        return 0;
    if (!part->words[1])
        return 1;
    return words_are(words, at + 1, part->words[1]) ? 2 : 0;
}

bool policy_begins(const char *word)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(parts[i].words[0], word) == 0)
            return true;
    return false;
}

static bool read_choice(struct words *words, const char *word, const struct part *part,
                        struct script_policy *policy)
{
    for (unsigned i = 0; i < CHOICES_MAX && part->choices[i]; i++) {
        if (strcmp(part->choices[i], word) != 0)
            continue;
        part->set(policy, i);
        return true;
    }
    return words_wrong(words, "after \"%s\" comes %s, %s%s%s, not \"%s\"",
                       part->words[part->words[1] ? 1 : 0], part->choices[0], part->choices[1],
                       part->choices[2] ? ", " : "", part->choices[2] ? part->choices[2] : "",
                       word);
}

static bool read_part(struct words *words, size_t *at, struct script_policy *policy)
{
    for (size_t i = 0; i < PARTS; i++) {
        const struct part *part = &parts[i];
        size_t length = match_name(words, *at, part);

        if (length == 0)
            continue;
        *at += length;
        if (*at >= words->count)
            return words_wrong(words, "something is missing after \"%s\"", words->word[*at - 1]);
        if (part->get)
            return read_choice(words, words->word[(*at)++], part, policy);
        if (!duration_parse(words->word[*at], duration_of(part, policy)))
            return words_wrong(words, "\"%s\" is no duration such as 30d or 1h30m",
                               words->word[*at]);
        (*at)++;
        return true;
    }
    return words_wrong(words, "\"%s\" is no part of a policy", words->word[*at]);
}

static bool check(struct words *words, const struct script_policy *policy)
{
    if (policy->rotate_every <= 0 || policy->check_every <= 0)
        return words_wrong(words, "a policy rotates and checks at intervals longer than nothing");
    if (policy->freeze_until < policy->freeze_from)
        return words_wrong(words, "the freeze ends before it begins");
    if (policy->overlap > policy->rotate_every)
        return words_wrong(words, "the overlap is longer than the time between two rotations");
    return true;
}

bool policy_read(struct words *words, size_t at, struct script_policy *policy)
{
    if (at >= words->count)
        return words_wrong(words, "the policy is missing");
    for (;;) {
        if (!read_part(words, &at, policy))
            return false;
        if (at == words->count)
            return check(words, policy);
        if (!words_are(words, at, ",") || at + 1 == words->count)
            return words_wrong(words, "parts of a policy are separated by commas: \"%s\"",
                               words->word[at]);
        at++;
    }
}

static bool is_same(const struct part *part, const struct script_policy *a,
                    const struct script_policy *b)
{
    return part->get ? part->get(a) == part->get(b)
                     : get_duration(part, a) == get_duration(part, b);
}

bool script_policy_equal(const struct script_policy *a, const struct script_policy *b)
{
    for (size_t i = 0; i < PARTS; i++)
        if (!is_same(&parts[i], a, b))
            return false;
    return true;
}

void policy_print(const struct script_policy *policy, const struct script_policy *base,
                  struct buf *out)
{
    const char *separator = "";
    char text[DURATION_TEXT_MAX];

    for (size_t i = 0; i < PARTS; i++) {
        const struct part *part = &parts[i];

        if (!part->always && is_same(part, policy, base))
            continue;
        buf_append_format(out, "%s%s%s%s %s", separator, part->words[0], part->words[1] ? " " : "",
                          part->words[1] ? part->words[1] : "",
                          part->get ? part->choices[part->get(policy)]
                                    : duration_to_text(get_duration(part, policy), text));
        separator = ", ";
    }
}

duration_ms script_longest_wait(const struct script_policy *policy)
{
    /* The latest start: the next planned time, which an unplanned rotation may have put off by a
     * quarter of a period; an overlap that begins only now; a window. */
    return policy->rotate_every + policy->rotate_every / 4 + policy->overlap + 2 * policy->splay +
           (policy->has_window ? 2 * MS_WEEK : 0) + 2 * MS_DAY;
}
