/* The Batch resource provider behind Resource Manager: accounts and their keys. */
#ifndef AZURESIM_ARM_BATCH_H
#define AZURESIM_ARM_BATCH_H

#include "arm.h"

/* Carries out a request that Resource Manager let pass. */
void arm_batch_handle(struct sim *sim, const struct http_request *request,
                      const struct arm_target *target, struct http_reply *reply);

/* How many ms after a regeneration the data plane accepts ACCOUNT's new key. */
int64_t arm_batch_propagation_ms(const struct sim *sim, const struct account *account);

#endif
