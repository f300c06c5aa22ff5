/*
 * Long-running operations of Azure Resource Manager: what an answer of 202 names, and what the
 * polls of it say ("Track asynchronous Azure operations"; the Resource Provider Contract,
 * async-api-reference.md).
 *
 * Azure-AsyncOperation names a URL whose answers have a member `status`; Location one that answers
 * 202 until it has ended. The first is preferred where both are named, and is the only one that
 * counts in an answer of 200 or 201 to a PUT.
 */
#ifndef KEYROTATED_PROTO_ARM_OPERATION_H
#define KEYROTATED_PROTO_ARM_OPERATION_H

#include "core/event.h"
#include "proto/http_message.h"

/* Stands behind a URL that Azure-AsyncOperation named. A URL has no fragment on the wire. */
#define ARM_OPERATION_BY_STATUS "#status"

/*
 * Finds the URL to poll in the headers of an answer, and marks it with ARM_OPERATION_BY_STATUS
 * where that applies. Only URLs of `resource_manager` are taken (arm_link_check()), and those that
 * are shorter than `size` with the mark. Returns 0; -ENOENT: none is named; -EPERM: each that is
 * named leads elsewhere, or -EMSGSIZE: is too long, with err set: it names the host alone.
 */
int arm_operation_url(const struct http_reply *reply, const char *resource_manager, char *out,
                      size_t size, struct err *err);

/* May a token go there? The URL, without its mark, is put into `out`. Returns 0, or -EPERM or
 * -EMSGSIZE with err set. *ret_by_status: it had the mark. */
int arm_operation_target(const char *url, const char *resource_manager, char *out, size_t size,
                         bool *ret_by_status, struct err *err);

/*
 * Reads the answer to a poll that has the status 200, 201, 202, 204, 404 or 410. Returns 0 with
 * *ret_state, and for OPERATION_FAILED *failure filled; -EBADMSG with err set: it says nothing.
 */
int arm_operation_read(const struct http_reply *reply, bool by_status,
                       enum operation_state *ret_state, struct failure *failure, struct err *err);

#endif
