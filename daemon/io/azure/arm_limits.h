/*
 * What answers of Resource Manager say of its limits, and of those of resource providers, told to
 * the admission.
 */
#ifndef KEYROTATED_IO_AZURE_ARM_LIMITS_H
#define KEYROTATED_IO_AZURE_ARM_LIMITS_H

#include "io/access/admission.h"
#include "proto/http_message.h"

/* `request` is inside; `write`: it counts as one. A reply that is no answer says nothing. */
void arm_limits_heed(struct admission_request *request, const struct http_reply *reply, bool write,
                     time_ms now);

/* The provider in the path or URL of a request to Resource Manager, borrowed from it, as in struct
 * admission_request; NULL: there is none. */
const char *arm_limits_provider(const char *path);

#endif
