/*
 * Small things on strings that the C library lacks: case-insensitive work in the C locale, bounded
 * copies, strict numbers, and the nearest of several names. Encodings come along with encoding.h.
 */
#ifndef KEYROTATED_BASE_STR_H
#define KEYROTATED_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/encoding.h"

/* Equality of ASCII strings without regard to case; NULL equals only NULL. */
bool str_equal_nocase(const char *a, const char *b);
bool str_equal(const char *a, const char *b);
bool str_starts_with(const char *text, const char *prefix);
bool str_ends_with(const char *text, const char *suffix);
bool str_starts_with_nocase(const char *text, const char *prefix);

/* `text`, but NULL for the empty one. */
static inline const char *str_or_null(const char *text)
{
    return *text != '\0' ? text : NULL;
}

/* Lower-cases A-Z in place. */
void str_lower(char *text);

/* Copies as much as fits, always NUL-terminated. Returns false when it was cut. */
bool str_copy(char *destination, size_t size, const char *source);

/* A printf into fresh memory (NULL when out of memory); the caller frees. */
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* strdup/strndup that accept NULL (and give NULL). */
char *str_dup(const char *text);
char *str_dup_n(const char *text, size_t length);

/* The whole string as a decimal integer without sign prefix "+", blanks or leading zeros
 * ("0" itself is fine). Returns false when it is anything else or out of range. */
bool str_to_int64(const char *text, int64_t *ret_value);

/* The word for so many: "account" for 1, "accounts" for 0 and 2. */
static inline const char *str_plural(size_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

/*
 * The one of `names` (NULL-terminated) that a person most likely meant by `text`, or NULL when none
 * is near: at most two edits (insert, delete, replace, swap neighbours), one for short words. Case
 * does not count.
 */
const char *str_nearest(const char *text, const char *const names[]);

#endif
