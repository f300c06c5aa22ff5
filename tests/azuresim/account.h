/* One resource of the simulated world: its properties, the keys in its slots and all keys these
 * slots ever held. */
#ifndef AZURESIM_ACCOUNT_H
#define AZURESIM_ACCOUNT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

#define KEY_TEXT_SIZE   180
#define SLOT_MAX_BIRTHS 256

/* Of the first pair; the second pair's follow. */
enum key_slot_id { SLOT_PRIMARY, SLOT_SECONDARY };

struct key_birth {
    int64_t born_us;
    const char *by; /* "create", "arm" or "foreign" */
    char key[KEY_TEXT_SIZE];
};

struct key_slot {
    struct key_birth *births; /* oldest first; the last one is the key of today */
    size_t birth_count;
};

struct account {
    const struct type *type;
    char *name;                  /* its names with slashes between: "namespace/rule" */
    char *names[TYPE_MAX_NAMES]; /* each of them */
    char *subscription_id;
    char *resource_group;
    char *location;
    char *kind;                            /* NULL: as the type has it */
    struct json_object *properties;        /* that clients may change; null: absent */
    struct json_object *parent_properties; /* the same of its namespace, shared with its siblings;
                                            * NULL: it has none */
    struct json_object *tags;              /* object; NULL: none */
    int64_t propagation_ms;                /* -1: as the settings say */
    int64_t operation_ms;                  /* -1: as the settings say */
    struct key_slot slots[TYPE_MAX_SLOTS];
    uint64_t regenerate_count[TYPE_MAX_SLOTS];
    uint64_t list_keys_count;
    uint64_t get_count;
    uint64_t probe_count;
};

/* An account of that type. NAME has as many names as the type (account_names_fit()). */
struct account *account_new(const struct type *type, const char *name);
void account_free(struct account *account);

/* Has NAME the names that a resource of the type has, in their form? */
bool account_names_fit(const struct type *type, const char *name);

/* Changes all but keys and place as PROPERTIES (the body of PUT and PATCH) says. Returns false with
 * a reason, having changed nothing, where they are not valid. */
bool account_change(struct account *account, struct json_object *properties, char *message,
                    size_t size);

/* A new random key in the form of the type; to be freed. */
char *account_make_key(const struct account *account);

/* Can KEY be a key of this type? */
bool account_takes_key(const struct type *type, const char *key);

/* The key that the slot held at WALL_US; before its first birth, the first. */
const char *account_key_at(const struct account *account, size_t slot, int64_t wall_us);

/* When the key that account_key_at() gives was made. */
int64_t account_key_born_us(const struct account *account, size_t slot, int64_t wall_us);

/* How many keys were in the slot before that of today. */
size_t account_key_age(const struct account *account, size_t slot);

/* Whether shared keys may be used. */
bool account_allows_shared_key(const struct account *account);

/* Whether Entra tokens may be used on the data plane (Batch). */
bool account_allows_entra(const struct account *account);

/* "Primary" or "Secondary", in any pair. */
const char *key_slot_name(size_t slot);

/* Reads a slot name, with case, and the pair's (NULL: the first pair). */
bool key_slot_parse(const struct type *type, const char *name, const char *pair, size_t *slot);

#endif
