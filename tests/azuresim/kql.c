#include "kql.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "memory.h"

#define WORD_SIZE  128
#define VALUES_MAX 128

/* Where the query is being read. */
struct reader {
    const char *at;
    char *message;
    size_t size;
};

static bool complain(struct reader *reader, const char *what)
{
    snprintf(reader->message, reader->size, "%s near '%.40s'", what, reader->at);
    return false;
}

static void skip_blanks(struct reader *reader)
{
    while (isspace((unsigned char)*reader->at))
        reader->at++;
}

/* Takes TEXT (any case) where it comes next, as a word of its own where it is one. */
static bool take(struct reader *reader, const char *text)
{
    size_t length = strlen(text);

    skip_blanks(reader);
    if (strncasecmp(reader->at, text, length) != 0 ||
        (isalnum((unsigned char)text[length - 1]) && isalnum((unsigned char)reader->at[length])))
        return false;
    reader->at += length;
    return true;
}

static bool read_word(struct reader *reader, char word[WORD_SIZE])
{
    size_t length = 0;

    skip_blanks(reader);
    for (; isalnum((unsigned char)*reader->at) || *reader->at == '_'; reader->at++)
        if (length < WORD_SIZE - 1)
            word[length++] = *reader->at;
    word[length] = '\0';
    return length > 0 || complain(reader, "a name is missing");
}

/* A text in quotes of either kind; to be freed. */
static char *read_text(struct reader *reader)
{
    const char *begin, *end;

    skip_blanks(reader);
    begin = reader->at + 1;
    end = *reader->at == '\'' || *reader->at == '"' ? strchr(begin, *reader->at) : NULL;
    if (!end) {
        complain(reader, "a text is missing");
        return NULL;
    }
    reader->at = end + 1;
    return memory_text_n(begin, (size_t)(end - begin));
}

/* --- where --- */

struct condition {
    char column[WORD_SIZE];
    bool negative;
    bool any_case;
    char *values[VALUES_MAX];
    size_t count;
};

static void condition_done(struct condition *condition)
{
    for (size_t i = 0; i < condition->count; i++)
        free(condition->values[i]);
    condition->count = 0;
}

static bool read_value(struct reader *reader, struct condition *condition)
{
    char *text = condition->count < VALUES_MAX ? read_text(reader) : NULL;

    if (text)
        condition->values[condition->count++] = text;
    return !!text;
}

static bool read_values(struct reader *reader, struct condition *condition)
{
    if (!take(reader, "("))
        return complain(reader, "'(' is missing");
    do {
        if (!read_value(reader, condition))
            return false;
    } while (take(reader, ","));
    return take(reader, ")") || complain(reader, "')' is missing");
}

static bool read_condition(struct reader *reader, struct condition *condition)
{
    if (!read_word(reader, condition->column))
        return false;
    if (take(reader, "in~") || take(reader, "in")) {
        condition->any_case = reader->at[-1] == '~';
        return read_values(reader, condition);
    }
    skip_blanks(reader);
    if (!*reader->at || !strchr("=!", reader->at[0]) || !strchr("=~", reader->at[1]))
        return complain(reader, "an operator is missing");
    condition->negative = reader->at[0] == '!';
    condition->any_case = reader->at[1] == '~';
    reader->at += 2;
    return read_value(reader, condition);
}

static bool holds(const struct condition *condition, struct json_object *row)
{
    const char *value = json_get_text(row, condition->column);
    bool found = false;

    for (size_t i = 0; value && i < condition->count && !found; i++)
        found = condition->any_case ? strcasecmp(value, condition->values[i]) == 0
                                    : strcmp(value, condition->values[i]) == 0;
    return found != condition->negative;
}

/* Takes over ROWS. */
static struct json_object *select_rows(const struct condition *condition, struct json_object *rows)
{
    struct json_object *selected = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);

        if (holds(condition, row))
            json_object_array_add(selected, json_object_get(row));
    }
    json_object_put(rows);
    return selected;
}

static bool run_where(struct reader *reader, struct json_object **rows)
{
    do {
        struct condition condition = {.count = 0};
        bool good = read_condition(reader, &condition);

        if (good)
            *rows = select_rows(&condition, *rows);
        condition_done(&condition);
        if (!good)
            return false;
    } while (take(reader, "and"));
    return true;
}

/* --- project, order, limit --- */

static bool run_project(struct reader *reader, struct json_object **rows, bool *ret_pageable)
{
    struct json_object *projected = json_object_new_array();
    char columns[16][WORD_SIZE];
    size_t count = 0;

    do {
        if (count == 16 || !read_word(reader, columns[count++])) {
            json_object_put(projected);
            return count < 16 ? false : complain(reader, "too many columns");
        }
    } while (take(reader, ","));
    *ret_pageable = false;
    for (size_t c = 0; c < count; c++)
        *ret_pageable = *ret_pageable || strcmp(columns[c], "id") == 0;
    for (size_t i = 0; i < json_object_array_length(*rows); i++) {
        struct json_object *from = json_object_array_get_idx(*rows, i);
        struct json_object *to = json_object_new_object();

        for (size_t c = 0; c < count; c++)
            json_object_object_add(to, columns[c],
                                   json_object_get(json_object_object_get(from, columns[c])));
        json_object_array_add(projected, to);
    }
    json_object_put(*rows);
    *rows = projected;
    return true;
}

/* qsort() hands nothing on; the simulator's lock is held. */
static const char *sort_column;

static int compare_rows(const void *left, const void *right)
{
    const char *a = json_get_text(*(struct json_object *const *)left, sort_column);
    const char *b = json_get_text(*(struct json_object *const *)right, sort_column);

    return strcasecmp(a ? a : "", b ? b : "");
}

static int compare_rows_down(const void *left, const void *right)
{
    return compare_rows(right, left);
}

static bool run_order(struct reader *reader, struct json_object *rows)
{
    char column[WORD_SIZE];
    bool down = true; /* as the language has it */

    if (!take(reader, "by") || !read_word(reader, column))
        return complain(reader, "a column is missing");
    if (take(reader, "asc"))
        down = false;
    else
        (void)take(reader, "desc");
    sort_column = column;
    json_object_array_sort(rows, down ? compare_rows_down : compare_rows);
    sort_column = NULL;
    return true;
}

static bool run_limit(struct reader *reader, struct json_object *rows, bool *ret_pageable)
{
    char word[WORD_SIZE];
    size_t limit;

    if (!read_word(reader, word))
        return false;
    limit = strtoul(word, NULL, 10);
    if (limit < json_object_array_length(rows))
        json_object_array_del_idx(rows, limit, json_object_array_length(rows) - limit);
    *ret_pageable = false;
    return true;
}

static bool run_stage(struct reader *reader, struct json_object **rows, bool *ret_pageable)
{
    if (take(reader, "where"))
        return run_where(reader, rows);
    if (take(reader, "project"))
        return run_project(reader, rows, ret_pageable);
    if (take(reader, "order") || take(reader, "sort"))
        return run_order(reader, *rows);
    if (take(reader, "limit") || take(reader, "take"))
        return run_limit(reader, *rows, ret_pageable);
    return complain(reader, "this operator is not known");
}

struct json_object *kql_run(const char *query, struct json_object *rows, bool *ret_pageable,
                            char *message, size_t size)
{
    struct reader reader = {.at = query, .message = message, .size = size};
    struct json_object *result = json_object_new_array();
    bool good = take(&reader, "resources") || complain(&reader, "this table is not known");

    *ret_pageable = true;
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        json_object_array_add(result, json_object_get(json_object_array_get_idx(rows, i)));
    while (good && take(&reader, "|"))
        good = run_stage(&reader, &result, ret_pageable);
    skip_blanks(&reader);
    if (good && *reader.at != '\0')
        good = complain(&reader, "the end is missing");
    if (good)
        return result;
    json_object_put(result);
    return NULL;
}
