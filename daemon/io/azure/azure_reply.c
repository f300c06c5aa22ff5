#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "io/azure/azure_call.h"
#include "proto/arm_operation.h"
#include "proto/failure.h"

static void note_reply(struct azure_call *call, const struct http_reply *reply, time_ms now)
{
    struct azure_result *result = &call->result;
    const char *id_header =
        call->request == AZURE_PROBE ? azure_probe_form(call)->id_header : "x-ms-request-id";
    time_ms server_time = http_reply_date(reply);

    /* The largest difference of several answers counts. */
    if (server_time != TIME_NEVER && llabs(server_time - now) > llabs(result->clock_skew))
        result->clock_skew = server_time - now;
    result->request_id[0] = '\0';
    if (id_header)
        failure_note_id(result->request_id, reply, id_header);
}

static enum azure_answer unreadable(struct azure_call *call, const struct http_reply *reply,
                                    const struct err *err)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    struct arm_subject subject = azure_subject(call, principal);

    if (err->code == -ENOMEM)
        fault_out_of_memory();
    arm_reply_unreadable(reply, &subject, err->text, &call->failure);
    return ANSWER_FAILED;
}

/* Takes the members of the description; missing ones keep their last value. */
static void take_facts(struct azure_account *account, struct resource_facts *facts, duration_ms now)
{
    if (facts->endpoint) {
        free(account->endpoint);
        account->endpoint = facts->endpoint;
    }
    if (facts->location) {
        free(account->location);
        account->location = facts->location;
    }
    account->probe = facts->probe;
    if (facts->port != 0)
        account->port = facts->port;
    if (facts->etag)
        two_key_unchanged_saw(&account->unchanged, facts->etag, facts->is_changing, now);
    free(facts->etag);
}

/* A new key is verified at the data plane, unless the policy says otherwise. */
static enum azure_answer lacks_endpoint(struct azure_call *call)
{
    failure_set(&call->failure, REASON_AZURE_ERROR,
                "the account's description names no %s: a new key could not be verified",
                call->resource->endpoint_path);
    failure_set_remedy(
        &call->failure,
        "set `verify: off` in the policy \"%s\" if new keys need no verification, or ask "
        "Azure's support why the account has no endpoint",
        call->subject->policy_name);
    return ANSWER_UNDESCRIBED;
}

static enum azure_answer read_description(struct azure_call *call, const struct http_reply *reply)
{
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct err err = {.code = 0};
    struct resource_facts facts;
    int rc = two_key_describe(call->resource, buf_str(&reply->body), reply->body.length, &facts,
                              &obstacle, &err);

    if (rc < 0) {
        unreadable(call, reply, &err);
        return ANSWER_UNDESCRIBED;
    }
    take_facts(call->account, &facts, call->azure->clock());
    two_key_read_made(call->resource, TOLD_BY_DESCRIPTION, buf_str(&reply->body),
                      reply->body.length, call->result.made);
    if (obstacle.reason != REASON_NONE) {
        failure_set(&call->failure, obstacle.reason, "%s", obstacle.what.text);
        return obstacle.stops_looks ? ANSWER_FAILED : ANSWER_UNDESCRIBED;
    }
    if (!call->account->endpoint && call->resource->probe &&
        call->resource->probe->shared_host == SHARED_HOST_NONE &&
        call->subject->policy->verify != VERIFY_OFF)
        return lacks_endpoint(call);
    return ANSWER_DESCRIBED;
}

/* The answer to a list speaks against regenerating a key, as call->failure says. */
static void take_back_description(struct azure_call *call)
{
    call->description = call->failure;
    call->undescribed = true;
    call->described_at = 0;
}

/* It says so; the keys in it are those of a resource that cannot be used. */
static void keys_are_off(struct azure_call *call, const struct resource_obstacle *obstacle)
{
    failure_set(&call->failure, obstacle->reason, "%s", obstacle->what.text);
    take_back_description(call);
}

/* The answer holds no keys that can be used: `rc` and `err` are those of two_key_read(). */
static enum azure_answer without_keys(struct azure_call *call, const struct http_reply *reply,
                                      int rc, const struct err *err)
{
    /* A regenerate of a type that may take long has ended nevertheless, and a look shows how. */
    if (call->request == AZURE_REGENERATE && call->resource->slow_for > 0)
        return ANSWER_DONE;
    unreadable(call, reply, err);
    if (rc == -ENODATA && call->resource->absent && call->request == AZURE_LIST_KEYS)
        failure_set_remedy(&call->failure, "%s", call->resource->absent);
    return ANSWER_FAILED;
}

/* The keys of `listed` become those of the account. */
static enum azure_answer take_keys(struct azure_call *call, struct two_key_pages *listed)
{
    struct azure_account *account = call->account;
    const struct azure *azure = call->azure;

    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        struct secret *key = listed->keys[slot];

        secret_free(account->keys[slot]);
        account->keys[slot] = key;
        listed->keys[slot] = NULL;
        account->fingerprints[slot] =
            azure->fingerprint(azure->fingerprint_context, secret_bytes(key), secret_length(key));
        call->result.live[slot] = account->fingerprints[slot];
        call->result.shown[slot] = call->request == AZURE_REGENERATE;
        if (call->request != AZURE_LIST_KEYS)
            continue;
        free(account->key_ids[slot]);
        account->key_ids[slot] = listed->ids[slot];
        listed->ids[slot] = NULL;
    }
    return ANSWER_DONE;
}

static enum azure_answer read_keys(struct azure_call *call, const struct http_reply *reply)
{
    struct two_key_pages listed = {.keys = {NULL}};
    struct resource_obstacle obstacle;
    struct err err = {.code = 0};
    enum azure_answer answer;
    int rc;

    if (two_key_list_obstacle(call->resource, buf_str(&reply->body), reply->body.length, &obstacle,
                              &err) < 0)
        return without_keys(call, reply, -EINVAL, &err);
    if (obstacle.reason != REASON_NONE)
        keys_are_off(call, &obstacle);
    rc = two_key_read(call->resource, call->subject->id, buf_str(&reply->body), reply->body.length,
                      listed.keys, &err);
    if (rc < 0)
        return obstacle.reason == REASON_NONE ? without_keys(call, reply, rc, &err) : ANSWER_FAILED;
    if (call->request == AZURE_LIST_KEYS &&
        two_key_read_ids(call->resource, buf_str(&reply->body), reply->body.length, listed.ids,
                         &err) < 0) {
        answer = unreadable(call, reply, &err);
    } else {
        if (call->request == AZURE_LIST_KEYS)
            two_key_read_made(call->resource, TOLD_BY_LIST, buf_str(&reply->body),
                              reply->body.length, call->result.made);
        answer = take_keys(call, &listed);
    }
    two_key_pages_done(&listed);
    return answer;
}

/* --- lists in pages --- */

static enum azure_answer go_on(struct azure_call *call, const struct http_reply *reply,
                               const char *link)
{
    struct err err = {.code = 0};

    if (++call->pages_seen == AZURE_LIST_PAGES_MAX)
        err_set(&err, -EINVAL, "its first %d pages do not hold both keys", AZURE_LIST_PAGES_MAX);
    else
        (void)two_key_link_check(call->resource, call->subject->id, link,
                                 call->config->cloud.resource_manager, &err);
    if (err.code != 0)
        return unreadable(call, reply, &err);
    free(call->url);
    call->url = must_dup(link);
    return ANSWER_PAGE;
}

/* Where both keys have come nothing more is asked for. */
static enum azure_answer read_page(struct azure_call *call, const struct http_reply *reply)
{
    char link[HTTP_URL_MAX];
    struct err err = {.code = 0};
    const int rc = two_key_read_page(call->resource, call->subject->id, buf_str(&reply->body),
                                     reply->body.length, &call->pages, link, sizeof(link), &err);

    if (rc < 0)
        return without_keys(call, reply, rc, &err);
    if (rc == 1)
        return go_on(call, reply, link);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        call->result.made[slot] = call->pages.made[slot];
    if (call->precedes_regenerate && !call->undescribed &&
        !azure_rewrite_fits(call, reply, &call->failure))
        take_back_description(call);
    return take_keys(call, &call->pages);
}

/* The published clients ask for further pages by GET. The permission to list is that of a POST,
 * which comes first. */
static bool wants_get(const struct azure_call *call, const struct http_reply *reply)
{
    return call->request == AZURE_LIST_KEYS && call->url && !call->page_by_get &&
           reply->outcome == HTTP_ANSWERED && reply->status == 405;
}

/* The pause that a subscription keeps is for the lane, and short; the account's own next attempt
 * need not be later than that. */
static void bound_pause(struct azure_call *call, const struct http_reply *reply)
{
    if (arm_reply_limit(reply, azure_request_writes(call)) != ARM_LIMIT_OF_RESOURCE &&
        call->failure.retry_after > ADMISSION_PAUSE_MAX)
        call->failure.retry_after = ADMISSION_PAUSE_MAX;
}

/* Without a description the keys are listed nevertheless, unless no request can be sent at all. */
static enum azure_answer refused(const struct azure_call *call, const struct http_reply *reply)
{
    bool sent = reply->outcome == HTTP_ANSWERED || reply->outcome == HTTP_LOST;

    return call->request == AZURE_DESCRIBE && sent ? ANSWER_UNDESCRIBED : ANSWER_FAILED;
}

/* --- a regenerate that goes on --- */

/* Carried out or accepted, without an answer in which both keys are looked for. */
static bool is_without_keys(const struct azure_call *call, const struct http_reply *reply)
{
    switch (reply->status) {
    case 202:
        return true;
    case 200:
    case 201:
    case 204:
        return call->resource->regenerate_answers != ANSWERS_BOTH;
    default:
        return false;
    }
}

/* Where to ask how it goes; nowhere, where it is named badly. */
static enum azure_answer read_operation(struct azure_call *call, const struct http_reply *reply,
                                        time_ms now)
{
    struct err err = {.code = 0};
    int rc;

    if (reply->status != 202 && !azure_rewrite_goes_on(call, reply))
        return ANSWER_DONE;
    call->result.under_way = true;
    call->result.poll_after = http_reply_retry_after(reply, now);
    call->url = must_alloc(HTTP_URL_MAX);
    rc = arm_operation_url(reply, call->config->cloud.resource_manager, call->url, HTTP_URL_MAX,
                           &err);
    if (rc == 0)
        call->result.operation_url = call->url;
    if (rc == 0 || rc == -ENOENT)
        return ANSWER_DONE;
    call->undescribed = true;
    failure_from_err(&call->description, REASON_AZURE_ERROR, &err);
    return ANSWER_DONE;
}

static bool answers_poll(const struct http_reply *reply)
{
    return reply->status == 200 || reply->status == 201 || reply->status == 202 ||
           reply->status == 204 || reply->status == 404 || reply->status == 410;
}

static enum azure_answer read_poll(struct azure_call *call, const struct http_reply *reply,
                                   time_ms now)
{
    struct azure_result *result = &call->result;
    struct err err = {.code = 0};

    result->poll_after = http_reply_retry_after(reply, now);
    if (arm_operation_read(reply, call->by_status, &result->operation_state, &call->failure, &err) <
        0)
        return unreadable(call, reply, &err);
    return result->operation_state == OPERATION_FAILED ? ANSWER_FAILED : ANSWER_DONE;
}

enum azure_answer azure_reply_read(struct azure_call *call, const struct http_reply *reply,
                                   time_ms now)
{
    char principal[IDENTITY_PRINCIPAL_MAX];
    struct arm_subject subject;

    note_reply(call, reply, now);
    if (call->request == AZURE_PROBE)
        return azure_probe_read(call, reply, now);

    if (call->request == AZURE_REGENERATE && reply->outcome == HTTP_ANSWERED &&
        is_without_keys(call, reply))
        return read_operation(call, reply, now);
    if (call->request == AZURE_POLL && reply->outcome == HTTP_ANSWERED && answers_poll(reply))
        return read_poll(call, reply, now);
    if (wants_get(call, reply)) {
        call->page_by_get = true;
        return ANSWER_PAGE;
    }
    subject = azure_subject(call, principal);
    if (!arm_reply_check(reply, &subject, now, &call->failure)) {
        bound_pause(call, reply);
        return refused(call, reply);
    }
    switch (call->request) {
    case AZURE_DESCRIBE:
        return read_description(call, reply);
    case AZURE_READ_WHOLE:
    case AZURE_LIST_WHOLE:
        return azure_rewrite_read(call, reply);
    case AZURE_LIST_KEYS:
        return call->resource->list.pages ? read_page(call, reply) : read_keys(call, reply);
    default:
        return read_keys(call, reply);
    }
}
