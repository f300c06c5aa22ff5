#include "core/interlock.h"

/*
 * The conditions are the rules about regenerating and freezing in README.md. The look that has to
 * come right before is checked where the intent is written (step_rotate.c).
 */

static void refuse(struct interlock *interlock, enum reason reason, time_ms until, const char *text)
{
    interlock->open = false;
    interlock->reason = reason;
    interlock->until = until;
    interlock->text = text;
}

/* What began the overlap: a rotation, somebody else, or else a delivery. */
static const char *overlap_text(const struct record *record)
{
    if (record->completed_at != 0 && record->overlap_from <= record->completed_at)
        return "slow consumers may still use the replaced key: its overlap is not over";
    if (record->foreign_change_at != 0 && record->overlap_from <= record->foreign_change_at)
        return "consumers may be using a key that somebody else regenerated or delivered: the "
               "overlap is not over";
    return "consumers may still be changing over to the key that was adopted or delivered: the "
           "overlap is not over";
}

/* A restored journal knows nothing of a regenerate of the previous run: only lists show it. */
static time_ms start_is_over(const struct rotation_context *context)
{
    const time_ms decided = time_add(context->daemon_started_at, context->timing->unknown_wait);

    return time_add(decided, context->list_delay);
}

duration_ms interlock_list_age(const struct timing *timing, duration_ms list_delay)
{
    return time_add(timing->unknown_wait, list_delay);
}

time_ms interlock_busy_until(const struct record *record, const struct timing *timing,
                             duration_ms regenerate_takes)
{
    const struct intent *intent = &record->intent;
    const duration_ms longest = time_add(regenerate_takes, timing->unknown_wait);

    /* Refused, failed or carried out: it may be repeated, and until then it is nothing to Azure. */
    if (!intent->open || intent->ended)
        return intent->settles_at;
    return time_max(intent->settles_at, time_add(intent->written_at, longest));
}

void interlock_ask(const struct rotation_context *context, const struct record *record, time_ms now,
                   struct interlock *interlock)
{
    time_ms overlap_ends = time_add(record->overlap_from, context->policy->overlap);
    time_ms both_changed_ends =
        record->both_changed_at == 0
            ? 0
            : time_add(record->both_changed_at, context->policy->rotate_every);
    time_ms start_ends = start_is_over(context);

    *interlock = (struct interlock){.open = true, .text = ""};
    if (!record->adopted)
        refuse(interlock, record->blocked, TIME_NEVER, "the account is not adopted yet");
    else if (record->blocked != REASON_NONE)
        refuse(interlock, record->blocked, TIME_NEVER, "the account is blocked");
    else if (record->presumed)
        refuse(interlock, REASON_ADOPTION_UNCONFIRMED, TIME_NEVER,
               "a rule alone says which key the consumers use, and nobody has confirmed it");
    else if (!context->policy->rotate)
        refuse(interlock, REASON_CONFIG, TIME_NEVER, "the configuration says rotate: false");
    else if (context->hold)
        refuse(interlock, REASON_OPERATOR, context->hold->until, "the account is held");
    else if (record->adopt_asked)
        refuse(interlock, REASON_NONE, TIME_NEVER, "an adoption is under way");
    else if (record->delivering != record->active)
        refuse(interlock, REASON_NONE, TIME_NEVER,
               "the new key is still being delivered: both keys are frozen");
    else if (record->target_count == 0 || record_owed_required(record) > 0)
        refuse(interlock, REASON_NONE, TIME_NEVER,
               "a required target does not hold the active key yet: both keys are frozen");
    else if (record->unconfirmed.pending)
        refuse(interlock, REASON_NONE, TIME_NEVER, "an unexpected change waits for a second look");
    else if (now < record->intent.settles_at)
        refuse(interlock, REASON_NONE, time_max(record->intent.settles_at, overlap_ends),
               context->writes_whole && !record->intent.open
                   ? "lists may still show keys from before the last renewal"
                   : "Azure may still be carrying out an earlier regenerate of this account");
    else if (now < both_changed_ends)
        refuse(interlock, REASON_NONE, time_max(both_changed_ends, overlap_ends),
               "somebody else regenerated both keys, and may be using the standby key");
    else if (now < time_max(overlap_ends, start_ends))
        refuse(interlock, REASON_NONE, time_max(overlap_ends, start_ends),
               overlap_ends >= start_ends
                   ? overlap_text(record)
                   : "the daemon has just started: an earlier request may still take effect");
    else if (now < record->regenerate_after)
        refuse(interlock, REASON_THROTTLED, record->regenerate_after,
               "Azure has refused to regenerate a key of this account, and asked for a pause");
    else if (context->writes_whole && now < context->whole_is_known_at)
        refuse(
            interlock, REASON_NONE, context->whole_is_known_at,
            "the resource, of which all keys are written back, was changed or seen for the first "
            "time a short while ago: lists may still show keys from before");
    else if (context->pair_busy) {
        refuse(interlock, REASON_NONE, context->pair_busy_until, context->pair_busy);
        interlock->for_pair = true;
    }
}
