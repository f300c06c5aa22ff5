"""What the oracles have to convict: the designs that the field uses, and keyrotated itself with one of
its rules taken out.

Every mutation replaces text that stands exactly once in its file, so that the list cannot grow old
unnoticed. Where a rule has a second line of defence (a check behind the check), the mutation takes out
both. What needs more to come together than chance brings about in some thousand years is played in the
scenario that is named.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    rule: int | str  # of README.md, "Why it is safe"; "product": its first sentence
    what: str  # is taken out
    oracle: str  # convicts it
    outage: str  # what happens then
    edits: tuple  # of (file below daemon/, text, replacement)
    scenario: str  # in which it is convicted; "": in random worlds


@dataclasses.dataclass(frozen=True)
class Design:
    """Convicted in random worlds, and in the scenario design-NAME, which keyrotated survives."""
    name: str  # of the design, as in design_*.c
    what: str  # it does
    oracle: str
    outage: str


def mutation(name, rule, what, oracle, outage, *edits, scenario=""):
    return Mutation(name, rule, what, oracle, outage, edits, scenario)


DESIGNS = [
    Design("parity-in-memory", "alternates by a variable in memory that begins anew with each start",
           "no-outage", "after a restart the slot that everybody uses is regenerated"),
    Design("tag-with-default", "reads the active slot from a tag; primary where there is none",
           "no-outage", "the tag is lost, or somebody else rotated: the slot in use is regenerated"),
    Design("both-back-to-back", "regenerates both keys, then delivers one",
           "no-outage", "every rotation cuts off everybody until the delivery"),
    Design("publish-before-verify", "calls the new key active at once, and rotates again on schedule",
           "no-outage", "a target that could not be reached holds the key that is regenerated next"),
    Design("abort-and-start-over", "a failure aborts, and the next attempt takes the other slot",
           "no-outage", "the delivery fails, and the key that everybody still uses is regenerated"),
    Design("retry-on-timeout", "sends the request again when its answer is lost",
           "no-outage", "the first request lands last, on the key that was delivered"),
    Design("no-overlap", "regenerates the old key when all targets have the new one",
           "no-outage", "whoever has not read again since the delivery is cut off"),
    Design("fire-and-forget", "delivers to all targets at once, and ignores what fails",
           "no-outage", "a target that could not be reached holds the key that is regenerated next"),
    Design("ask-the-target", "the key that the first target does not hold is regenerated",
           "no-outage", "it dies between two targets, and then regenerates what the second one holds"),
    Design("rotate-at-start", "rotates whenever it is started",
           "no-outage", "two starts within the overlap regenerate what slow readers still hold"),
]

# The checks behind the checks, where a mutation has to pass them.
REGENERATE_CHECKS_SLOT = ("core/rotation.c", """
        record->intent.slot != slot_other(record->active) ||""", "")
RECORD_CHECKS_SLOT = ("core/rotation_check.c", """
    if (intent->open && intent->slot == record->active)
        return "an intent to regenerate the active slot";""", "")
ACKNOWLEDGING_TELLS = ("core/machine.c", "    if (target->required && !known_to_hold_it)\n",
                       "    if (false)\n")
SEEN_IN_USE_TELLS = ("core/step_check.c",
                     "    if (verdict->standby_in_use)\n"
                     "        record->overlap_from = machine->now;\n", "")
START_WAITS = ("core/interlock.c",
               "time_add(context->daemon_started_at, context->timing->unknown_wait)",
               "context->daemon_started_at")

MUTATIONS = [
    # --- 1: only the standby slot, and only after the overlap ---
    mutation("overlap-ignored", 1, "the interlock does not wait for the overlap",
             "standby-only", "readers that are slow, but in time, hold the key that is regenerated",
             ("core/interlock.c", "else if (now < later(overlap_ends, start_ends))",
              "else if (now < start_ends)")),
    mutation("owed-ignored", 1,
             "the interlock does not ask whether a required target lacks the key",
             "standby-only", "the key that a target still holds is regenerated",
             ("core/interlock.c",
              "else if (record->target_count == 0 || record_owed_required(record) > 0)",
              "else if (record->target_count == 0)")),
    mutation("active-slot", 1, "it is the active slot that is regenerated",
             "no-outage", "every rotation cuts off everybody until the delivery",
             ("core/step_rotate.c", ".slot = slot_other(record->active)}", ".slot = record->active}"),
             ("core/step_rotate.c", """
    if (intent->slot != slot_other(record->active))
        machine_fault(machine, "an intent for the active slot");""", ""),
             REGENERATE_CHECKS_SLOT, RECORD_CHECKS_SLOT),
    mutation("overlap-by-wall-clock", 1,
             "the overlap's beginning stays where it is when the clock is set",
             "standby-only", "a clock that is set forward ends an overlap before its time",
             ("core/restart.c", "    shift(&record->overlap_from, jump, now);\n", "")),

    mutation("adopted-in-use", 1, "an account that was adopted has no overlap",
             "standby-only", "what consumers used before the adoption is regenerated",
             ("core/step_adopt.c", "    record->overlap_from = machine->now;\n", ""),
             ACKNOWLEDGING_TELLS),
    mutation("blocked-ignored", 1, "the interlock does not ask whether the account is blocked",
             "no-fight", "a key is regenerated while a person has yet to say what is right",
             ("core/interlock.c",
              "    else if (record->blocked != REASON_NONE)\n"
              "        refuse(interlock, record->blocked, TIME_NEVER, \"the account is blocked\");\n",
              "")),
    mutation("intent-not-asked-again", 1,
             "the interlock is not asked again when the intent is durable",
             "held", "a request leaves although it was switched off while the disk was full",
             ("core/step_rotate.c", "    if (!interlock.open && record->intent.attempts == 1) {",
              "    if (false) {"),
             ("core/step_rotate.c", "    if (!interlock.open) {\n        enter_doubt_wait",
              "    if (false) {\n        enter_doubt_wait"),
             ("core/rotation.c", "    if (!interlock.open || !record->intent.open ||",
              "    if (!record->intent.open ||"),
             scenario="switched-off-while-intent-is-written"),
    mutation("hold-ignored", 1, "the interlock does not ask whether the account is held",
             "held", "a key is regenerated in the week in which nothing may change",
             ("core/interlock.c",
              "    else if (record->held)\n"
              "        refuse(interlock, REASON_OPERATOR, record->held_until, \"the account is held\");\n",
              "")),

    # --- 2: look first ---
    mutation("look-not-compared", 2, "what the look before a rotation shows is not compared",
             "standby-only", "the key that consumers were moved to by somebody else is regenerated",
             ("core/step_rotate.c",
              "    if (check_look(machine, machine->event->look) &&\n",
              "    machine_looked(machine);\n    if (true &&\n")),
    mutation("stale-look", 2, "a look is good for ever",
             "look-first", "a journal that stalls for an hour lets a request leave on an old look",
             ("core/rotation.c",
              "return look && look->taken_at != 0 &&",
              "return false && look && look->taken_at != 0 &&"),
             ("core/machine.c",
              "return looked_at <= machine->now && machine->now - looked_at <= FRESH_FOR_MS;",
              "return looked_at <= machine->now;")),
    mutation("look-waits-in-queue", 2, "how old a look is counts from when it is its turn",
             "look-first", "a look that waited for a full disk passes for fresh",
             ("app/engine_action.c",
              "    turn->look.taken_at = look_taken_at(account);\n", "    (void)look_taken_at;\n"),
             scenario="look-waits-for-disk"),
    mutation("clock-skew-ignored", 2, "the clocks are not compared",
             "clocks-agree", "it rotates by a clock that is wrong by hours",
             ("core/machine.c", "if (skew <= CLOCK_SKEW_MAX_MS && skew >= -CLOCK_SKEW_MAX_MS)",
              "if (skew <= TIME_NEVER)")),

    # --- 3: intent before action ---
    mutation("intent-not-durable", 3, "the intent is not written before the request leaves",
             "intent-first", "after a crash nobody knows that a key may be new",
             ("app/engine_turn.c", "    account->saving = turn;\n    store_save(",
              "    account->saving = turn;\n"
              "    if (account->record.position == POSITION_INTENT) {\n"
              "        on_saved(account);\n        return;\n    }\n    store_save(")),
    mutation("before-not-written", 3, "the intent does not hold what the look saw",
             "intent-first", "a request that never arrived counts as done: the key stays as old as it is",
             ("core/step_rotate.c",
              "    intent->before[SLOT_PRIMARY] = record->live[SLOT_PRIMARY];\n"
              "    intent->before[SLOT_SECONDARY] = record->live[SLOT_SECONDARY];\n", "")),

    # --- 4: doubt is resolved by looking ---
    mutation("repeats-unanswered", 4, "a request whose answer was lost is repeated at once",
             "doubt-looks", "the first request lands after the second one's key was delivered",
             ("core/step_rotate.c",
              "        enter_doubt_wait(machine, event->failure->outcome_unknown ? settled : 0);\n",
              "        if (event->failure->outcome_unknown) {\n"
              "            record->looked_at = machine->now;\n"
              "            record->intent.attempts++;\n"
              "            machine_move(machine, POSITION_INTENT);\n"
              "            return;\n        }\n"
              "        enter_doubt_wait(machine, 0);\n        (void)settled;\n"),
             ("core/position.c", ".successors = TO(VERIFY) | TO(OFFER) | TO(DOUBT_WAIT) |\n"
              "                                           TO(DELIVER_WAIT) | TO(IDLE),\n"
              "                             .needs_keys = true,",
              ".successors = TO(VERIFY) | TO(OFFER) | TO(DOUBT_WAIT) | TO(INTENT) |\n"
              "                                           TO(DELIVER_WAIT) | TO(IDLE),\n"
              "                             .needs_keys = true,")),
    mutation("doubt-not-waited-out", 4,
             "the look after a lost answer does not wait until it must be decided",
             "doubt-looks", "a request that is still on its way counts as lost, and is sent again",
             ("core/step_rotate.c",
              "enter_doubt_wait(machine, event->failure->outcome_unknown ? settled : 0);",
              "enter_doubt_wait(machine, 0);\n        (void)settled;")),
    mutation("doubt-over-restart", 4, "after a crash the outcome is looked for at once",
             "doubt-looks", "a request of the dead process lands after it was taken for lost",
             ("core/restart.c",
              "        record->retry_at = time_add(machine->now, machine->context->timing->unknown_wait);\n",
              "        record->retry_at = machine->now;\n"),
             START_WAITS),
    mutation("answer-believed", 4,
             "the answer to a regenerate is not compared with what was seen before",
             "past-look", "an answer out of the past: the key that has just died is delivered",
             ("core/step_rotate.c",
              "    if (fingerprint_equal(&event->live[slot], &intent->before[slot]) ||\n"
              "        record_is_replaced(record, &event->live[slot]) ||",
              "    if (record_is_replaced(record, &event->live[slot]) ||")),

    # --- 5: the same slot ---
    mutation("retry-alternates", 5, "a retry takes the other slot",
             "same-slot", "the key that everybody uses is regenerated",
             ("core/step_rotate.c", "    intent->attempts++;\n",
              "    if (intent->attempts++ > 0)\n        intent->slot = slot_other(intent->slot);\n"),
             ("core/step_rotate.c", """
    if (intent->slot != slot_other(record->active))
        machine_fault(machine, "an intent for the active slot");""", ""),
             REGENERATE_CHECKS_SLOT, RECORD_CHECKS_SLOT),
    mutation("hasty-start", 5, "a start waits for no request of the previous run",
             "calm-start", "the request of the dead process lands on the key of the new one",
             START_WAITS),
    mutation("start-by-wall-clock", 5,
             "the time of the start stays where it is when the clock is set",
             "calm-start", "a clock that is set forward ends the wait after a start",
             ("app/engine.c", "    engine->started_at = time_add(engine->started_at, jump);\n", ""),
             scenario="clock-set-after-start"),
    mutation("adopt-in-doubt", 5, "`adopt` does not wait for the outcome of an open intent",
             "no-outage", "what it says is in use dies by the request that was on its way",
             ("core/step_adopt.c",
              "if (!machine->record->adopt_told || machine->record->intent.open)",
              "if (!machine->record->adopt_told)"),
             ("core/command.c",
              "    if (record->intent.open) {\n"
              "        answer(machine, COMMAND_ACCEPTED,\n"
              "               \"a regenerate is under way: the account is adopted when its outcome "
              "is known\");\n        return;\n    }\n", "    record->intent = (struct intent){0};\n"),
             ("core/position.c", ".name = \"doubt_wait\", .successors = TO(DOUBT_LOOK)}",
              ".name = \"doubt_wait\", .successors = TO(DOUBT_LOOK) | TO(ADOPT_LOOK)}"),
             scenario="adopt-in-doubt"),

    # --- 6: frozen until everybody has it ---
    mutation("restart-forgets-delivery", 6,
             "after a restart a delivery that was under way is forgotten",
             "frozen", "the key that the first target got is regenerated again",
             ("core/restart.c", "    case POSITION_DELIVER_WAIT:\n        return POSITION_DELIVER_WAIT;",
              "    case POSITION_DELIVER_WAIT:\n        return POSITION_IDLE;"),
             ("core/interlock.c",
              "    else if (record->goal != record->active)\n"
              "        refuse(interlock, REASON_NONE, TIME_NEVER,\n"
              "               \"the new key is still being delivered: both keys are frozen\");\n", ""),
             ("core/interlock.c",
              "else if (record->target_count == 0 || record_owed_required(record) > 0)",
              "else if (record->target_count == 0)"),
             ("core/step_idle.c",
              "           deliver_wake_at(machine->record, true) <= machine->now;",
              "           machine->record->goal == machine->record->active &&\n"
              "           deliver_wake_at(machine->record, true) <= machine->now;"),
             ("core/rotation.c", "at = earlier(at, deliver_wake_at(record, true));",
              "at = record->goal == record->active ? earlier(at, deliver_wake_at(record, true)) : at;"),
             ("core/rotation_check.c", "    if (intent->open && record->goal != record->active)\n"
              "        return \"an intent while an earlier key is still being delivered\";\n", ""),
             ("core/rotation_check.c", "record->goal != record->active && !delivers(record->position)",
              "record->goal != record->active && record->position == POSITION_COUNT && "
              "!delivers(record->position)")),
    mutation("offer-not-durable", 6, "that a target may hold the new key is not written before",
             "offer-first", "after a crash nobody knows that a delivery may still land",
             ("app/engine_turn.c", "    account->saving = turn;\n    store_save(",
              "    account->saving = turn;\n"
              "    if (account->record.position == POSITION_OFFER) {\n"
              "        on_saved(account);\n        return;\n    }\n    store_save(")),
    mutation("redeliver-takes-back", 6,
             "`redeliver` delivers the active key in the middle of a rotation",
             "delivers-goal", "targets that have the new key are given the old one again",
             ("core/command.c", "    record->repairing = DRIFT_TARGET_CHANGED;\n",
              "    record->repairing = DRIFT_TARGET_CHANGED;\n"
              "    record->goal = record->active;\n")),

    # --- 7: an acknowledgement is a key at a place ---
    mutation("any-key-counts", 7, "a target that acknowledged some key is taken to have every key",
             "acknowledged", "a rotation is complete without any delivery, and the next one is an outage",
             ("core/record.c",
              "return target->acknowledged && fingerprint_equal(&target->fingerprint, "
              "record_goal_key(record));",
              "return target->acknowledged;")),
    mutation("lost-key-not-missed", 7,
             "a target that lost the new key during the rotation still counts",
             "acknowledged", "the rotation is complete, and its readers have another key",
             ("core/step_deliver.c", "        void_lost_targets(record, look);\n",
              "        (void)void_lost_targets;\n"),
             scenario="rotated-elsewhere-during-rotation"),
    mutation("new-target-not-owed", 7, "a target that is added later is owed nothing",
             "owed", "its readers never get a key",
             ("core/restart.c",
              "*target = known ? *known : (struct target_record){.id = context->targets[i].id};",
              "*target = known ? *known : (struct target_record){.id = context->targets[i].id};\n"
              "        if (!known && record->adopted) {\n"
              "            target->acknowledged = true;\n"
              "            target->fingerprint = *record_goal_key(record);\n        }")),
    mutation("gives-up-on-a-target", 7, "a target that failed three times is waited for no longer",
             "acknowledged", "its readers hold the key that the next rotation regenerates",
             ("core/step_deliver.c", "        target->attempts++;\n",
              "        target->attempts++;\n"
              "        if (target->attempts >= 3) {\n"
              "            target->acknowledged = true;\n"
              "            target->fingerprint = *record_goal_key(record);\n        }\n")),
    mutation("unknown-is-delivered", 7,
             "a delivery of unknown outcome counts as an acknowledgement",
             "acknowledged", "a target that never got the key is taken to have it",
             ("core/step_deliver.c", "if (target && machine->event->failure) {",
              "if (target && machine->event->failure && !machine->event->failure->outcome_unknown) {")),
    mutation("removed-target-waited-for", 7, "a target that is removed is still waited for",
             "not-silent", "the account never rotates again",
             ("core/step_deliver.c", "    if (ready_at == TIME_NEVER)\n        return 0;",
              "    if (ready_at == TIME_NEVER)\n        return TIME_NEVER;"),
             scenario="target-removed-for-good"),

    # --- 8: who is told late has the overlap ---
    mutation("repair-tells-nobody", 8,
             "a delivery that changed something does not start the overlap anew",
             "overlap-again", "the readers of a repaired target lose the key they had too early",
             ("core/step_deliver.c", "if (target->required && machine->event->changed)",
              "if (false)")),
    mutation("unknown-tells-nobody", 8,
             "a delivery that failed and arrived all the same starts no overlap",
             "overlap-again", "readers who were told later than anybody knows are cut off",
             ACKNOWLEDGING_TELLS),
    mutation("told-by-others", 8, "a key that somebody else delivered starts no overlap",
             "standby-only", "readers of targets that were given it just now are cut off",
             ("core/step_check.c", "    if (targets_know)\n        record->overlap_from = machine->now;\n"
              "    else\n", "    if (!targets_know)\n"),
             ACKNOWLEDGING_TELLS),
    mutation("optional-becomes-required", 8,
             "a target that becomes required brings no overlap with it",
             "overlap-again", "its readers, told after the others, are cut off",
             ("core/restart.c",
              "            record->overlap_from = later(record->overlap_from, known->acknowledged_at);\n",
              "            (void)record;\n"),
             scenario="optional-told-late"),
    mutation("unsettled-ignored", 8,
             "after a delivery of unknown outcome the next one leaves at once",
             "unsettled", "the lost one lands last",
             ("core/step_deliver.c", "    if (failure->outcome_unknown)\n        target->unsettled_until",
              "    if (false)\n        target->unsettled_until")),
    mutation("unsettled-by-wall-clock", 8,
             "the wait for a lost delivery ends early when the clock is set",
             "unsettled", "the lost one lands last",
             ("core/restart.c",
              "        shift(&record->targets[i].unsettled_until, jump, TIME_NEVER);\n", ""),
             scenario="clock-set-while-unsettled"),
    mutation("unsettled-over-crash", 8, "a delivery that a crash cut short is taken to be over",
             "unsettled", "it lands after the next one",
             ("core/restart.c", "        if (!context->targets[i].settles_at_once)\n"
              "            target->unsettled_until = time_add(machine->now, "
              "context->timing->unknown_wait);\n    }\n}", "    }\n}")),
    mutation("unsettled-over-reload", 8,
             "a target that was removed and is there again is taken to be settled",
             "unsettled", "what was on its way to it lands after the next delivery",
             ("core/restart.c",
              "        if (!known && record->adopted && !context->targets[i].settles_at_once)\n"
              "            target->unsettled_until = time_add(machine->now, "
              "context->timing->unknown_wait);\n", ""),
             scenario="target-back-while-unsettled"),
    # --- 9: active last ---
    mutation("active-first", 9, "the new key is the active one before anybody has it",
             "active-last", "after a crash the journal says that everybody has what nobody has",
             ("core/step_rotate.c", "    record->goal = slot;\n    record->intent = (struct intent){0};\n",
              "    record->goal = slot;\n    record->active = slot;\n"
              "    record->intent = (struct intent){0};\n")),
    mutation("complete-with-some", 9,
             "the rotation is complete when no target can be tried any more",
             "active-last", "the key that a failing target still holds is the next one to be regenerated",
             ("core/step_deliver.c",
              "} else if (record->target_count > 0 && record_owed_required(record) == 0) {",
              "} else if (record->target_count > 0) {")),
    mutation("no-settle-look", 9, "no look follows a completed rotation",
             "settle-look", "a request that Azure carried out twice is noticed hours later",
             ("core/step_deliver.c",
              "        record->check_at = time_add(machine->now, machine->context->timing->settle);\n"
              "        plan_next(machine);\n", "        plan_next(machine);\n")),

    # --- 10: a look can show the past ---
    mutation("past-believed", 10, "a look that shows a key already replaced is believed",
             "past-look", "a dead key is delivered",
             ("core/judge.c", "            record_is_replaced(record, &look->live[slot]))\n            return true;",
              "            record_is_replaced(record, &look->live[slot]))\n            return false;")),
    mutation("replaced-forgotten", 10, "the journal does not keep the keys that were replaced",
             "past-look", "a look into the past passes for news",
             ("core/machine.c", "    record_add_replaced(record, &record->live[slot]);\n", ""),
             scenario="stale-look-during-delivery"),
    mutation("past-believed-in-delivery", 10, "a late look is believed while a key is delivered",
             "past-look", "the key from before the rotation is delivered, which is dead",
             ("core/judge.c",
              "    if (judge_is_late(record, look))\n"
              "        return (struct verdict){.kind = VERDICT_LATE};\n"
              "    verdict.other_changed", "    verdict.other_changed"),
             scenario="stale-look-during-delivery"),
    mutation("first-look-counts", 10, "a look that surprises counts at once",
             "two-looks", "an answer of a minute ago is acted upon",
             ("core/step_check.c", "if (surprise_counts(machine, look))", "if (true)")),
    mutation("second-look-at-once", 10, "the second look may follow at once",
             "two-looks", "both looks show the same past",
             ("core/step_check.c",
              "           machine->now >= time_add(surprise->seen_at, "
              "machine->context->timing->unknown_wait);", "           true;")),
    mutation("second-look-by-wall-clock", 10, "the second look follows early when the clock is set",
             "two-looks", "both looks show the same past",
             ("core/restart.c", "    shift(&record->surprise.seen_at, jump, now);\n", ""),
             scenario="clock-set-between-two-looks"),
    mutation("second-look-of-something-else", 10,
             "the second look may show other targets than the first",
             "two-looks", "what was seen once is acted upon",
             ("core/step_check.c",
              "surprise->pending && fingerprint_equal(&surprise->targets, &digest) &&",
              "surprise->pending && !fingerprint_is_none(&digest) &&"),
             scenario="second-look-differs"),
    mutation("proof-by-nothing", 10,
             "a look counts at once whatever the data plane says of the keys",
             "two-looks", "an answer of a minute ago is acted upon",
             ("core/step_check.c", "if (!failure || failure->reason != REASON_KEY_REFUSED) {",
              "if (false) {"),
             ("core/step_check.c", "    if (machine->event->failure) {\n        enter_confirm_wait(machine);",
              "    if (false) {\n        enter_confirm_wait(machine);")),

    # --- 11: somebody else ---
    mutation("standby-change-ignored", 11,
             "an idle key that somebody else regenerated is not left alone",
             "standby-changed", "whoever made it loses it within the overlap",
             ("core/step_check.c", "    machine_acknowledge_seen(machine, look);\n"
              "    record->overlap_from = machine->now;\n}\n\nstatic void accept_rotation_elsewhere",
              "    machine_acknowledge_seen(machine, look);\n}\n\nstatic void accept_rotation_elsewhere")),
    mutation("glimpse-ignored", 11, "an idle key that a target held for a while is not left alone",
             "standby-only", "programs that read it there meanwhile are cut off",
             SEEN_IN_USE_TELLS,
             scenario="standby-key-glimpsed"),
    mutation("rotated-elsewhere-ignored", 11, "a rotation by somebody else starts no overlap",
             "standby-only", "who has not read again since then is cut off",
             ("core/step_check.c",
              "    record->overlap_from = machine->now;\n    record->completed_at = machine->now;\n",
              "    record->completed_at = machine->now;\n"),
             SEEN_IN_USE_TELLS, ACKNOWLEDGING_TELLS,
             scenario="rotated-elsewhere-and-commanded"),
    mutation("fights", 11, "a second change by somebody else does not block",
             "no-fight", "two rotators regenerate each other's keys for ever",
             ("core/machine.c", "    if (previous != 0 && machine->now - previous <",
              "    if (false && machine->now - previous <")),

    # --- 12: a journal that does not fit ---
    mutation("cycle-ignored", 12, "a later cycle at a target says nothing about the journal",
             "journal-unfit", "a journal from a backup rotates the key that is in use",
             ("core/judge.c", "    return highest_cycle(look) > record->cycle;\n",
              "    return highest_cycle(look) == UINT64_MAX && record->cycle;\n")),
    mutation("both-unknown-ignored", 12,
             "two live keys that the journal never saw say nothing about it",
             "journal-unfit", "a journal from a backup goes on as if it knew which key is in use",
             ("core/judge.c", "if ((!active_same && !standby_same) || judge_is_ahead(record, look)) {",
              "if (judge_is_ahead(record, look)) {")),
    mutation("first-day-again", 12, "adopt_active settles an adoption of a journal that was lost",
             "journal-unfit", "the key of the first day is called the active one, whatever is in use",
             ("core/step_adopt.c", "    struct adoption_hint hint = {0};\n\n    machine_note_drift",
              "    struct adoption_hint hint = {.has_active = machine->context->has_adopt_active,\n"
              "                                 .active = machine->context->adopt_active};\n\n"
              "    machine_note_drift")),

    # --- 13: one at a time ---
    mutation("two-machines", 13,
             "an account that is removed and added is begun again before it is quiet",
             "one-at-a-time", "two rotations of one account run side by side",
             ("app/engine.c", "            if (leaving) {", "            if (leaving && false) {"),
             scenario="account-removed-in-flight"),
    # --- 14: nothing rotates because of a start ---
    mutation("start-rotates", 14, "a start is a reason to rotate",
             "not-prompted", "every upgrade regenerates the keys of all accounts",
             ("core/restart.c",
              "    plan_make(machine);\n    if (!record->requested)\n        plan_caught_up(machine);\n",
              "    if (record->adopted && machine->context->policy->rotate)\n"
              "        record->due_at = machine->now;\n")),
    mutation("reload-rotates", 14, "a reload is a reason to rotate",
             "not-prompted", "an edited comment regenerates the keys of all accounts",
             ("core/restart.c", "    plan_make(machine);\n    if (record->blocked == REASON_ANOTHER_ROTATOR",
              "    plan_make(machine);\n"
              "    if (record->adopted && machine->context->policy->rotate)\n"
              "        record->due_at = machine->now;\n"
              "    if (record->blocked == REASON_ANOTHER_ROTATOR")),
    mutation("adopting-rotates", 14, "an account that was adopted is due at once",
             "not-prompted", "the key is regenerated before anybody who reads it is known",
             ("core/step_adopt.c", "    record->requested = false;\n", "    record->requested = true;\n")),
    mutation("missed-made-up", 14, "every rotation that was missed is made up for",
             "caught-up-once", "after a month off the account rotates again and again",
             ("core/schedule.c",
              "    next = time_add(planned, (room / policy->rotate_every - (room % policy->rotate_every "
              "< 0)) *\n                                 policy->rotate_every);\n",
              "    next = time_add(planned, policy->rotate_every);\n    (void)room;\n"),
             ("core/schedule.c", "    return next > earliest ? next : earliest;\n",
              "    (void)earliest;\n    return next;\n")),
    mutation("all-at-once", 14, "what was missed during a hold is not spread",
             "not-prompted", "a fleet that was held together starts together",
             ("core/command.c", "    if (!record->requested)\n        plan_caught_up(machine);\n", ""),
             scenario="hold-and-resume"),
    mutation("removed-is-forgotten", 14, "what is known of an account that is removed is forgotten",
             "caught-up-once", "an account that comes back rotates as on its first day",
             ("app/engine.c", "        park(account->engine, account->key, &account->record);",
              "        (void)park;")),
    mutation("window-ignored", 14, "a rotation that missed its window starts all the same",
             "in-window", "it rotates in the middle of the working day",
             ("core/plan.c", "if (record->requested || schedule_is_open(",
              "if (true || schedule_is_open(")),

    # --- 15: no key is written ---
    mutation("key-in-log", 15, "the log shows the key and not its fingerprint",
             "no-key-stored", "whoever reads the log has the key",
             ("app/engine_report.c",
              "    log_line_text(&line, \"fingerprint\", fingerprint[0] ? fingerprint : NULL);\n",
              "    log_line_text(&line, \"fingerprint\",\n"
              "                  note->has_slot && account->azure.keys[note->slot]\n"
              "                      ? secret_bytes(account->azure.keys[note->slot])\n"
              "                      : NULL);\n"),
             scenario="plain-rotation"),
    mutation("key-in-history", 15, "the history shows the key and not its fingerprint",
             "no-key-stored", "whoever copies the journal has the key",
             ("app/engine_report.c",
              ".fingerprint = texts[count].fingerprint[0] ? texts[count].fingerprint : NULL,",
              ".fingerprint = note->has_slot && account->azure.keys[note->slot]\n"
              "                               ? secret_bytes(account->azure.keys[note->slot])\n"
              "                               : NULL,")),
    mutation("key-in-record", 15, "the record keeps the key for the next delivery",
             "no-key-stored", "whoever copies the journal has the key",
             ("app/engine_turn.c", "    account->saving = turn;\n",
              "    account->saving = turn;\n"
              "    if (account->azure.keys[account->record.goal])\n"
              "        snprintf(account->record.actor, sizeof(account->record.actor), \"%s\",\n"
              "                 secret_bytes(account->azure.keys[account->record.goal]));\n")),
    mutation("keys-kept", 15, "keys stay in memory after the last step that needs them",
             "keys-forgotten", "a core dump, or whoever takes over the process, has all keys",
             ("app/engine_turn.c", "else if (effects->forget_keys && !account->acting)",
              "else if (false)")),
    mutation("seen-keys-kept", 15, "the keys that were found in targets stay in memory",
             "keys-forgotten", "a core dump, or whoever takes over the process, has all keys",
             ("app/engine_action.c", "    azure_account_forget_keys(&account->azure);\n"
              "    forget_seen_keys(account);\n",
              "    azure_account_forget_keys(&account->azure);\n")),

    # --- 16: nothing stops in silence ---
    mutation("blocked-in-silence", 16, "an account is blocked without a word",
             "not-silent", "nobody knows that a person is waited for",
             ("core/machine.c", "    note = machine_note(machine, NOTE_BLOCKED);\n",
              "    static struct note unheard;\n    note = &unheard;\n")),
    mutation("blocked-told-once", 16, "what is blocked or overdue is not told again every day",
             "not-silent", "the one line is lost, and nobody ever hears of it",
             ("core/rotation.c", "    report_again(&machine);\n", "    (void)report_again;\n"),
             ("core/rotation.c", "earlier(wake_at(&machine), report_at(context, record))",
              "wake_at(&machine);\n    (void)report_at")),
    mutation("no-timer", 16, "a key that the data plane did not accept yet is not tried again",
             "not-silent", "the rotation stands still for ever",
             ("core/rotation.c", "    case POSITION_DOUBT_WAIT:\n    case POSITION_VERIFY_WAIT:\n"
              "        return record->retry_at;",
              "    case POSITION_DOUBT_WAIT:\n        return record->retry_at;\n"
              "    case POSITION_VERIFY_WAIT:\n        return TIME_NEVER;")),
    mutation("no-back-off", 16, "what failed is tried again at once",
             "sound", "a service that is down for an hour gets ten thousand requests",
             ("core/machine.c",
              "    record->retry_at = time_add(machine->now, machine_backoff(machine, "
              "record->attempts, 0));\n", "    record->retry_at = machine->now;\n"),
             scenario="azure-down"),
    mutation("never-unblocked", 16, "what blocked is never taken to be right again",
             "sound", "the account looks again and again, and never goes on",
             ("core/machine.c",
              "    if (machine_blocked_by_world(record))\n        machine_unblock(machine);\n", ""),
             scenario="account-gone"),
    mutation("gives-up", 16, "what failed five times is not tried again",
             "progress", "one bad night ends all rotations",
             ("core/machine.c",
              "    record->retry_at = time_add(machine->now, machine_backoff(machine, "
              "record->attempts, 0));\n",
              "    record->retry_at = record->attempts > 5 ? TIME_NEVER : time_add(machine->now, "
              "machine_backoff(machine, record->attempts, 0));\n")),
    mutation("never-looks-again", "product", "nothing looks for drift between two rotations",
             "repaired", "consumers of a key that somebody else regenerated wait for the next rotation",
             ("core/step_check.c",
              "    record->check_at = time_add(machine->now, machine->context->policy->check_every);\n",
              "    record->check_at = TIME_NEVER;\n")),
    mutation("first-account-forgotten", 16, "the first account is never started",
             "no-starvation", "it never rotates, while the others do",
             ("app/engine.c", "for (size_t i = 0; i < count && !engine->faulted; i++)\n        if (!merged",
              "for (size_t i = count > 1; i < count && !engine->faulted; i++)\n        if (!merged")),
    mutation("forbidden-move", 16, "the table of moves lacks one that a repair needs",
             "sound", "the daemon stops with a fault",
             ("core/position.c",
              ".successors = TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) |\n"
              "                                           TO(CONFIRM_WAIT) | TO(OFFER) | TO(DELIVER_WAIT) |",
              ".successors = TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) |\n"
              "                                           TO(CONFIRM_WAIT) | TO(DELIVER_WAIT) |"),
             scenario="active-key-by-hand"),
    mutation("wakes-for-nothing", 16, "the timer does not know why a rotation has to wait",
             "sound", "it wakes again and again at one instant, and nothing else gets a turn",
             ("core/rotation.c", "return interlock.open ? at : later(at, interlock.until);",
              "return at;")),
]
