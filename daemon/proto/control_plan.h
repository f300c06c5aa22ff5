/*
 * The plan document: the rotations to come, account by account, in pages.
 *
 *    GET /v1/plan?until=2026-12-31T00:00:00Z&account=A&after=ID
 *
 * A page ends after some accounts, so that no answer keeps the daemon from its work; "next" is the
 * `after` of the next page, or null. Pure, like the rest of the protocol.
 */
#ifndef KEYROTATED_PROTO_CONTROL_PLAN_H
#define KEYROTATED_PROTO_CONTROL_PLAN_H

#include "proto/control_protocol.h"

/* How far ahead a plan may look. */
#define CONTROL_PLAN_DEFAULT (90 * MS_DAY)
#define CONTROL_PLAN_MAX     (800 * MS_DAY)

/* A rotation to come. Texts may be NULL (not known) and are borrowed. */
struct planned_snapshot {
    time_ms at;
    const char *slot;     /* gets a new key: the key in it dies */
    const char *why;      /* "splay", …: why it starts then */
    const char *because;  /* the same in words */
    time_ms old_key_born; /* of the key that consumers leave with it; TIME_NEVER: unknown */
    bool old_key_older;   /* that key existed before the account was adopted */
    time_ms old_key_dies; /* at the next rotation; TIME_NEVER: none is foreseen */
    bool too_old;         /* it is older than max_key_age then */
};

struct account_plan {
    const char *id;
    const char *name;
    const char *resource_group;
    const char *state;
    const char *waits; /* why no rotation is foreseen at all; NULL: some is */
    time_ms later_at;  /* the first rotation after the end of the plan; TIME_NEVER: unknown */
    bool more;         /* it has more rotations until then than are listed */
    struct planned_snapshot *rotations;
    size_t rotation_count;
};

/* Writing it: start, any number of accounts, end. `next`: the id of the last account where others
 * follow; NULL: this was the last page. */
void control_plan_start(struct buf *out, time_ms now, time_ms until);
void control_plan_account(struct buf *out, const struct account_plan *account);
void control_plan_end(struct buf *out, const char *next);

/* A page as it was read. All texts live as long as it does. */
struct control_plan {
    time_ms now, until;
    const char *next;
    struct account_plan *accounts;
    size_t account_count;
    struct json_object *document; /* owns the texts */
};

/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *plan is empty. */
int control_plan_parse(const char *text, size_t length, struct control_plan *plan, struct err *err);
void control_plan_done(struct control_plan *plan);

/* The path that asks for a page. `after` NULL: the first one. Returns out->failed. */
int control_plan_path(char *const *names, size_t name_count, time_ms until, const char *after,
                      struct buf *out);

#endif
