#include "app/discovery_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/circle.h"
#include "app/discovery_candidates.h"
#include "app/discovery_graph.h"
#include "app/discovery_scopes.h"
#include "app/texts.h"
#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/two_key/two_key.h"

#define SUBSCRIPTIONS_API_VERSION "2022-12-01"

struct discovery_run {
    struct arm_get_parts parts;
    struct config *config; /* a reference: `rule` lives in it */
    const struct discovery_rule *rule;
    struct discovery_book *book;
    uint64_t number;
    struct discovery_listener listener;
    struct deferred begin;
    struct arm_get *get;
    struct graph_query *query;
    const char **queried; /* the subscriptions of the query, borrowed from `scopes` */
    size_t queried_count;
    bool by_graph; /* it answered to its end */
    struct scopes scopes;
    size_t scope; /* the index of the one that is being listed */
    size_t type;
    bool lacks; /* of that subscription, a list failed */
    size_t pages;
    struct circle links; /* of the list under way */
    struct candidates candidates;
    struct texts news;     /* ids that Resource Graph shows, and the book lacks */
    size_t unread;         /* of these, the ones that are left to the next listing */
    struct texts suspects; /* ids; these new ones come first */
    size_t suspect;
    size_t missing; /* known accounts */
    size_t unasked; /* of these */
    char *asked;    /* the key of the last one; NULL: all had their turn */
};

static const char *present_subscription(const struct discovery_run *run)
{
    return run->scopes.items[run->scope].id;
}

/* --- what lists show --- */

static char *lower(const char *text)
{
    char *copy = must_dup(text);

    str_lower(copy);
    return copy;
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
        candidates_add(&run->candidates, key, resource);
    free(key);
}

/* --- requests --- */

static void next_list(struct discovery_run *run);
static void ask_suspect(struct discovery_run *run);

static void fail_list(struct discovery_run *run, const char *subscription,
                      const struct failure *failure)
{
    struct scope *scope = subscription ? scopes_find(&run->scopes, subscription) : NULL;

    run->lacks = true;
    if (scope)
        scope->failed = true;
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
    else if (circle_closes(&run->links, wish->link))
        fail_unreadable(run, subscription, "its pages come to no end");
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
    circle_done(&run->links);
    fetch(run, &wish, on_page);
    free(path);
}

/* --- suspects --- */

static bool is_missing(const struct discovery_run *run, const struct known *known)
{
    return str_equal(known->rule, run->rule->name) && known->listed_in != run->number;
}

/* What is new, as far as this listing may add it. Where lists were read, they have shown it. */
static void collect_news(struct discovery_run *run)
{
    for (size_t i = 0; i < run->news.count; i++) {
        const struct scope *scope = scopes_of(&run->scopes, run->news.items[i]);

        if (!scope || scope->doubts > DISCOVERY_DOUBTS_MAX)
            continue;
        if (run->suspects.count < DISCOVERY_SUSPECTS_MAX / 2 &&
            run->suspects.count < run->rule->max_new)
            texts_add(&run->suspects, run->news.items[i]);
        else
            run->unread++;
    }
}

/* What a whole list lacks, or shows as another than the rule wants. The listing before may have
 * left some of them unasked: these come first. */
static void collect_missing(struct discovery_run *run)
{
    size_t start = 0;
    const char *last = NULL;

    while (run->asked && start < run->book->count &&
           strcmp(run->book->items[start].key, run->asked) <= 0)
        start++;
    for (size_t i = 0; i < run->book->count; i++) {
        const struct known *known = &run->book->items[(start + i) % run->book->count];
        const struct scope *scope =
            is_missing(run, known) ? scopes_of(&run->scopes, known->id) : NULL;

        if (!scope || !scope->whole)
            continue;
        run->missing++;
        if (run->suspects.count == DISCOVERY_SUSPECTS_MAX) {
            run->unasked++;
            continue;
        }
        texts_add(&run->suspects, known->id);
        last = known->key;
    }
    free(run->asked);
    run->asked = run->unasked > 0 ? must_dup(last) : NULL;
}

/* A resource that Azure shows when asked for it by its id. */
static void see_suspect(struct discovery_run *run, const struct arm_resource *resource)
{
    const struct discovery_rule *rule =
        discovery_find_rule(run->config, run->rule->identity->name, resource);
    char *key = lower(resource->id);

    if (discovery_book_find(run->book, key))
        run->listener.known(run->listener.context, key, rule, resource);
    else if (rule == run->rule && !discovery_is_explicit(run->config, key))
        candidates_add(&run->candidates, key, resource);
    free(key);
}

static void read_suspect(struct discovery_run *run, const char *id, const struct http_reply *reply)
{
    struct arm_resource resource;
    struct arm_page *page = NULL;
    struct err err = {.code = 0};
    const int rc =
        arm_resource_read(buf_str(&reply->body), reply->body.length, &page, &resource, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0 && str_equal_nocase(resource.id, id))
        see_suspect(run, &resource);
    arm_page_free(page);
}

/* Whatever else it answers, the account stays. A new one that cannot be read is nobody's yet, so
 * its failure is told here. */
static void on_suspect(void *context, const struct http_reply *reply, const struct failure *failure)
{
    struct discovery_run *run = context;
    const char *id = run->suspects.items[run->suspect];
    char *key = lower(id);
    char *subscription = scope_subscription(id);
    const bool known = !!discovery_book_find(run->book, key);

    run->get = NULL;
    if (!failure)
        read_suspect(run, id, reply);
    else if (reply && reply->status == 404 &&
             arm_says_gone(buf_str(&reply->body), reply->body.length))
        run->listener.gone(run->listener.context, key);
    else if (!known)
        fail_list(run, subscription, failure);
    free(key);
    free(subscription);
    run->suspect++;
    ask_suspect(run);
}

static void finish(struct discovery_run *run)
{
    for (size_t i = 0; i < run->scopes.count; i++)
        if (run->scopes.items[i].whole && !run->scopes.items[i].failed)
            run->listener.listed(run->listener.context, run->scopes.items[i].id);
    run->listener.ended(run->listener.context);
}

static void ask_suspect(struct discovery_run *run)
{
    struct arm_get_wish wish = {.operation = "reading the account"};
    const struct two_key_resource *type = NULL;
    char *subscription;

    while (run->suspect < run->suspects.count &&
           !(type = two_key_resource_find(run->suspects.items[run->suspect])))
        run->suspect++;
    if (!type) {
        finish(run);
        return;
    }
    wish.path = run->suspects.items[run->suspect];
    subscription = scope_subscription(wish.path);
    wish.subscription_id = subscription;
    wish.api_version = config_api_version(run->config, type);
    wish.action = type->read_action;
    fetch(run, &wish, on_suspect);
    free(subscription);
}

/* --- the order of things --- */

static void next_list(struct discovery_run *run)
{
    for (; run->scope < run->scopes.count; run->scope++, run->type = 0, run->lacks = false) {
        if (run->scopes.items[run->scope].whole)
            continue;
        if (run->type < run->rule->type_count) {
            list_type(run);
            return;
        }
        run->scopes.items[run->scope].whole = !run->lacks;
    }
    collect_news(run);
    collect_missing(run);
    ask_suspect(run);
}

/* --- Resource Graph --- */

/* Another rule has the account, and this one stands before it. */
static bool may_want(const struct discovery_run *run, const struct known *known)
{
    const struct discovery_rule *owner = discovery_rule_named(run->config, known->rule);

    return !owner || run->rule < owner;
}

static void see_new(struct discovery_run *run, struct scope *scope, const char *key,
                    const struct arm_resource *resource)
{
    if (discovery_is_explicit(run->config, key) || run->news.count == DISCOVERY_NEW_MAX)
        return;
    if (run->rule->dry_run) { /* it is only counted */
        candidates_add(&run->candidates, key, resource);
        return;
    }
    texts_add(&run->news, resource->id);
    scope->doubts++;
}

static void on_row(void *context, const struct arm_resource *resource)
{
    struct discovery_run *run = context;
    const char *identity = run->rule->identity->name;
    const struct discovery_rule *rule = discovery_find_rule(run->config, identity, resource);
    struct scope *scope = scopes_of(&run->scopes, resource->id);
    char *key = lower(resource->id);
    struct known *known = discovery_book_find(run->book, key);

    if (scope)
        scope->shown = true;
    if (known && rule && !discovery_book_differs(known, identity, rule->name, resource))
        known->listed_in = run->number;
    else if (scope && rule == run->rule && (!known || may_want(run, known)))
        see_new(run, scope, key, resource);
    free(key);
}

/* Which subscriptions can do without their lists? */
static void settle_scopes(struct discovery_run *run)
{
    for (size_t i = 0; i < run->book->count; i++) {
        const struct known *known = &run->book->items[i];
        struct scope *scope = is_missing(run, known) ? scopes_of(&run->scopes, known->id) : NULL;

        if (scope)
            scope->doubts += scope->shown ? 1 : DISCOVERY_DOUBTS_MAX + 1;
    }
    for (size_t i = 0; i < run->scopes.count; i++) {
        struct scope *scope = &run->scopes.items[i];

        if (!scope->whole)
            scope->doubts = DISCOVERY_DOUBTS_MAX + 1;
        scope->whole = scope->doubts <= DISCOVERY_DOUBTS_MAX;
    }
}

static void on_graph_ended(void *context, size_t answered, const struct failure *failure)
{
    struct discovery_run *run = context;

    run->by_graph = !failure;
    if (failure)
        run->listener.degraded(run->listener.context, failure);
    for (size_t i = 0; i < answered; i++)
        scopes_find(&run->scopes, run->queried[i])->whole = true;
    graph_query_free(run->query);
    run->query = NULL;
    settle_scopes(run);
    next_list(run);
}

static bool wants_graph(const struct discovery_run *run, size_t subscriptions)
{
    if (run->rule->by == DISCOVERY_BY_AUTO)
        return subscriptions * run->rule->type_count > DISCOVERY_LISTS_MAX;
    return run->rule->by == DISCOVERY_BY_GRAPH;
}

/* Asks about the subscriptions that the identity sees. About others, Resource Graph would say
 * nothing, and their lists say why. */
static void begin_scopes(struct discovery_run *run)
{
    const struct graph_listener listener = {.context = run, .row = on_row, .ended = on_graph_ended};

    scopes_sort(&run->scopes);
    if (wants_graph(run, run->scopes.count)) {
        run->queried = must(reallocarray(NULL, run->scopes.count + 1, sizeof(*run->queried)));
        for (size_t i = 0; i < run->scopes.count; i++)
            if (run->scopes.items[i].visible)
                run->queried[run->queried_count++] = run->scopes.items[i].id;
    }
    if (run->queried_count > 0)
        run->query = graph_query_new(&run->parts, run->config, run->rule, run->queried,
                                     run->queried_count, &listener);
    else
        next_list(run);
}

/* --- subscriptions --- */

/* A rule that names its subscriptions learns which of them can be seen. */
static void add_subscription(struct discovery_run *run, const char *id)
{
    struct scope *scope;

    if (run->rule->subscription_count > 0) {
        scope = scopes_find(&run->scopes, id);
        if (scope)
            scope->visible = true;
    } else if (run->scopes.count < DISCOVERY_SUBSCRIPTIONS_MAX) {
        scopes_add(&run->scopes, id, true);
    }
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
    if (failure && run->rule->subscription_count > 0) { /* their own lists need it not */
        run->listener.degraded(run->listener.context, failure);
        begin_scopes(run);
        return;
    }
    page = read_page(run, NULL, reply, failure);
    for (size_t i = 0; page && i < arm_page_count(page); i++)
        if (arm_page_subscription(page, i))
            add_subscription(run, arm_page_subscription(page, i));
    if (page && go_on(run, page, NULL, &wish, on_subscriptions)) {
        arm_page_free(page);
        return;
    }
    if (page && !run->lacks && run->scopes.count > 0)
        run->listener.listed(run->listener.context, NULL);
    arm_page_free(page);
    run->lacks = false;
    begin_scopes(run);
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
        scopes_add(&run->scopes, run->rule->subscriptions[i], false);
    scopes_sort(&run->scopes);
    if (run->rule->subscription_count > 0 && !wants_graph(run, run->scopes.count))
        next_list(run);
    else
        fetch(run, &wish, on_subscriptions);
}

struct discovery_run *discovery_run_new(const struct arm_get_parts *parts, struct config *config,
                                        const struct discovery_rule *rule,
                                        struct discovery_book *book, uint64_t number,
                                        const char *asked,
                                        const struct discovery_listener *listener)
{
    struct discovery_run *run = must_alloc(sizeof(*run));

    run->parts = *parts;
    run->config = config_ref(config);
    run->rule = rule;
    run->book = book;
    run->number = number;
    run->asked = must_dup(asked);
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
    candidates_done(&run->candidates);
    graph_query_free(run->query);
    free(run->queried);
    circle_done(&run->links);
    scopes_done(&run->scopes);
    texts_done(&run->news);
    texts_done(&run->suspects);
    free(run->asked);
    config_unref(run->config);
    free(run);
}

const struct candidate *discovery_run_candidates(struct discovery_run *run, size_t *ret_count)
{
    candidates_sort(&run->candidates);
    *ret_count = run->candidates.count;
    return run->candidates.items;
}

size_t discovery_run_unread(const struct discovery_run *run)
{
    return run->unread;
}

size_t discovery_run_subscriptions(const struct discovery_run *run)
{
    return run->scopes.count;
}

size_t discovery_run_missing(const struct discovery_run *run, size_t *ret_unasked)
{
    *ret_unasked = run->unasked;
    return run->missing;
}

const char *discovery_run_asked(const struct discovery_run *run)
{
    return run->asked;
}

bool discovery_run_by_graph(const struct discovery_run *run)
{
    return run->by_graph;
}
