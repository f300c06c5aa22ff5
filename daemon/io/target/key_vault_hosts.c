#include "io/target/key_vault_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"

/* Most sites have a few vaults, some have one for each account. */
enum { BUCKETS = 256 };

struct host {
    struct host *next; /* in its bucket */
    struct key_vault_challenge challenge;
    char vault[];
};

struct key_vault_hosts {
    size_t count;
    struct host *buckets[BUCKETS];
};

static size_t bucket_of(const char *vault)
{
    return hash_bytes(HASH_START, vault, strlen(vault)) % BUCKETS;
}

static struct host *find(const struct key_vault_hosts *hosts, const char *vault)
{
    struct host *host = hosts ? hosts->buckets[bucket_of(vault)] : NULL;

    while (host && strcmp(host->vault, vault) != 0)
        host = host->next;
    return host;
}

const struct key_vault_challenge *key_vault_hosts_find(const struct key_vault_hosts *hosts,
                                                       const char *vault)
{
    const struct host *host = find(hosts, vault);

    return host ? &host->challenge : NULL;
}

static void forget_all(struct key_vault_hosts *hosts)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct host *host = hosts->buckets[i], *next; host; host = next) {
            next = host->next;
            free(host);
        }
        hosts->buckets[i] = NULL;
    }
    hosts->count = 0;
}

void key_vault_hosts_put(struct key_vault_hosts **hosts, const char *vault,
                         const struct key_vault_challenge *challenge)
{
    struct host *host = find(*hosts, vault);
    struct host **bucket;

    if (!host) {
        if (!*hosts)
            *hosts = must_alloc(sizeof(**hosts));
        if ((*hosts)->count == KEY_VAULT_HOSTS_MAX)
            forget_all(*hosts);
        (*hosts)->count++;
        host = must_alloc(sizeof(*host) + strlen(vault) + 1);
        memcpy(host->vault, vault, strlen(vault) + 1);
        bucket = &(*hosts)->buckets[bucket_of(vault)];
        host->next = *bucket;
        *bucket = host;
    }
    host->challenge = *challenge;
}

void key_vault_hosts_free(struct key_vault_hosts *hosts)
{
    if (hosts)
        forget_all(hosts);
    free(hosts);
}
