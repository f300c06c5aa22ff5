#include "io/target/vault_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/must.h"
#include "base/sealed.h"
#include "base/str.h"
#include "conf/arena.h"
#include "proto/failure.h"

#define FAILURE_KEPT  (2 * MS_SECOND)
#define RENEWAL_PAUSE (5 * MS_SECOND)
/* A token is replaced a tenth of its life before its end, but never more than this. */
#define EARLY_LONGEST (5 * MS_MINUTE)

enum { SESSIONS_MAX = 256, TEXTS_MAX = 64 * 1024, REMEDY_MAX = 512 };

struct vault_session {
    struct vault_session *next;
    struct target_world *world; /* NULL: the session is forgotten, and freed when its call ends */
    struct arena *arena;        /* has all texts */
    const char *name;           /* everything that the login depends on */
    struct vault_login login;
    const char *ca_file; /* or NULL */

    struct sealed *token;   /* NULL: there is none */
    uint64_t generation;    /* of the token: counts logins */
    duration_ms good_until; /* by time_boot() */
    duration_ms renewed_at; /* when a refused token was last replaced; 0: never */

    /* A wrapped secret id can be unwrapped once, so it is kept for later logins. */
    struct sealed *secret_id;
    uint8_t wrapping_hash[SHA256_LENGTH]; /* of the token that wrapped it */
    bool
        answer_lost; /* to the unwrapping with that token: it may be used up, without a secret id */

    /* The login under way. */
    struct target_reading *reading; /* or NULL */
    duration_ms reading_since;      /* by time_boot() */
    struct http_call *call;         /* or NULL */
    void (*answered)(struct vault_session *session, const struct http_reply *reply);
    struct buf authorities; /* the content of ca_file */
    struct secret *proof;   /* what logs in, until it has */
    bool repeated;
    bool ending; /* those who waited are being told */

    struct list waiting;    /* in the order of their calls */
    struct failure failure; /* of the last login */
    duration_ms failed_at;  /* 0: it succeeded */
};

/* --- sessions --- */

static const char *copy(struct arena *arena, const char *text)
{
    return text ? must(arena_dup(arena, text)) : NULL;
}

/* No part holds a line break: the configuration refuses control characters in paths, and addresses
 * are URLs. */
static char *name_of(const struct vault_login *login, const char *ca_file)
{
    return must(str_format("%s\n%s\n%s\n%d\n%s\n%s\n%s\n%d", login->address,
                           login->name_space ? login->name_space : "", ca_file ? ca_file : "",
                           (int)login->kind, login->mount, login->role, login->file,
                           login->wrapped));
}

static void free_session(struct vault_session *session)
{
    sealed_free(session->token);
    sealed_free(session->secret_id);
    secret_free(session->proof);
    buf_done(&session->authorities);
    target_reading_free(session->reading);
    arena_free(session->arena);
    free(session);
}

static bool is_under_way(const struct vault_session *session)
{
    return session->reading || session->call || session->ending;
}

/* Makes room for one more, because reloads can bring ever new logins. One whose secret id cannot be
 * had again goes last. */
static void drop_idle(struct target_world *world)
{
    struct vault_session **oldest = NULL, **oldest_plain = NULL;
    size_t count = 0;

    for (struct vault_session **link = &world->vault_sessions; *link; link = &(*link)->next) {
        count++;
        if (is_under_way(*link))
            continue;
        oldest = link; /* the oldest ones stand last */
        if (!(*link)->secret_id)
            oldest_plain = link;
    }
    if (oldest_plain)
        oldest = oldest_plain;
    if (count >= SESSIONS_MAX && oldest) {
        struct vault_session *dropped = *oldest;

        *oldest = dropped->next;
        free_session(dropped);
    }
}

static struct vault_session *new_session(struct target_world *world,
                                         const struct vault_login *login, const char *ca_file,
                                         const char *name)
{
    struct vault_session *session = must_alloc(sizeof(*session));
    struct arena *arena = must(arena_new(TEXTS_MAX));

    session->world = world;
    session->arena = arena;
    session->name = copy(arena, name);
    session->login = *login;
    session->login.address = copy(arena, login->address);
    session->login.name_space = copy(arena, login->name_space);
    session->login.mount = copy(arena, login->mount);
    session->login.role = copy(arena, login->role);
    session->login.file = copy(arena, login->file);
    session->ca_file = copy(arena, ca_file);
    buf_init(&session->authorities, HTTP_PEM_MAX);
    list_init(&session->waiting);
    return session;
}

struct vault_session *vault_session_find(struct target_world *world,
                                         const struct vault_login *login, const char *ca_file)
{
    struct vault_session *session = world->vault_sessions;
    char *name = name_of(login, ca_file);

    while (session && !str_equal(session->name, name))
        session = session->next;
    if (!session) {
        drop_idle(world);
        session = new_session(world, login, ca_file, name);
        session->next = world->vault_sessions;
        world->vault_sessions = session;
    }
    free(name);
    return session;
}

void vault_session_forget_all(struct target_world *world)
{
    struct vault_session *session = world->vault_sessions;

    world->vault_sessions = NULL;
    while (session) {
        struct vault_session *next = session->next;

        session->world = NULL;
        if (session->call)
            http_cancel(session->call); /* on_reply() frees it */
        else
            free_session(session);
        session = next;
    }
}

/* --- the end of a login --- */

static void end_login(struct vault_session *session, const struct failure *failure)
{
    struct list done;

    secret_clear(&session->proof);
    buf_clear(&session->authorities);
    session->failed_at = failure ? time_boot() : 0;
    if (failure && failure != &session->failure)
        session->failure = *failure;
    session->ending = true;
    list_init(&done);
    for (struct list *link; (link = list_pop(&session->waiting));)
        list_append(&done, link);
    /* One of them may begin another login, in which the others take no part. */
    for (struct list *link; (link = list_pop(&done));) {
        struct vault_waiter *waiter = container_of(link, struct vault_waiter, link);

        waiter->session = NULL;
        waiter->ended(waiter, session, failure ? &session->failure : NULL);
    }
    session->ending = false;
}

static struct failure *begin_failure(struct vault_session *session)
{
    failure_init(&session->failure, REASON_TARGET_FAILED);
    return &session->failure;
}

/* --- requests --- */

static void on_reply(void *context, struct http_reply *reply)
{
    struct vault_session *session = context;

    session->call = NULL;
    if (!session->world) {
        free_session(session);
    } else if (reply->outcome == HTTP_CANCELED) {
        failure_set_text(begin_failure(session),
                         "the login at %s: abandoned because the daemon stops",
                         session->login.address);
        end_login(session, &session->failure);
    } else {
        session->answered(session, reply);
    }
}

/* `rc`: of building it. */
static void send_request(struct vault_session *session, int rc, struct http_request *request,
                         void (*answered)(struct vault_session *session,
                                          const struct http_reply *reply))
{
    if (session->authorities.length > 0)
        buf_append(&request->tls.authorities, session->authorities.data,
                   session->authorities.length);
    if (rc == -ENOMEM || request->tls.authorities.failed == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0) {
        session->answered = answered;
        session->call = http_start(session->world->http, request, on_reply, session);
        return;
    }
    http_request_done(request);
    failure_set_text(begin_failure(session), "the request for a login at %s cannot be made: %s",
                     session->login.address, strerror(-rc));
    failure_set_remedy(&session->failure,
                       "shorten `namespace`, or the mount or role of the login; a token consists "
                       "of printable characters");
    end_login(session, &session->failure);
}

static void send_login(struct vault_session *session);

static void on_logged_in(struct vault_session *session, const struct http_reply *reply)
{
    struct failure failure;
    struct secret *token;
    duration_ms lifetime;
    int rc;

    /* The server made at most a token that nobody knows, and that runs out. */
    if (reply->outcome == HTTP_LOST && !session->login.wrapped && !session->repeated &&
        !list_empty(&session->waiting)) {
        session->repeated = true;
        send_login(session);
        return;
    }
    rc = vault_login_answer(&token, &lifetime, reply, &session->login,
                            loop_now(session->world->loop), &failure);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc < 0) {
        end_login(session, &failure);
        return;
    }
    sealed_free(session->token);
    session->token = must(sealed_new(token));
    secret_free(token);
    session->generation++;
    session->good_until = lifetime == 0
                              ? TIME_NEVER
                              : time_boot() + lifetime - time_min(lifetime / 10, EARLY_LONGEST);
    end_login(session, NULL);
}

static void send_login(struct vault_session *session)
{
    const duration_ms patience = session->world->timeout;
    struct http_request request;
    int rc = vault_login_request(&request, &session->login, session->proof);

    /* Those who wait live long enough for a second try. */
    if (patience > 0)
        request.deadline = time_min(request.deadline, patience / 2);
    send_request(session, rc, &request, on_logged_in);
}

static void on_unwrapped(struct vault_session *session, const struct http_reply *reply)
{
    struct failure failure;
    struct secret *secret_id;
    int rc = vault_unwrap_answer(&secret_id, reply, &session->login, session->answer_lost,
                                 loop_now(session->world->loop), &failure);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    session->answer_lost = session->answer_lost || reply->outcome == HTTP_LOST;
    if (rc < 0) {
        end_login(session, &failure);
        return;
    }
    session->answer_lost = false;
    session->secret_id = must(sealed_new(secret_id));
    secret_free(session->proof);
    session->proof = secret_id;
    send_login(session);
}

/* The proof is a token that wraps the secret id. */
static void unwrap(struct vault_session *session)
{
    const struct secret *proof = session->proof;
    uint8_t hash[SHA256_LENGTH];
    struct http_request request;
    bool is_same;
    int rc;

    if (crypto_sha256(secret_bytes(proof), secret_length(proof), hash) != 0)
        fault_out_of_memory();
    is_same = memcmp(hash, session->wrapping_hash, sizeof(hash)) == 0;
    if (is_same && session->secret_id) {
        secret_free(session->proof);
        session->proof = must(sealed_open(session->secret_id));
        send_login(session);
        return;
    }
    if (!is_same)
        session->answer_lost = false;
    memcpy(session->wrapping_hash, hash, sizeof(hash));
    sealed_free(session->secret_id);
    session->secret_id = NULL;
    rc = vault_unwrap_request(&request, &session->login, proof);
    send_request(session, rc, &request, on_unwrapped);
}

/* --- files --- */

static void set_reading(struct vault_session *session, struct target_reading *reading)
{
    session->reading = reading;
    list_for_each (link, &session->waiting)
        container_of(link, struct vault_waiter, link)->job->reading = reading;
}

void vault_session_authorities_remedy(const char *ca_file, char *out, size_t size)
{
    (void)snprintf(out, size,
                   "write the PEM certificates of the authorities that sign the server's to %s, "
                   "readable for the daemon",
                   ca_file);
}

static void on_read(void *context)
{
    struct vault_session *session = context;
    struct target_reading *reading = session->reading;
    char remedy[REMEDY_MAX];
    bool good = true;

    set_reading(session, NULL);
    if (session->ca_file) {
        vault_session_authorities_remedy(session->ca_file, remedy, sizeof(remedy));
        good = target_reading_authorities(reading, 1, remedy, &session->authorities,
                                          &session->failure);
    }
    if (good)
        session->proof = target_reading_secret(reading, 0, &session->failure);
    target_reading_free(reading);
    if (!session->proof)
        end_login(session, &session->failure);
    else if (session->login.wrapped)
        unwrap(session);
    else
        send_login(session);
}

static void begin_login(struct vault_session *session)
{
    const struct secret_file proof = {
        .key = session->login.kind == VAULT_LOGIN_APPROLE ? "secret_id_file" : "token_file",
        .path = session->login.file,
        .reason = REASON_TARGET_FAILED,
    };
    const struct secret_file authorities = {
        .key = "ca_file", .path = session->ca_file, .reason = REASON_TARGET_FAILED, .stays = true};
    struct target_reading *reading = target_reading_new(session->world);

    session->repeated = false;
    (void)target_reading_add(reading, &proof, SECRET_FILE_MAX);
    if (session->ca_file)
        (void)target_reading_add(reading, &authorities, HTTP_PEM_MAX);
    set_reading(session, reading);
    session->reading_since = time_boot();
    target_reading_start(reading, on_read, session);
}

/* --- for operations --- */

struct secret *vault_session_token(const struct vault_session *session, uint64_t *ret_generation)
{
    *ret_generation = session->generation;
    return session->token && time_boot() < session->good_until ? must(sealed_open(session->token))
                                                               : NULL;
}

const struct failure *vault_session_failure(const struct vault_session *session)
{
    return session->failed_at != 0 && time_boot() - session->failed_at < FAILURE_KEPT
               ? &session->failure
               : NULL;
}

void vault_session_wait(struct vault_session *session, struct vault_waiter *waiter)
{
    waiter->session = session;
    list_append(&session->waiting, &waiter->link);
    waiter->job->reading = session->reading;
    if (!session->reading && !session->call)
        begin_login(session);
}

static bool reading_is_old(const struct vault_session *session)
{
    const struct target_world *world = session->world;
    const duration_ms patience = world->timeout > 0 ? world->timeout : TARGET_TIMEOUT;

    return session->reading && time_boot() - session->reading_since >= patience / 2;
}

/*
 * Files that hang would keep all later logins waiting, even where another file system has taken the
 * place of the dead one: they are read anew from time to time. A request goes on without those who
 * waited, because its answer may hold a secret id that cannot be had again.
 */
static void leave_alone(struct vault_session *session)
{
    if (list_empty(&session->waiting) || reading_is_old(session)) {
        target_reading_free(session->reading);
        set_reading(session, NULL);
    }
    if (session->world->canceled && list_empty(&session->waiting))
        http_cancel(session->call); /* on_reply() ends the login */
    else if (!list_empty(&session->waiting) && !is_under_way(session))
        begin_login(session);
}

bool vault_session_leave(struct vault_waiter *waiter)
{
    struct vault_session *session = waiter->session;

    if (!session)
        return false;
    waiter->session = NULL;
    waiter->job->reading = NULL;
    list_remove(&waiter->link);
    leave_alone(session);
    return true;
}

bool vault_session_refused(struct vault_session *session, uint64_t generation)
{
    /* Without a token another operation is replacing it already. */
    if (!session->token || session->generation != generation)
        return true;
    if (session->renewed_at != 0 && time_boot() - session->renewed_at < RENEWAL_PAUSE)
        return false;
    session->renewed_at = time_boot();
    sealed_free(session->token);
    session->token = NULL;
    return true;
}
