#include "app/engine_private.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/str.h"

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

void engine_note_target(const struct engine_account *account, const struct note *note, char *out,
                        size_t size)
{
    const struct destination *destination =
        note->has_target ? engine_account_destination(account, &note->target) : NULL;

    if (destination)
        target_describe(destination, account->azure.location, out, size);
    else
        str_copy(out, size, "a target");
}

/* The failure that the note is about, or NULL. That of a reminder is the last one. */
const struct failure *engine_note_failure(const struct engine_account *account,
                                          const struct transaction *transaction,
                                          const struct note *note)
{
    if (note->from_failure)
        return &transaction->result->failure;
    if (note->from_undescribed)
        return &transaction->result->undescribed;
    if (note->kind == NOTE_BLOCKED && account->record.blocked_at < transaction->event.now &&
        account->last_failure_at != TIME_NEVER && account->last_failure.reason == note->reason)
        return &account->last_failure;
    return NULL;
}

/* What is wrong, in the words of the failure if there is one. */
static const char *cause(const struct engine_account *account,
                         const struct transaction *transaction, const struct note *note)
{
    const struct failure *failure = engine_note_failure(account, transaction, note);

    if (failure && failure->text[0])
        return failure->text;
    if (note->detail)
        return note->detail;
    return note->reason != REASON_NONE ? reason_describe(note->reason)->meaning : "";
}

const struct hold *engine_note_hold(const struct transaction *transaction, const struct note *note)
{
    for (size_t i = 0; note->kind == NOTE_HELD && i < transaction->effects->held_count; i++)
        if (transaction->effects->held[i].id == note->hold_id)
            return &transaction->effects->held[i];
    return NULL;
}

const char *engine_note_hold_reason(const struct transaction *transaction, const struct note *note)
{
    const struct hold *hold = engine_note_hold(transaction, note);

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

    engine_note_target(account, note, target, sizeof(target));
    switch (note->kind) {
    case NOTE_KEY_DELIVERED:
        engine_words_delivered(account, note, target, out, size);
        break;
    case NOTE_DELIVERY_FAILED:
        if (is_told(account, note))
            snprintf(out, size, "%s: %s could not be told of the %s key: %s", name, target, slot,
                     cause(account, transaction, note));
        else
            snprintf(out, size, "%s: the %s key could not be delivered to %s: %s", name, slot,
                     target, cause(account, transaction, note));
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
    case NOTE_OPERATION_STARTED:
        snprintf(out, size, "%s: Azure regenerates the %s key, and goes on with it", name, slot);
        break;
    case NOTE_OPERATION_ENDED:
        snprintf(out, size, "%s: the regenerate of the %s key has ended: %s", name, slot,
                 cause(account, transaction, note));
        break;
    case NOTE_OPERATION_LOST:
        snprintf(out, size,
                 "%s: nobody can tell how the regenerate of the %s key goes: %s; the longest time "
                 "that it may take is waited out",
                 name, slot, cause(account, transaction, note));
        break;
    case NOTE_KEY_REGENERATED:
        snprintf(out, size, "%s: the %s key was regenerated%s%s", name, slot,
                 note->detail ? ": " : "", note->detail ? note->detail : "");
        break;
    case NOTE_KEY_VERIFIED:
        snprintf(out, size, "%s: the data plane accepts the new %s key", name, slot);
        break;
    case NOTE_KEY_UNVERIFIED:
        snprintf(out, size,
                 "%s: the new %s key could not be verified (%s); it is delivered unverified", name,
                 slot, cause(account, transaction, note));
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
        snprintf(out, size, "%s is held: %s", name, engine_note_hold_reason(transaction, note));
        break;
    case NOTE_RELEASED:
        snprintf(out, size, "%s is no longer held: %s", name, cause(account, transaction, note));
        break;
    case NOTE_BLOCKED:
        snprintf(out, size, "%s is blocked (%s): %s", name, reason,
                 cause(account, transaction, note));
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
        snprintf(out, size, "%s: %s; retrying (%s)", name, cause(account, transaction, note),
                 reason);
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

/* Evidence of who made it: a pipeline, say, that ran at that time. */
static void append_key_time(const struct note *note, char *out, size_t size)
{
    const size_t length = strlen(out);
    char at[DATE_TEXT_MAX];

    if (note->key_made_at != 0 && (note->kind == NOTE_DRIFT_DETECTED || note->kind == NOTE_BLOCKED))
        snprintf(out + length, size - length, "; Azure says that the key was made at %s",
                 date_to_rfc3339(note->key_made_at - note->key_made_at % MS_SECOND, at));
}

void engine_note_compose(const struct engine_account *account,
                         const struct transaction *transaction, const struct note *note, char *out,
                         size_t size)
{
    compose(account, transaction, note, out, size);
    append_key_time(note, out, size);
}
