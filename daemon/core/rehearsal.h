/*
 * A rehearsal: the rotations that an account will carry out if everything works.
 *
 * The rotation machine itself is played forward, on a copy of the record: whatever it asks for is
 * answered at once, and well. So the plan that people see follows the same rules as the daemon, to
 * the letter. A rehearsal decides nothing, and what happens in it is neither stored nor reported.
 */
#ifndef KEYROTATED_CORE_REHEARSAL_H
#define KEYROTATED_CORE_REHEARSAL_H

#include "core/rotation.h"

/* Why a rotation starts when it does, and not at another time. */
enum rehearsal_why {
    WHY_UNDER_WAY, /* it has begun already */
    WHY_COMMAND,   /* an operator has asked for it */
    WHY_FIRST,     /* the first one: spread over the interval by the account's name */
    WHY_INTERVAL,  /* rotate_every after the planned time before it */
    WHY_SPLAY,     /* … and spread from there on */
    WHY_WINDOW,    /* the planned time lies outside all windows */
    WHY_FREEZE,    /* … in a change freeze */
    WHY_CATCH_UP,  /* its time has passed while it could not start */
    WHY_OVERLAP,   /* the replaced key must stay until then */
    WHY_HOLD,      /* an operator's hold ends */
    WHY_PAUSE,     /* something else must be over first: a retry, a regenerate, a pause that Azure
                    * asked for, the daemon's start */
    WHY_COUNT
};
/* "splay", …: stable. And the same as words that follow "because": "its start is spread …". */
const char *rehearsal_why_name(enum rehearsal_why why);
const char *rehearsal_why_words(enum rehearsal_why why);

struct rehearsed {
    time_ms at;     /* it starts; of one that is under way, it has started */
    enum slot slot; /* gets a new key: the key in it dies */
    enum rehearsal_why why;
    time_ms replaced_born; /* of the key that the consumers leave with it; TIME_NEVER: unknown */
    bool replaced_older;   /* that key existed before its account was adopted */
    time_ms replaced_dies; /* the next rotation, which regenerates it; TIME_NEVER: none follows
                            * within the rehearsal's horizon */
};

struct rehearsal {
    struct rotation_context context;
    struct policy policy;
    struct record record;
    struct fingerprint live[SLOT_COUNT];
    struct fingerprint holds[TARGETS_MAX]; /* what the context's targets hold; none: nothing */
    struct effects effects;
    struct action action; /* to be answered; ACTION_NONE: nothing */
    time_ms now;
    time_ms horizon;
    enum rehearsal_why obstacle; /* why the rotation that is due could not start at its time;
                                  * WHY_COUNT: it was not due yet, or nothing kept it */
    uint32_t keys_made;
    uint32_t steps; /* since the last rotation began */
    bool ended;
    struct rehearsed next; /* begun, and not returned yet: its end is that of the next one */
    bool has_next;
};

/* Begins at `now`, and looks no further than `horizon`. The account must be adopted. What `context`
 * borrows must outlive the rehearsal. */
void rehearsal_begin(struct rehearsal *rehearsal, const struct rotation_context *context,
                     const struct record *record, time_ms now, time_ms horizon);

/* The next rotation. Returns false when there is none before the horizon, or no end to the wait for
 * it is known. */
bool rehearsal_next(struct rehearsal *rehearsal, struct rehearsed *ret_rotation);

#endif
