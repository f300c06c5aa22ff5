#include "app/discovery_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/two_key/two_key.h"

#define SUBSCRIPTIONS_API_VERSION "2022-12-01"

struct texts {
    char **items;
    size_t count;
    size_t room;
};

struct discovery_run {
    struct arm_get_parts parts;
    struct config *config; /* a reference: `rule` lives in it */
    const struct discovery_rule *rule;
    struct discovery_book *book;
    uint64_t number;
    struct discovery_listener listener;
    struct deferred begin;
    struct arm_get *get;
    struct texts subscriptions;
    struct texts complete; /* subscriptions that were listed to their ends, in all types */
    size_t subscription;   /* the index of the one that is being listed */
    size_t type;
    bool lacks; /* of that subscription, a list failed */
    size_t pages;
    struct candidate *candidates;
    size_t candidate_count;
    size_t candidate_room;
    struct texts suspects; /* keys */
    size_t suspect;
};

static void texts_add(struct texts *texts, const char *text)
{
    if (texts->count == texts->room) {
        texts->room = texts->room == 0 ? 16 : 2 * texts->room;
        texts->items = must(reallocarray(texts->items, texts->room, sizeof(*texts->items)));
    }
    texts->items[texts->count++] = must_dup(text);
}

static bool texts_hold(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (str_equal_nocase(texts->items[i], text))
            return true;
    return false;
}

static void texts_done(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
}

static const char *present_subscription(const struct discovery_run *run)
{
    return run->subscriptions.items[run->subscription];
}

/* --- what lists show --- */

static char *lower(const char *text)
{
    char *copy = must_dup(text);

    str_lower(copy);
    return copy;
}

static void add_candidate(struct discovery_run *run, const char *key,
                          const struct arm_resource *resource)
{
    if (run->candidate_count == DISCOVERY_NEW_MAX)
        return;
    if (run->candidate_count == run->candidate_room) {
        run->candidate_room = run->candidate_room == 0 ? 64 : 2 * run->candidate_room;
        run->candidates =
            must(reallocarray(run->candidates, run->candidate_room, sizeof(*run->candidates)));
    }
    run->candidates[run->candidate_count++] =
        (struct candidate){.key = must_dup(key),
                           .id = must_dup(resource->id),
                           .location = must_dup(resource->location),
                           .tags = discovery_book_tags(resource)};
}

/* A known account that no longer fits is asked for: a list may be late. */
static void see(struct discovery_run *run, const struct arm_resource *resource)
{
    const struct discovery_rule *rule =
        discovery_find_rule(run->config, run->rule->identity->name, resource);
    char *key = lower(resource->id);
    struct known *known = discovery_book_find(run->book, key);

    if (known && (rule || !str_equal(known->rule, run->rule->name)))
        known->listed_in = run->number;
    if (known && rule)
        run->listener.known(run->listener.context, key, rule, resource);
    else if (!known && rule == run->rule && !discovery_is_explicit(run->config, key))
        add_candidate(run, key, resource);
    free(key);
}

/* --- requests --- */

static void next_list(struct discovery_run *run);
static void ask_suspect(struct discovery_run *run);

static void fail_list(struct discovery_run *run, const char *subscription,
                      const struct failure *failure)
{
    run->lacks = true;
    run->listener.failed(run->listener.context, subscription, failure);
}

static void fail_unreadable(struct discovery_run *run, const char *subscription, const char *what)
{
    struct failure failure;

    failure_set(&failure, REASON_AZURE_ERROR,
                "Azure Resource Manager answered with a list that cannot be used: %s", what);
    failure_set_remedy(&failure,
                       "check what stands between this machine and Azure (proxy, firewall), and "
                       "check cloud.resource_manager");
    fail_list(run, subscription, &failure);
}

static void fetch(struct discovery_run *run, struct arm_get_wish *wish, arm_get_done *done)
{
    wish->identity = run->rule->identity;
    wish->role = "Reader";
    if (wish->reply_maximum == 0)
        wish->reply_maximum = ARM_PAGE_MAX;
    run->get = arm_get(&run->parts, run->config, wish, done, run);
}

/* Asks for the next page where there is one. False: the list has ended, be it by a failure. */
static bool go_on(struct discovery_run *run, const struct arm_page *page, const char *subscription,
                  struct arm_get_wish *wish, arm_get_done *done)
{
    struct err err = {.code = 0};

    wish->link = arm_page_next(page);
    if (!wish->link)
        return false;
    if (++run->pages >= DISCOVERY_PAGES_MAX)
        fail_unreadable(run, subscription, "it has too many pages");
    else if (arm_link_check(wish->link, run->config->cloud.resource_manager, &err) != 0)
        fail_unreadable(run, subscription, err.text);
    else
        fetch(run, wish, done);
    return !!run->get;
}

/* NULL: it has failed, which was reported. */
static struct arm_page *read_page(struct discovery_run *run, const char *subscription,
                                  const struct http_reply *reply, const struct failure *failure)
{
    struct err err = {.code = 0};
    struct arm_page *page = NULL;
    int rc;

    if (failure) {
        fail_list(run, subscription, failure);
        return NULL;
    }
    rc = arm_page_read(buf_str(&reply->body), reply->body.length, &page, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0)
        fail_unreadable(run, subscription, err.text);
    return page;
}

static void list_wish(const struct discovery_run *run, struct arm_get_wish *wish)
{
    *wish = (struct arm_get_wish){
        .subscription_id = present_subscription(run),
        .operation = "listing accounts",
        .action = run->rule->types[run->type]->read_action,
    };
}

static void on_page(void *context, const struct http_reply *reply, const struct failure *failure)
{
    struct discovery_run *run = context;
    const char *subscription = present_subscription(run);
    struct arm_page *page;
    struct arm_get_wish wish;

    run->get = NULL;
    page = read_page(run, subscription, reply, failure);
    for (size_t i = 0; page && i < arm_page_count(page); i++) {
        struct arm_resource resource;

        arm_page_resource(page, i, &resource);
        see(run, &resource);
    }
    list_wish(run, &wish);
    if (page && go_on(run, page, subscription, &wish, on_page)) {
        arm_page_free(page);
        return;
    }
    arm_page_free(page);
    run->type++;
    next_list(run);
}

static void list_type(struct discovery_run *run)
{
    const struct two_key_resource *type = run->rule->types[run->type];
    char *path =
        str_format("/subscriptions/%s/providers/%s", present_subscription(run), type->type);
    struct arm_get_wish wish;

    list_wish(run, &wish);
    wish.path = must(path);
    wish.api_version = config_api_version(run->config, type);
    fetch(run, &wish, on_page);
    free(path);
}

/* --- suspects --- */

static char *subscription_of(const char *id)
{
    const char *begin = id + strlen("/subscriptions/");

    return must(str_dup_n(begin, strcspn(begin, "/")));
}

/* What a whole list lacks, or shows as another than the rule wants. */
static void collect_suspects(struct discovery_run *run)
{
    for (size_t i = 0; i < run->book->count && run->suspects.count < DISCOVERY_SUSPECTS_MAX; i++) {
        const struct known *known = &run->book->items[i];
        char *subscription = subscription_of(known->id);

        if (str_equal(known->rule, run->rule->name) && known->listed_in != run->number &&
            texts_hold(&run->complete, subscription))
            texts_add(&run->suspects, known->key);
        free(subscription);
    }
}

static void see_suspect(struct discovery_run *run, const char *key, const struct http_reply *reply)
{
    struct arm_resource resource;
    struct arm_page *page = NULL;
    struct err err = {.code = 0};
    const int rc =
        arm_resource_read(buf_str(&reply->body), reply->body.length, &page, &resource, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0 && str_equal_nocase(resource.id, key))
        run->listener.known(run->listener.context, key,
                            discovery_find_rule(run->config, run->rule->identity->name, &resource),
                            &resource);
    arm_page_free(page);
}

/* Whatever else it answers, the account stays. */
static void on_suspect(void *context, const struct http_reply *reply, const struct failure *failure)
{
    struct discovery_run *run = context;
    const char *key = run->suspects.items[run->suspect];

    run->get = NULL;
    if (!failure)
        see_suspect(run, key, reply);
    else if (reply && reply->status == 404 &&
             arm_says_gone(buf_str(&reply->body), reply->body.length))
        run->listener.gone(run->listener.context, key);
    run->suspect++;
    ask_suspect(run);
}

static void ask_suspect(struct discovery_run *run)
{
    const struct known *known = NULL;
    const struct two_key_resource *type;
    struct arm_get_wish wish = {.operation = "reading the account"};
    char *subscription;

    while (run->suspect < run->suspects.count &&
           !(known = discovery_book_find(run->book, run->suspects.items[run->suspect])))
        run->suspect++;
    type = known ? two_key_resource_find(known->id) : NULL;
    if (!known || !type) {
        run->listener.ended(run->listener.context);
        return;
    }
    subscription = subscription_of(known->id);
    wish.subscription_id = subscription;
    wish.path = known->id;
    wish.api_version = config_api_version(run->config, type);
    wish.action = type->read_action;
    fetch(run, &wish, on_suspect);
    free(subscription);
}

/* --- the order of things --- */

static void next_subscription(struct discovery_run *run)
{
    if (!run->lacks) {
        texts_add(&run->complete, present_subscription(run));
        run->listener.listed(run->listener.context, present_subscription(run));
    }
    run->subscription++;
    run->type = 0;
    run->lacks = false;
}

static void next_list(struct discovery_run *run)
{
    while (run->subscription < run->subscriptions.count && run->type == run->rule->type_count)
        next_subscription(run);
    if (run->subscription < run->subscriptions.count) {
        list_type(run);
        return;
    }
    collect_suspects(run);
    ask_suspect(run);
}

static void on_subscriptions(void *context, const struct http_reply *reply,
                             const struct failure *failure)
{
    struct discovery_run *run = context;
    struct arm_get_wish wish = {.subscription_id = "",
                                .operation = "listing subscriptions",
                                .action = "Microsoft.Resources/subscriptions/read"};
    struct arm_page *page;

    run->get = NULL;
    page = read_page(run, NULL, reply, failure);
    for (size_t i = 0; page && i < arm_page_count(page); i++) {
        const char *id = arm_page_subscription(page, i);

        if (id && !texts_hold(&run->subscriptions, id) &&
            run->subscriptions.count < DISCOVERY_SUBSCRIPTIONS_MAX)
            texts_add(&run->subscriptions, id);
    }
    if (page && go_on(run, page, NULL, &wish, on_subscriptions)) {
        arm_page_free(page);
        return;
    }
    if (page && !run->lacks && run->subscriptions.count > 0)
        run->listener.listed(run->listener.context, NULL);
    arm_page_free(page);
    run->lacks = false;
    next_list(run);
}

static void begin(struct deferred *deferred)
{
    struct discovery_run *run = container_of(deferred, struct discovery_run, begin);
    struct arm_get_wish wish = {.subscription_id = "",
                                .path = "/subscriptions",
                                .api_version = SUBSCRIPTIONS_API_VERSION,
                                .operation = "listing subscriptions",
                                .action = "Microsoft.Resources/subscriptions/read"};

    for (size_t i = 0; i < run->rule->subscription_count; i++)
        texts_add(&run->subscriptions, run->rule->subscriptions[i]);
    if (run->rule->subscription_count > 0)
        next_list(run);
    else
        fetch(run, &wish, on_subscriptions);
}

struct discovery_run *discovery_run_new(const struct arm_get_parts *parts, struct config *config,
                                        const struct discovery_rule *rule,
                                        struct discovery_book *book, uint64_t number,
                                        const struct discovery_listener *listener)
{
    struct discovery_run *run = must_alloc(sizeof(*run));

    run->parts = *parts;
    run->config = config_ref(config);
    run->rule = rule;
    run->book = book;
    run->number = number;
    run->listener = *listener;
    deferred_init(&run->begin, begin);
    loop_defer(parts->loop, &run->begin);
    return run;
}

void discovery_run_free(struct discovery_run *run)
{
    if (!run)
        return;
    loop_defer_cancel(&run->begin);
    arm_get_cancel(run->get);
    for (size_t i = 0; i < run->candidate_count; i++) {
        free(run->candidates[i].key);
        free(run->candidates[i].id);
        free(run->candidates[i].location);
        free(run->candidates[i].tags);
    }
    free(run->candidates);
    texts_done(&run->subscriptions);
    texts_done(&run->complete);
    texts_done(&run->suspects);
    config_unref(run->config);
    free(run);
}

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct candidate *)left)->key, ((const struct candidate *)right)->key);
}

const struct candidate *discovery_run_candidates(struct discovery_run *run, size_t *ret_count)
{
    size_t kept = 0;

    if (run->candidate_count > 0)
        qsort(run->candidates, run->candidate_count, sizeof(*run->candidates), compare);
    /* A page can show again what the page before it has shown. */
    for (size_t i = 0; i < run->candidate_count; i++) {
        if (kept > 0 && str_equal(run->candidates[kept - 1].key, run->candidates[i].key)) {
            free(run->candidates[i].key);
            free(run->candidates[i].id);
            free(run->candidates[i].location);
            free(run->candidates[i].tags);
            continue;
        }
        run->candidates[kept++] = run->candidates[i];
    }
    run->candidate_count = kept;
    *ret_count = kept;
    return run->candidates;
}

size_t discovery_run_subscriptions(const struct discovery_run *run)
{
    return run->subscriptions.count;
}
