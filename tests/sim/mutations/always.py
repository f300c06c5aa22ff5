"""Rules 13 to 16, and what the product promises."""

from .mutation import mutation

MUTATIONS = [
    # --- 13: one at a time ---
    mutation("two-machines", 13,
             "an account that is removed and added is begun again before its last action has ended",
             "one-at-a-time",
             "two rotations of one account run side by side",
             ("app/engine.c",
              "            if (leaving) {",
              "            if (leaving && false) {"),
             scenario="account-removed-in-flight"),

    # --- 14: nothing rotates because of a start ---
    mutation("start-rotates", 14,
             "a start is a reason to rotate",
             "not-prompted",
             "every upgrade regenerates the keys of all accounts",
             ("core/restart.c", """\
    plan_make(machine);
    if (!record->requested)
        plan_catch_up(machine);
""", """\
    if (record->adopted && machine->context->policy->rotate)
        record->due_at = machine->now;
""")),
    mutation("reload-rotates", 14,
             "a reload is a reason to rotate",
             "not-prompted",
             "an edited comment regenerates the keys of all accounts",
             ("core/restart.c", """\
    plan_make(machine);
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);""", """\
    plan_make(machine);
    if (machine->record->adopted && machine->context->policy->rotate)
        machine->record->due_at = machine->now;
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);""")),
    mutation("catch-up-missed-at-once", 14,
             "a catch-up that was itself missed is made up for at once",
             "not-prompted",
             "after the second outage all accounts rotate at the same moment",
             ("core/plan.c", """\
    if (record->catching_up && machine->now - record->due_at < spread)
        spread = machine->now - record->due_at;
""", """\
    if (record->catching_up)
        return;
"""),
             scenario="fleet-after-two-outages"),
    mutation("adopting-rotates", 14,
             "an account that was adopted is due at once",
             "not-prompted",
             "the key is regenerated before its readers have changed over",
             ("core/adoption.c",
              "    record->requested = false;\n    record->verified = false;\n",
              "    record->requested = true;\n    record->verified = false;\n")),
    mutation("missed-made-up", 14,
             "every rotation that was missed is made up for",
             "caught-up-once",
             "after a month off the account rotates again and again",
             ("core/schedule.c", """\
    next = time_add(planned, (room / policy->rotate_every - (room % policy->rotate_every < 0)) *
                                 policy->rotate_every);
""", """\
    next = time_add(planned, policy->rotate_every);
    (void)room;
"""),
             ("core/schedule.c",
              "    return next > earliest ? next : earliest;\n",
              """\
    (void)earliest;
    return next;
""")),
    mutation("all-at-once", 14,
             "what was missed during a hold is not spread",
             "not-prompted",
             "a fleet that was held together starts together",
             ("core/command.c", """\
    if (!record->requested)
        plan_catch_up(machine);
""", ""),
             scenario="hold-and-resume"),
    mutation("removed-is-forgotten", 14,
             "what is known of an account that is removed is forgotten",
             "caught-up-once",
             "an account that comes back rotates as on its first day",
             ("app/engine.c",
              "        engine_unconfigured_keep(account->engine, account->key, &account->record,\n"
              "                                 account->operation_url);",
              "        (void)0;")),
    mutation("window-ignored", 14,
             "a rotation that missed its window starts all the same",
             "in-window",
             "it rotates in the middle of the working day",
             ("core/plan.c",
              "if (record->requested || schedule_is_open(",
              "if (true || schedule_is_open(")),

    mutation("freeze-ignored", 14,
             "the schedule does not know of freezes",
             "change-freeze",
             "it rotates in the week in which nothing may change",
             ("core/schedule.c",
              "(freeze = schedule_freeze(policy, open));)",
              "(freeze = NULL);)"),
             scenario="change-freeze"),
    mutation("freeze-not-asked-again", 14,
             "a rotation whose preflight ends in a freeze starts all the same",
             "change-freeze",
             "it rotates in the week in which nothing may change",
             ("core/plan.c",
              "if (record->requested || schedule_is_open(machine->context->policy, machine->now))",
              "if (record->requested || schedule_freeze(machine->context->policy, machine->now) ||\n"
              "        schedule_is_open(machine->context->policy, machine->now))"),
             scenario="change-freeze-begins-during-preflight"),

    # --- 15: no key is written ---
    mutation("key-in-log", 15,
             "the log shows the key and not its fingerprint",
             "no-key-stored",
             "whoever reads the log has the key",
             ("app/engine_report.c",
              "    log_line_text(&line, \"fingerprint\", str_or_null(fingerprint));\n",
              """\
    log_line_text(&line, "fingerprint",
                  note->has_slot && account->azure.keys[note->slot]
                      ? secret_bytes(account->azure.keys[note->slot])
                      : NULL);
"""),
             scenario="plain-rotation"),
    mutation("key-in-history", 15,
             "the history shows the key and not its fingerprint",
             "no-key-stored",
             "whoever copies the journal has the key",
             ("app/engine_report.c",
              ".fingerprint = str_or_null(texts[count].fingerprint),",
              """\
.fingerprint = note->has_slot && account->azure.keys[note->slot]
                               ? secret_bytes(account->azure.keys[note->slot])
                               : NULL,""")),
    mutation("key-in-record", 15,
             "the record keeps the key for the next delivery",
             "no-key-stored",
             "whoever copies the journal has the key",
             ("app/engine_step.c",
              "    account->saving = transaction;\n",
              """\
    account->saving = transaction;
    if (account->azure.keys[account->record.delivering])
        snprintf(account->record.actor, sizeof(account->record.actor), "%s",
                 secret_bytes(account->azure.keys[account->record.delivering]));
""")),
    mutation("keys-kept", 15,
             "keys stay in memory after the last step that needs them",
             "keys-forgotten",
             "a core dump, or whoever takes over the process, has all keys",
             ("app/engine_step.c",
              "else if (effects->forget_keys && !account->acting)",
              "else if (false)")),
    mutation("seen-keys-kept", 15,
             "the keys that were found in targets stay in memory",
             "keys-forgotten",
             "a core dump, or whoever takes over the process, has all keys",
             ("app/engine_action.c", """\
    azure_account_forget_keys(&account->azure);
    forget_seen_keys(account);
""", "    azure_account_forget_keys(&account->azure);\n")),

    # --- 16: nothing stops in silence ---
    mutation("blocked-in-silence", 16,
             "a block is not reported",
             "not-silent",
             "nobody knows that the account waits for a person",
             ("core/machine.c",
              "    note = machine_note(machine, NOTE_BLOCKED);\n",
              """\
    static struct note unheard;
    note = &unheard;
""")),
    mutation("risk-not-told", 16,
             "consumers at risk are not reported for a blocked account",
             "not-silent",
             "an outage looks like a question that can wait",
             ("core/drift.c", "    risk_note(machine, look, record->unconfirmed.seen_at);\n"
              "    if (verdict->drift == DRIFT_JOURNAL_UNFIT) {",
              "    if (verdict->drift == DRIFT_JOURNAL_UNFIT) {"),
             ("core/adoption.c", "    risk_note(machine, look, machine->now);\n", ""),
             scenario="both-keys-by-hand-and-one-unread"),
    mutation("blocked-told-once", 16,
             "blocked and overdue accounts are not reported again every day",
             "not-silent",
             "the one line is lost, and nobody notices",
             ("core/rotation.c", "    report_again(&machine);\n", "    (void)report_again;\n"),
             ("core/rotation.c",
              "    effects->wake_at = wake_at(&machine);\n",
              """\
    (void)wake_at;
    effects->wake_at = flow_wake_at(&machine);
    if (record->hold_id != 0)
        effects->wake_at = time_min(effects->wake_at, record->hold_until);
""")),
    mutation("no-timer", 16,
             "a key that the data plane did not accept yet is not verified again",
             "not-silent",
             "the rotation stands still for ever",
             ("core/flow.c", """\
            .wake_at = retry_at,
            .next = POSITION_VERIFY_LOOK,""", """\
            .next = POSITION_VERIFY_LOOK,""")),
    mutation("no-back-off", 16,
             "a failure is retried at once",
             "sound",
             "a service that is down for an hour gets ten thousand requests",
             ("core/machine.c",
              "machine_backoff(machine, record->attempts, 0)", "0"),
             scenario="azure-down"),
    mutation("never-unblocked", 16,
             "a block is never cleared",
             "sound",
             "the account looks again and again, and never goes on",
             ("core/machine.c", """\
    if (machine_blocked_by_world(machine->record))
        machine_unblock(machine);
""", ""),
             scenario="account-gone"),
    mutation("doubt-for-a-day", 16,
             "after the clock was set back, a lost regenerate may be in doubt for a day",
             "sound",
             "until then its outcome is looked for each minute",
             ("core/restart.c", "operation_doubt_longest(machine)", "MS_DAY"),
             scenario="clock-set-back-while-lists-lag"),
    mutation("gives-up", 16,
             "a step that failed five times is not retried",
             "progress",
             "one bad night ends all rotations",
             ("core/machine.c",
              "machine_backoff(machine, record->attempts, 0)",
              "record->attempts > 5 ? TIME_NEVER : machine_backoff(machine, record->attempts, 0)")),
    mutation("called-back-at-once", "always",
             "an event for an account is carried out inside the call that reports it",
             "sound",
             "an account is freed or changed while its caller still uses it",
             ("app/engine_account.c", """\
        list_append(&engine->ready, &account->ready_link);
    engine_run_soon(engine);
""", """\
        list_append(&engine->ready, &account->ready_link);
    if (!account->acting)
        engine->ready_call.run(&engine->ready_call);
""")),
    mutation("counted-once", "always",
             "the numbers of all accounts stay what they were at the start",
             "sound",
             "the log says that all is well while accounts are blocked",
             ("app/engine.c", """\
    if (!account->removed)
        keep_counted(account);
""", "")),
    mutation("passing-time-not-counted", "always",
             "accounts are counted only when something happens to them",
             "sound",
             "the numbers of all accounts differ from what each of them shows",
             ("app/engine.c",
              "if (!account->draining && again < account->timer.at)",
              "if (false && again)")),
    mutation("first-account-forgotten", 16,
             "the first account is never started",
             "no-starvation",
             "it never rotates, while the others do",
             ("app/engine.c",
              "                engine_account_post(merged[count], EVENT_START);\n", """\
                if (count > 0 || config->account_count == 1)
                    engine_account_post(merged[count], EVENT_START);
""")),
    mutation("forbidden-move", 16,
             "the table of moves lacks one that a repair needs",
             "sound",
             "the daemon stops with a fault",
             ("core/flow.c", """\
            .successors = TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) | TO(CONFIRM_WAIT) |
                          TO(DELIVER_INTENT) | TO(DELIVER_WAIT) |""", """\
            .successors = TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) | TO(CONFIRM_WAIT) |
                          TO(DELIVER_WAIT) |"""),
             scenario="active-key-by-hand"),
    mutation("wakes-for-nothing", 16,
             "the timer does not know why a rotation has to wait",
             "sound",
             "it wakes again and again at one instant, and nothing else runs",
             ("core/step_idle.c",
              "return interlock.open ? at : time_max(at, interlock.until);",
              "return at;")),

    # --- the product: a key is proven before it is delivered, and what is broken is repaired ---
    mutation("not-proven", "product",
             "the data plane is not asked about the new key",
             "proven",
             "consumers get a key that the data plane does not know yet",
             ("core/step_verify.c",
              "if (machine->record->verified || machine->context->policy->verify == VERIFY_OFF)",
              "if (true)")),
    mutation("proof-lost-at-restart", "product",
             "after a restart the new key is delivered without a proof",
             "proven",
             "consumers get a key that the data plane refuses",
             ("core/flow.c",
              "    return stored < POSITION_COUNT ? rows[stored].restart : POSITION_ADOPT_WAIT;", """\
    return rows[stored].restart == POSITION_VERIFY_WAIT ? POSITION_DELIVER_WAIT
                                                        : rows[stored].restart;""")),
    mutation("refusal-ignored", "product",
             "a key that the data plane refuses is delivered when verify_timeout is over",
             "proven",
             "consumers get a key that the data plane refuses",
             ("core/step_verify.c", """\
        machine_block(machine, REASON_KEY_REFUSED, NULL, NULL);
        record->retry_at = time_add(machine->now, machine->context->timing->retry_max);
""", """\
        record->verified = true;
        return POSITION_DELIVER_INTENT;
"""),
             scenario="new-key-refused"),
    mutation("refusal-forgotten", "product",
             "a key that the data plane refused is delivered when it gives no answer any more",
             "proven",
             "consumers get a key that the data plane refuses",
             ("core/step_verify.c", "record->attempts > 0 && !record->refused) {",
              "record->attempts > 0) {"),
             scenario="refused-then-unreachable"),
    mutation("order-binds-repairs", "product",
             "a target with a dead key waits for those before it",
             "repaired",
             "consumers of a target that could be reached hold a dead key for as long as another fails",
             ("core/delivery.c",
              "const bool in_order = !delivery_is_repair(record, target);",
              "const bool in_order = true;"),
             scenario="repair-past-a-failing-target"),
    mutation("order-binds-the-cut-off", "product",
             "in a rotation a target whose key somebody else regenerated waits for its turn",
             "repaired",
             "consumers of a target that could be reached hold a dead key for as long as another fails",
             ("core/delivery.c",
              "const bool in_order = !delivery_is_repair(record, target);",
              "const bool in_order = record->delivering != record->active;"),
             scenario="repair-past-a-failing-target-mid-rotation"),
    mutation("never-looks-again", "product",
             "nothing looks for drift between two rotations",
             "repaired",
             "consumers of a key that somebody else regenerated wait for the next rotation",
             ("core/drift.c",
              "record->check_at = time_add(machine->now, machine->context->policy->check_every);",
              "record->check_at = TIME_NEVER;")),
    mutation("pause-of-the-description", "product",
             "the pause that Azure asks for with an account's description holds up the looks at its keys",
             "repaired",
             "consumers hold a dead key for as long as Azure asked, although the live one can be listed",
             ("core/machine.c",
              "    struct failure failure = {.reason = REASON_AZURE_ERROR};\n\n"
              "    if (machine->event->undescribed)\n"
              "        failure.reason = machine->event->undescribed->reason;\n",
              "    struct failure failure = {.reason = REASON_AZURE_ERROR};\n\n"
              "    if (machine->event->undescribed)\n"
              "        failure = *machine->event->undescribed;\n"),
             scenario="undescribed-and-asked-to-wait"),
    mutation("look-needs-description", "product",
             "a look fails where the account cannot be described",
             "repaired",
             "consumers hold a dead key although the live one can be listed",
             ("app/engine_action.c",
              "    remember_outcome(account, FAILED_DESCRIPTION, &no_target, result->description);\n",
              "    transaction_fail(transaction, result->description);\n"),
             scenario="undescribed-and-repaired"),
]
