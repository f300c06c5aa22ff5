/*
 * The language of scenarios. README.md describes it.
 *
 * First the settings, in any order, then what happens, a line "at TIME …" each, then, where a trace
 * is expected, a line "expect" and the trace.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "script_words.h"

struct parser {
    struct script *script;
    struct words words;
    unsigned line;
    bool has_targets; /* those of script_init() are replaced */
    bool has_incidents;
};

/* --- settings --- */

static bool read_duration_setting(struct words *words, duration_ms *ret_duration)
{
    if (words->count != 2 || !duration_parse(words->word[1], ret_duration) || *ret_duration <= 0)
        return words_wrong(words, "after \"%s\" comes a duration such as 30d, and nothing else",
                           words->word[0]);
    return true;
}

static bool read_number_setting(struct words *words, int64_t from, int64_t to, int64_t *ret_number)
{
    if (words->count != 2 || !str_to_int64(words->word[1], ret_number) || *ret_number < from ||
        *ret_number > to)
        return words_wrong(words, "after \"%s\" comes a number from %lld to %lld", words->word[0],
                           (long long)from, (long long)to);
    return true;
}

/* "active primary, named" */
static bool read_active(struct words *words, struct script *script)
{
    size_t negated = words_are(words, 3, "not");
    bool presumed = words_are(words, 3, "presumed");

    if (words->count != 4 + negated || !slot_from_name(words->word[1], &script->active) ||
        !words_are(words, 2, ",") || (!words_are(words, 3 + negated, "named") && !presumed))
        return words_wrong(words,
                           "it reads \"active primary, named\", or secondary, or not named, "
                           "or presumed");
    script->has_adopt_active = negated == 0;
    script->presumed = presumed;
    return true;
}

static const struct {
    const char *text;
    size_t offset;
    bool value;
} target_traits[] = {
    {"required", offsetof(struct script_target, required), true},
    {"optional", offsetof(struct script_target, required), false},
    {"readable", offsetof(struct script_target, readable), true},
    {"unreadable", offsetof(struct script_target, readable), false},
    {"settles at once", offsetof(struct script_target, settles_at_once), true},
    {"may land late", offsetof(struct script_target, settles_at_once), false},
    {"filled", offsetof(struct script_target, filled), true},
    {"empty", offsetof(struct script_target, filled), false},
    {"hook", offsetof(struct script_target, hook), true},
    {"place", offsetof(struct script_target, hook), false},
};
enum { TRAITS = sizeof(target_traits) / sizeof(target_traits[0]) };

static bool *trait_of(size_t trait, struct script_target *target)
{
    return (bool *)(void *)((char *)target + target_traits[trait].offset);
}

static bool has_trait(size_t trait, const struct script_target *target)
{
    const char *place = (const char *)target + target_traits[trait].offset;

    return *(const bool *)(const void *)place == target_traits[trait].value;
}

/* The words up to the next comma. */
static void join_words(const struct words *words, size_t *at, char *out, size_t size)
{
    out[0] = '\0';
    for (; *at < words->count && !words_are(words, *at, ","); (*at)++) {
        size_t length = strlen(out);

        snprintf(out + length, size - length, "%s%s", length > 0 ? " " : "", words->word[*at]);
    }
}

static bool read_traits(struct words *words, size_t at, struct script_target *target)
{
    while (at < words->count) {
        char text[3 * WORD_MAX];
        size_t trait = 0;

        join_words(words, &at, text, sizeof(text));
        while (trait < TRAITS && strcmp(target_traits[trait].text, text) != 0)
            trait++;
        if (trait == TRAITS)
            return words_wrong(words,
                               "a target is required or optional, readable or unreadable, settles "
                               "at once or may land late, is filled or empty, hook or place, but "
                               "not \"%s\"",
                               text);
        *trait_of(trait, target) = target_traits[trait].value;
        at++;
    }
    return true;
}

/* "target vault: required, unreadable, may land late" */
static bool read_target(struct parser *parser)
{
    struct words *words = &parser->words;
    struct script *script = parser->script;
    struct script_target *target;

    if (!parser->has_targets)
        script->target_count = 0;
    parser->has_targets = true;
    if (script->target_count == WORLD_TARGETS_MAX)
        return words_wrong(words, "there are more than %d targets", WORLD_TARGETS_MAX);
    if (words->count < 2 || (words->count > 2 && !words_are(words, 2, ":")))
        return words_wrong(words, "it reads \"target NAME: what it is like\"");
    target = &script->targets[script->target_count];
    *target = (struct script_target){.required = true, .readable = true, .settles_at_once = true};
    if (!str_copy(target->name, sizeof(target->name), words->word[1]))
        return words_wrong(words, "the name of a target is longer than %d characters",
                           SCRIPT_NAME_MAX - 1);
    for (unsigned i = 0; i < script->target_count; i++)
        if (strcmp(script->targets[i].name, target->name) == 0)
            return words_wrong(words, "there is a target \"%s\" already", target->name);
    script->target_count++;
    return read_traits(words, 3, target);
}

static bool read_setting(struct parser *parser)
{
    struct words *words = &parser->words;
    struct script *script = parser->script;
    int64_t number = 0;

    if (words_are(words, 0, "lasts"))
        return read_duration_setting(words, &script->length);
    if (words_are(words, 0, "active"))
        return read_active(words, script);
    if (words_are(words, 0, "target"))
        return read_target(parser);
    if (words_are(words, 0, "rule"))
        return script_rule_read(words, script);
    if (words_are(words, 0, "regenerates"))
        return pace_read(words, script);
    if (words_are(words, 0, "key"))
        return key_times_read(words, script);
    if (words_are(words, 0, "accounts")) {
        if (!read_number_setting(words, 1, WORLD_ACCOUNTS_MAX, &number))
            return false;
        script->accounts = (unsigned)number;
        return true;
    }
    if (words_are(words, 0, "pairs")) {
        script->pairs = true;
        return words->count == 1 || words_wrong(words, "nothing comes after \"pairs\"");
    }
    if (words_are(words, 0, "seed")) {
        if (!read_number_setting(words, 0, INT64_MAX, &number))
            return false;
        script->seed = (uint64_t)number;
        return true;
    }
    if (policy_begins(words->word[0]))
        return policy_read(words, 0, &script->policy);
    return words_wrong(words, "no line begins with \"%s\"", words->word[0]);
}

/* --- lines --- */

static bool read_incident(struct parser *parser)
{
    struct words *words = &parser->words;
    struct script *script = parser->script;
    struct incident incident;
    duration_ms at;

    if (words->count < 2 || !duration_parse(words->word[1], &at))
        return words_wrong(words, "after \"at\" comes a time such as 12d3h");
    if (at > script->length)
        return words_wrong(words, "%s is after the end of the world", words->word[1]);
    if (script->incident_count == SCRIPT_INCIDENTS_MAX)
        return words_wrong(words, "more than %d things happen", SCRIPT_INCIDENTS_MAX);
    if (words->count == 2)
        return words_wrong(words, "what happens at %s?", words->word[1]);
    if (!sentence_read(words, 2, script, &incident))
        return false;
    incident.at = at;
    script_add(script, &incident);
    parser->has_incidents = true;
    return true;
}

static bool read_line(struct parser *parser, const char *line, size_t length)
{
    struct words *words = &parser->words;

    if (!words_split(words, line, length))
        return false;
    if (words->count == 0)
        return true;
    if (words_are(words, 0, "at"))
        return read_incident(parser);
    if (parser->has_incidents)
        return words_wrong(words, "settings come before the first line \"at …\"");
    return read_setting(parser);
}

static bool check(struct parser *parser)
{
    for (unsigned i = 0; i < parser->script->target_count; i++)
        if (parser->script->targets[i].required)
            return true;
    return words_wrong(&parser->words, "no target is required");
}

static bool is_expect(const char *line, size_t length)
{
    return length >= 6 && memcmp(line, "expect", 6) == 0 && strspn(line + 6, " \t\r") >= length - 6;
}

static bool read_lines(struct parser *parser, const char *text, const char **ret_expected)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *next = text + length + (text[length] == '\n');

        parser->line++;
        if (is_expect(text, length)) {
            *ret_expected = next;
            break;
        }
        if (!read_line(parser, text, length))
            return false;
        text = next;
    }
    return check(parser);
}

bool script_parse(const char *text, struct script *script, const char **ret_expected, char *error,
                  size_t error_size)
{
    struct parser parser = {.script = script};

    script_init(script);
    *ret_expected = NULL;
    if (read_lines(&parser, text, ret_expected))
        return true;
    snprintf(error, error_size, "%u: %s", parser.line, parser.words.error);
    script_done(script);
    return false;
}

/* --- printing --- */

static void print_target(const struct script_target *target, struct buf *out)
{
    const char *separator = ": ";

    buf_append_format(out, "target %s", target->name);
    for (size_t trait = 0; trait < TRAITS; trait++) {
        if (!has_trait(trait, target))
            continue;
        buf_append_format(out, "%s%s", separator, target_traits[trait].text);
        separator = ", ";
    }
    buf_append_char(out, '\n');
}

void script_print(const struct script *script, struct buf *out)
{
    struct script base;
    char text[DURATION_TEXT_MAX];

    script_init(&base);
    buf_append_format(out, "seed %llu\naccounts %u\n", (unsigned long long)script->seed,
                      script->accounts);
    if (script->pairs)
        buf_append_str(out, "pairs\n");
    policy_print(&script->policy, &base.policy, out);
    buf_append_format(out, "\nactive %s, %s\n", slot_name(script->active),
                      script->presumed           ? "presumed"
                      : script->has_adopt_active ? "named"
                                                 : "not named");
    pace_print(script, out);
    key_times_print(script, out);
    for (unsigned i = 0; i < script->target_count; i++)
        print_target(&script->targets[i], out);
    for (unsigned i = 0; i < script->rule_count; i++)
        script_rule_print(&script->rules[i], out);
    buf_append_format(out, "lasts %s\n", duration_to_text(script->length, text));
    for (size_t i = 0; i < script->incident_count; i++) {
        buf_append_format(out, "at %-10s ", duration_to_text(script->incidents[i].at, text));
        incident_print(script, &script->incidents[i], out);
        buf_append_char(out, '\n');
    }
    script_done(&base);
}
