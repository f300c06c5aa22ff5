/* The Batch accounts of the simulated world: their properties, the keys in their two slots and all
 * keys these slots ever held. Every birth and death of a key goes to the truth log. Callers hold
 * the simulator's lock. */
#ifndef AZURESIM_WORLD_H
#define AZURESIM_WORLD_H

#include <json-c/json.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "truth.h"

#define WORLD_MAX_ACCOUNTS 100000
#define KEY_TEXT_SIZE      180
#define KEY_SLOT_COUNT     2
#define SLOT_MAX_BIRTHS    256

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
    char *name;
    char *subscription_id;
    char *resource_group;
    char *location;
    char *pool_allocation_mode;
    char *provisioning_state;
    char *public_network_access;
    struct json_object *allowed_authentication_modes; /* array; NULL: property absent */
    struct json_object *tags;                         /* object; NULL: none */
    int64_t propagation_ms;                           /* -1: as the settings say */
    struct key_slot slots[KEY_SLOT_COUNT];
    uint64_t regenerate_count[KEY_SLOT_COUNT];
    uint64_t list_keys_count;
    uint64_t get_count;
    uint64_t probe_count;
};

struct world;

struct world *world_new(struct truth *truth);
void world_free(struct world *world);

/* Creates an account as PROPERTIES (the body of PUT /_sim/accounts) says. Returns NULL and writes
 * the reason to MESSAGE where they are not valid or the name is taken. */
struct account *world_create(struct world *world, struct json_object *properties, char *message,
                             size_t size);

/* Changes the account as PROPERTIES (the body of PATCH) says; keys given there are foreign
 * rotations. Returns false with a reason. */
bool world_change(struct world *world, struct account *account, struct json_object *properties,
                  char *message, size_t size);

/* Deletes an account; its subscription and resource group stay. */
void world_delete(struct world *world, struct account *account);

/* The account called NAME (any case), or NULL. */
struct account *world_find(struct world *world, const char *name);

/* The first account of the world, for iteration with lh_entry_next(); the value of an entry is the
 * struct account. */
struct lh_entry *world_first(struct world *world);

/* The entry of account NAME, or NULL. */
struct lh_entry *world_entry(struct world *world, const char *name);

/* Do they exist (any case)? A group exists once an account was created in it. */
bool world_has_subscription(struct world *world, const char *subscription_id);
/* The subscription at that index, in the order of their first accounts; NULL: there are fewer. */
const char *world_subscription(struct world *world, size_t index);
bool world_has_group(struct world *world, const char *subscription_id, const char *group);

/* Puts a new random key into the slot. BY as in struct key_birth; PROPAGATION_MS only goes to the
 * log, for the time from which the data plane accepts the key. */
void world_regenerate(struct world *world, struct account *account, enum key_slot_id slot,
                      const char *by, const char *client_request_id, int64_t propagation_ms);

/* The key that the slot held at WALL_US; before its first birth, the first. */
const char *account_key_at(const struct account *account, enum key_slot_id slot, int64_t wall_us);

/* Whether shared keys may be used and listed. */
bool account_allows_shared_key(const struct account *account);

/* Whether Entra tokens may be used on the data plane. */
bool account_allows_entra(const struct account *account);

/* "Primary" or "Secondary". */
const char *key_slot_name(enum key_slot_id slot);

/* Reads a slot name, with case. */
bool key_slot_parse(const char *name, enum key_slot_id *slot);

#endif
