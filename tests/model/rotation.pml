/*
 * The rotation of one account's keys, by the protocol of daemon/core. README.md beside this file
 * says what is modelled, what is not, and what the promises mean; check.py runs it.
 */

c_decl {
    static unsigned char moves_made[256][256];
    static const char *position_names[256];

    /* When the search ends: the moves that it has explored. */
    static void print_moves(void)
    {
        for (int from = 0; from < 256; from++)
            for (int to = 0; to < 256; to++)
                if (moves_made[from][to])
                    printf("MOVE %s %s\n", position_names[from], position_names[to]);
    }
};

#include "state.pml"
#include "world.pml"
#include "machine.pml"
#include "steps.pml"
#include "events.pml"

/* --- a daemon --- */

#define MAY_FAIL (FAULTS >= 2 && !calm)
#define MAY_LOSE (FAULTS >= 1 && !calm)

/* `verify: off` may have become the policy meanwhile. */
#ifdef VERIFY_MAY_BE_OFF
#define MAY_CHANGE_POLICY                                                                          \
    if                                                                                             \
    :: skip                                                                                        \
    :: !calm -> skip_verify = 1                                                                    \
    fi
#else
#define MAY_CHANGE_POLICY skip
#endif

#ifdef SEED_NO_UNKNOWN_WAIT
#define REQUEST_IS_DECIDED true
#else
#define REQUEST_IS_DECIDED (!R.unsure || (P.lost == 0 && LOOKS_ARE_TRUE))
#endif

/* find_next_target() as a condition */
#define A_TARGET_IS_READY                                                                          \
    ((HAS_ITS_TURN(0) && IS_READY(0)) || (HAS_ITS_TURN(1) && IS_READY(1)))

#define WAITS(position_) (AT(position_) && !A_PERSON_IS_NEEDED)
#define IS_WAITING                                                                                 \
    (AT(adopt_wait) || AT(idle) || AT(confirm_wait) || AT(verify_wait) || AT(deliver_wait))
#ifdef CLAIM_COMPLETES
#define A_PERSON_IS_NEEDED (calm && R.blocked != nothing && !R.adopt_told && IS_WAITING)
#else
#define A_PERSON_IS_NEEDED false
#endif

/* Where looks are never late, one that shows nothing new does nothing. */
#if DAEMONS == 2
#define A_CHECK_MAY_BE_DUE (!calm && P.unseen)
#else
#define A_CHECK_MAY_BE_DUE (!calm)
#endif

proctype daemon(byte d)
{
    do
    :: atomic {
        if
        /* EVENT_WAKE, at the end of a wait. Waits of no particular length may end at any time. */
        :: WAITS(adopt_wait) && !WAITS_FOR_A_PERSON ->
            d_step { R.retry = 0; R.unsure = R.unsure && !LOOKS_ARE_TRUE; part = adopt_look_part }
        :: WAITS(idle) && (R.retry || R.retrying) ->
            d_step { R.retry = 0; R.retrying = 0; part = idle_next_part }
        :: WAITS(idle) && !R.retry && A_TARGET_IS_READY && !DELIVERY_WAITS_FOR_A_PERSON ->
            part = idle_next_part
        :: WAITS(idle) && !R.retry && !R.check && A_CHECK_MAY_BE_DUE ->
            d_step { R.check = 1; part = idle_next_part }
        :: WAITS(idle) && !R.retry && R.surprised && R.unsure && LOOKS_ARE_TRUE ->
            d_step { R.unsure = 0; R.check = 1; part = idle_next_part }
        :: WAITS(idle) && !R.retry && !R.check && INTERLOCK_IS_OPEN ->
            d_step { move_and_look(preflight) }
        :: WAITS(confirm_wait) && LOOKS_ARE_TRUE ->
            d_step { R.unsure = 0; R.check = 1; move_and_look(check_look) }
        :: AT(doubt_wait) && REQUEST_IS_DECIDED ->
#ifdef SEED_REPEAT_WITHOUT_LOOK
            d_step { R.retry = 0; R.unsure = 0; part = intent_part }
#else
            d_step { R.retry = 0; R.unsure = 0; move_and_look(doubt_look) }
#endif
        :: WAITS(verify_wait) -> d_step { R.retry = 0; move_and_look(verify_look) }
#ifdef SEED_GIVES_UP
        :: WAITS(deliver_wait) && !R.retrying ->
#else
        :: WAITS(deliver_wait) && DELIVERY_CAN_GO_ON ->
#endif
            d_step {
                R.retry = 0;
#ifdef SEED_NO_FREEZE
                part = complete_part /* one target has it, the others will */
#else
                R.retrying = 0;
                part = (A_REQUIRED_TARGET_IS_OWED -> deliver_look_part : complete_part)
#endif
            }

        /* completions */
        :: AT(intent) || AT(offer) ->
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = stalls
            :: MAY_FAIL -> outcome = stalls_again
            fi;
            d_step { on_persisted() }
        :: LOOKS ->
            MAY_CHANGE_POLICY;
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
#if LATE_LOOKS
            :: MAY_FAIL && !LOOKS_ARE_TRUE -> outcome = shows_the_past
#endif
#ifdef UNREAD_TARGETS
            :: MAY_FAIL -> outcome = works; unread = 1
#endif
            fi;
            d_step { on_looked() }
        :: AT(preflight) ->
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
            fi;
            d_step { on_preflight() }
        :: AT(regenerate) ->
            MAY_CHANGE_POLICY;
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
            :: MAY_LOSE -> outcome = lost_dropped
            :: MAY_LOSE -> outcome = lost_but_happens
            :: MAY_LOSE -> outcome = lost_for_now
#if LATE_LOOKS
            :: MAY_FAIL -> outcome = shows_the_past
#endif
            fi;
            d_step { on_regenerated() }
        :: AT(verify) ->
            if
            :: MAY_FAIL || IS_LIVE(R.live[R.goal]) -> outcome = works /* or patience is over */
            :: MAY_FAIL || !IS_LIVE(R.live[R.goal]) -> outcome = fails
            fi;
            d_step { on_verified() }
        :: AT(prove_target) ->
            if
            :: !IS_LIVE(KEY_IN_DOUBT) -> outcome = works /* it is refused */
            :: MAY_FAIL || IS_LIVE(KEY_IN_DOUBT) -> outcome = fails
            fi;
            d_step { on_prove_target() }
        :: AT(prove_live) ->
            if
            :: IS_LIVE(R.seen_live[R.active_slot]) -> outcome = works
            :: MAY_FAIL || !IS_LIVE(R.seen_live[R.active_slot]) -> outcome = fails
            fi;
            d_step { on_prove_live() }
        :: AT(deliver) ->
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
            :: MAY_FAIL -> outcome = fails_but_happens
            :: MAY_LOSE -> outcome = lost_but_happens
            :: MAY_LOSE -> outcome = lost_dropped
            :: MAY_LOSE && IS_REMOTE(R.writing) -> outcome = lost_for_now
            fi;
            d_step { on_delivered() }
        :: MAY_LOSE ->
            if
            :: outcome = lost_dropped
            :: AT(regenerate) || AT(deliver) -> outcome = lost_but_happens
            :: AT(regenerate) || (AT(deliver) && IS_REMOTE(R.writing)) -> outcome = lost_for_now
            fi;
            d_step { crash_and_start() }

        /* from outside */
#if COMMANDS
        :: commands_left > 0 && !calm && R.adopted ->
            d_step { commands_left--; on_redeliver() }
        :: commands_left > 0 && !calm -> d_step { commands_left--; on_adopt(0) }
        :: commands_left > 0 && !calm -> d_step { commands_left--; on_adopt(1) }
        :: commands_left > 0 && !calm && !R.held -> d_step { commands_left--; on_hold() }
        :: R.held -> d_step { on_resume() } /* by a command, or by time */
        :: commands_left > 0 && !calm -> d_step { commands_left--; on_unblock() }
        :: commands_left > 0 && !calm -> d_step { commands_left--; on_check() }
#endif
#ifdef CLAIM_COMPLETES
        /* when all is calm, a person sees to what is blocked */
        :: A_PERSON_IS_NEEDED && R.blocked != another_rotator -> d_step { on_adopt(0) }
        :: A_PERSON_IS_NEEDED && R.blocked != another_rotator -> d_step { on_adopt(1) }
        :: A_PERSON_IS_NEEDED && R.blocked == another_rotator -> d_step { on_unblock() }
#endif
#if RELOADS
        :: reloads_left > 0 && !calm -> d_step { reloads_left--; on_configured() }
#endif
        fi;
        d_step { finish_step() }
    }
    od
}

/* --- everybody else --- */

/* What is true of overlap, for whoever waits for one. */
#if DAEMONS == 2
#define EVERY_TOLD(whom) (HAS(records[0].told, whom) && HAS(records[1].told, whom))
#elif RELOADS
#define EVERY_TOLD(whom) (HAS(records[0].told, whom) && HAS(records[0].last_told, whom))
#else
#define EVERY_TOLD(whom) HAS(records[0].told, whom)
#endif
#define SOMEONE_BIT 2
#define LINGERING_BIT 3

inline tell_all(whom)
{
    ADD(records[0].told, whom);
#if DAEMONS == 2
    ADD(records[1].told, whom);
#endif
#if RELOADS
    ADD(records[0].last_told, whom);
#endif
    rename_keys()
}

/* The readers of a target, whenever they like; but nobody's overlap ends before they have. */
#define MAY_READ(t) (t < TARGETS && holds[t] != 0 && (reads[t] != holds[t] || !EVERY_TOLD(t)))

inline reads_again(t_)
{
    reads[t_] = holds[t_];
    printf("  readers of target %d: use key %d\n", t_, reads[t_]);
    tell_all(t_)
}

/* Somebody we do not know. A key that he has made he uses himself, from now on for at most an
 * overlap. */
inline somebody_regenerates(slot_)
{
    foreign_left--;
    printf("somebody else regenerates\n");
    slot = slot_;
    foreign_dead = foreign_dead | KEY_BIT(live[slot]);
    replace_key();
    someone = live[slot];
    processes[0].unseen = 1;
    tell_all(SOMEONE_BIT)
}

/* What is written and taken back before a look has shown it cannot be noticed. */
#ifdef TAKES_BACK
#define MAY_BE_WRITTEN (foreign_left > 0 && !calm && !processes[0].unseen)
#else
#define MAY_BE_WRITTEN (foreign_left > 0 && !calm && !somebody_wrote)
#endif

inline somebody_writes(t_, slot_)
{
    foreign_left--;
    somebody_wrote = true;
    holds[t_] = live[slot_];
    printf("somebody else writes: target %d holds key %d\n", t_, holds[t_]);
    processes[0].unseen = 1;
    rename_keys()
}

#if DAEMONS == 2
#define ALL_ASK_FOR_A_PERSON (records[0].blocked != nothing && records[1].blocked != nothing)
#else
#define ALL_ASK_FOR_A_PERSON (records[0].blocked != nothing)
#endif

proctype world()
{
    do
    /* Nothing can happen any more. */
    :: timeout -> PROMISE(nothing_stops_in_silence, ALL_ASK_FOR_A_PERSON)
#ifdef CLAIM_COMPLETES
    :: d_step { !calm -> calm = true; no_look_is_late(); rename_keys() }
#endif
    :: d_step { NOTHING_LINGERS && !EVERY_TOLD(LINGERING_BIT) -> tell_all(LINGERING_BIT) }
    :: d_step { MAY_READ(0) -> reads_again(0) }
    :: d_step { MAY_READ(1) -> reads_again(1) }
#if LATE_LOOKS
    :: d_step { past[0] != 0 -> no_look_is_late(); rename_keys() }
#endif
#if FOREIGN
    :: d_step { someone != 0 -> someone = 0; rename_keys(); printf("  somebody moves on\n") }
    :: d_step { foreign_left > 0 && !calm -> somebody_regenerates(0) }
    :: d_step { foreign_left > 0 && !calm -> somebody_regenerates(1) }
#ifndef FOREIGN_KEYS_ONLY
    :: d_step { MAY_BE_WRITTEN && holds[0] != live[0] -> somebody_writes(0, 0) }
    :: d_step { MAY_BE_WRITTEN && holds[0] != live[1] -> somebody_writes(0, 1) }
#endif
#endif
    od
}

/* A request, or a delivery, that its daemon has given up. */
proctype network(byte d)
{
    do
    :: d_step {
        P.lost != 0 ->
        slot = P.lost - 1;
        P.lost = 0;
        P.starting = 0;
        printf("azure carries out a lost request of %d\n", d);
        our_request_is_carried_out();
        rename_keys()
    }
    :: d_step {
        P.lost != 0 ->
        P.lost = 0;
        P.starting = 0;
        printf("azure drops a lost request of %d\n", d)
    }
#if REMOTE != 2
    :: d_step {
        P.late != 0 ->
        key = P.late;
        P.late = 0;
        printf("a lost delivery of %d arrives\n", d);
        our_delivery_is_carried_out(REMOTE);
        rename_keys()
    }
    :: d_step { P.late != 0 -> P.late = 0; rename_keys() }
#endif
    od
}

/* So that the moves can be printed by name. */
#define TELL_NAME(position_)                                                                       \
    to = position_;                                                                                \
    c_code { position_names[now.to] = #position_; }

init {
    d_step {
        c_code { atexit(print_moves); };
        TELL_NAME(adopt_wait);
        TELL_NAME(adopt_look);
        TELL_NAME(idle);
        TELL_NAME(check_look);
        TELL_NAME(prove_target);
        TELL_NAME(prove_live);
        TELL_NAME(confirm_wait);
        TELL_NAME(preflight);
        TELL_NAME(rotate_look);
        TELL_NAME(intent);
        TELL_NAME(regenerate);
        TELL_NAME(doubt_wait);
        TELL_NAME(doubt_look);
        TELL_NAME(verify_look);
        TELL_NAME(verify);
        TELL_NAME(verify_wait);
        TELL_NAME(deliver_look);
        TELL_NAME(offer);
        TELL_NAME(deliver);
        TELL_NAME(deliver_wait);
        to = 0;
        live[0] = 1;
        live[1] = 2;
        reads[0] = 1;
        reads[1] = (TARGETS == 2 -> 1 : 0);
        n = 0;
        do
        :: n < DAEMONS ->
            records[n].position = adopt_wait;
            records[n].blocked = nothing;
            n++
        :: else -> break
        od;
        n = 0
    };
    atomic {
        run daemon(0);
        run network(0);
#if DAEMONS == 2
        run daemon(1);
        run network(1);
#endif
        run world()
    }
}

/* --- what is claimed about whole runs --- */

#ifdef CLAIM_COMPLETES
#define IS_WELL(t) (reads[t] == 0 || IS_LIVE(reads[t]))
/* When nothing goes wrong any more, a rotation completes, and all readers have a key that works. */
ltl completes { [] (calm -> <> (done && IS_WELL(0) && IS_WELL(1))) }
#endif

/* Two daemons do not for ever undo what the other did: to keys, or to what targets hold as well. */
#ifdef CLAIM_PEACE
ltl peace { ! (([] <> (turn == 1)) && ([] <> (turn == 2))) }
#endif

/* What targets hold, works; if not now, then later, again and again. */
#ifdef CLAIM_REPAIRED
#define IS_GOOD(t) (holds[t] == 0 || IS_LIVE(holds[t]))
ltl repaired { [] <> (IS_GOOD(0) && IS_GOOD(1)) }
#endif
