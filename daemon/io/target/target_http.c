#include "io/target/target_http.h"

#include "proto/failure.h"

void target_http_abort(struct target_job *job)
{
    struct target_http *http = target_http_of(job);

    http->aborted = true;
    if (http->waits_for_token) {
        token_cancel(&http->token);
        http->waits_for_token = false;
        target_job_end(job);
    } else {
        http_cancel(http->call); /* on_reply() ends the job */
    }
}

void target_http_init(struct target_http *http)
{
    http->base.abort = target_http_abort;
}

/* The daemon stops, and nobody has given up the job. */
static void end_canceled(struct target_http *http)
{
    struct target_outcome *outcome = &http->base.outcome;

    failure_init(&outcome->failure, REASON_TARGET_FAILED);
    failure_set_text(&outcome->failure, "%s: abandoned because the daemon stops", http->base.place);
    outcome->failure.outcome_unknown = http->base.may_have_acted;
    outcome->failed = true;
    target_job_end(&http->base);
}

static void on_reply(void *context, struct http_reply *reply)
{
    struct target_http *http = context;

    http->call = NULL;
    if (http->aborted || reply->outcome == HTTP_CANCELED) {
        end_canceled(http);
        return;
    }
    if (http->changes && reply->outcome != HTTP_LOST)
        http->base.may_have_acted = false;
    http->answered(http, reply);
}

void target_http_send(struct target_http *http, struct http_request *request, bool changes,
                      void (*answered)(struct target_http *http, const struct http_reply *reply))
{
    http->answered = answered;
    http->changes = changes;
    if (changes)
        http->base.may_have_acted = true;
    http->call = http_start(http->base.world->http, request, on_reply, http);
}

static void on_token(struct token_request *request, const struct token_result *result)
{
    struct target_http *http = container_of(request, struct target_http, token);

    http->waits_for_token = false;
    if (result->canceled)
        end_canceled(http);
    else
        http->got_token(http, result);
}

void target_http_token(struct target_http *http, const struct identity *identity,
                       const char *audience,
                       void (*got_token)(struct target_http *http,
                                         const struct token_result *result))
{
    http->got_token = got_token;
    http->waits_for_token = true;
    token_request_init(&http->token, on_token);
    token_get(http->base.world->tokens, &http->token, identity, audience);
}
