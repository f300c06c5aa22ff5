#include "app/engine_account.h"

#include <stdlib.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/str.h"

/*
 * One turn: step the machine, make the record durable, tell, act, set the timer. A turn that has to
 * be made durable suspends the account; whatever arrives meanwhile queues.
 */

struct turn *turn_new(struct engine_account *account, enum event_kind kind)
{
    struct turn *turn = calloc(1, sizeof(*turn));

    if (!turn) {
        /* A lost completion would leave the account waiting for ever; a restart does not. */
        engine_fault(account->engine, "out of memory");
        abort();
    }
    list_init(&turn->link);
    turn->event.kind = kind;
    return turn;
}

void turn_free(struct turn *turn)
{
    free(turn);
}

void turn_fail(struct turn *turn, const struct failure *failure)
{
    turn->failure = *failure;
    turn->event.failure = &turn->failure;
}

void engine_context(const struct engine_account *account, struct rotation_context *context)
{
    *context = (struct rotation_context){
        .account_id = account->key,
        .policy = account->account->policy,
        .timing = &account->config->timing,
        .targets = account->targets,
        .target_count = account->account->destination_count,
        .has_adopt_active = account->account->has_adopt_active,
        .adopt_active = account->account->adopt_active,
        .daemon_started_at = account->engine->started_at,
        .hold = hold_list_binding(&account->engine->holds, account->key,
                                  loop_now(account->engine->parts.loop)),
    };
}

bool engine_account_is_quiet(const struct engine_account *account)
{
    return !account->saving && !account->acting && list_empty(&account->queue);
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

static void step(struct engine_account *account, struct turn *turn)
{
    struct rotation_context context;
    struct record next = account->record;
    struct record before;

    turn->event.now = loop_now(account->engine->parts.loop);
    if (crypto_uuid(turn->uuid) == 0)
        turn->event.fresh_uuid = turn->uuid;
    if (turn->event.command)
        turn->event.command = &turn->command;
    if (turn->event.kind == EVENT_HELD)
        turn->event.hold = &turn->hold;
    engine_expire_holds(account->engine);
    engine_context(account, &context);
    rotation_step(&context, &next, &turn->event, &turn->effects);
    if (turn->effects.fault) {
        engine_fault(account->engine, turn->effects.fault);
        return;
    }
    before = account->record;
    account->record = next;
    report_ended(account, &before);
    if (turn->event.command)
        command_name_account(account, turn);
    trace_moves(account, &turn->effects);
}

static void carry_out(struct engine_account *account, struct turn *turn)
{
    const struct effects *effects = &turn->effects;

    report_notes(account, turn);
    if (turn->group)
        command_answered(account, turn);
    if (effects->action.kind != ACTION_NONE && !account->draining)
        action_start(account, &effects->action);
    else if (effects->forget_keys && !account->acting)
        action_forget_keys(account);
    timer_set(&account->timer, account->draining ? TIME_NEVER : effects->wake_at);
}

static void on_saved(void *context)
{
    struct engine_account *account = context;
    struct turn *turn = account->saving;
    struct turn *persisted;

    account->saving = NULL;
    carry_out(account, turn);
    turn_free(turn);
    /* The machine waits for this before anything else happens to the account. */
    persisted = turn_new(account, EVENT_PERSISTED);
    list_prepend(&account->queue, &persisted->link);
    turn_go_on(account);
}

static void save(struct engine_account *account, struct turn *turn)
{
    struct history_row rows[STORE_HISTORY_PER_SAVE];
    struct history_text texts[STORE_HISTORY_PER_SAVE];
    size_t count = report_history(account, turn, rows, texts);

    account->saving = turn;
    store_save(account->engine->parts.store, account->key, &account->record, rows, count, on_saved,
               account);
}

void turn_go_on(struct engine_account *account)
{
    struct list *link;

    while (!account->saving && !account->waits && !account->engine->faulted &&
           (link = list_pop(&account->queue))) {
        struct turn *turn = container_of(link, struct turn, link);

        if (turn->event.kind == EVENT_WAKE)
            account->wake_queued = false;
        step(account, turn);
        if (account->engine->faulted) {
            turn_free(turn);
            return;
        }
        if (turn->effects.persist) {
            save(account, turn);
        } else {
            carry_out(account, turn);
            turn_free(turn);
        }
    }
    if (!engine_account_is_quiet(account))
        return;
    if (account->removed)
        engine_let_go(account);
    else
        engine_check_stopped(account->engine);
}

void turn_post(struct engine_account *account, struct turn *turn)
{
    list_append(&account->queue, &turn->link);
    turn_go_on(account);
}
