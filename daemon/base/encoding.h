/*
 * Bytes as text and text as bytes: percent-encoding, hex, base64, UTF-8.
 */
#ifndef KEYROTATED_BASE_ENCODING_H
#define KEYROTATED_BASE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Characters of ASCII; <ctype.h> obeys the locale. */
static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool char_is_alphanumeric(char c)
{
    return char_is_letter(c) || char_is_digit(c);
}

/* Appends the text, percent-encoded but for RFC 3986 unreserved characters. Returns out->failed. */
int percent_encode(struct buf *out, const char *text, size_t length);
/* The same of each segment of a path: "/" stays. */
int percent_encode_path(struct buf *out, const char *path);

/* Lower-case hex. `out` has room for 2 * length + 1. */
void hex_encode(const uint8_t *bytes, size_t length, char *out);

/* Fills `out` from exactly 2 * length hex digits of either case; false when `text` is anything
 * else (`out` is undefined then). */
bool hex_decode(const char *text, uint8_t *out, size_t length);

/* Standard base64 with padding (RFC 4648, section 4). Encoding returns fresh memory, or NULL when
 * there is none. Decoding is strict (no blanks, correct padding, unused bits zero); it writes at
 * most `size` bytes and returns the count, or -1. */
char *base64_encode(const void *bytes, size_t length);
long base64_decode(const char *text, size_t length, uint8_t *out, size_t size);

/* Appends base64url without padding (RFC 4648, section 5; RFC 7515, section 2). Returns
 * out->failed, or -ENOMEM. */
int base64url_append(struct buf *out, const void *bytes, size_t length);

/* Valid UTF-8 without overlong forms, surrogates or values past U+10FFFF (RFC 3629)? */
bool utf8_valid(const char *text, size_t length);

/* How many bytes the valid character at the start of `text` has: 1 to 4, or 0 where there is none.
 * Its code point goes to *ret_code_point unless that is NULL. */
size_t utf8_character(const char *text, size_t length, uint32_t *ret_code_point);

/* Writes the character as 1 to 4 bytes and returns their count. `code_point` must be a Unicode
 * scalar value. */
size_t utf8_encode(uint32_t code_point, char out[4]);

/* Where to cut a text to at most `length` bytes without splitting a character. */
size_t utf8_whole(const char *text, size_t length);

/* Makes foreign text fit to be shown, in place: drops a character that is cut in two at the end,
 * turns control characters (those of two bytes, U+0080 to U+009F, too) into blanks, and each byte
 * that is not UTF-8 into a question mark. */
void utf8_make_presentable(char *text);

#endif
