/*
 * Completes keyrotated-resources(7): copies standard input, with the entries of all types in place
 * of the line "@TYPES@", and those of the refused ones in place of "@REFUSED@". What they say is
 * that of the tables (proto/two_key/two_key.h).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

enum { LINE_MAX_BYTES = 1024, PAGE_MAX = 1024 * 1024 };

/* Literal text in a line of prose: what roff takes for more than text is masked. */
static void append_text(struct buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        (void)buf_append_str(out, "\\&");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            (void)buf_append_str(out, "\\e");
        else
            (void)buf_append_char(out, *c);
    }
}

/* "The sentence.", on a line of its own. */
static void append_sentence(struct buf *out, const char *text)
{
    append_text(out, text);
    (void)buf_append_str(out, text[strlen(text) - 1] == '.' ? "\n" : ".\n");
}

/* The same, which may be broken behind the marks of paths and connection strings. */
static void append_breakable(struct buf *out, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "/;,") + 1;
        char piece[LINE_MAX_BYTES];

        (void)snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
        append_text(out, piece);
        text += strlen(piece);
        if (*text != '\0')
            (void)buf_append_str(out, "\\:");
    }
}

/* One argument of a macro, which is none itself. */
static void append_argument(struct buf *out, const char *macro, const char *text, const char *after)
{
    (void)buf_append_format(out, ".%s \"\\&", macro);
    append_breakable(out, text);
    (void)buf_append_format(out, "\"%s%s\n", *after == '\0' ? "" : " ", after);
}

static void append_list(struct buf *out, const char *macro, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        append_argument(out, macro, items[i], i + 2 < count ? "," : i + 1 == count ? "." : "");
        if (i + 2 == count)
            (void)buf_append_str(out, "and\n");
    }
}

static void append_account(struct buf *out, const struct two_key_resource *type)
{
    struct buf form;

    buf_init(&form, LINE_MAX_BYTES);
    (void)buf_append_format(&form, "type: %s, name: NAME", type->short_name);
    if (two_key_depth(type) > 1) {
        (void)buf_append_str(&form, ", path: ");
        two_key_append_path_form(type, &form);
    }
    if (type->pair)
        (void)buf_append_format(&form, ", pair: %s", type->pair);
    (void)buf_append_str(out, ".It Account\n");
    append_argument(out, "Li", buf_str(&form), ",");
    (void)buf_append_str(out, type->pair ? "or the resource id and the pair.\n"
                                         : "or the resource id.\n");
    (void)buf_append_str(out, "Last names are ");
    append_sentence(out, type->name.words);
    buf_done(&form);
}

static void append_permissions(struct buf *out, const struct two_key_resource *type)
{
    const char *actions[TWO_KEY_ACTIONS_MAX];
    const size_t polls = two_key_poll_actions(type, actions);
    const size_t count = two_key_actions(type, actions);

    (void)buf_append_str(out, ".It Permissions\n");
    append_list(out, "Li", actions, count);
    if (polls > 0)
        (void)buf_append_format(out,
                                "Assign the role at the subscription: operations, which the "
                                "%s about, stand below it; without that, the longest time of "
                                "a regenerate is waited for.\n",
                                polls > 1 ? "last two are" : "last one is");
    if (type->parent_describes)
        (void)buf_append_str(out,
                             "The first is that of the outermost resource in the id, whose "
                             "description says where the data plane is, and whether keys are "
                             "on.\n");
}

static void append_switches(struct buf *out, const struct two_key_resource *type)
{
    const struct two_key_switch *row = type->switches ? type->switches : type->list_switches;
    const char *separator = "";

    (void)buf_append_str(out, ".It Keys are off\n");
    if (!row) {
        (void)buf_append_str(out, "No switch is known.\n");
        return;
    }
    (void)buf_append_str(out, "where ");
    for (; row->path; row++) {
        (void)buf_append_str(out, separator);
        append_text(out, row->words);
        separator = ", or ";
    }
    (void)buf_append_str(out, ".\n");
    if (type->keys_on) {
        (void)buf_append_str(out, "To have keys: ");
        append_sentence(out, type->keys_on);
    }
}

static void append_verify(struct buf *out, const struct two_key_resource *type)
{
    (void)buf_append_str(out, ".It A new key\n");
    if (!type->probe) {
        (void)buf_append_str(out, "is not verified: no request is known that proves one.\n");
        return;
    }
    (void)buf_append_str(out, "is verified by ");
    append_sentence(out, type->probe->words);
}

static void append_environment(struct buf *out, const struct two_key_resource *type)
{
    const char *names[TWO_KEY_VARIABLES_MAX];

    (void)buf_append_str(out, ".It Variables\n");
    append_list(out, "Ev", names, two_key_variables(type, names));
    if (!type->connection_string)
        return;
    (void)buf_append_str(out, ".It Connection string\n");
    append_argument(out, "Li", type->connection_string, type->env_connection_string ? "," : "");
    if (type->env_connection_string) {
        (void)buf_append_str(out, "in files\n");
        append_argument(out, "Ev", type->env_connection_string, "");
    }
}

static void append_type(struct buf *out, const struct two_key_resource *type)
{
    char longest[DURATION_TEXT_MAX];
    struct buf title;

    buf_init(&title, LINE_MAX_BYTES);
    (void)buf_append_str(&title, type->short_name);
    if (type->pair)
        (void)buf_append_format(&title, ", pair %s", type->pair);
    append_argument(out, "Ss", buf_str(&title), "");
    buf_done(&title);
    (void)buf_append_char(out, (char)toupper((unsigned char)type->noun[0]));
    append_text(out, type->noun + 1);
    (void)buf_append_str(out, ":\n");
    append_argument(out, "Li", type->type, ",");
    (void)buf_append_str(out, "by the interface ");
    append_sentence(out, type->api_version);
    (void)buf_append_str(out, ".Bl -tag -width \"Connection string\" -compact\n");
    append_account(out, type);
    append_permissions(out, type);
    append_switches(out, type);
    append_verify(out, type);
    if (type->slow_for > 0)
        (void)buf_append_format(out, ".It Takes time\nup to %s until a key is regenerated.\n",
                                duration_to_words(type->slow_for, longest));
    if (type->made_paths[SLOT_PRIMARY])
        (void)buf_append_format(out, ".It Key times\ntold by the %s.\n",
                                type->made_told_by == TOLD_BY_LIST ? "list of keys"
                                                                   : "description");
    if (type->grants) {
        (void)buf_append_str(out, ".It A key may\n");
        append_sentence(out, type->grants);
    }
    if (type->dies) {
        (void)buf_append_str(out, ".It Dies with a key\n");
        append_sentence(out, type->dies);
    }
    if (type->note) {
        (void)buf_append_str(out, ".It Mind that\n");
        append_sentence(out, type->note);
    }
    append_environment(out, type);
    (void)buf_append_str(out, ".El\n");
}

/* The entries of a type: one for each pair of keys. */
static void append_pairs(struct buf *out, const struct two_key_resource *type)
{
    const struct two_key_resource *pair;

    for (size_t i = 0; (pair = two_key_pair_at(type, i)); i++)
        append_type(out, pair);
}

static void append_refused(struct buf *out, const struct two_key_refused *refused)
{
    append_argument(out, "It Li", refused->type, "");
    (void)buf_append_char(out, (char)toupper((unsigned char)refused->why[0]));
    append_sentence(out, refused->why + 1);
}

/* What stands in the place of the line. False: nothing, it is a line like others. */
static bool append_made(struct buf *out, const char *line)
{
    const struct two_key_resource *type;
    const struct two_key_refused *refused;

    if (str_equal(line, "@TYPES@\n"))
        for (size_t i = 0; (type = two_key_resource_at(i)); i++)
            append_pairs(out, type);
    else if (str_equal(line, "@REFUSED@\n"))
        for (size_t i = 0; (refused = two_key_refused_at(i)); i++)
            append_refused(out, refused);
    else
        return false;
    return true;
}

int main(void)
{
    char line[LINE_MAX_BYTES];
    struct buf out;
    bool failed;

    buf_init(&out, PAGE_MAX);
    while (fgets(line, sizeof(line), stdin)) {
        if (!append_made(&out, line))
            (void)buf_append_str(&out, line);
    }
    failed = ferror(stdin) || out.failed || fputs(buf_str(&out), stdout) == EOF || fflush(stdout);
    buf_done(&out);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
