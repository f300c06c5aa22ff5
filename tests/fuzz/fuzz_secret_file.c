/*
 * The file of a secret: one that can be sent (RFC 6749, A.2), or words that can be shown and
 * do not repeat what stands there.
 */
#include <string.h>

#include "fuzz.h"
#include "io/access/secret_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct secret_file file = {
        .key = "secret_file", .path = fuzz_file(data, size), .reason = REASON_TOKEN_FAILED};
    struct failure failure;
    struct secret *secret = secret_file_read(&file, NULL, &failure);

    if (!secret) {
        MUST(failure.reason > REASON_NONE && failure.reason < REASON_COUNT);
        MUST(failure.text[0] != '\0' && fuzz_is_presentable(failure.text));
        MUST(fuzz_is_presentable(failure.remedy));
        return 0;
    }
    MUST(secret_length(secret) > 0 && secret_length(secret) <= size);
    MUST(memcmp(secret_bytes(secret), data, secret_length(secret)) == 0);
    MUST(!strpbrk(secret_bytes(secret), "\r\n"));
    MUST(strlen(secret_bytes(secret)) == secret_length(secret));
    for (size_t i = secret_length(secret); i < size; i++)
        MUST(data[i] == '\r' || data[i] == '\n'); /* nothing of what stands there is left out */
    secret_free(secret);
    return 0;
}
