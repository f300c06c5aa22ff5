/*
 * Patterns with wildcards: * stands for any text, also an empty one, ? for one byte, everything
 * else for itself. The time that a match takes grows with the product of both lengths at most.
 */
#ifndef KEYROTATED_BASE_GLOB_H
#define KEYROTATED_BASE_GLOB_H

#include <stdbool.h>

/* Does the whole text match? `any_case`: ASCII letters are compared without regard to case. */
bool glob_match(const char *pattern, const char *text, bool any_case);

#endif
