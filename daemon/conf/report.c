#include "conf/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum {
    SENTENCE_MAX = 1400, /* the names of all types fit */
    PATH_MAX_SHOWN = 300,
    MESSAGES_TEXT_MAX = 2 * CONFIG_MESSAGES_MAX * 2048,
    MESSAGES_JSON_MAX = 6 * MESSAGES_TEXT_MAX, /* "\u001b" for a character */
};

struct message {
    struct message *older;
    struct mark mark;
    size_t order; /* of discovery */
    const char *path;
    const char *sentence;
    bool is_error;
};

void config_messages_init(struct config_messages *messages)
{
    *messages = (struct config_messages){.error_count = 0};
    buf_init(&messages->text, MESSAGES_TEXT_MAX);
    buf_init(&messages->json, MESSAGES_JSON_MAX);
}

void config_messages_done(struct config_messages *messages)
{
    buf_done(&messages->text);
    buf_done(&messages->json);
}

void report_init(struct report *report, struct arena *arena)
{
    *report = (struct report){.arena = arena};
}

static void add(struct report *report, bool is_error, struct mark mark, const char *path,
                const char *format, va_list arguments)
{
    size_t *count = is_error ? &report->error_count : &report->warning_count;
    char sentence[SENTENCE_MAX];
    struct message *message;

    (*count)++;
    if (*count > CONFIG_MESSAGES_MAX)
        return;
    message = arena_alloc(report->arena, sizeof(*message));
    if (!message)
        return;
    (void)vsnprintf(sentence, sizeof(sentence), format, arguments);
    *message = (struct message){
        .older = report->newest,
        .mark = mark,
        .order = report->newest ? report->newest->order + 1 : 0,
        .path = arena_dup(report->arena, path),
        .sentence = arena_dup(report->arena, sentence),
        .is_error = is_error,
    };
    if (message->path && message->sentence)
        report->newest = message;
}

const char *report_part(struct report *report, const struct buf *part)
{
    /* Text that is too long is cut; only missing memory makes the message incomplete. */
    if (part->failed == -ENOMEM)
        report->incomplete = true;
    return buf_str(part);
}

/* Adds a message about the node, or about its missing child `key`. */
static void add_for_node(struct report *report, bool is_error, struct mark mark,
                         const struct tree_node *node, const char *key, const char *format,
                         va_list arguments)
{
    struct buf path;

    buf_init(&path, PATH_MAX_SHOWN);
    tree_append_path(&path, node);
    if (key)
        (void)buf_append_format(&path, "%s%s", path.length > 0 ? "." : "", key);
    add(report, is_error, mark, report_part(report, &path), format, arguments);
    buf_done(&path);
}

void report_error(struct report *report, const struct tree_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_for_node(report, true, node->mark, node, NULL, format, arguments);
    va_end(arguments);
}

void report_invalid(struct report *report, struct tree_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_for_node(report, true, node->mark, node, NULL, format, arguments);
    va_end(arguments);
    node->invalid = true;
}

void report_warning(struct report *report, const struct tree_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_for_node(report, false, node->mark, node, NULL, format, arguments);
    va_end(arguments);
}

void report_key_error(struct report *report, const struct tree_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_for_node(report, true, node->name ? node->name_mark : node->mark, node, NULL, format,
                 arguments);
    va_end(arguments);
}

void report_key_warning(struct report *report, const struct tree_node *node, const char *format,
                        ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_for_node(report, false, node->name ? node->name_mark : node->mark, node, NULL, format,
                 arguments);
    va_end(arguments);
}

void report_missing(struct report *report, const struct tree_node *map, const char *key,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_for_node(report, true, map->mark, map, key, format, arguments);
    va_end(arguments);
}

void report_error_at(struct report *report, struct mark mark, const char *path, const char *format,
                     ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(report, true, mark, path, format, arguments);
    va_end(arguments);
}

void report_warning_at(struct report *report, struct mark mark, const char *path,
                       const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(report, false, mark, path, format, arguments);
    va_end(arguments);
}

static int compare_messages(const void *left, const void *right)
{
    const struct message *a = *(const struct message *const *)left;
    const struct message *b = *(const struct message *const *)right;
    int order = mark_compare(&a->mark, &b->mark);

    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void append_message(struct buf *out, const struct message *message)
{
    (void)buf_append_format(out, "%s:%u:%u: %s%s%s%s\n", message->mark.file, message->mark.line,
                            message->mark.column, message->path,
                            message->path[0] != '\0' ? ": " : "",
                            message->is_error ? "" : "warning: ", message->sentence);
}

static void append_json(struct buf *out, const struct message *message)
{
    (void)buf_append_format(out, "%s{\"file\":", out->length > 0 ? "," : "");
    (void)json_append_string(out, message->mark.file, strlen(message->mark.file));
    (void)buf_append_format(out, ",\"line\":%u,\"column\":%u,\"key\":", message->mark.line,
                            message->mark.column);
    (void)json_append_string(out, message->path, strlen(message->path));
    (void)buf_append_format(out,
                            ",\"level\":\"%s\",\"text\":", message->is_error ? "error" : "warning");
    (void)json_append_string(out, message->sentence, strlen(message->sentence));
    (void)buf_append_char(out, '}');
}

static void append_rest(struct buf *out, size_t count, const char *what)
{
    if (count > CONFIG_MESSAGES_MAX)
        (void)buf_append_format(out, "and %zu more %s\n", count - CONFIG_MESSAGES_MAX, what);
}

bool report_finish(struct report *report, struct config_messages *messages)
{
    size_t count = report->newest ? report->newest->order + 1 : 0;
    const struct message **sorted = arena_alloc_array(report->arena, count, sizeof(*sorted));
    size_t i = 0;

    if (sorted) {
        for (struct message *message = report->newest; message; message = message->older)
            sorted[i++] = message;
        qsort(sorted, count, sizeof(*sorted), compare_messages);
        for (i = 0; i < count; i++) {
            append_message(&messages->text, sorted[i]);
            if (messages->wants_json)
                append_json(&messages->json, sorted[i]);
        }
    }
    append_rest(&messages->text, report->error_count, "errors");
    append_rest(&messages->text, report->warning_count, "warnings");
    messages->error_count += report->error_count;
    messages->warning_count += report->warning_count;
    return !report->incomplete && !arena_failed(report->arena) && messages->text.failed == 0 &&
           messages->json.failed == 0;
}
