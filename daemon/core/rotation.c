#include "core/rotation.h"

#include "core/commit.h"
#include "core/schedule.h"
#include "core/steps.h"

enum { LATE_BELIEVED_AFTER_MS = 60 * 60 * 1000 };
/* Blocked and overdue accounts are reported again after so long. */
enum { REPORT_AGAIN_MS = 24 * 60 * 60 * 1000 };

/* Reports why the rotation did not start: the reason of the block or the retry, the text of the
 * interlock, or a freeze. */
static void report_overdue(struct machine *machine)
{
    const struct record *record = machine->record;
    struct note *note = machine_note(machine, NOTE_ROTATION_OVERDUE);
    struct interlock interlock;

    note->reason = record->blocked != REASON_NONE ? record->blocked : record->retry_reason;
    if (note->reason != REASON_NONE)
        return;
    interlock_ask(machine->context, record, machine->now, &interlock);
    if (!interlock.open) {
        note->detail = interlock.text;
    } else if (schedule_freeze(machine->context->policy, machine->now)) {
        note->reason = REASON_FREEZE;
        note->detail = reason_describe(REASON_FREEZE)->meaning;
    }
}

/* Is it blocked, or does its adoption wait to be confirmed? */
static bool waits_for_people(const struct rotation_context *context, const struct record *record)
{
    return record->blocked != REASON_NONE || (record->presumed && context->policy->rotate);
}

/* The daily reminders of problems that need a person. */
static void report_again(struct machine *machine)
{
    struct record *record = machine->record;

    if (waits_for_people(machine->context, record) &&
        time_add(record->blocked_reported_at, REPORT_AGAIN_MS) <= machine->now) {
        record->blocked_reported_at = machine->now;
        machine_note(machine, NOTE_BLOCKED)->reason =
            record->blocked != REASON_NONE ? record->blocked : REASON_ADOPTION_UNCONFIRMED;
    }
    if ((record->overdue_reported_at == 0 ||
         time_add(record->overdue_reported_at, REPORT_AGAIN_MS) <= machine->now) &&
        plan_is_overdue(machine->context, record, machine->now)) {
        record->overdue_reported_at = machine->now;
        report_overdue(machine);
    }
}

static time_ms overdue_not_reported_before(const struct record *record)
{
    return record->overdue_reported_at != 0 ? time_add(record->overdue_reported_at, REPORT_AGAIN_MS)
                                            : 0;
}

/* When an overdue rotation is reported next. */
static time_ms overdue_report_at(const struct rotation_context *context,
                                 const struct record *record)
{
    return time_max(plan_overdue_at(context, record), overdue_not_reported_before(record));
}

static time_ms wake_at(const struct machine *machine)
{
    const struct rotation_context *context = machine->context;
    const struct record *record = machine->record;
    time_ms at = flow_wake_at(machine);

    if (record->hold_id != 0)
        at = time_min(at, record->hold_until);
    if (waits_for_people(context, record))
        at = time_min(at, time_add(record->blocked_reported_at, REPORT_AGAIN_MS));
    /* Most of the time something else comes first, however late the start is. */
    if (plan_overdue_is_ahead(context, record, at) || overdue_not_reported_before(record) >= at)
        return at;
    return time_min(at, overdue_report_at(context, record));
}

/* The journal stalled while the look was queued: what it showed may be long past. */
static bool look_is_stale(const struct machine *machine)
{
    const struct look *look = machine->event->look;

    return look && look->taken_at != 0 &&
           (look->taken_at > machine->now || machine->now - look->taken_at > FRESH_FOR_MS);
}

/* When Azure keeps showing keys that the journal calls replaced, the journal is wrong: it once
 * accepted a late look. Without this the account would look again for ever. */
static void believe_what_stays(struct machine *machine)
{
    struct record *record = machine->record;
    const struct look *look = machine->event->look;

    if (!look || !judge_is_late(record, look) || record->retry_reason != REASON_OUTCOME_UNKNOWN ||
        machine->now < time_add(record->retrying_since, LATE_BELIEVED_AFTER_MS))
        return;
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        record_remove_replaced(record, &look->live[slot]);
}

static enum position on_looked(struct machine *machine)
{
    if (look_is_stale(machine))
        return flow_repeat(machine);
    believe_what_stays(machine);
    return flow_take(machine);
}

/* Takes the event. Returns where it leads. */
static enum position take(struct machine *machine)
{
    switch (machine->event->kind) {
    case EVENT_START:
        return restart_start(machine);
    case EVENT_LOOKED:
        return on_looked(machine);
    case EVENT_WAKE:
    case EVENT_PERSISTED:
    case EVENT_PREFLIGHT_DONE:
    case EVENT_REGENERATED:
    case EVENT_POLLED:
    case EVENT_VERIFIED:
    case EVENT_DELIVERED:
        return flow_take(machine);
    case EVENT_CONFIGURED:
        return restart_configure(machine);
    case EVENT_CLOCK_JUMPED:
        restart_jump_clock(machine);
        break;
    case EVENT_COMMAND:
        return command_follow(machine);
    case EVENT_HELD:
        command_note_hold(machine);
        break;
    case EVENT_HOLD_ENDED:
        break; /* command_follow_hold() has handled it */
    }
    return POSITION_STAY;
}

/* An independent check of every regenerate before it is sent: README.md, "Why it is safe". */
static void check_regenerate(struct machine *machine)
{
    const struct record *record = machine->record;
    struct interlock interlock;

    if (machine->effects->action.kind != ACTION_REGENERATE)
        return;
    interlock_ask(machine->context, record, machine->now, &interlock);
    if (!interlock.open || !record->intent.open ||
        record->intent.slot != slot_other(record->active) ||
        machine->effects->action.slot != record->intent.slot ||
        machine->event->kind != EVENT_PERSISTED || !machine_look_is_fresh(machine))
        machine_fault(machine, "a regenerate that the interlock does not allow");
}

/* Pairs of keys of one resource have one intent at a time; in the journal, too. */
static void keep_pairs_apart(struct machine *machine, const struct record *before)
{
    const struct rotation_context *context = machine->context;
    const struct intent *intent = &machine->record->intent;

    if (context->pair_busy && !before->intent.open && intent->open)
        machine_fault(machine, "an intent beside that of another pair of the resource's keys");
    if (context->shares_resource && before->intent.open && !intent->open)
        machine->effects->persist = machine->effects->wait = true;
}

/* Waits of the interlock count from these times, as after EVENT_CLOCK_JUMPED. */
static void make_shifted_times_durable(struct machine *machine)
{
    if (machine->event->shifted)
        machine->effects->persist = machine->effects->wait = true;
}

/* Ends a delivery that nothing waits for any more, or finds out when to. */
static time_ms give_up_at(struct machine *machine)
{
    const struct action *action = &machine->effects->action;
    const struct delivery_under_way begins = {.target = action->target, .began_at = machine->now};
    const bool begins_now = action->kind == ACTION_DELIVER;
    const char *why = NULL;
    const time_ms at =
        deliver_give_up_at(machine, begins_now ? &begins : &machine->context->under_way, &why);

    if (at > machine->now || begins_now)
        return at;
    machine->effects->give_up = why;
    return TIME_NEVER;
}

void rotation_step(const struct rotation_context *context, struct record *record,
                   const struct event *event, struct effects *effects)
{
    struct machine machine = {
        .context = context,
        .record = record,
        .event = event,
        .effects = effects,
        .now = event->now,
    };
    const struct record before = *record;
    const char *broken;

    *effects = (struct effects){.wake_at = TIME_NEVER, .refused_until = TIME_NEVER};
    /* The configuration may have changed while the event was queued. */
    restart_merge_targets(&machine);
    command_follow_hold(&machine);
    flow_go(&machine, take(&machine));
    risk_report(&machine);
    report_again(&machine);

    check_regenerate(&machine);
    broken = rotation_check(context, record);
    if (broken)
        machine_fault(&machine, broken);
    commit_decide(&before, record, effects);
    keep_pairs_apart(&machine, &before);
    make_shifted_times_durable(&machine);

    effects->forget_keys = !position_needs_keys(record->position);
    effects->wake_at = wake_at(&machine);
    effects->wake_at = time_min(effects->wake_at, give_up_at(&machine));
}
