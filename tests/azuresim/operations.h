/* Long-running regenerations: each is asked for by its URL until it is over. Their end takes effect
 * when somebody next asks the simulator anything; keys then count as made at the time when it was
 * due. Callers hold the simulator's lock. */
#ifndef AZURESIM_OPERATIONS_H
#define AZURESIM_OPERATIONS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "arm_target.h"
#include "sim.h"

struct operations *operations_new(void);
void operations_free(struct operations *operations);

/* Whether a regeneration of the account is under way. */
bool operations_running(const struct sim *sim, const struct account *account);

/* Begins to put KEY (NULL: a random one) into the slot, and answers with 202. */
void operations_begin(struct sim *sim, const struct http_request *request, struct account *account,
                      size_t slot, const char *key, struct http_reply *reply);

/* Ends those that are due. */
void operations_settle(struct sim *sim);

/* Ends all now, as if they were due. */
void operations_end(struct sim *sim);

/* Whose regeneration the operation is, or NULL; owned by the operation. */
const char *operations_account(const struct sim *sim, const char *id);

/* The answer to a request for an operation. */
void operations_poll(struct sim *sim, const struct http_request *request,
                     const struct arm_target *target, struct http_reply *reply);

/* All of them: id, account, slot, state. */
struct json_object *operations_to_json(const struct sim *sim);

/* How many ms a regeneration of the account takes; 0: it is no long-running one. */
int64_t operations_duration_ms(const struct sim *sim, const struct account *account);

/* How many ms after a regeneration the data plane accepts the account's new key. */
int64_t operations_propagation_ms(const struct sim *sim, const struct account *account);

#endif
