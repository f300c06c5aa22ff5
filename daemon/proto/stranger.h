/*
 * Answers that the service itself did not give, or that send us elsewhere: what can be told of them
 * so that a person finds out who stands between.
 */
#ifndef KEYROTATED_PROTO_STRANGER_H
#define KEYROTATED_PROTO_STRANGER_H

#include <stdbool.h>

#include "proto/http_message.h"

enum { STRANGER_TEXT_MAX = 320 };

/*
 * Words to be appended to the status: the place that a redirection (3xx) names, without its query;
 * the title of a web page; the Server header of an answer that is no JSON. "" where there is
 * nothing to tell, else they begin with "; ". Returns out.
 */
const char *stranger_describe(const struct http_reply *reply, char out[STRANGER_TEXT_MAX]);

/* Is the body anything but JSON, by the looks of its first character? An empty one is. */
bool stranger_sent_body(const struct http_reply *reply);

#endif
