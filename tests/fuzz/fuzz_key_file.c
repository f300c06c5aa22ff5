/*
 * Keys in files. In any bytes: what is found is a key, and what was blotted out is found no more.
 * In our own three forms (written of names that the input gives), and in every template without a
 * problem: the key is found again, its cycle in the JSON form too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "fuzz.h"
#include "proto/key_file.h"
#include "proto/key_text.h"
#include "proto/template.h"

static int is_it(void *context, const char *text, size_t length)
{
    const struct secret *wanted = context;

    return secret_length(wanted) == length && memcmp(secret_bytes(wanted), text, length) == 0;
}

static void find_any(const char *bytes, size_t length)
{
    struct key_text found;
    uint8_t decoded[KEY_TEXT_MAX];
    size_t count;

    MUST(key_text_find(&found, &key_shape_base64, bytes, length) == 0);
    MUST(found.key_count <= SIGHTING_KEYS_MAX);
    for (size_t i = 0; i < found.key_count; i++) {
        MUST(key_text_decode(found.keys[i], decoded, sizeof(decoded), &count) == 0);
        MUST(count >= key_shape_base64.shortest);
        MUST(key_text_each(&key_shape_base64, bytes, length, is_it, found.keys[i]) == 1);
        for (size_t j = 0; j < i; j++)
            MUST(!secret_equal(found.keys[i], found.keys[j]));
    }
    key_text_done(&found);
}

static void blot_out(char *text)
{
    struct key_text found;
    const size_t length = strlen(text);

    key_text_redact(text);
    MUST(strlen(text) <= length);
    MUST(key_text_find(&found, &key_shape_base64, text, strlen(text)) == 0);
    MUST(found.key_count == 0);
    key_text_done(&found);
}

/* The key that was written is among those that are found, unless names crowd it out. */
static void find_written(const struct buf *out, const struct key_file *file, bool has_cycle)
{
    struct key_text found;
    bool seen = false;

    MUST(key_text_find(&found, &key_shape_base64, buf_str(out), out->length) == 0);
    for (size_t i = 0; i < found.key_count; i++)
        seen = seen || secret_equal(found.keys[i], file->key);
    MUST(seen || found.key_count == SIGHTING_KEYS_MAX);
    MUST(!has_cycle || found.cycle == file->cycle);
    key_text_done(&found);
}

static void write_template(const char *text, const struct key_file *file)
{
    const struct two_key_resource *type = two_key_resource_at(0);
    char problem[TEMPLATE_PROBLEM_MAX];
    struct buf out;

    if (template_problem(text, type, problem, sizeof(problem))) {
        MUST(strlen(problem) < sizeof(problem) - 1);
        return;
    }
    (void)template_needs_endpoint(text, type);
    buf_init(&out, KEY_FILE_MAX);
    if (template_expand(text, type, file, &out) == 0 && template_holds_key(text))
        find_written(&out, file, false);
    MUST(out.failed == 0 || out.failed == -EMSGSIZE);
    buf_done(&out);
}

static void write_forms(struct fuzz_input *input)
{
    static int (*const forms[])(const struct key_file *,
                                struct buf *) = {key_file_raw, key_file_env, key_file_json};
    const uint64_t cycle = fuzz_take_number(input, 7);
    uint8_t bytes[64]; /* the usual size */
    struct secret *key;
    char *text, *account, *endpoint, *id, *template;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)fuzz_take_number(input, 1);
    text = base64_encode(bytes, sizeof(bytes));
    key = secret_new(text, strlen(text));
    account = fuzz_take_line(input);
    endpoint = fuzz_take_line(input);
    id = fuzz_take_line(input);
    template = fuzz_take_line(input);
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
        const struct key_file file = {.account = account,
                                      .resource_id = id,
                                      .account_endpoint = endpoint,
                                      .slot = SLOT_SECONDARY,
                                      .key = key,
                                      .cycle = cycle,
                                      .delivered_at = INT64_C(1795867200000)};
        struct buf out;

        buf_init(&out, KEY_FILE_MAX);
        if (forms[form](&file, &out) == 0)
            find_written(&out, &file, forms[form] == key_file_json);
        buf_done(&out);
        write_template(template, &file);
    }
    secret_free(key);
    free(text);
    free(account);
    free(endpoint);
    free(id);
    free(template);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    struct fuzz_input again = input;
    size_t length;
    char *text;

    find_any((const char *)data, size);
    write_forms(&input);
    text = fuzz_take_rest(&again, &length);
    blot_out(text);
    free(text);
    return 0;
}
