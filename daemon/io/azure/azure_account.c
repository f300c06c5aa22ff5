/* What is known of one account at Azure. */
#include <stdlib.h>

#include "base/must.h"
#include "io/azure/azure.h"
#include "proto/two_key/two_key.h"

void azure_account_done(struct azure_account *account)
{
    azure_account_forget_keys(account);
    free(account->endpoint);
    free(account->location);
    account->endpoint = NULL;
    account->location = NULL;
}

void azure_account_recall(struct azure_account *account, const char *endpoint, const char *location)
{
    if (!account->endpoint && two_key_endpoint_ok(endpoint))
        account->endpoint = must_dup(endpoint);
    if (!account->location && location[0] != '\0')
        account->location = must_dup(location);
}

void azure_account_forget_keys(struct azure_account *account)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        secret_clear(&account->keys[slot]);
        free(account->key_ids[slot]);
        account->key_ids[slot] = NULL;
    }
}
