#include "conf/masked_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A replacement is 'x' and the number of the run. It is as long as the shortest run, so that no run
 * of the original is left that looks like it. */
enum { RUN_MIN = 24, DIGITS = RUN_MIN - 1, RUNS_GROWTH = 16 };

struct masked_run {
    size_t offset;
    size_t length;
};

static bool is_of_run(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("+/=_.-", c));
}

static bool is_plain(const char *run, size_t length, const char *const plain[])
{
    for (size_t i = 0; plain[i]; i++) {
        if (strlen(plain[i]) == length && memcmp(plain[i], run, length) == 0)
            return true;
    }
    return false;
}

/* The number of the run; equal ones have the same, so that keys that stand twice are found. */
static int find_or_add(struct masked_text *masked, size_t offset, size_t length, size_t *ret_number)
{
    const char *run = masked->original + offset;

    for (size_t i = 0; i < masked->count; i++) {
        if (masked->runs[i].length == length &&
            memcmp(masked->original + masked->runs[i].offset, run, length) == 0) {
            *ret_number = i;
            return 0;
        }
    }
    if (masked->count == MASKED_RUNS_MAX)
        return -EMSGSIZE;
    if (masked->count % RUNS_GROWTH == 0) {
        struct masked_run *more =
            realloc(masked->runs, (masked->count + RUNS_GROWTH) * sizeof(*more));

        if (!more)
            return -ENOMEM;
        masked->runs = more;
    }
    masked->runs[masked->count] = (struct masked_run){offset, length};
    *ret_number = masked->count++;
    return 0;
}

int masked_text_init(struct masked_text *masked, const char *original, size_t length,
                     const char *const plain[])
{
    *masked = (struct masked_text){.original = original};
    buf_init(&masked->text, length + 1);
    for (size_t at = 0; at < length;) {
        size_t run = 0, number;
        int rc;

        while (at + run < length && is_of_run(original[at + run]))
            run++;
        /* What follows a backslash may belong to an escape. */
        if (run < RUN_MIN || is_plain(original + at, run, plain) ||
            (at > 0 && original[at - 1] == '\\')) {
            run += run == 0;
            (void)buf_append(&masked->text, original + at, run);
        } else {
            rc = find_or_add(masked, at, run, &number);
            if (rc != 0)
                return rc;
            (void)buf_append_format(&masked->text, "x%0*zu", DIGITS, number);
        }
        at += run;
    }
    return masked->text.failed;
}

void masked_text_done(struct masked_text *masked)
{
    free(masked->runs);
    buf_done(&masked->text);
    *masked = (struct masked_text){.original = NULL};
}

/* Is `text` a replacement? *ret_number: of the run. */
static bool is_replacement(const struct masked_text *masked, const char *text, size_t *ret_number)
{
    size_t number = 0;

    if (text[0] != 'x')
        return false;
    for (size_t i = 1; i <= DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9' || number > MASKED_RUNS_MAX)
            return false;
        number = 10 * number + (size_t)(text[i] - '0');
    }
    *ret_number = number;
    return number < masked->count;
}

int masked_text_restore(const struct masked_text *masked, const char *text, struct buf *out)
{
    while (*text != '\0') {
        size_t number;

        if (is_replacement(masked, text, &number)) {
            (void)buf_append(out, masked->original + masked->runs[number].offset,
                             masked->runs[number].length);
            text += RUN_MIN;
        } else {
            (void)buf_append_char(out, *text++);
        }
    }
    return out->failed;
}

bool masked_text_is(const struct masked_text *masked, const char *text, const char *expected)
{
    while (*text != '\0') {
        const char *piece = text;
        size_t length = 1, number;

        if (is_replacement(masked, text, &number)) {
            piece = masked->original + masked->runs[number].offset;
            length = masked->runs[number].length;
            text += RUN_MIN;
        } else {
            text++;
        }
        if (strncmp(expected, piece, length) != 0)
            return false;
        expected += length;
    }
    return *expected == '\0';
}
