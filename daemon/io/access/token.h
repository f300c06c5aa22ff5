/*
 * Access tokens: cached, shared, and renewed ahead of time. There is one entry per identity and
 * audience, with at most one request under way; others wait for its result. A token past its
 * refresh time is still handed out while a new one is being fetched. A failure is remembered for a
 * short, growing time, so that ten thousand accounts with one bad secret make one request and not
 * ten thousand.
 */
#ifndef KEYROTATED_IO_ACCESS_TOKEN_H
#define KEYROTATED_IO_ACCESS_TOKEN_H

#include <stdint.h>

#include "base/list.h"
#include "base/log.h"
#include "base/secret.h"
#include "conf/config.h"
#include "core/look.h"
#include "io/access/expiry.h"
#include "io/http/http.h"
#include "io/loop/loop.h"
#include "io/spawner/spawner.h"

struct token_cache;

struct token_result {
    const struct failure *failure; /* NULL: token_open() has it */
    bool canceled;                 /* failure is NULL; there is no token */
};

/* One who waits for a token, embedded in whatever needs it. */
struct token_request {
    struct list link;
    void (*done)(struct token_request *request, const struct token_result *result);
};

/* `clock` is monotonic and counts suspend: time_boot() but in tests. */
struct token_cache *token_cache_new(struct loop *loop, struct http *http, struct log *log,
                                    duration_ms (*clock)(void));

/* Sets the URL of Entra ID. Clears failures, because a reload may have corrected their cause. */
void token_cache_set_login(struct token_cache *cache, const char *login);

/* What is known of the ends of credentials: those of the identities of `config` are kept. */
void token_cache_keep_expiries(struct token_cache *cache, const struct config *config);

/* The identity whose credential ends first. False: no end is known. All of it is borrowed until the
 * next token. */
bool token_cache_first_expiry(const struct token_cache *cache, const char **ret_identity,
                              const struct credential_expiry **ret_expiry);

/* Where relative files of identities are looked up; NULL: nowhere. Nothing may be under way. */
void token_cache_set_credentials_directory(struct token_cache *cache, const char *directory);

/* For identities that get their tokens from a program; NULL: none can be started. To be called
 * before the first token_get(). */
void token_cache_set_spawner(struct token_cache *cache, struct spawner *spawner);

/* Nobody may be waiting. Gives up what is under way, frees everything, then closed(context) from
 * the loop. */
void token_cache_close(struct token_cache *cache, void (*closed)(void *context), void *context);

/* done() is called once per token_get(), from the loop, unless token_cancel() comes first. */
void token_request_init(struct token_request *request,
                        void (*done)(struct token_request *request,
                                     const struct token_result *result));

/* The identity is needed during the call only. */
void token_get(struct token_cache *cache, struct token_request *request,
               const struct identity *identity, const char *audience);
void token_cancel(struct token_request *request);

/* A copy of the token, which is kept sealed, to be freed soon; its generation tells it from its
 * successors. False where there is none that is still good. */
bool token_open(struct token_cache *cache, const struct identity *identity, const char *audience,
                struct secret **ret_token, uint64_t *ret_generation);

/*
 * The token of that generation was refused. Returns true if another request gives a new one: the
 * token is dropped for all who use it. When the last refusal was only seconds ago, a new token
 * would not help, so the old one is kept. `refusal`: the answer; the next token carries the claims
 * that it demands (proto/claims.h). NULL: it demands none.
 */
bool token_invalidate(struct token_cache *cache, const struct identity *identity,
                      const char *audience, uint64_t generation, const struct http_reply *refusal);

/* After an answer that ended a request: where it demands claims, sets the remedy, which depends on
 * whether tokens of that identity can carry them. */
void token_explain_refusal(const struct identity *identity, const struct http_reply *refusal,
                           struct failure *failure);

#endif
