/*
 * The life of a call.
 *
 * When all goes well a request gets a token, is admitted, is sent and answered; after a look's
 * first request comes the second, and a regenerate by rewriting reads twice before it writes; then
 * the call ends. What can go wrong: the first request of a look fails (noted: the second is made
 * all the same); there is no token (the call ends with the failure of the token); the token ran out
 * while waiting for admission (back to the token); a 401 (once per request: the token is dropped
 * and the request repeated); anything else ends the call. A canceled call ends as soon as the
 * operation that it waits for has ended.
 */
#include "io/azure/azure.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/date.h"
#include "base/str.h"
#include "io/azure/arm_limits.h"
#include "io/azure/azure_call.h"
#include "proto/arm_operation.h"
#include "proto/failure.h"

/* A regenerate is sent within this time or not at all: it follows a look, whose result grows old
 * while the regenerate waits for a token and for admission. */
#define REGENERATE_WAIT_MAX (15 * MS_SECOND)

static void tick(struct azure_call *call);
static void maybe_closed(struct azure *azure);

/* --- the end of a call --- */

static void fail_as_canceled(struct azure_call *call)
{
    if (call->failed)
        return;
    call->failed = true;
    failure_set(&call->failure, REASON_NONE, "abandoned before it was done");
}

static void fill_failure(const struct azure_call *call, struct failure *failure)
{
    if (failure->client_request_id[0] == '\0')
        str_copy(failure->client_request_id, sizeof(failure->client_request_id),
                 call->result.client_request_id);
    if (failure->correlation_id[0] == '\0')
        str_copy(failure->correlation_id, sizeof(failure->correlation_id),
                 call->result.correlation_id);
    if (failure->request_id[0] == '\0')
        str_copy(failure->request_id, sizeof(failure->request_id), call->result.request_id);
}

static void end(struct azure_call *call)
{
    struct azure *azure = call->azure;

    loop_defer_cancel(&call->tick);
    admission_leave(&call->admission_request);
    if (call->canceled)
        fail_as_canceled(call);
    if (call->failed) {
        fill_failure(call, &call->failure);
        call->result.failure = &call->failure;
    } else if (call->undescribed) {
        call->result.description = &call->description;
    }
    call->result.canceled = call->canceled;
    call->result.duration = azure->clock() - call->started;
    list_remove(&call->link);
    call->done(call->context, &call->result);
    config_unref(call->config);
    secret_free(call->key);
    two_key_pages_done(&call->pages);
    free(call->url);
    two_key_whole_done(&call->whole);
    buf_done(&call->body);
    wipe(call, sizeof(*call));
    free(call);
    if (azure->closing)
        maybe_closed(azure);
}

static void fail(struct azure_call *call)
{
    call->failed = true;
    call->step = CALL_ENDED;
}

/* --- what a call waits for --- */

static void on_token(struct token_request *request, const struct token_result *result)
{
    struct azure_call *call = container_of(request, struct azure_call, token_request);

    call->step = CALL_WANTS_ADMISSION;
    if (result->canceled) {
        call->canceled = true;
    } else if (result->failure) {
        call->failure = *result->failure;
        fail(call);
    }
    tick(call);
}

static void on_admitted(struct admission_request *request)
{
    struct azure_call *call = container_of(request, struct azure_call, admission_request);

    call->step = CALL_SENDS;
    tick(call);
}

static void on_take_back(struct admission_request *request)
{
    struct azure_call *call = container_of(request, struct azure_call, admission_request);

    call->taken_back = true;
    http_cancel(call->http_call);
}

static void report_to_admission(struct azure_call *call, const struct http_reply *reply,
                                time_ms now)
{
    if (reply->outcome != HTTP_ANSWERED)
        return;
    admission_answered(&call->admission_request);
    if (call->request != AZURE_PROBE)
        arm_limits_heed(&call->admission_request, reply, azure_request_writes(call), now);
}

/* A request that was not authorised had no effect, so that it may be made again. */
static bool wants_other_token(struct azure_call *call, const struct http_reply *reply)
{
    if (reply->outcome != HTTP_ANSWERED || reply->status != 401 || call->reauthorised ||
        call->request == AZURE_PROBE)
        return false;
    return token_invalidate(call->azure->access->tokens, call->subject->identity,
                            call->config->cloud.audience, call->token_generation, reply);
}

static void list_keys(struct azure_call *call)
{
    call->request = AZURE_LIST_KEYS;
    call->step = CALL_NEXT_REQUEST;
}

static void go_undescribed(struct azure_call *call)
{
    call->undescribed = true;
    call->description = call->failure;
    fill_failure(call, &call->description);
    call->account->describe_after = call->azure->clock() + call->failure.retry_after;
    call->account->describe_status = call->failure.http_status;
    list_keys(call);
}

static void say_what_description_waits_for(struct azure_call *call)
{
    const struct azure_account *account = call->account;
    /* An instant, whose digits make no other cause of the line in the log; to the second. */
    const time_ms at = time_add(time_wall(), account->describe_after - call->azure->clock());
    char until[DATE_TEXT_MAX];

    date_to_rfc3339(at - at % MS_SECOND, until);
    call->undescribed = true;
    failure_init(&call->description, REASON_THROTTLED);
    call->description.http_status = account->describe_status;
    failure_set_text(&call->description,
                     "Azure answered HTTP %d when the account was last read, and asked not to be "
                     "asked again before %s; its keys are looked at meanwhile",
                     account->describe_status, until);
}

/* An intent follows the look, so the description must not be much older than the keys. */
static void date_description(struct azure_call *call)
{
    call->result.described = call->described_at != 0;
    if (!call->result.described ||
        call->azure->clock() - call->described_at <= AZURE_DESCRIPTION_FRESH)
        return;
    call->result.described = false;
    call->undescribed = true;
    failure_set(&call->description, REASON_THROTTLED,
                "listKeys waited so long for its turn that the account's description is out "
                "of date");
}

/* When the keys are switched off, the description explains it better than the error of listKeys. */
static void explain_by_description(struct azure_call *call)
{
    if (call->request == AZURE_LIST_KEYS && call->undescribed &&
        call->failure.reason == REASON_AZURE_ERROR && call->failure.http_status < 500 &&
        (call->description.reason == REASON_SHARED_KEY_DISABLED ||
         call->description.reason == REASON_USER_SUBSCRIPTION_MODE))
        call->failure = call->description;
}

static bool try_other_token(struct azure_call *call, const struct http_reply *reply)
{
    if (call->canceled || !wants_other_token(call, reply))
        return false;
    call->reauthorised = true;
    call->step = CALL_WANTS_TOKEN;
    return true;
}

static void on_answer(void *context, struct http_reply *reply)
{
    struct azure_call *call = context;
    time_ms now = time_wall();

    call->http_call = NULL;
    report_to_admission(call, reply, now);
    admission_leave(&call->admission_request);
    if (call->taken_back && !call->canceled && reply->outcome == HTTP_CANCELED) {
        call->step = CALL_WANTS_ADMISSION;
        tick(call);
        return;
    }
    if (reply->outcome == HTTP_CANCELED)
        call->canceled = true;
    switch (azure_reply_read(call, reply, now)) {
    case ANSWER_DONE:
        /* The answer came before the cancellation took effect, so it counts. */
        call->canceled = false;
        date_description(call);
        call->step = CALL_ENDED;
        break;
    case ANSWER_DESCRIBED:
        call->described_at = call->azure->clock();
        list_keys(call);
        break;
    case ANSWER_PAGE:
    case ANSWER_GOES_ON:
        call->step = CALL_NEXT_REQUEST;
        break;
    case ANSWER_DOUBTFUL:
        if (azure_probe_again(call))
            call->step = CALL_NEXT_REQUEST;
        else
            fail(call);
        break;
    case ANSWER_UNDESCRIBED:
        if (!try_other_token(call, reply))
            go_undescribed(call);
        break;
    case ANSWER_FAILED:
        if (try_other_token(call, reply))
            break;
        token_explain_refusal(call->subject->identity, reply, &call->failure);
        explain_by_description(call);
        fail(call);
        break;
    }
    tick(call);
}

/* --- the steps --- */

static void next_request(struct azure_call *call)
{
    call->reauthorised = false;
    call->step = call->request == AZURE_PROBE ? CALL_WANTS_ADMISSION : CALL_WANTS_TOKEN;
}

static void ask_for_token(struct azure_call *call)
{
    call->step = CALL_AWAITS_TOKEN;
    token_get(call->azure->access->tokens, &call->token_request, call->subject->identity,
              call->config->cloud.audience);
}

static void ask_for_admission(struct azure_call *call)
{
    struct admission_request *request = &call->admission_request;
    bool regenerates = azure_request_regenerates(call);
    bool probes = call->request == AZURE_PROBE;
    enum admission_kind kind = probes                       ? ADMISSION_DATA
                               : azure_request_writes(call) ? ADMISSION_WRITE
                                                            : ADMISSION_READ;

    call->step = CALL_AWAITS_ADMISSION;
    call->taken_back = false;
    request->server = probes ? &call->account->data_plane : &call->account->manager;
    request->take_back = regenerates ? NULL : on_take_back;
    if (regenerates)
        request->rank = ADMISSION_SOON;
    else if (call->urgent)
        request->rank = ADMISSION_FIRST;
    admission_enter(call->azure->access->admission, request, call->subject->subscription_id,
                    call->subject->identity->name, kind);
}

static bool waited_too_long(const struct azure_call *call)
{
    return azure_request_regenerates(call) &&
           call->azure->clock() - call->started > REGENERATE_WAIT_MAX;
}

static void fail_unsent(struct azure_call *call)
{
    if (call->request != AZURE_READ_WHOLE && call->resource->rewrite)
        azure_rewrite_took_too_long(call);
    else
        failure_set(&call->failure, REASON_THROTTLED,
                    "the regenerate waited too long for its turn and was not sent: "
                    "the keys have to be looked at again first");
    fail(call);
}

/* NULL where none is needed. False: it ran out while the request waited. */
static bool open_token(struct azure_call *call, struct secret **ret_token)
{
    *ret_token = NULL;
    return call->request == AZURE_PROBE ||
           token_open(call->azure->access->tokens, call->subject->identity,
                      call->config->cloud.audience, ret_token, &call->token_generation);
}

static void send_with_token(struct azure_call *call, const struct secret *token)
{
    struct http_request request;

    call->step = CALL_AWAITS_ANSWER;
    if (azure_request_build(call, &request, token) < 0)
        fail(call);
    else
        call->http_call = http_start(call->azure->http, &request, on_answer, call);
    http_request_done(&request);
}

static void send_request(struct azure_call *call)
{
    struct secret *token;

    if (waited_too_long(call)) {
        fail_unsent(call);
        return;
    }
    if (open_token(call, &token)) {
        send_with_token(call, token);
    } else {
        admission_leave(&call->admission_request);
        call->step = CALL_WANTS_TOKEN;
    }
    secret_free(token);
}

/* Goes on until the call has to wait for something, or has ended. */
static void tick(struct azure_call *call)
{
    for (;;) {
        if (call->canceled && call->step != CALL_AWAITS_ANSWER)
            call->step = CALL_ENDED;
        switch (call->step) {
        case CALL_NEXT_REQUEST:
            next_request(call);
            break;
        case CALL_WANTS_TOKEN:
            ask_for_token(call);
            break;
        case CALL_WANTS_ADMISSION:
            ask_for_admission(call);
            break;
        case CALL_SENDS:
            send_request(call);
            break;
        case CALL_AWAITS_TOKEN:
        case CALL_AWAITS_ADMISSION:
        case CALL_AWAITS_ANSWER:
            return;
        case CALL_ENDED:
            end(call);
            return;
        }
    }
}

static void on_tick(struct deferred *deferred)
{
    tick(container_of(deferred, struct azure_call, tick));
}

/* --- starting and canceling --- */

static struct azure_call *call_new(struct azure *azure, struct azure_account *account,
                                   enum azure_request request, const char *correlation_id,
                                   azure_done *done, void *context)
{
    struct azure_call *call = must_alloc(sizeof(*call));
    char id[UUID_TEXT_MAX] = "";

    call->azure = azure;
    call->config = config_ref(azure->config);
    call->account = account;
    call->subject = account->account;
    call->resource = two_key_resource_find(account->account->id);
    call->request = request;
    call->step = CALL_NEXT_REQUEST;
    call->started = azure->clock();
    call->done = done;
    call->context = context;
    if (!correlation_id && crypto_uuid(id) == 0)
        correlation_id = id;
    if (correlation_id)
        str_copy(call->result.correlation_id, sizeof(call->result.correlation_id), correlation_id);
    token_request_init(&call->token_request, on_token);
    admission_request_init(&call->admission_request, on_admitted);
    call->admission_request.provider = arm_limits_provider(call->subject->id);
    deferred_init(&call->tick, on_tick);
    list_append(&azure->calls, &call->link);
    if (!call->resource) {
        failure_set(&call->failure, REASON_ACCOUNT_NOT_FOUND,
                    "%s is not the id of a resource with two keys", account->account->id);
        fail(call);
    }
    call->canceled = azure->closing;
    loop_defer(azure->loop, &call->tick);
    return call;
}

/* One that a look has to find out first: resources of some types have none. */
static bool lacks_endpoint(const struct azure_account *account)
{
    const struct two_key_resource *type = two_key_resource_find(account->account->id);

    return !account->endpoint && (!type || type->endpoint_path);
}

struct azure_call *azure_look(struct azure *azure, struct azure_account *account,
                              const struct azure_look_wish *wish, azure_done *done, void *context)
{
    bool wanted = wish->describe || lacks_endpoint(account);
    /* Azure's pause applies to the description, not to the keys. */
    bool describe = wanted && account->describe_after <= azure->clock();
    struct azure_call *call = call_new(azure, account, describe ? AZURE_DESCRIBE : AZURE_LIST_KEYS,
                                       wish->correlation_id, done, context);

    call->urgent = wish->urgent;
    call->precedes_regenerate = wish->precedes_regenerate;
    if (wanted && !describe)
        say_what_description_waits_for(call);
    return call;
}

struct azure_call *azure_regenerate(struct azure *azure, struct azure_account *account,
                                    enum slot slot, const char *correlation_id, azure_done *done,
                                    void *context)
{
    struct azure_call *call =
        call_new(azure, account, AZURE_REGENERATE, correlation_id, done, context);

    if (call->resource && call->resource->rewrite)
        call->request = AZURE_READ_WHOLE;
    call->slot = slot;
    return call;
}

/* A token goes to the resource manager alone, whatever the journal or an answer names. */
static void aim_poll(struct azure_call *call, const char *url)
{
    const char *resource_manager = call->config->cloud.resource_manager;
    struct err err;

    call->url = must_alloc(HTTP_URL_MAX);
    if (resource_manager[0] == '\0') {
        failure_set(&call->failure, REASON_NETWORK,
                    "the cloud's resource manager is not known yet");
        fail(call);
    } else if (arm_operation_target(url, resource_manager, call->url, HTTP_URL_MAX,
                                    &call->by_status, &err) != 0) {
        call->result.operation_state = OPERATION_FORGOTTEN;
        call->step = CALL_ENDED;
    }
}

struct azure_call *azure_poll(struct azure *azure, struct azure_account *account, const char *url,
                              const char *correlation_id, azure_done *done, void *context)
{
    struct azure_call *call = call_new(azure, account, AZURE_POLL, correlation_id, done, context);

    aim_poll(call, url);
    return call;
}

struct azure_call *azure_verify(struct azure *azure, struct azure_account *account,
                                const struct secret *key, azure_done *done, void *context)
{
    struct azure_call *call = call_new(azure, account, AZURE_PROBE, NULL, done, context);

    call->key = must(secret_clone(key));
    if (!azure_probe_host(call)) {
        failure_set(&call->failure, REASON_AZURE_ERROR,
                    "the account's data plane endpoint is not known yet");
        fail(call);
    }
    return call;
}

void azure_cancel(struct azure_call *call)
{
    if (call->canceled)
        return;
    call->canceled = true;
    token_cancel(&call->token_request);
    if (call->step == CALL_AWAITS_ANSWER) {
        if (call->http_call)
            http_cancel(call->http_call);
        return;
    }
    admission_leave(&call->admission_request);
    loop_defer(call->azure->loop, &call->tick);
}

/* --- life --- */

struct azure *azure_new(struct loop *loop, struct http *http, struct access *access,
                        fingerprint_function *fingerprint, void *fingerprint_context)
{
    struct azure *azure = must_alloc(sizeof(*azure));

    azure->loop = loop;
    azure->http = http;
    azure->clock = time_boot;
    azure->fingerprint = fingerprint;
    azure->fingerprint_context = fingerprint_context;
    list_init(&azure->calls);
    azure->access = access;
    return azure;
}

void azure_set_config(struct azure *azure, struct config *config)
{
    struct config *previous = azure->config;

    azure->config = config_ref(config);
    config_unref(previous);
}

static void maybe_closed(struct azure *azure)
{
    void (*closed)(void *context) = azure->closed;
    void *context = azure->closed_context;

    if (!list_empty(&azure->calls))
        return;
    loop_defer_cancel(&azure->close);
    config_unref(azure->config);
    free(azure);
    closed(context);
}

static void on_close(struct deferred *deferred)
{
    maybe_closed(container_of(deferred, struct azure, close));
}

void azure_close(struct azure *azure, void (*closed)(void *context), void *context)
{
    azure->closing = true;
    azure->closed = closed;
    azure->closed_context = context;
    list_for_each (link, &azure->calls)
        azure_cancel(container_of(link, struct azure_call, link));
    deferred_init(&azure->close, on_close);
    loop_defer(azure->loop, &azure->close);
}
