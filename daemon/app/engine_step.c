#include "app/engine_private.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/must.h"

/* In which order events are carried out that carry nothing of their own; all of them come before
 * the queue. The machine waits for PERSISTED before anything else happens to the account; all later
 * ones are judged by the new clock; and nothing may reach a machine that was not started. */
static const enum event_kind by_rank[] = {EVENT_PERSISTED, EVENT_CLOCK_JUMPED, EVENT_START,
                                          EVENT_CONFIGURED, EVENT_WAKE};

static struct transaction *next_pending(struct engine_account *account)
{
    for (size_t i = 0; i < sizeof(by_rank) / sizeof(by_rank[0]); i++) {
        struct transaction *transaction;

        if (!(account->pending & 1U << by_rank[i]))
            continue;
        account->pending &= ~(1U << by_rank[i]);
        transaction = transaction_new(by_rank[i]);
        if (by_rank[i] == EVENT_CLOCK_JUMPED) {
            transaction->event.jump = account->jump;
            account->jump = 0;
        }
        if (by_rank[i] == EVENT_START) {
            transaction->event.shifted = account->shifted;
            account->shifted = false;
        }
        return transaction;
    }
    return NULL;
}

/* NULL: nothing waits. */
static struct transaction *next_transaction(struct engine_account *account)
{
    struct transaction *pending = next_pending(account);
    struct list *link = pending ? NULL : list_pop(&account->queue);

    return link ? container_of(link, struct transaction, link) : pending;
}

static void trace_moves(const struct engine_account *account, const struct effects *effects)
{
    struct log *log = account->engine->parts.log;
    time_ms now = loop_now(account->engine->parts.loop);

    if (!log_enabled(log, LEVEL_DEBUG))
        return;
    for (size_t i = 0; i < effects->move_count; i++) {
        struct log_line line;

        log_line_start(&line, now, LEVEL_DEBUG, "rotation.moved", "%s -> %s",
                       position_name(effects->moves[i].from), position_name(effects->moves[i].to));
        log_line_text(&line, "account", account->account->name);
        log_line_text(&line, "resource_group", account->account->resource_group);
        log_emit(log, &line);
    }
}

/* *before: gets the record before the step. */
static void step(struct engine_account *account, struct transaction *transaction,
                 struct record *before)
{
    struct rotation_context context;

    transaction->effects = must(malloc(sizeof(*transaction->effects))); /* the step sets it */
    transaction->event.now = loop_now(account->engine->parts.loop);
    if (crypto_uuid(transaction->uuid) == 0)
        transaction->event.fresh_uuid = transaction->uuid;
    if (transaction->event.command)
        transaction->event.command = &transaction->command;
    transaction->event.hold = transaction->hold;
    engine_hold_expire(account->engine);
    engine_account_context(account, &context);
    *before = account->record;
    rotation_step(&context, &account->record, &transaction->event, transaction->effects);
    if (transaction->effects->fault) {
        account->record = *before;
        engine_fault(account->engine, transaction->effects->fault);
        return;
    }
    engine_pair_stepped(account, before);
    engine_operation_follow(account, before, transaction);
    engine_report_ended(account, before);
    if (before->due_at != account->record.due_at)
        engine_news_planned(account);
    if (transaction->event.command)
        engine_command_name_account(account, transaction);
    trace_moves(account, transaction->effects);
}

static bool rotation_is_complete(const struct effects *effects)
{
    for (size_t i = 0; i < effects->note_count; i++)
        if (effects->notes[i].kind == NOTE_ROTATION_COMPLETED)
            return true;
    return false;
}

static void carry_out(struct engine_account *account, struct transaction *transaction)
{
    const struct effects *effects = transaction->effects;

    engine_pair_carried_out(account);
    engine_report_notes(account, transaction, false);
    if (rotation_is_complete(effects))
        engine_places_rotated(account);
    if (transaction->group)
        engine_command_answered(account, transaction);
    if (effects->give_up)
        engine_give_up_delivery(account, effects->give_up);
    if (effects->action.kind != ACTION_NONE && !account->draining)
        engine_action_start(account, &effects->action);
    else if (effects->forget_keys && !account->acting)
        engine_action_forget_keys(account);
    timer_set(&account->timer, account->draining ? TIME_NEVER : effects->wake_at);
}

static void on_saved(void *context)
{
    struct engine_account *account = context;

    account->saved = true;
    engine_account_make_ready(account);
}

static void save(struct engine_account *account, struct transaction *transaction,
                 const struct record *before)
{
    struct history_row rows[STORE_HISTORY_PER_SAVE];
    struct history_text texts[STORE_HISTORY_PER_SAVE];
    size_t count = engine_report_history(account, transaction, before, rows, texts);

    if (transaction->effects->wait)
        account->saving = transaction;
    store_save(account->engine->parts.store, account->key, &account->record, rows, count,
               transaction->effects->wait ? on_saved : NULL, account);
}

static void finish_saving(struct engine_account *account)
{
    struct transaction *transaction = account->saving;

    account->saving = NULL;
    account->saved = false;
    carry_out(account, transaction);
    transaction_free(transaction);
    engine_account_post(account, EVENT_PERSISTED);
}

static void step_one(struct engine_account *account, struct transaction *transaction)
{
    struct record before;

    step(account, transaction, &before);
    if (!account->engine->faulted) {
        engine_report_notes(account, transaction, true);
        if (transaction->effects->persist)
            save(account, transaction, &before);
        if (account->saving)
            return;
        carry_out(account, transaction);
    }
    transaction_free(transaction);
}

void engine_step_account(struct engine_account *account)
{
    struct transaction *transaction;

    if (account->saved)
        finish_saving(account);
    while (!account->saving && !account->waits && !account->engine->faulted &&
           (transaction = next_transaction(account)))
        step_one(account, transaction);
}
