#include "account.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encode.h"
#include "http.h"
#include "memory.h"

#define KEY_BYTES       64
#define KEY_SHORT_BYTES 32
#define KEY_LETTER_LEN  52

static struct json_object *parse(const char *text)
{
    return !text ? json_object_new_object() : json_tokener_parse(text);
}

struct account *account_new(const struct type *type, const char *name)
{
    struct account *account = memory_zeroed(1, sizeof(*account));
    const char *rest = name;

    account->type = type;
    account->name = memory_text(name);
    for (size_t i = 0; i < TYPE_MAX_NAMES && *rest != '\0'; i++) {
        size_t length = strcspn(rest, "/");

        account->names[i] = memory_text_n(rest, length);
        rest += length + (rest[length] == '/');
    }
    account->properties = parse(type->properties);
    account->propagation_ms = -1;
    account->operation_ms = -1;
    return account;
}

void account_free(struct account *account)
{
    for (size_t i = 0; i < TYPE_MAX_SLOTS; i++)
        free(account->slots[i].births);
    for (size_t i = 0; i < TYPE_MAX_NAMES; i++)
        free(account->names[i]);
    free(account->name);
    free(account->subscription_id);
    free(account->resource_group);
    free(account->location);
    free(account->kind);
    json_object_put(account->properties);
    json_object_put(account->parent_properties);
    json_object_put(account->tags);
    free(account);
}

/* --- what may be changed --- */

static bool is_name(const char *text, size_t length, const char *extra, size_t minimum,
                    size_t maximum)
{
    if (length < minimum || length > maximum)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr(extra, text[i]))
            return false;
    }
    return true;
}

bool account_names_fit(const struct type *type, const char *name)
{
    /* A site stands only in bodies, and may have blanks. */
    const char *marks = type->regenerate.body == BODY_SITE ? "-_.$ " : "-_.$";
    size_t count = 0;

    if (type == &type_batch)
        return is_name(name, strlen(name), "", 3, 24);
    for (;;) {
        size_t length = strcspn(name, "/");

        if (!is_name(name, length, marks, 1, 90))
            return false;
        count++;
        if (name[length] == '\0')
            return count == type_world_name_count(type);
        name += length + 1;
    }
}

/* Members of the control API and the properties that they stand for. */
static const struct {
    const char *name, *property;
    enum json_type type;
} shorthands[] = {
    {"pool_allocation_mode", "poolAllocationMode", json_type_string},
    {"provisioning_state", "provisioningState", json_type_string},
    {"public_network_access", "publicNetworkAccess", json_type_string},
    {"allowed_authentication_modes", "allowedAuthenticationModes", json_type_array},
};

#define SHORTHAND_COUNT (sizeof(shorthands) / sizeof(shorthands[0]))

static bool is_null_or(struct json_object *properties, const char *name, enum json_type type)
{
    struct json_object *value;

    return !json_object_object_get_ex(properties, name, &value) || !value ||
           json_object_is_type(value, type);
}

static bool valid_texts(struct json_object *properties, char *message, size_t size)
{
    static const char *const texts[] = {
        "subscription_id",    "resource_group",        "location", "pool_allocation_mode",
        "provisioning_state", "public_network_access", "kind"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = json_get_text(properties, texts[i]);
        struct json_object *value;

        if (json_object_object_get_ex(properties, texts[i], &value) &&
            (!text || !is_name(text, strlen(text), "-_.()", 1, 90))) {
            snprintf(message, size, "%s must be a string of 1 to 90 plain characters", texts[i]);
            return false;
        }
    }
    return true;
}

static bool valid_key(const struct type *type, struct json_object *properties, const char *name,
                      char *message, size_t size)
{
    struct json_object *value;
    const char *text = json_get_text(properties, name);

    if (!json_object_object_get_ex(properties, name, &value) ||
        (text && account_takes_key(type, text)))
        return true;
    snprintf(message, size, "%s must be %s of at most %d characters", name,
             type->decodes_key ? "base64" : "plain text", KEY_TEXT_SIZE - 1);
    return false;
}

static bool valid_properties(const struct account *account, struct json_object *properties,
                             char *message, size_t size)
{
    const struct type *type = account->type;

    if (!valid_texts(properties, message, size))
        return false;
    if (!is_null_or(properties, "allowed_authentication_modes", json_type_array) ||
        !is_null_or(properties, "tags", json_type_object) ||
        !is_null_or(properties, "propagation_ms", json_type_int) ||
        !is_null_or(properties, "operation_ms", json_type_int) ||
        !is_null_or(properties, "properties", json_type_object) ||
        !is_null_or(properties, "parent_properties", json_type_object) ||
        !is_null_or(properties, "keys_off", json_type_boolean)) {
        snprintf(message, size,
                 "allowed_authentication_modes must be a list, tags and properties objects, "
                 "propagation_ms and operation_ms integers, keys_off true or false, or null");
        return false;
    }
    if (json_object_object_get_ex(properties, "keys_off", NULL) && !type->off.property) {
        snprintf(message, size, "keys of %s cannot be switched off", type->name);
        return false;
    }
    if (type_pair(type, json_get_text(properties, "pair")) < 0) {
        snprintf(message, size, "pair is none of this type");
        return false;
    }
    return valid_key(type, properties, "primary", message, size) &&
           valid_key(type, properties, "secondary", message, size);
}

static void replace_text(char **field, struct json_object *properties, const char *name)
{
    const char *text = json_get_text(properties, name);

    if (text) {
        free(*field);
        *field = memory_text(text);
    }
}

static struct json_object *copy_of(struct json_object *source)
{
    struct json_object *copy = NULL;

    if (source)
        json_object_deep_copy(source, &copy, NULL);
    return copy;
}

/* Each member of CHANGES replaces that of TARGET. */
static void merge(struct json_object *target, struct json_object *changes)
{
    if (!target || !changes)
        return;
    json_object_object_foreach(changes, name, value)
    {
        json_object_object_add(target, name, copy_of(value));
    }
}

static void switch_keys(struct account *account, bool off)
{
    const struct type_switch *keys = &account->type->off;

    json_object_object_add(keys->is_at_parent ? account->parent_properties : account->properties,
                           keys->property, json_tokener_parse(off ? keys->off : keys->on));
}

static void change_number(int64_t *field, struct json_object *properties, const char *name)
{
    struct json_object *value;

    if (json_object_object_get_ex(properties, name, &value))
        *field = !value ? -1 : json_object_get_int64(value);
}

bool account_change(struct account *account, struct json_object *properties, char *message,
                    size_t size)
{
    struct json_object *value;

    if (!valid_properties(account, properties, message, size))
        return false;
    replace_text(&account->location, properties, "location");
    replace_text(&account->kind, properties, "kind");
    if (json_object_object_get_ex(properties, "tags", &value)) {
        json_object_put(account->tags);
        account->tags = copy_of(value);
    }
    change_number(&account->propagation_ms, properties, "propagation_ms");
    change_number(&account->operation_ms, properties, "operation_ms");
    for (size_t i = 0; i < SHORTHAND_COUNT; i++) {
        if (json_object_object_get_ex(properties, shorthands[i].name, &value))
            json_object_object_add(account->properties, shorthands[i].property, copy_of(value));
    }
    if (json_object_object_get_ex(properties, "properties", &value))
        merge(account->properties, value);
    if (json_object_object_get_ex(properties, "parent_properties", &value))
        merge(account->parent_properties, value);
    if (json_object_object_get_ex(properties, "keys_off", &value))
        switch_keys(account, json_object_get_boolean(value));
    return true;
}

/* --- keys --- */

static char *letters(void)
{
    char *key = memory_zeroed(1, KEY_LETTER_LEN + 1);
    size_t length = 0;

    while (length < KEY_LETTER_LEN) {
        char *random = random_base64(KEY_BYTES);

        for (const char *c = random; *c != '\0' && length < KEY_LETTER_LEN; c++) {
            if (isalnum((unsigned char)*c))
                key[length++] = *c;
        }
        free(random);
    }
    return key;
}

static char *runtime_key(const struct account *account)
{
    char id[UUID_TEXT_SIZE];
    char *random = random_base64(KEY_SHORT_BYTES);
    char *key;

    random_uuid(id);
    key = memory_printf("IR@%s@%s@ServiceEndpoint=runtime.localhost@%s", id, account->names[0],
                        random);
    free(random);
    return key;
}

char *account_make_key(const struct account *account)
{
    char digits[33];

    switch (account->type->key) {
    case KEY_SHORT_BASE64:
        return random_base64(KEY_SHORT_BYTES);
    case KEY_HEX:
        random_hex32(digits);
        return memory_text(digits);
    case KEY_LETTERS:
        return letters();
    case KEY_RUNTIME:
        return runtime_key(account);
    case KEY_BASE64:
        break;
    }
    return random_base64(KEY_BYTES);
}

bool account_takes_key(const struct type *type, const char *key)
{
    size_t length = strlen(key);
    unsigned char *bytes;

    if (length == 0 || length >= KEY_TEXT_SIZE)
        return false;
    if (type->decodes_key) {
        bytes = base64_decode(key, &length);
        free(bytes);
        return !!bytes;
    }
    for (; *key != '\0'; key++) {
        if (!isgraph((unsigned char)*key) || *key == '"' || *key == '\\')
            return false;
    }
    return true;
}

static const struct key_birth *birth_at(const struct account *account, size_t slot_id,
                                        int64_t wall_us)
{
    const struct key_slot *slot = &account->slots[slot_id];
    size_t i = slot->birth_count - 1;

    while (i > 0 && slot->births[i].born_us > wall_us)
        i--;
    return &slot->births[i];
}

const char *account_key_at(const struct account *account, size_t slot, int64_t wall_us)
{
    return birth_at(account, slot, wall_us)->key;
}

int64_t account_key_born_us(const struct account *account, size_t slot, int64_t wall_us)
{
    return birth_at(account, slot, wall_us)->born_us;
}

size_t account_key_age(const struct account *account, size_t slot)
{
    return account->slots[slot].birth_count - 1;
}

/* --- who may --- */

static bool allows_mode(const struct account *account, const char *mode)
{
    struct json_object *modes;

    if (!json_object_object_get_ex(account->properties, "allowedAuthenticationModes", &modes) ||
        !modes)
        return true;
    for (size_t i = 0; i < json_object_array_length(modes); i++) {
        const char *allowed = json_object_get_string(json_object_array_get_idx(modes, i));

        if (allowed && strcasecmp(allowed, mode) == 0)
            return true;
    }
    return false;
}

static bool batch_allows_shared_key(const struct account *account)
{
    const char *mode = json_get_text(account->properties, "poolAllocationMode");

    return (!mode || strcasecmp(mode, "UserSubscription") != 0) &&
           allows_mode(account, "SharedKey");
}

bool account_allows_shared_key(const struct account *account)
{
    const struct type_switch *keys = &account->type->off;
    struct json_object *value = NULL;
    const char *text;

    if (account->type == &type_batch)
        return batch_allows_shared_key(account);
    if (!keys->property)
        return true;
    json_object_object_get_ex(keys->is_at_parent ? account->parent_properties : account->properties,
                              keys->property, &value);
    text = !value ? "" : json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
    return keys->needs_on ? strcmp(text, keys->on) == 0 : strcmp(text, keys->off) != 0;
}

bool account_allows_entra(const struct account *account)
{
    return allows_mode(account, "AAD");
}

const char *key_slot_name(size_t slot)
{
    return slot % TYPE_PAIR == 0 ? "Primary" : "Secondary";
}

bool key_slot_parse(const struct type *type, const char *name, const char *pair, size_t *slot)
{
    bool primary = name && strcmp(name, "Primary") == 0;
    bool secondary = name && strcmp(name, "Secondary") == 0;
    int index = type_pair(type, pair);

    *slot = (size_t)(index < 0 ? 0 : index) * TYPE_PAIR + (primary ? 0 : 1);
    return (primary || secondary) && index >= 0;
}
