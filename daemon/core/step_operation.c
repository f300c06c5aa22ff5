#include "core/steps.h"

#include "core/backoff.h"
#include "core/delivery.h"

/*
 * A regenerate whose outcome takes its time: Azure goes on with it after its answer (an operation),
 * or the answer was lost, or lists show the new key late.
 *
 *   1. OPERATION: the URL of the operation is made durable before anybody asks there;
 *   2. POLL_WAIT: waits for the next poll, and for everything that is due meanwhile: looks for
 *      drift, and deliveries of the active key. The slot is in doubt: no look tells anything of it;
 *   3. POLL: asks how it goes;
 *   4. DOUBT_LOOK, when it has ended, or must have: did the slot change?
 *
 * Polls pause while a second look is awaited (CONFIRM_WAIT) and while a delivery is under way. That
 * costs time and nothing else: the end counts from when it is seen, and an operation that Azure has
 * forgotten by then is waited for as ever, for the longest time. The pause is short: the second
 * look comes after unknown_wait or the delay of lists, and a poll that is due ends the turn of a
 * delivery (deliver_give_up_at()).
 *
 * Where there is no URL, the longest time that such a regenerate takes counts from its intent.
 */

enum {
    POLL_FIRST_MS = 5 * 1000,
    POLL_LONGEST_MS = 60 * 1000,
    POLL_ASKED_MIN_MS = 1000,
    POLL_ASKED_MAX_MS = 10 * 60 * 1000,
    /* Of a type whose regenerates end with their answer, as far as its row knows. */
    UNEXPECTED_TAKES_MS = 60 * 60 * 1000,
    /* From the intent until its request is given up: the look before it is 30 s old at most when it
     * leaves, and its answer is waited for a minute. */
    GIVEN_UP_WITHIN_MS = 90 * 1000,
    LOOKS_AGAIN = 8 /* evenly, at first, until the slot has settled */
};

/* --- how long --- */

duration_ms operation_takes(const struct rotation_context *context)
{
    return context->regenerate_takes > 0 ? context->regenerate_takes : UNEXPECTED_TAKES_MS;
}

/* Azure may begin with it unknown_wait after it was given up, and lists show it later than its end.
 */
void operation_doubt(struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    struct intent *intent = &machine->record->intent;
    const time_ms given_up =
        time_min(machine->now, time_add(intent->written_at, GIVEN_UP_WITHIN_MS));
    const duration_ms late = context->timing->unknown_wait + context->list_delay;

    if (context->regenerate_takes > 0) {
        intent->ended = false;
        intent->settles_at = time_add(given_up, context->regenerate_takes + late);
    } else if (context->list_delay > 0) {
        operation_ended(machine, true);
        intent->settles_at = time_add(given_up, late);
    }
}

void operation_ended(struct machine *machine, bool shows)
{
    struct intent *intent = &machine->record->intent;

    intent->operation = (struct fingerprint){0};
    intent->poll_at = 0;
    intent->poll_failures = 0;
    intent->ended = true;
    intent->settles_at = time_add(machine->now, shows ? machine_shown_within(machine)
                                                      : machine->context->timing->unknown_wait);
}

duration_ms operation_doubt_longest(const struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    const struct intent *intent = &machine->record->intent;
    const duration_ms late = context->timing->unknown_wait + context->list_delay;

    return intent->ended ? time_max(late, machine_backoff(machine, intent->attempts, 0))
                         : operation_takes(context) + late;
}

bool operation_is_awaited(const struct machine *machine)
{
    const struct intent *intent = &machine->record->intent;

    return intent->open && (machine->context->regenerate_takes > 0 || intent->settles_at != 0);
}

bool operation_is_settled(const struct machine *machine)
{
    const time_ms began =
        machine->event->look->began_at != 0 ? machine->event->look->began_at : machine->now;

    return began >= machine->record->intent.settles_at && began <= machine->now;
}

enum position operation_look_again(struct machine *machine)
{
    const duration_ms left = machine->record->intent.settles_at - machine->now;
    const duration_ms pace = time_min(time_max(left / LOOKS_AGAIN, POLL_FIRST_MS), POLL_LONGEST_MS);

    machine->record->retry_at = time_add(machine->now, time_max(time_min(pace, left), 0));
    return POSITION_DOUBT_WAIT;
}

/* --- asking --- */

/* Azure's own pause, or one that grows with the time that the operation has taken. */
static duration_ms pace(const struct machine *machine, duration_ms asked)
{
    const duration_ms taken = machine->now - machine->record->intent.written_at;

    if (asked > 0)
        return time_min(time_max(asked, POLL_ASKED_MIN_MS), POLL_ASKED_MAX_MS);
    return time_min(time_max(taken / 10, POLL_FIRST_MS), POLL_LONGEST_MS);
}

static struct note *note_operation(struct machine *machine, enum note_kind kind)
{
    return machine_note_key(machine, kind, machine->record->intent.slot);
}

enum position operation_accepted(struct machine *machine)
{
    const struct event *event = machine->event;
    struct intent *intent = &machine->record->intent;
    struct note *note;

    intent->ended = false;
    intent->settles_at = time_add(time_add(machine->now, operation_takes(machine->context)),
                                  machine_shown_within(machine));
    intent->operation = event->operation;
    intent->poll_at = time_add(machine->now, pace(machine, event->poll_after));
    intent->poll_failures = 0;
    machine_clear_retry(machine);
    note = note_operation(machine, NOTE_OPERATION_STARTED);
    note->fingerprint = (struct fingerprint){0};
    if (!fingerprint_is_none(&intent->operation))
        return POSITION_OPERATION;
    note = note_operation(machine, NOTE_OPERATION_LOST);
    note->fingerprint = (struct fingerprint){0};
    note->from_undescribed = !!event->undescribed;
    note->detail = "Azure names no URL that tells how it goes";
    return POSITION_POLL_WAIT;
}

enum position operation_enter_poll(struct machine *machine)
{
    machine_act(machine, ACTION_POLL);
    return POSITION_STAY;
}

/* Polls have trouble of their own: the account's other work goes on, and is not put off by it. */
static enum position poll_failed(struct machine *machine)
{
    const struct failure *failure = machine->event->failure;
    const struct timing *timing = machine->context->timing;
    struct record *record = machine->record;
    struct intent *intent = &record->intent;
    const enum reason reason = reason_describe(failure->reason)->state == STATE_RETRYING
                                   ? failure->reason
                                   : REASON_AZURE_ERROR;
    struct note *note;

    intent->poll_failures++;
    intent->poll_at = time_add(
        machine->now,
        time_min(backoff_delay(timing->retry_initial, POLL_ASKED_MAX_MS, intent->poll_failures,
                               (uint64_t)intent->written_at, failure->retry_after),
                 POLL_ASKED_MAX_MS));
    if (record->retry_reason == REASON_NONE) {
        record->retry_reason = reason;
        record->retrying_since = machine->now;
    }
    note = machine_note(machine, NOTE_ROTATION_RETRYING);
    note->reason = reason;
    note->from_failure = true;
    return POSITION_POLL_WAIT;
}

static void poll_succeeded(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->intent.poll_failures > 0 && record->attempts == 0) {
        record->retry_reason = REASON_NONE;
        record->retrying_since = 0;
    }
    record->intent.poll_failures = 0;
}

/* While Azure says that it runs it has not settled, however long it takes. */
static enum position still_runs(struct machine *machine)
{
    struct intent *intent = &machine->record->intent;
    const duration_ms shown = machine_shown_within(machine);
    struct note *note;

    intent->poll_at = time_add(machine->now, pace(machine, machine->event->poll_after));
    if (time_add(machine->now, shown) < intent->settles_at)
        return POSITION_POLL_WAIT;
    intent->settles_at = time_add(time_add(machine->now, operation_takes(machine->context)), shown);
    note = machine_note(machine, NOTE_ROTATION_RETRYING);
    note->reason = REASON_OUTCOME_UNKNOWN;
    note->detail =
        "Azure says that the operation still runs, which is longer than such operations take";
    return POSITION_POLL_WAIT;
}

static enum position has_failed(struct machine *machine)
{
    struct record *record = machine->record;

    note_operation(machine, NOTE_OPERATION_ENDED)->from_failure = true;
    operation_ended(machine, false);
    machine_retry(machine, REASON_AZURE_ERROR, 0, "Azure says that the regenerate failed");
    /* The next attempt comes later for each one that fails; the look comes now. */
    record->intent.settles_at =
        time_max(record->intent.settles_at,
                 time_add(machine->now, machine_backoff(machine, record->intent.attempts, 0)));
    record->retry_at = 0;
    return POSITION_DOUBT_LOOK;
}

enum position operation_polled(struct machine *machine)
{
    const struct event *event = machine->event;
    struct intent *intent = &machine->record->intent;

    if (event->failure && event->operation_state != OPERATION_FAILED)
        return poll_failed(machine);
    poll_succeeded(machine);
    switch (event->operation_state) {
    case OPERATION_RUNNING:
        return still_runs(machine);
    case OPERATION_SUCCEEDED:
        note_operation(machine, NOTE_OPERATION_ENDED)->detail = "Azure says that it succeeded";
        operation_ended(machine, true);
        machine->record->retry_at = 0;
        return POSITION_DOUBT_LOOK;
    case OPERATION_FAILED:
        return has_failed(machine);
    case OPERATION_FORGOTTEN:
        break;
    }
    intent->operation = (struct fingerprint){0};
    intent->poll_at = 0;
    note_operation(machine, NOTE_OPERATION_LOST)->detail =
        "Azure does not know the operation any more, which says nothing about how it went";
    return POSITION_POLL_WAIT;
}

/* --- what is due meanwhile --- */

static bool polls(const struct record *record)
{
    return !fingerprint_is_none(&record->intent.operation);
}

/* When the slot is looked at: it has ended, or must have. */
static time_ms look_at(const struct record *record)
{
    const struct intent *intent = &record->intent;

    return intent->ended ? record->retry_at : time_max(record->retry_at, intent->settles_at);
}

time_ms operation_due_at(const struct record *record)
{
    const time_ms at = look_at(record);

    return polls(record) ? time_min(at, record->intent.poll_at) : at;
}

static bool delivery_is_ready(const struct machine *machine)
{
    return !delivery_waits_for_human(machine->context, machine->record) &&
           delivery_next_at(machine->context, machine->record) <= machine->now;
}

enum position operation_next(struct machine *machine)
{
    const struct record *record = machine->record;
    const bool waits = record->retry_at > machine->now;
    const bool may_settle = look_at(record) <= machine->now;

    /* The outcome decides what is delivered. */
    if (may_settle && record->intent.settles_at <= machine->now)
        return POSITION_DOUBT_LOOK;
    if (!waits && delivery_is_ready(machine))
        return POSITION_DELIVER_LOOK;
    if (polls(record) && record->intent.poll_at <= machine->now)
        return POSITION_POLL;
    if (may_settle)
        return POSITION_DOUBT_LOOK;
    if (!waits && (record->check_at <= machine->now || machine_blocked_by_world(record)))
        return POSITION_CHECK_LOOK;
    return POSITION_STAY;
}

time_ms operation_wake_at(const struct machine *machine)
{
    const struct record *record = machine->record;
    time_ms at = machine_blocked_by_world(record) ? machine->now : record->check_at;

    if (!delivery_waits_for_human(machine->context, record))
        at = time_min(at, delivery_next_at(machine->context, record));
    return time_min(time_max(at, record->retry_at), operation_due_at(record));
}

/* --- where it is waited for --- */

enum position operation_or_idle(struct machine *machine)
{
    return machine->record->intent.open ? POSITION_POLL_WAIT : POSITION_IDLE;
}

enum position operation_or_doubt(struct machine *machine)
{
    return operation_is_awaited(machine) ? POSITION_POLL_WAIT : POSITION_DOUBT_WAIT;
}

void operation_resume(struct machine *machine)
{
    struct record *record = machine->record;
    struct intent *intent = &record->intent;
    const time_ms settled = time_add(machine->now, machine->context->timing->unknown_wait);

    if (!intent->open)
        return;
    if (intent->settles_at == 0 && !intent->ended)
        operation_doubt(machine);
    if (machine->context->regenerate_takes == 0 && !polls(record))
        record->retry_at = settled;
    if (!operation_is_awaited(machine))
        return;
    record->position = POSITION_POLL_WAIT;
    /* Not before the interlock lets it be repeated. */
    intent->settles_at =
        time_max(intent->settles_at, time_add(settled, machine->context->list_delay));
    intent->poll_at = machine->now;
    record->check_at = machine->now;
}
