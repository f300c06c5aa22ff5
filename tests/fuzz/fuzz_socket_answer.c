/*
 * The answer of a program behind a socket: a key counts as delivered for one answer alone, and what
 * is made of all others can be shown.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/socket_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {(const char *)data, size};
    struct failure failure;
    size_t length;
    char *text = fuzz_take_rest(&input, &length);
    int rc;

    memset(&failure, 'x', sizeof(failure));
    rc = socket_answer_read(text, length, "/run/hook", &failure);
    if (rc == 0) {
        /* One line, which may end, with the word in it. */
        MUST(memmem(text, length, "result", 6) || memchr(text, '\\', length));
        MUST(!memchr(text, '\n', length) ||
             (const char *)memchr(text, '\n', length) == text + length - 1);
    } else {
        MUST(failure.reason == REASON_TARGET_FAILED || failure.reason == REASON_NOT_YET);
        MUST(failure.reason == REASON_TARGET_FAILED || !failure.outcome_unknown);
        MUST(failure.text[0] != '\0' && fuzz_is_presentable(failure.text));
        MUST(fuzz_is_presentable(failure.remedy));
    }
    free(text);
    return 0;
}
