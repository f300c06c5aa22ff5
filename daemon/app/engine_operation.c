#include "app/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

void engine_operation_take(struct engine_account *account, const struct azure_result *result)
{
    struct transaction *transaction = account->acting;
    const char *url = result->operation_url;

    transaction->event.under_way = true;
    transaction->event.poll_after = result->poll_after;
    if (url && strlen(url) < OPERATION_URL_MAX) {
        transaction->operation_url = must_dup(url);
        transaction->event.operation =
            store_fingerprint(account->engine->parts.store, url, strlen(url));
    }
    if (!result->description)
        return;
    transaction->result->undescribed = *result->description;
    transaction->event.undescribed = &transaction->result->undescribed;
}

void engine_operation_follow(struct engine_account *account, const struct record *before,
                             struct transaction *transaction)
{
    const struct fingerprint *operation = &account->record.intent.operation;

    if (fingerprint_equal(&before->intent.operation, operation))
        return;
    free(account->operation_url);
    account->operation_url = NULL;
    if (!fingerprint_is_none(operation)) {
        account->operation_url = transaction->operation_url;
        transaction->operation_url = NULL;
    }
    store_save_operation(account->engine->parts.store, account->key, account->operation_url);
}
