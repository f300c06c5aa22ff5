#include "proto/arm_target.h"

#include "proto/azure_failure.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"

static const char service[] = "Azure Resource Manager";

/* --- remedies --- */

static void say_grant(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "grant %s the action %s: `az role assignment create --assignee %s --role "
                       "\"%s\" --scope %s`, or a role of your own with that action",
                       subject->principal, subject->action,
                       subject->assignee ? subject->assignee : "PRINCIPAL", subject->role,
                       subject->id);
}

static void say_lock(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "remove the lock from %s, its resource group or its subscription "
                       "(`az lock list --resource %s`)",
                       subject->noun, subject->id);
}

static void say_policy(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure, "exempt %s from the Azure Policy assignment that the message names",
                       subject->noun);
}

static void say_missing(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure, "correct `%s`: `az resource show --ids %s` has to find it",
                       subject->key, subject->id);
}

static void say_in_use(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "none needed while another operation works on %s: it is tried again. %s",
                       subject->noun, subject->when_in_use);
}

static void say_token(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "check cloud.audience, and that %s belongs to the tenant of %s's "
                       "subscription",
                       subject->principal, subject->noun);
}

static void say_request(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "see what the message says about %s; `az resource show --ids %s` shows it",
                       subject->noun, subject->id);
}

static void say_trouble(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "none needed where it lasts for a moment: it is tried again by itself; else "
                       "see Azure's status page (https://azure.status.microsoft), and whether `az "
                       "resource show --ids %s` answers",
                       subject->id);
}

static void say_silence(struct failure *failure, const struct arm_target_subject *subject)
{
    failure_set_remedy(failure,
                       "none needed where it lasts for a moment: it is tried again by itself; else "
                       "see whether `az resource show --ids %s` answers from this machine",
                       subject->id);
}

/* The meaning of a code or a status. The first row that matches an answer applies. */
struct meaning {
    const char *code; /* NULL: any */
    int status;       /* 0: any */
    enum reason reason;
    void (*say)(struct failure *failure, const struct arm_target_subject *subject);
};

static const struct meaning meanings[] = {
    {"ScopeLocked", 0, REASON_TARGET_DENIED, say_lock},
    {"RequestDisallowedByPolicy", 0, REASON_TARGET_DENIED, say_policy},
    {"InvalidAuthenticationTokenTenant", 0, REASON_TOKEN_FAILED, say_token},
    {NULL, 401, REASON_TOKEN_FAILED, say_token},
    {NULL, 403, REASON_TARGET_DENIED, say_grant},
    {NULL, 404, REASON_TARGET_FAILED, say_missing},
    {NULL, 429, REASON_THROTTLED, NULL},
    {"TooManyRequests", 0, REASON_THROTTLED, NULL},
    {"ServerBusy", 0, REASON_THROTTLED, NULL},
    {NULL, 409, REASON_TARGET_FAILED, say_in_use},
    {NULL, 412, REASON_TARGET_FAILED, say_in_use},
    {NULL, 400, REASON_TARGET_FAILED, say_request},
    {NULL, 408, REASON_TARGET_FAILED, say_trouble},
    {NULL, 500, REASON_TARGET_FAILED, say_trouble},
    {NULL, 502, REASON_TARGET_FAILED, say_trouble},
    {NULL, 503, REASON_TARGET_FAILED, say_trouble},
    {NULL, 504, REASON_TARGET_FAILED, say_trouble},
    {NULL, 0, REASON_TARGET_FAILED, say_request},
};

static const struct meaning *find_meaning(int status, const struct cloud_error *error)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const struct meaning *meaning = &meanings[i];

        if (meaning->status != 0 && meaning->status != status)
            continue;
        if (!meaning->code || (error && cloud_error_find(error, meaning->code)))
            return meaning;
    }
    return NULL;
}

/* --- texts --- */

/* Something on the way answered, or a redirection, which is not followed. */
static void explain_stranger(struct failure *failure, const struct arm_target_subject *subject,
                             const struct http_reply *reply)
{
    azure_failure_set_stranger(failure, service, subject->operation, reply);
    if (failure->http_status >= 500)
        failure_set_remedy(failure,
                           "none needed where it lasts for a moment: it is tried again by itself; "
                           "else check what stands between this machine and Azure (proxy, "
                           "firewall)");
    else if (failure->http_status != 429)
        failure_set_remedy(failure,
                           "check what stands between this machine and Azure (proxy, "
                           "firewall), and check cloud.resource_manager");
}

static void explain(struct failure *failure, const struct http_reply *reply,
                    const struct arm_target_subject *subject)
{
    const bool redirected = reply->status >= 300 && reply->status < 400;
    const struct meaning *meaning;
    struct cloud_error error;

    if (redirected || !cloud_error_parse(&error, buf_str(&reply->body), reply->body.length)) {
        explain_stranger(failure, subject, reply);
        if (reply->status == 429)
            failure->reason = REASON_THROTTLED;
        return;
    }
    meaning = find_meaning(reply->status, &error);
    azure_failure_set_error(failure, service, subject->operation, cloud_error_code(&error),
                            cloud_error_message(&error));
    if (meaning)
        failure->reason = meaning->reason;
    if (meaning && meaning->say)
        meaning->say(failure, subject);
}

bool arm_target_check(const struct http_reply *reply, const struct arm_target_subject *subject,
                      time_ms now, struct failure *failure)
{
    if (failure_from_transport(failure, reply, service, subject->changes)) {
        failure_note_ids(failure, reply);
        failure->reason = REASON_TARGET_FAILED;
        say_silence(failure, subject);
        return false;
    }
    if (reply->status == 200 || reply->status == 201 || reply->status == 202 ||
        reply->status == 204)
        return true;
    azure_failure_begin(failure, REASON_TARGET_FAILED, reply, subject->changes, now);
    explain(failure, reply, subject);
    return false;
}

void arm_target_unreadable(const struct http_reply *reply, const struct arm_target_subject *subject,
                           const char *problem, struct failure *failure)
{
    azure_failure_unusable(failure, REASON_TARGET_FAILED, reply, subject->changes, service,
                           subject->operation, problem);
    failure_set_remedy(failure,
                       "check what stands between this machine and Azure (proxy, firewall); where "
                       "nothing does, see what is unusual about %s (`az resource show --ids %s`)",
                       subject->noun, subject->id);
}
