/*
 * Lists of accounts, and GETs of single ones: io/azure/arm_get.h over the truth. Requests here
 * change nothing, so that an answer is all there is to them.
 */
#include "listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/resource_id.h"
#include "io/azure/arm_get.h"
#include "world.h"

enum { LATENCY_MIN_MS = 20, LATENCY_SPAN_MS = 380, PAGE_ACCOUNTS = 3, BODY_MAX = 16 * 1024 };

#define LISTING_PAGE LISTING_URL "/list?page="

const struct two_key_resource listing_type = {
    .type = "Microsoft.Batch/batchAccounts",
    .noun = "an account",
    PAIR_FIRST,
    .api_version = "2024-02-01",
    .read_action = "Microsoft.Batch/batchAccounts/read",
};

struct arm_get {
    struct happening answers;
    struct world *world;
    char *path; /* or the link to a further page */
    arm_get_done *done;
    void *context;
};

/* --- the truth --- */

struct world_listed listing_of(const struct world *world, const struct world_account *account)
{
    struct world_listed listed = account->listed;

    listed.exists = account->gone_until <= world->now;
    return listed;
}

void listing_note(struct world *world)
{
    for (unsigned i = 0; i < world->account_count; i++)
        world->accounts[i].listed_late = listing_of(world, &world->accounts[i]);
}

bool listing_is_wanted(const struct world *world, enum script_tag tag)
{
    for (unsigned i = 0; i < world->script->rule_count; i++) {
        const enum script_tag wants = world->script->rules[i].wants;

        if (!world->rules_out[i] && (wants == TAG_NONE || wants == tag))
            return true;
    }
    return false;
}

/* --- answers --- */

static void write_account(const struct world_account *account, const struct world_listed *listed,
                          struct buf *out)
{
    const char *separator = "";

    buf_append_format(out, "{\"id\":\"%s\",\"location\":\"region\",\"tags\":{", account->id);
    if (listed->tag != TAG_NONE) {
        buf_append_format(out, "\"" LISTING_TAG "\":\"%s\"", script_tag_name(listed->tag));
        separator = ",";
    }
    if (listed->says)
        buf_append_format(out, "%s\"" LISTING_ACTIVE_TAG "\":\"%s\"", separator,
                          slot_name(listed->slot));
    buf_append_str(out, "}}");
}

static void write_page(const struct world *world, unsigned page, struct buf *out)
{
    const unsigned end = (page + 1) * PAGE_ACCOUNTS;
    const bool breaks = world->lists_break_until > world->now;
    const bool late = world->lists_late_until > world->now;
    const char *separator = "";

    buf_append_str(out, "{\"value\":[");
    for (unsigned i = page * PAGE_ACCOUNTS; i < end && i < world->account_count; i++) {
        const struct world_account *account = &world->accounts[i];
        struct world_listed listed = late ? account->listed_late : listing_of(world, account);

        if (!listed.exists || account->lacking_until > world->now)
            continue;
        buf_append_str(out, separator);
        write_account(account, &listed, out);
        separator = ",";
    }
    buf_append_str(out, "]");
    if (end < world->account_count || breaks)
        buf_append_format(out, ",\"nextLink\":\"" LISTING_PAGE "%u\"", page + 1);
    buf_append_str(out, "}");
}

static const struct failure *fail(struct http_reply *reply, struct failure *failure,
                                  enum reason reason, int status)
{
    *failure = (struct failure){.reason = reason, .http_status = status};
    str_copy(failure->text, sizeof(failure->text), "the script says so");
    reply->status = status;
    return failure;
}

static const struct failure *answer_page(const struct world *world, unsigned page,
                                         struct http_reply *reply, struct failure *failure)
{
    if (world->lists_forbidden_until > world->now)
        return fail(reply, failure, REASON_PERMISSION_DENIED, 403);
    if (page > 0 && world->lists_break_until > world->now)
        return fail(reply, failure, REASON_AZURE_ERROR, 500);
    write_page(world, page, &reply->body);
    return NULL;
}

static const struct failure *answer_account(struct world *world, struct world_account *account,
                                            struct http_reply *reply, struct failure *failure)
{
    const struct world_listed listed = listing_of(world, account);

    if (account->denied_until > world->now)
        return fail(reply, failure, REASON_PERMISSION_DENIED, 403);
    oracle_account_shown(world, account, &listed);
    if (listed.exists) {
        write_account(account, &listed, &reply->body);
        return NULL;
    }
    buf_append_str(&reply->body, "{\"error\":{\"code\":\"ResourceNotFound\"}}");
    return fail(reply, failure, REASON_ACCOUNT_NOT_FOUND, 404);
}

static const struct failure *answer(const struct arm_get *get, struct http_reply *reply,
                                    struct failure *failure)
{
    struct world *world = get->world;
    const size_t page_at = strlen(LISTING_PAGE);

    reply->status = 200;
    if (world->azure_down_until > world->now)
        return fail(reply, failure, REASON_NETWORK, 0);
    if (world->throttled_until > world->now)
        return fail(reply, failure, REASON_THROTTLED, 429);
    if (strncmp(get->path, LISTING_PAGE, page_at) == 0)
        return answer_page(world, (unsigned)strtoul(get->path + page_at, NULL, 10), reply, failure);
    for (unsigned i = 0; i < world->account_count; i++)
        if (strcmp(world->accounts[i].id, get->path) == 0)
            return answer_account(world, &world->accounts[i], reply, failure);
    return answer_page(world, 0, reply, failure);
}

static void get_free(struct arm_get *get)
{
    free(get->path);
    free(get);
}

static void on_answer(struct happening *happening)
{
    struct arm_get *get = container_of(happening, struct arm_get, answers);
    struct world *world = get->world;
    struct http_reply reply = {.status = 0};
    struct failure failure;
    const struct failure *failed;

    buf_init(&reply.body, BODY_MAX);
    failed = answer(get, &reply, &failure);
    get->done(get->context, reply.status != 0 ? &reply : NULL, failed);
    buf_done(&reply.body);
    get_free(get);
    if (!world->dying)
        clock_run_deferred(world); /* the daemon takes the answer in */
}

/* --- io/azure/arm_get.h --- */

struct arm_get *arm_get(const struct arm_get_parts *parts, struct config *config,
                        const struct arm_get_wish *wish, arm_get_done *done, void *context)
{
    struct world *world = loop_world(parts->loop);
    struct arm_get *get = calloc(1, sizeof(*get));

    (void)config;
    if (!get)
        abort();
    if (world->calls_daemon)
        oracle_convict(world, ORACLE_SOUND, NULL, "lists inside a call, not later");
    *get = (struct arm_get){
        .answers = {.happen = on_answer, .for_daemon = true},
        .world = world,
        .path = str_dup(wish->link ? wish->link : wish->path),
        .done = done,
        .context = context,
    };
    clock_set(world, &get->answers,
              world->now + LATENCY_MIN_MS + world_draw(world, LATENCY_SPAN_MS));
    return get;
}

void arm_get_cancel(struct arm_get *get)
{
    if (!get)
        return;
    clock_cancel(get->world, &get->answers);
    get_free(get);
}

/* --- ids: those of this world have one form, and one type --- */

const char *config_api_version(const struct config *config, const struct two_key_resource *type)
{
    (void)config;
    return type->api_version;
}

int resource_id_parse(const char *text, struct resource_id *id, struct err *err)
{
    const char *name = strrchr(text, '/') + 1;

    (void)err;
    *id = (struct resource_id){
        .subscription = "subscription",
        .subscription_length = strlen("subscription"),
        .group = "group",
        .group_length = strlen("group"),
        .name = name,
        .name_length = strlen(name),
    };
    return 0;
}
