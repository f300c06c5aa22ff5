/* Entra ID's token endpoint (client credentials grant), and the instance metadata next to it. */
#ifndef AZURESIM_ENTRA_H
#define AZURESIM_ENTRA_H

#include "sim.h"

/* Whether the request is for this face; sets its op and tenant where it is. */
bool entra_identify(struct http_request *request);

void entra_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* An error in Entra's shape; OAUTH_ERROR like "invalid_client". */
void entra_error(struct http_reply *reply, int status, const char *oauth_error, int aadsts,
                 const char *message);

/* Whether tokens for AUDIENCE are issued here. */
bool entra_knows_audience(const struct sim *sim, const char *audience);

/* Whether AUDIENCE is EXPECTED; a slash at the end makes no difference. */
bool entra_same_audience(const char *audience, const char *expected);

#endif
