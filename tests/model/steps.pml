/*
 * The daemon's decisions, continued: from a rotation's intent to its completion, adoption, and what is
 * next. A part is what several functions end with; finish_step() runs those that are asked for.
 */

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
    note_risk();
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
    R.unkept = 0;
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
        :: INTERLOCK_IS_OPEN && !is_drift && LOOK_IS_WHOLE -> part = check_part; then = intent_part
        :: INTERLOCK_IS_OPEN && !is_drift && !LOOK_IS_WHOLE -> R.retry = 1; move_and_wait(doubt_wait)
        :: else ->
            close_intent();
            R.retry = 0;
            part = (R.adopt_told -> adopt_look_part : check_part);
            then = (R.adopt_told -> no_more : idle_part)
        fi
    fi
}

/* --- step_adopt.c, adoption.c --- */

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
    R.was_adopted = 1;
    R.active_slot = slot;
    R.goal = slot;
    overlap_begins();
    forget_surprise();
    R.other = R.other && !R.adopt_told;
    unblock();
    R.adopt_told = 0;
    R.adopt_slot = 0;
    R.verified = 0;
    R.check = 0;
    void_acknowledgements();
    P.frozen = 0;
    printf("%d: adopted, slot %d is active\n", d, slot);
    part = deliver_part
}

/* Nothing but the configuration speaks, a required target was not read, and the keys are not known to
 * have been the same for unknown_wait. */
#define NOT_SURE_YET                                                                               \
    (!yes && !R.was_adopted &&                                                                     \
     ((HAS(required, 0) && holding[0] == UNSEEN) || (HAS(required, 1) && holding[1] == UNSEEN)) && \
     !(R.surprised && !R.unsure && R.seen_live[0] == look[0] && R.seen_live[1] == look[1]))

/* adopt_from(); `again`: because the journal does not fit. */
inline do_adopt_part()
{
    note_risk();
    yes = true;
    if
    :: R.adopt_told && !again -> verdict = nothing; slot = R.adopt_slot
    :: else -> judge_adoption(!R.was_adopted)
    fi;
    if
    :: verdict == nothing && NOT_SURE_YET ->
        if
        :: !R.surprised || R.seen_live[0] != look[0] || R.seen_live[1] != look[1] ->
            R.surprised = 1;
            R.seen_live[0] = look[0];
            R.seen_live[1] = look[1];
            R.unsure = 1
        :: else -> skip
        fi;
        R.retry = 1;
        move_and_wait(adopt_wait);
        part = no_more
    :: verdict == nothing && !NOT_SURE_YET -> take_under_care()
    :: else ->
        R.adopted = 0;
        if
        :: R.was_adopted -> block(journal_behind)
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

/* --- step_deliver.c, delivery.c --- */

/* The order binds a rotation, where the key that the target holds still works. */
#define IN_ORDER(t) (R.goal != R.active_slot && !HAS(R.dead, t))
#define HAS_ITS_TURN(t) (IS_OWED(t) && !(t == 1 && IN_ORDER(1) && HAS(required, 0) && IS_OWED(0)))

/* The target whose turn it is in `n`, TARGETS for none. */
inline find_next_target()
{
    n = 0;
    do
    :: n < TARGETS && !(HAS_ITS_TURN(n) && IS_READY(n)) -> n++
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
