#include "io/target/vault_token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/sealed.h"
#include "base/str.h"
#include "io/access/secret_file.h"
#include "proto/failure.h"

#define FAILURE_KEPT  (2 * MS_SECOND)
#define RENEWAL_PAUSE (5 * MS_SECOND)
/* A token is replaced a tenth of its life before its end, but never more than this. */
#define EARLY_LONGEST (5 * MS_MINUTE)

enum { SESSIONS_MAX = 256, SESSION_NAME_MAX = 16 * 1024 };

/* What operations with the same login share. */
struct vault_session {
    struct vault_session *next;
    char *name;             /* everything that the login depends on */
    struct sealed *token;   /* NULL: there is none */
    uint64_t generation;    /* of the token: counts logins */
    duration_ms good_until; /* by time_boot() */
    duration_ms renewed_at; /* when a refused token was last replaced; 0: never */

    /* A wrapped secret id can be unwrapped once, so it is kept for later logins. */
    struct sealed *secret_id;
    uint8_t wrapping_hash[SHA256_LENGTH]; /* of the token that wrapped it */

    struct vault_job *leader; /* the job that logs in, or NULL */
    struct list waiting;      /* jobs, in the order of their calls */
    struct failure failure;   /* of the last login */
    duration_ms failed_at;    /* 0: it succeeded */
};

/* --- sessions --- */

static char *name_of(const struct vault_job *job)
{
    const struct vault_login *login = &job->login;

    /* No part holds a line break: the configuration refuses control characters in paths, and
     * addresses are URLs. */
    return must(str_format("%s\n%s\n%s\n%d\n%s\n%s\n%s\n%d", login->address,
                           login->name_space ? login->name_space : "",
                           job->ca_file ? job->ca_file : "", (int)login->kind, login->mount,
                           login->role, login->file, login->wrapped));
}

static void free_session(struct vault_session *session)
{
    sealed_free(session->token);
    sealed_free(session->secret_id);
    free(session->name);
    free(session);
}

static bool is_idle(const struct vault_session *session)
{
    return !session->leader && list_empty(&session->waiting);
}

/* Makes room for one more: reloads can bring ever new logins. */
static void drop_idle(struct target_world *world)
{
    struct vault_session **link = &world->vault_sessions;
    struct vault_session **last_idle = NULL;
    size_t count = 0;

    for (; *link; link = &(*link)->next) {
        count++;
        if (is_idle(*link))
            last_idle = link; /* the oldest ones stand last */
    }
    if (count >= SESSIONS_MAX && last_idle) {
        struct vault_session *oldest = *last_idle;

        *last_idle = oldest->next;
        free_session(oldest);
    }
}

static struct vault_session *find_or_add(struct vault_job *job)
{
    struct target_world *world = job->http.base.world;
    struct vault_session *session = world->vault_sessions;
    char *name = name_of(job);

    while (session && !str_equal(session->name, name))
        session = session->next;
    if (session) {
        free(name);
        return session;
    }
    drop_idle(world);
    session = must_alloc(sizeof(*session));
    session->name = name;
    list_init(&session->waiting);
    session->next = world->vault_sessions;
    world->vault_sessions = session;
    return session;
}

void vault_token_forget_all(struct target_world *world)
{
    struct vault_session *session = world->vault_sessions;

    while (session) {
        struct vault_session *next = session->next;

        free_session(session);
        session = next;
    }
    world->vault_sessions = NULL;
}

/* --- handing out --- */

static bool has_token(const struct vault_session *session)
{
    return session->token && time_boot() < session->good_until;
}

static void hand_out(struct vault_session *session, struct vault_job *job)
{
    secret_free(job->token);
    job->token = must(sealed_open(session->token));
    job->generation = session->generation;
    job->session = NULL;
    job->step(job);
}

static void fail_as(struct vault_session *session, struct vault_job *job)
{
    job->http.base.outcome.failure = session->failure;
    job->session = NULL;
    vault_job_fail(job);
}

/* The login has ended, for its leader and all who wait. These may begin another one meanwhile, in
 * which nobody of them takes part. */
static void end_login(struct vault_session *session,
                      void (*end)(struct vault_session *session, struct vault_job *job))
{
    struct vault_job *leader = session->leader;
    struct list done;

    session->leader = NULL;
    leader->leads = false;
    list_init(&done);
    for (struct list *link; (link = list_pop(&session->waiting));)
        list_append(&done, link);
    end(session, leader);
    for (struct list *link; (link = list_pop(&done));)
        end(session, container_of(link, struct vault_job, waiting));
}

static void login_failed(struct vault_session *session, const struct failure *failure)
{
    session->failure = *failure;
    session->failed_at = time_boot();
    end_login(session, fail_as);
}

/* --- logging in --- */

static void on_logged_in(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    struct vault_session *session = job->session;
    struct failure failure;
    struct secret *token;
    duration_ms lifetime;
    int rc = vault_login_answer(&token, &lifetime, reply, &job->login,
                                loop_now(http->base.world->loop), &failure);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc < 0) {
        login_failed(session, &failure);
        return;
    }
    sealed_free(session->token);
    session->token = must(sealed_new(token));
    secret_free(token);
    session->generation++;
    session->failed_at = 0;
    session->good_until = lifetime == 0
                              ? TIME_NEVER
                              : time_boot() + lifetime - time_min(lifetime / 10, EARLY_LONGEST);
    end_login(session, hand_out);
}

static void send_login(struct vault_job *job, const struct secret *proof)
{
    struct http_request request;
    int rc = vault_login_request(&request, &job->login, proof);

    if (!vault_job_try(job, rc, &request, false, on_logged_in))
        login_failed(job->session, &job->http.base.outcome.failure);
}

static void on_unwrapped(struct target_http *http, const struct http_reply *reply)
{
    struct vault_job *job = vault_job_of(http);
    struct vault_session *session = job->session;
    struct failure failure;
    struct secret *secret_id;
    int rc = vault_unwrap_answer(&secret_id, reply, &job->login, loop_now(http->base.world->loop),
                                 &failure);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc < 0) {
        login_failed(session, &failure);
        return;
    }
    session->secret_id = must(sealed_new(secret_id));
    send_login(job, secret_id);
    secret_free(secret_id);
}

static void unwrap(struct vault_job *job, const struct secret *wrapping_token)
{
    struct vault_session *session = job->session;
    uint8_t hash[SHA256_LENGTH];
    struct http_request request;
    int rc;

    if (crypto_sha256(secret_bytes(wrapping_token), secret_length(wrapping_token), hash) != 0)
        fault_out_of_memory();
    if (session->secret_id && memcmp(hash, session->wrapping_hash, sizeof(hash)) == 0) {
        struct secret *secret_id = must(sealed_open(session->secret_id));

        send_login(job, secret_id);
        secret_free(secret_id);
        return;
    }
    memcpy(session->wrapping_hash, hash, sizeof(hash));
    sealed_free(session->secret_id);
    session->secret_id = NULL;
    rc = vault_unwrap_request(&request, &job->login, wrapping_token);
    if (!vault_job_try(job, rc, &request, false, on_unwrapped))
        login_failed(session, &job->http.base.outcome.failure);
}

static struct secret *read_file(struct vault_job *job, struct failure *failure)
{
    static const char *const names[] = {
        [VAULT_LOGIN_TOKEN] = "token_file",
        [VAULT_LOGIN_APPROLE] = "secret_id_file",
        [VAULT_LOGIN_KUBERNETES] = "token_file",
    };
    const struct secret_file file = {
        .key = names[job->login.kind],
        .path = job->login.file,
        .reason = REASON_TARGET_FAILED,
    };

    return secret_file_read(&file, job->http.base.world->credentials_directory, failure);
}

static void begin_login(struct vault_session *session, struct vault_job *job)
{
    struct failure failure;
    struct secret *proof;

    session->leader = job;
    job->leads = true;
    proof = read_file(job, &failure);
    if (!proof)
        login_failed(session, &failure);
    else if (job->login.wrapped)
        unwrap(job, proof);
    else
        send_login(job, proof);
    secret_free(proof);
}

/* --- for the operations --- */

static void read_token(struct vault_job *job)
{
    struct secret *token = read_file(job, &job->http.base.outcome.failure);

    if (!token) {
        vault_job_fail(job);
        return;
    }
    secret_free(job->token);
    job->token = token;
    job->step(job);
}

void vault_token_get(struct vault_job *job, void (*step)(struct vault_job *job))
{
    struct vault_session *session;

    job->step = step;
    if (job->login.kind == VAULT_LOGIN_TOKEN) {
        read_token(job);
        return;
    }
    session = find_or_add(job);
    job->session = session;
    if (session->leader)
        list_append(&session->waiting, &job->waiting);
    else if (has_token(session))
        hand_out(session, job);
    else if (session->failed_at != 0 && time_boot() - session->failed_at < FAILURE_KEPT)
        fail_as(session, job);
    else
        begin_login(session, job);
}

/* A file that still holds the refused token gives no other one. */
static bool renew_from_file(struct vault_job *job)
{
    struct failure unused;
    struct secret *token = read_file(job, &unused);

    if (!token || secret_equal(token, job->token)) {
        secret_free(token);
        return false;
    }
    secret_free(job->token);
    job->token = token;
    job->step(job);
    return true;
}

bool vault_token_renew(struct vault_job *job)
{
    struct vault_session *session;

    if (job->renewed)
        return false;
    job->renewed = true;
    if (job->login.kind == VAULT_LOGIN_TOKEN)
        return renew_from_file(job);
    session = find_or_add(job);
    /* Without a token another operation is replacing it already. */
    if (session->token && session->generation == job->generation) {
        if (session->renewed_at != 0 && time_boot() - session->renewed_at < RENEWAL_PAUSE)
            return false;
        session->renewed_at = time_boot();
        sealed_free(session->token);
        session->token = NULL;
    }
    vault_token_get(job, job->step);
    return true;
}

bool vault_token_give_up(struct vault_job *job)
{
    struct vault_session *session = job->session;
    struct list *next;

    if (!session)
        return false;
    job->session = NULL;
    list_remove(&job->waiting);
    if (!job->leads)
        return true;
    job->leads = false;
    session->leader = NULL;
    next = job->http.base.world->canceled ? NULL : list_pop(&session->waiting);
    if (next)
        begin_login(session, container_of(next, struct vault_job, waiting));
    return false;
}
