/*
 * One call under way, shared by azure.c (its life), azure_request.c (its requests),
 * azure_reply.c (its answers) and azure_probe.c (both, of probes).
 *
 * A call makes one request after the other, each of them in three steps: token, admission, HTTP. A
 * look makes up to two requests, a regenerate by rewriting (azure_rewrite.c) three, the others one.
 */
#ifndef KEYROTATED_IO_AZURE_AZURE_CALL_H
#define KEYROTATED_IO_AZURE_AZURE_CALL_H

#include "base/crypto.h"
#include "conf/identity.h"
#include "io/azure/azure.h"
#include "proto/arm.h"
#include "proto/two_key/rewrite.h"

struct azure {
    struct loop *loop;
    struct http *http;
    duration_ms (*clock)(void); /* monotonic: time_boot() but in tests */
    fingerprint_function *fingerprint;
    void *fingerprint_context;
    struct config *config;
    struct access *access;
    struct list calls;
    struct deferred close;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

enum { AZURE_LIST_PAGES_MAX = 8 }; /* of one list; more are not asked for */

enum azure_request {
    AZURE_DESCRIBE,
    AZURE_LIST_KEYS,
    AZURE_READ_WHOLE, /* before a regenerate by rewriting: what has to be written back */
    AZURE_LIST_WHOLE, /* then: the keys that belong there */
    AZURE_REGENERATE,
    AZURE_POLL,
    AZURE_PROBE
};

/* With which key a probe is repeated. */
enum azure_control {
    CONTROL_NONE,
    CONTROL_OTHER_KEY, /* a live one: where it is accepted, the first was refused for what it is */
    CONTROL_WRONG_KEY, /* one that cannot be right: where it is refused, the first was accepted */
};

enum call_step {
    CALL_NEXT_REQUEST, /* begin `request` */
    CALL_WANTS_TOKEN,
    CALL_AWAITS_TOKEN,
    CALL_WANTS_ADMISSION,
    CALL_AWAITS_ADMISSION,
    CALL_SENDS,
    CALL_AWAITS_ANSWER,
    CALL_ENDED
};

struct azure_call {
    struct list link;
    struct azure *azure;
    struct config *config; /* a reference: account and identity live in it */
    struct azure_account *account;
    const struct account *subject;
    const struct two_key_resource *resource;
    enum azure_request request;
    enum slot slot;             /* regenerate */
    bool urgent;                /* look: it serves a repair */
    bool precedes_regenerate;   /* look: see azure_look_wish */
    struct secret *key;         /* verify: a copy */
    struct two_key_whole whole; /* regenerate by rewriting: what was read */
    struct buf body;            /* … and the body made of it */
    char *url;                  /* poll: where; regenerate: result.operation_url; list of keys: the
                                 * next page; NULL: the first */
    unsigned pages_seen;
    bool page_by_get;           /* the next page, because Azure does not give it to a POST */
    struct two_key_pages pages; /* what those seen have shown */
    bool by_status;             /* poll: the answer has a status */

    enum call_step step;
    struct deferred tick;
    struct token_request token_request;
    struct admission_request admission_request;
    struct http_call *http_call;
    bool taken_back; /* another request needs its place: the request will be repeated */
    uint64_t token_generation;
    enum azure_control control; /* the probe is being repeated, to see what its answer means */
    struct failure refusal;     /* that waits meanwhile, of CONTROL_OTHER_KEY */
    bool reauthorised;          /* this request has been repeated after a 401 */

    bool failed;
    bool canceled;
    struct failure failure;
    bool undescribed; /* `description` says why */
    struct failure description;
    duration_ms described_at; /* where result.described */
    struct azure_result result;
    duration_ms started;
    azure_done *done;
    void *context;
};

/* Fills client_request_id anew and builds the present request. 0, or a negative
 * code with call->failure filled. */
int azure_request_build(struct azure_call *call, struct http_request *request,
                        const struct secret *token);

/* A request that regenerates, or one of those that have to come right before it. */
bool azure_request_regenerates(const struct azure_call *call);

/* Does Azure count the present request as a write? POST actions are. */
bool azure_request_writes(const struct azure_call *call);

/* The words for a failure of the present request. `principal` is the caller's storage. */
struct arm_subject azure_subject(const struct azure_call *call,
                                 char principal[IDENTITY_PRINCIPAL_MAX]);

/* The next step after the answer to the present request. */
enum azure_answer {
    ANSWER_DONE,        /* the call has what it wanted */
    ANSWER_DESCRIBED,   /* the description is fine: list the keys */
    ANSWER_UNDESCRIBED, /* no description (see call->failure): list the keys nevertheless */
    ANSWER_PAGE,        /* a part of a list: ask for the page at call->url */
    ANSWER_GOES_ON,     /* `request` is the next one */
    ANSWER_DOUBTFUL,    /* of a probe: another key has to show what it means */
    ANSWER_FAILED,      /* call->failure says why */
};
enum azure_answer azure_reply_read(struct azure_call *call, const struct http_reply *reply,
                                   time_ms now);

/* --- azure_rewrite.c --- */
/* Does the answer to a list of keys, a 200, fit the account's neighbours? False: *failure says why
 * not. */
bool azure_rewrite_fits(const struct azure_call *call, const struct http_reply *reply,
                        struct failure *failure);
/* After a 200 to AZURE_READ_WHOLE and AZURE_LIST_WHOLE: goes on, or fails, and then nothing was
 * changed. */
enum azure_answer azure_rewrite_read(struct azure_call *call, const struct http_reply *reply);
/* What has been read is too old to be written back: fills call->failure. */
void azure_rewrite_took_too_long(struct azure_call *call);
/* Does Azure go on with it after this answer (2xx) to the PUT? */
bool azure_rewrite_goes_on(const struct azure_call *call, const struct http_reply *reply);

/* --- azure_probe.c --- */
/* How a key of the account is proved; NULL: it cannot be. The call has a resource. */
const struct two_key_probe_form *azure_probe_form(const struct azure_call *call);
/* Where a key is proved; NULL: that is not known. */
const char *azure_probe_host(const struct azure_call *call);
int azure_probe_build(const struct azure_call *call, struct http_request *request, struct err *err);
enum azure_answer azure_probe_read(struct azure_call *call, const struct http_reply *reply,
                                   time_ms now);
/* After ANSWER_DOUBTFUL: takes the key that shows what the answer means. False: there is none, and
 * call->failure says so. */
bool azure_probe_again(struct azure_call *call);

#endif
