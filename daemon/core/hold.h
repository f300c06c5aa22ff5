/*
 * Holds: operators' orders to regenerate nothing for a time. A hold binds one account or all
 * accounts, also those that are configured later. Several can bind an account at once; it continues
 * when the last of them has ended. The list belongs to the engine (app/engine_hold.c) and is
 * durable in its own table; the rotation machine sees only the hold that binds longest (struct
 * rotation_context). Pure: time is a parameter.
 */
#ifndef KEYROTATED_CORE_HOLD_H
#define KEYROTATED_CORE_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "core/record.h"

enum {
    HOLD_REASON_MAX = 120,
    HOLD_ACCOUNT_MAX = 512,
    HOLDS_MAX = 16384 /* more than that come from a faulty script */
};

struct hold {
    uint64_t id;           /* counted from 1; no id is given twice */
    time_ms since;         /* 0: unknown, it is older than holds with an id */
    time_ms until;         /* TIME_NEVER: until it is resumed */
    char actor[ACTOR_MAX]; /* who: "uid 1000 (alice)"; "": unknown */
    char reason[HOLD_REASON_MAX];
    char account[HOLD_ACCOUNT_MAX]; /* resource id in lower case; "": all accounts */
};

/* A zeroed list is empty. app/hold_book.h gives it its memory. */
struct hold_list {
    struct hold **items; /* by account, then by id: those of all accounts come first */
    size_t count, room;
    time_ms next_end; /* the earliest end of any of them; TIME_NEVER or 0 where there is none */
};

/* Puts it where it belongs; the list has room for it, and does not own it. */
void hold_list_place(struct hold_list *list, struct hold *hold);
/* Takes out the hold of that id; NULL: there is none. */
struct hold *hold_list_take(struct hold_list *list, uint64_t id);
/* Takes out one that has ended by time; NULL: there is none. */
struct hold *hold_list_take_ended(struct hold_list *list, time_ms now);
/* NULL: there is none of that id. */
const struct hold *hold_list_find(const struct hold_list *list, uint64_t id);
/* The holds with exactly this scope ("": all accounts): *ret_count of them from the one returned
 * on, as pointers that lie side by side. They may have ended by time already. */
struct hold *const *hold_list_scope(const struct hold_list *list, const char *account,
                                    size_t *ret_count);
/* Of those that bind this account now, the one that ends last (the oldest of several). NULL: it is
 * not held. Borrowed until the list changes. */
const struct hold *hold_list_binding(const struct hold_list *list, const char *account,
                                     time_ms now);

/* All that bind this account now, the last to end first: `max` of them at most. Returns how many.
 */
size_t hold_list_collect(const struct hold_list *list, const char *account, time_ms now,
                         const struct hold **ret_holds, size_t max);

/* Is its time not over yet? */
bool hold_is_on(const struct hold *hold, time_ms now);

#endif
