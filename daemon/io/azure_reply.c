#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "io/azure_call.h"
#include "proto/batch_probe.h"
#include "proto/failure.h"

static void note_reply(struct azure_call *call, const struct http_reply *reply, time_ms now)
{
    struct azure_result *result = &call->result;
    time_ms server_time = http_reply_date(reply);

    /* Of several answers the worst counts. */
    if (server_time != TIME_NEVER && llabs(server_time - now) > llabs(result->clock_skew))
        result->clock_skew = server_time - now;
    result->request_id[0] = '\0';
    failure_note_id(result->request_id, reply,
                    call->exchange == EXCHANGE_PROBE ? "request-id" : "x-ms-request-id");
}

static enum azure_verdict unreadable(struct azure_call *call, const struct http_reply *reply,
                                     const char *problem)
{
    char principal[PRINCIPAL_TEXT_MAX];
    struct arm_subject subject = azure_subject(call, principal);

    arm_reply_unreadable(reply, &subject, problem, &call->failure);
    return VERDICT_FAILED;
}

static enum azure_verdict read_description(struct azure_call *call, const struct http_reply *reply)
{
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct err err = {.code = 0};
    struct resource_facts facts;
    int r =
        call->resource->read(buf_str(&reply->body), reply->body.length, &facts, &obstacle, &err);

    if (r == -ENOTSUP) {
        failure_init(&call->failure, obstacle.reason);
        failure_set_text(&call->failure, "%s", obstacle.what.text);
        return VERDICT_FAILED;
    }
    if (r < 0)
        return unreadable(call, reply, err.text);
    free(call->account->endpoint);
    free(call->account->location);
    call->account->endpoint = facts.endpoint;
    call->account->location = facts.location;
    return VERDICT_LIST_KEYS;
}

static enum azure_verdict read_keys(struct azure_call *call, const struct http_reply *reply)
{
    struct azure_account *account = call->account;
    struct azure *azure = call->azure;
    struct secret *keys[SLOT_COUNT];
    struct err err = {.code = 0};

    if (two_key_read_keys(call->resource, call->subject->name, buf_str(&reply->body),
                          reply->body.length, keys, &err) < 0)
        return unreadable(call, reply, err.text);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        secret_free(account->keys[slot]);
        account->keys[slot] = keys[slot];
        account->fingerprints[slot] = azure->fingerprint(
            azure->fingerprint_context, secret_bytes(keys[slot]), secret_length(keys[slot]));
        call->result.live[slot] = account->fingerprints[slot];
    }
    return VERDICT_DONE;
}

enum azure_verdict azure_reply_read(struct azure_call *call, const struct http_reply *reply,
                                    time_ms now)
{
    char principal[PRINCIPAL_TEXT_MAX];
    struct arm_subject subject;

    note_reply(call, reply, now);
    if (call->exchange == EXCHANGE_PROBE)
        return batch_probe_reply(reply, now, &call->failure) ? VERDICT_DONE : VERDICT_FAILED;

    subject = azure_subject(call, principal);
    if (!arm_reply_check(reply, &subject, now, &call->failure))
        return VERDICT_FAILED;
    return call->exchange == EXCHANGE_DESCRIBE ? read_description(call, reply)
                                               : read_keys(call, reply);
}
