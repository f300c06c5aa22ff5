#include "app/engine_private.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

void engine_remedy_expand(const struct engine_account *account, const char *typed, const char *text,
                          char *out, size_t size)
{
    const struct account *subject = account->account;
    char *resource_id = must(str_dup_n(subject->id, two_key_resource_length(subject->id)));
    char name[ENGINE_WORDS_MAX];
    const struct remedy_words words = {
        .account = typed ? typed : name,
        .resource_id = resource_id,
        .subscription_id = subject->subscription_id,
        .type = two_key_resource_find(subject->id),
        .rule = subject->rule ? subject->rule : "RULE",
        .active = account->record.adopted ? slot_name(account->record.active) : "active",
        .socket = account->engine->parts.control_socket,
    };

    engine_words_account(account, name);
    remedy_expand(text, &words, out, size);
    free(resource_id);
}
