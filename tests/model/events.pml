/*
 * What a daemon is told, and what it does about it: the on_...() functions of daemon/core. Each
 * ends in the parts that finish_step() runs.
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
    :: R.goal == R.active_slot && !A_REQUIRED_TARGET_IS_OWED -> part = idle_part
    :: else -> move_and_wait(deliver_wait)
    fi
}

inline on_adopt_look()
{
    if
    :: outcome == fails || is_late -> R.retry = 1; move_and_wait(adopt_wait)
    :: else -> R.retry = 0; P.fresh = 1; part = adopt_part
    fi
}

/* on_check_look() and on_rotate_look() */
inline on_check_look()
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

inline on_doubt_look()
{
    if
    :: outcome == fails || is_late -> R.retry = 1; move_and_wait(doubt_wait)
    :: else -> P.fresh = 1; resolve_doubt()
    fi
}

inline on_verify_look()
{
    if
    :: outcome == fails || is_late -> R.retry = 1; move_and_wait(verify_wait)
    :: else ->
        P.fresh = 1;
        note_risk();
        if
        :: look[R.goal] != R.live[R.goal] -> goal_changed()
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
        :: holding[t] != UNSEEN && holding[t] != LIVE_IN(R.goal) && !YIELDS(t) -> void_target(t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline on_deliver_look()
{
    if
    :: outcome == fails || is_late -> wait_to_look_again()
    :: else ->
        P.fresh = 1;
        R.retry = 0;
        if
        :: look[R.goal] == R.live[R.goal] || R.goal != R.active_slot -> note_risk()
        :: else -> skip
        fi;
        if
        :: look[R.goal] == R.live[R.goal] -> void_lost_targets(); part = deliver_part
        :: look[R.goal] != R.live[R.goal] && R.goal != R.active_slot -> goal_changed()
        :: else -> part = check_part; then = idle_part /* it never is as recorded */
        fi
    fi
}

/* EVENT_LOOKED */
inline on_looked()
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
    :: R.adopt_told && !AT(adopt_look) && !AT(doubt_look) -> part = adopt_look_part
    :: AT(adopt_look) -> on_adopt_look()
    :: !R.adopt_told && (AT(check_look) || AT(rotate_look)) -> on_check_look()
    :: AT(doubt_look) -> on_doubt_look()
    :: !R.adopt_told && AT(verify_look) -> on_verify_look()
    :: !R.adopt_told && AT(deliver_look) -> on_deliver_look()
    fi
}

/* EVENT_PREFLIGHT_DONE */
inline on_preflight()
{
    P.acting = 0;
    if
    :: R.adopt_told -> part = adopt_look_part
    :: !R.adopt_told && outcome == fails -> R.retry = 1; part = idle_part
#ifdef SEED_NO_LOOK
    :: else -> part = intent_part
#else
    :: else -> move_and_look(rotate_look)
#endif
    fi
}

/* EVENT_REGENERATED */
inline on_regenerated()
{
    P.acting = 0;
    printf("%d: the regenerate %e\n", d, outcome);
    slot = R.intent_slot;
    look[0] = live[0];
    look[1] = live[1];
    if
    :: outcome == works || outcome == shows_the_past || outcome == lost_but_happens ->
        our_request_is_carried_out()
    :: outcome == lost_for_now -> P.lost = slot + 1
    :: else -> skip
    fi;
    if
    :: outcome == works ->
        look[0] = live[0];
        look[1] = live[1];
#if LATE_LOOKS == 1
        no_look_is_late()
#endif
    :: else -> skip /* the answer, if there is one, shows what was before */
    fi;
    is_late = look[slot] == R.live[slot] || (R.replaced & KEY_BIT(look[0])) != 0 ||
              (R.replaced & KEY_BIT(look[1])) != 0;
    if
    :: (outcome == works || outcome == shows_the_past) && !is_late -> take_new_key()
    :: else -> R.retry = 1; R.unsure = outcome != fails; move_and_wait(doubt_wait)
    fi
}

/* EVENT_VERIFIED in VERIFY */
inline on_verified()
{
    P.acting = 0;
    if
    :: R.adopt_told -> part = adopt_look_part
    :: !R.adopt_told && outcome == works -> R.retry = 0; R.verified = 1; part = deliver_part
    :: else -> R.retry = 1; move_and_wait(verify_wait)
    fi
}

/* EVENT_VERIFIED in PROVE_TARGET and PROVE_LIVE */
#define IS_DOUBTED(t)                                                                              \
    (HAS(required, t) && R.seen_held[t] != NOT_SEEN && R.seen_held[t] != 0 &&                      \
     R.seen_held[t] != R.seen_live[0] && R.seen_held[t] != R.seen_live[1])
#define KEY_IN_DOUBT (IS_DOUBTED(0) -> R.seen_held[0] : R.seen_held[1])

inline on_prove_target()
{
    P.acting = 0;
    if
    :: R.adopt_told -> part = adopt_look_part
    :: !R.adopt_told && outcome == works -> move_and_look(prove_live)
    :: else -> move_and_wait(confirm_wait)
    fi
}

inline on_prove_live()
{
    P.acting = 0;
    if
    :: R.adopt_told -> part = adopt_look_part
    :: !R.adopt_told && outcome == works -> R.proven = 1; move_and_look(check_look)
    :: else -> move_and_wait(confirm_wait)
    fi
}

/* EVENT_DELIVERED */
inline on_delivered()
{
    P.acting = 0;
    printf("%d: the delivery to target %d %e\n", d, R.writing, outcome);
    key = R.live[R.goal];
    yes = holds[R.writing] != key || !HAS(READABLE, R.writing); /* changed */
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
        :: HAS(READABLE, R.writing) -> ADD(R.unkept, R.writing)
        :: !HAS(READABLE, R.writing) && R.writing == 1 && HAS(required, 0) && IS_OWED(0) ->
            ADD(R.early, 1)
        :: else -> skip
        fi;
        if
        :: HAS(required, R.writing) && yes -> overlap_begins(); forget_surprise()
        :: else -> skip
        fi
    :: else ->
        R.given[R.writing] = 0;
        ADD(R.retrying, R.writing);
        ADD(R.unkept, R.writing);
        if
        :: outcome == lost_but_happens || outcome == lost_for_now || outcome == lost_dropped ->
            ADD(R.unsettled, R.writing)
        :: else -> skip
        fi
#endif
    fi;
    R.writing = 0;
    part = (R.adopt_told -> adopt_look_part : deliver_part)
}

/* EVENT_PERSISTED; where the journal stalled (not for the first time: again) the look is old. */
inline on_persisted()
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
        :: !INTERLOCK_IS_OPEN && R.repeated -> move_and_wait(doubt_wait)
#ifndef SEED_OLD_LOOK
        :: INTERLOCK_IS_OPEN && !P.fresh && outcome != stalls_again ->
            R.retry = 1;
            move_and_look(doubt_look)
        :: INTERLOCK_IS_OPEN && !P.fresh && outcome == stalls_again ->
            R.retry = 1;
            move_and_wait(doubt_wait)
#endif
        :: else -> request_leaves()
        fi
    :: AT(offer) ->
        n = 0;
        do
        :: n < TARGETS && !(HAS(R.offered, n) && HAS_ITS_TURN(n) && IS_READY(n)) -> n++
        :: else -> break
        od;
        if
        :: R.adopt_told -> part = adopt_look_part
        :: !R.adopt_told && n == TARGETS -> move_and_wait(deliver_wait)
        :: !R.adopt_told && n < TARGETS && !P.fresh && outcome != stalls_again ->
            R.retry = 1;
            part = deliver_look_part
        :: !R.adopt_told && n < TARGETS && !P.fresh && outcome == stalls_again ->
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
    fi
}

/* What was under way is lost with the process; the next one reads the journal and starts. */
inline crash_and_start()
{
    printf("%d: crash (what was under way: %e), start\n", d, outcome);
    slot = R.intent_slot;
    key = R.live[R.goal];
    if
    :: AT(regenerate) && outcome == lost_but_happens -> our_request_is_carried_out()
    :: AT(regenerate) && outcome == lost_for_now -> P.lost = slot + 1
    :: AT(deliver) && outcome == lost_but_happens -> our_delivery_is_carried_out(R.writing)
    :: AT(deliver) && outcome == lost_for_now -> P.late = key
    :: else -> skip
    fi;
#ifdef SEED_ACTS_BEFORE_INTENT_IS_DURABLE
    if
    :: R.intent_open && !P.on_disk -> close_intent(); R.position = idle
    :: else -> skip
    fi;
#endif
#ifndef SEED_CRASH_SETTLES
    if
    :: AT(offer) || AT(deliver) -> R.unsettled = R.unsettled | R.offered
    :: else -> skip
    fi;
#endif
#ifdef SEED_PARITY
    P.parity = 1;
#endif
    R.writing = 0;
    P.acting = 0;
    P.fresh = 0;
    P.starting = P.lost != 0;
    P.on_disk = 1;
    if
    :: AT(adopt_wait) || AT(adopt_look) -> R.position = adopt_wait; part = adopt_look_part
    :: AT(intent) || AT(regenerate) || AT(doubt_wait) || AT(doubt_look) ->
        R.position = doubt_wait;
#ifdef SEED_NO_WAIT_AFTER_START
        R.unsure = 0
#else
        R.unsure = 1
#endif
    :: AT(verify_look) || AT(verify) || AT(verify_wait) ->
        R.position = verify_wait;
        move_and_look(verify_look)
    :: AT(deliver_look) || AT(offer) || AT(deliver) || AT(deliver_wait) ->
        R.position = deliver_wait
    :: else -> R.position = idle; R.check = 1; part = idle_next_part
    fi
}

/* EVENT_COMMAND */

inline go_on_now()
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

inline on_redeliver()
{
    printf("%d: command: redeliver\n", d);
    R.acknowledged = 0;
    R.retrying = 0;
    go_on_now();
    if
#ifdef SEED_TWO_ACTIONS
    :: AT(deliver) -> part = deliver_look_part
#endif
    :: AT(deliver_wait) || AT(confirm_wait) -> part = deliver_look_part
    :: else -> skip
    fi
}

inline on_adopt(slot_)
{
    printf("%d: command: adopt slot %d\n", d, slot_);
    R.adopt_told = 1;
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

inline on_hold()
{
    printf("%d: command: hold\n", d);
    R.held = 1
}

/* Of several holds the model has the one that ends last. */
inline on_resume()
{
    printf("%d: the hold ends\n", d);
    R.held = 0
}

inline look_now()
{
    R.check = 1;
    R.retrying = 0;
    go_on_now()
}

/* Where a slot has to be named it is refused. */
inline on_unblock()
{
    printf("%d: command: unblock\n", d);
    if
    :: R.blocked == another_rotator || (R.adopted && R.blocked == targets_disagree) ||
       (R.blocked == nothing && R.other) ->
        R.other = 0;
        R.blocked = nothing;
        R.foreign_recently = 0;
        look_now()
    :: else -> skip
    fi
}

inline on_check()
{
    printf("%d: command: check\n", d);
    look_now()
}

/* Is it a target's turn that may be written to now, or when its retry_at comes? */
#define DELIVERY_IS_READY                                                                          \
    (!A_REQUIRED_TARGET_IS_OWED || (HAS_ITS_TURN(0) && IS_READY(0)) ||                             \
     (HAS_ITS_TURN(1) && IS_READY(1)))
#define DELIVERY_CAN_GO_ON                                                                         \
    (!A_REQUIRED_TARGET_IS_OWED || (HAS_ITS_TURN(0) && IS_SETTLED(0)) ||                           \
     (HAS_ITS_TURN(1) && IS_SETTLED(1)))

/* EVENT_CONFIGURED: the last target becomes optional, or required. */
inline on_configured()
{
    required = required ^ (1 << (TARGETS - 1));
    printf("%d: reload: required targets %d\n", d, required);
    if
    :: HAS(required, TARGETS - 1) && HAS(R.acknowledged, TARGETS - 1) ->
        R.told = R.told & R.last_told;
        /* What has left before cannot be called back. */
        if
        :: !AT(regenerate) && P.lost == 0 -> ADD(in_care, TARGETS - 1)
        :: else -> skip
        fi
    :: !HAS(required, TARGETS - 1) -> DROP(in_care, TARGETS - 1)
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

