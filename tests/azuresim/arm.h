/* Azure Resource Manager: what it does before it hands a request to a resource provider
 * (authentication, api-version, throttling, existence, authorization), and its routing. */
#ifndef AZURESIM_ARM_H
#define AZURESIM_ARM_H

#include "sim.h"

/* The resource id in the path; the strings point into the request. */
struct arm_target {
    const char *subscription_id;
    const char *group;   /* NULL: the whole subscription */
    const char *account; /* NULL: a list */
    const char *action;  /* NULL: none */
};

/* Whether the request is for this face; sets its op and account where it is. */
bool arm_identify(struct http_request *request);

void arm_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* Adds the ids that every answer of Resource Manager carries. */
void arm_add_tracing_headers(const struct http_request *request, struct http_reply *reply);

/* A CloudError: {"error":{"code","message"}}. */
void arm_error(struct http_reply *reply, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
