#include "io/target/target_http.h"

#include "proto/failure.h"

void target_http_abort(struct target_job *job)
{
    struct target_http *http = target_http_of(job);

    http->aborted = true;
    if (http->reading) {
        http->base.reading = NULL;
        target_reading_free(http->reading);
        http->reading = NULL;
        target_job_end(job);
    } else if (http->waits_for_token) {
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

    failure_set(&outcome->failure, REASON_TARGET_FAILED, "%s: abandoned because the daemon stops",
                http->base.place);
    outcome->failure.outcome_unknown = http->base.may_have_acted;
    target_job_fail(&http->base);
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
    if (http->base.ended && http->base.outcome.failed && http->token_renewed)
        token_explain_refusal(http->identity, reply, &http->base.outcome.failure);
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

static void on_read(void *context)
{
    struct target_http *http = context;
    struct target_reading *reading = http->reading;

    http->reading = NULL;
    http->base.reading = NULL;
    http->have_read(http, reading);
    target_reading_free(reading);
}

void target_http_read(struct target_http *http, struct target_reading *reading,
                      void (*have_read)(struct target_http *http,
                                        const struct target_reading *reading))
{
    http->have_read = have_read;
    http->reading = reading;
    http->base.reading = reading;
    target_reading_start(reading, on_read, http);
}

static void ask_for_token(struct target_http *http)
{
    http->waits_for_token = true;
    token_get(http->base.world->tokens, &http->token, http->identity, http->audience);
}

static void on_token(struct token_request *request, const struct token_result *result)
{
    struct target_http *http = container_of(request, struct target_http, token);
    struct secret *token;

    http->waits_for_token = false;
    if (result->canceled) {
        end_canceled(http);
    } else if (result->failure) {
        http->base.outcome.failure = *result->failure;
        target_job_fail(&http->base);
    } else if (token_open(http->base.world->tokens, http->identity, http->audience, &token,
                          &http->token_generation)) {
        http->authorized(http, token);
        secret_free(token);
    } else {
        ask_for_token(http); /* it has become too old just now */
    }
}

void target_http_authorize(struct target_http *http, const struct identity *identity,
                           const char *audience,
                           void (*authorized)(struct target_http *http, const struct secret *token))
{
    http->identity = identity;
    http->audience = audience;
    http->authorized = authorized;
    token_request_init(&http->token, on_token);
    ask_for_token(http);
}

bool target_http_renew_token(struct target_http *http, const char *audience,
                             const struct http_reply *refusal)
{
    if (http->token_renewed || !token_invalidate(http->base.world->tokens, http->identity, audience,
                                                 http->token_generation, refusal))
        return false;
    http->token_renewed = true;
    return true;
}

void target_http_heed_throttling(struct target_http *http, const struct http_reply *reply)
{
    struct target_job *job = &http->base;

    if (reply->outcome == HTTP_ANSWERED && reply->status == 429)
        target_job_pause_lane(job, http_reply_retry_after(reply, loop_now(job->world->loop)));
}
