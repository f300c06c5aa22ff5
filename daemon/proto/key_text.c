#include "proto/key_text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

const struct key_shape key_shape_base64 = {
    .noun = "a key in base64",
    .marks = "+/",
    .padded = true,
    .base64 = true,
    .usual = 64,
    .shortest = 32,
};

const struct key_shape key_shape_alphanumeric = {
    .noun = "a key of letters and digits",
    .marks = "",
    .letters = KEY_CASE_ANY,
    .shortest = 32,
};

const struct key_shape key_shape_text = {
    .noun = "a key of letters, digits, '+', '/' and '='",
    .marks = "+/",
    .padded = true,
    .letters = KEY_CASE_ANY,
    .shortest = 32,
};

const struct key_shape key_shape_runtime = {
    .noun = "a key that begins with IR@",
    .marks = "@-._+/=",
    .begins = "IR@",
    .letters = KEY_CASE_ANY,
    .shortest = 32,
};

const struct key_shape key_shape_secret = {
    .noun = "a secret of letters, digits, '-', '_' and '.'",
    .marks = "-_.",
    .letters = KEY_CASE_BOTH,
    .shortest = 40,
};

enum {
    PATH_SEGMENT_MIN = 32, /* between two slashes of random base64 lie 64 characters on average */
    SHORT_SEGMENT_MIN = 12,
    REDACT_MIN = 40
};

/* A run of base64 characters as it stands in the bytes, and unescaped. */
struct run {
    const char *start;
    const char *end;
    char text[KEY_TEXT_MAX + 1];
    size_t length;
    bool too_long;
};

static bool is_of_key(char c, const struct key_shape *shape)
{
    return char_is_alphanumeric(c) || (c != '\0' && strchr(shape->marks, c));
}

/* Reads one character, JSON's escapes included. Returns how many bytes it takes. */
static size_t unescape(const char *at, const char *end, char *ret_character)
{
    static const char hex[] = "\\u00";
    static const struct {
        char digits[3];
        char character;
    } escapes[] = {{"2b", '+'}, {"2f", '/'}, {"3d", '='}};

    *ret_character = *at;
    if (end - at >= 2 && at[0] == '\\' && at[1] == '/') {
        *ret_character = '/';
        return 2;
    }
    if (end - at >= 6 && memcmp(at, hex, sizeof(hex) - 1) == 0) {
        for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
            if (at[4] == escapes[i].digits[0] &&
                tolower((unsigned char)at[5]) == escapes[i].digits[1]) {
                *ret_character = escapes[i].character;
                return 6;
            }
        }
    }
    return 1;
}

static bool begins_here(const struct key_shape *shape, const char *at, const char *end)
{
    const size_t length = shape->begins ? strlen(shape->begins) : 0;

    return length == 0 || ((size_t)(end - at) >= length && memcmp(at, shape->begins, length) == 0);
}

static void run_add(struct run *run, char c)
{
    if (run->length < KEY_TEXT_MAX)
        run->text[run->length++] = c;
    else
        run->too_long = true;
}

/* Moves on to the next run. False: there is none. */
static bool next_run(struct run *run, const struct key_shape *shape, const char *at,
                     const char *end)
{
    char c;
    size_t taken, padding = 0;

    while (at < end) {
        taken = unescape(at, end, &c);
        if (is_of_key(c, shape) && begins_here(shape, at, end))
            break;
        at += taken;
    }
    if (at >= end)
        return false;
    run->start = at;
    run->length = 0;
    run->too_long = false;
    while (at < end) {
        taken = unescape(at, end, &c);
        if (!is_of_key(c, shape))
            break;
        run_add(run, c);
        at += taken;
    }
    while (shape->padded && at < end && padding < 2) {
        taken = unescape(at, end, &c);
        if (c != '=')
            break;
        run_add(run, c);
        at += taken;
        padding++;
    }
    run->text[run->length] = '\0';
    run->end = at;
    return true;
}

/* File names and resource ids are base64 characters too, but with a slash every few of them. */
static bool looks_random(const struct key_shape *shape, const char *text, size_t length)
{
    size_t segment = 0, longest = 0;
    bool digit = false, upper = false, lower = false;

    for (size_t i = 0; i < length; i++) {
        segment = text[i] == '/' ? 0 : segment + 1;
        longest = segment > longest ? segment : longest;
        digit = digit || (text[i] >= '0' && text[i] <= '9');
        upper = upper || (text[i] >= 'A' && text[i] <= 'Z');
        lower = lower || (text[i] >= 'a' && text[i] <= 'z');
    }
    switch (shape->letters) {
    case KEY_CASE_ONE:
        return longest >= PATH_SEGMENT_MIN && digit && upper != lower;
    case KEY_CASE_ANY: /* one key in ten thousand has no digit */
        return longest >= SHORT_SEGMENT_MIN && digit + upper + lower >= 2;
    default:
        return longest >= PATH_SEGMENT_MIN && digit && upper && lower;
    }
}

static bool is_padded(const struct run *run)
{
    return run->length > 0 && run->text[run->length - 1] == '=';
}

/* The size by which the shape goes, or a negative number where it is not of that shape. */
static long size_of(const struct key_shape *shape, const char *text, size_t length)
{
    uint8_t bytes[KEY_TEXT_MAX];
    long size;

    if (!shape->base64)
        return (long)length;
    size = base64_decode(text, length, bytes, sizeof(bytes));
    wipe(bytes, sizeof(bytes));
    return size;
}

static bool is_key(const struct run *run, const struct key_shape *shape, bool usual_size_only)
{
    long size = run->too_long ? -1 : size_of(shape, run->text, run->length);

    if (size < 0 || (!is_padded(run) && !looks_random(shape, run->text, run->length)))
        return false;
    return usual_size_only ? size == (long)shape->usual : size >= (long)shape->shortest;
}

static int remember(struct key_text *found, const struct run *run)
{
    struct secret *key = secret_new(run->text, run->length);

    if (!key)
        return -ENOMEM;
    for (size_t i = 0; i < found->key_count; i++) {
        if (secret_equal(found->keys[i], key)) {
            secret_free(key);
            return 0;
        }
    }
    found->keys[found->key_count++] = key;
    return 0;
}

static int find_keys(struct key_text *found, const struct key_shape *shape, const char *bytes,
                     size_t length, bool usual_size_only)
{
    const char *end = bytes + length;
    struct run run;
    int rc = 0;

    for (const char *at = bytes; rc == 0 && found->key_count < SIGHTING_KEYS_MAX; at = run.end) {
        if (!next_run(&run, shape, at, end))
            break;
        if (is_key(&run, shape, usual_size_only))
            rc = remember(found, &run);
    }
    wipe(&run, sizeof(run));
    return rc;
}

static int find_cycle(struct key_text *found, const char *bytes, size_t length)
{
    struct err err = {.code = 0};
    struct json_object *form;
    int64_t cycle = 0;

    if (length == 0 || bytes[0] != '{')
        return 0;
    form = json_parse(bytes, length, &err);
    if (!form)
        return err.code == -ENOMEM ? -ENOMEM : 0;
    if (!json_string(form, "key") || !json_int64(form, "cycle", &cycle) || cycle < 0)
        cycle = 0;
    json_free_wiped(form);
    found->cycle = (uint64_t)cycle;
    return 0;
}

int key_text_find(struct key_text *found, const struct key_shape *shape, const char *bytes,
                  size_t length)
{
    int rc;

    *found = (struct key_text){.key_count = 0};
    if (length == 0)
        return 0;
    rc = find_keys(found, shape, bytes, length, true);
    if (rc == 0 && found->key_count == 0)
        rc = find_keys(found, shape, bytes, length, false);
    if (rc == 0)
        rc = find_cycle(found, bytes, length);
    if (rc < 0)
        key_text_done(found);
    return rc;
}

void key_text_done(struct key_text *found)
{
    for (size_t i = 0; i < found->key_count; i++)
        secret_clear(&found->keys[i]);
    found->key_count = 0;
    found->cycle = 0;
}

int key_text_each(const struct key_shape *shape, const char *bytes, size_t length,
                  key_text_found *found, void *context)
{
    const char *end = bytes + length;
    struct run run = {.end = NULL};
    int rc = 0;

    for (const char *at = bytes; rc == 0 && next_run(&run, shape, at, end); at = run.end)
        if (is_key(&run, shape, false))
            rc = found(context, run.text, run.length);
    wipe(&run, sizeof(run));
    return rc;
}

void key_text_redact(char *text)
{
    const struct key_shape *shape = &key_shape_base64; /* most tokens and signatures, too */
    const char *end = text + strlen(text);
    struct run run;

    for (const char *at = text; next_run(&run, shape, at, end); at = run.end) {
        if (run.length >= REDACT_MIN &&
            (run.too_long || is_padded(&run) || looks_random(shape, run.text, run.length)))
            memset(text + (run.start - text), '*', (size_t)(run.end - run.start));
    }
    wipe(&run, sizeof(run));
}

bool key_text_fits(const struct secret *key, const struct key_shape *shape)
{
    const char *text = secret_bytes(key);
    size_t length = secret_length(key);

    if (shape->base64)
        return length < KEY_TEXT_MAX && size_of(shape, text, length) > 0;
    for (size_t i = 0; i < 2 && shape->padded && length > 1 && text[length - 1] == '='; i++)
        length--;
    for (size_t i = 0; i < length; i++) {
        if (!is_of_key(text[i], shape))
            return false;
    }
    if (!begins_here(shape, text, text + length))
        return false;
    return length >= shape->shortest && length < KEY_TEXT_MAX;
}

int key_text_decode(const struct secret *key, uint8_t *out, size_t size, size_t *ret_length)
{
    long count = base64_decode(secret_bytes(key), secret_length(key), out, size);

    if (count <= 0)
        return -EINVAL;
    *ret_length = (size_t)count;
    return 0;
}
