#include "app/engine_form.h"
#include "app/engine_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cause.h"
#include "base/hash.h"
#include "base/str.h"

/*
 * What people see of the accounts: snapshots, counted and written. Nothing here changes anything.
 */

static void view_of(const struct engine_account *account, struct rotation_view *view)
{
    time_ms now = loop_now(account->engine->parts.loop);
    struct rotation_context context;
    duration_ms wait;

    engine_context(account, &context);
    rotation_view(&context, &account->record, now, view);
    /* What keeps it from finding out how it is. What blocks it stays the more important thing. */
    if (account->call && view->state != STATE_BLOCKED &&
        azure_call_is_throttled(account->call, &wait)) {
        view->state = STATE_RETRYING;
        view->reason = REASON_THROTTLED;
        view->since = 0;
        view->retry_at = time_add(now, wait);
    }
}

/* What a person is woken for comes before what passes by itself: it takes the place of the last
 * one that does, `*worst` being how many of the named ones are of the first kind. */
static void note_unwell(const struct engine_account *account, const struct rotation_view *view,
                        struct engine_totals *totals, size_t *worst)
{
    const bool is_bad = view->state == STATE_BLOCKED || view->overdue || view->consumers_at_risk;

    if (!is_bad && view->state != STATE_RETRYING &&
        (view->state != STATE_HELD || view->reason == REASON_CONFIG))
        return;
    if (is_bad && *worst < ENGINE_UNWELL_NAMED) {
        for (size_t i = ENGINE_UNWELL_NAMED - 1; i > *worst; i--)
            totals->unwell_named[i] = totals->unwell_named[i - 1];
        totals->unwell_named[(*worst)++] = account->account;
    } else if (totals->unwell < ENGINE_UNWELL_NAMED) {
        totals->unwell_named[totals->unwell] = account->account;
    }
    totals->unwell++;
}

static void count_account(const struct engine_account *account, struct engine_totals *totals,
                          size_t *worst)
{
    const struct record *record = &account->record;
    struct rotation_view view;

    view_of(account, &view);
    totals->by_state[view.state]++;
    totals->overdue += view.overdue ? 1 : 0;
    totals->at_risk += view.consumers_at_risk ? 1 : 0;
    note_unwell(account, &view, totals, worst);
    if (!view.stuck && view.next_at < totals->next_at) {
        totals->next_at = view.next_at;
        totals->next_account = account->account->name;
    }
    for (int slot = 0; slot < SLOT_COUNT && record->adopted; slot++) {
        if (record->born[slot] != 0 && record->born[slot] < totals->oldest_key_born) {
            totals->oldest_key_born = record->born[slot];
            totals->oldest_key_account = account->account->name;
        }
    }
}

void engine_totals(const struct engine *engine, struct engine_totals *totals)
{
    size_t worst = 0;

    *totals = (struct engine_totals){
        .accounts = engine->account_count,
        .oldest_key_born = TIME_NEVER,
        .next_at = TIME_NEVER,
    };
    for (size_t i = 0; i < engine->account_count; i++)
        count_account(engine->accounts[i], totals, &worst);
}

enum { HOLDS_SHOWN_MAX = 16 };

/* The texts that a snapshot borrows. */
struct snapshot_texts {
    char fingerprints[SLOT_COUNT][FINGERPRINT_TEXT_MAX];
    char held_marks[TARGETS_MAX][2 * HELD_MARK_LENGTH + 1];
    char destinations[TARGETS_MAX][512];
    char remedy[REMEDY_MAX];
    struct target_snapshot targets[TARGETS_MAX];
    struct abandoned_snapshot abandoned[TARGETS_MAX];
    struct hold_snapshot holds[HOLDS_SHOWN_MAX];
};

static time_ms or_never(time_ms at)
{
    return at == 0 ? TIME_NEVER : at;
}

static const char *holding_words(enum holding holding)
{
    static const char *const words[] = {
        [HOLDING_UNSEEN] = NULL,
        [HOLDING_EMPTY] = "nothing",
        [HOLDING_PRIMARY] = "the primary key",
        [HOLDING_SECONDARY] = "the secondary key",
        [HOLDING_BOTH] = "both keys",
        [HOLDING_DEAD_KEY] = "a key that is not live",
        [HOLDING_FOREIGN] = "something that is no key",
    };

    return words[holding];
}

static bool holds_one_key(const struct engine_account *account, size_t target)
{
    static const uint8_t none[HELD_MARK_LENGTH];

    return memcmp(account->held_marks[target], none, HELD_MARK_LENGTH) != 0;
}

static size_t snapshot_targets(const struct engine_account *account, struct snapshot_texts *texts)
{
    const struct record *record = &account->record;
    const struct account *subject = account->account;
    size_t count = 0;

    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        const struct destination *destination = &subject->destinations[i];
        const struct target_record *target = record_target_const(record, &account->targets[i].id);
        struct target_snapshot *snapshot = &texts->targets[count];

        target_describe(destination, account->azure.location, texts->destinations[count],
                        sizeof(texts->destinations[count]));
        *snapshot = (struct target_snapshot){
            .name = destination->name,
            .destination = texts->destinations[count],
            .required = destination->required,
            .holds = holding_words(account->holdings[i]),
            .form = form_problem(account, &account->targets[i].id),
            .delivered_at = TIME_NEVER,
            .failing_since = TIME_NEVER,
            .retry_at = TIME_NEVER,
            .dead_since = TIME_NEVER,
        };
        if (holds_one_key(account, i)) {
            hex_encode(account->held_marks[i], HELD_MARK_LENGTH, texts->held_marks[count]);
            snapshot->holds_fingerprint = texts->held_marks[count];
        }
        count++;
        if (!target)
            continue;
        snapshot->satisfied = record->adopted && record_target_satisfied(record, target);
        snapshot->delivered_at = target->acknowledged ? target->acknowledged_at : TIME_NEVER;
        snapshot->failing_since = or_never(target->failing_since);
        snapshot->retry_at = or_never(target->retry_at);
        snapshot->dead_since = or_never(target->dead_since);
        if (target->reason != REASON_NONE)
            snapshot->reason = reason_describe(target->reason)->name;
    }
    return count;
}

static size_t collect_holds(const struct engine_account *account,
                            const struct hold *holds[HOLDS_SHOWN_MAX])
{
    return hold_list_collect(&account->engine->holds, account->key,
                             loop_now(account->engine->parts.loop), holds, HOLDS_SHOWN_MAX);
}

static size_t snapshot_holds(const struct engine_account *account, struct snapshot_texts *texts)
{
    const struct hold *holds[HOLDS_SHOWN_MAX];
    size_t count = collect_holds(account, holds);

    for (size_t i = 0; i < count; i++)
        engine_hold_snapshot(account->engine, holds[i], &texts->holds[i]);
    return count;
}

/* The keys as the journal has them; before the adoption, as the last look showed them. */
static void snapshot_keys(const struct engine_account *account, struct account_snapshot *snapshot,
                          struct snapshot_texts *texts)
{
    const struct record *record = &account->record;

    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        const struct fingerprint *key =
            record->adopted ? &record->live[slot] : &account->azure.fingerprints[slot];

        snapshot->keys[slot] = (struct key_snapshot){.born = TIME_NEVER};
        if (fingerprint_is_none(key))
            continue;
        hex_encode(key->bytes, FINGERPRINT_LENGTH, texts->fingerprints[slot]);
        snapshot->keys[slot].fingerprint = texts->fingerprints[slot];
        if (!record->adopted)
            continue;
        snapshot->keys[slot].born = or_never(record->born[slot]);
        snapshot->keys[slot].older = record->born[slot] <= record->adopted_at;
    }
    if (record->adopted)
        snapshot->active = slot_name(record->active);
}

/* A lost answer is settled by looking: the rotation it belonged to may be complete without another
 * attempt. And a target may be gone from the configuration. */
static bool failure_stands(const struct engine_account *account)
{
    switch (account->failed_kind) {
    case FAILED_REGENERATE:
    case FAILED_VERIFY:
        return account->last_failure_at != TIME_NEVER &&
               account->last_failure_at > account->record.completed_at;
    case FAILED_READ:
    case FAILED_TARGET:
        return account->last_failure_at != TIME_NEVER &&
               action_destination(account, &account->failed_target);
    default:
        return account->last_failure_at != TIME_NEVER;
    }
}

static void snapshot_failure(const struct engine_account *account,
                             struct failure_snapshot *snapshot)
{
    const struct failure *failure = &account->last_failure;

    *snapshot = (struct failure_snapshot){.at = TIME_NEVER};
    if (!failure_stands(account))
        return;
    snapshot->at = account->last_failure_at;
    snapshot->text = failure->text;
    snapshot->http_status = failure->http_status;
    snapshot->error_code = failure->error_code[0] ? failure->error_code : NULL;
    snapshot->request_id = failure->request_id[0] ? failure->request_id : NULL;
    snapshot->correlation_id = failure->correlation_id[0] ? failure->correlation_id : NULL;
    snapshot->client_request_id = failure->client_request_id[0] ? failure->client_request_id : NULL;
}

static void snapshot_reason(const struct engine_account *account, const struct rotation_view *view,
                            struct account_snapshot *snapshot, struct snapshot_texts *texts)
{
    const struct reason_description *reason = reason_describe(view->reason);
    const struct failure *failure = &account->last_failure;
    const char *remedy = reason->remedy;
    const struct hold *holds[HOLDS_SHOWN_MAX];
    char of_holds[FAILURE_TEXT_MAX];

    if (view->reason == REASON_NONE)
        return;
    if (failure_stands(account) && failure->reason == view->reason && failure->remedy[0])
        remedy = failure->remedy;
    if (view->reason == REASON_OPERATOR) {
        engine_hold_remedy(holds, collect_holds(account, holds), of_holds, sizeof(of_holds));
        remedy = of_holds;
    }
    words_expand(account, NULL, remedy, texts->remedy, sizeof(texts->remedy));
    snapshot->reason = reason->name;
    snapshot->meaning = reason->meaning;
    snapshot->remedy = texts->remedy;
    snapshot->since = or_never(view->since);
}

static void snapshot_account(const struct engine_account *account,
                             struct account_snapshot *snapshot, struct snapshot_texts *texts)
{
    const struct record *record = &account->record;
    const struct account *subject = account->account;
    struct rotation_view view;

    view_of(account, &view);
    *snapshot = (struct account_snapshot){
        .id = subject->id,
        .name = subject->name,
        .resource_group = subject->resource_group,
        .subscription_id = subject->subscription_id,
        .location = account->azure.location,
        .identity = subject->identity->name,
        .policy = subject->policy_name,
        .state = account_state_name(view.state),
        .overdue = view.overdue,
        .consumers_at_risk = view.consumers_at_risk,
        .since = TIME_NEVER,
        .next_at = view.next_at,
        .retry_at = view.retry_at,
        .due_since = view.due_since,
        .waits = view.waits,
        .phase = position_name(record->position),
        .rotating = record->intent.open || record->delivering != record->active,
        .rotation_requested = record->requested,
        .cycle = record->cycle,
        .started_at = or_never(record->started_at),
        .completed_at = or_never(record->completed_at),
        .targets = texts->targets,
        .holds = texts->holds,
    };
    snapshot->hold_count = snapshot_holds(account, texts);
    snapshot->target_count = snapshot_targets(account, texts);
    snapshot->abandoned = texts->abandoned;
    snapshot->abandoned_count = engine_places_abandoned(account, texts->abandoned, TARGETS_MAX);
    snapshot_keys(account, snapshot, texts);
    snapshot_failure(account, &snapshot->failure);
    snapshot_reason(account, &view, snapshot, texts);
}

static void write_account(const struct engine_account *account, bool only_unwell, struct buf *out)
{
    struct account_snapshot snapshot;
    struct snapshot_texts texts;

    snapshot_account(account, &snapshot, &texts);
    if (!only_unwell || !control_account_is_well(&snapshot))
        control_status_account(out, &snapshot, loop_now(account->engine->parts.loop));
}

/* Which accounts a question means: checks that every name is one account. */
static int check_names(const struct engine *engine, const struct control_query *query,
                       struct err *err)
{
    for (size_t name = 0; name < query->name_count; name++) {
        size_t found = 0;

        for (size_t i = 0; i < engine->account_count; i++) {
            const struct account *subject = engine->accounts[i]->account;

            found += control_names_account(query->names[name], subject->name,
                                           subject->resource_group, subject->id)
                         ? 1
                         : 0;
        }
        if (found == 0)
            return err_set(err, -ENOENT, "no account %.100s is configured", query->names[name]);
        if (found > 1)
            return err_set(err, -ENOTUNIQ,
                           "more than one account is named %.100s: say group/name, or the "
                           "resource id",
                           query->names[name]);
    }
    return 0;
}

static bool is_asked_for(const struct account *subject, const struct control_query *query,
                         size_t name_count)
{
    for (size_t name = 0; name < name_count; name++)
        if (control_names_account(query->names[name], subject->name, subject->resource_group,
                                  subject->id))
            return true;
    return false;
}

/* In the order asked for; each once. */
static void write_named(const struct engine *engine, const struct control_query *query,
                        struct buf *out)
{
    for (size_t name = 0; name < query->name_count; name++) {
        for (size_t i = 0; i < engine->account_count; i++) {
            const struct account *subject = engine->accounts[i]->account;

            if (is_asked_for(subject, query, name + 1) && !is_asked_for(subject, query, name))
                write_account(engine->accounts[i], false, out);
        }
    }
}

static void fill_daemon(const struct engine *engine, struct daemon_snapshot *daemon)
{
    struct engine_totals totals;
    const char *error = NULL;
    time_ms failing = store_failing(engine->parts.store, &error);

    engine_totals(engine, &totals);
    daemon->now = loop_now(engine->parts.loop);
    daemon->accounts = totals.accounts;
    daemon->state_count = 0;
    for (int state = 0; state < STATE_COUNT && state < CONTROL_STATES_MAX; state++)
        daemon->states[daemon->state_count++] =
            (struct state_count){.state = account_state_name((enum account_state)state),
                                 .count = totals.by_state[state]};
    daemon->overdue = totals.overdue;
    daemon->consumers_at_risk = totals.at_risk;
    daemon->oldest_key_born = totals.oldest_key_born;
    daemon->oldest_key_account = totals.oldest_key_account;
    daemon->next_at = totals.next_at;
    daemon->next_account = totals.next_account;
    daemon->journal_failing_since = or_never(failing);
    daemon->journal_error = failing ? error : NULL;
}

int engine_status(struct engine *engine, const struct control_query *query, bool unwell_alone,
                  struct daemon_snapshot *daemon, struct buf *out, struct err *err)
{
    int rc = check_names(engine, query, err);

    if (rc)
        return rc;
    fill_daemon(engine, daemon);
    control_status_start(out, daemon);
    if (query->name_count > 0) {
        write_named(engine, query, out);
    } else {
        for (size_t i = 0; i < engine->account_count; i++)
            write_account(engine->accounts[i], unwell_alone, out);
    }
    control_status_end(out);
    return out->failed;
}

/* Is something due, under way, or being tried again within sight? */
static enum engine_progress progress_of(const struct engine_account *account)
{
    const struct record *record = &account->record;
    time_ms now = loop_now(account->engine->parts.loop);
    struct rotation_view view;

    view_of(account, &view);
    if (view.state == STATE_BLOCKED)
        return engine_account_is_quiet(account) ? ENGINE_STUCK : ENGINE_WORKING;
    if (!engine_account_is_quiet(account) || view.state == STATE_ADOPTING ||
        view.state == STATE_ROTATING || view.state == STATE_RETRYING || view.consumers_at_risk ||
        record_owed_required(record) > 0 || record->check_at <= now)
        return ENGINE_WORKING;
    if (view.state == STATE_OK && view.next_at <= now + account->config->timing.unknown_wait &&
        record->due_at <= now)
        return ENGINE_WORKING;
    return ENGINE_DONE;
}

enum engine_progress engine_progress(const struct engine *engine)
{
    enum engine_progress worst = ENGINE_DONE;

    for (size_t i = 0; i < engine->account_count; i++) {
        enum engine_progress progress = progress_of(engine->accounts[i]);

        if (progress == ENGINE_WORKING)
            return ENGINE_WORKING;
        if (progress == ENGINE_STUCK)
            worst = ENGINE_STUCK;
    }
    return worst;
}

/* --- what a run that ends leaves undone --- */

enum { UNDONE_TOLD_MAX = 20, UNDONE_WHY_MAX = 1024, UNDONE_NAMES_MAX = 1000 };

struct undone {
    const struct engine_account *account;
    uint64_t cause;
    bool told;
};

/* Why, and what to do; "" for what to do where time alone was short. */
static void undone_why(const struct engine_account *account, char why[UNDONE_WHY_MAX],
                       char remedy[REMEDY_MAX], const char **ret_state)
{
    struct account_snapshot snapshot;
    struct snapshot_texts texts;
    bool has_failed;

    snapshot_account(account, &snapshot, &texts);
    has_failed = snapshot.failure.at != TIME_NEVER && snapshot.failure.text;
    (void)str_copy(remedy, REMEDY_MAX, snapshot.remedy ? snapshot.remedy : "");
    *ret_state = snapshot.state;
    if (snapshot.reason)
        (void)snprintf(
            why, UNDONE_WHY_MAX, "%s (%s): %s", snapshot.state, snapshot.reason,
            has_failed && account->last_failure.reason != REASON_NONE &&
                    str_equal(reason_describe(account->last_failure.reason)->name, snapshot.reason)
                ? snapshot.failure.text
                : snapshot.meaning);
    else
        (void)snprintf(why, UNDONE_WHY_MAX, "%s: the time was over, at %s", snapshot.state,
                       snapshot.phase);
}

static uint64_t undone_cause(const struct engine_account *account)
{
    const char *const names[] = {account->account->name, account->account->resource_group, NULL};
    char why[UNDONE_WHY_MAX], remedy[REMEDY_MAX];
    const char *state;

    undone_why(account, why, remedy, &state);
    return cause_hash(cause_hash(HASH_START, why, names), remedy, names);
}

static void tell_undone(struct engine *engine, struct undone *first, const struct undone *end)
{
    const struct engine_account *account = first->account;
    char why[UNDONE_WHY_MAX], remedy[REMEDY_MAX];
    struct log_line line;
    const char *state;
    struct buf names;
    size_t count = 0;

    buf_init(&names, UNDONE_NAMES_MAX);
    for (struct undone *one = first; one < end; one++) {
        if (one->told || one->cause != first->cause)
            continue;
        one->told = true;
        if (count++ < ENGINE_UNWELL_NAMED)
            (void)buf_append_format(&names, "%s%s/%s", count > 1 ? ", " : "",
                                    one->account->account->resource_group,
                                    one->account->account->name);
    }
    if (count > ENGINE_UNWELL_NAMED)
        (void)buf_append_format(&names, " and %zu more", count - ENGINE_UNWELL_NAMED);
    undone_why(account, why, remedy, &state);
    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_ERROR, "account.undone",
                   "undone: %s: %s", buf_str(&names), why);
    log_line_text(&line, "names", buf_str(&names));
    log_line_number(&line, "accounts", (int64_t)count);
    log_line_text(&line, "state", state);
    log_line_text(&line, "remedy", remedy[0] ? remedy : NULL);
    log_emit(engine->parts.log, &line);
    buf_done(&names);
}

void engine_tell_undone(struct engine *engine)
{
    struct undone *undone = calloc(engine->account_count + 1, sizeof(*undone));
    size_t count = 0, told = 0;

    for (size_t i = 0; undone && i < engine->account_count; i++)
        if (progress_of(engine->accounts[i]) != ENGINE_DONE)
            undone[count++] = (struct undone){.account = engine->accounts[i],
                                              .cause = undone_cause(engine->accounts[i])};
    for (size_t i = 0; i < count && told < UNDONE_TOLD_MAX; i++) {
        if (undone[i].told)
            continue;
        tell_undone(engine, &undone[i], undone + count);
        told++;
    }
    free(undone);
}
