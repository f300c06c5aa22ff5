#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "conf/identity.h"
#include "io/azure/azure_call.h"
#include "proto/batch_probe.h"
#include "proto/failure.h"

enum { BODY_MAX = 256 };

static void describe_principal(const struct identity *identity, char out[PRINCIPAL_TEXT_MAX])
{
    const char *id = identity_assignee(identity);

    if (!id)
        id = identity_setting(identity, "resource_id");
    (void)snprintf(out, PRINCIPAL_TEXT_MAX, "%s \"%s\"%s%s%s", identity->type->noun, identity->name,
                   id ? " (" : "", id ? id : "", id ? ")" : "");
}

struct arm_subject azure_subject(const struct azure_call *call, char principal[PRINCIPAL_TEXT_MAX])
{
    const struct two_key_resource *resource = call->resource;
    struct arm_subject subject = {.role = resource->role,
                                  .principal = principal,
                                  .assignee = identity_assignee(call->subject->identity)};

    describe_principal(call->subject->identity, principal);
    switch (call->exchange) {
    case EXCHANGE_DESCRIBE:
        subject.operation = "reading the account";
        subject.action = resource->read_action;
        break;
    case EXCHANGE_LIST_KEYS:
        subject.operation = resource->list_operation;
        subject.action = resource->list_action;
        break;
    case EXCHANGE_REGENERATE:
        subject.operation = resource->regenerate_operation;
        subject.action = resource->regenerate_action;
        subject.changes = true;
        break;
    case EXCHANGE_PROBE:
        subject.operation = "checking the key";
        subject.action = "";
        break;
    }
    return subject;
}

static int build_arm_request(struct azure_call *call, struct http_request *request,
                             const struct secret *token, struct err *err)
{
    const struct two_key_resource *resource = call->resource;
    bool describes = call->exchange == EXCHANGE_DESCRIBE;
    bool regenerates = call->exchange == EXCHANGE_REGENERATE;
    struct arm_request wanted = {
        .method = describes ? "GET" : "POST",
        .resource_manager = call->config->cloud.resource_manager,
        .resource_id = call->subject->id,
        .api_version = call->config->cloud.api_version,
        .token = token,
        .client_request_id = call->result.client_request_id,
        .correlation_id = call->result.correlation_id,
        .repeatable = !regenerates,
    };
    struct buf body;
    int rc = 0;

    buf_init(&body, BODY_MAX);
    if (regenerates) {
        wanted.operation = resource->regenerate_operation;
        rc = two_key_regenerate_body(resource, call->slot, &body);
        wanted.body = buf_str(&body);
    } else if (!describes) {
        wanted.operation = resource->list_operation;
    }
    rc = rc < 0 ? err_set(err, rc, "the request does not fit")
                : arm_request_build(request, &wanted, err);
    buf_done(&body);
    return rc;
}

int azure_request_build(struct azure_call *call, struct http_request *request,
                        const struct secret *token)
{
    const struct account *account = call->subject;
    char id[UUID_TEXT_MAX];
    struct err err = {.code = 0};
    int rc = crypto_uuid(id);

    http_request_init(request, "GET", 0);
    if (rc < 0) {
        err_set(&err, rc, "no random number can be had");
    } else {
        str_copy(call->result.client_request_id, sizeof(call->result.client_request_id), id);
        if (call->exchange == EXCHANGE_PROBE)
            rc = batch_probe_request(request, call->account->endpoint, account->name, call->key, id,
                                     time_wall(), &err);
        else
            rc = build_arm_request(call, request, token, &err);
    }
    if (rc == 0)
        return 0;
    /* A key that cannot even sign a request is none that the service would accept. */
    failure_from_err(&call->failure,
                     call->exchange == EXCHANGE_PROBE && rc == -EINVAL ? REASON_KEY_REFUSED
                                                                       : REASON_AZURE_ERROR,
                     &err);
    return rc;
}
