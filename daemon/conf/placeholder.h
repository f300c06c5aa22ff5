/*
 * Placeholders such as {account} in the strings of targets.
 */
#ifndef KEYROTATED_CONF_PLACEHOLDER_H
#define KEYROTATED_CONF_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/arena.h"

/* The values of the placeholders; they are expanded in lower case. */
struct placeholder_values {
    const char *account;
    const char *resource_group;
    const char *subscription_id;
};

/*
 * What is wrong with the placeholders of a text, or NULL. The sentence is written to `out`, with
 * the nearest known placeholder where one is near.
 */
const char *placeholder_problem(const char *text, char *out, size_t size);

/* Does {location} stand in the text? Only Azure knows what it stands for. */
bool placeholder_needs_location(const char *text);

/* The text with all placeholders but {location} expanded. NULL: memory is out (the arena has
 * failed), or the result is too long. The text must have passed placeholder_problem(). */
char *placeholder_expand(struct arena *arena, const char *text,
                         const struct placeholder_values *values);

#endif
