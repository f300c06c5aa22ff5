#include "io/azure/arm_get.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/identity.h"
#include "io/azure/arm_limits.h"
#include "proto/arm.h"
#include "proto/failure.h"

struct arm_get {
    struct arm_get_parts parts;
    struct config *config; /* a reference */
    struct arm_get_wish wish;
    char *subscription_id;
    char *path;
    char *api_version;
    char *link;
    char *body;
    struct token_request token_request;
    struct admission_request admission_request;
    struct admission_server server;
    struct http_call *http_call; /* NULL: nothing was sent */
    uint64_t token_generation;
    bool reauthorised;
    bool taken_back; /* another request needs its place: it is sent again */
    bool canceled;
    arm_get_done *done;
    void *context;
};

static void free_get(struct arm_get *get)
{
    admission_leave(&get->admission_request);
    config_unref(get->config);
    free(get->subscription_id);
    free(get->path);
    free(get->api_version);
    free(get->link);
    free(get->body);
    free(get);
}

static void end(struct arm_get *get, const struct http_reply *reply, const struct failure *failure)
{
    admission_leave(&get->admission_request);
    get->done(get->context, reply, failure);
    free_get(get);
}

static void want_token(struct arm_get *get)
{
    token_get(get->parts.access->tokens, &get->token_request, get->wish.identity,
              get->config->cloud.audience);
}

static void want_place(struct arm_get *get)
{
    admission_enter(get->parts.access->admission, &get->admission_request, get->subscription_id,
                    get->wish.identity->name, ADMISSION_READ);
}

static void on_token(struct token_request *request, const struct token_result *result)
{
    struct arm_get *get = container_of(request, struct arm_get, token_request);
    struct failure failure;

    if (!result->failure && !result->canceled) {
        want_place(get);
        return;
    }
    failure_set(&failure, REASON_TOKEN_FAILED, "abandoned before it was done");
    end(get, NULL, result->failure ? result->failure : &failure);
}

static void report_to_admission(struct arm_get *get, const struct http_reply *reply, time_ms now)
{
    if (reply->outcome != HTTP_ANSWERED)
        return;
    admission_answered(&get->admission_request);
    arm_limits_heed(&get->admission_request, reply, false, now);
}

static bool wants_other_token(struct arm_get *get, const struct http_reply *reply)
{
    if (reply->outcome != HTTP_ANSWERED || reply->status != 401 || get->reauthorised)
        return false;
    get->reauthorised = true;
    return token_invalidate(get->parts.access->tokens, get->wish.identity,
                            get->config->cloud.audience, get->token_generation, reply);
}

static void on_answer(void *context, struct http_reply *reply)
{
    struct arm_get *get = context;
    const time_ms now = time_wall();
    char principal[IDENTITY_PRINCIPAL_MAX];
    struct failure failure;
    const struct arm_subject subject = {.operation = get->wish.operation,
                                        .action = get->wish.action,
                                        .role = get->wish.role,
                                        .principal = principal,
                                        .assignee = identity_assignee(get->wish.identity)};

    get->http_call = NULL;
    if (get->canceled) {
        free_get(get);
        return;
    }
    report_to_admission(get, reply, now);
    admission_leave(&get->admission_request);
    if (get->taken_back && reply->outcome == HTTP_CANCELED) {
        get->taken_back = false;
        want_place(get);
        return;
    }
    if (wants_other_token(get, reply)) {
        want_token(get);
        return;
    }
    identity_describe_principal(get->wish.identity, principal);
    if (arm_reply_check(reply, &subject, now, &failure))
        end(get, reply, NULL);
    else
        end(get, reply->outcome == HTTP_ANSWERED ? reply : NULL, &failure);
}

static int build(struct arm_get *get, const struct secret *token, struct http_request *request,
                 struct err *err)
{
    char id[UUID_TEXT_MAX] = "";
    const struct arm_request wanted = {
        .method = get->body ? "POST" : "GET",
        .resource_manager = get->config->cloud.resource_manager,
        .resource_id = get->path,
        .api_version = get->api_version,
        .link = get->link,
        .body = get->body,
        .token = token,
        .client_request_id = id,
        .repeatable = true,
    };
    int rc;

    (void)crypto_uuid(id); /* without it, a request cannot be found in the activity log */
    rc = arm_request_build(request, &wanted, err);
    request->reply_maximum = get->wish.reply_maximum;
    return rc;
}

static void send_request(struct arm_get *get, const struct secret *token)
{
    struct http_request request;
    struct failure failure;
    struct err err = {.code = 0};
    const int rc = build(get, token, &request, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0)
        get->http_call = http_start(get->parts.http, &request, on_answer, get);
    http_request_done(&request);
    if (rc == 0)
        return;
    failure_from_err(&failure, REASON_AZURE_ERROR, &err);
    end(get, NULL, &failure);
}

static void on_admitted(struct admission_request *request)
{
    struct arm_get *get = container_of(request, struct arm_get, admission_request);
    struct secret *token = NULL;

    if (token_open(get->parts.access->tokens, get->wish.identity, get->config->cloud.audience,
                   &token, &get->token_generation)) {
        send_request(get, token);
    } else {
        admission_leave(&get->admission_request);
        want_token(get);
    }
    secret_free(token);
}

static void on_take_back(struct admission_request *request)
{
    struct arm_get *get = container_of(request, struct arm_get, admission_request);

    get->taken_back = true;
    http_cancel(get->http_call);
}

struct arm_get *arm_get(const struct arm_get_parts *parts, struct config *config,
                        const struct arm_get_wish *wish, arm_get_done *done, void *context)
{
    struct arm_get *get = must_alloc(sizeof(*get));

    get->parts = *parts;
    get->config = config_ref(config);
    get->wish = *wish;
    get->subscription_id = must_dup(wish->subscription_id);
    get->path = wish->path ? must_dup(wish->path) : NULL;
    get->api_version = wish->api_version ? must_dup(wish->api_version) : NULL;
    get->link = wish->link ? must_dup(wish->link) : NULL;
    get->body = wish->body ? must_dup(wish->body) : NULL;
    get->done = done;
    get->context = context;
    token_request_init(&get->token_request, on_token);
    admission_request_init(&get->admission_request, on_admitted);
    get->admission_request.server = &get->server;
    get->admission_request.provider = arm_limits_provider(get->link ? get->link : get->path);
    get->admission_request.take_back = on_take_back;
    get->admission_request.rank = ADMISSION_SOON; /* the link to a further page grows old */
    want_token(get);
    return get;
}

void arm_get_cancel(struct arm_get *get)
{
    if (!get)
        return;
    get->canceled = true;
    token_cancel(&get->token_request);
    admission_leave(&get->admission_request);
    if (get->http_call)
        http_cancel(get->http_call);
    else
        free_get(get);
}
