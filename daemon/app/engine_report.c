#include "app/engine_private.h"

#include <stdio.h>

#include "base/str.h"

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

static const char *drift_meaning(enum drift_kind drift)
{
    static const char *const meanings[DRIFT_KIND_COUNT] = {
        [DRIFT_NONE] = "nothing differs from the journal",
        [DRIFT_TARGET_CHANGED] = "a target does not hold the key that was delivered to it",
        [DRIFT_STANDBY_CHANGED] = "somebody else regenerated the standby key",
        [DRIFT_ROTATED_ELSEWHERE] = "somebody else rotated the key and delivered it",
        [DRIFT_ACTIVE_CHANGED] = "somebody else regenerated the key that consumers use",
        [DRIFT_TARGETS_DISAGREE] = "the required targets hold different keys",
        [DRIFT_JOURNAL_UNFIT] = "the journal does not fit the keys that are live",
    };

    return meanings[drift];
}

/* What the note is about, where that is a destination. */
static const struct destination *destination_of(const struct engine_account *account,
                                                const struct note *note)
{
    return note->has_target ? engine_account_destination(account, &note->target) : NULL;
}

/* Is it about something that is told of keys, and gets none? */
static bool is_told(const struct engine_account *account, const struct note *note)
{
    const struct destination *destination = destination_of(account, note);

    return destination && destination->without_key;
}

static void target_text(const struct engine_account *account, const struct note *note, char *out,
                        size_t size)
{
    const struct destination *destination =
        note->has_target ? engine_account_destination(account, &note->target) : NULL;

    if (destination)
        target_describe(destination, account->azure.location, out, size);
    else
        str_copy(out, size, "a target");
}

/* The failure that the note is about, or NULL. */
static const struct failure *failure_of(const struct transaction *transaction,
                                        const struct note *note)
{
    if (note->from_failure)
        return &transaction->result->failure;
    return note->from_undescribed ? &transaction->result->undescribed : NULL;
}

/* What is wrong, in the words of the failure if there is one. */
static const char *cause(const struct transaction *transaction, const struct note *note)
{
    const struct failure *failure = failure_of(transaction, note);

    if (failure && failure->text[0])
        return failure->text;
    if (note->detail)
        return note->detail;
    return note->reason != REASON_NONE ? reason_describe(note->reason)->meaning : "";
}

static const struct hold *hold_of(const struct transaction *transaction, const struct note *note)
{
    for (size_t i = 0; note->kind == NOTE_HELD && i < transaction->effects->held_count; i++)
        if (transaction->effects->held[i].id == note->hold_id)
            return &transaction->effects->held[i];
    return NULL;
}

static const char *reason_of_hold(const struct transaction *transaction, const struct note *note)
{
    const struct hold *hold = hold_of(transaction, note);

    return hold && hold->reason[0] ? hold->reason : "no reason was given";
}

/* Notes about what targets hold. */
static void compose_about_targets(const struct engine_account *account,
                                  const struct transaction *transaction, const struct note *note,
                                  char *out, size_t size)
{
    const char *name = account->account->name;
    const char *slot = slot_name(note->slot);
    char target[800];

    target_text(account, note, target, sizeof(target));
    switch (note->kind) {
    case NOTE_KEY_DELIVERED:
        engine_words_delivered(account, note, target, out, size);
        break;
    case NOTE_DELIVERY_FAILED:
        if (is_told(account, note))
            snprintf(out, size, "%s: %s could not be told of the %s key: %s", name, target, slot,
                     cause(transaction, note));
        else
            snprintf(out, size, "%s: the %s key could not be delivered to %s: %s", name, slot,
                     target, cause(transaction, note));
        break;
    case NOTE_DRIFT_SUSPECTED:
        engine_words_unexpected(account, target, sizeof(target));
        snprintf(out, size, "%s: %s", name, target);
        break;
    case NOTE_DRIFT_DETECTED:
        snprintf(out, size, "%s: %s (%s)%s%s", name, drift_meaning(note->drift),
                 drift_name(note->drift), note->detail ? ": " : "",
                 note->detail ? note->detail : "");
        break;
    case NOTE_DRIFT_REPAIRED:
        snprintf(out, size, "%s: all required targets hold the live %s key again (%s)", name, slot,
                 drift_name(note->drift));
        break;
    case NOTE_CONSUMERS_AT_RISK:
        engine_words_at_risk(account, target, sizeof(target));
        snprintf(out, size, "%s: %s: programs that use it fail", name, target);
        break;
    case NOTE_CONSUMERS_SAFE:
        snprintf(out, size, "%s: no required target holds a dead key any more", name);
        break;
    default:
        break;
    }
}

static void compose_about_keys(const struct engine_account *account,
                               const struct transaction *transaction, const struct note *note,
                               char *out, size_t size)
{
    const char *name = account->account->name;
    const char *slot = slot_name(note->slot);

    switch (note->kind) {
    case NOTE_ADOPTED:
        snprintf(out, size, "%s is adopted: the %s key is active", name, slot);
        break;
    case NOTE_KEY_REGENERATED:
        snprintf(out, size, "%s: the %s key was regenerated", name, slot);
        break;
    case NOTE_KEY_VERIFIED:
        snprintf(out, size, "%s: the data plane accepts the new %s key", name, slot);
        break;
    case NOTE_KEY_UNVERIFIED:
        snprintf(out, size,
                 "%s: the new %s key could not be verified (%s); it is delivered unverified", name,
                 slot, cause(transaction, note));
        break;
    default:
        compose_about_targets(account, transaction, note, out, size);
        break;
    }
}

static void compose(const struct engine_account *account, const struct transaction *transaction,
                    const struct note *note, char *out, size_t size)
{
    const struct record *record = &account->record;
    const char *name = account->account->name;
    const char *slot = slot_name(note->slot);
    const char *reason = reason_describe(note->reason)->name;

    switch (note->kind) {
    case NOTE_HELD:
        snprintf(out, size, "%s is held: %s", name, reason_of_hold(transaction, note));
        break;
    case NOTE_RELEASED:
        snprintf(out, size, "%s is no longer held: %s", name, cause(transaction, note));
        break;
    case NOTE_BLOCKED:
        snprintf(out, size, "%s is blocked (%s): %s", name, reason, cause(transaction, note));
        break;
    case NOTE_UNBLOCKED:
        snprintf(out, size, "%s is no longer blocked (%s)", name, reason);
        break;
    case NOTE_ROTATION_STARTED:
        snprintf(out, size, "%s: rotation %llu begins: the %s key is regenerated", name,
                 (unsigned long long)record->cycle, slot);
        break;
    case NOTE_ROTATION_RESUMED:
        snprintf(out, size, "%s: rotation %llu continues (%s)", name,
                 (unsigned long long)record->cycle, position_name(record->position));
        break;
    case NOTE_ROTATION_RETRYING:
        snprintf(out, size, "%s: %s; retrying (%s)", name, cause(transaction, note), reason);
        break;
    case NOTE_ROTATION_OVERDUE:
        snprintf(out, size, "%s: its rotation is overdue%s%s", name, note->detail ? ": " : "",
                 note->detail ? note->detail : "");
        break;
    case NOTE_ROTATION_COMPLETED:
        snprintf(out, size, "%s: rotation %llu is complete: the %s key is active", name,
                 (unsigned long long)record->cycle, slot);
        break;
    case NOTE_WINDOW_MISSED:
        snprintf(out, size, "%s: the window closed before its rotation could start", name);
        break;
    case NOTE_OPERATOR_COMMAND:
        snprintf(out, size, "%s: %s: %s", name, note->detail, transaction->effects->answer);
        break;
    default:
        compose_about_keys(account, transaction, note, out, size);
        break;
    }
}

static const char *remedy_of(const struct engine_account *account,
                             const struct transaction *transaction, const struct note *note,
                             char out[REMEDY_MAX])
{
    const struct failure *failure = failure_of(transaction, note);
    const struct hold *hold = hold_of(transaction, note);
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
    const struct failure *failure = failure_of(transaction, note);
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

static void add_times(struct log_line *line, const struct engine_account *account,
                      const struct transaction *transaction, const struct note *note)
{
    const struct record *record = &account->record;
    const struct target_record *target =
        note->has_target ? record_target_const(record, &note->target) : NULL;
    const struct hold *hold = hold_of(transaction, note);
    time_ms now = transaction->event.now;
    struct rotation_view view;

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
        log_line_time(line, "since", record->blocked_at);
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
        engine_account_view(account, &view);
        log_line_time(line, "since", view.due_since);
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
    const struct hold *hold = hold_of(transaction, note);

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

/* What was wrong before a step and is not any more. Who is blocked instead of being retried is not
 * well; account.unblocked tells of the end of a block, and who it is. */
void engine_report_ended(const struct engine_account *account, const struct record *before)
{
    const struct record *record = &account->record;
    bool removed = account->removed;

    if (before->retry_reason != REASON_NONE && (removed || record->retry_reason == REASON_NONE))
        end_lasting(account, NOTE_ROTATION_RETRYING, NULL,
                    removed || record->blocked != REASON_NONE);
    if (before->blocked != REASON_NONE && (removed || record->blocked == REASON_NONE))
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
            .since = note->kind == NOTE_BLOCKED ? record->blocked_at : TIME_NEVER,
        });
}

static void report(struct engine_account *account, const struct transaction *transaction,
                   const struct note *note)
{
    const struct record *record = &account->record;
    const struct note_description *description = &notes[note->kind];
    struct log *log = account->engine->parts.log;
    char message[LOG_MESSAGE_MAX];
    char target[512];
    char fingerprint[FINGERPRINT_TEXT_MAX];
    char remedy[REMEDY_MAX];
    char subject[SUBJECT_MAX];
    struct log_line line;

    compose(account, transaction, note, message, sizeof(message));
    tell(account, transaction, note, message);
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
        target_text(account, note, target, sizeof(target));
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
    if (note->has_slot && record->born[note->slot] != 0)
        log_line_number(&line, "key_age_s",
                        (transaction->event.now - record->born[note->slot]) / MS_SECOND);
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
}

size_t engine_report_history(struct engine_account *account, const struct transaction *transaction,
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
            .text = note->kind == NOTE_HELD ? reason_of_hold(transaction, note) : note->detail,
        };
        count++;
    }
    return count;
}
