/*
 * The daemon's decisions, continued: from a rotation's intent to its completion, adoption, and the
 * next step. A part is the common end of several functions; finish_step() runs the parts that are
 * asked for.
 */

/* --- step_rotate.c --- */

#ifdef SEED_PARITY
#define SLOT_TO_REGENERATE P.parity
#else
#define SLOT_TO_REGENERATE OTHER(R.active_slot)
#endif

inline close_intent()
{
#ifdef SLOW
    PROMISE(no_conclusion_while_it_runs, !OPERATION_RUNS && P.lost == 0);
    R.operation_known = 0;
    R.settling = 0;
    R.just_ended = 0;
#endif
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
    PROMISE(no_second_operation, !OPERATION_RUNS);
    P.unresolved = R.intent_slot + 1;
    P.tried = R.intent_slot + 1;
    P.starting = 0;
#ifdef SLOW
    R.settling = 1;
    regenerated_since = P.unseen;
    wrote_since = P.unseen;
#endif
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
        part = (R.adopt_asked -> adopt_look_part : idle_part)
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
        add_foreign_change();
        take_key(OTHER(R.intent_slot))
    :: else -> skip
    fi;
    take_key(R.intent_slot);
    R.delivering = R.intent_slot;
#ifdef SEED_ACTIVE_FIRST
    active_becomes(R.delivering);
#endif
    close_intent();
    P.unresolved = 0;
    R.retrying = 0;
    R.attempted = 0;
    R.verified = 0;
    R.retry = 0;
    part = verify_part
}

/* Where nothing else is done until the outcome is known, or where it is. */
inline wait_in_doubt()
{
    if
    :: IS_SLOW -> move_and_wait(poll_wait)
    :: else -> move_and_wait(doubt_wait)
    fi
}

/* Does the look say what became of the request: it is true, and nothing may come? */
#ifdef SLOW
#define IS_RESOLVED                                                                                \
    (!OPERATION_RUNS && P.lost == 0 && look[R.intent_slot] == live[R.intent_slot])
#else
#define IS_RESOLVED true
#endif

#ifdef SLOW
inline must_have_ended()
{
    R.retry = 0;
    R.just_ended = R.just_ended && !LOOKS_ARE_TRUE;
    R.operation_known = 0;
    R.settling = 0
}
#endif

inline resolve_doubt()
{
    P.unresolved = (IS_RESOLVED -> 0 : P.unresolved);
    judge_unanimous(OTHER(R.intent_slot));
    yes = yes && look[OTHER(R.intent_slot)] != R.live[OTHER(R.intent_slot)];
    if
    :: look[R.intent_slot] != R.live[R.intent_slot] && yes ->
        close_intent();
        again = true;
        part = adopt_part
    :: look[R.intent_slot] != R.live[R.intent_slot] && !yes -> take_new_key()
#ifdef SLOW
    /* It has ended, and looks may be late. */
    :: look[R.intent_slot] == R.live[R.intent_slot] && R.just_ended -> wait_in_doubt()
    :: look[R.intent_slot] == R.live[R.intent_slot] && !R.just_ended ->
#else
    :: else -> /* repeat_or_leave() */
#endif

        judge_drift();
        if
        :: INTERLOCK_IS_OPEN && !is_drift && LOOK_IS_WHOLE -> part = check_part; then = intent_part
        :: INTERLOCK_IS_OPEN && !is_drift && !LOOK_IS_WHOLE ->
            R.retry = 1;
            wait_in_doubt()
        :: else ->
            close_intent();
            R.retry = 0;
            part = (R.adopt_asked -> adopt_look_part : check_part);
            then = (R.adopt_asked -> no_more : idle_part)
        fi
    fi
}

/* --- step_adopt.c, adoption.c --- */

/* What the required targets show. If `verdict` is nothing, `slot` is the active one. */
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

inline adopt_account()
{
    take_key(0);
    take_key(1);
    R.adopted = 1;
#ifdef PRESUMED
    if
    :: R.adopt_asked -> R.presumed = 0
    :: !R.adopt_asked && !R.was_adopted -> R.presumed = !yes /* nothing but the rule says so */
    :: else -> skip
    fi;
#endif
    R.was_adopted = 1;
    R.active_slot = slot;
    R.delivering = slot;
    begin_overlap();
    clear_unconfirmed();
    R.other_rotator = R.other_rotator && !R.adopt_asked;
    unblock();
    R.adopt_asked = 0;
    R.adopt_slot = 0;
    R.verified = 0;
    R.check = 0;
    void_all();
    P.frozen = 0;
    printf("%d: adopted, slot %d is active\n", d, slot);
    part = deliver_part
}

/* await_same_keys(): only the configuration names the active key, a required target was not read,
 * and the keys are not known to have been the same for unknown_wait. */
#define AWAIT_SAME_KEYS                                                                            \
    (!yes && !R.was_adopted &&                                                                     \
     ((HAS(required, 0) && holding[0] == UNSEEN) || (HAS(required, 1) && holding[1] == UNSEEN)) && \
     !(R.unconfirmed && !R.in_unknown_wait && R.unconfirmed_live[0] == look[0] &&                  \
       R.unconfirmed_live[1] == look[1]))

/* adoption_decide(); `again`: because the journal does not fit. */
inline do_adopt_part()
{
    note_risk();
    yes = true;
    if
    :: R.adopt_asked && !again -> verdict = nothing; slot = R.adopt_slot
    :: else -> judge_adoption(!R.was_adopted)
    fi;
    if
    :: verdict == nothing && AWAIT_SAME_KEYS ->
        if
        :: !R.unconfirmed || R.unconfirmed_live[0] != look[0] || R.unconfirmed_live[1] != look[1] ->
            R.unconfirmed = 1;
            R.unconfirmed_live[0] = look[0];
            R.unconfirmed_live[1] = look[1];
            R.in_unknown_wait = 1
        :: else -> skip
        fi;
        R.retry = 1;
        move_and_wait(adopt_wait);
        part = no_more
    :: verdict == nothing && !AWAIT_SAME_KEYS -> adopt_account()
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

inline restart_delivery()
{
    add_foreign_change();
    take_key(R.delivering);
    void_all();
    R.verified = 0;
    part = verify_part
}

/* --- step_deliver.c, delivery.c --- */

/* The order binds a rotation, in which the key that the target holds still works. */
#define IN_ORDER(t) (R.delivering != R.active_slot && !HAS(R.dead, t))
#define HAS_ITS_TURN(t) (IS_OWED(t) && !(t == 1 && IN_ORDER(1) && HAS(required, 0) && IS_OWED(0)))

inline wait_to_deliver()
{
    if
    :: WAITS_OUT -> move_and_wait(poll_wait)
    :: else -> move_and_wait(deliver_wait)
    fi
}

/* The first target has hung, and the other one has not: that one goes first. Where both have, the
 * code takes the one that hung earlier; here that is always the first. */
#if TARGETS == 2
#define IS_PASSED_BY_THE_OTHER                                                                     \
    (HAS(R.unsettled, 0) && !HAS(R.unsettled, 1) && HAS(required, 1) && HAS_ITS_TURN(1) &&         \
     IS_READY(1))
#else
#define IS_PASSED_BY_THE_OTHER false
#endif

/* Sets `n` to the next target; TARGETS: none. */
inline next_target()
{
    n = 0;
    do
    :: n < TARGETS && !(HAS_ITS_TURN(n) && IS_READY(n)) -> n++
    :: else -> break
    od;
    n = (n == 0 && IS_PASSED_BY_THE_OTHER -> 1 : n)
}

inline do_deliver_part()
{
    next_target();
    if
    :: n < TARGETS ->
        ADD(R.delivery_intended, n);
        move(offer);
        P.on_disk = 0;
        P.frozen = (R.delivering != R.active_slot -> 1 : P.frozen);
        part = no_more
    :: n == TARGETS && !A_REQUIRED_TARGET_IS_OWED -> part = complete_part
    :: else -> wait_to_deliver(); part = no_more
    fi;
    n = 0
}

inline do_complete_part()
{
    R.retry = 0;
    if
    :: R.delivering != R.active_slot ->
        active_becomes(R.delivering);
        begin_overlap();
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

#define DELIVERY_WAITS_FOR_A_PERSON (R.blocked == targets_disagree && R.delivering == R.active_slot)

inline do_idle_next_part()
{
    next_target();
    if
    :: ADOPTS -> part = adopt_look_part
    :: !ADOPTS && R.retry -> part = no_more
    :: !ADOPTS && !R.retry && n < TARGETS && !DELIVERY_WAITS_FOR_A_PERSON ->
        part = deliver_look_part
    :: !ADOPTS && !R.retry && (n == TARGETS || DELIVERY_WAITS_FOR_A_PERSON) && R.check ->
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
    :: part == idle_part && WAITS_OUT -> move_and_wait(poll_wait); part = no_more
    :: part == idle_part && !WAITS_OUT -> move_and_wait(idle); part = idle_next_part
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
