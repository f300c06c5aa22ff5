/*
 * A job that consists of HTTP requests, one after the other (and of access tokens and files for
 * them). A type of target that is a server embeds it as the first member of its own job.
 *
 *   begin() ---> target_http_authorize() ---> authorized() ---> target_http_send() ---> answered()
 *      |                 ^                                         ^                     |
 *      |                 +-------------------- next request, or once after 401 ----------+
 *      |                                                           |                     |
 *      +------> target_http_read() ---> have_read() ---------------+                     |
 *                        ^                                                               |
 *                        +---------------------------------------------------------------+
 *
 * Each callback either asks for the next token or file, sends the next request, or fills `outcome`
 * and calls target_job_end(). When the job is given up, the request is canceled and no further
 * callback is called. Nothing in such a job opens a file on the loop.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_HTTP_H
#define KEYROTATED_IO_TARGET_TARGET_HTTP_H

#include "io/target/target_queue.h"

struct target_http {
    struct target_job base;
    struct http_call *call;         /* under way, or NULL */
    struct target_reading *reading; /* under way, or NULL */
    void (*have_read)(struct target_http *http, const struct target_reading *reading);
    bool aborted;
    bool changes; /* the request under way changes the target */
    void (*answered)(struct target_http *http, const struct http_reply *reply);

    struct token_request token;
    bool waits_for_token;
    const struct identity *identity; /* of the token */
    const char *audience;
    uint64_t token_generation;
    bool token_renewed; /* after a refusal */
    void (*authorized)(struct target_http *http, const struct secret *token);
};

static inline struct target_http *target_http_of(struct target_job *job)
{
    return container_of(job, struct target_http, base);
}

/* Sets `abort`; the type sets the other members of `base`. */
void target_http_init(struct target_http *http);

/* That `abort`, for a type that has one of its own around it: the files, the token or the request
 * under way are given up. */
void target_http_abort(struct target_job *job);

/*
 * Sends a request, taking ownership of its content. Then answered(http, reply) from the loop; the
 * reply is valid during the call only, and never HTTP_CANCELED. `changes`: the request changes the
 * target, so that the outcome is unknown while no answer has come; an answer of whatever kind, or
 * HTTP_UNSENT, settles it (the type decides what HTTP_LOST means).
 */
void target_http_send(struct target_http *http, struct http_request *request, bool changes,
                      void (*answered)(struct target_http *http, const struct http_reply *reply));

/* Reads the files of `reading`, which becomes the job's. Then have_read(http, reading) from the
 * loop; the reading lives during the call only. */
void target_http_read(struct target_http *http, struct target_reading *reading,
                      void (*have_read)(struct target_http *http,
                                        const struct target_reading *reading));

/* Asks for a token of that identity and audience, which live as long as the job. Then
 * authorized(http, token) from the loop; the token is valid during the call only. A failure ends
 * the job. */
void target_http_authorize(struct target_http *http, const struct identity *identity,
                           const char *audience,
                           void (*authorized)(struct target_http *http,
                                              const struct secret *token));

/* The last token was refused (401), which was for that audience. True, once a job: it is dropped,
 * so that the next one is worth a try. */
bool target_http_renew_token(struct target_http *http, const char *audience,
                             const struct http_reply *refusal);

/* Pauses the job's lane when the reply is a refusal for too many requests (429). */
void target_http_heed_throttling(struct target_http *http, const struct http_reply *reply);

#endif
