/*
 * Error bodies of Azure's services and of what stands before them: whatever is made of them can be
 * shown, and what is no error leaves nothing behind.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/cloud_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cloud_error error;

    memset(&error, 'x', sizeof(error));
    if (!cloud_error_parse(&error, (const char *)data, size)) {
        MUST(error.count == 0);
        MUST(cloud_error_code(&error)[0] == '\0' && cloud_error_message(&error)[0] == '\0');
        MUST(!cloud_error_find(&error, "AuthorizationFailed"));
        return 0;
    }
    MUST(error.count >= 1 && error.count <= CLOUD_ERROR_ITEMS_MAX);
    for (size_t i = 0; i < error.count; i++) {
        const struct cloud_error_item *item = &error.items[i];

        MUST(memchr(item->code, '\0', sizeof(item->code)));
        MUST(memchr(item->target, '\0', sizeof(item->target)));
        MUST(memchr(item->message, '\0', sizeof(item->message)));
        MUST(item->code[0] == '\0' || cloud_error_find(&error, item->code));
    }
    return 0;
}
