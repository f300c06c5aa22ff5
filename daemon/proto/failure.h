/*
 * Fills a struct failure: the sentence about the failure, its remedy, and the outcomes that all
 * services share.
 *
 * All texts have one style. The failure: "SERVICE answered OPERATION with STATUS CODE: its
 * message". The remedy: an imperative without a full stop.
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
 * blanks and invalid UTF-8 into question marks, and redact every text that looks like a key. */
void failure_set_text(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* failure_init(), and the text. */
void failure_set(struct failure *failure, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Of a remedy that is too long the clauses are kept that are whole; where none is, the reason's own
 * remedy holds. */
void failure_set_remedy(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fills *failure with the reason and err's text, when no request was sent. */
void failure_from_err(struct failure *failure, enum reason reason, const struct err *err);

/* Copies the error code of the other side, cleaned in the same way. */
void failure_set_code(struct failure *failure, const char *code);

/* Copies a message of the other side (NULL counts as ""), as much as fits. It is redacted before it
 * is cut, because a part of a key is not recognised. Returns 0 or -ENOMEM. */
int failure_copy_message(const char *message, char *out, size_t size);

/* Copies an identifier that the other side gave if it is printable ASCII without blanks, as much of
 * it as fits. */
void failure_set_id(char id[FAILURE_ID_MAX], const char *value);

/*
 * Returns true and fills *failure when there was no answer: the network failed (REASON_NETWORK), or
 * the request `may_have_acted` and was sent, so that its outcome is unknown
 * (REASON_OUTCOME_UNKNOWN). `service` names the other side: "Azure Resource Manager".
 */
bool failure_from_transport(struct failure *failure, const struct http_reply *reply,
                            const char *service, bool may_have_acted);

/* Notes status and Retry-After of an answered request. */
void failure_note_status(struct failure *failure, const struct http_reply *reply, time_ms now);

/* Copies an identifier from a reply header, if it is there and printable. */
void failure_note_id(char id[FAILURE_ID_MAX], const struct http_reply *reply, const char *header);
/* The three by which services of Azure name a request. */
void failure_note_ids(struct failure *failure, const struct http_reply *reply);

/*
 * True for the statuses that mean the request had no effect. After 408 and 5xx the effect is
 * unknown; the sender of a 3xx may have forwarded the request; a 2xx other than 200 is
 * undocumented.
 */
bool failure_had_no_effect(int status);

#endif
