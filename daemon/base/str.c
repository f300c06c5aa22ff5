#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* tolower() obeys the locale, in which a Turkish I is no I. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcasecmp(a, b) == 0;
}

bool str_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends_with(const char *text, const char *suffix)
{
    size_t text_length = strlen(text);
    size_t suffix_length = strlen(suffix);

    return text_length >= suffix_length && strcmp(text + text_length - suffix_length, suffix) == 0;
}

bool str_starts_with_nocase(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

void str_lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = lower(*text);
}

bool str_copy(char *destination, size_t size, const char *source)
{
    if (size == 0)
        return false;

    size_t length = strlen(source);
    bool fits = length < size;
    size_t copied = fits ? length : size - 1;
    memcpy(destination, source, copied);
    destination[copied] = '\0';
    return fits;
}

char *str_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length >= 0 ? text : NULL;
}

char *str_dup(const char *text)
{
    return text ? strdup(text) : NULL;
}

char *str_dup_n(const char *text, size_t length)
{
    return text ? strndup(text, length) : NULL;
}

bool str_to_int64(const char *text, int64_t *ret_value)
{
    bool negative = *text == '-';
    const char *digits = negative ? text + 1 : text;
    int64_t value = 0;

    if (*digits == '\0' || (*digits == '0' && (negative || digits[1] != '\0')))
        return false;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9')
            return false;
        /* Negative numbers count downwards, because INT64_MIN has no positive counterpart. */
        int digit = negative ? -(*digits - '0') : *digits - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

enum { NEAREST_LENGTH_MAX = 64 };

static size_t smallest_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * The edits (insert, delete, replace, swap neighbours; case does not count) that turn one word into
 * the other: the optimal string alignment distance. Both have at most NEAREST_LENGTH_MAX bytes.
 * Only three rows of the table are kept: a swap looks back two rows.
 */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_LENGTH_MAX + 1];
    size_t *before_previous = rows[0], *previous = rows[1], *current = rows[2];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);

    for (size_t j = 0; j <= b_length; j++)
        before_previous[j] = current[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *recycled = before_previous;
        before_previous = previous;
        previous = current;
        current = recycled;

        current[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            char from = lower(a[i - 1]);
            char to = lower(b[j - 1]);
            size_t best = previous[j - 1] + (from != to);
            best = smallest_of(best, previous[j] + 1);
            best = smallest_of(best, current[j - 1] + 1);
            if (i > 1 && j > 1 && from == lower(b[j - 2]) && lower(a[i - 2]) == to)
                best = smallest_of(best, before_previous[j - 2] + 1);
            current[j] = best;
        }
    }
    return current[b_length];
}

/* Two edits would match any two short words. */
static size_t tolerated_edits(size_t length)
{
    if (length >= 5)
        return 2;
    return length >= 2 ? 1 : 0;
}

const char *str_nearest(const char *text, const char *const names[])
{
    size_t length = strlen(text);
    const char *nearest = NULL;

    if (length > NEAREST_LENGTH_MAX)
        return NULL;

    size_t nearest_distance = tolerated_edits(length) + 1;
    for (; *names; names++) {
        if (strlen(*names) > NEAREST_LENGTH_MAX)
            continue;
        size_t distance = edit_distance(text, *names);
        if (distance < nearest_distance) {
            nearest = *names;
            nearest_distance = distance;
        }
    }
    return nearest;
}
