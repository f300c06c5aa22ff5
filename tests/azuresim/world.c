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
                          const struct account *account, size_t slot, const char *key,
                          const struct key_change *change)
{
    const struct type *type = account->type;
    struct json_object *event = truth_event(event_name);
    int64_t at_us = change->at_us != 0 ? change->at_us : clock_wall_us();
    int64_t effective_us = at_us + change->propagation_ms * CLOCK_US_PER_MS;
    char digest[SHA256_HEX_SIZE];

    sha256_hex(key, strlen(key), digest);
    json_add_text(event, "account", account->name);
    json_add_text(event, "slot", key_slot_name(slot));
    if (type->pairs[1])
        json_add_text(event, "pair", type->pairs[slot / TYPE_PAIR]);
    json_add_text(event, "key", key);
    json_add_text(event, "sha256", digest);
    json_add_text(event, "by", change->by);
    json_object_object_add(event, "effective_at",
                           json_object_new_double((double)effective_us / 1e6));
    if (change->client_request_id && *change->client_request_id != '\0')
        json_add_text(event, "client_request_id", change->client_request_id);
    truth_write(world->truth, event);
}

void world_regenerate(struct world *world, struct account *account, size_t slot_id,
                      const struct key_change *change)
{
    struct key_slot *slot = &account->slots[slot_id];
    char *random = change->key ? NULL : account_make_key(account);
    struct key_birth *birth;

    if (slot->birth_count > 0)
        log_key_event(world, "death", account, slot_id, slot->births[slot->birth_count - 1].key,
                      change);
    if (slot->birth_count == SLOT_MAX_BIRTHS) {
        slot->birth_count--;
        memmove(slot->births, slot->births + 1, slot->birth_count * sizeof(*slot->births));
    }
    slot->births = memory_resized(slot->births, slot->birth_count + 1, sizeof(*slot->births));
    birth = &slot->births[slot->birth_count++];
    *birth = (struct key_birth){.born_us = change->at_us != 0 ? change->at_us : clock_wall_us(),
                                .by = change->by};
    snprintf(birth->key, sizeof(birth->key), "%s", random ? random : change->key);
    log_key_event(world, "birth", account, slot_id, birth->key, change);
    free(random);
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

/* All slots get a key: those that PROPERTIES has for its pair, random ones otherwise. */
static void first_keys(struct world *world, struct account *account, struct json_object *properties)
{
    const char *wanted[TYPE_PAIR] = {json_get_text(properties, "primary"),
                                     json_get_text(properties, "secondary")};
    size_t pair = (size_t)type_pair(account->type, json_get_text(properties, "pair"));

    for (size_t slot = 0; slot < type_slot_count(account->type); slot++) {
        struct key_change change = {.by = "create"};

        if (slot / TYPE_PAIR == pair)
            change.key = wanted[slot % TYPE_PAIR];
        world_regenerate(world, account, slot, &change);
    }
}

static bool is_below(const struct account *account, const struct type *type,
                     const char *const *names, size_t count)
{
    if (!type_same_path(account->type, type, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!account->names[i] || strcasecmp(account->names[i], names[i]) != 0)
            return false;
    }
    return true;
}

struct account *world_find_below(struct world *world, const struct type *type,
                                 const char *const *names, size_t count)
{
    struct lh_entry *entry;

    for (entry = world_first(world); entry; entry = lh_entry_next(entry)) {
        struct account *account = lh_entry_v(entry);

        if (is_below(account, type, names, count))
            return account;
    }
    return NULL;
}

/* Siblings share the properties of their parent. */
static void find_parent(struct world *world, struct account *account)
{
    const char *name = account->names[0];
    struct lh_entry *entry;

    if (!account->type->parent_properties)
        return;
    for (entry = world_first(world); entry; entry = lh_entry_next(entry)) {
        const struct account *sibling = lh_entry_v(entry);

        if (sibling->parent_properties && is_below(sibling, account->type, &name, 1)) {
            account->parent_properties = json_object_get(sibling->parent_properties);
            return;
        }
    }
    account->parent_properties = json_tokener_parse(account->type->parent_properties);
}

/* The type that PROPERTIES name, NULL with a reason where there is none or something is missing. */
static const struct type *check_creation(struct world *world, struct json_object *properties,
                                         char *message, size_t size)
{
    const char *name = json_get_text(properties, "name");
    const char *wanted = json_get_text(properties, "type");
    const struct type *type = !wanted ? &type_batch : type_find(wanted);

    if (!type)
        snprintf(message, size, "type is none that the simulator knows");
    else if (type == &type_batch && (!name || !account_names_fit(type, name)))
        snprintf(message, size, "name must be 3 to 24 letters and digits");
    else if (!name || !account_names_fit(type, name))
        snprintf(message, size, "name must be %zu plain names with slashes between",
                 type_world_name_count(type));
    else if (!json_get_text(properties, "subscription_id") ||
             !json_get_text(properties, "resource_group") || !json_get_text(properties, "location"))
        snprintf(message, size, "subscription_id, resource_group and location are required");
    else if (world_find(world, name))
        snprintf(message, size, "account %s exists", name);
    else if (lh_table_length(world->accounts) >= WORLD_MAX_ACCOUNTS)
        snprintf(message, size, "there are %d accounts already", WORLD_MAX_ACCOUNTS);
    else
        return type;
    return NULL;
}

struct account *world_create(struct world *world, struct json_object *properties, char *message,
                             size_t size)
{
    const struct type *type = check_creation(world, properties, message, size);
    struct account *account;

    if (!type)
        return NULL;
    account = account_new(type, json_get_text(properties, "name"));
    account->subscription_id = memory_text(json_get_text(properties, "subscription_id"));
    account->resource_group = memory_text(json_get_text(properties, "resource_group"));
    find_parent(world, account);
    if (!account_change(account, properties, message, size)) {
        account_free(account);
        return NULL;
    }
    first_keys(world, account, properties);
    remember_scope(world, account->subscription_id, NULL);
    remember_scope(world, account->subscription_id, account->resource_group);
    lh_table_insert(world->accounts, lower_case(account->name), account);
    return account;
}

bool world_change(struct world *world, struct account *account, struct json_object *properties,
                  char *message, size_t size)
{
    static const char *const members[TYPE_PAIR] = {"primary", "secondary"};
    size_t pair;

    if (!account_change(account, properties, message, size))
        return false;
    pair = (size_t)type_pair(account->type, json_get_text(properties, "pair"));
    for (size_t i = 0; i < TYPE_PAIR; i++) {
        struct key_change change = {.by = "foreign", .key = json_get_text(properties, members[i])};

        if (change.key)
            world_regenerate(world, account, pair * TYPE_PAIR + i, &change);
    }
    return true;
}

void world_delete(struct world *world, struct account *account)
{
    char *key = lower_case(account->name);

    for (size_t i = 0; i < type_slot_count(account->type); i++) {
        struct key_slot *slot = &account->slots[i];
        struct key_change change = {.by = "delete"};

        log_key_event(world, "death", account, i, slot->births[slot->birth_count - 1].key, &change);
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
