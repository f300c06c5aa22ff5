#include "core/rotation.h"

#include "core/delivery.h"
#include "core/schedule.h"
#include "core/steps.h"

/* A rotation is due, and Azure has asked for a pause. */
static bool is_paused(const struct record *record, time_ms now)
{
    return record->regenerate_after > now && (record->requested || record->due_at <= now);
}

static enum account_state state_of(const struct rotation_context *context,
                                   const struct record *record, time_ms now, enum reason *reason)
{
    *reason = REASON_NONE;
    if (record->blocked != REASON_NONE) {
        *reason = record->blocked;
        return STATE_BLOCKED;
    }
    if (record->retry_reason != REASON_NONE) {
        *reason = record->retry_reason;
        return STATE_RETRYING;
    }
    if (!record->adopted)
        return STATE_ADOPTING;
    if (record->unconfirmed.pending) {
        *reason = REASON_BEING_CONFIRMED;
        return STATE_RETRYING;
    }
    if (delivery_repair_waits_for_human(context, record)) {
        *reason = REASON_REDELIVER_AWAITED;
        return STATE_BLOCKED;
    }
    if (record->intent.open || record->delivering != record->active ||
        record->position == POSITION_PREFLIGHT || record->position == POSITION_ROTATE_LOOK)
        return STATE_ROTATING;
    if (record_owed_required(record) > 0) {
        /* The deliveries that belong to the adoption follow its look. */
        if (record->looked_at <= record->adopted_at)
            return STATE_ADOPTING;
        *reason = REASON_DELIVERY_PENDING;
        return STATE_RETRYING;
    }
    if (is_paused(record, now)) {
        *reason = REASON_THROTTLED;
        return STATE_RETRYING;
    }
    if (record->presumed && context->policy->rotate) {
        *reason = REASON_ADOPTION_UNCONFIRMED;
        return STATE_BLOCKED;
    }
    if (context->hold) {
        *reason = REASON_OPERATOR;
        return STATE_HELD;
    }
    if (!context->policy->rotate) {
        *reason = REASON_CONFIG;
        return STATE_HELD;
    }
    if (schedule_freeze(context->policy, now) && !record->requested) {
        *reason = REASON_FREEZE;
        return STATE_HELD;
    }
    return STATE_OK;
}

/* A missed start moves due_at on; the plan keeps the instant. */
time_ms rotation_due_since(const struct rotation_context *context, const struct record *record,
                           time_ms now)
{
    /* A start lies at its planned time or later, and is costly to work out. */
    const time_ms start = record->planned_at <= now ? plan_starts_at(context, record) : TIME_NEVER;

    if (!record->adopted || record->due_at == 0)
        return TIME_NEVER;
    if (start <= now)
        return start;
    return record->due_at <= now ? record->due_at : TIME_NEVER;
}

/* Why it starts at `at`, and neither now nor when it was planned; NULL where there is no reason
 * but its time. */
static const char *why_then(const struct rotation_context *context, const struct record *record,
                            time_ms at, time_ms now)
{
    time_ms planned;
    bool is_due;

    if (at <= now || record->requested)
        return NULL;
    is_due = rotation_due_since(context, record, now) != TIME_NEVER;
    if (is_due && schedule_freeze(context->policy, now))
        return "a change freeze is in force";
    if (is_due)
        return record->catching_up ? "its start was missed: the rotation is made up for in turn"
                                   : "its window closed before it could start";
    if (context->policy->freeze_count == 0)
        return NULL;
    planned = plan_starts_at(context, record);
    if (planned < at && schedule_freeze(context->policy, planned))
        return "a change freeze covers its planned time";
    return NULL;
}

/* When the next rotation starts, and what keeps it from starting at its time. */
static void view_next(const struct rotation_context *context, const struct record *record,
                      time_ms now, struct rotation_view *view)
{
    enum reason reason = record->blocked != REASON_NONE ? record->blocked : record->retry_reason;
    time_ms at = record->requested ? now : record->due_at;
    struct interlock interlock;
    bool waits_for_pair;

    interlock_ask(context, record, now, &interlock);
    /* Whoever waits for another pair is due, and stays so: its turn comes by itself. */
    waits_for_pair = interlock.for_pair && at <= now;
    interlock.open = interlock.open || interlock.for_pair;
    if (record->blocked == REASON_NONE)
        view->next_at = at;
    if (reason != REASON_NONE && (record->blocked != REASON_NONE || at <= now)) {
        view->waits = reason_describe(reason)->meaning;
        view->stuck = true;
    } else if (waits_for_pair) {
        view->waits = interlock.text;
    } else if (!interlock.open && interlock.until > at) {
        view->waits = interlock.text;
        view->stuck = interlock.until == TIME_NEVER;
    } else {
        view->waits = why_then(context, record, at, now);
    }
    if (view->next_at != TIME_NEVER && !interlock.open && interlock.until != TIME_NEVER &&
        interlock.until > at)
        view->next_at = plan_starts_after(context, record, interlock.until);
}

static time_ms reason_since(const struct rotation_context *context, const struct record *record,
                            enum reason reason, time_ms now)
{
    const struct freeze *freeze = schedule_freeze(context->policy, now);

    if (reason == REASON_NONE)
        return 0;
    if (reason == REASON_FREEZE)
        return freeze ? freeze->from : 0;
    if (reason == record->blocked)
        return record->blocked_at;
    if (reason == record->retry_reason)
        return record->retrying_since;
    if (reason == REASON_BEING_CONFIRMED)
        return record->unconfirmed.seen_at;
    if (reason == REASON_ADOPTION_UNCONFIRMED)
        return record->adopted_at;
    return reason == REASON_REDELIVER_AWAITED ? record->foreign_change_at : 0;
}

static time_ms retry_at(const struct rotation_context *context, const struct record *record,
                        enum reason reason, time_ms now)
{
    time_ms at = TIME_NEVER;

    if (record->position == POSITION_DELIVER_WAIT)
        return delivery_retry_at(context, record);
    if (record->retry_at > now)
        return record->retry_at;
    if (reason == REASON_THROTTLED)
        return record->regenerate_after;
    if (reason == REASON_BEING_CONFIRMED)
        at = record->check_at;
    else if (reason == REASON_DELIVERY_PENDING)
        at = delivery_next_at(context, record);
    return at > now ? at : TIME_NEVER;
}

/* Of the instants that the view depends on, the next one. An instant that lies before the one at
 * which the rotation is overdue will do for it. */
static time_ms changes_at(const struct rotation_context *context, const struct record *record,
                          time_ms planned, time_ms now)
{
    const time_ms instants[] = {
        record->due_at,
        record->regenerate_after,
        record->intent.settles_at,
        context->whole_is_known_at,
        time_add(planned, context->policy->overdue_after),
        context->hold ? context->hold->until : TIME_NEVER,
        schedule_freeze_changes_at(context->policy, now),
    };
    time_ms next = TIME_NEVER;

    for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++)
        if (instants[i] > now)
            next = time_min(next, instants[i]);
    return next;
}

void rotation_view(const struct rotation_context *context, const struct record *record, time_ms now,
                   struct rotation_view *view)
{
    /* A start lies at its planned time or later, and is costly to work out. */
    const bool is_ahead = plan_overdue_is_ahead(context, record, now);
    const time_ms start = is_ahead ? record->planned_at : plan_starts_at(context, record);

    *view = (struct rotation_view){.next_at = TIME_NEVER,
                                   .retry_at = TIME_NEVER,
                                   .regenerating_since = TIME_NEVER,
                                   .regenerating_until = TIME_NEVER};
    view->state = state_of(context, record, now, &view->reason);
    view->overdue = !is_ahead && time_add(start, context->policy->overdue_after) <= now;
    view->consumers_at_risk = record->consumers_at_risk;
    if (record->intent.open && !record->intent.ended && record->intent.settles_at > now) {
        view->regenerating_since = record->intent.written_at;
        view->regenerating_until = record->intent.settles_at;
    }
    view->changes_at = changes_at(context, record, start, now);
    view->since = reason_since(context, record, view->reason, now);
    view->retry_at = retry_at(context, record, view->reason, now);
    if (record->adopted && record->due_at != 0)
        view_next(context, record, now, view);
}
