/* The resource providers behind Resource Manager: resources and their keys. */
#ifndef AZURESIM_PROVIDER_H
#define AZURESIM_PROVIDER_H

#include "arm_target.h"
#include "sim.h"

/* Carries out a request that Resource Manager let pass. */
void provider_handle(struct sim *sim, const struct http_request *request,
                     const struct arm_target *target, struct http_reply *reply);

#endif
