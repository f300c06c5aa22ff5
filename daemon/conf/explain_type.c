#include "conf/explain_type.h"

#include <string.h>

#include "base/json_writer.h"
#include "conf/discovery.h"

enum { TEXT_MAX = 4096, COLUMNS = 100, INDENT = 17 }; /* INDENT: "  %-15s" */

static bool is_used(const struct two_key_resource *type, const struct config *config,
                    const struct account *const *accounts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (two_key_resource_find(accounts ? accounts[i]->id : config->accounts[i].id) == type)
            return true;
    for (size_t i = 0; !accounts && i < config->rule_count; i++)
        for (size_t k = 0; k < config->rules[i].type_count; k++)
            if (config->rules[i].types[k] == type)
                return true;
    return false;
}

/* Breaks the text between words, so that no line is longer than COLUMNS unless a word is. */
static void append_wrapped(struct buf *out, const char *label, const char *text)
{
    size_t column = INDENT;

    (void)buf_append_format(out, "  %-15s", label);
    while (*text != '\0') {
        const size_t length = strcspn(text, " ");

        if (column > INDENT && column + 1 + length > COLUMNS) {
            (void)buf_append_format(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            (void)buf_append_char(out, ' ');
            column++;
        }
        (void)buf_append(out, text, length);
        column += length;
        text += length + (text[length] == ' ' ? 1 : 0);
    }
    (void)buf_append_char(out, '\n');
}

/* Ends a text that was put together in a buffer of its own. */
static void append_wrapped_buf(struct buf *out, const char *label, struct buf *text)
{
    if (text->failed && !out->failed)
        out->failed = text->failed;
    append_wrapped(out, label, buf_str(text));
    buf_done(text);
}

static void append_verify(struct buf *out, const struct two_key_resource *type,
                          const struct config *config)
{
    const char *why = cloud_cannot_verify(&config->cloud, type);
    struct buf text;

    buf_init(&text, TEXT_MAX);
    if (why)
        (void)buf_append_format(&text, "not possible: %s", why);
    else
        (void)buf_append_format(&text, "%s, which changes nothing", type->probe->words);
    append_wrapped_buf(out, "verify is", &text);
}

static void append_pace(struct buf *out, const struct two_key_resource *type,
                        const struct config *config)
{
    char longest[DURATION_TEXT_MAX];
    struct buf text;

    if (type->slow_for == 0)
        return;
    buf_init(&text, TEXT_MAX);
    (void)buf_append_format(&text,
                            "takes up to %s; meanwhile no other key of the resource is regenerated",
                            duration_to_words(config_type_takes(config, type), longest));
    append_wrapped_buf(out, "regenerating", &text);
}

static void append_switches(struct buf *out, const struct two_key_resource *type)
{
    const struct two_key_switch *row = type->switches ? type->switches : type->list_switches;
    const char *separator = "where ";
    struct buf text;

    if (!row)
        return;
    buf_init(&text, TEXT_MAX);
    for (; row->path; row++) {
        (void)buf_append_format(&text, "%s%s", separator, row->words);
        separator = ", or ";
    }
    append_wrapped_buf(out, "keys are off", &text);
}

static void append_type(const struct two_key_resource *type, const struct config *config,
                        struct buf *out)
{
    const char *actions[TWO_KEY_ACTIONS_MAX];
    const size_t count = two_key_actions(type, actions);

    (void)buf_append_format(out, "\ntype %s%s%s\n", type->short_name, type->pair ? ", pair " : "",
                            type->pair ? type->pair : "");
    append_wrapped(out, "is", type->noun);
    if (type->grants)
        append_wrapped(out, "a key may", type->grants);
    if (type->dies)
        append_wrapped(out, "dies with one", type->dies);
    append_verify(out, type, config);
    append_pace(out, type, config);
    append_switches(out, type);
    if (type->note)
        append_wrapped(out, "mind that", type->note);
    (void)buf_append_str(out, "  needs\n"); /* these are long words */
    for (size_t i = 0; i < count; i++)
        (void)buf_append_format(out, "    %s\n", actions[i]);
}

static void write_type(const struct two_key_resource *type, const struct config *config,
                       struct buf *out)
{
    const char *actions[TWO_KEY_ACTIONS_MAX];
    const size_t count = two_key_actions(type, actions);

    json_write_open(out, NULL, '{');
    json_write_text(out, "name", type->short_name);
    json_write_text(out, "pair", type->pair);
    json_write_text(out, "type", type->type);
    json_write_text(out, "api_version", config_api_version(config, type));
    json_write_text(out, "grants", type->grants);
    json_write_text(out, "dies", type->dies);
    json_write_text(out, "verified_by",
                    cloud_cannot_verify(&config->cloud, type) ? NULL : type->probe->words);
    json_write_text(out, "note", type->note);
    json_write_open(out, "actions", '[');
    for (size_t i = 0; i < count; i++)
        json_write_text(out, NULL, actions[i]);
    json_write_close(out, ']');
    json_write_close(out, '}');
}

void explain_types(const struct config *config, const struct account *const *accounts, size_t count,
                   bool as_json, struct buf *out)
{
    const struct two_key_resource *type, *pair;

    for (size_t i = 0; (type = two_key_resource_at(i)); i++) {
        for (size_t j = 0; (pair = two_key_pair_at(type, j)); j++) {
            if (!is_used(pair, config, accounts, count))
                continue;
            if (as_json)
                write_type(pair, config, out);
            else
                append_type(pair, config, out);
        }
    }
}
