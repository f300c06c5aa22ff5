#include "proto/two_key_resource.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "proto/batch_account.h"
#include "proto/key_text.h"

const struct two_key_resource two_key_batch_account = {
    .type = "Microsoft.Batch/batchAccounts",
    .list_operation = "listKeys",
    .regenerate_operation = "regenerateKeys",
    .slot_member = "keyName",
    .slot_values = {[SLOT_PRIMARY] = "Primary", [SLOT_SECONDARY] = "Secondary"},
    .key_members = {[SLOT_PRIMARY] = "primary", [SLOT_SECONDARY] = "secondary"},
    .name_member = "accountName",
    .read_action = "Microsoft.Batch/batchAccounts/read",
    .list_action = "Microsoft.Batch/batchAccounts/listkeys/action",
    .regenerate_action = "Microsoft.Batch/batchAccounts/regeneratekeys/action",
    .role = "Batch Key Rotator",
    .read = batch_account_read,
};

static const struct two_key_resource *const resources[] = {&two_key_batch_account};

void resource_facts_done(struct resource_facts *facts)
{
    free(facts->endpoint);
    free(facts->location);
    *facts = (struct resource_facts){.endpoint = NULL};
}

const struct two_key_resource *two_key_resource_find(const char *resource_id)
{
    static const char providers[] = "/providers/";
    const char *type = strcasestr(resource_id, providers);

    if (!type)
        return NULL;
    type += sizeof(providers) - 1;
    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (str_starts_with_nocase(type, resources[i]->type) &&
            type[strlen(resources[i]->type)] == '/')
            return resources[i];
    }
    return NULL;
}

int two_key_regenerate_body(const struct two_key_resource *resource, enum slot slot,
                            struct buf *out)
{
    return buf_append_format(out, "{\"%s\":\"%s\"}", resource->slot_member,
                             resource->slot_values[slot]);
}

static int read_key(const struct two_key_resource *resource, struct json_object *document,
                    enum slot slot, struct secret **ret_key, struct err *err)
{
    const char *member = resource->key_members[slot];
    uint8_t bytes[KEY_TEXT_MAX];
    size_t length;
    int rc;

    if (!json_string(document, member))
        return err_set(err, -EINVAL, "the member \"%s\" is missing or not a string", member);
    *ret_key = json_secret(document, member);
    if (!*ret_key)
        return err_set(err, -ENOMEM, "there is no memory for the keys");
    rc = key_text_decode(*ret_key, bytes, sizeof(bytes), &length);
    wipe(bytes, sizeof(bytes));
    if (rc < 0)
        return err_set(err, -EINVAL, "the member \"%s\" is not a key in base64", member);
    return 0;
}

static int read_document(const struct two_key_resource *resource, const char *name,
                         struct json_object *document, struct secret *keys[SLOT_COUNT],
                         struct err *err)
{
    const char *names[] = {resource->key_members[SLOT_PRIMARY],
                           resource->key_members[SLOT_SECONDARY], resource->name_member};
    const char *answered = NULL;
    int rc;

    if (json_check_members(document, names, resource->name_member ? 3 : 2, err) < 0)
        return -EINVAL;
    rc = 0;
    if (resource->name_member)
        answered = json_string(document, resource->name_member);
    if (answered && !str_equal_nocase(answered, name))
        return err_set(err, -EINVAL, "it is about another resource than %s", name);
    for (unsigned slot = 0; slot < SLOT_COUNT && rc == 0; slot++)
        rc = read_key(resource, document, (enum slot)slot, &keys[slot], err);
    if (rc < 0)
        return rc;
    if (secret_equal(keys[SLOT_PRIMARY], keys[SLOT_SECONDARY]))
        return err_set(err, -EINVAL, "both keys are the same");
    return 0;
}

int two_key_read_keys(const struct two_key_resource *resource, const char *name, const char *body,
                      size_t length, struct secret *keys[SLOT_COUNT], struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    int rc;

    keys[SLOT_PRIMARY] = NULL;
    keys[SLOT_SECONDARY] = NULL;
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    rc = read_document(resource, name, document, keys, err);
    json_free_wiped(document);
    if (rc < 0) {
        secret_clear(&keys[SLOT_PRIMARY]);
        secret_clear(&keys[SLOT_SECONDARY]);
    }
    return rc;
}
