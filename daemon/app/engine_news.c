#include "app/engine_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/notifier.h"
#include "proto/news.h"
#include "proto/remedy.h"
#include "proto/two_key/two_key.h"

enum {
    ITEMS_MAX = 256, /* that wait for one notifier; later ones are dropped */
    ATTEMPTS_MAX = 4 /* for each of them */
};

/* How often planned rotations are looked through. */
#define UPCOMING_EVERY MS_MINUTE

/* One piece of news for one notifier. It outlives its account and its configuration. */
struct news_item {
    struct list link; /* in news->items, oldest first */
    struct engine_news *news;
    char *notifier; /* the name of its target */
    char *account;
    char *event;
    char *json;
    char id[UUID_TEXT_MAX];
    time_ms at;
    unsigned attempts;
    bool sending;
    time_ms retry_at;
};

struct engine_news {
    struct engine *engine;
    struct list items;
    size_t count;
    unsigned full; /* notifiers of which that was logged: bits of their indices */
    struct timer timer;
    char *names[NOTIFIERS_MAX]; /* of the notifiers, in the order of account->told_upcoming */
};

static void free_item(struct news_item *item)
{
    list_remove(&item->link);
    item->news->count--;
    free(item->notifier);
    free(item->account);
    free(item->event);
    free(item->json);
    free(item);
}

/* --- sending --- */

static void log_dropped(const struct news_item *item, const struct failure *failure)
{
    struct engine *engine = item->news->engine;
    const struct remedy_words words = {.account = item->account,
                                       .socket = engine->parts.control_socket};
    char remedy[REMEDY_MAX];
    struct log_line line;

    remedy_expand(failure->remedy, &words, remedy, sizeof(remedy));
    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_WARNING, "notification.dropped",
                   "%s: target %s could not be told of %s, and is not told any more: %s",
                   item->account, item->notifier, item->event, failure->text);
    log_line_text(&line, "account", item->account);
    log_line_text(&line, "target", item->notifier);
    log_line_number(&line, "attempt", item->attempts);
    log_line_text(&line, "reason", reason_describe(failure->reason)->name);
    log_line_text(&line, "error_code", str_or_null(failure->error_code));
    log_line_text(&line, "remedy", str_or_null(remedy));
    log_emit(engine->parts.log, &line);
}

static void log_output(const struct news_item *item, const char *output)
{
    const struct engine *engine = item->news->engine;
    struct log_line line;

    if (!output || !log_enabled(engine->parts.log, LEVEL_INFO))
        return;
    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_INFO, "notification.output",
                   "%s: target %s, when it was told of %s, wrote", item->account, item->notifier,
                   item->event);
    log_line_text(&line, "account", item->account);
    log_line_text(&line, "target", item->notifier);
    log_line_text(&line, "output", output);
    log_emit(engine->parts.log, &line);
}

/* Once, four times and sixteen times retry_initial. */
static duration_ms wait_after(const struct config *config, unsigned attempts)
{
    const struct timing *timing = &config->timing;
    const duration_ms wait = timing->retry_initial << (2 * (attempts - 1));

    return wait < timing->retry_max ? wait : timing->retry_max;
}

static void run_soon(struct engine_news *news)
{
    timer_set_delay(&news->timer, 0);
}

static void on_told(void *context, struct target_result *result)
{
    struct news_item *item = context;
    struct engine_news *news = item->news;
    const struct failure *failure = result->failure;

    item->sending = false;
    log_output(item, result->output);
    if (failure && failure->reason == REASON_NOT_YET)
        failure = NULL; /* it has been accepted */
    item->attempts++;
    if (failure && !result->canceled && !news->engine->stopping && item->attempts < ATTEMPTS_MAX) {
        item->retry_at = time_add(loop_now(news->engine->parts.loop),
                                  wait_after(news->engine->config, item->attempts));
    } else {
        if (failure)
            log_dropped(item, failure);
        free_item(item);
    }
    run_soon(news);
}

static void send_item(struct news_item *item, const struct notifier *notifier)
{
    const struct target_news news = {
        .id = item->id,
        .event = item->event,
        .account = item->account,
        .json = item->json,
        .at = item->at,
    };

    item->sending = true;
    target_tell(&item->news->engine->targets, &notifier->destination, &news, on_told, item);
}

static size_t find_notifier(const struct config *config, const char *name)
{
    size_t i = 0;

    while (i < config->notifier_count && !str_equal(config->notifiers[i].destination.name, name))
        i++;
    return i;
}

/* A wait that is longer than any comes from a clock that was set back. */
static bool is_due(const struct config *config, const struct news_item *item, time_ms now)
{
    return item->retry_at <= now || item->retry_at - now > wait_after(config, item->attempts);
}

/* Sends the oldest news of each notifier. Returns when the next attempt may be made, in ms. */
static duration_ms send_next(struct engine_news *news)
{
    const struct config *config = news->engine->config;
    const time_ms now = loop_now(news->engine->parts.loop);
    unsigned seen = 0;
    duration_ms next = TIME_NEVER;

    list_for_each_entry (item, &news->items, struct news_item, link) {
        const size_t i = find_notifier(config, item->notifier);

        if (item->sending) {
            seen |= 1U << i;
        } else if (i == config->notifier_count || (news->engine->stopping && item->attempts > 0)) {
            free_item(item);
        } else if ((seen & 1U << i) == 0) {
            seen |= 1U << i;
            if (is_due(config, item, now))
                send_item(item, &config->notifiers[i]);
            else
                next = time_min(next, item->retry_at - now);
        }
    }
    news->full &= seen;
    return next;
}

/* --- news --- */

static char *compose(const struct engine_account *account, const struct news *what)
{
    const struct account *subject = account->account;
    const struct two_key_resource *type = two_key_resource_find(subject->id);
    char *resource_id = must(str_dup_n(subject->id, two_key_resource_length(subject->id)));
    struct rotation_view view;
    struct buf out;
    char *json;

    engine_account_view(account, &view);
    buf_init(&out, NEWS_MAX);
    (void)news_write(
        &(struct news_form){
            .event = what->event,
            .time = loop_now(account->engine->parts.loop),
            .account = subject->name,
            .resource_group = subject->resource_group,
            .subscription_id = subject->subscription_id,
            .resource_id = resource_id,
            .pair = type ? type->pair : NULL,
            .state = account_state_name(view.state),
            .overdue = view.overdue,
            .consumers_at_risk = view.consumers_at_risk,
            .reason = what->reason,
            .text = what->text,
            .remedy = what->remedy,
            .since = what->since,
            .next_at = view.next_at,
            .cycle = account->record.cycle,
        },
        &out);
    json = must(buf_take(&out)); /* it is within NEWS_MAX */
    buf_done(&out);
    free(resource_id);
    return json;
}

static size_t count_items(const struct engine_news *news, const char *notifier)
{
    size_t count = 0;

    list_for_each_entry (item, &news->items, const struct news_item, link)
        count += str_equal(item->notifier, notifier) ? 1 : 0;
    return count;
}

static void log_full(struct engine_news *news, const struct engine_account *account,
                     const char *event, const char *notifier)
{
    const unsigned bit = 1U << find_notifier(news->engine->config, notifier);
    struct log_line line;

    if ((news->full & bit) != 0)
        return;
    news->full |= bit;
    log_line_start(&line, loop_now(news->engine->parts.loop), LEVEL_WARNING, "notification.dropped",
                   "%s: target %s is not told of %s, nor of what follows, because %d notifications "
                   "wait for it",
                   account->account->name, notifier, event, ITEMS_MAX);
    log_line_text(&line, "account", account->account->name);
    log_line_text(&line, "target", notifier);
    log_line_text(&line, "remedy",
                  "see why it takes none: earlier lines of notification.dropped say it, or will");
    log_emit(news->engine->parts.log, &line);
}

/* Returns NULL where it is dropped. */
static struct news_item *add(const struct engine_account *account, const struct notifier *notifier,
                             const struct news *what)
{
    struct engine_news *news = account->engine->news;
    struct news_item *item;

    if (count_items(news, notifier->destination.name) >= ITEMS_MAX) {
        log_full(news, account, what->event, notifier->destination.name);
        return NULL;
    }
    item = must_alloc(sizeof(*item));
    item->news = news;
    item->notifier = must_dup(notifier->destination.name);
    item->account = must_dup(account->account->name);
    item->event = must_dup(what->event);
    item->json = compose(account, what);
    item->at = loop_now(account->engine->parts.loop);
    (void)crypto_uuid(item->id);
    list_init(&item->link);
    list_append(&news->items, &item->link);
    news->count++;
    run_soon(news);
    return item;
}

void engine_news_add(const struct engine_account *account, unsigned event, const struct news *what)
{
    const struct engine *engine = account->engine;

    for (size_t i = 0; engine->news && !engine->stopping && i < engine->config->notifier_count; i++)
        if ((engine->config->notifiers[i].events & event) != 0)
            (void)add(account, &engine->config->notifiers[i], what);
}

unsigned engine_news_event(enum note_kind kind)
{
    static const unsigned events[NOTE_COUNT] = {
        [NOTE_BLOCKED] = NOTIFY_BLOCKED,           [NOTE_UNBLOCKED] = NOTIFY_RECOVERED,
        [NOTE_ROTATION_OVERDUE] = NOTIFY_OVERDUE,  [NOTE_ROTATION_COMPLETED] = NOTIFY_COMPLETED,
        [NOTE_CONSUMERS_AT_RISK] = NOTIFY_AT_RISK, [NOTE_CONSUMERS_SAFE] = NOTIFY_RECOVERED,
    };

    return events[kind];
}

void engine_news_caught_up(const struct engine_account *account)
{
    char text[256];

    snprintf(text, sizeof(text), "%s: its rotation is no longer overdue", account->account->name);
    engine_news_add(
        account, NOTIFY_RECOVERED,
        &(struct news){.event = "rotation.caught_up", .text = text, .since = TIME_NEVER});
}

/* --- rotations that are planned --- */

/* The same after each start of the daemon, so that a receiver sees that it has been told before. */
static void name_upcoming(struct news_item *item, const char *resource_id, time_ms due_at)
{
    uint64_t hash = hash_bytes(HASH_START, item->notifier, strlen(item->notifier) + 1);

    hash = hash_folded_text(hash, resource_id);
    (void)snprintf(item->id, sizeof(item->id), "%016" PRIx64 "-%" PRId64, hash, due_at);
}

static void add_upcoming(const struct engine_account *account, const struct notifier *notifier,
                         time_ms due_at)
{
    char text[256], at[DATE_TEXT_MAX];
    struct news_item *item;

    snprintf(text, sizeof(text), "%s: its next rotation begins at %s", account->account->name,
             date_to_rfc3339(due_at, at));
    item = add(account, notifier,
               &(struct news){.event = "rotation.upcoming", .text = text, .since = TIME_NEVER});
    if (item)
        name_upcoming(item, account->account->id, due_at);
}

/* When it begins, which a hold may have put off; TIME_NEVER: nobody knows, or right now. */
static time_ms begins_at(const struct engine_account *account, time_ms now)
{
    struct rotation_view view;

    engine_account_view(account, &view);
    return view.stuck || view.next_at <= now ? TIME_NEVER : view.next_at;
}

/* Returns how long nothing is to be told of it. Costly only where it is to be told. */
static duration_ms tell_upcoming(struct engine_account *account, time_ms now)
{
    const struct config *config = account->engine->config;
    const time_ms due_at = account->record.due_at;
    duration_ms wait = TIME_NEVER;
    time_ms at = 0;

    if (!account->record.adopted || !account->account->policy->rotate || due_at <= now)
        return wait;
    if (account->told_due_at != due_at)
        account->told_upcoming = 0;
    account->told_due_at = due_at;
    for (size_t i = 0; i < config->notifier_count; i++) {
        const struct notifier *notifier = &config->notifiers[i];

        if ((notifier->events & NOTIFY_UPCOMING) == 0 || (account->told_upcoming & 1U << i) != 0)
            continue;
        if (due_at - notifier->ahead <= now && at == 0)
            at = begins_at(account, now);
        if (time_max(due_at, at) - notifier->ahead > now) {
            wait = time_min(wait, time_max(due_at, at) - notifier->ahead - now);
            continue;
        }
        account->told_upcoming |= 1U << i;
        add_upcoming(account, notifier, at);
    }
    return wait;
}

/* Returns when the next one may have to be told, in ms: the clock may be set meanwhile. */
static duration_ms tell_all_upcoming(struct engine *engine)
{
    const struct config *config = engine->config;
    duration_ms next = UPCOMING_EVERY;
    bool wanted = false;

    for (size_t i = 0; i < config->notifier_count; i++)
        wanted = wanted || (config->notifiers[i].events & NOTIFY_UPCOMING) != 0;
    if (!wanted || engine->stopping)
        return TIME_NEVER;
    for (size_t i = 0; i < engine->account_count; i++)
        next = time_min(next, tell_upcoming(engine->accounts[i], loop_now(engine->parts.loop)));
    return next;
}

void engine_news_planned(const struct engine_account *account)
{
    if (account->engine->news)
        run_soon(account->engine->news);
}

static void on_timer(struct timer *timer)
{
    struct engine_news *news = container_of(timer, struct engine_news, timer);
    struct engine *engine = news->engine;
    const duration_ms next_upcoming = tell_all_upcoming(engine);
    const duration_ms next = time_min(next_upcoming, send_next(news));

    if (next != TIME_NEVER)
        timer_set_delay(timer, next);
    if (news->count == 0)
        engine_run_soon(engine); /* it may be waiting for that, to stop */
}

/* --- life --- */

/* The bits of notifiers that stand at another place now. */
static unsigned renumber(const struct engine_news *news, const struct config *config, unsigned told)
{
    unsigned now = 0;

    for (size_t i = 0; i < config->notifier_count; i++)
        for (size_t k = 0; k < NOTIFIERS_MAX && news->names[k]; k++)
            if ((told & 1U << k) != 0 &&
                str_equal(news->names[k], config->notifiers[i].destination.name))
                now |= 1U << i;
    return now;
}

static void forget_names(struct engine_news *news)
{
    for (size_t i = 0; i < NOTIFIERS_MAX; i++) {
        free(news->names[i]);
        news->names[i] = NULL;
    }
}

static void take_names(struct engine_news *news)
{
    const struct engine *engine = news->engine;
    const struct config *config = engine->config;

    for (size_t i = 0; i < engine->account_count; i++)
        engine->accounts[i]->told_upcoming =
            renumber(news, config, engine->accounts[i]->told_upcoming);
    news->full = renumber(news, config, news->full);
    forget_names(news);
    for (size_t i = 0; i < config->notifier_count; i++)
        news->names[i] = must_dup(config->notifiers[i].destination.name);
}

/* Who could not be told shows now, and not when there is trouble to tell of. */
struct probe {
    struct engine *engine;
    char *notifier;
};

static void on_probed(void *context, struct target_result *result)
{
    struct probe *probe = context;
    const struct failure *failure = result->failure;
    struct engine *engine = probe->engine;
    const struct remedy_words words = {.socket = engine->parts.control_socket};
    char remedy[REMEDY_MAX];
    struct log_line line;

    if (failure && !result->canceled && !engine->stopping) {
        remedy_expand(failure->remedy, &words, remedy, sizeof(remedy));
        log_line_start(&line, loop_now(engine->parts.loop), LEVEL_WARNING, "notification.unready",
                       "target %s could not be told of troubles now: %s", probe->notifier,
                       failure->text);
        log_line_text(&line, "target", probe->notifier);
        log_line_text(&line, "reason", reason_describe(failure->reason)->name);
        log_line_text(&line, "error_code", str_or_null(failure->error_code));
        log_line_text(&line, "remedy", str_or_null(remedy));
        log_emit(engine->parts.log, &line);
    }
    free(probe->notifier);
    free(probe);
}

static void probe_notifiers(struct engine *engine)
{
    for (size_t i = 0; i < engine->config->notifier_count; i++) {
        const struct destination *destination = &engine->config->notifiers[i].destination;
        struct probe *probe = must_alloc(sizeof(*probe));

        probe->engine = engine;
        probe->notifier = must_dup(destination->name);
        target_probe(&engine->targets, destination, NULL, on_probed, probe);
    }
}

void engine_news_configure(struct engine *engine)
{
    struct engine_news *news = engine->news;

    if (!news && engine->config->notifier_count > 0) {
        news = must_alloc(sizeof(*news));
        news->engine = engine;
        list_init(&news->items);
        timer_init(engine->parts.loop, &news->timer, on_timer);
        engine->news = news;
    }
    if (news) {
        take_names(news);
        probe_notifiers(engine);
        run_soon(news);
    }
}

bool engine_news_is_quiet(const struct engine *engine)
{
    return !engine->news || engine->news->count == 0;
}

void engine_news_stop(struct engine *engine)
{
    if (engine->news)
        run_soon(engine->news);
}

void engine_news_give_up(struct engine *engine)
{
    if (!engine->news)
        return;
    list_for_each_entry (item, &engine->news->items, struct news_item, link)
        if (!item->sending)
            free_item(item);
    run_soon(engine->news);
}

static void on_timer_closed(struct timer *timer)
{
    struct engine_news *news = container_of(timer, struct engine_news, timer);

    forget_names(news);
    free(news);
}

void engine_news_free(struct engine *engine)
{
    if (engine->news)
        timer_close(&engine->news->timer, on_timer_closed);
    engine->news = NULL;
}
