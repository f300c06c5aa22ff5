#include "core/machine.h"

#include <stdio.h>
#include <string.h>

#include "core/backoff.h"
#include "core/key_time.h"
#include "core/schedule.h"

void machine_fault(struct machine *machine, const char *what)
{
    if (!machine->effects->fault)
        machine->effects->fault = what;
}

struct note *machine_note(struct machine *machine, enum note_kind kind)
{
    struct effects *effects = machine->effects;
    struct note *note;

    if (effects->note_count == NOTES_MAX) {
        machine_fault(machine, "more notes than one step can make");
        effects->note_count--;
    }
    note = &effects->notes[effects->note_count++];
    *note = (struct note){.kind = kind, .trigger = machine->record->trigger};
    return note;
}

struct note *machine_note_key(struct machine *machine, enum note_kind kind, enum slot slot)
{
    struct note *note = machine_note(machine, kind);

    note->has_slot = true;
    note->slot = slot;
    note->fingerprint = machine->record->live[slot];
    return note;
}

struct note *machine_note_drift(struct machine *machine, enum note_kind kind, enum drift_kind drift)
{
    struct note *note = machine_note_key(machine, kind, machine->record->active);

    note->drift = drift;
    return note;
}

void machine_act(struct machine *machine, enum action_kind kind)
{
    if (machine->effects->action.kind != ACTION_NONE)
        machine_fault(machine, "two actions in one step");
    machine->effects->action = (struct action){.kind = kind};
}

/* Which of the event's failures a note is about. */
static void note_source(const struct machine *machine, struct note *note)
{
    const struct event *event = machine->event;

    note->from_failure = !!event->failure;
    note->from_undescribed =
        !event->failure && event->undescribed && event->undescribed->reason == note->reason;
}

bool machine_adopt_is_asked(const struct machine *machine)
{
    return machine->record->adopt_asked && !machine->record->intent.open;
}

duration_ms machine_backoff(const struct machine *machine, uint32_t attempt,
                            duration_ms server_asked)
{
    const struct timing *timing = machine->context->timing;
    uint64_t seed = schedule_hash(machine->context->account_id, "backoff", UINT64_MAX);

    return backoff_delay(timing->retry_initial, timing->retry_max, attempt, seed, server_asked);
}

struct note *machine_block(struct machine *machine, enum reason reason,
                           const struct target_id *target, const char *detail)
{
    struct record *record = machine->record;
    struct note *note;

    if (record->blocked == reason)
        return NULL;
    /* Temporary trouble must not replace a block that only a person can clear. */
    if (reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN &&
        reason_describe(reason)->clearing == CLEARED_BY_WORLD)
        return NULL;
    record->blocked = reason;
    record->blocked_at = machine->now;
    record->blocked_reported_at = machine->now;

    note = machine_note(machine, NOTE_BLOCKED);
    note->reason = reason;
    note->detail = detail;
    note_source(machine, note);
    if (target) {
        note->has_target = true;
        note->target = *target;
    }
    return note;
}

void machine_unblock(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->blocked == REASON_NONE ||
        (record->blocked == REASON_ANOTHER_ROTATOR && record->another_rotator))
        return;
    machine_note(machine, NOTE_UNBLOCKED)->reason = record->blocked;
    record->blocked = REASON_NONE;
    record->blocked_at = 0;
    record->blocked_reported_at = 0;
    if (record->another_rotator)
        machine_block(machine, REASON_ANOTHER_ROTATOR, NULL, NULL);
}

void machine_clear_another_rotator(struct machine *machine)
{
    struct record *record = machine->record;

    if (record->another_rotator && record->blocked != REASON_ANOTHER_ROTATOR)
        machine_note(machine, NOTE_UNBLOCKED)->reason = REASON_ANOTHER_ROTATOR;
    record_clear_another_rotator(record);
    machine_unblock(machine);
}

void machine_presume(struct machine *machine)
{
    machine->record->presumed = true;
    machine->record->blocked_reported_at = machine->now;
    machine_note(machine, NOTE_BLOCKED)->reason = REASON_ADOPTION_UNCONFIRMED;
}

void machine_confirm(struct machine *machine)
{
    if (!machine->record->presumed)
        return;
    machine->record->presumed = false;
    machine_note(machine, NOTE_UNBLOCKED)->reason = REASON_ADOPTION_UNCONFIRMED;
}

bool machine_blocked_by_world(const struct record *record)
{
    return reason_describe(record->blocked)->clearing == CLEARED_BY_WORLD;
}

struct note *machine_retry(struct machine *machine, enum reason reason, time_ms not_before,
                           const char *detail)
{
    struct record *record = machine->record;
    struct note *note;

    if (record->retry_reason == REASON_NONE)
        record->retrying_since = machine->now;
    record->retry_reason = reason;
    record->attempts++;
    record->retry_at = time_add(machine->now, machine_backoff(machine, record->attempts, 0));
    /* People grant permissions, so frequent requests would only fill the activity log. */
    if (reason == REASON_PERMISSION_DENIED)
        record->retry_at = time_add(machine->now, machine->context->timing->retry_max);
    if (record->retry_at < not_before)
        record->retry_at = not_before;

    note = machine_note(machine, NOTE_ROTATION_RETRYING);
    note->reason = reason;
    note->detail = detail;
    note_source(machine, note);
    return note;
}

void machine_retry_late_look(struct machine *machine)
{
    if (machine->record->retry_reason != REASON_OUTCOME_UNKNOWN)
        machine->record->retry_reason = REASON_NONE; /* another reason begins now */
    machine_retry(machine, REASON_OUTCOME_UNKNOWN, 0,
                  "Azure showed a key that was replaced before: its answer is out of date");
}

enum position machine_retry_stalled(struct machine *machine, enum position look, enum position wait)
{
    const bool first = machine->record->attempts == 0;

    machine_retry(machine, REASON_JOURNAL_FAILED, 0,
                  "the journal took so long to write that the last look is out of date");
    return first ? look : wait;
}

void machine_fail(struct machine *machine, const struct failure *failure)
{
    struct record *record = machine->record;
    enum clearing clearing = reason_describe(failure->reason)->clearing;

    if (clearing == CLEARED_BY_WORLD || clearing == CLEARED_BY_HUMAN) {
        record->retry_reason = REASON_NONE;
        record->attempts = 0;
        machine_block(machine, failure->reason, NULL, NULL);
        record->retry_at = time_add(machine->now, machine->context->timing->retry_max);
        return;
    }
    /* The earlier block may still hold, but it is not the present obstacle. */
    machine_retry(machine, failure->reason, time_add(machine->now, failure->retry_after), NULL);
}

void machine_forget_retry(struct record *record)
{
    record->retry_reason = REASON_NONE;
    record->retrying_since = 0;
    record->attempts = 0;
    record->retry_at = 0;
}

void machine_clear_retry(struct machine *machine)
{
    machine_forget_retry(machine->record);
    if (machine_blocked_by_world(machine->record))
        machine_unblock(machine);
}

void machine_add_foreign_change(struct machine *machine)
{
    struct record *record = machine->record;
    const struct policy *policy = machine->context->policy;
    time_ms previous = record->foreign_change_at > record->both_changed_at
                           ? record->foreign_change_at
                           : record->both_changed_at;
    struct note *note;

    record->foreign_change_at = machine->now;
    /* If the policy says not to rotate, somebody else is expected to. */
    if (!policy->rotate || previous == 0 || machine->now - previous >= policy->rotate_every)
        return;
    record->another_rotator = true;
    note = machine_block(machine, REASON_ANOTHER_ROTATOR, NULL,
                         "somebody else changed the keys, or delivered the standby key, twice "
                         "within one rotation period");
    if (note)
        note->key_made_at = key_time_of_news(record, machine->event->look, machine->now);
}

bool machine_take_key(struct machine *machine, enum slot slot, const struct fingerprint *key)
{
    struct record *record = machine->record;

    if (fingerprint_equal(&record->live[slot], key))
        return false;
    record_add_replaced(record, slot, machine->now);
    record_remove_replaced(record, key);
    record->live[slot] = *key;
    record->born[slot] = machine->now;
    record->made[slot] = 0;
    return true;
}

/* Do consumers hold a dead key, perhaps, or wait for a new one? */
static bool serves_repair(const struct record *record)
{
    for (size_t i = 0; i < record->target_count; i++)
        if (record->targets[i].dead_since != 0)
            return true;
    return record->unconfirmed.pending || record->repairing != DRIFT_NONE ||
           (record->adopted && record->delivering == record->active &&
            record_owed_required(record) > 0);
}

void machine_act_look(struct machine *machine)
{
    const struct record *record = machine->record;
    struct action *action = &machine->effects->action;

    machine_act(machine, ACTION_LOOK);
    action->urgent = serves_repair(record);
    /* After a failure the description may show the cause, and that it is gone. */
    action->describe = !action->urgent || record->attempts > 0 || machine_blocked_by_world(record);
}

/* The pause that Azure asks for applies only to the description. The keys are looked at as soon as
 * after any other failure, because consumers with a dead key must not wait. */
static void fail_undescribed(struct machine *machine)
{
    struct failure failure = {.reason = REASON_AZURE_ERROR};

    if (machine->event->undescribed)
        failure.reason = machine->event->undescribed->reason;
    machine_fail(machine, &failure);
}

bool machine_require_description(struct machine *machine)
{
    if (machine->event->look->described)
        return true;
    fail_undescribed(machine);
    return false;
}

void machine_retry_undescribed(struct machine *machine)
{
    if (!machine->event->undescribed)
        return;
    fail_undescribed(machine);
    machine->record->check_at = machine->record->retry_at;
}

/* A resource never moves, and its endpoint hardly ever changes. */
static void take_place(char *out, size_t size, const char *seen)
{
    if (!seen || strlen(seen) >= size || strcmp(out, seen) == 0)
        return;
    snprintf(out, size, "%s", seen);
}

void machine_remember_look(struct machine *machine)
{
    const struct look *look = machine->event->look;

    take_place(machine->record->endpoint, ENDPOINT_MAX, machine->event->endpoint);
    take_place(machine->record->location, LOCATION_MAX, machine->event->location);

    machine->record->looked_at = look->taken_at != 0 ? look->taken_at : machine->now;
    key_time_note(machine->record, look, machine->now);
}

duration_ms machine_shown_within(const struct machine *machine)
{
    return time_max(machine->context->timing->unknown_wait, machine->context->list_delay);
}

time_ms machine_confirm_at(const struct machine *machine)
{
    return time_add(machine->record->unconfirmed.seen_at, machine_shown_within(machine));
}

bool machine_look_is_fresh(const struct machine *machine)
{
    time_ms looked_at = machine->record->looked_at;

    return looked_at <= machine->now && machine->now - looked_at <= FRESH_FOR_MS;
}

bool machine_require_clock(struct machine *machine)
{
    duration_ms skew = machine->event->clock_skew;

    if (skew <= CLOCK_SKEW_MAX_MS && skew >= -CLOCK_SKEW_MAX_MS)
        return true;
    machine_retry(machine, REASON_CLOCK_SKEW, 0,
                  "Azure's clock and ours differ by more than 5 minutes");
    return false;
}

static bool is_unseen(const struct machine *machine, const struct rotation_target *target)
{
    return target->required && target->readable &&
           judge_holding(machine->event->look, &target->id) == HOLDING_UNSEEN;
}

bool machine_look_is_whole(const struct machine *machine)
{
    for (size_t i = 0; i < machine->context->target_count; i++)
        if (is_unseen(machine, &machine->context->targets[i]))
            return false;
    return true;
}

bool machine_require_whole_look(struct machine *machine)
{
    const struct rotation_context *context = machine->context;

    for (size_t i = 0; i < context->target_count; i++) {
        const struct rotation_target *target = &context->targets[i];
        const struct failure *failure = machine->event->read_failure;
        struct note *note;

        if (!is_unseen(machine, target))
            continue;
        if (failure && !target_id_equal(&machine->event->target, &target->id))
            failure = NULL;
        note = machine_retry(machine,
                             failure && reason_describe(failure->reason)->state == STATE_RETRYING
                                 ? failure->reason
                                 : REASON_TARGET_FAILED,
                             0,
                             "the target could not be read, and its content must be known before a "
                             "key is regenerated");
        note->from_failure = !!failure;
        note->has_target = true;
        note->target = target->id;
        return false;
    }
    return true;
}

bool machine_take_look(struct machine *machine)
{
    const bool undescribed = !!machine->event->undescribed;

    if (judge_is_late(machine->record, machine->event->look))
        return true;
    if (machine_require_whole_look(machine)) {
        if (!undescribed)
            machine_clear_retry(machine);
        return true;
    }
    if (machine_blocked_by_world(machine->record) && !undescribed)
        machine_unblock(machine);
    return false;
}
