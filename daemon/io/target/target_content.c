#include "io/target/target_content.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

struct key_file target_content_copy(const struct delivery *delivery)
{
    const char *id = delivery->account->id;
    const struct two_key_resource *type = two_key_resource_find(id);

    return (struct key_file){
        .account = must_dup(delivery->account->name),
        .resource_id = must(str_dup_n(id, two_key_resource_length(id))),
        .pair = type ? type->pair : NULL,
        .account_endpoint = must_dup(delivery->endpoint ? delivery->endpoint : ""),
        .slot = delivery->slot,
        .key = must(secret_clone(delivery->key)),
        .key_id = delivery->key_id ? must_dup(delivery->key_id) : NULL,
        .cycle = delivery->cycle,
        .delivered_at = delivery->delivered_at,
    };
}

void target_content_done(struct key_file *content)
{
    free((char *)content->account);
    free((char *)content->resource_id);
    free((char *)content->account_endpoint);
    secret_free((struct secret *)content->key);
    free((char *)content->key_id);
    *content = (struct key_file){0};
}

bool target_lacks_endpoint(const struct delivery *delivery)
{
    const struct two_key_resource *type = two_key_resource_find(delivery->account->id);

    return !delivery->endpoint && (!type || type->endpoint_path);
}
