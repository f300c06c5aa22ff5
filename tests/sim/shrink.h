/*
 * Making a script that convicts smaller, until nothing can be taken away.
 */
#ifndef KEYROTATED_TESTS_SIM_SHRINK_H
#define KEYROTATED_TESTS_SIM_SHRINK_H

#include "design.h"
#include "oracle.h"

/*
 * `verdict` is what was said about the script: the oracle that convicted first has to convict first
 * of what is left, too. Changes the script, and the verdict to what is said about it then. Returns
 * how many worlds were played for it.
 */
unsigned shrink(struct script *script, const struct design *design, uint64_t muted,
                struct oracle_verdict *verdict);

#endif
