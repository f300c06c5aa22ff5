#include "app/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* --- at start --- */

/* An account whose URL no record names. */
struct orphan {
    struct list link;
    char *account_key;
};

struct loading {
    struct engine *engine;
    struct list orphans;
};

static void on_loaded(void *context, const char *account_key, const char *url)
{
    struct loading *loading = context;
    struct orphan *orphan;

    if (engine_unconfigured_operation(loading->engine, account_key, url))
        return;
    orphan = must_alloc(sizeof(*orphan));
    orphan->account_key = must_dup(account_key);
    list_append(&loading->orphans, &orphan->link);
}

/* A URL is saved before the record that names it: where the process ends between the two, or the
 * record was restored, nothing would ever ask there, and nothing would delete the URL. */
int engine_operations_load(struct engine *engine, struct err *err)
{
    struct store *store = engine->parts.store;
    struct loading loading = {.engine = engine};
    struct list *link;
    int rc;

    list_init(&loading.orphans);
    rc = store_load_operations(store, on_loaded, &loading, err);
    while ((link = list_pop(&loading.orphans))) {
        struct orphan *orphan = container_of(link, struct orphan, link);

        if (rc == 0)
            store_save_operation(store, orphan->account_key, NULL);
        free(orphan->account_key);
        free(orphan);
    }
    return rc;
}

/* --- under way --- */

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
