#include "io/log/log_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct log_copy {
    time_ms time;
    enum log_level level;
    size_t size;
    char *event;
    char *message;
    size_t field_count;
    struct log_field fields[];
};

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static char *put_text(char **end, const char *text)
{
    size_t size = text_size(text);
    char *copy = *end;

    if (!text)
        return NULL;
    memcpy(copy, text, size);
    *end += size;
    return copy;
}

struct log_copy *log_copy_new(const struct log_line *line)
{
    size_t size = sizeof(struct log_copy) + line->field_count * sizeof(struct log_field) +
                  text_size(line->event) + text_size(line->message);
    struct log_copy *copy;
    char *end;

    for (size_t i = 0; i < line->field_count; i++)
        size += text_size(line->fields[i].name) + text_size(line->fields[i].text);
    copy = must(malloc(size));
    end = (char *)&copy->fields[line->field_count];
    copy->time = line->time;
    copy->level = line->level;
    copy->size = size;
    copy->event = put_text(&end, line->event);
    copy->message = put_text(&end, line->message);
    copy->field_count = line->field_count;
    for (size_t i = 0; i < line->field_count; i++) {
        copy->fields[i] = (struct log_field){
            .name = put_text(&end, line->fields[i].name),
            .text = put_text(&end, line->fields[i].text),
            .number = line->fields[i].number,
        };
    }
    return copy;
}

size_t log_copy_size(const struct log_copy *copy)
{
    return copy->size;
}

void log_copy_restore(const struct log_copy *copy, struct log_line *line)
{
    log_line_start(line, copy->time, copy->level, copy->event, "%s", copy->message);
    line->field_count = copy->field_count;
    memcpy(line->fields, copy->fields, copy->field_count * sizeof(copy->fields[0]));
}
