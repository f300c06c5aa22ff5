/* The Batch data plane, {account}.{region}.batch.localhost: just enough of it to say whether a key
 * or a token opens the door. */
#ifndef AZURESIM_BATCH_DATA_H
#define AZURESIM_BATCH_DATA_H

#include "sim.h"

/* Whether the request's host is of this face; sets its op and account where it is. */
bool batch_identify(struct http_request *request);

void batch_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* An error in the shape of the Batch service; DETAIL (NULL: none) becomes its "values". */
void batch_error(struct http_reply *reply, int status, const char *code, const char *message,
                 const char *detail_key, const char *detail);

#endif
