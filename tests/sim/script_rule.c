/*
 * The language of scenarios: rules that find accounts.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "script_words.h"

const char *script_tag_name(enum script_tag tag)
{
    static const char *const names[TAG_COUNT] = {
        [TAG_NONE] = "none", [TAG_RED] = "red", [TAG_BLUE] = "blue"};

    return names[tag];
}

static bool read_wants(const char *word, struct script_rule *rule)
{
    for (int tag = TAG_RED; tag < TAG_COUNT; tag++) {
        if (strcmp(script_tag_name((enum script_tag)tag), word) != 0)
            continue;
        rule->wants = (enum script_tag)tag;
        return true;
    }
    rule->wants = TAG_NONE;
    return strcmp(word, "all") == 0;
}

static bool read_says(const char *word, struct script_rule *rule)
{
    rule->has_active = slot_from_name(word, &rule->active);
    return rule->has_active || strcmp(word, "nothing") == 0;
}

static bool read_at_most(const char *word, struct script_rule *rule)
{
    int64_t number;

    if (!str_to_int64(word, &number) || number < 1 || number > 1000)
        return false;
    rule->max_new = (unsigned)number;
    return true;
}

/* One trait from that word on; sets `at` to the word after it. */
static bool read_trait(struct words *words, size_t *at, struct script_rule *rule)
{
    const char *word = words->word[*at];
    const size_t length = strcmp(word, "at") == 0 ? 3 : 2;
    const char *value = *at + length <= words->count ? words->word[*at + length - 1] : "";

    *at += length;
    if (strcmp(word, "finds") == 0)
        return read_wants(value, rule);
    if (strcmp(word, "says") == 0)
        return read_says(value, rule);
    if (strcmp(word, "every") == 0)
        return duration_parse(value, &rule->every) && rule->every > 0;
    return length == 3 && words_are(words, *at - 2, "most") && read_at_most(value, rule);
}

bool script_rule_read(struct words *words, struct script *script)
{
    struct script_rule *rule = &script->rules[script->rule_count];
    size_t at = 3;

    if (script->rule_count == WORLD_RULES_MAX)
        return words_wrong(words, "there are more than %d rules", WORLD_RULES_MAX);
    *rule = (struct script_rule){.max_new = 20, .every = MS_DAY};
    if (words->count < 2 || (words->count > 2 && !words_are(words, 2, ":")) ||
        !str_copy(rule->name, sizeof(rule->name), words->word[1]))
        return words_wrong(words, "it reads \"rule NAME: what it does\"");
    while (at < words->count) {
        if (!read_trait(words, &at, rule) || (at < words->count && !words_are(words, at, ",")))
            return words_wrong(words,
                               "a rule finds all, red or blue, says primary, secondary or "
                               "nothing, at most a number, every DURATION");
        at++;
    }
    script->rule_count++;
    return true;
}

void script_rule_print(const struct script_rule *rule, struct buf *out)
{
    char text[DURATION_TEXT_MAX];

    buf_append_format(out, "rule %s: finds %s, says %s, at most %u, every %s\n", rule->name,
                      rule->wants == TAG_NONE ? "all" : script_tag_name(rule->wants),
                      rule->has_active ? slot_name(rule->active) : "nothing", rule->max_new,
                      duration_to_text(rule->every, text));
}
