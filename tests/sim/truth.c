/*
 * The truth: which keys are live, what the targets hold, and what a key looks like. All changes go
 * through here, so that the oracles see them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "world.h"

struct world_account *world_account_of(struct world *world, const char *name)
{
    char *rest;
    unsigned long number = strtoul(name + 1, &rest, 10);

    if (*rest != '\0')
        number++; /* "a1#second" ends the id of a2: see world_pair_id() */
    if (number < 1 || number > world->account_count)
        abort();
    return &world->accounts[number - 1];
}

key_number world_make_key(struct world *world)
{
    return ++world->keys_made;
}

void world_live_at(const struct world_account *account, time_ms at, key_number live[SLOT_COUNT])
{
    live[SLOT_PRIMARY] = account->live[SLOT_PRIMARY];
    live[SLOT_SECONDARY] = account->live[SLOT_SECONDARY];
    for (size_t i = 0; i < account->past_count && at < account->past[i].until; i++) {
        live[SLOT_PRIMARY] = account->past[i].live[SLOT_PRIMARY];
        live[SLOT_SECONDARY] = account->past[i].live[SLOT_SECONDARY];
    }
}

void world_regenerate(struct world *world, struct world_account *account, enum slot slot,
                      bool by_daemon)
{
    key_number before = account->live[slot];
    size_t kept = account->past_count < LIVE_PAST_MAX - 1 ? account->past_count : LIVE_PAST_MAX - 1;

    oracle_key_dies(world, account, slot, by_daemon);
    memmove(&account->past[1], &account->past[0], kept * sizeof(account->past[0]));
    account->past[0].until = world->now;
    account->past[0].live[SLOT_PRIMARY] = account->live[SLOT_PRIMARY];
    account->past[0].live[SLOT_SECONDARY] = account->live[SLOT_SECONDARY];
    account->past_count = kept + 1;
    account->live[slot] = world_make_key(world);
    account->live_since[slot] = world->now;
    if (by_daemon)
        world->counts.regenerates++;
    trace_tell(world, account, by_daemon ? "azure" : "somebody", "regenerates %s: k%u replaces k%u",
               slot_name(slot), account->live[slot], before);
}

void world_write_target(struct world *world, struct world_account *account, unsigned target,
                        key_number key, uint64_t cycle, bool by_daemon)
{
    struct world_target *place = &account->targets[target];
    size_t kept = place->past_count < TARGET_PAST_MAX - 1 ? place->past_count : TARGET_PAST_MAX - 1;

    place->cycle = cycle;
    if (place->past[0].key == key)
        return;
    oracle_target_changes(world, account, target, key, by_daemon);
    world->counts.deliveries += by_daemon;
    memmove(&place->past[1], &place->past[0], kept * sizeof(place->past[0]));
    place->past[0] = (struct target_span){.from = world->now, .key = key, .by_daemon = by_daemon};
    place->past_count = kept + 1;
    if (key == KEY_NONE || key == KEY_GIBBERISH)
        trace_tell(world, account, by_daemon ? "target" : "somebody", "%s now holds %s",
                   place->settings.name, key == KEY_NONE ? "nothing" : "something without a key");
    else
        trace_tell(world, account, by_daemon ? "target" : "somebody", "%s now holds k%u",
                   place->settings.name, key);
}

key_number world_target_held(const struct world_target *target, time_ms at)
{
    for (size_t i = 0; i < target->past_count; i++)
        if (target->past[i].from <= at)
            return target->past[i].key;
    return target->past[target->past_count - 1].key;
}

/* --- keys as the daemon sees them --- */

struct fingerprint world_fingerprint(key_number key)
{
    struct fingerprint fingerprint = {{0}};

    if (key == KEY_NONE)
        return fingerprint;
    /* Filled bytes around the number, so that half a fingerprint never equals another. */
    for (size_t i = 0; i < FINGERPRINT_LENGTH / sizeof(key); i++) {
        key_number part = key * (key_number)(2 * i + 1);

        memcpy(fingerprint.bytes + i * sizeof(part), &part, sizeof(part));
    }
    return fingerprint;
}

key_number world_key_of(const struct fingerprint *fingerprint)
{
    struct fingerprint same;
    key_number key;

    memcpy(&key, fingerprint->bytes, sizeof(key));
    same = world_fingerprint(key);
    return fingerprint_equal(&same, fingerprint) ? key : KEY_NONE;
}

/* The text of a key, which must never be stored or logged: WORLD_KEY_PREFIX and its number. */
struct secret {
    key_number key;
    char text[WORLD_KEY_MAX];
};

struct secret *world_secret(key_number key)
{
    struct secret *secret = malloc(sizeof(*secret));

    if (!secret)
        abort();
    secret->key = key;
    secret->text[0] = '\0';
    return secret;
}

key_number world_key_of_secret(const struct secret *secret)
{
    return secret->key;
}

key_number world_key_of_text(const char *text, size_t length)
{
    const size_t prefix = sizeof(WORLD_KEY_PREFIX) - 1;

    if (length <= prefix || memcmp(text, WORLD_KEY_PREFIX, prefix) != 0)
        return KEY_NONE;
    return (key_number)strtoul(text + prefix, NULL, 10);
}

/* --- base/secret.h and base/crypto.h, as far as what is linked here needs them --- */

const char *secret_bytes(const struct secret *secret)
{
    struct secret *writable = (struct secret *)(uintptr_t)secret;

    snprintf(writable->text, sizeof(writable->text), WORLD_KEY_PREFIX "%u", secret->key);
    return secret->text;
}

size_t secret_length(const struct secret *secret)
{
    return strlen(secret_bytes(secret));
}

struct secret *secret_new(const void *bytes, size_t length)
{
    return world_secret(world_key_of_text(bytes, length));
}

void secret_free(struct secret *secret)
{
    free(secret);
}

void secret_clear(struct secret **secret)
{
    secret_free(*secret);
    *secret = NULL;
}

void wipe(void *memory, size_t length)
{
    if (length > 0)
        explicit_bzero(memory, length);
}

/* Of proto/key_text.h: only notifications need it, and nobody is notified here. */
void key_text_redact(char *text);
void key_text_redact(char *text)
{
    (void)text;
}

/* The same in every world: an id of Azure's log influences nothing. */
int crypto_uuid(char out[UUID_TEXT_MAX])
{
    snprintf(out, UUID_TEXT_MAX, "00000000-0000-4000-8000-000000000000");
    return 0;
}
