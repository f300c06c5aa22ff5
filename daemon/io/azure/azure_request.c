#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "io/azure/azure_call.h"
#include "proto/failure.h"

enum { BODY_MAX = 4096 };

struct arm_subject azure_subject(const struct azure_call *call,
                                 char principal[IDENTITY_PRINCIPAL_MAX])
{
    const struct two_key_resource *resource = call->resource;
    const char *actions[TWO_KEY_POLL_ACTIONS_MAX];
    struct arm_subject subject = {.role = resource->role,
                                  .principal = principal,
                                  .assignee = identity_assignee(call->subject->identity)};

    identity_describe_principal(call->subject->identity, principal);
    switch (call->request) {
    case AZURE_DESCRIBE:
    case AZURE_READ_WHOLE:
        subject.operation = "reading the account";
        subject.action = resource->read_action;
        break;
    case AZURE_LIST_KEYS:
    case AZURE_LIST_WHOLE:
        subject.operation = resource->list.name;
        subject.action = resource->list_action;
        break;
    case AZURE_REGENERATE:
        subject.operation =
            resource->rewrite ? "the renewal of a key" : resource->regenerate[call->slot].name;
        subject.action = two_key_regenerate_action(resource, call->slot);
        subject.changes = true;
        break;
    case AZURE_POLL:
        subject.operation = "asking how the regenerate goes";
        subject.action =
            two_key_poll_actions(resource, actions) > 0 ? actions[0] : resource->read_action;
        break;
    case AZURE_PROBE:
        subject.operation = "checking the key";
        subject.action = "";
        break;
    }
    return subject;
}

static const struct two_key_operation *operation_of(const struct azure_call *call)
{
    static const struct two_key_operation resource_itself = {.name = NULL, .get = true};

    switch (call->request) {
    case AZURE_LIST_KEYS:
    case AZURE_LIST_WHOLE:
        return &call->resource->list;
    case AZURE_REGENERATE:
        return &call->resource->regenerate[call->slot];
    default:
        return &resource_itself;
    }
}

bool azure_request_regenerates(const struct azure_call *call)
{
    return call->request == AZURE_READ_WHOLE || call->request == AZURE_LIST_WHOLE ||
           call->request == AZURE_REGENERATE;
}

bool azure_request_writes(const struct azure_call *call)
{
    return !operation_of(call)->get && !call->page_by_get;
}

/* The id of the resource to which the request goes: its own, that of the one above it or, where
 * that has the description, that of the outermost one in its id. */
static void append_resource(const struct azure_call *call, struct buf *out)
{
    const struct two_key_resource *resource = call->resource;
    const char *id = call->subject->id;
    const struct two_key_names names = two_key_names_of(id);
    size_t length = two_key_resource_length(id), last = names.count;

    if ((call->request == AZURE_DESCRIBE || call->request == AZURE_READ_WHOLE) &&
        resource->parent_describes)
        last = 1;
    else if (resource->is_inside)
        last = names.count - 1;
    if (last > 0 && last < names.count)
        length = (size_t)(names.at[last - 1].text + names.at[last - 1].length - id);
    (void)buf_append(out, id, length);
}

static const char *method_of(const struct azure_call *call)
{
    if (call->request == AZURE_REGENERATE && call->resource->rewrite)
        return "PUT";
    return azure_request_writes(call) ? "POST" : "GET";
}

static int build_arm_request(struct azure_call *call, struct http_request *request,
                             const struct secret *token, struct err *err)
{
    const struct two_key_operation *operation = operation_of(call);
    const struct cloud *cloud = &call->config->cloud;
    const bool rewrites = call->request == AZURE_REGENERATE && call->resource->rewrite;
    struct buf resource, own = {.data = NULL};
    struct buf *body = rewrites ? &call->body : &own;
    int rc = 0;

    buf_init(&resource, HTTP_URL_MAX);
    buf_init(&own, BODY_MAX);
    append_resource(call, &resource);
    if (!rewrites)
        rc = two_key_body(operation, call->subject->id, call->account->key_ids[call->slot], &own,
                          err);
    else if (call->body.length == 0)
        rc = err_set(err, -EINVAL, "there is nothing to write back");
    struct arm_request wanted = {
        .method = method_of(call),
        .resource_manager = cloud->resource_manager,
        .resource_id = buf_str(&resource),
        .operation = operation->name,
        .link = call->request == AZURE_POLL || call->request == AZURE_LIST_KEYS ? call->url : NULL,
        .body = body->length > 0 ? buf_str(body) : NULL,
        .etag = rewrites ? call->whole.etag : NULL,
        .query = operation->query,
        .api_version = config_api_version(call->config, call->resource),
        .token = token,
        .client_request_id = call->result.client_request_id,
        .correlation_id = call->result.correlation_id,
        .repeatable = call->request != AZURE_REGENERATE,
    };

    if (rc == 0 && resource.failed != 0)
        rc = err_set(err, resource.failed, "the id does not fit");
    if (rc == 0)
        rc = arm_request_build(request, &wanted, err);
    buf_done(&resource);
    buf_done(&own);
    return rc;
}

int azure_request_build(struct azure_call *call, struct http_request *request,
                        const struct secret *token)
{
    char id[UUID_TEXT_MAX];
    struct err err = {.code = 0};
    int rc = crypto_uuid(id);

    http_request_init(request, "GET", 0);
    if (rc < 0) {
        err_set(&err, rc, "no random number is available");
    } else {
        str_copy(call->result.client_request_id, sizeof(call->result.client_request_id), id);
        rc = call->request == AZURE_PROBE ? azure_probe_build(call, request, &err)
                                          : build_arm_request(call, request, token, &err);
    }
    if (rc == 0)
        return 0;
    if (rc == -ENOMEM)
        fault_out_of_memory();
    /* The service cannot accept a key that cannot sign a request. */
    failure_from_err(&call->failure,
                     call->request == AZURE_PROBE && rc == -EINVAL ? REASON_KEY_REFUSED
                                                                   : REASON_AZURE_ERROR,
                     &err);
    return rc;
}
