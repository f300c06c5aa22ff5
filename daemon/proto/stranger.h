/*
 * Describes answers that came from another server than the service, or that redirect, so that a
 * person can find out what stands between.
 */
#ifndef KEYROTATED_PROTO_STRANGER_H
#define KEYROTATED_PROTO_STRANGER_H

#include <stdbool.h>

#include "proto/http_message.h"

enum { STRANGER_TEXT_MAX = 320 };

/*
 * Words to be appended to the status: the place that a redirection (3xx) names, without its query;
 * the title of a web page; the Server header of an answer that is no JSON. "" when there is nothing
 * to report; otherwise the text begins with "; ". Returns out.
 */
const char *stranger_describe(const struct http_reply *reply, char out[STRANGER_TEXT_MAX]);

/* True when the body is empty or its first character shows that it is not JSON. */
bool stranger_sent_body(const struct http_reply *reply);

#endif
