/*
 * Where an account stands in the life of its keys: the states of the rotation machine.
 *
 * A position is stored with the record, so that a restart continues after a crash. Those named
 * _LOOK, and PROVE_*, PREFLIGHT, REGENERATE, POLL, VERIFY and DELIVER have one action under way;
 * INTENT, OPERATION and DELIVER_INTENT (below: D_INTENT) wait until the journal has them; the
 * others wait for a time or a command.
 *
 *    ADOPT_WAIT <-> ADOPT_LOOK --> DELIVER_LOOK/D_INTENT (give the adopted key to the targets)
 *
 *    IDLE --due--> PREFLIGHT --> ROTATE_LOOK --> INTENT --> REGENERATE --> VERIFY --> D_INTENT
 *      ^  |                          ^               |  no clear answer          <->  VERIFY_WAIT
 *      |  +--check--> CHECK_LOOK     |               v
 *      |                |            |           DOUBT_WAIT <-> DOUBT_LOOK
 *      |                v            |                ^        (changed: VERIFY, not: INTENT again)
 *      |              PROVE, CONFIRM_WAIT  (drift counts when it is confirmed)
 *      |
 *      +-- DELIVER <-> D_INTENT <-- DELIVER_LOOK <-- DELIVER_WAIT
 *
 *    Where Azure goes on with a regenerate after its answer, or may do so unseen, POLL_WAIT stands
 * for DOUBT_WAIT, for IDLE and for DELIVER_WAIT until the outcome is known:
 *
 *    REGENERATE --> OPERATION --> POLL_WAIT <-> POLL; CHECK_LOOK; DELIVER_LOOK
 *                                    +--it has ended, or must have--> DOUBT_LOOK
 */
#ifndef KEYROTATED_CORE_POSITION_H
#define KEYROTATED_CORE_POSITION_H

#include <stdbool.h>

enum position {
    POSITION_ADOPT_WAIT,     /* nothing is known, or a human has to say: waits to look */
    POSITION_ADOPT_LOOK,     /* looks for evidence of the active slot */
    POSITION_IDLE,           /* all is well: waits for the plan, the next check, or a retry */
    POSITION_CHECK_LOOK,     /* looks for drift */
    POSITION_PROVE_TARGET,   /* asks the data plane about the key that a target holds */
    POSITION_PROVE_LIVE,     /* asks it about the key that the look showed */
    POSITION_CONFIRM_WAIT,   /* a look showed drift: waits for the second one */
    POSITION_PREFLIGHT,      /* are all required targets reachable and writable? */
    POSITION_ROTATE_LOOK,    /* the look right before an intent */
    POSITION_INTENT,         /* the intent is being made durable */
    POSITION_REGENERATE,     /* the request is out */
    POSITION_OPERATION,      /* where to ask how it goes on is being made durable */
    POSITION_POLL_WAIT,      /* it may go on: waits to ask, and for what else is due meanwhile */
    POSITION_POLL,           /* asks how it goes */
    POSITION_DOUBT_WAIT,     /* no clear answer: waits until it must have been decided */
    POSITION_DOUBT_LOOK,     /* looks whether it happened */
    POSITION_VERIFY_LOOK,    /* fetches the new key again (after a restart) */
    POSITION_VERIFY,         /* asks the data plane about the new key */
    POSITION_VERIFY_WAIT,    /* it did not accept it yet */
    POSITION_DELIVER_LOOK,   /* fetches the key to be delivered again */
    POSITION_DELIVER_INTENT, /* "this target may hold the key under delivery" is being made durable
                              */
    POSITION_DELIVER,        /* a target is being given the key */
    POSITION_DELIVER_WAIT,   /* a required target is owed the key: waits to try again */
    POSITION_COUNT,
    POSITION_STAY = POSITION_COUNT /* where a step leads that moves nowhere */
};

/* The answers come from the flow table (flow.c). */

/* "adopt_wait", …: stable, stored in the journal and logged. */
const char *position_name(enum position position);

/* May the machine go from one to the other? */
bool position_move_allowed(enum position from, enum position to);

/* The position with which a restart continues. Positions with the same result are equivalent for a
 * restart. */
enum position position_after_restart(enum position stored);

/* Will the keys of the last look be used before another look? */
bool position_needs_keys(enum position position);

/* May a delivery be under way, which a restart waits out? */
bool position_may_be_delivering(enum position position);

/* Does the account wait there until the journal has its record? */
bool position_awaits_commit(enum position position);

/* Does only a time, or a person, move the account on? */
bool position_awaits_time(enum position position);

#endif
