#include "design_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/schedule.h"

const struct design *const designs_of_the_field[] = {
    &design_parity_in_memory,
    &design_tag_with_default,
    &design_both_back_to_back,
    &design_publish_before_verify,
    &design_abort_and_start_over,
    &design_retry_on_timeout,
    &design_no_overlap,
    &design_fire_and_forget,
    &design_ask_the_target,
    &design_rotate_at_start,
    NULL,
};

static void on_closed(struct timer *timer);

/* Nothing is under way any more: frees the accounts, and with the last of them the process. */
static void check_stopped(struct field_daemon *daemon)
{
    if (!daemon->stopping)
        return;
    list_for_each (link, &daemon->accounts)
        if (container_of(link, struct field_account, link)->busy)
            return;
    if (list_empty(&daemon->accounts))
        loop_defer(daemon->parts.loop, &daemon->stopped_call);
    list_for_each (link, &daemon->accounts)
        timer_close(&container_of(link, struct field_account, link)->timer, on_closed);
}

static void on_closed(struct timer *timer)
{
    struct field_account *account = container_of(timer, struct field_account, timer);
    struct field_daemon *daemon = account->daemon;

    list_remove(&account->link);
    config_unref(account->config);
    azure_account_done(&account->azure);
    free(account->key);
    free(account);
    check_stopped(daemon);
}

static void run_stopped(struct deferred *deferred)
{
    struct field_daemon *daemon = container_of(deferred, struct field_daemon, stopped_call);

    daemon->stopped(daemon->stopped_context);
}

/* --- the calendar --- */

static time_ms next_at(const struct field_account *account, time_ms now)
{
    const struct policy *policy = account->account->policy;
    time_ms at = (now / policy->rotate_every + 1) * policy->rotate_every;
    time_ms earliest = time_add(account->tag.completed_at, policy->overlap);

    if (!policy->rotate)
        return TIME_NEVER;
    if (account->tag.completed_at != 0 && at < earliest)
        at = earliest;
    return schedule_next_open(policy, at);
}

static void plan(struct field_account *account)
{
    struct field_daemon *daemon = account->daemon;

    if (account->busy)
        return;
    timer_set(&account->timer, account->configured && !daemon->stopping
                                   ? next_at(account, loop_now(daemon->parts.loop))
                                   : TIME_NEVER);
}

void field_job_ended(struct field_account *account, bool done)
{
    struct field_daemon *daemon = account->daemon;

    account->busy = false;
    account->pausing = false;
    azure_account_forget_keys(&account->azure);
    plan(account);
    if (!done && account->configured && !daemon->stopping)
        timer_set(&account->timer, loop_now(daemon->parts.loop) + MS_HOUR);
    check_stopped(daemon);
}

static void on_timer(struct timer *timer)
{
    struct field_account *account = container_of(timer, struct field_account, timer);

    if (account->pausing)
        job_go_on(account);
    else if (!account->busy && account->configured && !account->daemon->stopping)
        job_begin(account);
}

/* --- accounts --- */

static struct field_account *find_account(struct field_daemon *daemon, const char *key)
{
    list_for_each (link, &daemon->accounts) {
        struct field_account *account = container_of(link, struct field_account, link);

        if (strcmp(account->key, key) == 0)
            return account;
    }
    return NULL;
}

static struct field_account *add_account(struct field_daemon *daemon, const char *key)
{
    struct field_account *account = calloc(1, sizeof(*account));

    if (!account)
        abort();
    account->daemon = daemon;
    account->key = str_dup(key);
    record_init(&account->tag);
    timer_init(daemon->parts.loop, &account->timer, on_timer);
    deferred_init(&account->next, job_do_step);
    list_init(&account->link);
    list_append(&daemon->accounts, &account->link);
    return account;
}

static void on_loaded(void *context, const char *account_key, const struct record *record)
{
    add_account(context, account_key)->tag = *record;
}

static void configure_account(struct field_daemon *daemon, struct config *config,
                              const struct account *subject)
{
    struct field_account *account = find_account(daemon, subject->key);

    if (!account)
        account = add_account(daemon, subject->key);
    config_unref(account->config);
    account->config = config_ref(config);
    account->account = subject;
    account->azure.account = subject;
    account->configured = true;
    plan(account);
}

void field_configure(void *context, struct config *config)
{
    struct field_daemon *daemon = context;

    list_for_each (link, &daemon->accounts) {
        struct field_account *account = container_of(link, struct field_account, link);

        account->configured = false;
        if (!account->busy)
            timer_stop(&account->timer);
    }
    for (size_t i = 0; i < config->account_count; i++)
        configure_account(daemon, config, &config->accounts[i]);
    config_ref(config);
    config_unref(daemon->config);
    daemon->config = config;
}

void *field_start(const struct design_parts *parts, const struct recipe *recipe)
{
    struct field_daemon *daemon = calloc(1, sizeof(*daemon));
    struct err err;

    if (!daemon)
        abort();
    daemon->parts = *parts;
    daemon->recipe = recipe;
    list_init(&daemon->accounts);
    deferred_init(&daemon->stopped_call, run_stopped);
    daemon->targets = (struct target_world){
        .loop = parts->loop,
        .fingerprint = store_fingerprint,
        .fingerprint_context = parts->store,
    };
    if (recipe->keeps_tag && store_load(parts->store, on_loaded, daemon, &err) != 0)
        abort();
    field_configure(daemon, parts->config);
    if (recipe->works_at_start)
        list_for_each (link, &daemon->accounts) {
            struct field_account *account = container_of(link, struct field_account, link);

            if (account->configured && account->account->policy->rotate)
                timer_set(&account->timer, loop_now(parts->loop) + MS_MINUTE);
        }
    return daemon;
}

/* --- what happens to the process --- */

void field_clock_jumped(void *context, duration_ms jump)
{
    struct field_daemon *daemon = context;

    (void)jump;
    list_for_each (link, &daemon->accounts)
        plan(container_of(link, struct field_account, link));
}

/* `rotate` works outside the calendar, but not within an overlap that is known of. */
static bool rotate_now(struct field_account *account)
{
    const struct record *tag = &account->tag;
    time_ms now = loop_now(account->daemon->parts.loop);

    if (account->busy || !account->configured || !account->account->policy->rotate ||
        (tag->completed_at != 0 &&
         time_add(tag->completed_at, account->account->policy->overlap) > now))
        return false;
    timer_set(&account->timer, now);
    return true;
}

void field_command(void *context, const struct control_command *command,
                   struct control_request *request)
{
    struct field_daemon *daemon = context;
    struct control_answer answer = {
        .outcome = CONTROL_REFUSED, .message = "not now", .until = TIME_NEVER};

    list_for_each (link, &daemon->accounts) {
        struct field_account *account = container_of(link, struct field_account, link);

        if (command->kind != CONTROL_ROTATE || daemon->stopping ||
            (command->account &&
             (!account->account || strcmp(account->account->name, command->account) != 0)))
            continue;
        if (rotate_now(account)) {
            answer.outcome = CONTROL_ACCEPTED;
            answer.message = "rotating";
        }
    }
    control_answer(request, &answer);
}

void field_stop(void *context, void (*stopped)(void *context), void *stopped_context)
{
    struct field_daemon *daemon = context;

    daemon->stopping = true;
    daemon->stopped = stopped;
    daemon->stopped_context = stopped_context;
    list_for_each (link, &daemon->accounts) {
        struct field_account *account = container_of(link, struct field_account, link);

        timer_stop(&account->timer);
        if (account->pausing)
            field_job_ended(account, false);
    }
    check_stopped(daemon);
}

void field_free(void *context)
{
    struct field_daemon *daemon = context;

    if (!daemon)
        return;
    config_unref(daemon->config);
    free(daemon);
}

bool field_rests(const void *context, const char *account_name, time_ms *ret_wake_at)
{
    const struct field_daemon *daemon = context;

    *ret_wake_at = TIME_NEVER;
    for (const struct list *link = daemon->accounts.next; link != &daemon->accounts;
         link = link->next) {
        const struct field_account *account =
            (const struct field_account *)(const void *)((const char *)link -
                                                         offsetof(struct field_account, link));

        if (!account->account || strcmp(account->account->name, account_name) != 0)
            continue;
        *ret_wake_at = account->timer.at;
        return !account->busy;
    }
    return true;
}
