/*
 * Filling a struct failure: the words for what went wrong and what to do about it, and the outcomes
 * that are the same for every service we talk to.
 *
 * All texts have one style. What happened: "SERVICE answered OPERATION with STATUS CODE: what it
 * said". What to do: an imperative without a full stop.
 */
#ifndef KEYROTATED_PROTO_FAILURE_H
#define KEYROTATED_PROTO_FAILURE_H

#include <stdbool.h>

#include "base/err.h"
#include "core/look.h"
#include "proto/http_message.h"

/* Empties *failure and gives it a reason; the remedy is the reason's own until one is set. */
void failure_init(struct failure *failure, enum reason reason);

/* Both cut a text that is too long (never inside a UTF-8 character), turn control characters into
 * blanks and what is not UTF-8 into question marks, and blot out whatever looks like a key. */
void failure_set_text(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void failure_set_remedy(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What kept us from asking at all: the reason, and err's text. */
void failure_from_err(struct failure *failure, enum reason reason, const struct err *err);

/* The code that the other side gives its error, treated in the same way. */
void failure_set_code(struct failure *failure, const char *code);

/* Copies an identifier that the other side gave if it is printable ASCII without blanks, as much of
 * it as fits. */
void failure_set_id(char id[FAILURE_ID_MAX], const char *value);

/*
 * Was there no answer at all? Then fills *failure and returns true: the network failed
 * (REASON_NETWORK), or, where the request `may_have_acted` and was sent, nobody knows
 * (REASON_OUTCOME_UNKNOWN). `service` names the other side: "Azure Resource Manager".
 */
bool failure_from_transport(struct failure *failure, const struct http_reply *reply,
                            const char *service, bool may_have_acted);

/* Notes status and Retry-After of an answered request. */
void failure_note_status(struct failure *failure, const struct http_reply *reply, time_ms now);

/* Copies an identifier from a reply header, if it is there and printable. */
void failure_note_id(char id[FAILURE_ID_MAX], const struct http_reply *reply, const char *header);

#endif
