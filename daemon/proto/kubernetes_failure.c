/*
 * Kubernetes answers with an object of kind Status: reason and details say what is wrong; the
 * message is for people. What stands before the API server (a balancer, its own limiter) answers in
 * plain text or HTML. (kubernetes.io: "API concepts", meta/v1 Status and StatusDetails.)
 */
#include "proto/kubernetes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_object.h>

#include "base/json.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/stranger.h"

enum { MESSAGE_MAX = 512, FIELDS_MAX = 4, FIELD_MAX = 300, USER_MAX = 128 };

/* A Status, as far as it is needed. Texts are cut where they are too long. */
struct status {
    bool is_status;
    char reason[FAILURE_CODE_MAX];
    char message[MESSAGE_MAX];
    char kind[32];                      /* of the object that is meant: "namespaces" */
    char fields[FIELDS_MAX][FIELD_MAX]; /* of the causes: ".data.key", "type" */
    size_t field_count;
    bool conflicts;        /* a cause is a conflict with another field manager */
    bool is_being_deleted; /* a cause is that the namespace is */
    int64_t retry_after;   /* seconds */
};

/* --- reading --- */

static void copy(char *out, size_t size, struct json_object *object, const char *name)
{
    const char *text = json_string(object, name);

    if (text)
        (void)str_copy(out, size, text);
}

static void take_cause(struct status *status, struct json_object *cause)
{
    const char *reason = json_string(cause, "reason");

    status->conflicts = status->conflicts || str_equal(reason, "FieldManagerConflict");
    status->is_being_deleted =
        status->is_being_deleted || str_equal(reason, "NamespaceTerminating");
    if (status->field_count < FIELDS_MAX && json_string(cause, "field"))
        copy(status->fields[status->field_count++], FIELD_MAX, cause, "field");
}

/* Returns 0, or -ENOMEM. */
static int read_status(struct status *status, const struct http_reply *reply)
{
    struct err err = {.code = 0};
    struct json_object *body = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    struct json_object *details = json_member(body, "details");
    struct json_object *causes = json_member(details, "causes");

    *status = (struct status){.is_status = str_equal(json_string(body, "kind"), "Status")};
    if (status->is_status) {
        copy(status->reason, sizeof(status->reason), body, "reason");
        copy(status->message, sizeof(status->message), body, "message");
        copy(status->kind, sizeof(status->kind), details, "kind");
        (void)json_int64(details, "retryAfterSeconds", &status->retry_after);
        for (size_t i = 0;
             json_object_is_type(causes, json_type_array) && i < json_object_array_length(causes);
             i++)
            take_cause(status, json_object_array_get_idx(causes, i));
    }
    json_free_wiped(body);
    return err.code == -ENOMEM ? -ENOMEM : 0;
}

static bool says(const struct status *status, const char *words)
{
    return !!strstr(status->message, words);
}

/* --- remedies --- */

typedef void remedy(struct failure *failure, const struct status *status,
                    const struct kubernetes_subject *subject);

/* `User "system:serviceaccount:ops:keyrotated" cannot patch …`. "USER" where it is not said, or
 * could not stand in a command. */
static void find_user(const char *message, char user[USER_MAX])
{
    const char *start = strstr(message, "User \"");
    size_t length;

    (void)str_copy(user, USER_MAX, "USER");
    if (!start)
        return;
    start += strlen("User \"");
    length = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._@-");
    if (length > 0 && length < USER_MAX && start[length] == '"')
        (void)snprintf(user, USER_MAX, "%.*s", (int)length, start);
}

/* One role for each Secret, so that the commands can be typed once for each of them. */
static void grant(struct failure *failure, const struct status *status,
                  const struct kubernetes_subject *subject)
{
    const char *space = subject->secret->space;
    const char *name = subject->secret->name;
    char user[USER_MAX];
    char commands[2 * FAILURE_TEXT_MAX];

    find_user(status->message, user);
    (void)snprintf(commands, sizeof(commands),
                   "kubectl -n %s create role keyrotated-%s --verb=get,patch,create "
                   "--resource=secrets --resource-name=%s && kubectl -n %s create rolebinding "
                   "keyrotated-%s --role=keyrotated-%s --user=%s",
                   space, name, name, space, name, name, user);
    if (strlen(commands) < FAILURE_REMEDY_MAX - 2)
        failure_set_remedy(failure, "`%s`", commands);
    else
        failure_set_remedy(failure,
                           "give %s the verbs get, patch and create on that Secret, by a Role and "
                           "a RoleBinding in the namespace %s",
                           user, space);
}

static void obey_admission(struct failure *failure, const struct status *status,
                           const struct kubernetes_subject *subject)
{
    (void)subject;
    if (status->is_being_deleted)
        failure_set_remedy(failure,
                           "wait until the namespace is gone and made anew, or write "
                           "another one as `namespace`");
    else
        failure_set_remedy(failure,
                           "change the cluster's rule of admission that the message "
                           "names, or what the target writes, so that they agree");
}

static void renew_credential(struct failure *failure, const struct status *status,
                             const struct kubernetes_subject *subject)
{
    (void)status;
    failure_set_remedy(failure, "%s", subject->credential_remedy);
}

static void correct_server(struct failure *failure, const struct status *status,
                           const struct kubernetes_subject *subject)
{
    (void)status;
    failure_set_remedy(failure, "%s, so that it names a Kubernetes API server",
                       subject->server_remedy);
}

static void make_namespace(struct failure *failure, const struct status *status,
                           const struct kubernetes_subject *subject)
{
    (void)status;
    failure_set_remedy(failure, "`kubectl create namespace %s`, or correct `namespace`",
                       subject->secret->space);
}

/* Taking a key out of the Secret takes it from every manager; the next apply sets it as ours. */
static void settle_conflict(struct failure *failure, const struct status *status,
                            const struct kubernetes_subject *subject)
{
    char operations[FAILURE_TEXT_MAX] = "";
    size_t length = 0;

    for (size_t i = 0; i < status->field_count; i++) {
        const char *field = status->fields[i];

        if (!str_starts_with(field, ".data.") || !kubernetes_is_data_key(field + 6) ||
            length >= sizeof(operations))
            continue;
        (void)snprintf(operations + length, sizeof(operations) - length,
                       "%s{\"op\":\"remove\",\"path\":\"/data/%s\"}", length > 0 ? "," : "",
                       field + 6);
        length += strlen(operations + length);
    }
    if (length > 0)
        failure_set_remedy(failure,
                           "make the manager that the message names leave the key alone; then "
                           "`kubectl -n %s patch secret %s --type=json -p '[%s]'` takes it from "
                           "that manager, and `keyrotatectl redeliver {account}` sets it",
                           subject->secret->space, subject->secret->name, operations);
    else
        failure_set_remedy(failure,
                           "take that field out of the target's `labels` or "
                           "`annotations`, or make the manager that the message names "
                           "leave it alone");
}

static void wait_for_turn(struct failure *failure, const struct status *status,
                          const struct kubernetes_subject *subject)
{
    (void)status;
    (void)subject;
    failure_set_remedy(failure, "none needed: it is tried again by itself");
}

static void replace_secret(struct failure *failure, const struct status *status,
                           const struct kubernetes_subject *subject)
{
    (void)status;
    failure_set_remedy(failure,
                       "`kubectl -n %s delete secret %s`, then `keyrotatectl redeliver {account}` "
                       "writes it anew; or write another `secret_name`",
                       subject->secret->space, subject->secret->name);
}

static void obey_message(struct failure *failure, const struct status *status,
                         const struct kubernetes_subject *subject)
{
    (void)status;
    (void)subject;
    failure_set_remedy(failure, "change what the message names, in the target or in the cluster");
}

static void make_smaller(struct failure *failure, const struct status *status,
                         const struct kubernetes_subject *subject)
{
    (void)status;
    (void)subject;
    failure_set_remedy(failure,
                       "write another `secret_name`, or take out keys that others keep "
                       "in this Secret: it holds 1 MiB at most");
}

static void look_at_cluster(struct failure *failure, const struct status *status,
                            const struct kubernetes_subject *subject)
{
    (void)status;
    (void)subject;
    failure_set_remedy(failure,
                       "none needed if it passes; else see `kubectl get --raw "
                       "'/readyz?verbose'` and the log of the API server");
}

/* --- judging --- */

static bool is_too_large(const struct http_reply *reply, const struct status *status)
{
    return reply->status == 413 || says(status, "request is too large") ||
           (reply->status == 422 && says(status, "Too long"));
}

static bool has_field(const struct status *status, const char *field)
{
    for (size_t i = 0; i < status->field_count; i++) {
        if (str_equal(status->fields[i], field))
            return true;
    }
    return false;
}

/* The type of a Secret is chosen when it is made. */
static remedy *judge_conflict(const struct status *status)
{
    if (!status->conflicts)
        return wait_for_turn;
    return has_field(status, ".type") ? replace_secret : settle_conflict;
}

static remedy *judge_unprocessable(const struct status *status)
{
    return has_field(status, "type") || (has_field(status, "data") && says(status, "immutable"))
               ? replace_secret
               : obey_message;
}

static remedy *judge(const struct http_reply *reply, const struct status *status)
{
    if (is_too_large(reply, status))
        return make_smaller;
    if (reply->status >= 500)
        return look_at_cluster;
    if (!status->is_status)
        return reply->status == 429 ? wait_for_turn : correct_server;
    switch (reply->status) {
    case 401:
        return renew_credential;
    case 403:
        return says(status, " cannot ") && !status->is_being_deleted ? grant : obey_admission;
    case 404:
        return str_equal(status->kind, "namespaces") ? make_namespace : correct_server;
    case 409:
        return judge_conflict(status);
    case 422:
        return judge_unprocessable(status);
    case 429:
        return wait_for_turn;
    default:
        return obey_message;
    }
}

static void set_text(struct failure *failure, const struct http_reply *reply,
                     const struct status *status, const struct kubernetes_subject *subject)
{
    const char *operation = subject->applies ? "the apply of" : "the request for";
    char stranger[STRANGER_TEXT_MAX] = "";

    if (!status->is_status)
        (void)stranger_describe(reply, stranger);
    failure_set_text(failure, "the API server %s answered %s Secret %s/%s with %d%s%s%s%s%s",
                     subject->url, operation, subject->secret->space, subject->secret->name,
                     reply->status, status->reason[0] != '\0' ? " " : "", status->reason,
                     status->message[0] != '\0' ? ": " : "", status->message, stranger);
}

static void set_silence(struct failure *failure, const struct http_reply *reply,
                        const struct kubernetes_subject *subject)
{
    char service[FAILURE_TEXT_MAX];

    (void)snprintf(service, sizeof(service), "the API server %s (Secret %s/%s)", subject->url,
                   subject->secret->space, subject->secret->name);
    (void)failure_from_transport(failure, reply, service, subject->changes);
    failure->reason = REASON_TARGET_FAILED;
    if (reply->error.code == -EPROTOTYPE)
        failure_set_remedy(failure,
                           "find the port at which the API server has TLS (6443 in most clusters), "
                           "and %s",
                           subject->server_remedy);
    else if (reply->error.code != 0 && strstr(reply->error.text, "certificate"))
        failure_set_remedy(failure, "%s, or the certificates that its certificate is checked with",
                           subject->server_remedy);
    else
        failure_set_remedy(failure,
                           "check whether the API server runs and this machine reaches it, or %s",
                           subject->server_remedy);
}

enum kubernetes_verdict kubernetes_failure(const struct http_reply *reply,
                                           const struct kubernetes_subject *subject, time_ms now,
                                           struct failure *failure)
{
    struct status status;

    if (reply->outcome != HTTP_ANSWERED) {
        set_silence(failure, reply, subject);
        return KUBERNETES_FAILED;
    }
    if (read_status(&status, reply) != 0) {
        kubernetes_unreadable(reply, subject, "more than there is memory for", failure);
        return KUBERNETES_FAILED;
    }
    if (!subject->applies && reply->status == 404 && status.is_status &&
        str_equal(status.kind, "secrets"))
        return KUBERNETES_DONE;
    /* A webhook that cannot take part in a dry run says nothing about the delivery. */
    if (subject->applies && !subject->changes && reply->status == 400 &&
        says(&status, "does not support dry run"))
        return KUBERNETES_DONE;
    failure_init(failure, reply->status == 401 || reply->status == 403 ? REASON_TARGET_DENIED
                                                                       : REASON_TARGET_FAILED);
    failure_note_status(failure, reply, now);
    failure_set_code(failure, status.reason);
    if (failure->retry_after == 0 && status.retry_after > 0 && status.retry_after <= 3600)
        failure->retry_after = status.retry_after * MS_SECOND;
    failure->outcome_unknown = subject->changes && reply->status >= 500;
    set_text(failure, reply, &status, subject);
    judge(reply, &status)(failure, &status, subject);
    if (reply->status == 401)
        return KUBERNETES_CREDENTIAL;
    return reply->status == 409 && status.is_status && !status.conflicts ? KUBERNETES_RACE
                                                                         : KUBERNETES_FAILED;
}

void kubernetes_unreadable(const struct http_reply *reply, const struct kubernetes_subject *subject,
                           const char *problem, struct failure *failure)
{
    failure_init(failure, REASON_TARGET_FAILED);
    failure->http_status = reply->status;
    failure->outcome_unknown = subject->changes;
    failure_set_text(failure, "the API server %s answered %s Secret %s/%s with %d and %s",
                     subject->url, subject->applies ? "the apply of" : "the request for",
                     subject->secret->space, subject->secret->name, reply->status, problem);
    failure_set_remedy(failure, "%s, so that it names a Kubernetes API server",
                       subject->server_remedy);
}
