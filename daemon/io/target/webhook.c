/*
 * A probe sends nothing, because any request could make the receiver act: it reads the files that a
 * delivery needs. They are read anew for each delivery.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/target_webhook.h"
#include "io/target/target_content.h"
#include "io/target/target_http.h"
#include "io/target/target_place.h"
#include "proto/failure.h"
#include "proto/program_output.h"
#include "proto/news.h"
#include "proto/webhook.h"

enum { REPLY_MAX = 64 * 1024 };
#define GRACE (5 * MS_SECOND) /* for the request's own deadline, whose message says more */

struct webhook_job {
    struct target_http http; /* its place is the URL and the account, its lane the server */
    char *url;
    struct target_webhook settings; /* the texts belong to the job */
    struct key_file content;        /* deliver; its texts and the key belong to the job */
    struct target_news news;        /* tell; its texts belong to the job */
};

static struct webhook_job *job_of(struct target_job *base)
{
    return container_of(target_http_of(base), struct webhook_job, http);
}

static void fail_for(struct webhook_job *job, enum reason reason, const char *what,
                     const char *problem, const char *remedy)
{
    struct failure *failure = &job->http.base.outcome.failure;

    job->http.base.outcome.failed = true;
    failure_set(failure, reason, "webhook %s: %s%s", job->url, what, problem);
    failure_set_remedy(failure, "%s", remedy);
}

/* --- what a delivery needs --- */

/* All secrets, then the authorities of this target, if it has its own. */
static void read_files(struct webhook_job *job,
                       void (*have_read)(struct target_http *http,
                                         const struct target_reading *reading))
{
    struct target_reading *reading = target_reading_new(job->http.base.world);

    for (size_t i = 0; i < job->settings.secret_count; i++)
        (void)target_reading_add(reading,
                                 &(struct secret_file){.key = "secret_file",
                                                       .path = job->settings.secret_files[i],
                                                       .reason = REASON_TARGET_FAILED},
                                 SECRET_FILE_MAX);
    if (job->settings.ca_file)
        (void)target_reading_add(reading,
                                 &(struct secret_file){.key = "ca_file",
                                                       .path = job->settings.ca_file,
                                                       .reason = REASON_TARGET_FAILED,
                                                       .stays = true},
                                 HTTP_PEM_MAX);
    target_http_read(&job->http, reading, have_read);
}

/* The secret in file `i`. NULL with the job's failure filled. */
static struct secret *take_secret(struct webhook_job *job, const struct target_reading *reading,
                                  size_t i)
{
    const char *path = job->settings.secret_files[i];
    struct failure *failure = &job->http.base.outcome.failure;
    struct secret *text = target_reading_secret(reading, i, failure);
    struct secret *secret = NULL;
    const char *problem = NULL;

    if (text) {
        secret = webhook_secret(text, &problem);
        if (!secret && !problem)
            fault_out_of_memory();
    }
    if (problem) {
        failure_set(failure, REASON_TARGET_FAILED, "secret_file %s cannot be used: %s", path,
                    problem);
        failure_set_remedy(failure,
                           "write the secret that the receiver shows (whsec_...) to %s; `echo "
                           "whsec_$(openssl rand -base64 32)` makes a new one for both sides",
                           path);
    }
    secret_free(text);
    job->http.base.outcome.failed = !secret;
    return secret;
}

/* Returns how many there are; 0 with the job's failure filled. */
static size_t take_secrets(struct webhook_job *job, const struct target_reading *reading,
                           struct secret *secrets[WEBHOOK_SECRETS_MAX])
{
    size_t count = 0;

    while (count < job->settings.secret_count) {
        secrets[count] = take_secret(job, reading, count);
        if (secrets[count]) {
            count++;
            continue;
        }
        while (count > 0)
            secret_free(secrets[--count]);
        return 0;
    }
    return count;
}

/* Appends the authorities of this target. False with the job's failure filled. */
static bool take_authorities(struct webhook_job *job, const struct target_reading *reading,
                             struct buf *out)
{
    static const char remedy[] =
        "write the certificate of the authority that signed the receiver's, in PEM, to ca_file, "
        "readable for the daemon";
    struct target_outcome *outcome = &job->http.base.outcome;

    outcome->failed =
        job->settings.ca_file && !target_reading_authorities(reading, job->settings.secret_count,
                                                             remedy, out, &outcome->failure);
    return !outcome->failed;
}

static void probe(struct target_http *http, const struct target_reading *reading)
{
    struct webhook_job *job = container_of(http, struct webhook_job, http);
    struct secret *secrets[WEBHOOK_SECRETS_MAX];
    size_t count = take_secrets(job, reading, secrets);
    struct buf authorities;

    for (size_t i = 0; i < count; i++)
        secret_free(secrets[i]);
    buf_init(&authorities, HTTP_PEM_MAX);
    if (count > 0)
        (void)take_authorities(job, reading, &authorities);
    buf_done(&authorities);
    target_job_end(&job->http.base);
}

/* --- deliver --- */

static void on_answer(struct target_http *http, const struct http_reply *reply)
{
    struct webhook_job *job = container_of(http, struct webhook_job, http);
    struct target_outcome *outcome = &http->base.outcome;
    int rc = webhook_read(reply, job->url, loop_now(http->base.world->loop), &outcome->failure);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    outcome->failed = rc != 0;
    if (outcome->failed)
        program_output_redact(outcome->failure.text, job->content.key);
    outcome->changed = !outcome->failed; /* what the receiver had before is not known */
    target_job_end(&http->base);
}

static int make_message(struct webhook_job *job, char id[WEBHOOK_ID_MAX], struct buf *body)
{
    const struct target_world *world = job->http.base.world;
    const struct key_file *content = &job->content;
    const struct fingerprint key = world->fingerprint(
        world->fingerprint_context, secret_bytes(content->key), secret_length(content->key));
    const int rc = webhook_id(content->resource_id, &job->http.base.target, content->slot,
                              content->cycle, &key, id);

    return rc != 0 ? rc : webhook_body(content, &key, job->settings.include_key, body);
}

static int make_news(const struct webhook_job *job, char id[WEBHOOK_ID_MAX], struct buf *body)
{
    const struct target_news *news = &job->news;

    (void)str_copy(id, WEBHOOK_ID_MAX, news->id);
    return news_write_message(news->event, news->at, news->json, body);
}

/* Fills the request. False with the job's failure filled. */
static bool make_request(struct webhook_job *job, const struct target_reading *reading,
                         struct http_request *request)
{
    const struct target_world *world = job->http.base.world;
    struct secret *secrets[WEBHOOK_SECRETS_MAX];
    size_t count = take_secrets(job, reading, secrets);
    char id[WEBHOOK_ID_MAX];
    int rc;

    if (count == 0 || !take_authorities(job, reading, &request->tls.authorities)) {
        rc = 0;
    } else {
        request->body.maximum = WEBHOOK_BODY_MAX;
        request->reply_maximum = REPLY_MAX;
        (void)str_copy(request->tls.pin, sizeof(request->tls.pin),
                       job->settings.pin ? job->settings.pin : "");
        rc = job->news.id ? make_news(job, id, &request->body)
                          : make_message(job, id, &request->body);
        if (rc == 0)
            rc = webhook_request(request, job->url, secrets, count, id,
                                 loop_now(world->loop) / MS_SECOND);
    }
    for (size_t i = 0; i < count; i++)
        secret_free(secrets[i]);
    if (rc == -ENOMEM || rc == -EIO)
        fault_out_of_memory(); /* libcrypto fails for nothing else */
    if (rc != 0)
        fail_for(job, REASON_TARGET_FAILED, "the message cannot be made: ", strerror(-rc),
                 "shorten `url`, and write it in ASCII");
    return !job->http.base.outcome.failed;
}

static void deliver(struct target_http *http, const struct target_reading *reading)
{
    struct webhook_job *job = container_of(http, struct webhook_job, http);
    struct http_request request;

    http_request_init(&request, "POST", job->settings.timeout);
    request.service = HTTP_TO_WEBHOOK;
    if (make_request(job, reading, &request)) {
        target_http_send(&job->http, &request, true, on_answer);
    } else {
        http_request_done(&request);
        target_job_end(&job->http.base);
    }
}

static void begin(struct target_job *base)
{
    struct webhook_job *job = job_of(base);

    read_files(job, base->action == TARGET_ACTION_DELIVER || job->news.id ? deliver : probe);
}

/* --- the type --- */

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct target_words words = {
        .type = "webhook",
        .place = base->place,
        .hangs = "did not answer",
        .earlier = "earlier messages to its server have been waiting for an answer",
    };

    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure,
                       "see whether the receiver runs, and let it answer within `timeout`");
}

static void free_job(struct target_job *base)
{
    struct webhook_job *job = job_of(base);

    free(base->place);
    free(job->url);
    for (size_t i = 0; i < job->settings.secret_count; i++)
        free((char *)job->settings.secret_files[i]);
    free((char *)job->settings.ca_file);
    free((char *)job->settings.pin);
    target_content_done(&job->content);
    free((char *)job->news.id);
    free((char *)job->news.event);
    free((char *)job->news.json);
    free(job);
}

/* "https://host:port" */
static size_t server_length(const char *url)
{
    const char *authority = strstr(url, "//") + 2;

    return (size_t)(authority - url) + strcspn(authority, "/");
}

/* News have a lane of their own. */
static void take_news(struct webhook_job *job, const struct target_news *news)
{
    struct target_job *base = &job->http.base;

    job->news.id = must_dup(news->id);
    job->news.event = must_dup(news->event);
    job->news.json = must_dup(news->json);
    job->news.at = news->at;
    free(base->place);
    base->place = must(str_format("news for %s", job->url));
    base->lane_length = strlen(base->place);
}

static void start(struct target_world *world, const struct target_request *request)
{
    const struct target_webhook *settings = target_webhook_of(request->destination);
    struct webhook_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->http.base;

    job->url = target_place(request->destination, request->location);
    job->settings = *settings;
    for (size_t i = 0; i < settings->secret_count; i++)
        job->settings.secret_files[i] = must_dup(settings->secret_files[i]);
    job->settings.ca_file = must_dup(settings->ca_file);
    job->settings.pin = must_dup(settings->pin);
    if (request->delivery)
        job->content = target_content_copy(request->delivery);
    /* Accounts share the URL, and do not wait for each other. */
    base->place = request->delivery ? must(str_format("%s for %s", job->url, job->content.account))
                                    : must_dup(job->url);
    base->lane_length = server_length(job->url);
    if (request->news)
        take_news(job, request->news);
    base->timeout = settings->timeout + GRACE;
    base->begin = begin;
    base->explain = explain;
    base->free = free_job;
    target_http_init(&job->http);
    base->outcome.failed =
        !target_place_check(request, "a path or host name", "`url`", &base->outcome.failure);
    target_queue_start(world, base, request);
}

/* A receiver that gets the key now has to be given it again. */
static void append_form(const struct destination *destination, struct buf *out)
{
    buf_append_format(out, "%d", target_webhook_of(destination)->include_key);
}

const struct target_operations target_webhook_operations = {
    .type = &target_webhook_type,
    .append_form = append_form,
    .start = start,
};
