/*
 * base/json.h: what is read is read the same when it is written and read again; what is written by
 * json_append_string() is read back as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/json.h"
#include "fuzz.h"

static void read_twice(const char *text, size_t length)
{
    struct err err = {.code = 0};
    struct json_object *value = json_parse(text, length, &err);
    struct json_object *again;
    const char *written;
    size_t written_length;

    if (!value) {
        MUST(err.code < 0 && err.text[0] != '\0' && fuzz_is_presentable(err.text));
        return;
    }
    written = json_object_to_json_string_length(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &written_length);
    again = json_parse(written, written_length, &err);
    MUST(again);
    MUST(json_object_equal(value, again));
    json_free_wiped(again);
    json_free_wiped(value);
}

/* Of a foreign text, what is understood by the book is understood the same. */
static void read_foreign(const char *text, size_t length)
{
    struct err err = {.code = 0};
    struct json_object *strict = json_parse(text, length, &err);
    struct json_object *foreign = json_parse_foreign(text, length, &err);

    MUST(!strict || foreign);
    MUST(!strict || json_object_equal(strict, foreign));
    MUST(foreign || (err.code < 0 && err.code != -ENOMEM && err.text[0] != '\0'));
    json_free_wiped(foreign);
    json_free_wiped(strict);
}

/* The input as a string of a document. */
static void write_and_read(const char *text, size_t length)
{
    struct err err = {.code = 0};
    struct json_object *document;
    const char *member;
    struct buf out;

    buf_init(&out, 16 * length + 64);
    buf_append_str(&out, "{\"text\":");
    MUST(json_append_string(&out, text, length) == 0);
    buf_append_char(&out, '}');
    MUST(fuzz_is_presentable(buf_str(&out)));
    if (!memchr(text, '\0', length)) {
        document = json_parse(buf_str(&out), out.length, &err);
        MUST(document);
        member = json_string(document, "text");
        MUST(member);
        MUST(!utf8_valid(text, length) ||
             (strlen(member) == length && !memcmp(member, text, length)));
        json_object_put(document);
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    size_t length;
    char *text;

    read_twice((const char *)data, size);
    read_foreign((const char *)data, size);
    text = fuzz_take_rest(&input, &length);
    write_and_read(text, length);
    free(text);
    return 0;
}
