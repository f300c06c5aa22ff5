/*
 * Making a script that convicts smaller, until nothing can be taken away.
 */
#ifndef KEYROTATED_TESTS_SIM_SHRINK_H
#define KEYROTATED_TESTS_SIM_SHRINK_H

#include "design.h"
#include "oracle.h"

/*
 * `verdict` is the verdict on the script: the oracle that convicted first has to convict the
 * smaller script first, too. Changes the script, and the verdict to that on the smaller one.
 * Returns the number of worlds played.
 */
unsigned shrink(struct script *script, const struct design *design, uint64_t muted,
                struct oracle_verdict *verdict);

#endif
