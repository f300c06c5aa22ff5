"""Rules 6 to 9: delivering."""

from .mutation import ACKNOWLEDGING_TELLS, mutation

MUTATIONS = [
    # --- 6: frozen until everybody has it ---
    mutation("restart-forgets-delivery", 6,
             "after a restart a delivery that was under way is forgotten",
             "frozen",
             "the key that the first target got is regenerated again",
             ("core/flow.c",
              "    return stored < POSITION_COUNT ? rows[stored].restart : POSITION_ADOPT_WAIT;", """\
    return rows[stored].restart == POSITION_DELIVER_WAIT ? POSITION_IDLE : rows[stored].restart;"""),
             ("core/interlock.c", """\
    else if (record->delivering != record->active)
        refuse(interlock, REASON_NONE, TIME_NEVER,
               "the new key is still being delivered: both keys are frozen");
""", ""),
             ("core/interlock.c",
              "else if (record->target_count == 0 || record_owed_required(record) > 0)",
              "else if (record->target_count == 0)"),
             ("core/step_idle.c",
              "           delivery_next_at(machine->context, machine->record) <= machine->now;",
              """\
           machine->record->delivering == machine->record->active &&
           delivery_next_at(machine->context, machine->record) <= machine->now;"""),
             ("core/step_idle.c",
              "        at = time_min(at, delivery_next_at(machine->context, record));\n", """\
        at = record->delivering != record->active ? at : time_min(at, delivery_next_at(machine->context, record));
"""),
             ("core/rotation_check.c", """\
    if (intent->open && record->delivering != record->active)
        return "an intent while an earlier key is still being delivered";
""", ""),
             ("core/rotation_check.c",
              "&& resumed == POSITION_IDLE)", "&& false)")),
    mutation("order-ignored", 6,
             "a rotation delivers to all targets at once",
             "in-order",
             "consumers are told of a key that the target they read it from does not have",
             ("core/delivery.c",
              "const bool in_order = !delivery_is_repair(record, target);",
              "const bool in_order = false;")),
    mutation("optional-out-of-turn", 6,
             "in a rotation an optional target does not wait for the required ones after it",
             "in-order",
             "consumers are told of a key that the target they read it from does not have",
             ("core/delivery.c",
              "        target->required ? target : record->targets + record->target_count;",
              "        target;"),
             ("core/step_deliver.c", "prefer(target->required ? &required : &optional, target);",
              "prefer(&optional, target);"),
             scenario="optional-target-stands-first"),
    mutation("told-once", 7,
             "a command that ran before a target had the key does not run again afterwards",
             "owed",
             "its readers have looked there too early, and learn of the key too late",
             ("core/delivery.c", "    run_again_after(machine->record, target);\n",
              "    (void)run_again_after;\n"),
             scenario="repair-told-again"),
    mutation("hook-does-not-wait", 6,
             "what is told after a target does not wait until that one has the key",
             "in-order",
             "a service restarts before its key is there, and is not restarted again",
             ("core/delivery.c",
              "        (!record_target_satisfied(record, owner) || owner_is_doubted(context, record, owner)))\n",
              "        false)\n"),
             scenario="hook-of-an-optional-target"),
    mutation("hook-told-while-suspected", 6,
             "what is told after a target does not wait for the second look where the first found it without the key",
             "in-order",
             "a service restarts before its key is there",
             ("core/delivery.c", " || owner_is_doubted(context, record, owner)))", "))"),
             scenario="hook-of-a-suspected-target"),
    mutation("unseen-taken-for-well", 6,
             "a look that does not show a target ends the suspicion that it lacks the key",
             "in-order",
             "a service restarts before its key is there",
             ("core/drift.c", "        if (machine_look_is_whole(machine))\n            record->unconfirmed",
              "        record->unconfirmed"),
             scenario="hook-of-a-suspected-target"),
    mutation("hook-told-once", 7,
             "what is told after a target is not told again when that one was repaired",
             "owed",
             "a service that read what somebody wrote there is never told of its key",
             ("core/delivery.c",
              "    if (!known_to_hold_it)\n        delivery_tell_again(machine, target);\n", ""),
             ("core/step_deliver.c",
              "        if (machine->event->changed)\n            delivery_tell_again(machine, target);\n",
              ""),
             scenario="hook-told-again"),
    mutation("told-while-left", 7,
             "a target that is left to another rotator counts as one that has the key",
             "owed",
             "readers that were notified meanwhile have looked there in vain, and are not notified again",
             ("core/step_deliver.c",
              "        if (other->required && !record_target_has_key(record, other))\n            return true;",
              "        if (other->required && !record_target_satisfied(record, other))\n            return true;"),
             scenario="told-while-left-to-another-rotator"),
    mutation("offer-not-durable", 6,
             "that a target may hold the new key is not written before the delivery",
             "offer-first",
             "after a crash nobody knows that a delivery may still land",
             ("app/engine_step.c", """\
    account->saving = transaction;
    store_save(""", """\
    account->saving = transaction;
    if (account->record.position == POSITION_DELIVER_INTENT) {
        on_saved(account);
        return;
    }
    store_save(""")),
    mutation("redeliver-takes-back", 6,
             "`redeliver` delivers the active key in the middle of a rotation",
             "delivers-goal",
             "targets that have the new key are given the old one again",
             ("core/command.c",
              "    record->repairing = DRIFT_TARGET_CHANGED;\n",
              """\
    record->repairing = DRIFT_TARGET_CHANGED;
    record->delivering = record->active;
""")),

    # --- 7: an acknowledgement is a key at a place ---
    mutation("any-key-counts", 7,
             "a target that acknowledged some key is taken to have every key",
             "acknowledged",
             "a rotation is complete without any delivery, and the next one is an outage",
             ("core/record.c",
              "fingerprint_equal(&target->fingerprint, record_delivering_key(record))",
              "record != NULL")),
    mutation("lost-key-not-missed", 7,
             "a target that lost the new key during the rotation still counts",
             "acknowledged",
             "the rotation is complete, and its readers have another key",
             ("core/step_deliver.c",
              "        void_lost_targets(machine, look);\n",
              "        (void)void_lost_targets;\n"),
             scenario="rotated-elsewhere-during-rotation"),
    mutation("new-target-not-owed", 7,
             "a target that is added later is owed nothing",
             "owed",
             "its readers never get a key",
             ("core/restart.c",
              "*target = known ? *known : (struct target_record){.id = context->targets[i].id};",
              """\
*target = known ? *known : (struct target_record){.id = context->targets[i].id};
        if (!known && record->adopted) {
            target->acknowledged = true;
            target->fingerprint = *record_delivering_key(record);
        }""")),
    mutation("gives-up-on-a-target", 7,
             "the rotation no longer waits for a target that failed three times",
             "acknowledged",
             "its readers hold the key that the next rotation regenerates",
             ("core/step_deliver.c",
              "        target->attempts++;\n",
              """\
        target->attempts++;
        if (target->attempts >= 3) {
            target->acknowledged = true;
            target->fingerprint = *record_delivering_key(record);
        }
""")),
    mutation("unknown-is-delivered", 7,
             "a delivery of unknown outcome counts as an acknowledgement",
             "acknowledged",
             "a target that never got the key is taken to have it",
             ("core/step_deliver.c",
              "if (target && machine->event->failure) {",
              """\
if (target && machine->event->failure &&
        !machine->event->failure->outcome_unknown) {""")),
    mutation("removed-target-waited-for", 7,
             "a target that is removed is still waited for",
             "not-silent",
             "the account never rotates again",
             ("core/step_deliver.c", """\
    if (record_owed_required(record) == 0)
        return 0;""", """\
    if (record_owed_required(record) == 0)
        return TIME_NEVER;"""),
             scenario="target-removed-for-good"),

    # --- 8: who is told late has the overlap ---
    mutation("repair-tells-nobody", 8,
             "a delivery that changed something does not start the overlap anew",
             "overlap-again",
             "the readers of a repaired target lose the key they had too early",
             ("core/step_deliver.c",
              "if (target->required && machine->event->changed)",
              "if (false)")),
    mutation("unknown-tells-nobody", 8,
             "a delivery that failed and arrived all the same starts no overlap",
             "overlap-again",
             "readers that got the key later than recorded are cut off",
             ACKNOWLEDGING_TELLS),
    mutation("told-by-others", 8,
             "a key that somebody else delivered starts no overlap",
             "standby-only",
             "readers of targets that were given it just now are cut off",
             ("core/drift.c", """\
    if (targets_know)
        record_begin_overlap(record, machine->now);
    else
""", "    if (!targets_know)\n"),
             ACKNOWLEDGING_TELLS),
    mutation("seen-before-an-attempt", 10,
             "what a look showed before a delivery of unknown outcome is confirmed by one after it",
             "two-looks",
             "a target that shows the same by chance, or for a moment, is written to at once",
             ("core/step_deliver.c", "(machine->event->changed || !was_known)",
              "machine->event->changed"),
             scenario="seen-before-an-attempt"),
    mutation("settle-look-before-lists", "product",
             "the look that confirms a rotation comes after settle, however late lists are",
             "repaired",
             "a key that somebody ended before the list showed it stays in the targets until the next check",
             ("core/step_deliver.c",
              "time_max(machine->context->timing->settle, machine->context->list_delay)",
              "machine->context->timing->settle"),
             scenario="settle-look-lists-lag"),
    mutation("optional-becomes-required", 8,
             "a target that becomes required brings no overlap with it",
             "overlap-again",
             "its readers, which got the key after the others, are cut off",
             ("core/restart.c",
              "record_begin_overlap(record, known->acknowledged_at);",
              "(void)record;"),
             scenario="optional-told-late"),
    mutation("unsettled-ignored", 8,
             "after a delivery of unknown outcome the next one leaves at once",
             "unsettled",
             "the lost one lands last",
             ("core/step_deliver.c", """\
    if (failure->outcome_unknown)
        target->unsettled_until""", """\
    if (false)
        target->unsettled_until""")),
    mutation("unsettled-by-wall-clock", 8,
             "the wait for a lost delivery ends early when the clock is set",
             "unsettled",
             "the lost one lands last",
             ("core/record_table.c", "unsettled_until, .clock = CLOCK_UNTIL_SETTLED",
              "unsettled_until"),
             scenario="clock-set-while-unsettled"),
    mutation("unsettled-over-crash", 8,
             "a delivery that a crash cut short is taken to be over",
             "unsettled",
             "it lands after the next one",
             ("core/restart.c", """\
        if (!context->targets[i].settles_at_once)
            target->unsettled_until = time_add(machine->now, context->timing->unknown_wait);
    }
}""", """\
    }
}""")),
    mutation("unsettled-over-reload", 8,
             "a target that was removed and is there again is taken to be settled",
             "unsettled",
             "what was on its way to it lands after the next delivery",
             ("core/restart.c", """\
        if (!known && record->adopted && !context->targets[i].settles_at_once)
            target->unsettled_until = time_add(machine->now, context->timing->unknown_wait);
""", ""),
             scenario="target-back-while-unsettled"),

    mutation("waits-for-the-released", 7,
             "a delivery that nobody waits for any more goes on until its time is up",
             "released",
             "a rotation waits, with both keys frozen, for a target that is no longer configured",
             ("core/rotation.c", "    machine->effects->give_up = why;\n", "    (void)why;\n")),
    mutation("waits-for-the-demoted", 7,
             "a target that is made optional is delivered to as if it had always been optional",
             "released",
             "a rotation waits, with both keys frozen, for a target that is optional",
             ("core/step_deliver.c", "    if (target && !under_way->required)\n",
              "    if (target)\n")),
    mutation("waits-for-the-optional", 7,
             "a delivery to an optional target may keep an account for a day",
             "released",
             "a required target that lost its key gets it back a day later",
             ("core/step_deliver.c", "enum { OPTIONAL_DELIVERY_MAX_MS = 5 * 60 * 1000 };",
              "enum { OPTIONAL_DELIVERY_MAX_MS = 24 * 60 * 60 * 1000 };"),
             scenario="optional-target-hangs"),
    mutation("waits-for-the-hanging", 8,
             "in a repair a required target that hangs keeps those behind it waiting",
             "none-waits",
             "programs that could have the live key hold a dead one for a day",
             ("core/step_deliver.c",
              "        return required_ends_at(machine, target, under_way, ret_why);\n",
              "        return required_ends_at ? TIME_NEVER : 0;\n")),
    mutation("hangs-out-of-turn", 8,
             "in a repair a target that has hung is tried again before others were",
             "none-waits",
             "where three targets hang, a fourth one never has its turn",
             ("core/step_deliver.c",
              "if (!*first || target->unsettled_until < (*first)->unsettled_until)",
              "if (!*first)"),
             scenario="required-targets-hang"),
    mutation("failed-long-hangs-long", 8,
             "a target that has failed for long keeps others waiting for as long when it hangs",
             "none-waits",
             "programs that could have the live key hold a dead one for a day",
             ("core/step_deliver.c",
              "time_min(failing, failing_before(other, under_way))", "failing"),
             scenario="required-target-hangs-after-failing"),
    mutation("command-waits-for-the-hanging", 8,
             "an operator's command waits for a target that has failed for long",
             "none-waits",
             "a person who knows which key is in use cannot say so while a program hangs",
             ("core/step_deliver.c", "record->adopt_asked ? 0 : failing_before(target, under_way)",
              "failing_before(target, under_way)"),
             scenario="required-target-hangs-after-failing"),

    mutation("optional-waits-for-optional", 8,
             "an optional target that hangs keeps other optional ones waiting",
             "none-waits",
             "programs that could have the live key hold a dead one for a day",
             ("core/step_deliver.c",
              "    return time_min(required_at, time_min(optional_at, others_at));",
              "    return time_min(required_at, others_at);"),
             scenario="optional-targets-hang"),

    # --- 9: active last ---
    mutation("active-first", 9,
             "the new key is the active one before anybody has it",
             "active-last",
             "after a crash the journal calls a key delivered that no target has",
             ("core/step_rotate.c", """\
    record->delivering = slot;
    record->intent = (struct intent){0};
""", """\
    record->delivering = slot;
    record->active = slot;
    record->intent = (struct intent){0};
""")),
    mutation("complete-with-some", 9,
             "the rotation is complete when no target can be tried any more",
             "active-last",
             "the key that a failing target still holds is the next one to be regenerated",
             ("core/step_deliver.c",
              "if (machine->record->target_count > 0 && record_owed_required(machine->record) == 0)",
              "if (machine->record->target_count > 0)")),
    mutation("no-settle-look", 9,
             "no look follows a completed rotation",
             "settle-look",
             "a request that Azure carried out twice is noticed hours later",
             ("core/step_deliver.c", """\
        record->check_at = settle_look_at(machine);
        plan_next(machine);
""", "        plan_next(machine);\n")),
]
