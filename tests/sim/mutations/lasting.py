"""Rules 3, 4 and 16 where a regenerate goes on after its answer, or its answer does not say all."""

from .mutation import mutation

MUTATIONS = [
    mutation("polls-unsaved", 3,
             "an operation is asked about at once, not when the journal has its URL",
             "polled-durable",
             "after a crash nobody knows any more what was asked about",
             ("core/step_operation.c",
              "        return POSITION_OPERATION;",
              "        return POSITION_POLL;"),
             ("core/flow.c",
              "TO(IDLE) | TO(OPERATION) | TO(DOUBT_LOOK) | TO(VERIFY_LOOK),",
              "TO(IDLE) | TO(OPERATION) | TO(DOUBT_LOOK) | TO(VERIFY_LOOK) | TO(POLL),"),
             ("core/record_table.c", '"intent_operation", .wait = WAIT_WHEN_SET),',
              '"intent_operation"),'),
             ("core/record_table.c", '''"intent_settles_at", .clock = CLOCK_UNTIL_OPERATION,
                 .wait = WAIT_WHEN_SET),''', '''"intent_settles_at",
                 .clock = CLOCK_UNTIL_OPERATION),'''),
             scenario="slow-rotation"),
    mutation("longest-time-ignored", 4,
             "a lost regenerate that takes hours is looked for after unknown_wait",
             "one-operation",
             "the same slot is asked for again while Azure still works on it",
             ("core/step_operation.c",
              "time_add(given_up, context->regenerate_takes + late)",
              "time_add(given_up, late)"),
             scenario="slow-killed-before-url-is-durable"),
    mutation("begins-late-ignored", 4,
             "the longest time of a lost regenerate counts from its intent alone",
             "doubt-looks",
             "one that Azure took up late, and lists do not show yet, is asked for again",
             ("core/step_operation.c", """\
        intent->settles_at = time_add(given_up, context->regenerate_takes + late);
""", """\
        intent->settles_at = time_add(intent->written_at,
                                      context->regenerate_takes + machine_shown_within(machine));
""")),
    mutation("not-found-is-failed", 4,
             "an operation that Azure does not know any more counts as failed",
             "one-operation",
             "the same slot is asked for again while Azure still works on it",
             ("core/step_operation.c", """\
    case OPERATION_FORGOTTEN:
        break;
""", """\
    case OPERATION_FORGOTTEN:
        return has_failed(machine);
"""),
             scenario="slow-forgotten"),
    mutation("judges-while-it-runs", 4,
             "the slot is judged by a look while its regenerate may go on",
             "ended-first",
             "what it shows is taken for the outcome, and delivered, before the outcome",
             ("core/step_operation.c",
              "    return intent->ended ? record->retry_at : time_max(record->retry_at, intent->settles_at);",
              "    return record->retry_at;"),
             ("core/step_rotate.c", """\
    if (!record->intent.ended && !operation_is_settled(machine))
        return POSITION_DOUBT_WAIT; /* it may go on: the slot may change yet, or again */
""", ""),
             scenario="slow-answer-lost"),
    mutation("waits-from-request", 4,
             "the wait for late lists counts from the request, not from the end of its operation",
             "doubt-looks",
             "the key that lists do not show yet is regenerated once more",
             ("core/step_operation.c", """\
    intent->settles_at = time_add(machine->now, shows ? machine_shown_within(machine)
""", """\
    intent->settles_at = time_add(intent->written_at, shows ? machine_shown_within(machine)
"""),
             scenario="slow-lists-lag"),
    mutation("missing-believed", 4,
             "what the answer to a regenerate does not show is taken for what it shows",
             "doubt-looks",
             "the journal has a key that there is not, and takes the live one for somebody else's",
             ("core/step_rotate.c",
              "    if (!event->shown[other]) {",
              "    if (false) {"),
             ("core/rotation_check.c", '''
         fingerprint_equal(&record->live[0], &record->live[1])))
        return''', '''
         fingerprint_equal(&record->live[0], &record->live[1])) && false)
        return'''),
             scenario="answer-shows-one-lists-lag"),
    mutation("closed-is-settled", 4,
             "the interlock forgets a regenerate in doubt once the account is adopted anew",
             "doubt-looks",
             "the key that lists do not show yet is regenerated once more",
             ("core/interlock.c", "    else if (now < record->intent.settles_at)\n",
              "    else if (false)\n"),
             scenario="closed-intent-settles"),
    mutation("end-not-heard", 16,
             "an operation that has succeeded is asked about until its longest time is over",
             "leads-on",
             "a rotation that could be complete in minutes takes hours",
             ("core/step_operation.c", """\
    case OPERATION_RUNNING:
        return still_runs(machine);
    case OPERATION_SUCCEEDED:
""", """\
    case OPERATION_RUNNING:
    case OPERATION_SUCCEEDED:
        return still_runs(machine);
        machine->record->retry_at = 0;
"""),
             scenario="slow-rotation"),
    mutation("blind-while-it-runs", 16,
             "while an operation runs nobody looks for drift",
             "repaired",
             "consumers hold a dead key until the end of an operation that takes hours",
             ("core/step_operation.c",
              "    if (!waits && (record->check_at <= machine->now || machine_blocked_by_world(record)))",
              "    if (!waits && false)"),
             ("core/step_operation.c",
              "    time_ms at = machine_blocked_by_world(record) ? machine->now : record->check_at;",
              "    time_ms at = TIME_NEVER;"),
             scenario="slow-active-key-by-hand-meanwhile"),
]
