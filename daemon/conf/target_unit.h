/*
 * A unit of systemd that is reloaded or restarted once a key has been delivered: the hook `unit` of
 * a target's `after`. It is a type of destination, and no type that a target can have.
 */
#ifndef KEYROTATED_CONF_TARGET_UNIT_H
#define KEYROTATED_CONF_TARGET_UNIT_H

#include "conf/target_type.h"

/* The place is the name of the unit. */
extern const struct target_type target_unit_type;

/* Is it the name of a service (systemd.unit(5)): letters, digits and ":-_.\@", ending in
 * ".service", and no template? */
bool target_unit_is_name(const char *text);

#endif
