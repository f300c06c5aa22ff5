/*
 * Ids of resources and of their pairs of keys, in place of proto/two_key/table.c: there is one
 * type, which has two pairs.
 */
#include <string.h>

#include "base/str.h"
#include "listing.h"

static const struct two_key_resource second_pair = {
    .type = "Microsoft.Batch/batchAccounts",
    .noun = "an account",
    TWO_KEY_PAIR("second"),
    .api_version = "2024-02-01",
    .read_action = "Microsoft.Batch/batchAccounts/read",
};

const struct two_key_resource *two_key_resource_find(const char *id)
{
    return id[two_key_resource_length(id)] == TWO_KEY_PAIR_MARK ? &second_pair : &listing_type;
}

const struct two_key_resource *two_key_pair_at(const struct two_key_resource *type, size_t index)
{
    (void)type;
    return index == 0 ? &listing_type : index == 1 ? &second_pair : NULL;
}

size_t two_key_resource_length(const char *account_id)
{
    return strcspn(account_id, (const char[]){TWO_KEY_PAIR_MARK, '\0'});
}

const char *two_key_resource_name(const char *id, char *out, size_t size)
{
    (void)str_copy(out, size, strrchr(id, '/') ? strrchr(id, '/') + 1 : "");
    return out;
}
