/* The control API below /_sim/: how a test sets up the world, makes it fail and looks at it. */
#ifndef AZURESIM_CONTROL_H
#define AZURESIM_CONTROL_H

#include "sim.h"

/* Whether the request is for this face. */
bool control_identify(struct http_request *request);

/* Called with the lock held. Whatever is wrong with the request becomes a 4xx with
 * {"error":"reason"}. */
void control_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* Answers {"error":MESSAGE}. */
void control_problem(struct http_reply *reply, int status, const char *message);

#endif
