/*
 * The events of a daemon, and its answers: the functions of daemon/core that end an action or carry
 * out a command, by their names there. Each ends in the parts that finish_step() runs.
 */

#define AT(position_) (R.position == position_)
#define WAITS_FOR_A_PERSON (R.blocked != nothing && !R.retry)
#define LOOKS                                                                                      \
    (AT(adopt_look) || AT(check_look) || AT(rotate_look) || AT(doubt_look) || AT(verify_look) ||   \
     AT(deliver_look))

inline wait_to_look_again()
{
    R.retry = 1;
    if
    :: R.delivering == R.active_slot && !A_REQUIRED_TARGET_IS_OWED -> part = idle_part
    :: else -> wait_to_deliver()
    fi
}

inline adopt_look_done()
{
    if
    :: outcome == fails || is_late -> R.retry = 1; move_and_wait(adopt_wait)
    :: else -> R.retry = 0; P.fresh = 1; part = adopt_part
    fi
}

/* check_look_done() and rotate_look_done() */
inline check_look_done()
{
    if
    :: outcome == fails -> R.retry = 1; part = idle_part
    :: else ->
        R.retry = !is_late && !LOOK_IS_WHOLE;
        P.fresh = 1;
        part = check_part;
        then = (AT(rotate_look) && LOOK_IS_WHOLE -> intent_part : idle_part)
    fi
}

inline doubt_look_done()
{
    if
    :: outcome == fails || is_late -> R.retry = 1; wait_in_doubt()
    :: else -> P.fresh = 1; resolve_doubt()
    fi
}

inline verify_look_done()
{
    if
    :: outcome == fails || is_late -> R.retry = 1; move_and_wait(verify_wait)
    :: else ->
        P.fresh = 1;
        note_risk();
        if
        :: look[R.delivering] != R.live[R.delivering] -> restart_delivery()
        :: else -> part = verify_part
        fi
    fi
}

inline void_lost_targets()
{
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: holding[t] != UNSEEN && holding[t] != LIVE_IN(R.delivering) && !IS_LEFT(t) ->
            void_target(t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline deliver_look_done()
{
    if
    :: outcome == fails || is_late -> wait_to_look_again()
    :: else ->
        P.fresh = 1;
        R.retry = 0;
        if
        :: look[R.delivering] == R.live[R.delivering] || R.delivering != R.active_slot ->
            note_risk()
        :: else -> skip
        fi;
        if
        :: look[R.delivering] == R.live[R.delivering] -> void_lost_targets(); part = deliver_part
        :: look[R.delivering] != R.live[R.delivering] && R.delivering != R.active_slot ->
            restart_delivery()
        :: else -> part = check_part; then = idle_part /* it differs from the record in any case */
        fi
    fi
}

/* EVENT_LOOKED */
inline look_done()
{
    P.acting = 0;
    printf("%d: the look %e\n", d, outcome);
    if
    :: unread != 0 -> printf("%d: it cannot read target 0\n", d)
    :: else -> skip
    fi;
    if
    :: outcome == shows_the_past -> look[0] = past[0]; look[1] = past[1]
    :: outcome == fails -> R.was_late = 0
    :: else -> look[0] = live[0]; look[1] = live[1]
    fi;
    if
    :: outcome == fails -> skip
    :: else -> judge_holdings()
    fi;
    if
    :: outcome == works && unread == (ALL_TARGETS & ~(READABLE)) -> P.unseen = 0
    :: else -> skip
    fi;
#if LATE_LOOKS == 1 || LATE_LOOKS == 2
    if
    :: outcome == works -> no_look_is_late()
    :: else -> skip
    fi;
#endif
    if
    :: ADOPTS && !AT(adopt_look) && !AT(doubt_look) -> part = adopt_look_part
    :: AT(adopt_look) -> adopt_look_done()
    :: !ADOPTS && (AT(check_look) || AT(rotate_look)) -> check_look_done()
    :: AT(doubt_look) -> doubt_look_done()
    :: !ADOPTS && AT(verify_look) -> verify_look_done()
    :: !ADOPTS && AT(deliver_look) -> deliver_look_done()
    fi
}

/* EVENT_PREFLIGHT_DONE */
inline preflight_done()
{
    P.acting = 0;
    if
    :: R.adopt_asked -> part = adopt_look_part
    :: !R.adopt_asked && outcome == fails -> R.retry = 1; part = idle_part
#ifdef SEED_NO_LOOK
    :: else -> part = intent_part
#else
    :: else -> move_and_look(rotate_look)
#endif
    fi
}

#ifdef SLOW
/* The operation has ended: a look says how. One that shows no change counts after unknown_wait, in
 * which looks are late. */
inline it_has_ended()
{
    R.operation_known = 0;
    R.settling = 0;
#ifndef SEED_NO_WAIT_AFTER_THE_END
    R.just_ended = 1;
#endif
    move_and_look(doubt_look)
}

inline begin_poll()
{
    PROMISE(no_poll_before_durable, P.on_disk);
    move_and_look(poll)
}

/* EVENT_POLLED */
inline polled()
{
    P.acting = 0;
    printf("%d: the poll %e\n", d, outcome);
    if
    :: outcome == ended -> it_has_ended()
#ifdef SEED_NOT_FOUND_IS_THE_END
    :: outcome == forgotten -> it_has_ended()
#else
    :: outcome == forgotten -> R.operation_known = 0; move_and_wait(poll_wait)
#endif
    :: else -> move_and_wait(poll_wait)
    fi
}
#endif

/* EVENT_REGENERATED */
inline regenerated()
{
    P.acting = 0;
    printf("%d: the regenerate %e\n", d, outcome);
    slot = R.intent_slot;
    look[0] = live[0];
    look[1] = live[1];
    if
    :: outcome == works || outcome == shows_the_past || outcome == shows_nothing ->
        our_request_is_carried_out()
    :: outcome == lost_but_happens || outcome == runs || outcome == runs_unnamed ->
        our_request_arrives()
    :: outcome == lost_for_now -> P.lost = slot + 1
    :: else -> skip
    fi;
    forget_what_came_later();
    if
    :: outcome == works ->
        look[0] = live[0];
        look[1] = live[1];
#if LATE_LOOKS == 1
        no_look_is_late()
#endif
    :: else -> skip /* an answer shows the keys from before */
    fi;
    is_late = look[slot] == R.live[slot] || (R.replaced & KEY_BIT(look[0])) != 0 ||
              (R.replaced & KEY_BIT(look[1])) != 0;
    if
    :: (outcome == works || outcome == shows_the_past) && !is_late -> take_new_key()
#ifdef SLOW
    :: outcome == shows_nothing ->
#ifdef SEED_MISSING_IS_UNCHANGED
        R.settling = 0;
        P.fresh = 1;
        part = intent_part
#else
        it_has_ended()
#endif
    :: outcome == runs ->
        R.operation_known = 1;
#ifdef SEED_POLLS_BEFORE_DURABLE
        P.on_disk = 0;
        begin_poll()
#else
        move(operation);
        P.on_disk = 0
#endif
#endif
    :: else ->
        R.retry = 1;
#ifdef SLOW
        R.settling = outcome != fails;
        P.unresolved = (outcome == fails -> 0 : P.unresolved);
#else
        R.in_unknown_wait = outcome != fails;
#endif
        wait_in_doubt()
    fi
}


/* EVENT_VERIFIED in VERIFY */
inline verify_done()
{
    P.acting = 0;
    if
    :: R.adopt_asked -> part = adopt_look_part
    :: !R.adopt_asked && outcome == works -> R.retry = 0; R.verified = 1; part = deliver_part
    :: else -> R.retry = 1; move_and_wait(verify_wait)
    fi
}

/* EVENT_VERIFIED in PROVE_TARGET and PROVE_LIVE */
#define IS_DOUBTED(t)                                                                              \
    (HAS(required, t) && R.unconfirmed_held[t] != NOT_SEEN && R.unconfirmed_held[t] != 0 &&        \
     R.unconfirmed_held[t] != R.unconfirmed_live[0] &&                                             \
     R.unconfirmed_held[t] != R.unconfirmed_live[1])
#define KEY_IN_DOUBT (IS_DOUBTED(0) -> R.unconfirmed_held[0] : R.unconfirmed_held[1])

inline target_proved()
{
    P.acting = 0;
    if
    :: ADOPTS -> part = adopt_look_part
    :: !ADOPTS && outcome == works -> move_and_look(prove_live)
    :: else -> move_and_wait(confirm_wait)
    fi
}

inline live_proved()
{
    P.acting = 0;
    if
    :: ADOPTS -> part = adopt_look_part
    :: !ADOPTS && outcome == works -> R.proven = 1; move_and_look(check_look)
    :: else -> move_and_wait(confirm_wait)
    fi
}

#define IS_LOST                                                                                    \
    (outcome == lost_but_happens || outcome == lost_for_now || outcome == lost_dropped)

/* EVENT_DELIVERED. A delivery that was given up, because a reload took the target away or made it
 * optional, because something else is due, or in a repair because another target waits, is a lost
 * one. */
inline deliver_done()
{
    P.acting = 0;
    printf("%d: the delivery to target %d %e\n", d, R.writing, outcome);
    key = R.live[R.delivering];
    yes = holds[R.writing] != key || !HAS(READABLE, R.writing) || /* changed */
          R.given[R.writing] != key || HAS(R.unsettled, R.writing); /* or by an earlier attempt */
#ifdef SEED_REPAIR_IS_NO_NEWS
    yes = false;
#endif
    if
    :: outcome == works || outcome == fails_but_happens || outcome == lost_but_happens ->
        our_delivery_is_carried_out(R.writing)
    :: outcome == lost_for_now -> P.late = key
    :: else -> skip
    fi;
    if
#ifdef SEED_ACKNOWLEDGED_BEFORE_DELIVERY
    :: true -> skip
#else
    :: outcome == works ->
        acknowledge(R.writing);
        if
        :: HAS(READABLE, R.writing) -> ADD(R.attempted, R.writing)
        :: !HAS(READABLE, R.writing) && R.writing == 1 && HAS(required, 0) && IS_OWED(0) ->
            ADD(R.early, 1)
        :: else -> skip
        fi;
        if
        :: HAS(required, R.writing) && yes -> begin_overlap(); clear_unconfirmed()
        :: else -> skip
        fi
    :: else ->
        R.given[R.writing] = 0;
        ADD(R.retrying, R.writing);
        ADD(R.attempted, R.writing);
        if
        :: IS_LOST -> ADD(R.unsettled, R.writing)
        :: else -> skip
        fi
#endif
    fi;
    R.writing = 0;
    if
    :: ADOPTS -> part = adopt_look_part
    :: !ADOPTS -> part = deliver_part
    :: !ADOPTS && IS_LOST -> /* after a long time: the next target needs another look */
        next_target();
        if
        :: n < TARGETS && R.delivering == R.active_slot && !A_REQUIRED_TARGET_IS_OWED ->
            part = idle_part
        :: n < TARGETS && (R.delivering != R.active_slot || A_REQUIRED_TARGET_IS_OWED) ->
            wait_to_deliver()
        :: n == TARGETS -> part = deliver_part
        fi;
        n = 0
    fi
}

/* EVENT_PERSISTED. After a stall of the journal the look is old; stalls_again: not for the first
 * time. */
inline intent_durable()
{
    P.on_disk = 1;
    if
    :: outcome == stalls || outcome == stalls_again -> P.fresh = 0
    :: else -> skip
    fi;
    if
    :: AT(intent) ->
        if
        :: !INTERLOCK_IS_OPEN && !R.repeated -> close_intent(); part = idle_part
        :: !INTERLOCK_IS_OPEN && R.repeated -> wait_in_doubt()
#ifndef SEED_OLD_LOOK
        :: INTERLOCK_IS_OPEN && !P.fresh && outcome != stalls_again ->
            R.retry = 1;
            move_and_look(doubt_look)
        :: INTERLOCK_IS_OPEN && !P.fresh && outcome == stalls_again ->
            R.retry = 1;
            wait_in_doubt()
#endif
        :: else -> request_leaves()
        fi
    :: AT(offer) ->
        n = 0;
        do
        :: n < TARGETS && !(HAS(R.delivery_intended, n) && HAS_ITS_TURN(n) && IS_READY(n)) -> n++
        :: else -> break
        od;
        n = (n == 0 && HAS(R.delivery_intended, 1) && IS_PASSED_BY_THE_OTHER -> 1 : n);
        if
        :: ADOPTS -> part = adopt_look_part
        :: !ADOPTS && n == TARGETS -> wait_to_deliver()
        :: !ADOPTS && n < TARGETS && !P.fresh && outcome != stalls_again ->
            R.retry = 1;
            part = deliver_look_part
        :: !ADOPTS && n < TARGETS && !P.fresh && outcome == stalls_again ->
            wait_to_look_again()
        :: else ->
            R.writing = n;
            PROMISE(settled_before_the_next, !IS_REMOTE(n) || P.late == 0);
            move(deliver);
            act();
#ifdef SEED_ACKNOWLEDGED_BEFORE_DELIVERY
            acknowledge(n)
#endif
        fi
    :: AT(operation) -> move_and_wait(poll_wait)
    fi
}

/* What was under way is lost with the process; the next process reads the journal and starts. */
inline crash_and_start()
{
    printf("%d: crash (what was under way: %e), start\n", d, outcome);
    slot = R.intent_slot;
    key = R.live[R.delivering];
    if
    :: AT(regenerate) && outcome == lost_but_happens -> our_request_arrives()
    :: AT(regenerate) && outcome == lost_for_now -> P.lost = slot + 1
    :: AT(deliver) && outcome == lost_but_happens -> our_delivery_is_carried_out(R.writing)
    :: AT(deliver) && outcome == lost_for_now -> P.late = key
    :: else -> skip
    fi;
    forget_what_came_later();
#ifdef SEED_ACTS_BEFORE_INTENT_IS_DURABLE
    if
    :: R.intent_open && !P.on_disk -> close_intent(); R.position = idle
    :: else -> skip
    fi;
#endif
#ifndef SEED_CRASH_SETTLES
    if
    :: AT(offer) || AT(deliver) -> R.unsettled = R.unsettled | R.delivery_intended
    :: else -> skip
    fi;
#endif
#ifdef SEED_PARITY
    P.parity = 1;
#endif
#ifdef SEED_CRASH_CONFIRMS
    R.presumed = 0;
#endif
    R.writing = 0;
    P.acting = 0;
    P.fresh = 0;
    P.starting = P.lost != 0;
    P.on_disk = 1;
#ifdef SLOW
    if
    :: AT(intent) || AT(regenerate) -> R.settling = 1
    :: AT(operation) && outcome == lost_dropped -> R.operation_known = 0
    :: else -> skip
    fi;
#endif
    if
#ifdef SLOW
    :: WAITS_OUT -> R.position = poll_wait; R.just_ended = !R.settling; R.check = 1
#endif
    :: AT(adopt_wait) || AT(adopt_look) -> R.position = adopt_wait; part = adopt_look_part
    :: !WAITS_OUT && (AT(intent) || AT(regenerate) || AT(doubt_wait) || AT(doubt_look)) ->
        R.position = doubt_wait;
#ifdef SEED_NO_WAIT_AFTER_START
        R.in_unknown_wait = 0
#else
        R.in_unknown_wait = 1
#endif
    :: AT(verify_look) || AT(verify) || AT(verify_wait) ->
        R.position = verify_wait;
        move_and_look(verify_look)
    :: !WAITS_OUT &&
       (AT(deliver_look) || AT(offer) || AT(deliver) || AT(deliver_wait)) ->
        R.position = deliver_wait
    :: else -> R.position = idle; R.check = 1; part = idle_next_part
    fi
}

/* EVENT_COMMAND */

inline command_go_on()
{
    if
    :: R.intent_open -> skip
    :: else ->
        R.retry = 0;
        if
        :: AT(idle) -> part = idle_next_part
        :: AT(adopt_wait) -> part = adopt_look_part
        :: else -> skip
        fi
    fi
}

inline command_redeliver()
{
    printf("%d: command: redeliver\n", d);
    R.acknowledged = 0;
    R.retrying = 0;
    command_go_on();
    if
#ifdef SEED_TWO_ACTIONS
    :: AT(deliver) -> part = deliver_look_part
#endif
    :: AT(deliver_wait) || AT(confirm_wait) -> part = deliver_look_part
    :: else -> skip
    fi
}

inline command_adopt(slot_)
{
    printf("%d: command: adopt slot %d\n", d, slot_);
    R.adopt_asked = 1;
    R.adopt_slot = slot_;
    if
    :: !R.intent_open ->
        R.retry = 0;
        if
        :: AT(adopt_wait) || AT(idle) || AT(confirm_wait) || AT(verify_wait) || AT(deliver_wait) ->
            part = adopt_look_part
        :: else -> skip
        fi
    :: else -> skip
    fi
}

inline command_hold()
{
    printf("%d: command: hold\n", d);
    R.held = 1
}

/* Of several holds the model has the one that ends last. */
inline end_hold()
{
    printf("%d: the hold ends\n", d);
    R.held = 0
}

inline command_look()
{
    R.check = 1;
    R.retrying = 0;
    command_go_on()
}

/* Refused where a slot has to be named. */
inline command_unblock()
{
    printf("%d: command: unblock\n", d);
    if
    :: R.blocked == another_rotator || (R.adopted && R.blocked == targets_disagree) ||
       (R.blocked == nothing && R.other_rotator) ->
        R.other_rotator = 0;
        R.blocked = nothing;
        R.foreign_recently = 0;
        command_look()
    :: else -> skip
    fi
}

inline command_check()
{
    printf("%d: command: check\n", d);
    command_look()
}

#ifdef PRESUMED
/* A person looks which key is in use, and sees to it that the consumers read the target. */
inline change_over()
{
    reads[0] = by_hand;
    by_hand = 0
}

inline command_confirm()
{
    printf("%d: command: confirm\n", d);
    change_over();
    R.presumed = 0;
    command_go_on()
}

inline command_correct()
{
    slot = (by_hand == live[0] -> 0 : 1);
    change_over();
    command_adopt(slot)
}
#endif

/* Can a target be written to now, or at its retry_at? */
#define DELIVERY_IS_READY                                                                          \
    (!A_REQUIRED_TARGET_IS_OWED || (HAS_ITS_TURN(0) && IS_READY(0)) ||                             \
     (HAS_ITS_TURN(1) && IS_READY(1)))
#define DELIVERY_CAN_CONTINUE                                                                      \
    (!A_REQUIRED_TARGET_IS_OWED || (HAS_ITS_TURN(0) && IS_SETTLED(0)) ||                           \
     (HAS_ITS_TURN(1) && IS_SETTLED(1)))

/* EVENT_CONFIGURED: the last target becomes optional, or required. */
inline configure()
{
    required = required ^ (1 << (TARGETS - 1));
    printf("%d: reload: required targets %d\n", d, required);
    if
    :: HAS(required, TARGETS - 1) && HAS(R.acknowledged, TARGETS - 1) ->
        R.read_since = R.read_since & R.read_since_ack;
        /* A request on its way cannot be called back. */
        if
        :: !AT(regenerate) && P.lost == 0 && !OPERATION_RUNS -> ADD(protected, TARGETS - 1)
        :: else -> skip
        fi
    :: !HAS(required, TARGETS - 1) -> DROP(protected, TARGETS - 1)
    :: else -> skip
    fi;
    if
    :: R.adopted && R.blocked == targets_disagree -> unblock(); R.check = 1
    :: else -> skip
    fi;
    if
    :: AT(adopt_wait) -> part = adopt_look_part
    :: AT(idle) -> part = idle_next_part
    :: AT(deliver_wait) && !A_REQUIRED_TARGET_IS_OWED -> part = complete_part
    :: AT(deliver_wait) && A_REQUIRED_TARGET_IS_OWED && !R.retry && DELIVERY_IS_READY ->
        part = deliver_look_part
    :: else -> skip
    fi
}

