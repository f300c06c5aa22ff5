#include "core/rotation.h"

#include "core/commit.h"
#include "core/machine.h"
#include "core/restart.h"

enum { LATE_BELIEVED_AFTER_MS = 60 * 60 * 1000 };

/* Why it did not start: trouble has a reason; whatever else stands in the way has words. */
static void report_overdue(struct machine *machine)
{
    const struct record *record = machine->record;
    struct note *note = machine_note(machine, NOTE_ROTATION_OVERDUE);
    struct interlock interlock;

    note->reason = record->blocked != REASON_NONE ? record->blocked : record->retry_reason;
    if (note->reason != REASON_NONE)
        return;
    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (!interlock.open)
        note->detail = interlock.text;
}

/* The daily reminders of what a person has to see to. */
static void report_again(struct machine *machine)
{
    struct record *record = machine->record;
    time_ms overdue_at = plan_overdue_at(machine->context, record);

    if (record->blocked != REASON_NONE &&
        time_add(record->blocked_reported_at, REPORT_AGAIN_MS) <= machine->now) {
        record->blocked_reported_at = machine->now;
        machine_note(machine, NOTE_BLOCKED)->reason = record->blocked;
    }
    if (overdue_at <= machine->now &&
        (record->overdue_reported_at == 0 ||
         time_add(record->overdue_reported_at, REPORT_AGAIN_MS) <= machine->now)) {
        record->overdue_reported_at = machine->now;
        report_overdue(machine);
    }
}

static time_ms report_at(const struct rotation_context *context, const struct record *record)
{
    time_ms at = plan_overdue_at(context, record);

    if (record->overdue_reported_at != 0)
        at = time_max(at, time_add(record->overdue_reported_at, REPORT_AGAIN_MS));
    if (record->blocked != REASON_NONE)
        at = time_min(at, time_add(record->blocked_reported_at, REPORT_AGAIN_MS));
    return at;
}

/* When the next rotation can start, as far as is known now. */
static time_ms rotation_at(const struct rotation_context *context, const struct record *record,
                           time_ms now)
{
    struct interlock interlock;
    time_ms at = record->requested ? now : record->due_at;

    if (at == 0)
        return TIME_NEVER;
    rotation_interlock(context, record, now, &interlock);
    return interlock.open ? at : time_max(at, interlock.until);
}

static time_ms idle_wake_at(const struct machine *machine)
{
    const struct record *record = machine->record;
    time_ms at = time_min(record->check_at, rotation_at(machine->context, record, machine->now));

    if (!machine_delivery_waits_for_human(machine->context, record))
        at = time_min(at, deliver_wake_at(record));
    if (machine_blocked_by_world(record) || record->adopt_asked)
        at = machine->now;
    return time_max(at, record->retry_at);
}

static time_ms wake_at(const struct machine *machine)
{
    const struct record *record = machine->record;

    switch (record->position) {
    case POSITION_ADOPT_WAIT:
        /* A person has to say; unless the look that is to follow what was said has failed. */
        if (reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN && record->retry_at == 0)
            return TIME_NEVER;
        return record->retry_at;
    case POSITION_IDLE:
        return idle_wake_at(machine);
    case POSITION_CONFIRM_WAIT:
        return time_add(record->unconfirmed.seen_at, machine->context->timing->unknown_wait);
    case POSITION_DOUBT_WAIT:
    case POSITION_VERIFY_WAIT:
        return record->retry_at;
    case POSITION_DELIVER_WAIT:
        return deliver_resume_at(record);
    default:
        return TIME_NEVER; /* a completion moves it on */
    }
}

static void on_wake(struct machine *machine)
{
    struct record *record = machine->record;

    if (wake_at(machine) > machine->now)
        return;
    switch (record->position) {
    case POSITION_ADOPT_WAIT:
        enter_adopt_look(machine);
        break;
    case POSITION_IDLE:
        idle_next(machine);
        break;
    case POSITION_CONFIRM_WAIT:
        enter_check_look(machine);
        break;
    case POSITION_DOUBT_WAIT:
        enter_doubt_look(machine);
        break;
    case POSITION_VERIFY_WAIT:
        enter_verify_look(machine);
        break;
    case POSITION_DELIVER_WAIT:
        deliver_resume(machine);
        break;
    default:
        break;
    }
}

static void on_persisted(struct machine *machine)
{
    if (machine->record->position == POSITION_INTENT)
        on_intent_persisted(machine);
    else if (machine->record->position == POSITION_DELIVER_INTENT)
        on_deliver_intent_persisted(machine);
}

/* The journal stalled while the look waited for its turn: what it showed may be long past. */
static bool look_is_stale(const struct machine *machine)
{
    const struct look *look = machine->event->look;

    return look && look->taken_at != 0 &&
           (look->taken_at > machine->now || machine->now - look->taken_at > FRESH_FOR_MS);
}

/* Azure has shown keys that the journal calls replaced for so long, time and again, that it is the
 * journal that is wrong about them: a look out of the past was once taken for the truth. Without
 * this the account would look again for ever. */
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

static void on_looked(struct machine *machine)
{
    if (look_is_stale(machine)) {
        machine_act_look(machine);
        return;
    }
    believe_what_stays(machine);
    switch (machine->record->position) {
    case POSITION_ADOPT_LOOK:
        on_adopt_look(machine);
        break;
    case POSITION_CHECK_LOOK:
        on_check_look(machine);
        break;
    case POSITION_ROTATE_LOOK:
        on_rotate_look(machine);
        break;
    case POSITION_DOUBT_LOOK:
        on_doubt_look(machine);
        break;
    case POSITION_VERIFY_LOOK:
        on_verify_look(machine);
        break;
    case POSITION_DELIVER_LOOK:
        on_deliver_look(machine);
        break;
    default:
        machine_fault(machine, "a look that nobody asked for");
        break;
    }
}

static void on_verify_completion(struct machine *machine)
{
    switch (machine->record->position) {
    case POSITION_PROVE_TARGET:
        on_prove_target(machine);
        break;
    case POSITION_PROVE_LIVE:
        on_prove_live(machine);
        break;
    case POSITION_VERIFY:
        on_verified(machine);
        break;
    default:
        machine_fault(machine, "a proof that nobody asked for");
        break;
    }
}

static void expect(struct machine *machine, enum position position,
                   void (*handler)(struct machine *))
{
    if (machine->record->position == position)
        handler(machine);
    else
        machine_fault(machine, "a completion that nobody waited for");
}

static void dispatch(struct machine *machine)
{
    switch (machine->event->kind) {
    case EVENT_START:
        on_start(machine);
        break;
    case EVENT_WAKE:
        on_wake(machine);
        break;
    case EVENT_PERSISTED:
        on_persisted(machine);
        break;
    case EVENT_PREFLIGHT_DONE:
        expect(machine, POSITION_PREFLIGHT, on_preflight);
        break;
    case EVENT_LOOKED:
        on_looked(machine);
        break;
    case EVENT_REGENERATED:
        expect(machine, POSITION_REGENERATE, on_regenerated);
        break;
    case EVENT_VERIFIED:
        on_verify_completion(machine);
        break;
    case EVENT_DELIVERED:
        expect(machine, POSITION_DELIVER, on_delivered);
        break;
    case EVENT_CONFIGURED:
        on_configured(machine);
        break;
    case EVENT_CLOCK_JUMPED:
        on_clock_jumped(machine);
        break;
    case EVENT_COMMAND:
        on_command(machine);
        break;
    case EVENT_HELD:
        on_held(machine);
        break;
    case EVENT_HOLD_ENDED:
        break; /* follow_hold() has seen to it */
    }
}

/* A regenerate leaves here only if everything that section "Why it is safe" asks for is in place.
 */
static void check_regenerate(struct machine *machine)
{
    const struct record *record = machine->record;
    struct interlock interlock;

    if (machine->effects->action.kind != ACTION_REGENERATE)
        return;
    rotation_interlock(machine->context, record, machine->now, &interlock);
    if (!interlock.open || !record->intent.open ||
        record->intent.slot != slot_other(record->active) ||
        machine->effects->action.slot != record->intent.slot ||
        machine->event->kind != EVENT_PERSISTED || !machine_look_is_fresh(machine))
        machine_fault(machine, "a regenerate that the interlock does not allow");
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
    /* The configuration may have changed while this event waited for its turn. */
    merge_targets(&machine);
    follow_hold(&machine);
    dispatch(&machine);
    risk_tell(&machine);
    report_again(&machine);

    check_regenerate(&machine);
    broken = rotation_check(context, record);
    if (broken)
        machine_fault(&machine, broken);
    commit_decide(&before, record, effects);

    effects->forget_keys = !position_needs_keys(record->position);
    effects->wake_at = time_min(wake_at(&machine), report_at(context, record));
    if (record->hold_id != 0)
        effects->wake_at = time_min(effects->wake_at, record->hold_until);
}
