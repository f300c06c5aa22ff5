/* What the key vaults hold: secrets with their versions. A vault exists as soon as somebody writes
 * to it. Callers hold the simulator's lock. */
#ifndef AZURESIM_VAULT_STORE_H
#define AZURESIM_VAULT_STORE_H

#include <json-c/json.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VAULT_MAX_SECRETS   100000
#define SECRET_MAX_VERSIONS 1000

struct secret_version {
    char version[33];
    char *value;
    char *content_type;       /* NULL: none */
    struct json_object *tags; /* NULL: none */
    bool enabled;
    int64_t not_before; /* epoch seconds; 0: none, as for expires */
    int64_t expires;
    int64_t created;
    int64_t updated;
};

struct vault_secret {
    char *vault;
    char *name;
    struct secret_version *versions; /* oldest first */
    size_t version_count;
    int64_t deleted_at; /* epoch seconds; 0: not deleted */
};

struct vault_store;

struct vault_store *vault_store_new(void);
void vault_store_free(struct vault_store *store);

/* The secret (any case), deleted or not; NULL where there is none. */
struct vault_secret *vault_store_find(struct vault_store *store, const char *vault,
                                      const char *name);

/* The secret, made where there was none; NULL where the store is full. */
struct vault_secret *vault_store_ensure(struct vault_store *store, const char *vault,
                                        const char *name);

/* Forgets the secret with all versions. */
void vault_store_purge(struct vault_store *store, struct vault_secret *secret);

/* For iteration over all secrets of all vaults; values of entries are struct vault_secret. */
struct lh_entry *vault_store_first(struct vault_store *store);

/* Appends a version with VALUE, stamped now; the oldest goes once there are too many. */
struct secret_version *vault_secret_add_version(struct vault_secret *secret, const char *value);

/* The version called VERSION, or the newest for NULL; NULL where there is none. */
struct secret_version *vault_secret_version(struct vault_secret *secret, const char *version);

#endif
