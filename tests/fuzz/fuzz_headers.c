/*
 * Headers of a reply: a value is trimmed, fits and holds no line end, and no server makes us wait
 * for more than a day.
 */
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"Date", "Retry-After", "Location", "x-ms-request-id", "A"};
    static const size_t sizes[] = {1, 8, 64, 1024};
    const time_ms now = INT64_C(1795867200000);
    struct http_reply reply;
    char value[1024];

    fuzz_reply_init(&reply, data, size);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
            memset(value, '!', sizeof(value));
            if (!http_reply_header(&reply, names[i], value, sizes[j]))
                continue;
            MUST(memchr(value, '\0', sizes[j]));
            MUST(!strpbrk(value, "\n") && value[0] != ' ' && value[0] != '\t');
            MUST(value[0] == '\0' || !strchr(" \t", value[strlen(value) - 1]));
        }
    }
    MUST(http_reply_retry_after(&reply, now) >= 0);
    MUST(http_reply_retry_after(&reply, now) <= MS_DAY);
    (void)http_reply_date(&reply);
    http_reply_done(&reply);
    return 0;
}
