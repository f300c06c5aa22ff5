/*
 * Getting one token: a request by the row of the identity's kind, repeated where that row says so.
 * Private to access.
 */
#ifndef KEYROTATED_IO_ACCESS_TOKEN_FETCH_H
#define KEYROTATED_IO_ACCESS_TOKEN_FETCH_H

#include "io/access/credential.h"
#include "io/http/http.h"
#include "io/loop/loop.h"

struct token_fetch {
    struct loop *loop;
    struct http *http;
    duration_ms (*clock)(void);
    bool under_way;
    struct credential_wish wish;
    const struct credential_source *source;
    struct http_call *call; /* may be NULL even while `exchanging` */
    bool exchanging;        /* on_reply() is still to come */
    unsigned attempts;
    duration_ms started;
    struct timer repeat;
    struct failure failure; /* of the last one that failed */
    /* From the loop. `token`: to be taken; NULL: fetch->failure says why not, unless it was
     * canceled. */
    void (*done)(struct token_fetch *fetch, struct access_token *token, bool canceled);
    void (*closed)(struct token_fetch *fetch);
};

void token_fetch_init(struct token_fetch *fetch, struct loop *loop, struct http *http,
                      duration_ms (*clock)(void),
                      void (*done)(struct token_fetch *fetch, struct access_token *token,
                                   bool canceled));

/* 0: done() follows. A negative code: fetch->failure says why not. What the wish refers to stays
 * until then. None may be under way. */
int token_fetch_start(struct token_fetch *fetch, const struct credential_wish *wish);

/* Gives up what is under way (done() is called as canceled where it was sent), then closed() from
 * the loop. */
void token_fetch_close(struct token_fetch *fetch, void (*closed)(struct token_fetch *fetch));

#endif
