/*
 * The daemon's decisions: what daemon/core does, by the names of its functions. Here: moves, the
 * interlock, what a look means, and drift.
 */

/* --- machine.c --- */

inline move(position_)
{
    to = position_;
    c_code { moves_made[now.records[Pdaemon->d].position][now.to] = 1; };
    printf("%d: %e -> %e\n", d, R.position, position_);
    R.position = position_;
    to = 0
}

inline act()
{
    PROMISE(one_action_at_a_time, !P.acting);
    P.acting = 1
}

inline move_and_look(position_)
{
    move(position_);
    act()
}

/* A wait: a look before it is old afterwards. */
inline move_and_wait(position_)
{
    move(position_);
    P.fresh = 0
}

inline block(reason_)
{
    if
    :: R.blocked != reason_ ->
        R.blocked = reason_;
        printf("%d: blocked: %e\n", d, reason_)
    :: else -> skip
    fi
}

/* The cause of the block is gone; another rotator remains a cause. */
inline unblock()
{
    R.blocked = nothing;
    if
    :: R.other_rotator -> block(another_rotator)
    :: else -> skip
    fi
}

inline begin_overlap()
{
    R.read_since = (NOTHING_LINGERS -> LINGERING : 0)
}

inline clear_unconfirmed()
{
    R.unconfirmed = 0;
    R.standby_in_use = 0;
    R.proven = 0;
    R.in_unknown_wait = 0;
    R.unconfirmed_live[0] = 0;
    R.unconfirmed_live[1] = 0;
    R.unconfirmed_held[0] = 0;
    R.unconfirmed_held[1] = 0
}

inline add_foreign_change()
{
#ifndef SEED_FIGHT
    if
    :: R.foreign_recently -> R.other_rotator = 1; block(another_rotator)
    :: else -> skip
    fi;
#endif
    R.foreign_recently = 1
}

inline take_key(slot_)
{
    if
    :: R.live[slot_] != look[slot_] ->
        R.replaced = (R.replaced | KEY_BIT(R.live[slot_])) & ~KEY_BIT(look[slot_]);
        R.live[slot_] = look[slot_]
    :: else -> skip
    fi
}

/* A delivery is not tried before its retry_at, nor while an earlier one may still land. */
#ifdef SEED_NOT_SETTLED
#define IS_SETTLED(t) true
#else
#define IS_SETTLED(t) (!HAS(R.unsettled, t) || !IS_REMOTE(t) || P.late == 0)
#endif
#define IS_READY(t) (!HAS(R.retrying, t) && IS_SETTLED(t))

/* risk_note(): a target that a look cannot see holds what it was given last. */
inline note_risk()
{
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: holding[t] == DEAD ||
           (holding[t] == UNSEEN && R.given[t] != 0 && R.given[t] != look[0] &&
            R.given[t] != look[1]) ||
           (holding[t] == UNSEEN && R.given[t] == 0 && R.adopted &&
            look[R.active_slot] != R.live[R.active_slot]) -> ADD(R.dead, t)
        :: holding[t] != UNSEEN && holding[t] != DEAD -> DROP(R.dead, t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline acknowledge(t)
{
    if
    :: HAS(required, t) && (R.given[t] != R.live[R.delivering] || HAS(R.unsettled, t)) ->
        begin_overlap()
    :: else -> skip
    fi;
    ADD(R.acknowledged, t);
    R.given[t] = R.live[R.delivering];
    DROP(R.delivery_intended, t);
    DROP(R.retrying, t);
    DROP(R.unsettled, t);
    DROP(R.attempted, t);
    DROP(R.dead, t);
    DROP(R.early, t);
    if
    :: HAS(required, t) -> ADD(protected, t)
    :: else -> skip
    fi;
#if TARGETS == 2 && defined(UNREADABLE)
    if /* run_again_after() */
    :: t == 0 && HAS(required, 0) && HAS(R.early, 1) ->
        DROP(R.early, 1);
        DROP(R.acknowledged, 1);
        DROP(R.retrying, 1)
    :: else -> skip
    fi;
#endif
#if RELOADS
    if
    :: t == 1 -> R.read_since_ack = (NOTHING_LINGERS -> LINGERING : 0)
    :: else -> skip
    fi
#endif
}

inline acknowledge_seen()
{
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: holding[t] == LIVE_IN(R.delivering) && IS_SETTLED(t) ->
            acknowledge(t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline void_all()
{
    R.acknowledged = 0;
    R.retrying = 0
}

/* record_target_satisfied() */
#ifdef SEED_ANY_ACKNOWLEDGEMENT
#define IS_SATISFIED(t) HAS(R.acknowledged, t)
#else
#define IS_SATISFIED(t) (HAS(R.acknowledged, t) && R.given[t] == R.live[R.delivering])
#endif

/* delivery_void(): the target was seen to hold something else. */
inline void_target(t_)
{
    if
    :: IS_SATISFIED(t_) -> DROP(R.acknowledged, t_); DROP(R.retrying, t_)
    :: else -> skip
    fi;
#ifndef SEED_BACK_IS_AS_BEFORE
    R.given[t_] = 0
#endif
}

/* delivery_is_left_to_other_rotator(): a target that holds the standby key stays with whoever put
 * it there. */
#ifdef SEED_FIGHT_OVER_TARGETS
#define IS_LEFT(t) false
#else
#define IS_LEFT(t)                                                                                 \
    (R.other_rotator && R.delivering == R.active_slot && IS_SATISFIED(t) &&                        \
     holding[t] == LIVE_IN(OTHER(R.active_slot)))
#endif

/* machine_require_whole_look(): did it read every required target that can be read? */
#ifdef SEED_UNREAD_TARGETS_WILL_DO
#define LOOK_IS_WHOLE true
#else
#define LOOK_IS_WHOLE ((unread & required & READABLE) == 0)
#endif
#define IS_OWED(t) (t < TARGETS && !IS_SATISFIED(t))
#define A_REQUIRED_TARGET_IS_OWED                                                                  \
    ((HAS(required, 0) && IS_OWED(0)) || (HAS(required, 1) && IS_OWED(1)))

/* interlock.c */
#ifdef SEED_NO_OVERLAP
#define OVERLAP_ALLOWS true
#else
#define OVERLAP_ALLOWS OVERLAP_IS_OVER
#endif
#ifdef SEED_NO_WAIT_AFTER_START
#define START_ALLOWS true
#else
#define START_ALLOWS (!P.starting || P.lost == 0)
#endif
#ifdef SEED_NO_FREEZE
#define FREEZE_ALLOWS true
#else
#define FREEZE_ALLOWS (R.delivering == R.active_slot && !A_REQUIRED_TARGET_IS_OWED)
#endif
#if defined(PRESUMED) && !defined(SEED_RULE_IS_BELIEVED)
#define ACTIVE_IS_CONFIRMED (!R.presumed)
#else
#define ACTIVE_IS_CONFIRMED true
#endif
#define INTERLOCK_IS_OPEN                                                                          \
    (R.adopted && R.blocked == nothing && !R.held && !R.adopt_asked && FREEZE_ALLOWS &&            \
     !R.unconfirmed && OVERLAP_ALLOWS && START_ALLOWS && ACTIVE_IS_CONFIRMED && !IS_SETTLING)

/* --- judge.c --- */

inline judge_holdings()
{
    unread = unread | (ALL_TARGETS & ~(READABLE));
    t = 0;
    do
    :: t < TARGETS ->
        sighting[t] = (HAS(unread, t) -> NOT_SEEN : holds[t]);
        if
        :: HAS(unread, t) -> holding[t] = UNSEEN
        :: !HAS(unread, t) && holds[t] == 0 -> holding[t] = EMPTY
        :: !HAS(unread, t) && holds[t] != 0 && holds[t] == look[0] -> holding[t] = LIVE_IN(0)
        :: !HAS(unread, t) && holds[t] != 0 && holds[t] == look[1] -> holding[t] = LIVE_IN(1)
        :: else -> holding[t] = DEAD
        fi;
        t++
    :: else -> break
    od;
    t = 0;
    is_late = (look[0] != R.live[0] && (R.replaced & KEY_BIT(look[0])) != 0) ||
              (look[1] != R.live[1] && (R.replaced & KEY_BIT(look[1])) != 0);
    if /* believe_what_stays() */
    :: is_late && R.was_late && LOOKS_ARE_TRUE ->
        R.replaced = R.replaced & ~(KEY_BIT(look[0]) | KEY_BIT(look[1]));
        is_late = false
    :: else -> skip
    fi;
    R.was_late = is_late;
#ifdef SEED_LATE_IS_BELIEVED
    is_late = false
#endif
}

inline take_census()
{
    seen = 0;
    on_active = 0;
    on_standby = 0;
    elsewhere = 0;
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: holding[t] == UNSEEN -> skip
        :: holding[t] != UNSEEN && !HAS(required, t) ->
            if
            :: holding[t] != LIVE_IN(R.active_slot) && IS_SATISFIED(t) -> elsewhere++
            :: else -> skip
            fi
        :: else ->
            seen++;
            if
            :: holding[t] == LIVE_IN(R.active_slot) -> on_active++
            :: holding[t] == LIVE_IN(OTHER(R.active_slot)) -> on_standby++
            :: else -> skip
            fi
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

/* both_changed_under_us(): every readable target was read, and holds what it was given, which is
 * dead. */
#define IS_AS_GIVEN(t)                                                                             \
    (!HAS(READABLE, t) ||                                                                          \
     (!HAS(unread, t) && holding[t] != LIVE_IN(0) && holding[t] != LIVE_IN(1) &&                   \
      (!HAS(required, t) || (holding[t] == DEAD && holds[t] == R.given[t]))))
#define BOTH_CHANGED_UNDER_US (IS_AS_GIVEN(0) && IS_AS_GIVEN(1) && (required & READABLE) != 0)

/* An adopted account outside of a rotation: the drift table. */
inline judge_drift()
{
    take_census();
    active_changed = look[R.active_slot] != R.live[R.active_slot];
    /* While an operation may run, its slot shows nothing that counts. */
    standby_changed = !WAITS_OUT && look[OTHER(R.active_slot)] != R.live[OTHER(R.active_slot)];
    in_use = on_standby > 0;
    is_unfit = active_changed && standby_changed && !BOTH_CHANGED_UNDER_US;
    is_drift = active_changed || standby_changed || on_active < seen || elsewhere > 0
}

/* Do all readable required targets hold the live key of that slot, and is there one? */
inline judge_unanimous(slot_)
{
    yes = false;
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: !HAS(required, t) || holding[t] == UNSEEN -> skip
        :: HAS(required, t) && holding[t] == LIVE_IN(slot_) -> yes = true
        :: else -> yes = false; break
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

/* --- step_check.c, drift.c --- */

#define IS_SAME_DRIFT                                                                              \
    (R.unconfirmed && R.unconfirmed_live[0] == look[0] && R.unconfirmed_live[1] == look[1] &&      \
     R.unconfirmed_held[0] == sighting[0] && R.unconfirmed_held[1] == sighting[1])
#define WAS_ABOUT_STANDBY                                                                          \
    (R.unconfirmed && (R.standby_in_use ||                                                         \
                     R.unconfirmed_live[OTHER(R.active_slot)] != R.live[OTHER(R.active_slot)]))
#define DRIFT_IS_CONFIRMED (IS_SAME_DRIFT && (R.proven || !R.in_unknown_wait))
/* Does a required target hold something that is not live? */
#define SEES_DEAD                                                                                  \
    ((HAS(required, 0) && holding[0] == DEAD) || (HAS(required, 1) && holding[1] == DEAD))

inline await_confirmation()
{
    if
    :: !IS_SAME_DRIFT ->
        R.unconfirmed = 1;
        R.unconfirmed_live[0] = look[0];
        R.unconfirmed_live[1] = look[1];
        R.unconfirmed_held[0] = sighting[0];
        R.unconfirmed_held[1] = sighting[1];
        R.in_unknown_wait = 1;
        R.standby_in_use = 0;
        R.proven = 0
    :: else -> skip
    fi;
    if
    :: in_use -> R.standby_in_use = 1; begin_overlap()
    :: else -> skip
    fi;
    if
    :: SEES_DEAD && !is_unfit && !skip_verify -> move_and_look(prove_target)
    :: else -> move_and_wait(confirm_wait)
    fi
}

inline accept_key_of(slot_)
{
    take_key(slot_);
    void_all()
}

#define IS_TARGET_CHANGED (!is_unfit && !active_changed && !standby_changed)

/* standby_was_given(): did somebody write the standby key to it? A target that never showed what it
 * was given still has what it had. */
#define STANDBY_WAS_GIVEN(t)                                                                       \
    (HAS(required, t) && !HAS(R.attempted, t) && IS_SATISFIED(t) &&                                \
     holding[t] == LIVE_IN(OTHER(R.active_slot)))

inline accept_target_change()
{
#ifndef SEED_FIGHT_OVER_TARGETS
    if
    :: STANDBY_WAS_GIVEN(0) || STANDBY_WAS_GIVEN(1) -> add_foreign_change()
    :: else -> skip
    fi;
#endif
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: holding[t] != UNSEEN && holding[t] != LIVE_IN(R.active_slot) && !IS_LEFT(t) ->
            void_target(t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline act_on_drift()
{
    part = deliver_part;
    note_risk();
    if
    :: is_unfit -> again = true; part = adopt_part
    :: IS_TARGET_CHANGED ->
        accept_target_change();
        part = (IS_OWED(0) || IS_OWED(1) -> deliver_part : idle_part) /* nothing is repaired */
    :: !is_unfit && !active_changed && standby_changed && on_standby == 0 -> /* standby_changed */
        add_foreign_change();
        accept_key_of(OTHER(R.active_slot));
        acknowledge_seen();
#ifndef SEED_STANDBY_CHANGE_IS_IGNORED
        begin_overlap()
#endif
    :: !is_unfit && !active_changed && standby_changed && on_standby > 0 && on_standby == seen ->
        add_foreign_change(); /* rotated_elsewhere */
        accept_key_of(OTHER(R.active_slot));
        R.active_slot = OTHER(R.active_slot);
        R.delivering = R.active_slot;
        acknowledge_seen();
        begin_overlap();
        printf("%d: rotated elsewhere: slot %d is active\n", d, R.active_slot)
    :: !is_unfit && active_changed && on_standby == 0 -> /* active_changed */
        add_foreign_change();
        if
        :: standby_changed -> take_key(OTHER(R.active_slot)); begin_overlap()
        :: else -> skip
        fi;
        accept_key_of(R.active_slot);
        if
        :: seen > 0 && on_active == seen -> begin_overlap()
        :: else -> skip
        fi;
        acknowledge_seen()
    :: else -> block(targets_disagree); part = idle_part
    fi;
    if
    :: IS_TARGET_CHANGED && (IS_LEFT(0) || IS_LEFT(1)) -> skip
    :: else -> clear_unconfirmed()
    fi
}

inline note_kept()
{
    t = 0;
    do
    :: t < TARGETS ->
        if
        :: HAS(R.acknowledged, t) && holding[t] == LIVE_IN(R.active_slot) &&
            R.given[t] == look[R.active_slot] -> DROP(R.attempted, t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

/* check_look_done(): `then` is its end where all is as recorded. */
inline do_check_part()
{
    judge_drift();
    R.check = 0;
#ifndef SEED_BACK_IS_AS_BEFORE
    if
    :: WAS_ABOUT_STANDBY && !is_late && !IS_SAME_DRIFT -> begin_overlap()
    :: else -> skip
    fi;
#endif
    if
    :: !is_late -> note_kept()
    :: else -> skip
    fi;
    if
    :: is_late -> R.check = 1; R.retry = 1; part = idle_part
    :: !is_late && !is_drift -> note_risk(); clear_unconfirmed(); part = then
    :: !is_late && is_drift && DRIFT_IS_CONFIRMED -> act_on_drift()
    :: else -> await_confirmation(); part = no_more
    fi;
    then = 0
}
