/*
 * What every fuzzer needs: pieces of the input, promises that abort where they are broken, and
 * replies made of text.
 *
 * A fuzzer is one file with LLVMFuzzerTestOneInput(). `make fuzz` links it with libFuzzer;
 * everywhere else replay.c takes its place and feeds it the seeds, as one more unit test.
 */
#ifndef KEYROTATED_TESTS_FUZZ_H
#define KEYROTATED_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/http_message.h"

/* The entry that libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with the place and the words of a promise that was broken. */
#define MUST(promise)                                                                              \
    do {                                                                                           \
        if (!(promise))                                                                            \
            fuzz_broken(__FILE__, __LINE__, #promise);                                             \
    } while (0)
void fuzz_broken(const char *file, int line, const char *promise) __attribute__((noreturn));

/* The part of an input that has not been taken yet. */
struct fuzz_input {
    const char *at;
    size_t left;
};

/* All return fresh memory of exactly the size that they need, so that reading past the end shows:
 * the next line without its end, and all that is left. A NUL follows, and is not counted. */
char *fuzz_take_line(struct fuzz_input *input);
char *fuzz_take_rest(struct fuzz_input *input, size_t *ret_length);

/* The next bytes as a number; 0 where there are none left. */
uint64_t fuzz_take_number(struct fuzz_input *input, size_t bytes);

/* A reply from lines "STATUS", "Name: value"…, an empty line, and the body. */
void fuzz_reply_init(struct http_reply *reply, const uint8_t *data, size_t size);

/* Can this be shown to a person: UTF-8 without control characters? */
bool fuzz_is_presentable(const char *text);

/* A file in a directory of its own, which is removed at the end; written anew at each call. */
const char *fuzz_file(const void *content, size_t length);

#endif
