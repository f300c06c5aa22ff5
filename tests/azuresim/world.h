/* The resources with keys of the simulated world. Every birth and death of a key goes to the truth
 * log. Callers hold the simulator's lock. */
#ifndef AZURESIM_WORLD_H
#define AZURESIM_WORLD_H

#include <json-c/json.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "truth.h"

#define WORLD_MAX_ACCOUNTS 100000

struct world;

/* What puts a new key into a slot. */
struct key_change {
    const char *by; /* as in struct key_birth */
    const char *client_request_id;
    int64_t propagation_ms; /* only goes to the log, for the time from which the data plane accepts
                             * the key */
    int64_t at_us;          /* when; 0: now */
    const char *key;        /* NULL: a random one */
};

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

/* An account below the resource that the first COUNT segments of TYPE's path and NAMES say, or
 * NULL. */
struct account *world_find_below(struct world *world, const struct type *type,
                                 const char *const *names, size_t count);

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

/* Puts a new key into the slot; the key before it dies. */
void world_regenerate(struct world *world, struct account *account, size_t slot,
                      const struct key_change *change);

#endif
