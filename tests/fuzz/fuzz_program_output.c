/*
 * What a program wrote: whatever it is, one line that can be shown comes of it, and no part of the
 * key.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/program_output.h"

#define KEY                                                                                        \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="

enum { OUT_MIN = 16, OUT_MAX = 2048 };

static void check(const char *text, size_t size)
{
    MUST(strlen(text) < size);
    MUST(fuzz_is_presentable(text));
    for (size_t i = 0; i + PROGRAM_OUTPUT_RUN_MIN <= strlen(KEY); i++)
        MUST(!memmem(text, strlen(text), KEY + i, PROGRAM_OUTPUT_RUN_MIN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {(const char *)data, size};
    const size_t room = OUT_MIN + fuzz_take_number(&input, 2) % (OUT_MAX - OUT_MIN);
    struct secret *key = secret_new(KEY, strlen(KEY));
    char *out = malloc(room);
    size_t length;
    char *bytes = fuzz_take_rest(&input, &length);

    MUST(key && out);
    check(program_output_text(bytes, length, key, out, room), room);
    check(program_output_last_line(bytes, length, key, out, room), room);
    free(bytes);
    free(out);
    secret_free(key);
    return 0;
}
