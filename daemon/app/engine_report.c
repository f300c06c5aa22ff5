#include "app/engine_private.h"

#include <stdio.h>

#include "base/cause.h"
#include "base/hash.h"
#include "base/str.h"
#include "core/key_time.h"

struct note_description {
    const char *event;
    enum log_level level;
    bool in_history;
    bool of_rotation; /* carries the correlation id of the rotation */
    bool is_good;     /* its reason is over: there is nothing to do */
};

static const struct note_description notes[NOTE_COUNT] = {
    [NOTE_ADOPTED] = {"account.adopted", LEVEL_NOTICE, .in_history = true},
    [NOTE_HELD] = {"account.held", LEVEL_NOTICE, .in_history = true},
    [NOTE_RELEASED] = {"account.released", LEVEL_NOTICE, .in_history = true},
    [NOTE_BLOCKED] = {"account.blocked", LEVEL_ERROR, .in_history = true},
    [NOTE_UNBLOCKED] = {"account.unblocked", LEVEL_NOTICE, .in_history = true, .is_good = true},
    [NOTE_ROTATION_STARTED] = {"rotation.started", LEVEL_INFO, .in_history = true,
                               .of_rotation = true},
    [NOTE_ROTATION_RESUMED] = {"rotation.resumed", LEVEL_NOTICE, .in_history = true,
                               .of_rotation = true},
    [NOTE_ROTATION_RETRYING] = {"rotation.retrying", LEVEL_WARNING},
    [NOTE_ROTATION_OVERDUE] = {"rotation.overdue", LEVEL_WARNING},
    [NOTE_ROTATION_COMPLETED] = {"rotation.completed", LEVEL_NOTICE, .in_history = true,
                                 .of_rotation = true},
    [NOTE_WINDOW_MISSED] = {"window.missed", LEVEL_WARNING, .in_history = true},
    [NOTE_OPERATION_STARTED] = {"operation.started", LEVEL_INFO, .in_history = true,
                                .of_rotation = true},
    [NOTE_OPERATION_ENDED] = {"operation.ended", LEVEL_INFO, .in_history = true,
                              .of_rotation = true},
    [NOTE_OPERATION_LOST] = {"operation.lost", LEVEL_WARNING, .in_history = true,
                             .of_rotation = true},
    [NOTE_KEY_REGENERATED] = {"key.regenerated", LEVEL_NOTICE, .in_history = true,
                              .of_rotation = true},
    [NOTE_KEY_VERIFIED] = {"key.verified", LEVEL_INFO, .in_history = true, .of_rotation = true},
    [NOTE_KEY_UNVERIFIED] = {"key.unverified", LEVEL_WARNING, .in_history = true,
                             .of_rotation = true},
    [NOTE_KEY_DELIVERED] = {"key.delivered", LEVEL_INFO, .in_history = true, .of_rotation = true},
    [NOTE_DELIVERY_FAILED] = {"delivery.failed", LEVEL_WARNING},
    [NOTE_DRIFT_SUSPECTED] = {"drift.suspected", LEVEL_NOTICE},
    [NOTE_DRIFT_DETECTED] = {"drift.detected", LEVEL_WARNING, .in_history = true},
    [NOTE_DRIFT_REPAIRED] = {"drift.repaired", LEVEL_NOTICE, .in_history = true},
    [NOTE_CONSUMERS_AT_RISK] = {"consumers.at_risk", LEVEL_ERROR, .in_history = true},
    [NOTE_CONSUMERS_SAFE] = {"consumers.safe", LEVEL_NOTICE, .in_history = true, .is_good = true},
    [NOTE_OPERATOR_COMMAND] = {"operator.command", LEVEL_NOTICE, .in_history = true},
};

static const char *remedy_of(const struct engine_account *account,
                             const struct transaction *transaction, const struct note *note,
                             char out[REMEDY_MAX])
{
    const struct failure *failure = engine_note_failure(account, transaction, note);
    const struct hold *hold = engine_note_hold(transaction, note);
    const enum reason reason =
        note->kind == NOTE_DRIFT_SUSPECTED ? REASON_BEING_CONFIRMED : note->reason;
    const char *remedy = failure && failure->remedy[0] ? failure->remedy
                         : reason != REASON_NONE       ? reason_describe(reason)->remedy
                                                       : NULL;
    char of_hold[FAILURE_TEXT_MAX];

    if (hold) {
        engine_hold_remedy(&hold, 1, of_hold, sizeof(of_hold));
        remedy = of_hold;
    }
    if (!remedy || notes[note->kind].is_good)
        return NULL;
    engine_remedy_expand(account, NULL, remedy, out, REMEDY_MAX);
    return out;
}

void engine_report_account(struct log_line *line, const struct engine_account *account)
{
    const struct account *subject = account->account;
    struct rotation_view view;

    engine_account_view(account, &view);
    log_line_text(line, "account", subject->name);
    log_line_text(line, "resource_group", subject->resource_group);
    log_line_text(line, "subscription_id", subject->subscription_id);
    log_line_text(line, "location", account->azure.location);
    log_line_text(line, "identity", subject->identity->name);
    log_line_text(line, "policy", subject->policy_name);
    log_line_text(line, "state", account_state_name(view.state));
}

static void add_ids(struct log_line *line, const struct engine_account *account,
                    const struct transaction *transaction, const struct note *note)
{
    const struct record *record = &account->record;
    const struct failure *failure = engine_note_failure(account, transaction, note);
    const struct action_result *result = transaction->result;

    if (failure) {
        if (failure->http_status != 0)
            log_line_number(line, "http_status", failure->http_status);
        log_line_text(line, "error_code", str_or_null(failure->error_code));
        log_line_text(line, "request_id", str_or_null(failure->request_id));
        log_line_text(line, "correlation_id", str_or_null(failure->correlation_id));
        log_line_text(line, "client_request_id", str_or_null(failure->client_request_id));
        return;
    }
    if (note->trigger != TRIGGER_NONE && notes[note->kind].of_rotation)
        log_line_text(line, "correlation_id", str_or_null(record->correlation));
    if (!result || (note->kind != NOTE_KEY_REGENERATED && note->kind != NOTE_KEY_VERIFIED))
        return;
    log_line_text(line, "request_id", str_or_null(result->request_id));
    log_line_text(line, "client_request_id", str_or_null(result->client_request_id));
    log_line_number(line, "duration_ms", result->duration);
}

/* An account that waits to be confirmed is not blocked otherwise, and does so since its adoption.
 */
static time_ms blocked_since(const struct record *record, const struct note *note)
{
    return note->reason == REASON_ADOPTION_UNCONFIRMED ? record->adopted_at : record->blocked_at;
}

static void add_times(struct log_line *line, const struct engine_account *account,
                      const struct transaction *transaction, const struct note *note)
{
    const struct record *record = &account->record;
    const struct target_record *target =
        note->has_target ? record_target_const(record, &note->target) : NULL;
    const struct hold *hold = engine_note_hold(transaction, note);
    time_ms now = transaction->event.now;

    switch (note->kind) {
    case NOTE_ROTATION_RETRYING:
        log_line_number(line, "attempt", record->attempts);
        log_line_time(line, "retry_at", record->retry_at > now ? record->retry_at : TIME_NEVER);
        log_line_time(line, "since", record->retrying_since ? record->retrying_since : TIME_NEVER);
        break;
    case NOTE_DELIVERY_FAILED:
        if (!target)
            break;
        log_line_number(line, "attempt", target->attempts);
        log_line_time(line, "retry_at", target->retry_at);
        log_line_time(line, "since", target->failing_since);
        break;
    case NOTE_BLOCKED:
        log_line_time(line, "since", blocked_since(record, note));
        break;
    case NOTE_DRIFT_SUSPECTED:
        log_line_time(line, "retry_at", record->check_at);
        break;
    case NOTE_CONSUMERS_AT_RISK:
        log_line_time(line, "since", target ? target->dead_since : now);
        break;
    case NOTE_HELD:
        log_line_time(line, "next_at", hold ? hold->until : TIME_NEVER);
        break;
    case NOTE_ROTATION_OVERDUE:
        /* due_at may have been put off since: what was missed is the planned instant. */
        log_line_time(line, "since", engine_account_due_since(account));
        break;
    case NOTE_ROTATION_COMPLETED:
        log_line_number(line, "duration_ms", now - record->started_at);
        log_line_time(line, "next_at", record->due_at ? record->due_at : TIME_NEVER);
        break;
    case NOTE_ADOPTED:
    case NOTE_WINDOW_MISSED:
        log_line_time(line, "next_at", record->due_at ? record->due_at : TIME_NEVER);
        break;
    default:
        break;
    }
}

/* The operator whose command this transaction carries out, or who asked for the rotation. */
static const char *actor_of(const struct engine_account *account,
                            const struct transaction *transaction, const struct note *note)
{
    const struct hold *hold = engine_note_hold(transaction, note);

    if (hold)
        return str_or_null(hold->actor);
    if (transaction->actor[0])
        return transaction->actor;
    return note->trigger == TRIGGER_COMMAND ? str_or_null(account->record.actor) : NULL;
}

static void fingerprint_text(const struct note *note, char *out)
{
    out[0] = '\0';
    if (!fingerprint_is_none(&note->fingerprint))
        hex_encode(note->fingerprint.bytes, FINGERPRINT_LENGTH, out);
}

/* --- what lasts --- */

enum { SUBJECT_MAX = 1200 };

/* A failing delivery is the target's, all other trouble the account's. */
static const char *subject_of(const struct engine_account *account, const struct target_id *target,
                              char out[SUBJECT_MAX])
{
    char id[2 * TARGET_ID_LENGTH + 1] = "";

    if (target)
        hex_encode(target->bytes, TARGET_ID_LENGTH, id);
    snprintf(out, SUBJECT_MAX, "%s %s", account->key, id);
    return out;
}

static bool lasts(enum note_kind kind)
{
    return kind == NOTE_ROTATION_RETRYING || kind == NOTE_DELIVERY_FAILED || kind == NOTE_BLOCKED ||
           kind == NOTE_ROTATION_OVERDUE;
}

/* Notes that many accounts produce at once when they share a cause. */
static bool gathers(enum note_kind kind)
{
    return kind == NOTE_DRIFT_SUSPECTED || kind == NOTE_DRIFT_DETECTED ||
           kind == NOTE_DRIFT_REPAIRED || kind == NOTE_CONSUMERS_AT_RISK ||
           kind == NOTE_CONSUMERS_SAFE;
}

static void end_lasting(const struct engine_account *account, enum note_kind kind,
                        const struct target_id *target, bool quiet)
{
    char subject[SUBJECT_MAX];

    log_ended(account->engine->parts.log, loop_now(account->engine->parts.loop), notes[kind].event,
              subject_of(account, target, subject), quiet);
}

/* As blocked as one that waits to be confirmed. */
static bool is_blocked(const struct record *record)
{
    return record->blocked != REASON_NONE || record->presumed;
}

static bool block_ended(const struct record *before, const struct record *record)
{
    return before->blocked != REASON_NONE ? record->blocked == REASON_NONE
                                          : before->presumed && !is_blocked(record);
}

/* What was wrong before a step and is not any more. Who is blocked instead of being retried is not
 * well; account.unblocked tells of the end of a block, and who it is. */
void engine_report_ended(const struct engine_account *account, const struct record *before)
{
    const struct record *record = &account->record;
    bool removed = account->removed;

    if (before->retry_reason != REASON_NONE && (removed || record->retry_reason == REASON_NONE))
        end_lasting(account, NOTE_ROTATION_RETRYING, NULL,
                    removed || record->blocked != REASON_NONE);
    if (is_blocked(before) && (removed || block_ended(before, record)))
        end_lasting(account, NOTE_BLOCKED, NULL, true);
    if (before->overdue_reported_at != 0 && (removed || record->overdue_reported_at == 0))
        end_lasting(account, NOTE_ROTATION_OVERDUE, NULL, removed);
    if (before->overdue_reported_at != 0 && !removed && record->overdue_reported_at == 0)
        engine_news_caught_up(account);
    for (size_t i = 0; i < before->target_count; i++) {
        const struct target_record *target = record_target_const(record, &before->targets[i].id);

        if (before->targets[i].failing_since == 0)
            continue;
        if (removed || !target || target->failing_since == 0)
            end_lasting(account, NOTE_DELIVERY_FAILED, &before->targets[i].id, removed || !target);
    }
}

static void tell(const struct engine_account *account, const struct transaction *transaction,
                 const struct note *note, const char *message)
{
    const unsigned event = engine_news_event(note->kind);
    const struct record *record = &account->record;
    char remedy[REMEDY_MAX];

    if (event == 0)
        return;
    engine_news_add(
        account, event,
        &(struct news){
            .event = notes[note->kind].event,
            .text = message,
            .reason = note->reason != REASON_NONE ? reason_describe(note->reason)->name : NULL,
            .remedy = remedy_of(account, transaction, note, remedy),
            .since = note->kind == NOTE_BLOCKED ? blocked_since(record, note) : TIME_NEVER,
        });
}

static void log_note(struct engine_account *account, const struct transaction *transaction,
                     const struct note *note, const char *message)
{
    const struct record *record = &account->record;
    const struct note_description *description = &notes[note->kind];
    struct log *log = account->engine->parts.log;
    char target[512];
    char fingerprint[FINGERPRINT_TEXT_MAX];
    char remedy[REMEDY_MAX];
    char subject[SUBJECT_MAX];
    struct log_line line;
    bool older;
    const time_ms born = note->has_slot ? key_time_born(record, note->slot, &older) : 0;

    if (!log_enabled(log, description->level))
        return;
    log_line_start(&line, transaction->event.now, description->level, description->event, "%s",
                   message);
    engine_report_account(&line, account);
    if (note->has_slot)
        log_line_text(&line, "slot", slot_name(note->slot));
    if (record->adopted)
        log_line_number(&line, "cycle", (int64_t)record->cycle);
    if (note->has_target) {
        engine_note_target(account, note, target, sizeof(target));
        log_line_text(&line, "target", target);
    }
    if (note->trigger != TRIGGER_NONE)
        log_line_text(&line, "trigger", trigger_name(note->trigger));
    log_line_text(&line, "actor", actor_of(account, transaction, note));
    if (note->hold_id != 0)
        log_line_number(&line, "hold", (int64_t)note->hold_id);
    fingerprint_text(note, fingerprint);
    log_line_text(&line, "fingerprint", str_or_null(fingerprint));
    add_ids(&line, account, transaction, note);
    add_times(&line, account, transaction, note);
    if (born != 0)
        log_line_number(&line, "key_age_s", (transaction->event.now - born) / MS_SECOND);
    if (note->key_made_at != 0)
        log_line_time(&line, "key_made_at", note->key_made_at);
    if (note->drift != DRIFT_NONE)
        log_line_text(&line, "reason", drift_name(note->drift));
    else if (note->reason != REASON_NONE)
        log_line_text(&line, "reason", reason_describe(note->reason)->name);
    log_line_text(&line, "remedy", remedy_of(account, transaction, note, remedy));
    if (lasts(note->kind))
        log_line_lasts(&line, subject_of(account,
                                         note->kind == NOTE_DELIVERY_FAILED ? &note->target : NULL,
                                         subject));
    else if (gathers(note->kind))
        log_line_gathers(&line, subject_of(account, NULL, subject));
    log_emit(log, &line);
}

static void report(struct engine_account *account, const struct transaction *transaction,
                   const struct note *note)
{
    char message[LOG_MESSAGE_MAX];

    account->engine->told[note->kind]++;
    engine_note_compose(account, transaction, note, message, sizeof(message));
    tell(account, transaction, note, message);
    log_note(account, transaction, note, message);
}

/* What the failure means, without what is another one each time (base/cause.h). */
static uint64_t meaning_of(const struct engine_account *account, const struct failure *failure)
{
    const char *const names[] = {account->account->name, account->account->resource_group,
                                 account->account->subscription_id, NULL};
    uint64_t hash = cause_hash(HASH_START, failure->text, names);

    hash = cause_hash(hash, failure->error_code, (const char *const[]){NULL});
    return cause_hash_number(hash, failure->http_status);
}

/* A block that lasts is no news, but another cause of it is: the remedy is another one, too. */
static void report_new_cause(struct engine_account *account, const struct transaction *transaction)
{
    const struct event *event = &transaction->event;
    struct note note = {.kind = NOTE_BLOCKED, .reason = account->record.blocked};
    char message[LOG_MESSAGE_MAX];
    const struct failure *failure;
    uint64_t before = account->blocked_meaning;

    note.from_failure = event->failure && event->failure->reason == note.reason;
    note.from_undescribed =
        !event->failure && event->undescribed && event->undescribed->reason == note.reason;
    failure = note.from_failure || note.from_undescribed
                  ? engine_note_failure(account, transaction, &note)
                  : NULL;
    if (note.reason == REASON_NONE)
        account->blocked_meaning = 0;
    if (note.reason == REASON_NONE || !failure)
        return;
    account->blocked_meaning = meaning_of(account, failure);
    if (account->record.blocked_at == event->now || before == 0 ||
        before == account->blocked_meaning)
        return;
    engine_note_compose(account, transaction, &note, message, sizeof(message));
    log_note(account, transaction, &note, message);
}

static bool is_urgent(const struct note *note)
{
    return notes[note->kind].level <= LEVEL_WARNING || note->kind == NOTE_DRIFT_SUSPECTED;
}

void engine_report_notes(struct engine_account *account, const struct transaction *transaction,
                         bool urgent)
{
    for (size_t i = 0; i < transaction->effects->note_count; i++)
        if (is_urgent(&transaction->effects->notes[i]) == urgent)
            report(account, transaction, &transaction->effects->notes[i]);
    if (urgent)
        report_new_cause(account, transaction);
}

/* Since when consumers held a dead key; TIME_NEVER: they did not. */
static time_ms dead_since(const struct record *before)
{
    time_ms since = TIME_NEVER;

    for (size_t i = 0; i < before->target_count; i++)
        if (before->targets[i].required && before->targets[i].dead_since != 0)
            since = time_min(since, before->targets[i].dead_since);
    return since;
}

/* How long that took, or the key was dead in its target; 0: not known. */
static duration_ms duration_of(const struct record *record, const struct record *before,
                               const struct transaction *transaction, const struct note *note)
{
    const struct target_record *target =
        note->has_target ? record_target_const(before, &note->target) : NULL;
    time_ms since = TIME_NEVER;

    switch (note->kind) {
    case NOTE_KEY_REGENERATED:
    case NOTE_KEY_VERIFIED:
        return transaction->result ? transaction->result->duration : 0;
    case NOTE_ROTATION_COMPLETED:
        since = record->started_at;
        break;
    case NOTE_UNBLOCKED:
        since = before->blocked_at != 0 ? before->blocked_at : TIME_NEVER;
        break;
    case NOTE_KEY_DELIVERED:
        since = target && target->dead_since != 0 ? target->dead_since : TIME_NEVER;
        break;
    case NOTE_DRIFT_REPAIRED:
    case NOTE_CONSUMERS_SAFE:
        since = dead_since(before);
        break;
    default:
        break;
    }
    return since < transaction->event.now ? transaction->event.now - since : 0;
}

size_t engine_report_history(struct engine_account *account, const struct transaction *transaction,
                             const struct record *before,
                             struct history_row rows[STORE_HISTORY_PER_SAVE],
                             struct history_text texts[STORE_HISTORY_PER_SAVE])
{
    const struct record *record = &account->record;
    const struct action_result *result = transaction->result;
    size_t count = 0;

    for (size_t i = 0; i < transaction->effects->note_count && count < STORE_HISTORY_PER_SAVE;
         i++) {
        const struct note *note = &transaction->effects->notes[i];
        const struct destination *destination;

        if (!notes[note->kind].in_history)
            continue;
        destination = note->has_target ? engine_account_destination(account, &note->target) : NULL;
        fingerprint_text(note, texts[count].fingerprint);
        rows[count] = (struct history_row){
            .at = transaction->event.now,
            .event = notes[note->kind].event,
            .cycle = record->cycle,
            .slot = note->has_slot ? slot_name(note->slot) : NULL,
            .target = destination ? destination->name : NULL,
            .reason = note->drift != DRIFT_NONE     ? drift_name(note->drift)
                      : note->reason != REASON_NONE ? reason_describe(note->reason)->name
                                                    : NULL,
            .trigger = note->trigger != TRIGGER_NONE ? trigger_name(note->trigger) : NULL,
            .actor = actor_of(account, transaction, note),
            .fingerprint = str_or_null(texts[count].fingerprint),
            .request_id = result ? str_or_null(result->request_id) : NULL,
            .correlation_id = str_or_null(record->correlation),
            .text =
                note->kind == NOTE_HELD ? engine_note_hold_reason(transaction, note) : note->detail,
            .duration = duration_of(record, before, transaction, note),
        };
        count++;
    }
    return count;
}

const char *engine_report_event(enum note_kind kind)
{
    return notes[kind].event;
}
