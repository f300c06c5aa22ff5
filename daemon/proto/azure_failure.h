/*
 * Failures by an answer of one of Azure's services, in the words that all of them share. `service`
 * names it ("Azure Resource Manager"), `operation` what was asked for ("listing the settings").
 */
#ifndef KEYROTATED_PROTO_AZURE_FAILURE_H
#define KEYROTATED_PROTO_AZURE_FAILURE_H

#include "core/look.h"
#include "proto/http_message.h"

/* Begins *failure for an answer that is no success: the status, its pause, the ids of the request.
 * The outcome is unknown for a request that `changes` something, unless the status tells that it
 * had no effect. */
void azure_failure_begin(struct failure *failure, enum reason reason,
                         const struct http_reply *reply, bool changes, time_ms now);

/* The text for an error of Azure's, after azure_failure_begin(). `code` and `message` may be "". */
void azure_failure_set_error(struct failure *failure, const char *service, const char *operation,
                             const char *code, const char *message);

/* The text for an answer that is no error of Azure's, after azure_failure_begin(): something on the
 * way gave it. */
void azure_failure_set_stranger(struct failure *failure, const char *service, const char *operation,
                                const struct http_reply *reply);

/* The text for an answer that could not be read for lack of memory, after azure_failure_begin(). */
void azure_failure_set_shortage(struct failure *failure, const char *service,
                                const char *operation);

/* Fills *failure, but for the remedy, for a success with an invalid body; `problem` says what is
 * wrong. The outcome of a request that `changes` something is unknown. */
void azure_failure_unusable(struct failure *failure, enum reason reason,
                            const struct http_reply *reply, bool changes, const char *service,
                            const char *operation, const char *problem);

#endif
