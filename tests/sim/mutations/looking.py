"""Rules 10 to 12: looking."""

from .mutation import ACKNOWLEDGING_TELLS, SEEN_IN_USE_TELLS, SURPRISE_GONE_TELLS, mutation

# A second line of defence, which is taken out together with the first.
YOUNG_KEY_CONTRADICTED = (
    "core/step_deliver.c",
    "verdict.kind == VERDICT_LATE || contradicts_young_key(machine, &verdict)",
    "verdict.kind == VERDICT_LATE || (contradicts_young_key(machine, &verdict) && false)")

MUTATIONS = [
    mutation("told-age-confirms", 10,
             "a change counts at the first look where Azure says when the key was made",
             "ages-only",
             "a wrong time, or a list that shows the past, makes a key live that is dead",
             ("core/drift.c", """\
    if (!is_same_drift(unconfirmed, look))
        return false;
    return unconfirmed->proven ||""", """\
    if (!is_same_drift(unconfirmed, look))
        return key_time_of_news(machine->record, look, machine->now) != 0;
    return unconfirmed->proven ||"""),
             scenario="key-times"),
    mutation("told-future-believed", 10,
             "a time of the future counts as the one at which a key was made",
             "ages-only",
             "what is wrong at Azure is shown as an age, and plans a rotation",
             ("core/key_time.c", """\
    if (told < KEY_TIME_FIRST || told > time_add(now, KEY_TIME_AHEAD))
        return 0;
    return time_min(told, now);""", "    (void)now;\n    return told;"),
             ("core/key_time.c", """\
    return told > time_add(record->born[slot], KEY_TIME_AHEAD) ? 0
                                                               : time_min(told, record->born[slot]);""",
              "    (void)record;\n    return told;")),
    mutation("blocked-adoption-unwatched", 16,
             "an account that waits for a person to say which key is in use is not looked at",
             "not-silent",
             "nobody learns that its targets hold a dead key",
             ("core/step_adopt.c", "        return record->check_at;\n",
              "        return TIME_NEVER;\n"),
             scenario="adopt-unknown-and-watched"),
    mutation("left-key-forgotten", 11,
             "the key of a target that is left to another rotator is not kept in the journal",
             "not-silent",
             "that key dies while the target cannot be read, and its consumers are not reported at risk",
             ("core/delivery.c",
              "    target->fingerprint = record->live[slot_other(record->active)];\n", ""),
             scenario="key-of-another-rotator-dies-unread"),
    # --- 10: a look can show the past ---
    mutation("late-look-calms", 10,
             "an unexpected change is forgotten when a look no longer shows it",
             "no-outage",
             "somebody else uses the key that is regenerated",
             SURPRISE_GONE_TELLS,
             scenario="change-taken-back"),
    mutation("past-believed", 10,
             "a look that shows a key already replaced is believed",
             "past-look",
             "a dead key is delivered",
             ("core/judge.c", """\
            record_is_replaced(record, &look->live[slot]))
            return true;""", """\
            record_is_replaced(record, &look->live[slot]))
            return false;""")),
    mutation("replaced-forgotten", 10,
             "the journal does not keep the keys that were replaced",
             "past-look",
             "a look into the past counts as new",
             ("core/machine.c", "    record_add_replaced(record, slot, machine->now);\n", ""),
             YOUNG_KEY_CONTRADICTED,
             scenario="stale-look-during-delivery"),
    mutation("young-key-contradicted", 10,
             "with verify: off, a look that contradicts the key just regenerated counts at once",
             "delivers-goal",
             "a key that died before ours was made is delivered in its place",
             YOUNG_KEY_CONTRADICTED,
             scenario="late-look-after-a-race"),
    mutation("past-believed-in-delivery", 10,
             "a late look is believed while a key is delivered",
             "past-look",
             "the key from before the rotation is delivered, which is dead",
             ("core/judge.c", """\
    if (judge_is_late(record, look))
        return (struct verdict){.kind = VERDICT_LATE};
    verdict.other_changed""", "    verdict.other_changed"),
             YOUNG_KEY_CONTRADICTED,
             scenario="stale-look-during-delivery"),
    mutation("first-look-counts", 10,
             "an unexpected look counts at once",
             "two-looks",
             "an answer of a minute ago is acted upon",
             ("core/drift.c", "if (drift_is_confirmed(machine, look))", "if (true)")),
    mutation("second-look-at-once", 10,
             "the second look may follow at once",
             "two-looks",
             "both looks show the same past",
             ("core/drift.c",
              "machine->now >= machine_confirm_at(machine);",
              "true;")),
    mutation("list-contradicts-answer", 10,
             "a list that shows another key right after an answer that showed ours counts as true",
             "past-look",
             "where the data plane is not asked, the key that the regenerate replaced is delivered",
             ("core/step_verify.c",
              "verdict.kind == VERDICT_LATE || contradicts_answer(machine, &verdict)",
              "verdict.kind == VERDICT_LATE || (false && contradicts_answer(machine, &verdict))"),
             scenario="clock-set-forward-while-lists-lag"),
    mutation("late-lists-by-wall-clock", 10,
             "the time in which lists are late stays where it is when the clock is set",
             "past-look",
             "a clock that is set forward ends it early: the key that was replaced is delivered",
             ("core/record.c",
              "record->verify_since != 0 ? record->verify_since : record->born[record->delivering]",
              "record->born[record->delivering]"),
             scenario="clock-set-forward-while-lists-lag"),
    mutation("second-look-before-lists", 10,
             "the second look comes unknown_wait after the first one, however late lists are",
             "two-looks",
             "a dead key is delivered over the live one, which lists do not show yet",
             ("core/machine.c", "unconfirmed.seen_at, machine_shown_within(machine)",
              "unconfirmed.seen_at, machine->context->timing->unknown_wait"),
             scenario="second-look-lists-lag"),
    mutation("second-look-by-wall-clock", 10,
             "the second look follows early when the clock is set",
             "two-looks",
             "both looks show the same past",
             ("core/record_table.c", '"surprise_seen_at", .clock = CLOCK_WAIT_FROM',
              '"surprise_seen_at", .clock = CLOCK_PAST'),
             scenario="clock-set-between-two-looks"),
    mutation("second-look-of-something-else", 10,
             "the second look may show other targets than the first",
             "two-looks",
             "what was seen once is acted upon",
             ("core/drift.c",
              "unconfirmed->pending && fingerprint_equal(&unconfirmed->targets, &digest) &&",
              "unconfirmed->pending && !fingerprint_is_none(&digest) &&"),
             scenario="second-look-differs"),
    mutation("proof-by-nothing", 10,
             "a look counts at once whatever the data plane says of the keys",
             "two-looks",
             "an answer of a minute ago is acted upon",
             ("core/step_check.c",
              "failure && failure->reason == REASON_KEY_REFUSED ?",
              "!failure || failure ?"),
             ("core/step_check.c", "    if (machine->event->failure)\n", "    if (false)\n")),

    # --- 11: somebody else ---
    mutation("configuration-believed-at-once", 10,
             "what only the configuration calls active is believed at the first look",
             "sure-adoption",
             "a request that an erased journal knew of regenerates the key that is delivered",
             ("core/adoption.c",
              "if (adoption.settled && adoption.by_hint && !again &&",
              "if (false && adoption.by_hint && !again &&"),
             scenario="first-adoption-and-a-lost-regenerate"),
    mutation("other-keys-adopted", 10,
             "the second look of an adoption may show other keys than the first",
             "sure-adoption",
             "what has just been changed, and may be again, is delivered",
             ("core/adoption.c",
              "if (!unconfirmed->pending || !fingerprint_equal(&unconfirmed->live[0], &look->live[0]) ||",
              "if (!unconfirmed->pending || false &&"),
             scenario="first-adoption-and-a-lost-regenerate"),

    mutation("standby-change-ignored", 11,
             "an idle key that somebody else regenerated is not left alone",
             "standby-changed",
             "programs that use it are cut off within the overlap",
             ("core/drift.c", """\
    delivery_acknowledge_seen(machine, look);
    record_begin_overlap(record, machine->now);
}

static void accept_rotation_elsewhere""", """\
    delivery_acknowledge_seen(machine, look);
}

static void accept_rotation_elsewhere""")),
    mutation("glimpse-ignored", 11,
             "an idle key that a target held for a while is not left alone",
             "standby-only",
             "programs that read it there meanwhile are cut off",
             SEEN_IN_USE_TELLS, SURPRISE_GONE_TELLS,
             scenario="standby-key-glimpsed"),
    mutation("rotated-elsewhere-ignored", 11,
             "a rotation by somebody else starts no overlap",
             "standby-only",
             "programs that have not read again since then are cut off",
             ("core/drift.c", """\
    record_begin_overlap(record, machine->now);
    record->completed_at = machine->now;
""", "    record->completed_at = machine->now;\n"),
             SEEN_IN_USE_TELLS,
             ACKNOWLEDGING_TELLS,
             scenario="rotated-elsewhere-and-commanded"),
    mutation("both-changed-forgotten", 11,
             "that both keys were changed by somebody else stops no rotation",
             "both-changed",
             "a cloned machine regenerates the key that the original's consumers use",
             ("core/interlock.c", "else if (now < both_changed_ends)", "else if (false)"),
             scenario="cloned-machine"),
    mutation("both-changed-by-wall-clock", 11,
             "when both keys were changed stays where it is when the clock is set",
             "both-changed",
             "a clock that is set forward ends the wait for whoever changed them",
             ("core/record_table.c", "both_changed_at, .clock = CLOCK_WAIT_FROM",
              "both_changed_at, .clock = CLOCK_PAST"),
             scenario="both-keys-by-hand-and-clock-set"),
    mutation("fights", 11,
             "a second change by somebody else does not block",
             "no-fight",
             "two rotators regenerate each other's keys for ever",
             ("core/machine.c",
              "    if (!policy->rotate || previous == 0 ||",
              "    if (true || previous == 0 ||")),

    mutation("answers-for-ever", 11,
             "a target that is given the standby key by somebody else is given the active one again",
             "no-fight",
             "two rotators take turns, and nobody rotates any more",
             ("core/drift.c", "    if (standby_was_given(record, look))\n", "    if (false)\n"),
             scenario="standby-key-handed-out"),
    mutation("evidence-forgives", 11,
             "another rotator is forgotten when the journal is begun anew",
             "no-fight",
             "two rotators regenerate keys in turns",
             ("core/adoption.c", "    if (asked) {\n", "    if (true) {\n"),
             scenario="another-rotator-and-journal-behind"),

    # --- 12: a journal that does not fit ---
    mutation("cycle-ignored", 12,
             "a later cycle at a target says nothing about the journal",
             "journal-unfit",
             "a journal from a backup rotates the key that is in use",
             ("core/judge.c",
              "    return highest_cycle(look) > record->cycle;\n",
              "    return highest_cycle(look) == UINT64_MAX && record->cycle;\n")),
    mutation("both-unknown-ignored", 12,
             "two live keys that the journal never saw say nothing about it",
             "journal-unfit",
             "a journal from a backup goes on as if it knew which key is in use",
             ("core/judge.c",
              "if ((!active_same && !standby_same) || judge_is_ahead(record, look)) {",
              "if (judge_is_ahead(record, look)) {")),
    mutation("both-changed-whatever-is-in-use", 12,
             "both keys may have been changed by hand although a target holds one of them",
             "journal-unfit",
             "a journal from a backup delivers a key over the one that is in use",
             ("core/drift.c", """\
        if (holding == HOLDING_UNSEEN || holding == HOLDING_BOTH ||
            judge_holds(holding, SLOT_PRIMARY) || judge_holds(holding, SLOT_SECONDARY))
            return false;""", """\
        if (holding == HOLDING_UNSEEN || holding == HOLDING_BOTH)
            return false;"""),
             scenario="both-keys-by-hand-and-one-in-use"),
    mutation("both-changed-whatever-is-unread", 12,
             "both keys may have been changed by hand although a target could not be read",
             "journal-unfit",
             "a journal from a backup delivers a key over the one that is in use",
             ("core/drift.c", "if (holding == HOLDING_UNSEEN || holding == HOLDING_BOTH ||",
              "if (holding == HOLDING_BOTH ||"),
             scenario="both-keys-by-hand-and-one-unread"),
    mutation("both-changed-whatever-was-given", 12,
             "both keys may have been changed by hand although a target holds a key that it was not given",
             "journal-unfit",
             "a journal from a backup is believed although others have rotated since",
             ("core/drift.c",
              "if (!known || !judge_holds_only(look, &target->id, &known->fingerprint))",
              "if (!known || holding != HOLDING_DEAD_KEY)"),
             scenario="both-keys-by-hand-over-an-unknown-one"),
    mutation("first-day-again", 12,
             "adopt_active settles an adoption of a journal that was lost",
             "journal-unfit",
             "the key of the first day is called the active one, whatever is in use",
             ("core/adoption.c", """\
    struct adoption_hint hint = {0};

    machine_note_drift""", """\
    struct adoption_hint hint = {.has_active = machine->context->has_adopt_active,
                                 .active = machine->context->adopt_active};

    machine_note_drift""")),
]
