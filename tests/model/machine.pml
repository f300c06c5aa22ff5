/*
 * The daemon's decisions: what daemon/core does, in the order of its functions and by their names.
 * What several functions end with is a `part`, written once: finish_step() runs those that are
 * asked for.
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

/* A wait: what was looked at before it is old afterwards. */
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

inline overlap_begins()
{
    R.told = (NOTHING_LINGERS -> LINGERING : 0)
}

inline forget_surprise()
{
    R.surprised = 0;
    R.proven = 0;
    R.unsure = 0;
    R.seen_live[0] = 0;
    R.seen_live[1] = 0;
    R.seen_held[0] = 0;
    R.seen_held[1] = 0
}

inline foreign_change()
{
#ifndef SEED_FIGHT
    if
    :: R.foreign_recently -> block(another_rotator)
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

inline acknowledge(t)
{
    if
    :: HAS(required, t) && (R.given[t] != R.live[R.goal] || HAS(R.unsettled, t)) ->
        overlap_begins()
    :: else -> skip
    fi;
    ADD(R.acknowledged, t);
    R.given[t] = R.live[R.goal];
    DROP(R.offered, t);
    DROP(R.retrying, t);
    DROP(R.unsettled, t);
    if
    :: HAS(required, t) -> ADD(in_care, t)
    :: else -> skip
    fi;
#if RELOADS
    if
    :: t == 1 -> R.last_told = (NOTHING_LINGERS -> LINGERING : 0)
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
        :: holding[t] == LIVE_IN(R.goal) && IS_SETTLED(t) ->
            acknowledge(t)
        :: else -> skip
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline void_acknowledgements()
{
    R.acknowledged = 0;
    R.retrying = 0
}

/* It was seen to hold something else. */
inline void_acknowledgement(t_)
{
#ifdef REMEDY_VANISHED
    R.given[t_] = 0;
#endif
    DROP(R.acknowledged, t_)
}

/* record_target_satisfied() */
#ifdef SEED_ANY_ACKNOWLEDGEMENT
#define IS_SATISFIED(t) HAS(R.acknowledged, t)
#else
#define IS_SATISFIED(t) (HAS(R.acknowledged, t) && R.given[t] == R.live[R.goal])
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
#define FREEZE_ALLOWS (R.goal == R.active_slot && !A_REQUIRED_TARGET_IS_OWED)
#endif
#define INTERLOCK_IS_OPEN                                                                          \
    (R.adopted && R.blocked == nothing && !R.held && !R.adopt_told && FREEZE_ALLOWS &&             \
     !R.surprised && OVERLAP_ALLOWS && START_ALLOWS)

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
            :: holding[t] != LIVE_IN(R.active_slot) && HAS(R.acknowledged, t) -> elsewhere++
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

/* An adopted account outside of a rotation: the drift table. */
inline judge_drift()
{
    take_census();
    active_changed = look[R.active_slot] != R.live[R.active_slot];
    standby_changed = look[OTHER(R.active_slot)] != R.live[OTHER(R.active_slot)];
    in_use = on_standby > 0;
    is_unfit = active_changed && standby_changed;
    is_drift = active_changed || standby_changed || on_active < seen || elsewhere > 0
}

/* Do all required targets that can be read hold the live key of that slot, and is there one? */
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

/* --- step_check.c --- */

#define SAME_SURPRISE                                                                              \
    (R.surprised && R.seen_live[0] == look[0] && R.seen_live[1] == look[1] &&                      \
     R.seen_held[0] == sighting[0] && R.seen_held[1] == sighting[1])
#define SURPRISE_COUNTS (SAME_SURPRISE && (R.proven || !R.unsure))
/* Does a required target hold something that is not live? */
#define SEES_DEAD                                                                                  \
    ((HAS(required, 0) && holding[0] == DEAD) || (HAS(required, 1) && holding[1] == DEAD))

inline hold_surprise()
{
    if
    :: !SAME_SURPRISE ->
        R.surprised = 1;
        R.seen_live[0] = look[0];
        R.seen_live[1] = look[1];
        R.seen_held[0] = sighting[0];
        R.seen_held[1] = sighting[1];
        R.unsure = 1;
        R.proven = 0
    :: else -> skip
    fi;
    if
    :: in_use -> overlap_begins()
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
    void_acknowledgements()
}

#define IS_TARGET_CHANGED (!is_unfit && !active_changed && !standby_changed)

inline act_on_drift()
{
    part = deliver_part;
    if
    :: is_unfit -> again = true; part = adopt_part
#ifdef REMEDY_FIGHT_OVER_TARGETS
    :: IS_TARGET_CHANGED && on_standby > 0 && R.foreign_recently ->
        block(another_rotator);
        part = idle_part
    :: IS_TARGET_CHANGED && !(on_standby > 0 && R.foreign_recently) ->
        R.foreign_recently = R.foreign_recently || on_standby > 0;
#else
    :: IS_TARGET_CHANGED ->
#endif
        t = 0;
        do
        :: t < TARGETS ->
            if
            :: holding[t] != UNSEEN && holding[t] != LIVE_IN(R.active_slot) ->
                void_acknowledgement(t);
                DROP(R.retrying, t)
            :: else -> skip
            fi;
            t++
        :: else -> break
        od;
        t = 0
    :: !is_unfit && !active_changed && standby_changed && on_standby == 0 -> /* standby_changed */
        foreign_change();
        accept_key_of(OTHER(R.active_slot));
        acknowledge_seen();
#ifndef SEED_STANDBY_CHANGE_IS_IGNORED
        overlap_begins()
#endif
    :: !is_unfit && !active_changed && standby_changed && on_standby > 0 && on_standby == seen ->
        foreign_change(); /* rotated_elsewhere */
        accept_key_of(OTHER(R.active_slot));
        R.active_slot = OTHER(R.active_slot);
        R.goal = R.active_slot;
        acknowledge_seen();
        overlap_begins();
        printf("%d: rotated elsewhere: slot %d is active\n", d, R.active_slot)
    :: !is_unfit && active_changed && on_standby == 0 -> /* active_changed */
        foreign_change();
        accept_key_of(R.active_slot);
        if
        :: seen > 0 && on_active == seen -> overlap_begins()
        :: else -> skip
        fi;
        acknowledge_seen()
    :: else -> block(targets_disagree); part = idle_part
    fi;
    forget_surprise()
}

/* check_look(): what it ends with where all is as recorded is in `then`. */
inline do_check_part()
{
    judge_drift();
    R.check = 0;
#ifdef REMEDY_VANISHED
    if
    :: R.surprised && !is_late && !SAME_SURPRISE -> overlap_begins()
    :: else -> skip
    fi;
#endif
    if
    :: is_late -> R.check = 1; R.retry = 1; part = idle_part
    :: !is_late && !is_drift -> forget_surprise(); part = then
    :: !is_late && is_drift && SURPRISE_COUNTS -> act_on_drift()
    :: else -> hold_surprise(); part = no_more
    fi;
    then = 0
}

/* --- step_rotate.c --- */

#ifdef SEED_PARITY
#define SLOT_TO_REGENERATE P.parity
#else
#define SLOT_TO_REGENERATE OTHER(R.active_slot)
#endif

inline close_intent()
{
    R.intent_open = 0;
    R.intent_slot = 0;
    R.repeated = 0;
    P.tried = 0
}

inline request_leaves()
{
    PROMISE(only_the_standby_slot, R.intent_open && R.intent_slot == OTHER(R.active_slot));
    PROMISE(durable_before_effect, P.on_disk);
    PROMISE(no_repeat_in_doubt, P.unresolved == 0);
    PROMISE(a_fresh_look_before, P.fresh);
    PROMISE(same_slot_again, P.tried == 0 || P.tried == R.intent_slot + 1);
    PROMISE(frozen_while_delivering, !P.frozen);
    PROMISE(no_request_lingers, P.lost == 0);
    P.unresolved = R.intent_slot + 1;
    P.tried = R.intent_slot + 1;
    P.starting = 0;
    move(regenerate);
    act()
}

inline do_intent_part()
{
    if
    :: INTERLOCK_IS_OPEN ->
        if
        :: R.intent_open ->
            R.repeated = 1;
#ifdef SEED_RETRY_OTHER_SLOT
            R.intent_slot = OTHER(R.intent_slot)
#endif
        :: else ->
            R.intent_open = 1;
            R.intent_slot = SLOT_TO_REGENERATE
        fi;
        move(intent);
        P.on_disk = 0;
#ifdef SEED_ACTS_BEFORE_INTENT_IS_DURABLE
        request_leaves();
#endif
        part = no_more
    :: else ->
        close_intent();
        part = (R.adopt_told -> adopt_look_part : idle_part)
    fi
}

inline active_becomes(slot_)
{
    PROMISE(active_moves_last,
            P.unseen || ((!HAS(required, 0) || holds[0] == R.live[slot_]) &&
                         (!HAS(required, 1) || holds[1] == R.live[slot_])));
    R.active_slot = slot_
}

inline take_new_key()
{
    if
    :: look[OTHER(R.intent_slot)] != R.live[OTHER(R.intent_slot)] ->
        foreign_change();
        take_key(OTHER(R.intent_slot))
    :: else -> skip
    fi;
    take_key(R.intent_slot);
    R.goal = R.intent_slot;
#ifdef SEED_ACTIVE_FIRST
    active_becomes(R.goal);
#endif
    close_intent();
    P.unresolved = 0;
    R.retrying = 0;
    R.verified = 0;
    R.retry = 0;
    part = verify_part
}

inline resolve_doubt()
{
    P.unresolved = 0;
    judge_unanimous(OTHER(R.intent_slot));
    yes = yes && look[OTHER(R.intent_slot)] != R.live[OTHER(R.intent_slot)];
    if
    :: look[R.intent_slot] != R.live[R.intent_slot] && yes ->
        close_intent();
        again = true;
        part = adopt_part
    :: look[R.intent_slot] != R.live[R.intent_slot] && !yes -> take_new_key()
    :: else -> /* repeat_or_leave() */
        judge_drift();
        if
        :: !R.adopt_told && !is_drift -> part = check_part; then = intent_part
        :: else ->
            close_intent();
            R.retry = 0;
            part = (R.adopt_told -> adopt_look_part : check_part);
            then = (R.adopt_told -> no_more : idle_part)
        fi
    fi
}

/* --- step_adopt.c --- */

/* What the required targets say; `verdict` nothing: `slot` is the active one. */
inline judge_adoption(has_hint)
{
    verdict = nothing;
    yes = false;
    slot = 0;
    t = 0;
    do
    :: t < TARGETS && verdict == nothing ->
        if
        :: !HAS(required, t) || holding[t] == UNSEEN || holding[t] == EMPTY -> skip
        :: HAS(required, t) && holding[t] == DEAD -> verdict = target_holds_unknown_key
        :: else ->
            if
            :: yes && holding[t] != LIVE_IN(slot) -> verdict = targets_disagree
            :: else -> yes = true; slot = holding[t] - LIVE_IN(0)
            fi
        fi;
        t++
    :: else -> break
    od;
    t = 0;
    if /* adopt_active: 0 */
    :: verdict == nothing && has_hint && yes && slot != 0 -> verdict = targets_disagree
    :: verdict == nothing && !has_hint && !yes -> verdict = active_key_unknown
    :: else -> skip
    fi
}

inline take_under_care()
{
    take_key(0);
    take_key(1);
    R.adopted = 1;
    R.active_slot = slot;
    R.goal = slot;
    overlap_begins();
    forget_surprise();
    if
    :: R.adopt_told || R.blocked != another_rotator -> R.blocked = nothing
    :: else -> skip
    fi;
    R.adopt_told = 0;
    R.adopt_slot = 0;
    R.verified = 0;
    R.check = 0;
    void_acknowledgements();
    P.frozen = 0;
    printf("%d: adopted, slot %d is active\n", d, slot);
    part = deliver_part
}

/* adopt_from(); `again`: because the journal does not fit. */
inline do_adopt_part()
{
    if
    :: R.adopt_told && !again -> verdict = nothing; slot = R.adopt_slot
    :: else -> judge_adoption(!again && R.blocked != journal_behind)
    fi;
    if
    :: verdict == nothing -> take_under_care()
    :: else ->
        R.adopted = 0;
        if
        :: again || R.blocked == journal_behind -> block(journal_behind)
        :: else -> block(verdict)
        fi;
        move_and_wait(adopt_wait);
        part = no_more
    fi;
    verdict = 0;
    slot = 0
}

/* --- step_verify.c --- */

inline do_verify_part()
{
    if
    :: R.verified || skip_verify -> part = deliver_part
    :: else -> move_and_look(verify); part = no_more
    fi
}

inline goal_changed()
{
    foreign_change();
    take_key(R.goal);
    void_acknowledgements();
    R.verified = 0;
    part = verify_part
}

/* --- step_deliver.c --- */

/* The target whose turn it is in `n`, TARGETS for none. */
inline find_next_target()
{
    n = 0;
    do
    :: n < TARGETS ->
        if
        :: IS_SATISFIED(n) || (!IS_READY(n) && !HAS(required, n)) -> n++
        :: !IS_SATISFIED(n) && IS_READY(n) -> break
        :: else -> n = TARGETS
        fi
    :: else -> break
    od
}

inline do_deliver_part()
{
    find_next_target();
    if
    :: n < TARGETS ->
        ADD(R.offered, n);
        move(offer);
        P.on_disk = 0;
        P.frozen = (R.goal != R.active_slot -> 1 : P.frozen);
        part = no_more
    :: n == TARGETS && !A_REQUIRED_TARGET_IS_OWED -> part = complete_part
    :: else -> move_and_wait(deliver_wait); part = no_more
    fi;
    n = 0
}

inline do_complete_part()
{
    R.retry = 0;
    if
    :: R.goal != R.active_slot ->
        active_becomes(R.goal);
        overlap_begins();
        P.frozen = 0;
#ifdef SEED_PARITY
        P.parity = OTHER(P.parity);
#endif
        printf("%d: rotation complete: slot %d is active\n", d, R.active_slot);
        done = calm
    :: else -> skip
    fi;
    R.check = 1;
    part = idle_part
}

/* --- step_idle.c --- */

#define DELIVERY_WAITS_FOR_A_PERSON (R.blocked == targets_disagree && R.goal == R.active_slot)

inline do_idle_next_part()
{
    find_next_target();
    if
    :: R.adopt_told -> part = adopt_look_part
    :: !R.adopt_told && R.retry -> part = no_more
    :: !R.adopt_told && !R.retry && n < TARGETS && !DELIVERY_WAITS_FOR_A_PERSON ->
        part = deliver_look_part
    :: !R.adopt_told && !R.retry && (n == TARGETS || DELIVERY_WAITS_FOR_A_PERSON) && R.check ->
        move_and_look(check_look);
        part = no_more
    :: else -> part = no_more
    fi;
    n = 0
}

inline finish_step()
{
    if
    :: part == check_part -> do_check_part()
    :: else -> skip
    fi;
    if
    :: part == intent_part -> do_intent_part()
    :: else -> skip
    fi;
    if
    :: part == adopt_part -> do_adopt_part()
    :: else -> skip
    fi;
    if
    :: part == verify_part -> do_verify_part()
    :: else -> skip
    fi;
    if
    :: part == deliver_part -> do_deliver_part()
    :: else -> skip
    fi;
    if
    :: part == complete_part -> do_complete_part()
    :: else -> skip
    fi;
    if
    :: part == idle_part -> move_and_wait(idle); part = idle_next_part
    :: else -> skip
    fi;
    if
    :: part == idle_next_part -> do_idle_next_part()
    :: else -> skip
    fi;
    if
    :: part == deliver_look_part -> move_and_look(deliver_look)
    :: part == adopt_look_part -> move_and_look(adopt_look)
    :: else -> skip
    fi;
    rename_keys();
    part = 0;
    then = 0;
    outcome = 0;
    unread = 0;
    look[0] = 0; look[1] = 0;
    sighting[0] = 0; sighting[1] = 0;
    holding[0] = 0; holding[1] = 0;
    is_late = 0; is_drift = 0; is_unfit = 0; in_use = 0; standby_changed = 0; active_changed = 0;
    yes = 0; skip_verify = 0; seen = 0; on_active = 0; on_standby = 0; elsewhere = 0;
    again = 0; slot = 0; key = 0; n = 0; t = 0
}
