#include "app/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/discovery_run.h"
#include "app/discovery_tell.h"
#include "app/texts.h"
#include "base/must.h"
#include "base/str.h"

/* What is known of one rule. */
struct rule_state {
    char *name;
    time_ms next_at;
    time_ms listed_at;    /* the end of the last whole listing; TIME_NEVER: none yet */
    bool tried;           /* since the configuration came */
    bool failed;          /* the last time, a list could not be read */
    size_t waiting;       /* for the next listing, by max_new */
    char *asked;          /* where the next listing goes on asking; see discovery_run_asked() */
    struct texts failing; /* subscriptions that could not be listed; "": which there are */
    char error[FAILURE_TEXT_MAX];
};

struct discovery_client {
    struct discovery_client_parts parts;
    struct config *config; /* a reference: the one in force */
    struct discovery_book book;
    struct rule_state rules[DISCOVERY_RULES_MAX]; /* parallel to config->rules */
    size_t rule_count;
    struct timer timer;
    struct discovery_run *run; /* NULL: none is under way */
    size_t running;            /* its rule */
    uint64_t number;
    bool lacks;           /* of the run under way, a list failed */
    struct texts failing; /* as in rule_state, of the run under way */
    size_t added, removed, left;
    time_ms began_at;
    struct discovery *changes; /* rows of the journal; texts owned */
    size_t change_count;
    size_t change_room;
    struct engine_farewell *farewells; /* texts owned */
    size_t farewell_count;
    size_t farewell_room;
    bool stale;      /* the configuration in force lacks something that the book has */
    unsigned saving; /* saves whose end has not been reported */
    bool stopped;
};

static void schedule(struct discovery_client *client);

static time_ms now_of(const struct discovery_client *client)
{
    return loop_now(client->parts.get.loop);
}

static const struct discovery_rule *running_rule(const struct discovery_client *client)
{
    return &client->config->rules[client->running];
}

/* --- what changes --- */

static void note_change(struct discovery_client *client, const struct known *known, bool gone)
{
    struct discovery row = discovery_book_row(known, gone);

    if (client->change_count == client->change_room) {
        client->change_room = client->change_room == 0 ? 64 : 2 * client->change_room;
        client->changes =
            must(reallocarray(client->changes, client->change_room, sizeof(*client->changes)));
    }
    row.account_key = must_dup(row.account_key);
    row.id = must_dup(row.id);
    row.identity = must_dup(row.identity);
    row.rule = must_dup(row.rule);
    row.location = must_dup(row.location);
    row.tags = must_dup(row.tags);
    client->changes[client->change_count++] = row;
}

static void free_changes(struct discovery_client *client)
{
    for (size_t i = 0; i < client->change_count; i++) {
        free((char *)client->changes[i].account_key);
        free((char *)client->changes[i].id);
        free((char *)client->changes[i].identity);
        free((char *)client->changes[i].rule);
        free((char *)client->changes[i].location);
        free((char *)client->changes[i].tags);
    }
    client->change_count = 0;
}

static void free_farewells(struct discovery_client *client)
{
    for (size_t i = 0; i < client->farewell_count; i++) {
        free((char *)client->farewells[i].key);
        free((char *)client->farewells[i].text);
    }
    client->farewell_count = 0;
}

/* Takes it out of the book; it leaves care with the next configuration. */
static void dismiss(struct discovery_client *client, const char *key, const char *text)
{
    struct known *known = discovery_book_find(&client->book, key);

    if (!known)
        return;
    note_change(client, known, true);
    if (client->farewell_count == client->farewell_room) {
        client->farewell_room = client->farewell_room == 0 ? 16 : 2 * client->farewell_room;
        client->farewells = must(
            reallocarray(client->farewells, client->farewell_room, sizeof(*client->farewells)));
    }
    client->farewells[client->farewell_count++] =
        (struct engine_farewell){.key = must_dup(key), .text = must_dup(text)};
    discovery_book_remove(&client->book, key);
    client->removed++;
}

/* --- what a listing tells --- */

/* The first rule wins: one of another identity keeps its account unless this one stands before it.
 */
static bool may_take(const struct discovery_client *client, const struct known *known,
                     const struct discovery_rule *rule)
{
    const struct discovery_rule *owner = discovery_rule_named(client->config, known->rule);

    return !owner || str_equal(owner->identity->name, rule->identity->name) || rule < owner;
}

static void on_known(void *context, const char *key, const struct discovery_rule *rule,
                     const struct arm_resource *resource)
{
    struct discovery_client *client = context;
    const char *identity = running_rule(client)->identity->name;
    struct known *known = discovery_book_find(&client->book, key);

    if (!known || running_rule(client)->dry_run)
        return;
    if (!rule) {
        dismiss(client, key, "no longer matches a rule of `discover`");
        return;
    }
    if (!may_take(client, known, rule) ||
        !discovery_book_differs(known, identity, rule->name, resource))
        return;
    discovery_book_put(&client->book, key, identity, rule->name, resource);
    note_change(client, discovery_book_find(&client->book, key), false);
}

static void on_gone(void *context, const char *key)
{
    struct discovery_client *client = context;

    if (!running_rule(client)->dry_run)
        dismiss(client, key, "no longer exists in Azure");
}

/* --- failures --- */

static struct discovery_teller teller_of(const struct discovery_client *client)
{
    return (struct discovery_teller){.log = client->parts.log,
                                     .now = now_of(client),
                                     .rule = running_rule(client),
                                     .socket = client->config->control_socket};
}

static void on_failed(void *context, const char *subscription, const struct failure *failure)
{
    struct discovery_client *client = context;
    const struct discovery_teller teller = teller_of(client);
    struct rule_state *state = &client->rules[client->running];

    discovery_tell_failed(&teller, subscription, failure);
    client->lacks = true;
    texts_add(&client->failing, subscription ? subscription : "");
    str_copy(state->error, sizeof(state->error), failure->text);
}

static void on_listed(void *context, const char *subscription)
{
    const struct discovery_teller teller = teller_of(context);

    discovery_tell_listed(&teller, subscription);
}

static void on_degraded(void *context, const struct failure *failure)
{
    const struct discovery_teller teller = teller_of(context);

    discovery_tell_degraded(&teller, failure);
}

static bool holds(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (str_equal(texts->items[i], text))
            return true;
    return false;
}

/* What failed before and not again has ended: a subscription may be listed, or be gone. */
static void end_failures(struct discovery_client *client, struct rule_state *state)
{
    const struct discovery_teller teller = teller_of(client);

    for (size_t i = 0; i < state->failing.count; i++)
        if (!holds(&client->failing, state->failing.items[i]))
            discovery_tell_listed(&teller, str_or_null(state->failing.items[i]));
    texts_done(&state->failing);
    state->failing = client->failing;
    client->failing = (struct texts){.count = 0};
}

/* Rules may be others now. What lasts begins again with the next listing. */
static void end_troubles(struct discovery_client *client)
{
    if (client->running < client->rule_count)
        end_failures(client, &client->rules[client->running]); /* takes those of the run */
    for (size_t i = 0; i < client->rule_count; i++) {
        struct discovery_teller teller;

        client->running = i;
        teller = teller_of(client);
        end_failures(client, &client->rules[i]);
        discovery_tell_degraded(&teller, NULL);
        discovery_tell_missing(&teller, 0, 0);
    }
}

/* --- putting it in force --- */

static void fail_apply(struct discovery_client *client, const struct err *err)
{
    struct log_line line;

    log_line_start(&line, now_of(client), LEVEL_ERROR, "discovery.failed",
                   "the accounts that rules have found cannot be put in force: %s", err->text);
    log_line_text(&line, "remedy",
                  "correct it and run `keyrotatectl reload`; accounts under care stay so");
    log_line_lasts(&line, "configuration");
    log_emit(client->parts.log, &line);
}

static void apply(struct discovery_client *client)
{
    struct err err = {.code = 0};
    struct config *expanded = discovery_book_expand(&client->book, client->config, &err);

    if (!expanded) {
        fail_apply(client, &err);
        return;
    }
    log_ended(client->parts.log, now_of(client), "discovery.failed", "configuration", false);
    client->stale = false;
    client->parts.apply(client->parts.context, expanded, client->farewells, client->farewell_count);
    free_farewells(client);
    config_unref(client->config);
    client->config = expanded;
}

static void on_saved(void *context)
{
    struct discovery_client *client = context;

    client->saving--;
    if (client->saving == 0 && client->stale && !client->stopped)
        apply(client);
    schedule(client);
}

static void save(struct discovery_client *client)
{
    if (client->change_count == 0)
        return;
    client->stale = true;
    client->saving++;
    store_save_discoveries(client->parts.store, client->changes, client->change_count, on_saved,
                           client);
    free_changes(client);
}

/* --- the end of a listing --- */

/* Adds what is new, as much as max_new allows. Returns how many wait. */
static size_t add_candidates(struct discovery_client *client)
{
    const struct discovery_rule *rule = running_rule(client);
    size_t count, limit;
    const struct candidate *candidates = discovery_run_candidates(client->run, &count);

    limit = rule->dry_run ? 0 : rule->max_new;
    for (size_t i = 0; i < count && i < limit; i++) {
        const struct candidate *candidate = &candidates[i];

        discovery_book_put_row(&client->book, &(struct discovery){.account_key = candidate->key,
                                                                  .id = candidate->id,
                                                                  .identity = rule->identity->name,
                                                                  .rule = rule->name,
                                                                  .location = candidate->location,
                                                                  .tags = candidate->tags});
        note_change(client, discovery_book_find(&client->book, candidate->key), false);
        client->added++;
    }
    return count > limit ? count - limit : 0;
}

static size_t count_of_rule(const struct discovery_client *client, const char *rule)
{
    size_t count = 0;

    for (size_t i = 0; i < client->book.count; i++)
        count += str_equal(client->book.items[i].rule, rule) ? 1 : 0;
    return count;
}

static void log_completed(struct discovery_client *client, const struct rule_state *state)
{
    const struct discovery_rule *rule = running_rule(client);
    const size_t subscriptions = discovery_run_subscriptions(client->run);
    const size_t accounts = count_of_rule(client, rule->name);
    struct log_line line;

    log_line_start(&line, now_of(client), LEVEL_INFO, "discovery.completed",
                   "rule %s: %zu %s of %zu %s; %zu added, %zu removed, %zu %s", rule->name,
                   accounts, str_plural(accounts, "account", "accounts"), subscriptions,
                   str_plural(subscriptions, "subscription", "subscriptions"), client->added,
                   client->removed, state->waiting,
                   rule->dry_run ? "would be added (dry_run)"
                                 : "wait for the next listing (max_new)");
    log_line_text(&line, "rule", rule->name);
    log_line_text(&line, "by",
                  discovery_run_by_graph(client->run) ? "resource_graph" : "resource_manager");
    log_line_number(&line, "subscriptions", (int64_t)subscriptions);
    log_line_number(&line, "accounts", (int64_t)accounts);
    log_line_number(&line, "added", (int64_t)client->added);
    log_line_number(&line, "removed", (int64_t)client->removed);
    log_line_number(&line, "waiting", (int64_t)state->waiting);
    log_line_number(&line, "duration_ms", now_of(client) - client->began_at);
    log_emit(client->parts.log, &line);
}

/* An identity without a role sees no subscription, and no error. */
static void note_blind(struct discovery_client *client)
{
    struct failure failure = {.reason = REASON_PERMISSION_DENIED};

    if (discovery_run_subscriptions(client->run) > 0 || client->lacks)
        return;
    snprintf(failure.text, sizeof(failure.text), "the identity sees no subscription");
    snprintf(
        failure.remedy, sizeof(failure.remedy),
        "assign the role \"Reader\" to the identity in each subscription that the rule is for");
    on_failed(client, NULL, &failure);
}

static void on_ended(void *context)
{
    struct discovery_client *client = context;
    struct rule_state *state = &client->rules[client->running];
    const struct discovery_rule *rule = running_rule(client);
    const struct discovery_teller teller = teller_of(client);
    size_t missing, unasked;

    note_blind(client);
    end_failures(client, state);
    state->waiting = add_candidates(client) + discovery_run_unread(client->run);
    missing = discovery_run_missing(client->run, &unasked);
    discovery_tell_missing(&teller, missing, unasked);
    if (discovery_run_by_graph(client->run))
        discovery_tell_degraded(&teller, NULL);
    free(state->asked);
    state->asked = must_dup(discovery_run_asked(client->run));
    state->tried = true;
    state->failed = client->lacks;
    state->next_at = time_add(now_of(client), rule->every);
    if (!client->lacks) {
        state->listed_at = now_of(client);
        state->error[0] = '\0';
    }
    log_completed(client, state);
    discovery_run_free(client->run);
    client->run = NULL;
    save(client);
    if (client->saving == 0 && client->stale)
        apply(client);
    schedule(client);
}

/* --- when --- */

static void start_run(struct discovery_client *client, size_t rule)
{
    const struct discovery_listener listener = {
        .context = client,
        .known = on_known,
        .gone = on_gone,
        .failed = on_failed,
        .listed = on_listed,
        .degraded = on_degraded,
        .ended = on_ended,
    };

    client->running = rule;
    client->number++;
    client->lacks = false;
    client->added = 0;
    client->removed = 0;
    client->began_at = now_of(client);
    client->run =
        discovery_run_new(&client->parts.get, client->config, &client->config->rules[rule],
                          &client->book, client->number, client->rules[rule].asked, &listener);
}

/* One listing at a time; what it has changed is in force before the next. */
static void schedule(struct discovery_client *client)
{
    size_t next = 0;

    if (client->stopped)
        return; /* the timer is closed */
    timer_stop(&client->timer);
    if (client->run || client->saving > 0 || client->rule_count == 0)
        return;
    for (size_t i = 1; i < client->rule_count; i++)
        if (client->rules[i].next_at < client->rules[next].next_at)
            next = i;
    if (client->rules[next].next_at <= now_of(client))
        start_run(client, next);
    else
        timer_set(&client->timer, client->rules[next].next_at);
}

static void on_timer(struct timer *timer)
{
    schedule(container_of(timer, struct discovery_client, timer));
}

/* --- life --- */

struct discovery_client *discovery_new(const struct discovery_client_parts *parts)
{
    struct discovery_client *client = must_alloc(sizeof(*client));

    client->parts = *parts;
    timer_init(parts->get.loop, &client->timer, on_timer);
    return client;
}

int discovery_load(struct discovery_client *client, struct err *err)
{
    return discovery_book_load(&client->book, client->parts.store, err);
}

struct config *discovery_expand(const struct discovery_client *client, const struct config *config,
                                struct err *err)
{
    return discovery_book_expand(&client->book, config, err);
}

static void forget_strangers(struct discovery_client *client)
{
    for (size_t i = client->book.count; i > 0; i--) {
        struct known *known = &client->book.items[i - 1];
        const struct discovery_rule *rule = discovery_book_rule(client->config, known);

        if (!rule) {
            note_change(client, known, true);
            discovery_book_remove(&client->book, known->key);
        } else if (discovery_book_assign(known, rule)) {
            note_change(client, known, false);
        }
    }
}

static void free_rules(struct discovery_client *client)
{
    for (size_t i = 0; i < client->rule_count; i++) {
        free(client->rules[i].name);
        free(client->rules[i].asked);
        texts_done(&client->rules[i].failing);
    }
    client->rule_count = 0;
}

void discovery_configure(struct discovery_client *client, struct config *config)
{
    struct config *before = client->config;

    discovery_run_free(client->run);
    client->run = NULL;
    end_troubles(client);
    client->config = config_ref(config);
    config_unref(before);
    free_rules(client);
    for (size_t i = 0; i < config->rule_count; i++)
        client->rules[i] = (struct rule_state){.name = must_dup(config->rules[i].name),
                                               .next_at = now_of(client),
                                               .listed_at = TIME_NEVER};
    client->rule_count = config->rule_count;
    forget_strangers(client);
    free_farewells(client);
    save(client);
    client->stale = false; /* `config` is what the book says */
    schedule(client);
}

void discovery_clock_jumped(struct discovery_client *client, duration_ms jump)
{
    client->began_at = time_add(client->began_at, jump);
    for (size_t i = 0; i < client->rule_count; i++) {
        struct rule_state *state = &client->rules[i];

        state->next_at = time_add(state->next_at, jump);
        if (state->listed_at != TIME_NEVER)
            state->listed_at = time_add(state->listed_at, jump);
    }
    schedule(client);
}

void discovery_stop(struct discovery_client *client)
{
    client->stopped = true;
    discovery_run_free(client->run);
    client->run = NULL;
    timer_close(&client->timer, NULL);
}

void discovery_free(struct discovery_client *client)
{
    if (!client)
        return;
    free_changes(client);
    free(client->changes);
    free_farewells(client);
    free(client->farewells);
    free_rules(client);
    texts_done(&client->failing);
    discovery_book_done(&client->book);
    config_unref(client->config);
    free(client);
}

/* --- what people see --- */

bool discovery_is_settled(const struct discovery_client *client, bool *ret_failed)
{
    bool settled = !client->run && client->saving == 0;

    *ret_failed = client->stale;
    for (size_t i = 0; i < client->rule_count; i++) {
        settled = settled && client->rules[i].tried;
        *ret_failed = *ret_failed || client->rules[i].failed;
    }
    return settled;
}

size_t discovery_snapshot(const struct discovery_client *client, struct rule_snapshot *rules,
                          size_t max)
{
    const size_t count = client->rule_count < max ? client->rule_count : max;

    for (size_t i = 0; i < count; i++) {
        const struct rule_state *state = &client->rules[i];

        rules[i] = (struct rule_snapshot){
            .name = state->name,
            .accounts = count_of_rule(client, state->name),
            .waiting = state->waiting,
            .dry_run = client->config->rules[i].dry_run,
            .listed_at = state->listed_at,
            .next_at = state->next_at,
            .error = str_or_null(state->error),
        };
    }
    return count;
}
