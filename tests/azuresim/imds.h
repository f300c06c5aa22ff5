/* The Azure Instance Metadata Service's token endpoint for managed identities, plain HTTP. */
#ifndef AZURESIM_IMDS_H
#define AZURESIM_IMDS_H

#include "sim.h"

/* Sets the op of a request that came to the IMDS port. */
void imds_identify(struct http_request *request);

void imds_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* An error in this face's shape. */
void imds_error(struct http_reply *reply, int status, const char *error, const char *description);

#endif
