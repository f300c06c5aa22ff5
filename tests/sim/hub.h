/*
 * The hub of a world whose accounts are policies inside one resource: what it is like, what is
 * written to it, and what the daemon asks of it.
 */
#ifndef KEYROTATED_TESTS_SIM_HUB_H
#define KEYROTATED_TESTS_SIM_HUB_H

#include "proto/two_key/two_key.h"
#include "world.h"

enum { HUB_NAME_MAX = 16, HUB_ETAG_TEXT_MAX = 32 };

/* --- hub.c --- */
/* How many policies it has, those that are no accounts included, which come last. */
unsigned hub_policies(const struct world *world);
const char *hub_policy_name(const struct world *world, unsigned policy, char out[HUB_NAME_MAX]);
/* What it was like then. */
const struct hub_moment *hub_at(const struct world *world, time_ms at);
void hub_etag_text(const struct hub_moment *moment, char out[HUB_ETAG_TEXT_MAX]);
/* It is written back, with If-Match where `etag` is not empty. Returns the status: 200: it was
 * accepted, and the change begins; 409: another one runs; 412: it was changed since. */
int hub_put(struct world *world, const struct operation *operation, const char *etag,
            const char *body, size_t length);
/* What was written besides the key that is renewed. */
void hub_take_effect(struct world *world, struct world_account *account, enum slot slot);

/* --- hub_call.c: what the daemon asks, through io/azure/azure_rewrite.c --- */
/* A look at it is under way, and arrives now: takes what its answers show, of `at` and, where it is
 * described, of a moment before now. */
void hub_look_arrives(struct operation *operation, time_ms at);
/* They are there: what it says of the description. */
void hub_look_answered(struct operation *operation);
/* Reads, lists and writes back. */
void hub_renew(struct operation *operation);
/* The request that writes arrives. False: it is refused, as operation->failure says. */
bool hub_renewal_arrives(struct operation *operation);
/* Was the request sent that writes? */
bool hub_is_sent(const struct operation *operation);
void hub_call_free(struct hub_call *hub);

extern const struct two_key_resource two_key_iot_hub_policy;

#endif
