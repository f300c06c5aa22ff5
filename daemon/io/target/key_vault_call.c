#include "io/target/key_vault_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/str.h"
#include "io/access/identity_copy.h"
#include "io/target/key_vault_hosts.h"
#include "io/target/target_content.h"
#include "io/target/target_place.h"
#include "proto/failure.h"

static void start_call(struct key_vault_job *job);

static struct key_vault_job *job_of_http(struct target_http *http)
{
    return container_of(http, struct key_vault_job, http);
}

/* --- life --- */

static void free_job(struct target_job *base)
{
    struct key_vault_job *job = key_vault_job_of(base);

    free(base->place);
    free(job->vault);
    free(job->vault_name);
    free(job->secret_name);
    free((char *)job->settings.content_type);
    free((char *)job->settings.resource_id);
    free((char *)job->settings.audience);
    identity_copy_done(&job->identity);
    target_content_done(&job->content);
    buf_done(&job->body);
    wipe(job, sizeof(*job));
    free(job);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct target_words words = {
        .type = "key_vault",
        .place = base->place,
        .hangs = "not done",
        .earlier = "earlier requests to this vault have been hanging or throttled",
    };

    target_explain(&words, end, timeout, failure);
    failure_set_remedy(
        failure,
        "check whether `curl -sS %.*s` answers from this machine; delivery continues "
        "as soon as the vault does",
        (int)base->lane_length, base->place);
}

/* The name as written; with {location} in it, as it stands in the place. */
static char *secret_name_of(const struct key_vault_job *job, const struct target_request *request)
{
    const char *in_place = job->http.base.place + strlen(job->vault) + strlen(KEY_VAULT_SECRETS);
    const char *written = target_key_vault_of(request->destination)->secret_name;

    return must_dup(str_equal_nocase(written, in_place) ? written : in_place);
}

struct key_vault_job *key_vault_job_new(const struct target_request *request,
                                        void (*begin)(struct target_job *))
{
    struct key_vault_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->http.base;
    const char *host;

    target_http_init(&job->http);
    base->place = target_place(request->destination, request->location);
    base->lane_length = (size_t)(strstr(base->place, KEY_VAULT_SECRETS) - base->place);
    base->begin = begin;
    base->explain = explain;
    base->free = free_job;
    job->vault = must(str_dup_n(base->place, base->lane_length));
    host = strstr(job->vault, "://") + strlen("://");
    job->vault_name = must(str_dup_n(host, strcspn(host, ".:")));
    job->secret_name = secret_name_of(job, request);
    job->settings = *target_key_vault_of(request->destination);
    job->settings.secret_name = NULL;
    job->settings.content_type = must_dup(job->settings.content_type);
    job->settings.resource_id = must_dup(job->settings.resource_id);
    job->settings.audience = must_dup(job->settings.audience);
    job->identity = identity_copy(request->destination->identity);
    job->key_shape = request->destination->key_shape;
    if (request->delivery)
        job->content = target_content_copy(request->delivery);
    buf_init(&job->body, KEY_VAULT_BODY_MAX);
    base->outcome.failed =
        !target_place_check(request, "a name", "`vault` and `secret_name`", &base->outcome.failure);
    return job;
}

/* --- ends --- */

void key_vault_fail(struct key_vault_job *job)
{
    target_job_fail(&job->http.base);
}

void key_vault_succeed(struct key_vault_job *job)
{
    target_job_end(&job->http.base);
}

struct key_vault_subject key_vault_subject_of(const struct key_vault_job *job,
                                              char principal[IDENTITY_PRINCIPAL_MAX])
{
    identity_describe_principal(&job->identity, principal);
    return (struct key_vault_subject){
        .operation = job->operation,
        .vault = job->vault,
        .vault_name = job->vault_name,
        .name = job->secret_name,
        .principal = principal,
        .assignee = identity_assignee(&job->identity),
        .tenant = job->challenge.tenant,
    };
}

bool key_vault_check(struct key_vault_job *job, const struct http_reply *reply)
{
    struct target_job *base = &job->http.base;
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct key_vault_subject subject = key_vault_subject_of(job, principal);

    return key_vault_reply_check(reply, &subject, loop_now(base->world->loop),
                                 &base->outcome.failure);
}

/* --- requests --- */

static void send_request(struct key_vault_job *job, const struct secret *token, bool changes,
                         void (*answered)(struct target_http *http, const struct http_reply *reply))
{
    char id[UUID_TEXT_MAX] = "";
    struct http_request request;
    struct err err = {.code = 0};
    const struct key_vault_request wanted = {
        .operation = job->operation,
        .vault = job->vault,
        .name = job->secret_name,
        .version = job->version,
        .token = token,
        .body = job->body.length > 0 ? &job->body : NULL,
        .client_request_id = id,
    };
    int rc;

    (void)crypto_uuid(id); /* without it, a request cannot be found in the vault's log */
    rc = key_vault_request_build(&request, &wanted, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0) {
        target_http_send(&job->http, &request, changes, answered);
        return;
    }
    http_request_done(&request);
    failure_from_err(&job->http.base.outcome.failure, REASON_TARGET_FAILED, &err);
    key_vault_fail(job);
}

/* Takes a challenge that may be answered, or fills outcome.failure. */
static bool take_challenge(struct key_vault_job *job, const struct key_vault_challenge *challenge)
{
    struct target_job *base = &job->http.base;
    struct failure *failure = &base->outcome.failure;
    struct err err = {.code = 0};

    if (key_vault_challenge_check(challenge, job->vault, job->settings.audience, &err) == 0) {
        job->challenge = *challenge;
        key_vault_hosts_put(&base->world->key_vaults, job->vault, challenge);
        return true;
    }
    failure_set(failure, REASON_TARGET_DENIED, "Key Vault %s gets no token: %s", job->vault,
                err.text);
    failure_set_remedy(failure,
                       "check `vault`, cloud.key_vault_audience, and who answers under this name: "
                       "it may be no Key Vault (name server, proxy)");
    return false;
}

static void on_answer(struct target_http *http, const struct http_reply *reply)
{
    struct key_vault_job *job = job_of_http(http);
    struct key_vault_challenge challenge;
    const bool refused = reply->outcome == HTTP_ANSWERED && reply->status == 401;
    char audience[KEY_VAULT_RESOURCE_MAX];

    target_http_heed_throttling(http, reply);
    if (refused && !http->token_renewed) {
        str_copy(audience, sizeof(audience), job->challenge.resource);
        if (key_vault_challenge_read(&challenge, reply) && !take_challenge(job, &challenge)) {
            key_vault_fail(job);
            return;
        }
        if (target_http_renew_token(http, audience, reply)) {
            start_call(job);
            return;
        }
    }
    job->then(job, reply);
}

static void on_authorized(struct target_http *http, const struct secret *token)
{
    struct key_vault_job *job = job_of_http(http);

    send_request(job, token, job->operation == KEY_VAULT_SET, on_answer);
}

static void on_challenged(struct target_http *http, const struct http_reply *reply)
{
    struct key_vault_job *job = job_of_http(http);
    struct failure *failure = &http->base.outcome.failure;
    struct key_vault_challenge challenge;

    target_http_heed_throttling(http, reply);
    if (reply->outcome == HTTP_ANSWERED && reply->status == 401 &&
        key_vault_challenge_read(&challenge, reply)) {
        if (take_challenge(job, &challenge))
            start_call(job);
        else
            key_vault_fail(job);
        return;
    }
    if (key_vault_check(job, reply) || reply->status == 401 || reply->status == 404) {
        failure_init(failure, REASON_TARGET_FAILED);
        failure->http_status = reply->status;
        failure_set_text(
            failure,
            "Key Vault %s answered a request without a token with %d, and does not say "
            "which tokens it takes: it is no Key Vault",
            job->vault, reply->status);
        failure_set_remedy(failure,
                           "check `vault`, and what stands between this machine and Azure (proxy, "
                           "firewall)");
    }
    failure->outcome_unknown = false; /* nothing but a question was sent */
    key_vault_fail(job);
}

/* Is the challenge of the vault known? A reload may have changed the cloud since it was checked. */
static bool knows_challenge(struct key_vault_job *job)
{
    const struct key_vault_challenge *known =
        key_vault_hosts_find(job->http.base.world->key_vaults, job->vault);

    if (known && key_vault_challenge_check(known, job->vault, job->settings.audience, NULL) == 0)
        job->challenge = *known;
    return job->challenge.resource[0] != '\0';
}

static void start_call(struct key_vault_job *job)
{
    if (knows_challenge(job))
        target_http_authorize(&job->http, &job->identity, job->challenge.resource, on_authorized);
    else
        send_request(job, NULL, false, on_challenged);
}

void key_vault_call(struct key_vault_job *job, enum key_vault_operation operation,
                    key_vault_then *then)
{
    job->operation = operation;
    job->then = then;
    start_call(job);
}
