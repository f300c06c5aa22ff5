/*
 * What there is: one account with two keys, its targets and their readers, requests under way, and
 * for each daemon the record that it keeps in its journal. And the promises that are checked.
 *
 * A key is a small number, as good as its fingerprint (see rename_keys() in world.pml).
 */

/* --- what a configuration chooses --- */

#ifndef DAEMONS /* 2: both believe that the account is theirs, each with a journal of its own */
#define DAEMONS 1
#endif
#ifndef TARGETS
#define TARGETS 1
#endif
#ifndef FOREIGN /* how often somebody else regenerates a key or writes to a target */
#define FOREIGN 0
#endif
#ifndef COMMANDS /* how often an operator gives a command */
#define COMMANDS 0
#endif
#ifndef RELOADS /* how often a reload makes the last target optional, or required again */
#define RELOADS 0
#endif
/* Looks may show the state before the last change. 1: until a look, or the answer to a regenerate,
 * has shown the present one; 2: until a look has; 3: even after that. */
#ifndef LATE_LOOKS
#define LATE_LOOKS 0
#endif
/* PRESUMED: the key that the configuration names is that of a rule, which may be wrong. */
/* SLOW: a regenerate may be an operation, which takes the type's longest time at most and replaces
 * the key at any time until it ends; answers may show no key. RUNS_ON: one that runs when calm
 * begins runs for ever. */
#ifndef FAULTS /* 1: crashes, and requests and deliveries that are lost; 2: and all that can fail */
#define FAULTS 2
#endif

/* Some claims are about what follows when nothing goes wrong any more. */
#if defined(CLAIM_COMPLETES) || defined(CLAIM_MENDED)
#define GROWS_CALM
#endif

/* Masks have one bit per target. One target may be remote: a delivery to it may still arrive after
 * it was abandoned. It is the last of two, or the first; others are local files. */
#define ALL_TARGETS ((1 << TARGETS) - 1)
#define IS_REMOTE(t) ((t) == REMOTE)
#if defined(REMOTE_FIRST)
#define REMOTE 0
#elif TARGETS == 2
#define REMOTE 1
#else
#define REMOTE 2 /* none */
#endif
#ifdef UNREADABLE
#define READABLE (ALL_TARGETS >> 1) /* a look cannot see what the last target holds */
#else
#define READABLE ALL_TARGETS
#endif

/* The positions of daemon/core/flow.c, by the same names. */
mtype = {
    adopt_wait, adopt_look, idle, check_look, prove_target, prove_live, confirm_wait, preflight,
    rotate_look, intent, regenerate, doubt_wait, doubt_look, verify_look, verify, verify_wait,
    deliver_look, offer, deliver, deliver_wait, operation, poll_wait, poll
};

/* Why an account is blocked. */
mtype = {
    nothing, active_key_unknown, targets_disagree, target_holds_unknown_key, another_rotator,
    journal_behind
};

/* The outcome of an action. */
mtype = {
    works, fails, fails_but_happens, shows_the_past, lost_dropped, lost_but_happens, lost_for_now,
    stalls, stalls_again, shows_nothing, runs, runs_unnamed, ended, forgotten
};

/* The parts of one step, in the order in which they follow each other. */
mtype = {
    no_more, check_part, intent_part, adopt_part, verify_part, deliver_part, complete_part,
    idle_part, idle_next_part, deliver_look_part, adopt_look_part
};

#define KEYS_MAX 8 /* as many as a byte has bits */
#define KEY_BIT(key) ((key) == 0 -> 0 : 1 << ((key) - 1))
#define OTHER(slot) (1 - (slot))
#define HAS(mask, t) (((mask) >> (t)) & 1)
#define ADD(mask, t) mask = mask | (1 << (t))
#define DROP(mask, t) mask = mask & ~(1 << (t))

/* --- the world --- */

byte live[2];      /* the keys that Azure accepts */
byte past[2];      /* what a late look shows; 0: no look can be late now */
byte holds[2];     /* the key that stands in a target; 0: none */
byte reads[2];     /* the key that the readers of a target use; 0: none */
byte someone;      /* the key that somebody unknown uses; 0: none */
#ifdef PRESUMED
byte by_hand; /* the key of consumers who do not read a target yet; 0: none are left */
#endif
#ifdef SLOW
byte running; /* the operation that carries a request of ours out: its slot + 1; 0: none */
bool to_come; /* it has not replaced the key yet */
/* what somebody else did and no look could show before our request left, which cannot be called
 * back: regenerate, write */
bool regenerated_since, wrote_since;
#endif
byte foreign_dead; /* mask of keys that somebody else replaced, or that he may have used */
byte foreign_left = FOREIGN;
bool somebody_wrote;
byte commands_left = COMMANDS;
byte reloads_left = RELOADS;
byte required = ALL_TARGETS;  /* the configuration */
byte protected = ALL_TARGETS; /* required targets that acknowledged while they were required */
bool calm;                    /* from here on nothing goes wrong any more */
bool done;                    /* and a rotation was completed */
byte last_changer;            /* who changed something last: 0: nobody; else the daemon + 1 */

/* --- a daemon's record --- */

typedef record {
    mtype position;
    unsigned adopted : 1;
#ifdef PRESUMED
    unsigned presumed : 1; /* a rule alone has named the active slot */
#endif
    unsigned was_adopted : 1; /* adopted_at */
    unsigned active_slot : 1;
    unsigned delivering : 1;
    byte live[2];
    byte replaced;            /* keys known to be dead: mask */
    unsigned intent_open : 1; /* its `before` are the record's live keys */
    unsigned intent_slot : 1;
    unsigned repeated : 1; /* the request of this intent may have been sent before */
#ifdef SLOW
    unsigned operation_known : 1; /* the URL of the operation */
    unsigned settling : 1;  /* its longest time is not over: it may run, whatever a look shows */
    unsigned just_ended : 1; /* settles_at lies ahead: a look that shows no change may be late */
#endif
    unsigned verified : 1;
    /* Who has read since overlap_from: the readers (by target), somebody unknown (bit 2); bit 3:
     * everything that lingered then (late looks, abandoned requests and deliveries) has ended */
    unsigned read_since : 4;
    unsigned read_since_ack : 4; /* the same since the last target acknowledged */
    /* targets: masks */
    unsigned acknowledged : 2;
    unsigned delivery_intended : 2;
    unsigned unsettled : 2; /* a delivery of unknown outcome */
    unsigned retrying : 2;  /* its retry_at lies ahead */
    unsigned attempted : 2; /* attempts != 0: delivered to, and not seen to hold the key since */
    unsigned dead : 2;      /* it holds a key that is not live: dead_since */
    unsigned early : 2;     /* no look can see it, and a target before it got its delivery later */
    unsigned writing : 1;   /* the target that is being delivered to */
    byte given[2]; /* the key that it acknowledged last; 0: none, or written to since; or OLD_KEY */
    /* unconfirmed drift */
    unsigned unconfirmed : 1;
    unsigned standby_in_use : 1; /* a target held the standby key */
    unsigned proven : 1;
    byte unconfirmed_live[2];
    byte unconfirmed_held[2];
    /* less than unknown_wait has passed since an unconfirmed look, or a request */
    unsigned in_unknown_wait : 1;
    unsigned was_late : 1;         /* the last look was late */
    unsigned check : 1;            /* check_at has come */
    unsigned retry : 1;            /* retry_at lies ahead */
    unsigned foreign_recently : 1; /* somebody else changed a key within rotate_every */
    unsigned other_rotator : 1;    /* another_rotator: until a person clears it */
    unsigned held : 1;
    unsigned adopt_asked : 1;
    unsigned adopt_slot : 1;
    mtype blocked;
};
record records[DAEMONS];
#define R records[d]

/* --- the process: what is not in the journal --- */

typedef process {
    unsigned acting : 1;
    unsigned fresh : 1;    /* the last look is young enough to act on */
    unsigned starting : 1; /* less than unknown_wait has passed since the start */
    unsigned on_disk : 1;  /* the record is durable */
    unsigned lost : 2;     /* an abandoned request that may still be carried out: slot + 1 */
    byte late;             /* the key that an abandoned delivery may still write */
#ifdef SEED_PARITY
    unsigned parity : 1; /* the slot to regenerate next, in memory alone */
#endif
    /* only for the promises */
    unsigned unseen : 1;     /* somebody else acted, and no look could show it */
    unsigned unresolved : 2; /* a request whose outcome no look has shown: slot + 1 */
    unsigned tried : 2;      /* the slot that this rotation asks for: slot + 1 */
    unsigned frozen : 1;     /* a target may hold the new key, and some lack it */
};
process processes[DAEMONS];
#define P processes[d]

/* --- scratch, 0 outside of a step --- */

byte t, n, key, slot;
byte names[KEYS_MAX + 1]; /* by number: the new number of a key */
byte look[2];             /* the live keys as a look, or an answer, shows them */
byte sighting[2];         /* what it shows in the targets */
byte unread;              /* targets that it could not read: mask */
byte holding[2];          /* what those hold by that */
byte seen, on_active, on_standby, elsewhere;
bool is_late, is_drift, is_unfit, in_use, active_changed, standby_changed, again, yes, skip_verify;
mtype part, then, outcome, verdict, to;

#define UNSEEN 0
#define EMPTY 1
#define LIVE_IN(slot) (2 + (slot))
#define DEAD 4
#define NOT_SEEN 255 /* a sighting of nothing */
#define OLD_KEY 254  /* a key that is found nowhere else any more */

/* --- the promises --- */

mtype = {
    no_outage, only_the_standby_slot, durable_before_effect, a_fresh_look_before,
    no_repeat_in_doubt, same_slot_again, no_request_lingers, frozen_while_delivering,
    no_poll_before_durable, no_second_operation, no_conclusion_while_it_runs,
    settled_before_the_next, active_moves_last, one_action_at_a_time, nothing_stops_in_silence
};

/* A trail ends with its name. */
#define ALWAYS_PROMISE(name, condition)                                                            \
    if                                                                                             \
    :: (condition) -> skip                                                                         \
    :: else -> printf("BROKEN %e\n", name); assert(false)                                          \
    fi
/* OUTAGES_ONLY: only what consumers would notice. */
#ifdef OUTAGES_ONLY
#define PROMISE(name, condition) skip
#else
#define PROMISE(name, condition) ALWAYS_PROMISE(name, condition)
#endif
