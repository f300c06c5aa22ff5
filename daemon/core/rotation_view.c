#include "core/rotation.h"

#include "core/delivery.h"
#include "core/plan.h"

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
        *reason = REASON_OUTCOME_UNKNOWN;
        return STATE_RETRYING;
    }
    if (record->intent.open || record->delivering != record->active ||
        record->position == POSITION_PREFLIGHT || record->position == POSITION_ROTATE_LOOK)
        return STATE_ROTATING;
    if (is_paused(record, now)) {
        *reason = REASON_THROTTLED;
        return STATE_RETRYING;
    }
    if (context->hold) {
        *reason = REASON_OPERATOR;
        return STATE_HELD;
    }
    if (!context->policy->rotate) {
        *reason = REASON_CONFIG;
        return STATE_HELD;
    }
    return STATE_OK;
}

/* A missed start moves due_at on; the plan keeps the instant. */
static time_ms due_since(const struct rotation_context *context, const struct record *record,
                         time_ms now)
{
    time_ms planned = plan_starts_at(context, record);

    if (planned <= now)
        return planned;
    return record->due_at <= now ? record->due_at : TIME_NEVER;
}

/* When the next rotation starts, and what keeps it from starting at its time. */
static void view_next(const struct rotation_context *context, const struct record *record,
                      time_ms now, struct rotation_view *view)
{
    enum reason reason = record->blocked != REASON_NONE ? record->blocked : record->retry_reason;
    time_ms at = record->requested ? now : record->due_at;
    struct interlock interlock;

    view->due_since = due_since(context, record, now);
    rotation_interlock(context, record, now, &interlock);
    if (record->blocked == REASON_NONE)
        view->next_at = at;
    if (reason != REASON_NONE && (record->blocked != REASON_NONE || at <= now)) {
        view->waits = reason_describe(reason)->meaning;
        view->stuck = true;
    } else if (!interlock.open && interlock.until > at) {
        view->waits = interlock.text;
        view->stuck = interlock.until == TIME_NEVER;
    } else if (view->due_since != TIME_NEVER && at > now) {
        view->waits = record->catching_up ? "its start was missed, and is made up for in its turn"
                                          : "its window closed before it could start";
    }
    if (view->next_at != TIME_NEVER && !interlock.open && interlock.until != TIME_NEVER &&
        interlock.until > at)
        view->next_at = interlock.until;
}

/* Of the instants that the view depends on, the next one. */
static time_ms changes_at(const struct rotation_context *context, const struct record *record,
                          time_ms now)
{
    const time_ms instants[] = {
        record->due_at,
        record->regenerate_after,
        plan_overdue_at(context, record),
        context->hold ? context->hold->until : TIME_NEVER,
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
    *view = (struct rotation_view){
        .next_at = TIME_NEVER, .due_since = TIME_NEVER, .retry_at = TIME_NEVER};
    view->state = state_of(context, record, now, &view->reason);
    view->overdue = plan_overdue_at(context, record) <= now;
    view->consumers_at_risk = record->consumers_at_risk;
    view->changes_at = changes_at(context, record, now);
    if (view->state == STATE_BLOCKED)
        view->since = record->blocked_at;
    else if (view->state == STATE_RETRYING)
        view->since = record->retry_reason != REASON_NONE ? record->retrying_since
                                                          : record->unconfirmed.seen_at;
    if (record->position == POSITION_DELIVER_WAIT)
        view->retry_at = delivery_retry_at(record);
    else if (record->retry_at > now)
        view->retry_at = record->retry_at;
    else if (view->reason == REASON_THROTTLED)
        view->retry_at = record->regenerate_after;
    if (record->adopted && record->due_at != 0)
        view_next(context, record, now, view);
}
