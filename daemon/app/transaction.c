#include "app/transaction.h"

#include <stdlib.h>

#include "base/must.h"

struct transaction *transaction_new(enum event_kind kind)
{
    struct transaction *transaction = must_alloc(sizeof(*transaction));

    list_init(&transaction->link);
    transaction->event.kind = kind;
    return transaction;
}

struct transaction *transaction_new_completion(enum event_kind kind)
{
    struct transaction *transaction = transaction_new(kind);

    transaction->result = must_alloc(sizeof(*transaction->result));
    return transaction;
}

void transaction_free(struct transaction *transaction)
{
    if (!transaction)
        return;
    free(transaction->hold);
    free(transaction->operation_url);
    free(transaction->result);
    free(transaction->effects);
    free(transaction);
}

void transaction_fail(struct transaction *transaction, const struct failure *failure)
{
    transaction->result->failure = *failure;
    transaction->event.failure = &transaction->result->failure;
}
