/* Azure Resource Manager: what it does before it hands a request to a resource provider
 * (authentication, api-version, throttling, existence, authorization), and its routing. */
#ifndef AZURESIM_ARM_H
#define AZURESIM_ARM_H

#include "sim.h"

/* Whether the request is for this face; sets its op and account where it is. */
bool arm_identify(struct http_request *request);

void arm_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* Adds the ids that every answer of Resource Manager carries. */
void arm_add_tracing_headers(const struct http_request *request, struct http_reply *reply);

#endif
