#include "base/json_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/encoding.h"
#include "base/json_writer.h"

/* A decoded member name: where it stands in struct scan's name_bytes and in the text, and what its
 * value holds. */
struct name {
    size_t start;
    size_t length;
    size_t text_offset;
    struct json_census value;
};

struct scan {
    const char *text;
    size_t length;
    size_t at;
    int depth_left;
    struct json_census census;
    struct err *err;

    /* In mending mode: the text with JSON_UNUSABLE in place of unusable values, up to byte
     * `copied_to` of the original. NULL: unusable values are errors. */
    struct buf *mended;
    size_t copied_to;

    /* The names of all objects that are open right now, innermost last. */
    struct buf name_bytes;
    struct name *names;
    size_t name_count;
    size_t name_capacity;
};

static int complain_at(struct scan *scan, size_t offset, const char *what)
{
    return err_set(scan->err, -EBADMSG, "invalid JSON at byte %zu: %s", offset, what);
}

static int complain(struct scan *scan, const char *what)
{
    return complain_at(scan, scan->at, what);
}

static int out_of_memory(struct scan *scan)
{
    return err_set(scan->err, -ENOMEM, "out of memory while reading JSON");
}

/* The next byte, or -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->length ? (uint8_t)scan->text[scan->at] : -1;
}

static bool take(struct scan *scan, char expected)
{
    if (peek(scan) != expected)
        return false;
    scan->at++;
    return true;
}

/* Replaces the bytes from `start` to the current position by `replacement` in the mended text. */
static int mend(struct scan *scan, size_t start, const char *replacement)
{
    (void)buf_append(scan->mended, scan->text + scan->copied_to, start - scan->copied_to);
    (void)buf_append_str(scan->mended, replacement);
    scan->copied_to = scan->at;
    return scan->mended->failed != 0 ? out_of_memory(scan) : 0;
}

/* Goes to the end of the string that starts at `start`, whatever it holds. */
static bool skip_string(struct scan *scan, size_t start)
{
    scan->at = start + 1;
    while (scan->at < scan->length && scan->text[scan->at] != '"')
        scan->at += scan->text[scan->at] == '\\' ? 2 : 1;
    if (scan->at >= scan->length)
        return false;
    scan->at++;
    return true;
}

/* Goes to the end of the object or array that starts at `start`, looking at brackets alone. */
static bool skip_container(struct scan *scan, size_t start)
{
    size_t open = 0;

    scan->at = start;
    while (scan->at < scan->length) {
        char c = scan->text[scan->at];

        if (c == '"') {
            if (!skip_string(scan, scan->at))
                return false;
            continue;
        }
        scan->at++;
        open += c == '{' || c == '[';
        open -= c == '}' || c == ']';
        if (open == 0)
            return true;
    }
    return false;
}

static bool is_word_character(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.' || c == '_';
}

/* Goes to the end of what might have been a number or a literal. */
static bool skip_word(struct scan *scan, size_t start)
{
    scan->at = start;
    while (is_word_character(peek(scan)))
        scan->at++;
    return scan->at > start;
}

static void skip_blanks(struct scan *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\n' || peek(scan) == '\r')
        scan->at++;
}

static bool next_is_digit(const struct scan *scan)
{
    return peek(scan) >= '0' && peek(scan) <= '9';
}

static int scan_digits(struct scan *scan)
{
    if (!next_is_digit(scan))
        return complain(scan, "expected a digit");
    while (next_is_digit(scan))
        scan->at++;
    return 0;
}

/* Fraction and exponent, both optional; *ret_present is true when there was at least one. */
static int scan_number_tail(struct scan *scan, bool *ret_present)
{
    int rc = 0;

    *ret_present = false;
    if (take(scan, '.')) {
        *ret_present = true;
        rc = scan_digits(scan);
    }
    if (rc == 0 && (take(scan, 'e') || take(scan, 'E'))) {
        *ret_present = true;
        if (!take(scan, '+'))
            take(scan, '-');
        rc = scan_digits(scan);
    }
    return rc;
}

static bool fits_int64(const char *digits, size_t count, bool negative)
{
    int64_t value = 0;

    for (size_t i = 0; i < count; i++) {
        int digit = negative ? -(digits[i] - '0') : digits[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    return true;
}

static int scan_number(struct scan *scan)
{
    size_t number_start = scan->at;
    bool negative = take(scan, '-');
    size_t digits_start = scan->at;
    bool has_tail;

    /* A zero stands alone: 01 is two tokens, and the caller trips over the second. */
    int rc = take(scan, '0') ? 0 : scan_digits(scan);
    size_t digit_count = scan->at - digits_start;
    if (rc == 0)
        rc = scan_number_tail(scan, &has_tail);
    if (rc != 0)
        return rc;
    if (!has_tail && !fits_int64(scan->text + digits_start, digit_count, negative))
        return complain_at(scan, number_start, "integer out of range");
    return 0;
}

static int scan_four_hex_digits(struct scan *scan, uint32_t *ret_unit)
{
    uint8_t bytes[2];
    char digits[5] = "";

    if (scan->length - scan->at < 4)
        return complain(scan, "expected four hex digits");
    memcpy(digits, scan->text + scan->at, 4);
    if (!hex_decode(digits, bytes, sizeof(bytes)))
        return complain(scan, "expected four hex digits");
    scan->at += 4;
    *ret_unit = (uint32_t)bytes[0] << 8 | bytes[1];
    return 0;
}

/* What follows "\u": one UTF-16 unit, or two that form a surrogate pair. */
static int scan_unicode_escape(struct scan *scan, uint32_t *ret_code_point)
{
    size_t start = scan->at;
    uint32_t first = 0;
    uint32_t second = 0;

    int rc = scan_four_hex_digits(scan, &first);
    if (rc != 0)
        return rc;
    if (first == 0)
        return complain_at(scan, start, "\\u0000 is refused");
    if (first < 0xD800 || first > 0xDFFF) {
        *ret_code_point = first;
        return 0;
    }

    bool pair_follows = first < 0xDC00 && take(scan, '\\') && take(scan, 'u');
    if (!pair_follows)
        return complain_at(scan, start, "lone surrogate");
    rc = scan_four_hex_digits(scan, &second);
    if (rc != 0)
        return rc;
    if (second < 0xDC00 || second > 0xDFFF)
        return complain_at(scan, start, "lone surrogate");
    *ret_code_point = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    return 0;
}

/* What follows a backslash. */
static int scan_escape(struct scan *scan, uint32_t *ret_code_point)
{
    static const struct {
        char letter;
        char meaning;
    } escapes[] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
                   {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};

    if (take(scan, 'u'))
        return scan_unicode_escape(scan, ret_code_point);
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        if (take(scan, escapes[i].letter)) {
            *ret_code_point = (uint32_t)escapes[i].meaning;
            return 0;
        }
    }
    return complain(scan, "unknown escape");
}

/* One character of a string, escaped or not. */
static int scan_character(struct scan *scan, uint32_t *ret_code_point)
{
    if (take(scan, '\\'))
        return scan_escape(scan, ret_code_point);
    if (peek(scan) >= 0 && peek(scan) < 0x20)
        return complain(scan, "control character in a string");

    size_t count = utf8_character(scan->text + scan->at, scan->length - scan->at, ret_code_point);
    if (count == 0)
        return complain(scan, "invalid UTF-8");
    scan->at += count;
    return 0;
}

/* A string whose decoded content is appended to `decoded` unless that is NULL. */
static int scan_string(struct scan *scan, struct buf *decoded, size_t *ret_decoded_length)
{
    if (!take(scan, '"'))
        return complain(scan, "expected a string in double quotes");

    *ret_decoded_length = 0;
    while (!take(scan, '"')) {
        uint32_t code_point = 0;
        char utf8[4];

        if (peek(scan) < 0)
            return complain(scan, "unterminated string");
        int rc = scan_character(scan, &code_point);
        if (rc != 0)
            return rc;
        size_t count = utf8_encode(code_point, utf8);
        if (decoded && buf_append(decoded, utf8, count) != 0)
            return out_of_memory(scan);
        *ret_decoded_length += count;
    }
    return 0;
}

static int scan_literal(struct scan *scan)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        size_t length = strlen(literals[i]);
        if (scan->length - scan->at >= length &&
            memcmp(scan->text + scan->at, literals[i], length) == 0) {
            scan->at += length;
            scan->census.nulls += literals[i][0] == 'n';
            return 0;
        }
    }
    return complain(scan, "expected a value");
}

static int scan_value(struct scan *scan);

/* What stands between the brackets of a list or an object, with commas between. */
static int scan_items(struct scan *scan, int (*scan_item)(struct scan *), char close,
                      const char *expected)
{
    skip_blanks(scan);
    if (take(scan, close))
        return 0;
    for (;;) {
        skip_blanks(scan);
        int rc = scan_item(scan);
        if (rc != 0)
            return rc;
        if (take(scan, close))
            return 0;
        if (!take(scan, ','))
            return complain(scan, expected);
    }
}

static int scan_array(struct scan *scan)
{
    return scan_items(scan, scan_value, ']', "expected ',' or ']'");
}

static int remember_name(struct scan *scan, struct name name)
{
    if (scan->name_count == scan->name_capacity) {
        size_t capacity = scan->name_capacity > 0 ? 2 * scan->name_capacity : 16;
        struct name *names = reallocarray(scan->names, capacity, sizeof(*names));
        if (!names)
            return out_of_memory(scan);
        scan->names = names;
        scan->name_capacity = capacity;
    }
    scan->names[scan->name_count++] = name;
    return 0;
}

/* All names that cannot be decoded become one name, which no reader asks for. */
static int scan_name(struct scan *scan, struct name *name)
{
    int rc = scan_string(scan, &scan->name_bytes, &name->length);

    if (rc == 0 || !scan->mended || rc == -ENOMEM || name->text_offset >= scan->length ||
        scan->text[name->text_offset] != '"' || !skip_string(scan, name->text_offset))
        return rc;
    buf_truncate(&scan->name_bytes, name->start);
    if (buf_append_str(&scan->name_bytes, "\xEF\xBF\xBD") != 0)
        return out_of_memory(scan);
    name->length = scan->name_bytes.length - name->start;
    return mend(scan, name->text_offset, "\"\\ufffd\"");
}

static int scan_member(struct scan *scan)
{
    struct name name = {.start = scan->name_bytes.length, .text_offset = scan->at};
    struct json_census before = scan->census;

    int rc = scan_name(scan, &name);
    if (rc != 0)
        return rc;
    skip_blanks(scan);
    if (!take(scan, ':'))
        return complain(scan, "expected ':'");
    rc = scan_value(scan);
    if (rc != 0)
        return rc;
    name.value.values = scan->census.values - before.values;
    name.value.nulls = scan->census.nulls - before.nulls;
    name.value.string_bytes = scan->census.string_bytes - before.string_bytes;
    return remember_name(scan, name);
}

/* Orders by content, and equal names by where they stand. */
static int compare_names(const void *left, const void *right, void *name_bytes)
{
    const struct name *a = left, *b = right;
    const char *bytes = name_bytes;

    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    int order = a->length > 0 ? memcmp(bytes + a->start, bytes + b->start, a->length) : 0;
    if (order != 0)
        return order;
    return a->text_offset < b->text_offset ? -1 : a->text_offset > b->text_offset;
}

static bool is_same_name(const struct scan *scan, const struct name *a, const struct name *b)
{
    const char *bytes = buf_str(&scan->name_bytes);

    return a->length == b->length && memcmp(bytes + a->start, bytes + b->start, a->length) == 0;
}

static void forget_value(struct json_census *census, const struct json_census *value)
{
    census->values -= value->values;
    census->nulls -= value->nulls;
    census->string_bytes -= value->string_bytes;
}

/* Adds the name once more, with an unusable value: of equal names json-c keeps the last. */
static int add_unusable(struct scan *scan, const struct name *name, size_t brace)
{
    (void)buf_append(scan->mended, scan->text + scan->copied_to, brace - scan->copied_to);
    (void)buf_append_char(scan->mended, ',');
    (void)json_append_string(scan->mended, buf_str(&scan->name_bytes) + name->start, name->length);
    (void)buf_append_str(scan->mended, ":" JSON_UNUSABLE);
    scan->copied_to = brace;
    scan->census.values++;
    return scan->mended->failed != 0 ? out_of_memory(scan) : 0;
}

/* Sorting finds duplicates in n log n steps, whatever names somebody chose to make it slow. */
static int settle_names(struct scan *scan, size_t first_name)
{
    size_t count = scan->name_count - first_name;
    struct name *names;

    if (count < 2)
        return 0; /* `names` may still be NULL */
    names = scan->names + first_name;
    qsort_r(names, count, sizeof(*names), compare_names, scan->name_bytes.data);
    for (size_t i = 1; i < count; i++) {
        int rc = 0;

        if (!is_same_name(scan, &names[i], &names[i - 1]))
            continue;
        if (!scan->mended)
            return complain_at(scan, names[i].text_offset, "member name occurs twice");
        forget_value(&scan->census, &names[i - 1].value);
        if (i + 1 == count || !is_same_name(scan, &names[i], &names[i + 1])) {
            forget_value(&scan->census, &names[i].value);
            rc = add_unusable(scan, &names[i], scan->at - 1);
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int scan_object(struct scan *scan)
{
    size_t first_name = scan->name_count;
    size_t bytes_before = scan->name_bytes.length;

    int rc = scan_items(scan, scan_member, '}', "expected ',' or '}'");
    if (rc == 0)
        rc = settle_names(scan, first_name);
    scan->name_count = first_name;
    buf_truncate(&scan->name_bytes, bytes_before);
    return rc;
}

static int scan_container(struct scan *scan, int (*scan_content)(struct scan *))
{
    if (scan->depth_left == 0)
        return complain(scan, "nested too deep");
    scan->at++;
    scan->depth_left--;
    int rc = scan_content(scan);
    scan->depth_left++;
    return rc;
}

/* The value that starts here, without blanks. */
static int scan_bare_value(struct scan *scan)
{
    size_t string_length = 0;
    int rc;

    switch (peek(scan)) {
    case '{':
        return scan_container(scan, scan_object);
    case '[':
        return scan_container(scan, scan_array);
    case '"':
        rc = scan_string(scan, NULL, &string_length);
        scan->census.string_bytes += rc == 0 ? string_length : 0;
        return rc;
    default:
        rc = peek(scan) == '-' || next_is_digit(scan) ? scan_number(scan) : scan_literal(scan);
        if (rc == 0 && scan->mended && is_word_character(peek(scan)))
            rc = complain(scan, "expected the end of the value");
        return rc;
    }
}

/* Skips the unusable value that starts at `start`. Returns false when its end cannot be found. */
static bool skip_unusable(struct scan *scan, size_t start)
{
    switch (start < scan->length ? scan->text[start] : '\0') {
    case '{':
    case '[':
        /* Mistakes inside a container were mended there, unless its depth kept the scan from
         * entering it. */
        return scan->depth_left == 0 && skip_container(scan, start);
    case '"':
        return skip_string(scan, start);
    default:
        return skip_word(scan, start);
    }
}

/* One value and the blanks on both sides of it. */
static int scan_value(struct scan *scan)
{
    struct json_census before;
    size_t start;
    int rc;

    skip_blanks(scan);
    start = scan->at;
    scan->census.values++;
    before = scan->census;
    rc = scan_bare_value(scan);
    if (rc == -EBADMSG && scan->mended) {
        size_t stopped_at = scan->at;

        if (skip_unusable(scan, start)) {
            scan->census = before;
            rc = mend(scan, start, JSON_UNUSABLE);
        } else {
            scan->at = stopped_at;
        }
    }
    skip_blanks(scan);
    return rc;
}

static int scan_text(struct scan *scan, struct json_census *ret_census)
{
    /* A decoded name is never longer than its text; U+FFFD may be. */
    buf_init(&scan->name_bytes, 2 * scan->length + 8);
    int rc = scan_value(scan);
    if (rc == 0 && scan->at < scan->length)
        rc = complain(scan, "expected the end");
    buf_done(&scan->name_bytes);
    free(scan->names);
    *ret_census = scan->census;
    return rc;
}

int json_scan(const char *text, size_t length, int depth_max, struct json_census *ret_census,
              struct err *err)
{
    struct scan scan = {.text = text, .length = length, .depth_left = depth_max, .err = err};

    return scan_text(&scan, ret_census);
}

int json_scan_mending(const char *text, size_t length, int depth_max, struct buf *mended,
                      struct json_census *ret_census, struct err *err)
{
    struct scan scan = {
        .text = text, .length = length, .depth_left = depth_max, .err = err, .mended = mended};
    int rc = scan_text(&scan, ret_census);

    if (rc == 0 && buf_append(mended, text + scan.copied_to, length - scan.copied_to) != 0)
        rc = out_of_memory(&scan);
    if (rc == 0)
        err_clear(err);
    return rc;
}
