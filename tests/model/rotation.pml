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
#define REQUEST_IS_DECIDED (!R.in_unknown_wait || (P.lost == 0 && LOOKS_ARE_TRUE))
#endif

/* A look says how the regenerate went: it has ended, or its longest time is over. */
#ifdef SEED_NO_LONGEST_TIME
#define MUST_HAVE_ENDED (!IS_SETTLING || (!R.operation_known && P.lost == 0 && LOOKS_ARE_TRUE))
#elif defined(SEED_WAITS_FROM_REQUEST)
#define MUST_HAVE_ENDED (P.lost == 0 && LOOKS_ARE_TRUE)
#elif defined(SEED_JUDGES_WHILE_IT_RUNS)
#define MUST_HAVE_ENDED true
#else
#define MUST_HAVE_ENDED (!IS_SETTLING || LONGEST_TIME_IS_OVER)
#endif

/* next_target() as a condition */
#define A_TARGET_IS_READY                                                                          \
    ((HAS_ITS_TURN(0) && IS_READY(0)) || (HAS_ITS_TURN(1) && IS_READY(1)))

#define WAITS(position_) (AT(position_) && !A_PERSON_IS_NEEDED)
#define IS_WAITING                                                                                 \
    (AT(adopt_wait) || AT(idle) || AT(confirm_wait) || AT(verify_wait) || AT(deliver_wait))
#ifdef GROWS_CALM
#define A_PERSON_IS_NEEDED (calm && R.blocked != nothing && !R.adopt_asked && IS_WAITING)
#else
#define A_PERSON_IS_NEEDED false
#endif

/* Where looks are never late, a look that shows nothing new changes nothing. */
#if DAEMONS == 2
#define A_CHECK_MAY_BE_DUE (!calm && P.unseen)
#else
#define A_CHECK_MAY_BE_DUE (!calm)
#endif

/* While an operation may run, what else is due goes on. */
#ifdef SEED_BLIND_WHILE_IT_RUNS
#define WAITS_MEANWHILE false
#else
#define WAITS_MEANWHILE AT(poll_wait)
#endif

proctype daemon(byte d)
{
    do
    :: atomic {
        if
        /* EVENT_WAKE, at the end of a wait. Waits of no particular length may end at any time. */
        :: WAITS(adopt_wait) && !WAITS_FOR_A_PERSON ->
            d_step {
                R.retry = 0;
                R.in_unknown_wait = R.in_unknown_wait && !LOOKS_ARE_TRUE;
                part = adopt_look_part
            }
        :: WAITS(idle) && (R.retry || R.retrying) ->
            d_step { R.retry = 0; R.retrying = 0; part = idle_next_part }
        :: WAITS(idle) && !R.retry && A_TARGET_IS_READY && !DELIVERY_WAITS_FOR_A_PERSON ->
            part = idle_next_part
        :: WAITS(idle) && !R.retry && !R.check && A_CHECK_MAY_BE_DUE ->
            d_step { R.check = 1; part = idle_next_part }
        :: WAITS(idle) && !R.retry && R.unconfirmed && R.in_unknown_wait && LOOKS_ARE_TRUE ->
            d_step { R.in_unknown_wait = 0; R.check = 1; part = idle_next_part }
        :: WAITS(idle) && !R.retry && !R.check && INTERLOCK_IS_OPEN ->
            d_step { move_and_look(preflight) }
        :: WAITS(confirm_wait) && LOOKS_ARE_TRUE ->
            d_step { R.in_unknown_wait = 0; R.check = 1; move_and_look(check_look) }
        :: AT(doubt_wait) && REQUEST_IS_DECIDED ->
#ifdef SEED_REPEAT_WITHOUT_LOOK
            d_step { R.retry = 0; R.in_unknown_wait = 0; part = intent_part }
#else
            d_step { R.retry = 0; R.in_unknown_wait = 0; move_and_look(doubt_look) }
#endif
#ifdef SLOW
        :: AT(poll_wait) && R.operation_known && (!calm || !OPERATION_RUNS) -> d_step { begin_poll() }
        :: AT(poll_wait) && MUST_HAVE_ENDED ->
            d_step { must_have_ended(); move_and_look(doubt_look) }
        :: WAITS_MEANWHILE && (R.retry || R.retrying) ->
            d_step { R.retry = 0; R.retrying = 0; part = idle_next_part }
        :: WAITS_MEANWHILE && !R.retry && A_TARGET_IS_READY && !DELIVERY_WAITS_FOR_A_PERSON ->
            part = idle_next_part
        :: WAITS_MEANWHILE && !R.retry && !R.check && (!calm || P.unseen) ->
            d_step { R.check = 1; part = idle_next_part }
        :: WAITS_MEANWHILE && !R.retry && R.check -> part = idle_next_part
        :: WAITS_MEANWHILE && !R.retry && R.unconfirmed && LOOKS_ARE_TRUE ->
            d_step { R.check = 1; part = idle_next_part }
#endif
        :: WAITS(verify_wait) -> d_step { R.retry = 0; move_and_look(verify_look) }
#ifdef SEED_GIVES_UP
        :: WAITS(deliver_wait) && !R.retrying ->
#else
        :: WAITS(deliver_wait) && DELIVERY_CAN_CONTINUE ->
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
        :: AT(intent) || AT(offer) || AT(operation) ->
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = stalls
            :: MAY_FAIL -> outcome = stalls_again
            fi;
            d_step { intent_durable() }
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
            d_step { look_done() }
        :: AT(preflight) ->
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
            fi;
            d_step { preflight_done() }
        :: AT(regenerate) ->
            MAY_CHANGE_POLICY;
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
            :: MAY_LOSE -> outcome = lost_dropped
            :: MAY_LOSE -> outcome = lost_but_happens
            :: MAY_LOSE -> outcome = lost_for_now
#ifdef SLOW
            :: outcome = runs
            :: outcome = shows_nothing
            :: MAY_LOSE -> outcome = runs_unnamed
#endif
#if LATE_LOOKS
            :: MAY_FAIL -> outcome = shows_the_past
#endif
            fi;
            d_step { regenerated() }
#ifdef SLOW
        :: AT(poll) ->
            if
            :: OPERATION_RUNS -> outcome = runs
            :: !OPERATION_RUNS -> outcome = ended
            :: MAY_FAIL -> outcome = fails
            :: MAY_LOSE -> outcome = forgotten
            fi;
            d_step { polled() }
#endif
        :: AT(verify) ->
            if
            /* it works, too, when verify_timeout is over */
            :: MAY_FAIL || IS_LIVE(R.live[R.delivering]) -> outcome = works
            :: MAY_FAIL || !IS_LIVE(R.live[R.delivering]) -> outcome = fails
            fi;
            d_step { verify_done() }
        :: AT(prove_target) ->
            if
            :: !IS_LIVE(KEY_IN_DOUBT) -> outcome = works /* it is refused */
            :: MAY_FAIL || IS_LIVE(KEY_IN_DOUBT) -> outcome = fails
            fi;
            d_step { target_proved() }
        :: AT(prove_live) ->
            if
            :: IS_LIVE(R.unconfirmed_live[R.active_slot]) -> outcome = works
            :: MAY_FAIL || !IS_LIVE(R.unconfirmed_live[R.active_slot]) -> outcome = fails
            fi;
            d_step { live_proved() }
        :: AT(deliver) ->
            if
            :: outcome = works
            :: MAY_FAIL -> outcome = fails
            :: MAY_FAIL -> outcome = fails_but_happens
            :: MAY_LOSE -> outcome = lost_but_happens
            :: MAY_LOSE -> outcome = lost_dropped
            :: MAY_LOSE && IS_REMOTE(R.writing) -> outcome = lost_for_now
            fi;
            d_step { deliver_done() }
        :: MAY_LOSE ->
            if
            :: outcome = lost_dropped
            :: AT(regenerate) || AT(deliver) || AT(operation) -> outcome = lost_but_happens
            :: AT(regenerate) || (AT(deliver) && IS_REMOTE(R.writing)) -> outcome = lost_for_now
            fi;
            d_step { crash_and_start() }

        /* from outside */
#if COMMANDS
        :: commands_left > 0 && !calm && R.adopted ->
            d_step { commands_left--; command_redeliver() }
        :: commands_left > 0 && !calm -> d_step { commands_left--; command_adopt(0) }
        :: commands_left > 0 && !calm -> d_step { commands_left--; command_adopt(1) }
        :: commands_left > 0 && !calm && !R.held -> d_step { commands_left--; command_hold() }
        :: R.held -> d_step { end_hold() } /* by a command, or by time */
        :: commands_left > 0 && !calm -> d_step { commands_left--; command_unblock() }
        :: commands_left > 0 && !calm -> d_step { commands_left--; command_check() }
#endif
#ifdef PRESUMED
        :: R.presumed && !R.adopt_asked && by_hand == live[R.active_slot] ->
            d_step { command_confirm() }
        :: R.presumed && !R.adopt_asked && by_hand == live[OTHER(R.active_slot)] ->
            d_step { command_correct() }
#endif
#ifdef GROWS_CALM
        /* once calm is true, a person sees to blocked accounts */
        :: A_PERSON_IS_NEEDED && R.blocked != another_rotator -> d_step { command_adopt(0) }
        :: A_PERSON_IS_NEEDED && R.blocked != another_rotator -> d_step { command_adopt(1) }
        :: A_PERSON_IS_NEEDED && R.blocked == another_rotator -> d_step { command_unblock() }
#endif
#if RELOADS
        :: reloads_left > 0 && !calm -> d_step { reloads_left--; configure() }
#endif
        fi;
        d_step { finish_step() }
    }
    od
}

/* --- everybody else --- */

/* Have all who read there done so since each instant from which an overlap counts? */
#if DAEMONS == 2
#define ALL_HAVE_READ(whom) (HAS(records[0].read_since, whom) && HAS(records[1].read_since, whom))
#elif RELOADS
#define ALL_HAVE_READ(whom)                                                                        \
    (HAS(records[0].read_since, whom) && HAS(records[0].read_since_ack, whom))
#else
#define ALL_HAVE_READ(whom) HAS(records[0].read_since, whom)
#endif
#define SOMEONE_BIT 2
#define LINGERING_BIT 3

inline note_read(whom)
{
    ADD(records[0].read_since, whom);
#if DAEMONS == 2
    ADD(records[1].read_since, whom);
#endif
#if RELOADS
    ADD(records[0].read_since_ack, whom);
#endif
    rename_keys()
}

/* The readers of a target read whenever they like, but no overlap ends before they have read. */
#define MAY_READ(t) (t < TARGETS && holds[t] != 0 && (reads[t] != holds[t] || !ALL_HAVE_READ(t)))

inline reads_again(t_)
{
    reads[t_] = holds[t_];
    printf("  readers of target %d: use key %d\n", t_, reads[t_]);
    note_read(t_)
}

#define A_REQUEST_IS_UNDER_WAY                                                                     \
    (processes[0].lost != 0 || OPERATION_RUNS || records[0].position == regenerate)

/* Somebody unknown to the daemons. He uses a key that he has made, from then on for at most an
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
#ifdef SLOW
    regenerated_since = regenerated_since || A_REQUEST_IS_UNDER_WAY;
#endif
    note_read(SOMEONE_BIT)
}

/* A write that is undone before a look has shown it cannot be noticed. */
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
#ifdef SLOW
    wrote_since = wrote_since || A_REQUEST_IS_UNDER_WAY;
#endif
    rename_keys()
}

#if DAEMONS == 2
#define ALL_ASK_FOR_A_PERSON (records[0].blocked != nothing && records[1].blocked != nothing)
#else
#define ALL_ASK_FOR_A_PERSON (records[0].blocked != nothing)
#endif

#ifdef RUNS_ON
#define RUNS_FOR_EVER (calm && OPERATION_RUNS)
#else
#define RUNS_FOR_EVER false
#endif

proctype world()
{
    do
    /* Nothing can happen any more. */
    :: timeout -> PROMISE(nothing_stops_in_silence, ALL_ASK_FOR_A_PERSON || RUNS_FOR_EVER)
#ifdef GROWS_CALM
    :: d_step { !calm -> calm = true; no_look_is_late(); rename_keys() }
#endif
    :: d_step { NOTHING_LINGERS && !ALL_HAVE_READ(LINGERING_BIT) -> note_read(LINGERING_BIT) }
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

/* Has an operation failed? Or it runs on, for ever. */
#define MAY_END_UNDONE (FAULTS >= 2 && !calm)
#ifdef RUNS_ON
#define MAY_END (!calm)
#else
#define MAY_END true
#endif

/* A request, or a delivery, that its daemon has abandoned; and operations. */
proctype network(byte d)
{
    do
    :: d_step {
        P.lost != 0 ->
        slot = P.lost - 1;
        P.lost = 0;
        P.starting = 0;
        printf("azure carries out a lost request of %d\n", d);
        our_request_arrives();
        rename_keys()
    }
    :: d_step {
        P.lost != 0 ->
        P.lost = 0;
        P.starting = 0;
        printf("azure drops a lost request of %d\n", d);
        forget_what_came_later()
    }
#ifdef SLOW
    :: d_step {
        OPERATION_RUNS && to_come ->
        slot = running - 1;
        to_come = false;
        our_request_is_carried_out();
        rename_keys()
    }
    :: d_step {
        OPERATION_RUNS && MAY_END && (!to_come || MAY_END_UNDONE) ->
        running = 0;
        to_come = false;
        printf("  azure: the operation ends\n");
        forget_what_came_later()
    }
#endif
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

/* Names, with which the moves are printed. */
#define NAME_POSITION(position_)                                                                   \
    to = position_;                                                                                \
    c_code { position_names[now.to] = #position_; }

init {
    d_step {
        c_code { atexit(print_moves); };
        NAME_POSITION(adopt_wait);
        NAME_POSITION(adopt_look);
        NAME_POSITION(idle);
        NAME_POSITION(check_look);
        NAME_POSITION(prove_target);
        NAME_POSITION(prove_live);
        NAME_POSITION(confirm_wait);
        NAME_POSITION(preflight);
        NAME_POSITION(rotate_look);
        NAME_POSITION(intent);
        NAME_POSITION(regenerate);
        NAME_POSITION(doubt_wait);
        NAME_POSITION(doubt_look);
        NAME_POSITION(verify_look);
        NAME_POSITION(verify);
        NAME_POSITION(verify_wait);
        NAME_POSITION(deliver_look);
        NAME_POSITION(offer);
        NAME_POSITION(deliver);
        NAME_POSITION(deliver_wait);
        NAME_POSITION(operation);
        NAME_POSITION(poll_wait);
        NAME_POSITION(poll);
        to = 0;
        live[0] = 1;
        live[1] = 2;
        reads[0] = 1;
        reads[1] = (TARGETS == 2 -> 1 : 0);
#ifdef PRESUMED
        reads[0] = 0; /* nobody reads there yet */
#endif
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
#ifdef PRESUMED
        if
        :: by_hand = 1
        :: by_hand = 2 /* the rule is wrong about this account */
        fi;
#endif
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
/* Once faults have ended, a rotation completes, and all readers have a key that works. */
ltl completes { [] (calm -> <> (done && IS_WELL(0) && IS_WELL(1))) }
#endif

/* What somebody else breaks while an operation runs is repaired meanwhile. */
#ifdef CLAIM_MENDED
#define WORKS(t) (holds[t] == 0 || IS_LIVE(holds[t]))
ltl mended { [] (calm -> <> (WORKS(0) && WORKS(1))) }
#endif

/* Two daemons do not undo each other's changes for ever: of keys, or of what targets hold. */
#ifdef CLAIM_PEACE
ltl peace { ! (([] <> (last_changer == 1)) && ([] <> (last_changer == 2))) }
#endif

/* What targets hold works again and again. */
#ifdef CLAIM_REPAIRED
#define IS_GOOD(t) (holds[t] == 0 || IS_LIVE(holds[t]))
ltl repaired { [] <> (IS_GOOD(0) && IS_GOOD(1)) }
#endif
