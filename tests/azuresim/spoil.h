/* Good answers, spoiled as on the way to a client: other members, a byte order mark, compression, a
 * redirection, a gateway's page. */
#ifndef AZURESIM_SPOIL_H
#define AZURESIM_SPOIL_H

#include <stdbool.h>

#include "http.h"

/* The member NAME of a JSON object becomes VALUE, raw text; NULL: it is left out. */
void spoil_member(struct http_reply *reply, const char *name, const char *value);

/* Puts UTF-8's byte order mark before the body. */
void spoil_bom(struct http_reply *reply);

/* Compresses the body. */
void spoil_gzip(struct http_reply *reply);

/* Was it sent here by a redirection of ours to the same place? */
bool spoil_was_redirected(const struct http_request *request);

/* Sends the client to PLACE; NULL: to where it asked already, with "redirected=1". STATUS 0: 307.
 */
void spoil_redirect(const struct http_request *request, struct http_reply *reply, int status,
                    const char *place);

/* Answers in HTML. STATUS 0: 503. */
void spoil_page(struct http_reply *reply, int status, const char *title);

#endif
