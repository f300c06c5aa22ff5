"""Rule 13, as far as it is about pairs of keys of one resource."""

from .mutation import mutation

INTENT_IS_CHECKED = ("core/rotation.c",
                     "    if (context->pair_busy && !before->intent.open && intent->open)\n"
                     "        machine_fault(machine, \"an intent beside that of another pair of the "
                     "resource's keys\");\n", "")

MUTATIONS = [
    mutation("pairs-ignored", 13,
             "the interlock does not ask whether another pair of the resource is being regenerated",
             "pairs-apart",
             "Azure refuses the second regenerate, or carries out two at once",
             ("core/interlock.c", "    else if (context->pair_busy) {", "    else if (false) {"),
             INTENT_IS_CHECKED, scenario="pairs-at-once"),
    mutation("pair-that-left-forgotten", 13,
             "the intent of a pair that is not configured any more is forgotten",
             "pairs-apart",
             "a reload lets the other pair regenerate while the request may still take effect",
             ("app/engine_pair.c", """\
        if (record)
            note_record(account, context, other, record,
                        config_regenerate_takes(account->config, key));
""", "        (void)record;\n"),
             scenario="pairs-removed-in-doubt"),
    mutation("pair-that-left-takes-as-long", 13,
             "what a pair that is not configured may take is that of the pair that asks",
             "one-operation",
             "the other pair's regenerate is asked for while that one may still run, for hours",
             ("app/engine_pair.c", """\
                        config_regenerate_takes(account->config, key));
        free(key);
""", """\
                        account->account->regenerate_takes);
        free(key);
"""),
             scenario="pairs-removed-while-off"),
    mutation("close-taken-for-durable", 13,
             "the resource counts as free as soon as an intent is closed in memory",
             "pairs-apart",
             "after a crash the journal says of both pairs that they may be regenerated right now",
             ("app/engine_pair.c", "(other->pair_held || other->record.intent.open)",
              "(other->record.intent.open)"),
             scenario="pairs-close-not-durable"),
]
