/*
 * HTTP replies for tests, made of strings.
 */
#ifndef KEYROTATED_TESTS_CANNED_REPLY_H
#define KEYROTATED_TESTS_CANNED_REPLY_H

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "proto/http_message.h"

enum { CANNED_BODY_MAX = 256 * 1024 };

/* An answer with that status, header lines ("Name: value\n…") and body; both may be NULL. */
static inline void canned_answer(struct http_reply *reply, int status, const char *headers,
                                 const char *body)
{
    http_reply_init(reply, CANNED_BODY_MAX);
    reply->outcome = HTTP_ANSWERED;
    reply->status = status;
    if (headers)
        buf_append_str(&reply->headers, headers);
    if (body)
        buf_append_str(&reply->body, body);
}

/* No answer, for this reason. */
static inline void canned_silence(struct http_reply *reply, enum http_outcome outcome,
                                  const char *why)
{
    http_reply_init(reply, CANNED_BODY_MAX);
    reply->outcome = outcome;
    err_set(&reply->error, -EIO, "%s", why);
}

/* The value of a request's header, or NULL. */
static inline const char *sent_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = buf_str(&request->headers[i]);
        size_t length = strlen(name);

        if (str_starts_with_nocase(line, name) && line[length] == ':')
            return line + length + 2;
    }
    return NULL;
}

#endif
