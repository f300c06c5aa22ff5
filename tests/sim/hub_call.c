/*
 * What the daemon asks of a hub. The decisions are the daemon's own, of io/azure/azure_rewrite.c:
 * here are the answers that they are made of, each with what was true when its request arrived, or
 * a while before.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hub.h"
#include "io/azure/azure_call.h"
#include "proto/failure.h"

enum {
    BODY_MAX = 16 * 1024,
    PAST_MS = 60 * 1000,       /* later than lists usually are, by MISHAP_PAST */
    PAUSE_SPAN_MS = 10 * 1000, /* between two requests, now and then */
    WAIT_MAX_MS = 15 * 1000    /* as io/azure/azure.c has it */
};

enum stage { STAGE_READ_ARRIVES, STAGE_READ, STAGE_LIST_ARRIVES, STAGE_LISTED, STAGE_SENT };

struct hub_call {
    struct azure azure;
    struct azure_call call;
    struct http_reply described, listed;
    bool has_obstacle; /* call.failure says which */
    enum stage stage;
    void (*takes_effect)(struct happening *happening); /* when the request that writes arrives */
};

/* --- what io/azure/azure_rewrite.c needs --- */

struct arm_subject azure_subject(const struct azure_call *call,
                                 char principal[IDENTITY_PRINCIPAL_MAX])
{
    str_copy(principal, IDENTITY_PRINCIPAL_MAX, "the simulated daemon");
    return (struct arm_subject){
        .operation = "a request",
        .action = call->resource->read_action,
        .role = call->resource->role,
        .principal = principal,
        .assignee = "the simulated daemon",
    };
}

static struct fingerprint fingerprint_of(void *context, const char *key, size_t length)
{
    (void)context;
    return world_fingerprint(world_key_of_text(key, length));
}

static struct hub_call *call_new(struct operation *operation)
{
    struct hub_call *hub = calloc(1, sizeof(*hub));

    if (!hub)
        abort();
    hub->azure = (struct azure){.clock = time_boot, .fingerprint = fingerprint_of};
    hub->call.azure = &hub->azure;
    hub->call.account = operation->subject;
    hub->call.subject = hub->call.account->account;
    hub->call.resource = &two_key_iot_hub_policy;
    hub->call.slot = operation->slot;
    buf_init(&hub->described.body, BODY_MAX);
    buf_init(&hub->listed.body, BODY_MAX);
    operation->hub = hub;
    return hub;
}

void hub_call_free(struct hub_call *hub)
{
    if (!hub)
        return;
    two_key_whole_done(&hub->call.whole);
    buf_done(&hub->call.body);
    buf_done(&hub->described.body);
    buf_done(&hub->listed.body);
    free(hub);
}

/* --- answers --- */

static void describe(const struct hub_moment *moment, struct http_reply *reply)
{
    char etag[HUB_ETAG_TEXT_MAX];

    hub_etag_text(moment, etag);
    reply->status = 200;
    buf_append_format(&reply->body,
                      "{\"name\":\"hub\",\"location\":\"region\",\"etag\":\"%s\",\"properties\":{"
                      "\"provisioningState\":\"%s\",\"hostName\":\"hub.azure-devices.net\"}}",
                      etag, moment->is_changing ? "Transitioning" : "Succeeded");
}

static void list(const struct world *world, const struct hub_moment *moment,
                 struct http_reply *reply)
{
    const char *separator = "";

    reply->status = 200;
    buf_append_str(&reply->body, "{\"value\":[");
    for (unsigned i = 0; i < hub_policies(world); i++) {
        char name[HUB_NAME_MAX];

        buf_append_format(
            &reply->body,
            "%s{\"keyName\":\"%s\",\"rights\":\"ServiceConnect\",\"primaryKey\":\"" WORLD_KEY_PREFIX
            "%u\",\"secondaryKey\":\"" WORLD_KEY_PREFIX "%u\"}",
            separator, hub_policy_name(world, i, name), moment->keys[i][SLOT_PRIMARY],
            moment->keys[i][SLOT_SECONDARY]);
        separator = ",";
    }
    buf_append_str(&reply->body, "]}");
}

/* What was true a while ago; with MISHAP_PAST so long ago that the daemon's waits just suffice. */
static const struct hub_moment *shown(const struct operation *operation)
{
    struct world *world = operation->world;
    const duration_ms lag = slow_pace(world, operation->account)->lag;
    duration_ms ago = 0;

    if (operation->mishap == MISHAP_PAST)
        ago = lag + PAST_MS;
    else if (lag > 0 && world_draw(world, 2) == 0)
        ago = world_draw(world, (uint32_t)lag + 1);
    return hub_at(world, world->now - ago);
}

/* An older list, which shows a key that a journal knows as replaced; NULL: there is none. */
static const struct hub_moment *known_past(const struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++) {
        const struct world_account *account = &world->accounts[i];
        const struct hub_moment *moment = hub_at(world, account->past[0].until - 1);

        for (unsigned slot = 0; account->past_count > 0 && slot < SLOT_COUNT; slot++) {
            const struct fingerprint key = world_fingerprint(moment->keys[i][slot]);

            if (moment->keys[i][slot] != account->live[slot] && account->in_journal &&
                record_is_replaced(&account->journal, &key))
                return moment;
        }
    }
    return NULL;
}

/* --- a look --- */

void hub_look_arrives(struct operation *operation, time_ms at)
{
    struct world *world = operation->world;
    struct hub_call *hub = call_new(operation);

    describe(shown(operation), &hub->described);
    list(world, hub_at(world, at), &hub->listed);
}

/* As io/azure/azure_reply.c does. */
static bool is_described(struct hub_call *hub)
{
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    const struct buf *body = &hub->described.body;
    struct resource_facts facts;
    struct err err = {.code = 0};

    if (two_key_describe(hub->call.resource, buf_str(body), body->length, &facts, &obstacle, &err) <
        0)
        abort();
    two_key_unchanged_saw(&hub->call.account->unchanged, facts.etag, facts.is_changing,
                          hub->azure.clock());
    resource_facts_done(&facts);
    if (obstacle.reason != REASON_NONE)
        failure_set(&hub->call.failure, obstacle.reason, "%s", obstacle.what.text);
    return obstacle.reason == REASON_NONE;
}

void hub_look_answered(struct operation *operation)
{
    struct hub_call *hub = operation->hub;

    if (!operation->described)
        return;
    operation->described =
        is_described(hub) && (!operation->precedes_regenerate ||
                              azure_rewrite_fits(&hub->call, &hub->listed, &hub->call.failure));
    hub->has_obstacle = !operation->described;
}

const struct failure *hub_obstacle(const struct operation *operation)
{
    return operation->hub && operation->hub->has_obstacle ? &operation->hub->call.failure : NULL;
}

/* --- a renewal: GET, list, PUT --- */

bool hub_is_sent(const struct operation *operation)
{
    return !operation->hub || operation->hub->stage == STAGE_SENT;
}

static void fail(struct operation *operation, const struct failure *failure)
{
    operation->failed = true;
    operation->failure = *failure;
    clock_set(operation->world, &operation->completes, operation->world->now);
}

static void go_on(struct operation *operation, enum stage stage, duration_ms after)
{
    operation->hub->stage = stage;
    operation->takes_effect.for_daemon = stage == STAGE_READ || stage == STAGE_LISTED;
    clock_set(operation->world, &operation->takes_effect, operation->world->now + after);
}

/* Now and then something comes between two requests. */
static duration_ms between(struct operation *operation)
{
    struct world *world = operation->world;
    const duration_ms latency = azure_latency(world);

    return world_draw(world, 4) > 0 ? latency : latency + world_draw(world, PAUSE_SPAN_MS);
}

static void arrives(struct operation *operation)
{
    struct world *world = operation->world;
    struct hub_call *hub = operation->hub;
    const bool reads = hub->stage == STAGE_READ_ARRIVES;
    const struct hub_moment *moment = shown(operation);
    struct failure failure;

    if (!reads && operation->mishap == MISHAP_PAST && known_past(world))
        moment = known_past(world);
    if (azure_is_foul(operation, &failure)) {
        fail(operation, &failure);
        return;
    }
    if (reads)
        describe(moment, &hub->described);
    else
        list(world, moment, &hub->listed);
    go_on(operation, reads ? STAGE_READ : STAGE_LISTED, azure_latency(world));
}

static void send_it(struct operation *operation)
{
    operation->hub->stage = STAGE_SENT;
    operation->takes_effect.happen = operation->hub->takes_effect;
    operation->takes_effect.for_daemon = false;
    operation->sent = operation->world->now;
    azure_send(operation);
}

static void is_answered(struct operation *operation)
{
    struct hub_call *hub = operation->hub;
    struct azure_call *call = &hub->call;
    const bool reads = hub->stage == STAGE_READ;

    call->subject = call->account->account; /* of the configuration that was set last */
    call->request = reads ? AZURE_READ_WHOLE : AZURE_LIST_WHOLE;
    if (azure_rewrite_read(call, reads ? &hub->described : &hub->listed) == ANSWER_FAILED) {
        fail(operation, &call->failure);
    } else if (operation->world->now - operation->began > WAIT_MAX_MS) {
        azure_rewrite_took_too_long(call);
        fail(operation, &call->failure);
    } else if (reads) {
        go_on(operation, STAGE_LIST_ARRIVES, between(operation));
    } else {
        send_it(operation);
    }
}

static void on_stage(struct happening *happening)
{
    struct operation *operation = container_of(happening, struct operation, takes_effect);

    if (!operation->done)
        operation_release(operation);
    else if (operation->hub->stage == STAGE_READ_ARRIVES ||
             operation->hub->stage == STAGE_LIST_ARRIVES)
        arrives(operation);
    else
        is_answered(operation);
}

void hub_renew(struct operation *operation)
{
    struct hub_call *hub = call_new(operation);

    hub->takes_effect = operation->takes_effect.happen;
    operation->takes_effect.happen = on_stage;
    /* The answer comes when it has been sent: until then, never. */
    operation_run(operation, between(operation), MS_DAY);
}

bool hub_renewal_arrives(struct operation *operation)
{
    struct azure_call *call = &operation->hub->call;
    const int status = hub_put(operation->world, operation, call->whole.etag, buf_str(&call->body),
                               call->body.length);

    if (status == 200)
        return true;
    operation->failed = true;
    failure_set(&operation->failure, REASON_AZURE_ERROR,
                status == 412 ? "the hub was changed since its etag was read"
                              : "another change of the hub is under way");
    operation->failure.http_status = status;
    return false;
}
