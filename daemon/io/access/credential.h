/*
 * How each kind of identity gets a token: a row for each kind, whose functions take one step after
 * the other. Private to access.
 *
 *   begin() ---> credential_read_secret()   a file, read on a thread       ---> then(...)
 *                credential_start_job()     other work that may block      ---> then(...)
 *                credential_send()          a request by HTTP              ---> then(...)
 *                credential_run_program()   a program                      ---> then(...)
 *                credential_pause()         some time                      ---> then(...)
 *           ---> credential_succeed() or credential_fail()
 *
 * begin() and each then() call exactly one of these functions, as the last thing they do. All of
 * them return at once; what follows is called from the loop. A credential that is given up (the
 * daemon stops, or its time is up) calls nothing further of its row but done().
 */
#ifndef KEYROTATED_IO_ACCESS_CREDENTIAL_H
#define KEYROTATED_IO_ACCESS_CREDENTIAL_H

#include "conf/identity.h"
#include "core/look.h"
#include "io/access/expiry.h"
#include "io/access/secret_file.h"
#include "io/http/http.h"
#include "io/loop/loop.h"
#include "io/loop/work.h"
#include "io/spawner/program.h"
#include "proto/access_token.h"
#include "proto/http_message.h"

/* The identity and audience of a wanted token. All of it is borrowed, until the end. */
struct credential_wish {
    const struct identity *identity;
    const char *login; /* "https://login.microsoftonline.com" */
    const char *audience;
    const char *claims; /* that the service demands of the token, as JSON; NULL: none */
    const char *credentials_directory; /* where relative files are looked up; NULL: nowhere */
};

struct credential;

struct credential_source {
    const char *type;     /* the name of the kind: "client_secret" */
    duration_ms deadline; /* for all steps together */
    size_t state_size;    /* of credential->state; 0: none */
    size_t kept_size;     /* of credential->kept; 0: none */
    void (*begin)(struct credential *credential);
    /* Frees what the state, or what is kept, refers to. NULL: nothing. */
    void (*done)(void *state);
    void (*forget)(void *kept);
};

/* Work on a thread, the first member of the kind's own structure. The thread may touch nothing
 * else, for the work may outlive the credential: a file system can block it for ever. */
struct credential_job {
    const char *key;  /* the key of the configuration that names the file, for messages; static */
    const char *path; /* of the file, for messages; lives as long as the job */
    void (*run)(struct credential_job *job); /* on the thread */
    void (*then)(struct credential *credential, struct credential_job *job);
    void (*free)(struct credential_job *job); /* after then(), or instead of it */

    struct work work;
    struct credential *owner; /* NULL: given up */
};

enum credential_step {
    CREDENTIAL_IDLE,
    CREDENTIAL_JOB,
    CREDENTIAL_EXCHANGE,
    CREDENTIAL_PROGRAM,
    CREDENTIAL_PAUSE,
    CREDENTIAL_ENDED, /* the result is about to be reported */
};

/* Getting tokens for one identity and audience, one at a time. */
struct credential {
    /* For the kind. */
    struct credential_wish wish;
    struct failure failure; /* of the last one that failed */
    void *state;            /* zeroed at the beginning */
    void *kept;             /* zeroed at the very first, and kept from one token to the next */
    unsigned requests;      /* that were sent, by HTTP */
    struct credential_expiry expiry; /* of what got the token, where the kind knows it */

    /* For the owner. */
    bool under_way;

    /* Of credential.c. */
    struct loop *loop;
    struct http *http;
    struct spawner *spawner;
    duration_ms (*clock)(void);
    const struct credential_source *source;
    enum credential_step step;
    bool late; /* its time is up; the exchange or program under way is being ended */
    bool canceled;
    duration_ms started;
    struct access_token token; /* of one that succeeded */
    struct timer deadline, pause;
    unsigned timers_open; /* while closing */
    struct deferred ending;
    struct credential_job *job;
    struct http_call *call;
    struct program *program;
    void (*then_secret)(struct credential *credential, const struct secret *secret);
    void (*then_reply)(struct credential *credential, const struct http_reply *reply);
    void (*then_result)(struct credential *credential, const struct program_result *result);
    void (*then)(struct credential *credential);
    void (*done)(struct credential *credential, struct access_token *token, bool canceled);
    void (*closed)(struct credential *credential);
};

/* --- for the owner --- */

struct credential_world {
    struct loop *loop;
    struct http *http;
    struct spawner *spawner;    /* NULL: no program can be started */
    duration_ms (*clock)(void); /* monotonic */
};

/* done() comes from the loop. `token`: to be taken; NULL: credential->failure says why not, unless
 * it was canceled. */
void credential_init(struct credential *credential, const struct credential_world *world,
                     void (*done)(struct credential *credential, struct access_token *token,
                                  bool canceled));

/* done() follows. What the wish refers to stays until then. None may be under way. The source is
 * always the same. */
void credential_start(struct credential *credential, const struct credential_source *source,
                      const struct credential_wish *wish);

/* Gives up what is under way, without done(); then closed() from the loop. */
void credential_close(struct credential *credential, void (*closed)(struct credential *credential));

/* The row of a kind (credential_sources.c). Every kind of the schema that is in this version has
 * one. */
const struct credential_source *credential_source_of(const struct identity_type *type);

/* --- for the kinds --- */

/* The wall clock, and the time since begin(). */
time_ms credential_now(const struct credential *credential);
duration_ms credential_elapsed(const struct credential *credential);

/* Reads the file by secret_file_read(). A file that gives no secret ends the credential with that
 * failure. What `file` refers to is needed during the call only, but for its key, which is static;
 * the secret is valid during then(). */
void credential_read_secret(struct credential *credential, const struct secret_file *file,
                            void (*then)(struct credential *credential,
                                         const struct secret *secret));

/* Takes ownership of the job. */
void credential_start_job(struct credential *credential, struct credential_job *job);

/* Takes over the content of the request. The reply is valid during then(), and never HTTP_CANCELED.
 * A request to a metadata service sets `link_local`, so that it passes no proxy. */
void credential_send(struct credential *credential, struct http_request *request,
                     void (*then)(struct credential *credential, const struct http_reply *reply));

/* Runs the program. The result is valid during then(). */
void credential_run_program(struct credential *credential, const struct program_request *request,
                            void (*then)(struct credential *credential,
                                         const struct program_result *result));

/* then() follows after that time. */
void credential_pause(struct credential *credential, duration_ms pause,
                      void (*then)(struct credential *credential));

/* Takes the token. */
void credential_succeed(struct credential *credential, struct access_token *token);
/* credential->failure says why. */
void credential_fail(struct credential *credential);

/* True where `rc` is 0. Where memory is out (-ENOMEM), the process ends. */
bool credential_checked(int rc);

/* After `rc` of a builder of requests: true where it is 0. Otherwise the credential has failed with
 * err's text, or memory is out and the process ends. The request is given up in that case. */
bool credential_built(struct credential *credential, int rc, struct http_request *request,
                      const struct err *err);

#endif
