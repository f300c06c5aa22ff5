/*
 * The world as actions touch it: keys are replaced, targets are written to.
 */

#define IS_LIVE(k) ((k) == live[0] || (k) == live[1])

/*
 * Keys are numbered anew after every step, in the order in which they are found here: 1 and 2 are
 * always the two that are live, whatever is above is dead. A dead key that is found nowhere any
 * more loses its number, and what was known of it, which makes no difference. So rotations continue
 * for ever in a finite number of states.
 */
inline rename(key_)
{
    if
    :: key_ == 0 || key_ == NOT_SEEN -> skip
    :: else ->
        if
        :: names[key_] == 0 -> n++; names[key_] = n
        :: else -> skip
        fi;
        key_ = names[key_]
    fi
}

inline rename_if_known(key_)
{
    if
    :: key_ == 0 || key_ == OLD_KEY -> skip
    :: else -> key_ = (names[key_] == 0 -> OLD_KEY : names[key_])
    fi
}

inline rename_mask(mask_)
{
    t = 1;
    key = 0;
    do
    :: t <= KEYS_MAX ->
        if
        :: HAS(mask_, t - 1) && names[t] != 0 -> ADD(key, names[t] - 1)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    mask_ = key;
    key = 0
}

inline rename_keys()
{
    n = 0;
    rename(live[0]);
    rename(live[1]);
    rename(past[0]);
    rename(past[1]);
    rename(holds[0]);
    rename(reads[0]);
#if TARGETS == 2
    rename(holds[1]);
    rename(reads[1]);
#endif
    rename(someone);
#ifdef PRESUMED
    rename(by_hand);
#endif
    slot = 0;
    do
    :: slot < DAEMONS ->
        rename(records[slot].live[0]);
        rename(records[slot].live[1]);
        rename(records[slot].unconfirmed_live[0]);
        rename(records[slot].unconfirmed_live[1]);
        rename(records[slot].unconfirmed_held[0]);
#if TARGETS == 2
        rename(records[slot].unconfirmed_held[1]);
#endif
        rename(processes[slot].late);
        slot++
    :: else -> break
    od;
    slot = 0;
    do
    :: slot < DAEMONS ->
        rename_if_known(records[slot].given[0]);
#if TARGETS == 2
        rename_if_known(records[slot].given[1]);
#endif
        slot++
    :: else -> break
    od;
    rename_mask(foreign_dead);
    rename_mask(records[0].replaced);
#if DAEMONS == 2
    rename_mask(records[1].replaced);
#endif
    assert(n < KEYS_MAX);
    n = 0;
    slot = 0;
    t = 1;
    do
    :: t <= KEYS_MAX -> names[t] = 0; t++
    :: else -> break
    od;
    t = 0
}

/* A new key takes the place of the one in `slot`. */
inline replace_key()
{
#if LATE_LOOKS
    past[0] = live[0];
    past[1] = live[1];
#endif
    live[slot] = KEYS_MAX; /* a number that nothing has */
    printf("  azure: slot %d has a new key\n", slot)
}

inline no_look_is_late()
{
    past[0] = 0;
    past[1] = 0
}

/* All but `d` have not seen what has just happened. */
inline others_have_not_seen()
{
#if DAEMONS == 2
    processes[OTHER(d)].unseen = 1
#else
    skip
#endif
}

/* Did somebody else act too late for the look before our request? */
#ifdef SLOW
#define SOMEONE_CAME_LATER regenerated_since
#define WRITTEN_LATER wrote_since
#else
#define SOMEONE_CAME_LATER false
#define WRITTEN_LATER false
#endif

#ifdef PRESUMED
#define IS_USED_BY_HAND(k) (by_hand == (k))
#else
#define IS_USED_BY_HAND(k) false
#endif

inline our_request_is_carried_out()
{
    key = live[slot];
    ALWAYS_PROMISE(no_outage,
                   P.unseen || ((someone != key || SOMEONE_CAME_LATER) && !IS_USED_BY_HAND(key) &&
                                (WRITTEN_LATER ||
                                 (!(HAS(protected, 0) && (holds[0] == key || reads[0] == key)) &&
                                  !(HAS(protected, 1) && (holds[1] == key || reads[1] == key))))));
    if
    :: P.unseen || SOMEONE_CAME_LATER || WRITTEN_LATER ->
        foreign_dead = foreign_dead | KEY_BIT(key)
    :: else -> skip
    fi;
    replace_key();
    key = 0;
#ifdef CLAIM_PEACE
    last_changer = d + 1;
#endif
    others_have_not_seen()
}

inline forget_what_came_later()
{
#ifdef SLOW
    if
    :: P.lost == 0 && running == 0 -> regenerated_since = false; wrote_since = false
    :: else -> skip
    fi
#else
    skip
#endif
}

/* Azure takes the request for `slot` up. */
inline our_request_arrives()
{
#ifdef SLOW
    running = slot + 1;
    to_come = true;
    printf("  azure: an operation runs, for slot %d\n", slot)
#else
    our_request_is_carried_out()
#endif
}

/* `key` is written to the target. */
inline our_delivery_is_carried_out(t_)
{
    ALWAYS_PROMISE(no_outage, IS_LIVE(key) || HAS(foreign_dead, key - 1) || P.unseen ||
                                  !HAS(required, t_));
    if
    :: !IS_LIVE(key) -> foreign_dead = foreign_dead | KEY_BIT(key)
    :: else -> skip
    fi;
    if
    :: holds[t_] != key ->
#ifdef CLAIM_PEACE
        last_changer = d + 1;
#endif
        others_have_not_seen()
    :: else -> skip
    fi;
    holds[t_] = key;
    printf("  target %d: holds key %d\n", t_, key);
    key = 0
}

/*
 * Time. A wait of unknown_wait is over when what was lost before it has arrived or is dropped, and
 * no look can be late any more. One of overlap is over when all readers have read again since; and
 * unknown_wait, retries, the actions, and of two daemons check_every, are short against it.
 */
#define IS_AT_REST(d)                                                                              \
    ((records[d].position == idle || records[d].position == adopt_wait) && !processes[d].unseen && \
     !(records[d].unconfirmed && records[d].in_unknown_wait) && !records[d].check)
#if DAEMONS == 2
#ifdef SLEEPS /* a daemon may stand still for any time */
#define NOTHING_LINGERS                                                                            \
    (processes[0].lost == 0 && processes[1].lost == 0 && processes[0].late == 0 &&                 \
     processes[1].late == 0)
#else
#define NOTHING_LINGERS                                                                            \
    (processes[0].lost == 0 && processes[1].lost == 0 && processes[0].late == 0 &&                 \
     processes[1].late == 0 && IS_AT_REST(0) && IS_AT_REST(1))
#endif
#else
#define NOTHING_LINGERS (past[0] == 0 && processes[0].lost == 0 && processes[0].late == 0)
#endif
#define LINGERING 8
#define SOMEONE 4
#define OVERLAP_IS_OVER                                                                            \
    ((R.read_since | (someone == 0 -> SOMEONE : 0)) == (LINGERING | SOMEONE | ALL_TARGETS))
#define LOOKS_ARE_TRUE (past[0] == 0)

/* The type's longest time is over when the operation is, and unknown_wait after it. */
#ifdef SLOW
#define IS_SLOW true
#define OPERATION_RUNS (running != 0)
#define IS_SETTLING R.settling
#else
#define IS_SLOW false
#define OPERATION_RUNS false
#define IS_SETTLING false
#endif
#define LONGEST_TIME_IS_OVER (P.lost == 0 && !OPERATION_RUNS && LOOKS_ARE_TRUE)
/* The intent stays open for long: everything but the standby key is cared for meanwhile. */
#define WAITS_OUT (IS_SLOW && R.intent_open)
#define ADOPTS (R.adopt_asked && !WAITS_OUT)
