#include "app/discovery_graph.h"

#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/resource_graph.h"
#include "proto/two_key/two_key.h"

#define PAUSE_MIN     MS_SECOND
#define PAUSE_MAX     MS_MINUTE
#define PAUSE_DEFAULT (5 * MS_SECOND) /* the time for which a quota counts */

enum { REFUSALS_MAX = 3 /* for lack of quota, of one page */ };

struct graph_query {
    struct arm_get_parts parts;
    struct config *config; /* a reference */
    const struct discovery_rule *rule;
    const char *const *subscriptions;
    size_t count;
    struct graph_listener listener;
    struct timer timer; /* while there is no quota, and for the beginning */
    struct arm_get *get;
    size_t answered; /* subscriptions that were queried to the end */
    char *skip_token;
    uint64_t rows; /* of this batch, so far */
    unsigned refusals;
};

static size_t batch_size(const struct graph_query *query)
{
    const size_t left = query->count - query->answered;

    return left < RESOURCE_GRAPH_SUBSCRIPTIONS ? left : RESOURCE_GRAPH_SUBSCRIPTIONS;
}

static void end(struct graph_query *query, const struct failure *failure)
{
    query->listener.ended(query->listener.context, query->answered, failure);
}

/* --- a request --- */

static void on_page(void *context, const struct http_reply *reply, const struct failure *failure);

static void write_query(const struct graph_query *query, struct buf *out)
{
    const char *types[DISCOVERY_TYPES_MAX];

    for (size_t i = 0; i < query->rule->type_count; i++)
        types[i] = query->rule->types[i]->type;
    resource_graph_write(
        out, &(struct resource_graph_query){.subscriptions = query->subscriptions + query->answered,
                                            .subscription_count = batch_size(query),
                                            .types = types,
                                            .type_count = query->rule->type_count,
                                            .skip_token = query->skip_token});
    if (out->failed == -ENOMEM)
        fault_out_of_memory();
}

static void ask(struct graph_query *query)
{
    struct arm_get_wish wish = {.identity = query->rule->identity,
                                .subscription_id = "",
                                .path = RESOURCE_GRAPH_PATH,
                                .api_version = RESOURCE_GRAPH_API_VERSION,
                                .reply_maximum = ARM_PAGE_MAX,
                                .operation = "the query of Azure Resource Graph",
                                .action = "Microsoft.ResourceGraph/resources/read",
                                .role = "Reader"};
    struct buf body;

    buf_init(&body, RESOURCE_GRAPH_BODY_MAX);
    write_query(query, &body);
    wish.body = buf_str(&body);
    query->get = arm_get(&query->parts, query->config, &wish, on_page, query);
    buf_done(&body);
}

static void on_timer(struct timer *timer)
{
    ask(container_of(timer, struct graph_query, timer));
}

/* --- an answer --- */

static void fail(struct graph_query *query, const char *what)
{
    struct failure failure;

    failure_set(&failure, REASON_AZURE_ERROR,
                "the answer of Azure Resource Graph cannot be used: %s", what);
    failure_set_remedy(&failure, "where this lasts, write `by: resource_manager` in the rule");
    end(query, &failure);
}

/* How long a refusal asks to wait. */
static duration_ms pause_after(const struct http_reply *reply, const struct failure *failure)
{
    const duration_ms quota = reply ? resource_graph_pause(reply) : 0;
    const duration_ms asked = failure->retry_after > quota ? failure->retry_after : quota;

    if (asked == 0)
        return PAUSE_DEFAULT;
    return asked < PAUSE_MIN ? PAUSE_MIN : asked;
}

static void judge_failure(struct graph_query *query, const struct http_reply *reply,
                          const struct failure *failure)
{
    const duration_ms pause = pause_after(reply, failure);

    if (failure->reason != REASON_THROTTLED || pause > PAUSE_MAX ||
        ++query->refusals > REFUSALS_MAX)
        end(query, failure);
    else
        timer_set_delay(&query->timer, pause);
}

/* Is it sure that the query comes to an end? Rows may come and go while it is under way. */
static bool goes_in_circles(const struct graph_query *query, const struct resource_graph_page *page)
{
    return page->skip_token &&
           (str_equal(page->skip_token, query->skip_token) || arm_page_count(page->rows) == 0 ||
            query->rows > page->total + RESOURCE_GRAPH_ROWS);
}

static void go_on(struct graph_query *query, const char *skip_token, duration_ms pause)
{
    char *copy = must_dup(skip_token);

    free(query->skip_token);
    query->skip_token = copy;
    query->refusals = 0;
    if (pause > 0)
        timer_set_delay(&query->timer, pause < PAUSE_MAX ? pause : PAUSE_MAX);
    else
        ask(query);
}

static void judge_page(struct graph_query *query, const struct resource_graph_page *page,
                       duration_ms pause)
{
    if (goes_in_circles(query, page)) {
        fail(query, "its pages come to no end");
    } else if (page->skip_token) {
        go_on(query, page->skip_token, pause);
    } else if (page->truncated || query->rows < page->total) {
        fail(query, "it is not whole");
    } else {
        query->answered += batch_size(query);
        query->rows = 0;
        if (query->answered == query->count)
            end(query, NULL);
        else
            go_on(query, NULL, pause);
    }
}

static void show_rows(struct graph_query *query, const struct resource_graph_page *page)
{
    for (size_t i = 0; i < arm_page_count(page->rows); i++) {
        struct arm_resource resource;

        arm_page_resource(page->rows, i, &resource);
        query->listener.row(query->listener.context, &resource);
    }
    query->rows += arm_page_count(page->rows);
}

static void on_page(void *context, const struct http_reply *reply, const struct failure *failure)
{
    struct graph_query *query = context;
    struct resource_graph_page page;
    struct err err = {.code = 0};
    int rc;

    query->get = NULL;
    if (failure) {
        judge_failure(query, reply, failure);
        return;
    }
    rc = resource_graph_read(buf_str(&reply->body), reply->body.length, &page, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0) {
        fail(query, err.text);
        return;
    }
    show_rows(query, &page);
    judge_page(query, &page, resource_graph_pause(reply));
    arm_page_free(page.rows);
}

/* --- life --- */

struct graph_query *graph_query_new(const struct arm_get_parts *parts, struct config *config,
                                    const struct discovery_rule *rule,
                                    const char *const *subscriptions, size_t count,
                                    const struct graph_listener *listener)
{
    struct graph_query *query = must_alloc(sizeof(*query));

    query->parts = *parts;
    query->config = config_ref(config);
    query->rule = rule;
    query->subscriptions = subscriptions;
    query->count = count;
    query->listener = *listener;
    timer_init(parts->loop, &query->timer, on_timer);
    ask(query);
    return query;
}

static void on_closed(struct timer *timer)
{
    struct graph_query *query = container_of(timer, struct graph_query, timer);

    config_unref(query->config);
    free(query->skip_token);
    free(query);
}

void graph_query_free(struct graph_query *query)
{
    if (!query)
        return;
    arm_get_cancel(query->get);
    query->get = NULL;
    timer_close(&query->timer, on_closed);
}
