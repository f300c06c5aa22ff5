#include "proto/arm.h"

#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "proto/azure_failure.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"

/* Resource Manager gives a provider 60 seconds and then answers 504; the deadline is long enough to
 * receive that answer. */
#define ARM_READ_DEADLINE   (30 * MS_SECOND)
#define ARM_CHANGE_DEADLINE (65 * MS_SECOND)

enum { ARM_REPLY_MAX = 1024 * 1024 };

static const char service[] = "Azure Resource Manager";

static void append_url(struct buf *url, const struct arm_request *wanted)
{
    if (wanted->link) {
        (void)buf_append_str(url, wanted->link);
        return;
    }
    (void)buf_append_str(url, wanted->resource_manager);
    /* Names of resource groups may hold any letter and parentheses. */
    (void)percent_encode_path(url, wanted->resource_id);
    if (wanted->operation)
        (void)buf_append_format(url, "/%s", wanted->operation);
    (void)buf_append_str(url, "?api-version=");
    (void)percent_encode(url, wanted->api_version, strlen(wanted->api_version));
    if (wanted->query)
        (void)buf_append_format(url, "&%s", wanted->query);
}

int arm_request_build(struct http_request *request, const struct arm_request *wanted,
                      struct err *err)
{
    int rc;

    http_request_init(request, wanted->method,
                      wanted->repeatable ? ARM_READ_DEADLINE : ARM_CHANGE_DEADLINE);
    request->service = HTTP_TO_RESOURCE_MANAGER;
    request->repeatable = wanted->repeatable;
    request->follows = wanted->repeatable;
    request->reply_maximum = ARM_REPLY_MAX;
    append_url(&request->url, wanted);
    http_request_bearer(request, wanted->token);
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "x-ms-client-request-id", wanted->client_request_id);
    http_request_header(request, "x-ms-return-client-request-id", "true");
    if (wanted->correlation_id)
        http_request_header(request, "x-ms-correlation-request-id", wanted->correlation_id);
    if (wanted->etag)
        http_request_header(request, "If-Match", wanted->etag);
    if (wanted->body) {
        http_request_header(request, "Content-Type", "application/json");
        buf_append_str(&request->body, wanted->body);
    }
    rc = http_request_check(request);
    return rc < 0 ? err_set(err, rc, "the request %s does not fit: %s",
                            wanted->operation ? wanted->operation : wanted->method, strerror(-rc))
                  : 0;
}

/* --- what an error means --- */

enum words { WORDS_NONE, WORDS_GRANT, WORDS_FIXED };

/* The meaning of a status or a code. The first row that matches an answer applies. */
struct meaning {
    const char *code; /* NULL: any code, given that the body is an error of Azure's at all */
    int status;       /* 0: any */
    enum reason reason;
    enum words words;
    const char *remedy; /* WORDS_FIXED */
};

static const char check_id[] = "check the account's id: subscription, resource group and name";
static const char check_version[] =
    "set the type's version in api_versions to one that the resource provider serves";
static const char check_answer[] =
    "see what is unusual about the resource (az resource show --ids {resource}), and report what "
    "the "
    "answer looks like";
static const char check_proxy[] =
    "check what stands between this machine and Azure (proxy, firewall), "
    "and check cloud.resource_manager";

static const struct meaning meanings[] = {
    {"InvalidAuthenticationTokenTenant", 0, REASON_TOKEN_FAILED, WORDS_FIXED,
     "use an identity of the tenant that the subscription belongs to"},
    {"AuthorizationFailed", 0, REASON_PERMISSION_DENIED, WORDS_GRANT, NULL},
    {"LinkedAuthorizationFailed", 0, REASON_PERMISSION_DENIED, WORDS_GRANT, NULL},
    {"ScopeLocked", 0, REASON_PERMISSION_DENIED, WORDS_FIXED,
     "remove the lock from the account, its resource group or its subscription (az lock list)"},
    {"RequestDisallowedByPolicy", 0, REASON_PERMISSION_DENIED, WORDS_FIXED,
     "exempt the account from the Azure Policy assignment that the message names"},
    {"ReadOnlyDisabledSubscription", 0, REASON_PERMISSION_DENIED, WORDS_FIXED,
     "enable the subscription again: it is disabled"},
    {"SubscriptionRequestsThrottled", 0, REASON_THROTTLED, WORDS_NONE, NULL},
    {"TenantRequestsThrottled", 0, REASON_THROTTLED, WORDS_NONE, NULL},
    {"TooManyRequests", 0, REASON_THROTTLED, WORDS_NONE, NULL},
    {"OperationThrottled", 0, REASON_THROTTLED, WORDS_NONE, NULL},
    {"ServerBusy", 0, REASON_THROTTLED, WORDS_NONE, NULL},
    {"SubscriptionNotFound", 0, REASON_ACCOUNT_NOT_FOUND, WORDS_FIXED,
     "check the account's subscription id, and that the identity's tenant is the subscription's"},
    {"InvalidSubscriptionId", 0, REASON_ACCOUNT_NOT_FOUND, WORDS_FIXED, check_id},
    {"ResourceGroupNotFound", 0, REASON_ACCOUNT_NOT_FOUND, WORDS_FIXED, check_id},
    {"AccountNotFound", 0, REASON_ACCOUNT_NOT_FOUND, WORDS_FIXED, check_id},
    {"NotFound", 404, REASON_ACCOUNT_NOT_FOUND, WORDS_FIXED, check_id},
    {"ResourceNotFound", 0, REASON_ACCOUNT_NOT_FOUND, WORDS_FIXED, check_id},
    {"InvalidApiVersionParameter", 0, REASON_AZURE_ERROR, WORDS_FIXED, check_version},
    {"NoRegisteredProviderFound", 0, REASON_AZURE_ERROR, WORDS_FIXED, check_version},
    {"InvalidResourceType", 0, REASON_AZURE_ERROR, WORDS_FIXED, check_version},
    {"MissingSubscriptionRegistration", 0, REASON_AZURE_ERROR, WORDS_FIXED,
     "register the resource provider in the subscription (az provider register)"},
    {NULL, 412, REASON_AZURE_ERROR, WORDS_FIXED,
     "nothing has to be done: somebody else changed the resource at the same time, and it is tried "
     "again"},
    {NULL, 401, REASON_TOKEN_FAILED, WORDS_FIXED,
     "check cloud.audience, and that the identity belongs to the subscription's tenant"},
    {NULL, 403, REASON_PERMISSION_DENIED, WORDS_GRANT, NULL},
    {NULL, 429, REASON_THROTTLED, WORDS_NONE, NULL},
};

static const struct meaning *find_meaning(int status, const struct cloud_error *error)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const struct meaning *meaning = &meanings[i];

        if (meaning->status != 0 && meaning->status != status)
            continue;
        if (!meaning->code || cloud_error_find(error, meaning->code))
            return meaning;
    }
    return NULL;
}

/* Where the configuration does not name the principal (a system-assigned identity), Azure's message
 * does: "The client '…' with object id '…' does not have authorization …". */
static const char *object_id_in(const char *message, char out[UUID_TEXT_MAX])
{
    static const char before[] = "object id '";
    const char *id = strstr(message, before);

    if (!id)
        return NULL;
    id += sizeof(before) - 1;
    if (strspn(id, "0123456789abcdefABCDEF-") != UUID_TEXT_MAX - 1)
        return NULL;
    memcpy(out, id, UUID_TEXT_MAX - 1);
    out[UUID_TEXT_MAX - 1] = '\0';
    return out;
}

/* Azure has it by itself. */
static const char built_in_role[] = "Reader";

static void set_grant_remedy(struct failure *failure, const struct arm_subject *subject,
                             const char *message)
{
    char object_id[UUID_TEXT_MAX];
    const char *assignee = subject->assignee;

    if (!assignee)
        assignee = object_id_in(message, object_id);
    failure_set_remedy(
        failure,
        "grant %s the action %s: `az role assignment create --assignee %s --role \"%s\" "
        "--scope {resource}`%s",
        subject->principal, subject->action, assignee ? assignee : "PRINCIPAL", subject->role,
        str_equal(subject->role, built_in_role)
            ? ""
            : ", after `{role}` where there is no such role yet");
}

/* The reason that the status alone gives. */
static void judge_status(struct failure *failure)
{
    int status = failure->http_status;

    failure->reason = status == 429 ? REASON_THROTTLED : REASON_AZURE_ERROR;
    if (status == 401)
        failure->reason = REASON_TOKEN_FAILED;
    if (status == 407)
        failure->reason = REASON_NETWORK;
}

/* Explains a body that is not Azure's: something on the way answered instead. */
static void explain_stranger(struct failure *failure, const struct arm_subject *subject,
                             const struct http_reply *reply)
{
    judge_status(failure);
    azure_failure_set_stranger(failure, service, subject->operation, reply);
    if (failure->http_status < 500 && failure->http_status != 429)
        failure_set_remedy(failure, "%s", check_proxy);
}

static void explain_error(struct failure *failure, const struct arm_subject *subject,
                          const struct cloud_error *error)
{
    const struct meaning *meaning = find_meaning(failure->http_status, error);
    const struct cloud_error_item *item =
        meaning && meaning->code ? cloud_error_find(error, meaning->code) : NULL;
    const char *message =
        item && item->message[0] != '\0' ? item->message : cloud_error_message(error);
    const char *code = cloud_error_code(error);
    const char *separator = message[0] == '\0' ? "" : code[0] == '\0' ? "," : ":";

    failure_set_code(failure, code);
    if (meaning)
        failure->reason = meaning->reason;
    else if (failure->http_status == 503 && failure->retry_after > 0)
        failure->reason = REASON_THROTTLED;
    failure_set_text(failure, "%s answered %s with %d%s%s%s%s%s", service, subject->operation,
                     failure->http_status, code[0] == '\0' ? "" : " ", code, separator,
                     message[0] == '\0' ? "" : " ", message);
    if (meaning && meaning->words == WORDS_GRANT)
        set_grant_remedy(failure, subject, message);
    else if (meaning && meaning->words == WORDS_FIXED)
        failure_set_remedy(failure, "%s", meaning->remedy);
}

static void tell_pause(struct failure *failure)
{
    char words[DURATION_TEXT_MAX];
    char text[FAILURE_TEXT_MAX];

    str_copy(text, sizeof(text), failure->text);
    if (failure->retry_after >= MS_DAY)
        failure_set_text(failure, "%s; it asks for a pause of a day or more: a day is kept", text);
    else if (failure->retry_after > 0)
        failure_set_text(failure, "%s; it asks for a pause of %s", text,
                         duration_to_words(failure->retry_after, words));
}

bool arm_reply_check(const struct http_reply *reply, const struct arm_subject *subject, time_ms now,
                     struct failure *failure)
{
    const bool redirected = reply->status >= 300 && reply->status < 400;
    struct cloud_error error;

    if (failure_from_transport(failure, reply, service, subject->changes)) {
        failure_note_ids(failure, reply);
        return false;
    }
    if (reply->status == 200)
        return true;

    azure_failure_begin(failure, REASON_AZURE_ERROR, reply, subject->changes, now);
    /* The body of a redirection is not the answer. */
    if (!redirected && cloud_error_parse(&error, buf_str(&reply->body), reply->body.length)) {
        explain_error(failure, subject, &error);
    } else if (!redirected && error.out_of_memory) {
        judge_status(failure);
        azure_failure_set_shortage(failure, service, subject->operation);
    } else {
        explain_stranger(failure, subject, reply);
    }
    tell_pause(failure);
    return false;
}

void arm_reply_unreadable(const struct http_reply *reply, const struct arm_subject *subject,
                          const char *problem, struct failure *failure)
{
    azure_failure_unusable(failure, subject->changes ? REASON_OUTCOME_UNKNOWN : REASON_AZURE_ERROR,
                           reply, subject->changes, service, subject->operation, problem);
    if (subject->changes)
        return;
    if (stranger_sent_body(reply))
        failure_set_remedy(failure, "%s", check_proxy);
    else
        failure_set_remedy(failure, "%s", check_answer);
}

/* A count of requests that are left; -1: that header says none. */
static int64_t count_in(const struct http_reply *reply, const char *header)
{
    char text[24];
    int64_t remaining;

    if (!http_reply_header(reply, header, text, sizeof(text)) || !str_to_int64(text, &remaining) ||
        remaining < 0)
        return -1;
    return remaining;
}

int64_t arm_reply_remaining(const struct http_reply *reply, bool write)
{
    static const char *const headers[2][2] = {
        {"x-ms-ratelimit-remaining-subscription-reads",
         "x-ms-ratelimit-remaining-subscription-global-reads"},
        {"x-ms-ratelimit-remaining-subscription-writes",
         "x-ms-ratelimit-remaining-subscription-global-writes"},
    };
    int64_t own = count_in(reply, headers[write][0]), global = count_in(reply, headers[write][1]);

    return own < 0 || (global >= 0 && global < own) ? global : own;
}

int64_t arm_reply_provider_remaining(const struct http_reply *reply)
{
    return count_in(reply, "x-ms-ratelimit-remaining-subscription-resource-requests");
}

enum arm_limit arm_reply_limit(const struct http_reply *reply, bool write)
{
    static const char *const codes[] = {"SubscriptionRequestsThrottled", "TenantRequestsThrottled"};
    struct cloud_error error;

    if (reply->outcome != HTTP_ANSWERED || reply->status != 429)
        return ARM_LIMIT_OF_RESOURCE;
    if (arm_reply_remaining(reply, write) == 0)
        return ARM_LIMIT_OF_SUBSCRIPTION;
    if (arm_reply_provider_remaining(reply) == 0)
        return ARM_LIMIT_OF_PROVIDER;
    if (!cloud_error_parse(&error, buf_str(&reply->body), reply->body.length))
        return ARM_LIMIT_OF_RESOURCE;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (cloud_error_find(&error, codes[i]))
            return ARM_LIMIT_OF_SUBSCRIPTION;
    return ARM_LIMIT_OF_RESOURCE;
}
