/*
 * The pauses that Azure has asked for, of a subscription or of one provider in it.
 */
#include <stdio.h>
#include <string.h>

#include "io/azure/arm_limits.h"
#include "io/azure/azure_call.h"

bool azure_is_throttled(struct azure *azure, const struct azure_account *account,
                        struct azure_pause *ret_pause)
{
    const char *provider = arm_limits_provider(account->account->id);
    enum admission_scope scope;
    const bool closed =
        admission_is_closed(azure->access->admission, account->account->subscription_id,
                            account->account->identity->name, provider, &ret_pause->wait, &scope);

    ret_pause->provider[0] = '\0';
    if (closed && provider && scope == ADMISSION_OF_PROVIDER)
        (void)snprintf(ret_pause->provider, sizeof(ret_pause->provider), "%.*s",
                       (int)strcspn(provider, "/"), provider);
    return closed;
}

bool azure_call_is_throttled(const struct azure_call *call, duration_ms *ret_wait)
{
    return admission_waits_for_server(&call->admission_request, ret_wait);
}
