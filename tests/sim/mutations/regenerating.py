"""Rules 1 to 5: regenerating."""

from .mutation import (ACKNOWLEDGING_TELLS, RECORD_CHECKS_SLOT, REGENERATE_CHECKS_SLOT, START_WAITS,
                       mutation)

MUTATIONS = [
    # --- 1: only the standby slot, and only after the overlap ---
    mutation("overlap-ignored", 1,
             "the interlock does not wait for the overlap",
             "standby-only",
             "readers that are slow, but in time, hold the key that is regenerated",
             ("core/interlock.c",
              "else if (now < time_max(overlap_ends, start_ends))",
              "else if (now < start_ends)")),
    mutation("owed-ignored", 1,
             "the interlock does not ask whether a required target lacks the key",
             "standby-only",
             "the key that a target still holds is regenerated",
             ("core/interlock.c",
              "else if (record->target_count == 0 || record_owed_required(record) > 0)",
              "else if (record->target_count == 0)")),
    mutation("active-slot", 1,
             "the active slot is regenerated",
             "no-outage",
             "every rotation cuts off all programs until the delivery",
             ("core/step_rotate.c",
              ".slot = slot_other(record->active)}",
              ".slot = record->active}"),
             ("core/step_rotate.c", """
    if (intent->slot != slot_other(record->active))
        machine_fault(machine, "an intent for the active slot");""", ""),
             REGENERATE_CHECKS_SLOT,
             RECORD_CHECKS_SLOT),
    mutation("overlap-by-wall-clock", 1,
             "the overlap's beginning stays where it is when the clock is set",
             "standby-only",
             "a clock that is set forward ends an overlap before its time",
             ("core/record_table.c", "overlap_from, .clock = CLOCK_WAIT_FROM",
              "overlap_from, .clock = CLOCK_PAST")),
    mutation("adopted-in-use", 1,
             "an account that was adopted has no overlap",
             "standby-only",
             "what consumers used before the adoption is regenerated",
             ("core/adoption.c", "    record_begin_overlap(record, machine->now);\n", ""),
             ACKNOWLEDGING_TELLS),
    mutation("blocked-ignored", 1,
             "the interlock does not ask whether the account is blocked",
             "no-fight",
             "a key is regenerated while a person still has to decide",
             ("core/interlock.c", """\
    else if (record->blocked != REASON_NONE)
        refuse(interlock, record->blocked, TIME_NEVER, "the account is blocked");
""", "")),
    mutation("intent-not-asked-again", 1,
             "the interlock is not asked again when the intent is durable",
             "held",
             "a request leaves although it was switched off while the disk was full",
             ("core/step_rotate.c",
              "    if (!interlock.open && machine->record->intent.attempts == 1) {",
              "    if (false) {"),
             ("core/step_rotate.c", """\
    if (!interlock.open)
        return POSITION_DOUBT_WAIT;""", """\
    if (false)
        return POSITION_DOUBT_WAIT;"""),
             ("core/rotation.c",
              "    if (!interlock.open || !record->intent.open ||",
              "    if (!record->intent.open ||"),
             scenario="switched-off-while-intent-is-written"),
    mutation("hold-ignored", 1,
             "the interlock does not ask whether the account is held",
             "held",
             "a key is regenerated in the week in which nothing may change",
             ("core/interlock.c", """\
    else if (context->hold)
        refuse(interlock, REASON_OPERATOR, context->hold->until, "the account is held");
""", "")),
    mutation("one-end-for-all", 1,
             "the end of one of two holds ends both",
             "held",
             "a hold for a month ends with another one for a day",
             ("app/engine_hold.c",
              "        if (!hold_book_remove(&engine->holds, change->holds[i].id))\n",
              "        hold_book_done(&engine->holds);\n        if (false)\n"),
             scenario="two-holds"),
    mutation("newcomer-not-held", 1,
             "a hold of all accounts covers only the accounts that are configured when it begins",
             "held",
             "an account that comes in the middle of a change freeze is rotated in it",
             ("core/hold.c", """\
    const char *const scopes[] = {"", account};
    size_t found""", """\
    const char *const scopes[] = {account};
    size_t found"""),
             scenario="hold-of-all-and-newcomer"),
    mutation("hold-answered-early", 1,
             "a hold is answered before the journal has it",
             "held",
             "after a power cut, an account rotates that was answered to be held",
             ("app/engine_hold.c", """\
    store_save_hold(engine->parts.store, hold, on_durable, change);
    post_to_accounts(engine, EVENT_HELD, hold, command->actor);
""", """\
    store_save_hold(engine->parts.store, hold, NULL, NULL);
    post_to_accounts(engine, EVENT_HELD, hold, command->actor);
    on_durable(change);
"""),
             scenario="hold-lost-in-crash"),

    # --- 2: look first ---
    mutation("unread-target-will-do", 2,
             "the look before a regenerate need not have read every target",
             "look-first",
             "a target has been given the key that is regenerated",
             ("core/machine.c", "        if (!is_unseen(machine, target))\n", "        if (true)\n"),
             scenario="last-look-misses-a-target"),
    mutation("description-does-not-matter", 2,
             "the look before a regenerate need not bring the account's description",
             "look-first",
             "a key is regenerated although keys are switched off, or new ones cannot be verified",
             ("core/machine.c",
              "    if (machine->event->look->described)\n",
              "    if (machine->event->look->described || true)\n"),
             scenario="undescribed-before-intent"),
    mutation("look-not-compared", 2,
             "what the look before a rotation shows is not compared",
             "standby-only",
             "the key that consumers were moved to by somebody else is regenerated",
             ("core/step_rotate.c",
              "    next = drift_follow(machine, machine->event->look);\n",
              """\
    machine_remember_look(machine);
    next = POSITION_STAY;
""")),
    mutation("emptied-target-will-do", 2,
             "what the look before a rotation shows of the targets is not compared",
             "no-outage",
             "programs that are refused, and read a target again that somebody has emptied, find no key",
             ("core/step_rotate.c",
              "    next = drift_follow(machine, machine->event->look);\n",
              """\
    machine_remember_look(machine);
    next = POSITION_STAY;
"""),
             scenario="slow-emptied-before"),
    mutation("stale-look", 2,
             "a look is good for ever",
             "look-first",
             "a journal that stalls for an hour lets a request leave on an old look",
             ("core/rotation.c",
              "return look && look->taken_at != 0 &&",
              "return false && look && look->taken_at != 0 &&"),
             ("core/machine.c",
              "return looked_at <= machine->now && machine->now - looked_at <= FRESH_FOR_MS;",
              "return looked_at <= machine->now;")),
    mutation("look-waits-in-queue", 2,
             "the age of a look counts from when it is handled, not from when it was taken",
             "look-first",
             "a look that waited for a full disk counts as fresh",
             ("app/engine_action.c",
              "    transaction->result->look.taken_at = look_taken_at(account);\n",
              "    (void)look_taken_at;\n"),
             scenario="look-waits-for-disk"),
    mutation("clock-skew-ignored", 2,
             "the clocks are not compared",
             "clocks-agree",
             "it rotates by a clock that is wrong by hours",
             ("core/machine.c",
              "if (skew <= CLOCK_SKEW_MAX_MS && skew >= -CLOCK_SKEW_MAX_MS)",
              "if (skew <= TIME_NEVER)")),

    # --- 3: intent before action ---
    mutation("intent-not-durable", 3,
             "the intent is not written before the request leaves",
             "intent-first",
             "after a crash nobody knows that a key may be new",
             ("app/engine_step.c", """\
    account->saving = transaction;
    store_save(""", """\
    account->saving = transaction;
    if (account->record.position == POSITION_INTENT) {
        on_saved(account);
        return;
    }
    store_save(""")),
    mutation("before-not-written", 3,
             "the intent does not hold what the look saw",
             "intent-first",
             "a request that never arrived counts as done: the key stays as old as it is",
             ("core/step_rotate.c", """\
    intent->before[SLOT_PRIMARY] = record->live[SLOT_PRIMARY];
    intent->before[SLOT_SECONDARY] = record->live[SLOT_SECONDARY];
""", "")),

    mutation("goes-on-before-commit", 3,
             "what closes the interlock is written, but the daemon does not wait for it",
             "closed-first",
             "a power cut loses what the daemon has acted on",
             ("core/commit.c", "if (member->wait != WAIT_NEVER &&", "if (false &&"),
             scenario="power-cut-before-the-next-step"),
    mutation("answers-before-commit", 3,
             "a command is answered when it is carried out, not when the journal has it",
             "answered-durable",
             "a power cut loses a command that was answered",
             ("core/commit.c", "if (effects->outcome != COMMAND_NOT_ASKED && effects->persist)",
              "if (false)"),
             scenario="power-cut-before-an-answer"),
    mutation("overlap-not-waited-for", 3,
             "the beginning of an overlap is written, but the daemon does not wait for it",
             "closed-first",
             "after a power cut a key is regenerated that programs have just been given",
             ("core/record_table.c", "overlap_from, .clock = CLOCK_WAIT_FROM, .wait = WAIT_WHEN_SET",
              "overlap_from, .clock = CLOCK_WAIT_FROM")),

    mutation("shifted-not-waited-for", 3,
             "times that moved with the clock before a start are written, but the start does not "
             "wait for them",
             "closed-first",
             "a power cut loses how long the daemon has to wait by the clock that was set",
             ("core/rotation.c", "if (machine->event->shifted)", "if (false)"),
             scenario="clock-set-as-an-account-comes-back"),

    # --- 4: doubt is resolved by looking ---
    mutation("repeats-unanswered", 4,
             "a request whose answer was lost is repeated at once",
             "doubt-looks",
             "the first request lands after the second one's key was delivered",
             ("core/step_rotate.c",
              """\
        if (event->failure->outcome_unknown)
            record->retry_at = time_max(record->retry_at, settled);
""", """\
        (void)settled;
        if (event->failure->outcome_unknown) {
            record->looked_at = machine->now;
            record->intent.attempts++;
            return POSITION_INTENT;
        }
"""),
             ("core/flow.c", """\
            .successors = TO(VERIFY) | TO(DELIVER_INTENT) | TO(DOUBT_WAIT) | TO(DELIVER_WAIT) |
                          TO(IDLE) | TO(OPERATION) | TO(DOUBT_LOOK) | TO(VERIFY_LOOK),""", """\
            .successors = TO(VERIFY) | TO(DELIVER_INTENT) | TO(DOUBT_WAIT) | TO(INTENT) |
                          TO(DELIVER_WAIT) | TO(IDLE) | TO(OPERATION) | TO(DOUBT_LOOK) |
                          TO(VERIFY_LOOK),""")),
    mutation("doubt-not-waited-out", 4,
             "the look after a lost answer does not wait until it must be decided",
             "doubt-looks",
             "a request that is still on its way counts as lost, and is sent again",
             ("core/step_rotate.c",
              "record->retry_at = time_max(record->retry_at, settled);",
              "(void)settled;")),
    mutation("doubt-over-restart", 4,
             "after a crash the outcome is looked for at once",
             "doubt-looks",
             "a request of the dead process lands after it was taken for lost",
             ("core/step_operation.c",
              "        record->retry_at = settled;",
              "        record->retry_at = machine->now;"),
             START_WAITS),
    mutation("answer-believed", 4,
             "the answer to a regenerate is not compared with what was seen before",
             "past-look",
             "an answer out of the past: the key that has just died is delivered",
             ("core/step_rotate.c", """\
    if (fingerprint_equal(&event->live[slot], &intent->before[slot]) ||
        record_is_replaced(record, &event->live[slot]) ||""",
              "    if (record_is_replaced(record, &event->live[slot]) ||")),

    # --- 5: a retry repeats the same slot ---
    mutation("retry-alternates", 5,
             "a retry takes the other slot",
             "same-slot",
             "the key that everybody uses is regenerated",
             ("core/step_rotate.c",
              "    intent->attempts++;\n",
              """\
    if (intent->attempts++ > 0)
        intent->slot = slot_other(intent->slot);
"""),
             ("core/step_rotate.c", """
    if (intent->slot != slot_other(record->active))
        machine_fault(machine, "an intent for the active slot");""", ""),
             REGENERATE_CHECKS_SLOT,
             RECORD_CHECKS_SLOT),
    mutation("hasty-start", 5,
             "a start waits for no request of the previous run",
             "calm-start",
             "the request of the dead process lands on the key of the new one",
             START_WAITS),
    mutation("start-before-lists", 5,
             "a start does not wait for lists that are late",
             "calm-start",
             "a restored journal is taken for true, and the newest key is regenerated",
             ("core/interlock.c", "time_add(decided, context->list_delay)", "decided"),
             scenario="journal-restored-lists-lag"),
    mutation("start-by-wall-clock", 5,
             "the time of the start stays where it is when the clock is set",
             "calm-start",
             "a clock that is set forward ends the wait after a start",
             ("app/engine.c",
              "    engine->started_at = time_add(engine->started_at, jump);\n",
              ""),
             scenario="clock-set-after-start"),
    mutation("adopt-in-doubt", 5,
             "`adopt` does not wait for the outcome of an open intent",
             "no-outage",
             "what it says is in use dies by the request that was on its way",
             ("core/machine.c",
              "return machine->record->adopt_asked && !machine->record->intent.open;",
              "return machine->record->adopt_asked;"),
             ("core/command.c", """\
    if (record->intent.open)
        return answer_under_way(
            machine, "a regenerate is under way: the account is adopted when its outcome is known");
""", "    record->intent = (struct intent){0};\n"),
             ("core/flow.c", """\
            .successors = TO(DOUBT_LOOK),""", """\
            .successors = TO(DOUBT_LOOK) | TO(ADOPT_LOOK),"""),
             scenario="adopt-in-doubt"),
]
