/*
 * Traces for people: repeating lines are written once.
 */
#ifndef KEYROTATED_TESTS_SIM_FOLD_H
#define KEYROTATED_TESTS_SIM_FOLD_H

#include "base/buf.h"

/* Writes the trace, in which lines that come again and again in the same order (but for their
 * times) are left out between their first and their last occurrence: "... these 2 lines 17 times
 * more". */
void fold_trace(const char *trace, struct buf *out);

#endif
