#include "io/azure/arm_limits.h"

#include <string.h>

#include "proto/arm.h"

/* Where Resource Manager refuses, no provider was asked: that one's lane stays as it is. */
void arm_limits_heed(struct admission_request *request, const struct http_reply *reply, bool write,
                     time_ms now)
{
    const enum arm_limit limit = arm_reply_limit(reply, write);
    const duration_ms pause = http_reply_retry_after(reply, now);

    if (reply->outcome != HTTP_ANSWERED)
        return;
    if (limit == ARM_LIMIT_OF_SUBSCRIPTION) {
        admission_server_refused(request, ADMISSION_OF_MANAGER, pause);
        return;
    }
    admission_server_remaining(request, ADMISSION_OF_MANAGER, arm_reply_remaining(reply, write));
    if (limit == ARM_LIMIT_OF_PROVIDER)
        admission_server_refused(request, ADMISSION_OF_PROVIDER, pause);
    else
        admission_server_remaining(request, ADMISSION_OF_PROVIDER,
                                   arm_reply_provider_remaining(reply));
}

const char *arm_limits_provider(const char *path)
{
    static const char providers[] = "/providers/";
    const char *at = path ? strcasestr(path, providers) : NULL;

    return at ? at + sizeof(providers) - 1 : NULL;
}
