/* Regenerations of keys by Resource Manager: what their bodies may be, and what they do. */
#ifndef AZURESIM_REGENERATION_H
#define AZURESIM_REGENERATION_H

#include "arm_target.h"
#include "sim.h"

/* Regenerates the slot of ACCOUNT that the request names. The body must be to the letter what the
 * type takes. */
void regeneration_handle(struct sim *sim, const struct http_request *request,
                         const struct arm_target *target, struct account *account,
                         struct http_reply *reply);

#endif
