/*
 * Locking, unlocking and core dump exclusion work on whole pages. If secrets were locked one by one
 * in the heap, freeing one would unlock its neighbours on the same page. So the bytes live in
 * separate regions of pages, which are locked and unlocked as a whole and divided into slots of one
 * size. The handle stays in the ordinary heap, where leak checkers can see it.
 */
#include "base/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/list.h"

/* A slot that is not in use starts with the address of the next one. */
struct free_slot {
    struct free_slot *next;
};

struct region {
    struct list link;
    char *pages;
    size_t size;
    size_t slot_size;
    size_t slots_used;
    struct free_slot *free_slots;
};

struct secret {
    struct region *region;
    char *bytes; /* a slot of the region; `length` bytes and a NUL */
    size_t length;
};

enum {
    REGION_SIZE = 65536,
    SMALL_SLOT = 128, /* an account key is 88 bytes of base64 */
    LARGE_SLOT = 4096 /* an access token; what is longer gets a region of its own */
};

static struct list regions = {.next = &regions, .prev = &regions};
static pthread_mutex_t regions_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t round_up_to_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

static void push_free_slot(struct region *region, void *address)
{
    struct free_slot *slot = address;

    slot->next = region->free_slots;
    region->free_slots = slot;
}

static struct region *region_new(size_t slot_size)
{
    struct region *region = calloc(1, sizeof(*region));

    if (!region)
        return NULL;
    region->slot_size = slot_size;
    region->size = slot_size > LARGE_SLOT ? slot_size : round_up_to_pages(REGION_SIZE);
    region->pages =
        mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region->pages == MAP_FAILED) {
        free(region);
        return NULL;
    }

    /* Both are hardening: where RLIMIT_MEMLOCK or the kernel forbids them, the secret is kept all
     * the same. */
    (void)mlock(region->pages, region->size);
    (void)madvise(region->pages, region->size, MADV_DONTDUMP);

    for (size_t end = region->size / slot_size * slot_size; end > 0; end -= slot_size)
        push_free_slot(region, region->pages + end - slot_size);
    list_append(&regions, &region->link);
    return region;
}

static void region_free(struct region *region)
{
    list_remove(&region->link);
    munmap(region->pages, region->size);
    free(region);
}

static size_t slot_size_for(size_t size)
{
    if (size <= SMALL_SLOT)
        return SMALL_SLOT;
    return size <= LARGE_SLOT ? LARGE_SLOT : round_up_to_pages(size);
}

static struct region *region_with_free_slot(size_t slot_size)
{
    list_for_each_entry (region, &regions, struct region, link) {
        if (region->slot_size == slot_size && region->free_slots)
            return region;
    }
    return region_new(slot_size);
}

/* Fills in secret->region and secret->bytes. */
static bool take_slot(struct secret *secret, size_t size)
{
    pthread_mutex_lock(&regions_lock);
    struct region *region = region_with_free_slot(slot_size_for(size));
    struct free_slot *slot = region ? region->free_slots : NULL;
    if (slot) {
        region->free_slots = slot->next;
        region->slots_used++;
        secret->region = region;
        secret->bytes = (char *)slot;
    }
    pthread_mutex_unlock(&regions_lock);
    return !!slot;
}

static void give_slot_back(struct secret *secret)
{
    struct region *region = secret->region;

    pthread_mutex_lock(&regions_lock);
    push_free_slot(region, secret->bytes);
    region->slots_used--;
    if (region->slots_used == 0)
        region_free(region);
    pthread_mutex_unlock(&regions_lock);
}

/* With room for `length` bytes, still to be filled, and the NUL behind them. */
static struct secret *secret_of_length(size_t length)
{
    if (length > SECRET_MAX)
        return NULL;

    struct secret *secret = calloc(1, sizeof(*secret));
    if (!secret)
        return NULL;
    if (!take_slot(secret, length + 1)) {
        free(secret);
        return NULL;
    }
    secret->bytes[length] = '\0';
    secret->length = length;
    return secret;
}

struct secret *secret_new(const void *bytes, size_t length)
{
    struct secret *secret = secret_of_length(length);

    if (secret && length > 0)
        memcpy(secret->bytes, bytes, length);
    return secret;
}

struct secret *secret_random(size_t length)
{
    struct secret *secret = secret_of_length(length);

    if (secret && crypto_random(secret->bytes, length) != 0)
        secret_clear(&secret);
    return secret;
}

struct secret *secret_xor(const struct secret *a, const struct secret *b)
{
    struct secret *secret = a->length == b->length ? secret_of_length(a->length) : NULL;

    for (size_t i = 0; secret && i < secret->length; i++)
        secret->bytes[i] = (char)(a->bytes[i] ^ b->bytes[i]);
    return secret;
}

struct secret *secret_clone(const struct secret *secret)
{
    return secret ? secret_new(secret->bytes, secret->length) : NULL;
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    wipe(secret->bytes, secret->length + 1);
    give_slot_back(secret);
    wipe(secret, sizeof(*secret));
    free(secret);
}

void secret_clear(struct secret **secret)
{
    secret_free(*secret);
    *secret = NULL;
}

const char *secret_bytes(const struct secret *secret)
{
    return secret->bytes;
}

size_t secret_length(const struct secret *secret)
{
    return secret->length;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (!a || !b || a->length != b->length)
        return false;
    return CRYPTO_memcmp(a->bytes, b->bytes, a->length) == 0;
}
