/* Claims challenges (Continuous Access Evaluation): the setting demanded_claims says which claims a
 * token must have been asked for with. */
#ifndef AZURESIM_CLAIMS_H
#define AZURESIM_CLAIMS_H

#include <stdbool.h>

#include "http.h"

/* Whether a token that was asked for with TOKEN_CLAIMS (JSON; NULL: none) meets what DEMANDED
 * (JSON;
 * "": nothing) names below access_token. */
bool claims_meet(const char *token_claims, const char *demanded);

/* Whether its client said that it understands challenges: xms_cc with CP1. */
bool claims_name_capability(const char *token_claims);

/* Adds the parameters of a challenge to the end of the WWW-Authenticate header: BEGINNING, error
 * and claims. */
void claims_challenge(struct http_reply *reply, const char *beginning, const char *demanded);

#endif
