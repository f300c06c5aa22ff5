#include "io/target/vault_token.h"

#include "proto/failure.h"

enum { REMEDY_MAX = 512 };

/* --- by a login --- */

static struct vault_session *session_of(struct vault_job *job)
{
    return vault_session_find(job->http.base.world, &job->login, job->ca_file);
}

static bool take_token(struct vault_job *job, const struct vault_session *session)
{
    struct secret *token = vault_session_token(session, &job->generation);

    if (!token)
        return false;
    secret_free(job->token);
    job->token = token;
    job->step(job);
    return true;
}

static void fail_as(struct vault_job *job, const struct failure *failure)
{
    job->http.base.outcome.failure = *failure;
    vault_job_fail(job);
}

static void on_login_ended(struct vault_waiter *waiter, struct vault_session *session,
                           const struct failure *failure)
{
    struct vault_job *job = container_of(waiter, struct vault_job, waiter);

    if (failure)
        fail_as(job, failure);
    else if (!take_token(job, session)) /* it lives for no time at all, or was refused just now */
        vault_session_wait(session, waiter);
}

static void log_in(struct vault_job *job)
{
    struct vault_session *session = session_of(job);
    const struct failure *failure = vault_session_failure(session);

    if (take_token(job, session))
        return;
    if (failure) {
        fail_as(job, failure);
        return;
    }
    job->waiter.job = &job->http.base;
    job->waiter.ended = on_login_ended;
    vault_session_wait(session, &job->waiter);
}

/* --- by a file --- */

static void add_token_file(struct vault_job *job, struct target_reading *reading)
{
    const struct secret_file file = {
        .key = "token_file", .path = job->login.file, .reason = REASON_TARGET_FAILED};

    (void)target_reading_add(reading, &file, SECRET_FILE_MAX);
}

/* A file that still holds the refused token gives no other one. */
static void on_read_again(struct target_http *http, const struct target_reading *reading)
{
    struct vault_job *job = vault_job_of(http);
    struct failure unused;
    struct secret *token = target_reading_secret(reading, 0, &unused);

    if (!token || secret_equal(token, job->token)) {
        secret_free(token);
        vault_job_fail(job);
        return;
    }
    secret_free(job->token);
    job->token = token;
    job->step(job);
}

/* --- for all --- */

/* The token's file, if the operation has one, and then that of the authorities. */
static void on_read(struct target_http *http, const struct target_reading *reading)
{
    struct vault_job *job = vault_job_of(http);
    struct failure *failure = &http->base.outcome.failure;
    const bool has_token_file = job->login.kind == VAULT_LOGIN_TOKEN;
    char remedy[REMEDY_MAX];

    if (job->ca_file) {
        vault_session_authorities_remedy(job->ca_file, remedy, sizeof(remedy));
        if (!target_reading_authorities(reading, has_token_file, remedy, &job->authorities,
                                        failure)) {
            vault_job_fail(job);
            return;
        }
    }
    if (!has_token_file) {
        log_in(job);
        return;
    }
    job->token = target_reading_secret(reading, 0, failure);
    if (job->token)
        job->step(job);
    else
        vault_job_fail(job);
}

void vault_token_begin(struct vault_job *job, void (*step)(struct vault_job *job))
{
    const struct secret_file authorities = {
        .key = "ca_file", .path = job->ca_file, .reason = REASON_TARGET_FAILED, .stays = true};
    struct target_reading *reading;

    job->step = step;
    if (!job->ca_file && job->login.kind != VAULT_LOGIN_TOKEN) {
        log_in(job);
        return;
    }
    reading = target_reading_new(job->http.base.world);
    if (job->login.kind == VAULT_LOGIN_TOKEN)
        add_token_file(job, reading);
    if (job->ca_file)
        (void)target_reading_add(reading, &authorities, HTTP_PEM_MAX);
    target_http_read(&job->http, reading, on_read);
}

bool vault_token_renew(struct vault_job *job)
{
    struct target_reading *reading;

    if (job->renewed)
        return false;
    job->renewed = true;
    if (job->login.kind == VAULT_LOGIN_TOKEN) {
        reading = target_reading_new(job->http.base.world);
        add_token_file(job, reading);
        target_http_read(&job->http, reading, on_read_again);
        return true;
    }
    if (!vault_session_refused(session_of(job), job->generation))
        return false;
    log_in(job);
    return true;
}

bool vault_token_give_up(struct vault_job *job)
{
    return vault_session_leave(&job->waiter);
}
