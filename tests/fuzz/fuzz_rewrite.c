/*
 * What a hub and the list of its keys are like (the first line is the hub, the rest the list): what
 * is written back is what was read, with all policies, rights and keys, but for one key of one
 * policy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/linkhash.h>

#include "base/str.h"
#include "fuzz.h"
#include "proto/two_key/rewrite.h"

static const char account[] =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/"
    "IotHubs/hub/IotHubKeys/service";

static struct json_object *policies_of(struct json_object *hub)
{
    return json_member(json_member(hub, "properties"), "authorizationPolicies");
}

static size_t keys_in(struct json_object *policy)
{
    return (size_t) !!json_string(policy, "primaryKey") +
           (size_t) !!json_string(policy, "secondaryKey");
}

/* All that `listed` has, `written` has, too, and the key to renew alone is absent. */
static void compare(struct json_object *listed, struct json_object *written, enum slot slot)
{
    const char *renewed = slot == SLOT_PRIMARY ? "primaryKey" : "secondaryKey";
    const bool chosen = str_equal_nocase(json_string(listed, "keyName"), "service");

    MUST(keys_in(listed) == SLOT_COUNT);
    MUST(keys_in(written) == (chosen ? 1 : SLOT_COUNT));
    json_object_object_foreach(listed, name, value)
    {
        struct json_object *found = NULL;

        if (chosen && str_equal(name, renewed))
            continue;
        MUST(json_object_object_get_ex(written, name, &found));
        MUST(json_object_equal(value, found));
    }
    MUST(!chosen || !json_object_object_get_ex(written, renewed, NULL));
}

static void check(struct json_object *hub, struct json_object *listed, const struct buf *out,
                  enum slot slot)
{
    struct err err = {.code = 0};
    struct json_object *written = json_parse(buf_str(out), out->length, &err);
    struct json_object *list = json_member(listed, "value"), *policies;
    size_t renewed = 0;

    MUST(written);
    policies = policies_of(written);
    MUST(json_object_array_length(list) == json_object_array_length(policies));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *policy = json_object_array_get_idx(policies, i);

        compare(json_object_array_get_idx(list, i), policy, slot);
        renewed += keys_in(policy) < SLOT_COUNT;
    }
    MUST(renewed == 1);
    json_object_object_del(json_member(written, "properties"), "authorizationPolicies");
    json_object_object_del(json_member(hub, "properties"), "authorizationPolicies");
    MUST(json_object_equal(written, hub));
    json_free_wiped(written);
}

static void rewrite(struct two_key_whole *whole, const char *listed, size_t length, enum slot slot)
{
    const struct two_key_resource *type = two_key_resource_named("iot_hub");
    struct err err = {.code = 0};
    struct json_object *list;
    struct buf out;

    buf_init(&out, TWO_KEY_REWRITE_MAX);
    if (two_key_rewrite(type, account, slot, whole, listed, length, &out, &err) == 0) {
        list = json_parse_foreign(listed, length, &err); /* a byte order mark may come first */
        MUST(list);
        check(whole->document, list, &out, slot);
        json_free_wiped(list);
    } else {
        MUST(fuzz_is_presentable(err.text) && err.text[0] != '\0');
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = memchr(data, '\n', size);
    const size_t first = end ? (size_t)(end - text) : size;
    struct fuzz_input input = {.at = end ? end + 1 : text + size,
                               .left = end ? size - first - 1 : 0};
    struct err err = {.code = 0};
    struct two_key_whole whole;
    size_t length;
    char *listed = fuzz_take_rest(&input, &length);

    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (two_key_whole_read(&whole, text, first, &err) == 0)
            rewrite(&whole, listed, length, (enum slot)slot);
        else
            MUST(fuzz_is_presentable(err.text) && err.text[0] != '\0');
        two_key_whole_done(&whole);
    }
    free(listed);
    return 0;
}
