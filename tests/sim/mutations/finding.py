"""Accounts that rules find."""

from .mutation import mutation

MUTATIONS = [
    # --- what a rule says of all its accounts ---
    mutation("unconfirmed-ignored", 1,
             "the interlock does not ask whether a presumed active key was confirmed",
             "confirmed",
             "the key that consumers use is regenerated where a rule was wrong about an account",
             ("core/interlock.c", """\
    else if (record->presumed)
        refuse(interlock, REASON_ADOPTION_UNCONFIRMED, TIME_NEVER,
               "a rule alone says which key the consumers use, and nobody has confirmed it");
""", "")),
    mutation("rule-is-believed", 1,
             "what a rule says of all its accounts counts like what the configuration says of one",
             "confirmed",
             "one line of configuration replaces the keys that a hundred accounts use",
             ("core/adoption.c",
              "record->presumed = adoption->by_hint && machine->context->presumes_active;",
              "record->presumed = false;")),
    mutation("reload-confirms", 1,
             "a configuration that names the account confirms what the journal calls presumed",
             "confirmed",
             "a rule that is removed, or a line that was copied, replaces the key in use",
             ("core/restart.c", """\
    plan_make(machine);
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);""", """\
    plan_make(machine);
    machine->record->presumed = machine->record->presumed && machine->context->presumes_active;
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);""")),
    mutation("start-confirms", 1,
             "a start forgets that an active key was presumed",
             "confirmed",
             "an upgrade replaces the key that consumers use",
             ("core/restart.c", """\
    plan_make(machine);
    if (!record->requested)
""", """\
    plan_make(machine);
    record->presumed = false;
    if (!record->requested)
""")),
    mutation("delivery-confirms", 1,
             "the presumed key in the targets counts as evidence when the account is adopted again",
             "confirmed",
             "what the daemon has delivered itself proves that it was right",
             ("core/adoption.c",
              "    else if (record->adopted_at == 0)\n        record->presumed =",
              "    else\n        record->presumed ="),
             scenario="found-adopted-again"),

    # --- lists ---
    mutation("list-forgets", "found",
             "an account that a list lacks is not asked for",
             "not-forgotten",
             "a list that was late ends the care for half of the accounts",
             ("app/discovery_run.c",
              "        texts_add(&run->suspects, known->id);",
              "        run->listener.gone(run->listener.context, known->key);")),
    mutation("forbidden-is-gone", "found",
             "every failure to read an account counts as its end",
             "not-forgotten",
             "a role that was lost for an hour ends the care for accounts",
             ("app/discovery_run.c", """\
    else if (reply && reply->status == 404 &&
             arm_says_gone(buf_str(&reply->body), reply->body.length))
""", """\
    else if (known)
"""),
             scenario="found-lists-lie"),
    mutation("late-tags-believed", "found",
             "tags in a list that no rule wants count without a look at the account itself",
             "not-forgotten",
             "a list that was late ends the care for accounts whose tags are right",
             ("app/discovery_run.c",
              "    if (known && rule)\n        run->listener.known(",
              "    if (known)\n        run->listener.known("),
             scenario="found-late-tags"),
    mutation("comeback-is-new", "found",
             "what is known of an account that leaves care is forgotten",
             "not-forgotten",
             "an account that was gone for a minute is adopted as on its first day",
             ("app/engine.c",
              "        engine_unconfigured_keep(account->engine, account->key, &account->record,\n"
              "                                 account->operation_url);",
              "        (void)0;"),
             scenario="found-lists-lie"),
    mutation("found-in-memory", "found",
             "what a listing has found is in force before it is durable",
             "not-forgotten",
             "after a crash an account whose key was rotated is not under care",
             ("app/discovery.c",
              "    save(client);\n    if (client->saving == 0 && client->stale)\n",
              "    save(client);\n    if (client->stale)\n")),
    mutation("listing-rotates", "found",
             "a listing that changes the configuration is a reason to rotate",
             "not-prompted",
             "a new account rotates the keys of all others",
             ("core/restart.c", """\
    plan_make(machine);
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);""", """\
    plan_make(machine);
    if (machine->record->adopted && machine->context->policy->rotate)
        machine->record->due_at = machine->now;
    clear_other_rotator_unless_rotating(machine);
    return flow_prompt(machine);"""),
             scenario="found-lists-lie"),
    mutation("all-at-once-found", "found",
             "a listing adds as many accounts as it shows",
             "few-at-once",
             "a pattern that is too wide takes a whole company under care at once",
             ("app/discovery.c",
              "    limit = rule->dry_run ? 0 : rule->max_new;",
              "    limit = count;")),
    mutation("listing-sleeps-on", "found",
             "the next listing stays where it is when the clock is set",
             "progress",
             "after a clock that was wrong for a day no account is found for a year",
             ("app/discovery.c",
              "        state->next_at = time_add(state->next_at, jump);\n", ""),
             scenario="found-clock-set"),

    # --- destinations ---
    mutation("destination-shared", "found",
             "accounts with one destination are treated as others",
             "one-destination",
             "the consumers of one account get the key of the other",
             ("app/engine_action.c",
              "    return account->account->problem && action->kind",
              "    return false && action->kind")),
]
