#include "app/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

void engine_fault(struct engine *engine, const char *what)
{
    if (engine->faulted)
        return;
    engine->faulted = true;
    engine->parts.faulted(engine->parts.context, what);
}

/* --- the queue --- */

void engine_run_soon(struct engine *engine)
{
    loop_defer(engine->parts.loop, &engine->ready_call);
}

static bool has_waiting(const struct engine_account *account)
{
    return account->pending != 0 || !list_empty(&account->queue);
}

bool engine_account_is_quiet(const struct engine_account *account)
{
    return !account->saving && !account->acting && !has_waiting(account);
}

void engine_account_make_ready(struct engine_account *account)
{
    struct engine *engine = account->engine;

    if (!account->busy)
        engine->busy++;
    account->busy = true;
    if (list_empty(&account->ready_link))
        list_append(&engine->ready, &account->ready_link);
    engine_run_soon(engine);
}

void engine_account_post(struct engine_account *account, enum event_kind kind)
{
    account->pending |= 1U << kind;
    engine_account_make_ready(account);
}

void engine_account_post_jump(struct engine_account *account, duration_ms jump)
{
    account->jump += jump;
    engine_account_post(account, EVENT_CLOCK_JUMPED);
}

void engine_account_post_transaction(struct engine_account *account,
                                     struct transaction *transaction)
{
    list_append(&account->queue, &transaction->link);
    engine_account_make_ready(account);
}

/* --- life --- */

static void on_timer(struct timer *timer)
{
    engine_account_post(container_of(timer, struct engine_account, timer), EVENT_WAKE);
}

void engine_account_configure(struct engine_account *account, struct config *config,
                              const struct account *subject)
{
    struct config *before = account->config;

    account->config = config_ref(config);
    account->account = subject;
    account->azure.account = subject;
    memset(account->holdings, 0, sizeof(account->holdings)); /* HOLDING_UNSEEN */
    memset(account->held_marks, 0, sizeof(account->held_marks));
    for (size_t i = 0; i < subject->destination_count && i < TARGETS_MAX; i++) {
        const struct destination *destination = &subject->destinations[i];

        /* Named without the location, which is the same for ever: the name must not depend on
         * whether Azure has been asked yet. */
        account->targets[i] = (struct rotation_target){
            .id = target_identify(destination),
            .required = destination->required,
            .readable = target_is_readable(destination),
            .settles_at_once = target_settles_at_once(destination),
            .follows =
                destination->after ? (size_t)(destination->after - subject->destinations) + 1 : 0,
        };
    }
    config_unref(before);
}

struct engine_account *engine_account_new(struct engine *engine, struct config *config,
                                          const struct account *subject)
{
    struct engine_account *account = must_alloc(sizeof(*account));

    account->engine = engine;
    account->key = must_dup(subject->key);
    list_init(&account->leaving_link);
    list_init(&account->pair_link);
    list_init(&account->ready_link);
    list_init(&account->queue);
    list_init(&account->seen_keys);
    list_init(&account->calling_link);
    list_init(&account->standing.unwell_link);
    account->last_failure_at = TIME_NEVER;
    timer_init(engine->parts.loop, &account->timer, on_timer);
    engine_account_configure(account, config, subject);
    return account;
}

void engine_account_free(struct engine_account *account)
{
    config_unref(account->config);
    free(account->key);
    free(account->operation_url);
    free(account->neighbours);
    free(account);
}

/* --- what the machine works with --- */

static void describe_delivery(const struct engine_account *account,
                              struct delivery_under_way *under_way)
{
    const struct engine_part *part = &account->parts[0];

    if (!account->acting || account->acting->event.kind != EVENT_DELIVERED || !part->job)
        return;
    *under_way = (struct delivery_under_way){
        .target = part->id, .required = part->required, .began_at = account->acting_since};
}

void engine_account_context(const struct engine_account *account, struct rotation_context *context)
{
    *context = (struct rotation_context){
        .account_id = account->key,
        .policy = account->account->policy,
        .timing = &account->config->timing,
        .targets = account->targets,
        .target_count = account->account->destination_count,
        .has_adopt_active = account->account->has_adopt_active,
        .adopt_active = account->account->adopt_active,
        .presumes_active = account->account->presumes_active,
        .refused = !!account->account->problem,
        .regenerate_takes = account->account->regenerate_takes,
        .list_delay = account->account->list_delay,
        .daemon_started_at = account->engine->started_at,
        .hold = hold_list_binding(&account->engine->holds, account->key,
                                  loop_now(account->engine->parts.loop)),
    };
    describe_delivery(account, &context->under_way);
    engine_pair_describe(account, context);
    engine_whole_describe(account, context);
}

void engine_account_view(const struct engine_account *account, struct rotation_view *view)
{
    struct rotation_context context;

    engine_account_context(account, &context);
    rotation_view(&context, &account->record, loop_now(account->engine->parts.loop), view);
}

time_ms engine_account_due_since(const struct engine_account *account)
{
    struct rotation_context context;

    engine_account_context(account, &context);
    return rotation_due_since(&context, &account->record, loop_now(account->engine->parts.loop));
}

void engine_account_view_for_people(const struct engine_account *account,
                                    struct rotation_view *view)
{
    duration_ms wait;

    engine_account_view(account, view);
    /* What keeps it from finding out how it is. What blocks it stays the more important thing. */
    if (account->call && view->state != STATE_BLOCKED &&
        azure_call_is_throttled(account->call, &wait)) {
        view->state = STATE_RETRYING;
        view->reason = REASON_THROTTLED;
        view->since = 0;
        view->retry_at = time_add(loop_now(account->engine->parts.loop), wait);
    }
}

const struct destination *engine_account_destination(const struct engine_account *account,
                                                     const struct target_id *id)
{
    for (size_t i = 0; i < account->account->destination_count && i < TARGETS_MAX; i++)
        if (target_id_equal(&account->targets[i].id, id))
            return &account->account->destinations[i];
    return NULL;
}

bool engine_account_requires(const struct engine_account *account, const struct target_id *id)
{
    const struct destination *destination = engine_account_destination(account, id);

    return destination && destination->required;
}
