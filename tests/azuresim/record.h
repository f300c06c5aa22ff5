/* With --record: DIR/exchanges.jsonl, one line for each request with its answer, both whole. Tests
 * compare there what different clients send, and validate what they are told. It holds every key
 * and token. */
#ifndef AZURESIM_RECORD_H
#define AZURESIM_RECORD_H

#include <stdbool.h>

#include "http.h"

struct record;

/* NULL, with errno set, where the file in DIR cannot be made. */
struct record *record_new(const char *dir);

/* Accepts NULL. */
void record_free(struct record *record);

/* Writes the exchange: {"face","op","method","target","headers":[[NAME,
 * VALUE]…],"body","reply":{"status", "headers","body"}}. A body that is absent is null, and so is a
 * reply that the client does not get to see (ANSWERED is false). RECORD may be NULL: nothing
 * happens then. */
void record_exchange(struct record *record, const struct http_request *request,
                     const struct http_reply *reply, bool answered);

#endif
