/* The data planes behind doors (doors.h): who is let in. */
#ifndef AZURESIM_DATA_PLANE_H
#define AZURESIM_DATA_PLANE_H

#include "sim.h"

/* Whether the request's host is of this face; sets its op where it is. */
bool data_plane_identify(struct http_request *request);

/* Sets the request's account, for the fault rules and the truth log. */
void data_plane_name_account(struct sim *sim, struct http_request *request);

void data_plane_handle(struct sim *sim, const struct http_request *request,
                       struct http_reply *reply);

/* An error in the shape of the request's service. */
void data_plane_error(const struct http_request *request, struct http_reply *reply, int status,
                      const char *code, const char *message);

#endif
