#include "ctl/config_show.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/status_text.h"

enum { WIDTH = 100, GAP = 2, KEY_MOST = 40, FROM_MOST = 36, FROM_SIZE = 4200 };

/* How many bytes of `path` are the directory that holds all files, with its slash. */
static size_t shared_directory(const struct control_config *config)
{
    const char *first = NULL;
    size_t shared = 0;

    for (size_t i = 0; i < config->value_count; i++) {
        const char *file = config->values[i].file;
        size_t same = 0;

        if (!file)
            continue;
        if (!first) {
            first = file;
            shared = strlen(file);
        }
        while (same < shared && file[same] == first[same])
            same++;
        shared = same;
    }
    while (shared > 0 && first[shared - 1] != '/')
        shared--;
    return shared;
}

static const char *any_file(const struct control_config *config)
{
    for (size_t i = 0; i < config->value_count; i++)
        if (config->values[i].file)
            return config->values[i].file;
    return NULL;
}

/* "keyrotated.yaml:12", "default" */
static void describe_from(const struct config_value_snapshot *value, size_t directory,
                          char out[FROM_SIZE])
{
    if (value->file)
        (void)snprintf(out, FROM_SIZE, "%s:%u", value->file + directory, value->line);
    else
        (void)snprintf(out, FROM_SIZE, "%s", ctl_shown(value->from));
}

/* A cell, and the blanks up to the next column. */
static void write_cell(struct buf *out, const char *text, size_t width)
{
    const size_t length = strlen(text);

    ctl_write(out, "%s", text);
    (void)buf_append_format(out, "%*s", length < width ? (int)(width - length) + GAP : GAP, "");
}

/* The bytes of `value` that fit into so much room: up to a blank or a slash, where there is one. */
static size_t fitting(const char *value, size_t room)
{
    const size_t most = room > 0 ? utf8_whole(value, room) : 0;
    size_t length = most;

    while (length > 0 && value[length - 1] != ' ' && value[length] != '/')
        length--;
    return length > 0 ? length : most;
}

/* In lines of what is left of the width, the first of which has been begun. */
static void write_value(struct buf *out, const char *value, size_t indent, size_t begun)
{
    size_t room = begun < WIDTH ? WIDTH - begun : 0;

    while (strlen(value) > room) {
        const size_t length = fitting(value, room);

        ctl_write(out, "%.*s\n", (int)length, value);
        (void)buf_append_format(out, "%*s", (int)indent, "");
        value += length;
        room = WIDTH - indent;
    }
    ctl_write(out, "%s\n", value);
}

static size_t widest(size_t width, const char *text, size_t most)
{
    const size_t length = strlen(text);

    return length > width ? (length < most ? length : most) : width;
}

void ctl_write_config(struct buf *out, const struct control_config *config, time_ms now)
{
    const size_t directory = shared_directory(config);
    size_t keys = 0, froms = 0;
    char text[CTL_TIME_MAX], from[FROM_SIZE];

    ctl_write(out, "%s/%s, by the files that were read %s", ctl_shown(config->resource_group),
              ctl_shown(config->name), ctl_instant(config->loaded_at, now, text));
    (void)buf_append_char(out, '\n');
    if (directory > 0)
        ctl_write(out, "in %.*s\n", (int)directory, any_file(config));
    (void)buf_append_char(out, '\n');
    for (size_t i = 0; i < config->value_count; i++) {
        describe_from(&config->values[i], directory, from);
        keys = widest(keys, ctl_shown(config->values[i].key), KEY_MOST);
        froms = widest(froms, from, FROM_MOST);
    }
    for (size_t i = 0; i < config->value_count; i++) {
        const char *key = ctl_shown(config->values[i].key);
        const size_t indent = keys + froms + 2 * (size_t)GAP;
        size_t begun = 2 * (size_t)GAP;

        describe_from(&config->values[i], directory, from);
        begun += strlen(key) > keys ? strlen(key) : keys;
        begun += strlen(from) > froms ? strlen(from) : froms;
        write_cell(out, key, keys);
        write_cell(out, from, froms);
        write_value(out, ctl_shown(config->values[i].value), indent, begun);
    }
}
