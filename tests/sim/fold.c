#include "fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_BLOCK = 12, FEWEST = 4 };

struct line {
    const char *start;
    size_t length;
    size_t words; /* where they begin: behind "12d 00:00:05.250  " */
};

struct lines {
    struct line *line;
    size_t count;
};

static size_t skip_time(const char *line, size_t length)
{
    size_t at = 0;

    for (int word = 0; word < 2; word++) {
        while (at < length && line[at] != ' ')
            at++;
        while (at < length && line[at] == ' ')
            at++;
    }
    return at;
}

static void split(const char *trace, struct lines *lines)
{
    size_t room = 1;

    for (const char *c = trace; *c != '\0'; c++)
        room += *c == '\n';
    *lines = (struct lines){.line = calloc(room, sizeof(struct line))};
    if (!lines->line)
        abort();
    while (*trace != '\0') {
        size_t length = strcspn(trace, "\n");

        lines->line[lines->count++] = (struct line){trace, length, skip_time(trace, length)};
        trace += length + (trace[length] == '\n');
    }
}

static bool say_the_same(const struct line *a, const struct line *b)
{
    return a->length - a->words == b->length - b->words &&
           memcmp(a->start + a->words, b->start + b->words, a->length - a->words) == 0;
}

static bool is_again(const struct lines *lines, size_t first, size_t second, size_t length)
{
    if (second + length > lines->count)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!say_the_same(&lines->line[first + i], &lines->line[second + i]))
            return false;
    return true;
}

static size_t count_times(const struct lines *lines, size_t at, size_t length)
{
    size_t times = 1;

    while (is_again(lines, at, at + times * length, length))
        times++;
    return times;
}

static void tell(const struct lines *lines, size_t from, size_t count, struct buf *out)
{
    for (size_t i = from; i < from + count; i++) {
        buf_append(out, lines->line[i].start, lines->line[i].length);
        buf_append_char(out, '\n');
    }
}

/* Writes the line, or the first and the last of many that repeat. Returns how many lines were
 * covered. */
static size_t tell_block(const struct lines *lines, size_t at, struct buf *out)
{
    for (size_t length = 1; length <= LONGEST_BLOCK; length++) {
        size_t times = count_times(lines, at, length);

        if (times < FEWEST)
            continue;
        tell(lines, at, length, out);
        if (length == 1)
            buf_append_format(out, "... this line %zu times more\n", times - 2);
        else
            buf_append_format(out, "... these %zu lines %zu times more\n", length, times - 2);
        tell(lines, at + (times - 1) * length, length, out);
        return times * length;
    }
    tell(lines, at, 1, out);
    return 1;
}

void fold_trace(const char *trace, struct buf *out)
{
    struct lines lines;

    split(trace, &lines);
    for (size_t at = 0; at < lines.count;)
        at += tell_block(&lines, at, out);
    free(lines.line);
}
