#include "vault_store.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "encode.h"
#include "memory.h"

struct vault_store {
    struct lh_table *secrets; /* lower-case "vault/name" → struct vault_secret */
};

static void version_done(struct secret_version *version)
{
    free(version->value);
    free(version->content_type);
    json_object_put(version->tags);
}

static void free_secret_entry(struct lh_entry *entry)
{
    struct vault_secret *secret = (struct vault_secret *)lh_entry_v(entry);

    for (size_t i = 0; i < secret->version_count; i++)
        version_done(&secret->versions[i]);
    free(secret->versions);
    free(secret->vault);
    free(secret->name);
    free(secret);
    free(lh_entry_k(entry));
}

struct vault_store *vault_store_new(void)
{
    struct vault_store *store = memory_zeroed(1, sizeof(*store));

    store->secrets = lh_kchar_table_new(64, free_secret_entry);
    return store;
}

void vault_store_free(struct vault_store *store)
{
    if (!store)
        return;
    lh_table_free(store->secrets);
    free(store);
}

static char *key_of(const char *vault, const char *name)
{
    char *key = memory_printf("%s/%s", vault, name);

    for (char *c = key; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return key;
}

struct vault_secret *vault_store_find(struct vault_store *store, const char *vault,
                                      const char *name)
{
    char *key = key_of(vault, name);
    void *found = NULL;

    lh_table_lookup_ex(store->secrets, key, &found);
    free(key);
    return found;
}

struct vault_secret *vault_store_ensure(struct vault_store *store, const char *vault,
                                        const char *name)
{
    struct vault_secret *secret = vault_store_find(store, vault, name);

    if (secret || lh_table_length(store->secrets) >= VAULT_MAX_SECRETS)
        return secret;
    secret = memory_zeroed(1, sizeof(*secret));
    secret->vault = memory_text(vault);
    secret->name = memory_text(name);
    lh_table_insert(store->secrets, key_of(vault, name), secret);
    return secret;
}

void vault_store_purge(struct vault_store *store, struct vault_secret *secret)
{
    char *key = key_of(secret->vault, secret->name);

    lh_table_delete(store->secrets, key);
    free(key);
}

struct lh_entry *vault_store_first(struct vault_store *store)
{
    return store->secrets->head;
}

struct secret_version *vault_secret_add_version(struct vault_secret *secret, const char *value)
{
    struct secret_version *version;
    int64_t now = clock_wall_us() / CLOCK_US_PER_SECOND;

    if (secret->version_count == SECRET_MAX_VERSIONS) {
        version_done(&secret->versions[0]);
        secret->version_count--;
        memmove(secret->versions, secret->versions + 1,
                secret->version_count * sizeof(*secret->versions));
    }
    secret->versions =
        memory_resized(secret->versions, secret->version_count + 1, sizeof(*secret->versions));
    version = &secret->versions[secret->version_count++];
    *version = (struct secret_version){
        .value = memory_text(value), .enabled = true, .created = now, .updated = now};
    random_hex32(version->version);
    return version;
}

struct secret_version *vault_secret_version(struct vault_secret *secret, const char *version)
{
    for (size_t i = secret->version_count; i > 0; i--) {
        struct secret_version *candidate = &secret->versions[i - 1];

        if (!version || strcasecmp(candidate->version, version) == 0)
            return candidate;
    }
    return NULL;
}
