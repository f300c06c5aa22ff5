/*
 * Accounts that rules of the configuration find (`discover`): when lists are asked for, and what
 * follows from them. Whatever a list says or lacks, nothing is regenerated for it, and no account
 * is forgotten: one that is missing is asked for, and leaves care when Azure says that it is gone,
 * or that no rule finds it any more.
 */
#ifndef KEYROTATED_APP_DISCOVERY_H
#define KEYROTATED_APP_DISCOVERY_H

#include "app/discovery_book.h"
#include "app/engine.h"
#include "io/azure/arm_get.h"
#include "proto/control_protocol.h"

struct discovery_client;

/* Borrowed; all must outlive it. */
struct discovery_client_parts {
    struct arm_get_parts get;
    struct log *log;
    struct store *store;
    /* Puts a configuration with other found accounts in force. */
    void (*apply)(void *context, struct config *config, const struct engine_farewell *farewells,
                  size_t farewell_count);
    void *context;
};

struct discovery_client *discovery_new(const struct discovery_client_parts *parts);
/* Reads what the journal knows (at start, blocking). */
int discovery_load(struct discovery_client *client, struct err *err);

/* `config` with all accounts that are known for its rules, or NULL with err set. Changes nothing.
 */
struct config *discovery_expand(const struct discovery_client *client, const struct config *config,
                                struct err *err);

/* That configuration (from discovery_expand()) is in force, by a start or a reload. What no rule of
 * it finds is forgotten, and every rule lists soon. */
void discovery_configure(struct discovery_client *client, struct config *config);

/* The wall clock was set by `jump`: lists keep their distances. */
void discovery_clock_jumped(struct discovery_client *client, duration_ms jump);

/* No further list is begun, and what is under way is abandoned. */
void discovery_stop(struct discovery_client *client);
/* After discovery_stop(), once saves have ended. NULL is fine. */
void discovery_free(struct discovery_client *client);

/* For --once: every rule has listed since the configuration came. *ret_failed: some could not. */
bool discovery_is_settled(const struct discovery_client *client, bool *ret_failed);

/* The rules for the status document, at most `max`. Texts live until the next list. */
size_t discovery_snapshot(const struct discovery_client *client, struct rule_snapshot *rules,
                          size_t max);

#endif
