#include "world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "encode.h"
#include "http.h"
#include "memory.h"

#define KEY_BYTES 64

struct world {
    struct lh_table *accounts; /* lower-case name → struct account */
    struct lh_table *scopes;   /* lower-case "sub" and "sub/group" → itself */
    struct truth *truth;
};

static char *lower_case(const char *text)
{
    char *copy = memory_text(text);

    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static void account_free(struct account *account)
{
    for (size_t i = 0; i < KEY_SLOT_COUNT; i++)
        free(account->slots[i].births);
    free(account->name);
    free(account->subscription_id);
    free(account->resource_group);
    free(account->location);
    free(account->pool_allocation_mode);
    free(account->provisioning_state);
    free(account->public_network_access);
    json_object_put(account->allowed_authentication_modes);
    json_object_put(account->tags);
    free(account);
}

static void free_account_entry(struct lh_entry *entry)
{
    free(lh_entry_k(entry));
    account_free((struct account *)lh_entry_v(entry));
}

static void free_scope_entry(struct lh_entry *entry)
{
    free(lh_entry_k(entry));
}

struct world *world_new(struct truth *truth)
{
    struct world *world = memory_zeroed(1, sizeof(*world));

    world->accounts = lh_kchar_table_new(64, free_account_entry);
    world->scopes = lh_kchar_table_new(64, free_scope_entry);
    world->truth = truth;
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    lh_table_free(world->accounts);
    lh_table_free(world->scopes);
    free(world);
}

static void log_key_event(struct world *world, const char *event_name,
                          const struct account *account, enum key_slot_id slot, const char *key,
                          const char *by, const char *client_request_id, int64_t propagation_ms)
{
    struct json_object *event = truth_event(event_name);
    int64_t effective_us = clock_wall_us() + propagation_ms * CLOCK_US_PER_MS;
    char digest[SHA256_HEX_SIZE];

    sha256_hex(key, strlen(key), digest);
    json_add_text(event, "account", account->name);
    json_add_text(event, "slot", key_slot_name(slot));
    json_add_text(event, "key", key);
    json_add_text(event, "sha256", digest);
    json_add_text(event, "by", by);
    json_object_object_add(event, "effective_at",
                           json_object_new_double((double)effective_us / 1e6));
    if (client_request_id && *client_request_id != '\0')
        json_add_text(event, "client_request_id", client_request_id);
    truth_write(world->truth, event);
}

/* Puts KEY into the slot; the key before it dies. */
static void give_birth(struct world *world, struct account *account, enum key_slot_id slot_id,
                       const char *key, const char *by, const char *client_request_id,
                       int64_t propagation_ms)
{
    struct key_slot *slot = &account->slots[slot_id];
    struct key_birth *birth;

    if (slot->birth_count > 0)
        log_key_event(world, "death", account, slot_id, slot->births[slot->birth_count - 1].key, by,
                      client_request_id, propagation_ms);
    if (slot->birth_count == SLOT_MAX_BIRTHS) {
        slot->birth_count--;
        memmove(slot->births, slot->births + 1, slot->birth_count * sizeof(*slot->births));
    }
    slot->births = memory_resized(slot->births, slot->birth_count + 1, sizeof(*slot->births));
    birth = &slot->births[slot->birth_count++];
    *birth = (struct key_birth){.born_us = clock_wall_us(), .by = by};
    snprintf(birth->key, sizeof(birth->key), "%s", key);
    log_key_event(world, "birth", account, slot_id, key, by, client_request_id, propagation_ms);
}

static bool is_name(const char *text, const char *extra, size_t minimum, size_t maximum)
{
    size_t length = !text ? 0 : strlen(text);

    if (length < minimum || length > maximum)
        return false;
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && !strchr(extra, *text))
            return false;
    }
    return true;
}

static bool valid_key(struct json_object *properties, const char *name, char *message, size_t size)
{
    struct json_object *value;
    unsigned char *bytes;
    const char *text;
    size_t length;

    if (!json_object_object_get_ex(properties, name, &value))
        return true;
    text = json_get_text(properties, name);
    bytes = !text || strlen(text) >= KEY_TEXT_SIZE ? NULL : base64_decode(text, &length);
    free(bytes);
    if (!bytes)
        snprintf(message, size, "%s must be base64 of at most %d characters", name,
                 KEY_TEXT_SIZE - 1);
    return !!bytes;
}

static bool is_null_or(struct json_object *properties, const char *name, enum json_type type)
{
    struct json_object *value;

    return !json_object_object_get_ex(properties, name, &value) || !value ||
           json_object_is_type(value, type);
}

static bool valid_properties(struct json_object *properties, char *message, size_t size)
{
    static const char *const texts[] = {"subscription_id",    "resource_group",
                                        "location",           "pool_allocation_mode",
                                        "provisioning_state", "public_network_access"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = json_get_text(properties, texts[i]);
        struct json_object *value;

        if (json_object_object_get_ex(properties, texts[i], &value) &&
            !is_name(text, "-_.()", 1, 90)) {
            snprintf(message, size, "%s must be a string of 1 to 90 plain characters", texts[i]);
            return false;
        }
    }
    if (!is_null_or(properties, "allowed_authentication_modes", json_type_array) ||
        !is_null_or(properties, "tags", json_type_object) ||
        !is_null_or(properties, "propagation_ms", json_type_int)) {
        snprintf(message, size,
                 "allowed_authentication_modes must be a list, tags an object, propagation_ms an "
                 "integer, or null");
        return false;
    }
    return valid_key(properties, "primary", message, size) &&
           valid_key(properties, "secondary", message, size);
}

static void replace_text(char **field, struct json_object *properties, const char *name)
{
    const char *text = json_get_text(properties, name);

    if (text) {
        free(*field);
        *field = memory_text(text);
    }
}

static void replace_json(struct json_object **field, struct json_object *properties,
                         const char *name)
{
    struct json_object *value;

    if (!json_object_object_get_ex(properties, name, &value))
        return;
    json_object_put(*field);
    *field = NULL;
    if (value)
        json_object_deep_copy(value, field, NULL);
}

/* Everything but the keys and the place of the account. */
static void apply_properties(struct account *account, struct json_object *properties)
{
    struct json_object *value;

    replace_text(&account->location, properties, "location");
    replace_text(&account->pool_allocation_mode, properties, "pool_allocation_mode");
    replace_text(&account->provisioning_state, properties, "provisioning_state");
    replace_text(&account->public_network_access, properties, "public_network_access");
    replace_json(&account->allowed_authentication_modes, properties,
                 "allowed_authentication_modes");
    replace_json(&account->tags, properties, "tags");
    if (json_object_object_get_ex(properties, "propagation_ms", &value))
        account->propagation_ms = !value ? -1 : json_object_get_int64(value);
}

static void remember_scope(struct world *world, const char *subscription_id, const char *group)
{
    char *name =
        !group ? memory_text(subscription_id) : memory_printf("%s/%s", subscription_id, group);
    char *key = lower_case(name);

    free(name);
    if (!lh_table_lookup_entry(world->scopes, key))
        lh_table_insert(world->scopes, key, NULL);
    else
        free(key);
}

static void first_key(struct world *world, struct account *account, enum key_slot_id slot,
                      const char *wanted)
{
    char *random = !wanted ? random_base64(KEY_BYTES) : NULL;

    give_birth(world, account, slot, !wanted ? random : wanted, "create", NULL, 0);
    free(random);
}

struct account *world_create(struct world *world, struct json_object *properties, char *message,
                             size_t size)
{
    const char *name = json_get_text(properties, "name");
    struct account *account;

    if (!is_name(name, "", 3, 24)) {
        snprintf(message, size, "name must be 3 to 24 letters and digits");
        return NULL;
    }
    if (!json_get_text(properties, "subscription_id") ||
        !json_get_text(properties, "resource_group") || !json_get_text(properties, "location")) {
        snprintf(message, size, "subscription_id, resource_group and location are required");
        return NULL;
    }
    if (!valid_properties(properties, message, size))
        return NULL;
    if (world_find(world, name)) {
        snprintf(message, size, "account %s exists", name);
        return NULL;
    }
    if (lh_table_length(world->accounts) >= WORLD_MAX_ACCOUNTS) {
        snprintf(message, size, "there are %d accounts already", WORLD_MAX_ACCOUNTS);
        return NULL;
    }
    account = memory_zeroed(1, sizeof(*account));
    account->name = memory_text(name);
    account->subscription_id = memory_text(json_get_text(properties, "subscription_id"));
    account->resource_group = memory_text(json_get_text(properties, "resource_group"));
    account->pool_allocation_mode = memory_text("BatchService");
    account->provisioning_state = memory_text("Succeeded");
    account->public_network_access = memory_text("Enabled");
    account->allowed_authentication_modes =
        json_tokener_parse("[\"SharedKey\",\"AAD\",\"TaskAuthenticationToken\"]");
    account->propagation_ms = -1;
    apply_properties(account, properties);
    first_key(world, account, SLOT_PRIMARY, json_get_text(properties, "primary"));
    first_key(world, account, SLOT_SECONDARY, json_get_text(properties, "secondary"));
    remember_scope(world, account->subscription_id, NULL);
    remember_scope(world, account->subscription_id, account->resource_group);
    lh_table_insert(world->accounts, lower_case(name), account);
    return account;
}

bool world_change(struct world *world, struct account *account, struct json_object *properties,
                  char *message, size_t size)
{
    const char *primary = json_get_text(properties, "primary");
    const char *secondary = json_get_text(properties, "secondary");

    if (!valid_properties(properties, message, size))
        return false;
    apply_properties(account, properties);
    if (primary)
        give_birth(world, account, SLOT_PRIMARY, primary, "foreign", NULL, 0);
    if (secondary)
        give_birth(world, account, SLOT_SECONDARY, secondary, "foreign", NULL, 0);
    return true;
}

void world_delete(struct world *world, struct account *account)
{
    char *key = lower_case(account->name);

    for (int i = 0; i < KEY_SLOT_COUNT; i++) {
        struct key_slot *slot = &account->slots[i];

        log_key_event(world, "death", account, (enum key_slot_id)i,
                      slot->births[slot->birth_count - 1].key, "delete", NULL, 0);
    }
    lh_table_delete(world->accounts, key);
    free(key);
}

struct lh_entry *world_entry(struct world *world, const char *name)
{
    char *key = lower_case(name);
    struct lh_entry *entry = lh_table_lookup_entry(world->accounts, key);

    free(key);
    return entry;
}

struct account *world_find(struct world *world, const char *name)
{
    struct lh_entry *entry = world_entry(world, name);

    return !entry ? NULL : (struct account *)lh_entry_v(entry);
}

struct lh_entry *world_first(struct world *world)
{
    return world->accounts->head;
}

static bool has_scope(struct world *world, char *owned_name)
{
    char *key = lower_case(owned_name);
    bool found = !!lh_table_lookup_entry(world->scopes, key);

    free(key);
    free(owned_name);
    return found;
}

bool world_has_subscription(struct world *world, const char *subscription_id)
{
    return has_scope(world, memory_text(subscription_id));
}

const char *world_subscription(struct world *world, size_t index)
{
    struct lh_entry *entry;

    for (entry = world->scopes->head; entry; entry = lh_entry_next(entry)) {
        const char *scope = lh_entry_k(entry);

        if (!strchr(scope, '/') && index-- == 0)
            return scope;
    }
    return NULL;
}

bool world_has_group(struct world *world, const char *subscription_id, const char *group)
{
    return has_scope(world, memory_printf("%s/%s", subscription_id, group));
}

void world_regenerate(struct world *world, struct account *account, enum key_slot_id slot,
                      const char *by, const char *client_request_id, int64_t propagation_ms)
{
    char *key = random_base64(KEY_BYTES);

    give_birth(world, account, slot, key, by, client_request_id, propagation_ms);
    free(key);
}

const char *account_key_at(const struct account *account, enum key_slot_id slot_id, int64_t wall_us)
{
    const struct key_slot *slot = &account->slots[slot_id];
    size_t i = slot->birth_count - 1;

    while (i > 0 && slot->births[i].born_us > wall_us)
        i--;
    return slot->births[i].key;
}

static bool allows_mode(const struct account *account, const char *mode)
{
    struct json_object *modes = account->allowed_authentication_modes;

    if (!modes)
        return true;
    for (size_t i = 0; i < json_object_array_length(modes); i++) {
        const char *allowed = json_object_get_string(json_object_array_get_idx(modes, i));

        if (allowed && strcasecmp(allowed, mode) == 0)
            return true;
    }
    return false;
}

bool account_allows_shared_key(const struct account *account)
{
    return strcasecmp(account->pool_allocation_mode, "UserSubscription") != 0 &&
           allows_mode(account, "SharedKey");
}

bool account_allows_entra(const struct account *account)
{
    return allows_mode(account, "AAD");
}

const char *key_slot_name(enum key_slot_id slot)
{
    return slot == SLOT_PRIMARY ? "Primary" : "Secondary";
}

bool key_slot_parse(const char *name, enum key_slot_id *slot)
{
    bool primary = name && strcmp(name, "Primary") == 0;
    bool secondary = name && strcmp(name, "Secondary") == 0;

    *slot = primary ? SLOT_PRIMARY : SLOT_SECONDARY;
    return primary || secondary;
}
