/*
 * How each kind of identity gets a token: a row for each kind. Private to access.
 */
#ifndef KEYROTATED_IO_ACCESS_CREDENTIAL_H
#define KEYROTATED_IO_ACCESS_CREDENTIAL_H

#include "conf/identity.h"
#include "core/look.h"
#include "proto/access_token.h"
#include "proto/http_message.h"

/* The identity and audience of a wanted token. All of it is borrowed. */
struct credential_wish {
    const struct identity *identity;
    const char *login; /* "https://login.microsoftonline.com" */
    const char *audience;
    const char *credentials_directory; /* where relative files are looked up; NULL: nowhere */
};

struct credential_source {
    const char *type; /* the name of the kind: "client_secret" */
    /* Builds the request. 0, or a negative code with *failure filled. `request` has been
     * initialised; http_request_done() in any case. */
    int (*build)(const struct credential_wish *wish, struct http_request *request,
                 struct failure *failure);
    /* Reads the answer, or the lack of one: 0 and a token, or -EIO with *failure filled. */
    int (*read)(const struct credential_wish *wish, const struct http_reply *reply, time_ms now,
                struct access_token *token, struct failure *failure);
    /* How long to wait before the next request, after `attempts` further requests; the first was
     * made `elapsed` ago. 0: the answer is final. NULL: every answer is final. */
    duration_ms (*retry_delay)(const struct http_reply *reply, unsigned attempts,
                               duration_ms elapsed, time_ms now);
};

/* Every type of the schema that is in this version has one. */
const struct credential_source *credential_source_of(const struct identity_type *type);

#endif
