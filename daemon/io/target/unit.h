/*
 * The operations of a unit that is told (conf/target_unit.h).
 */
#ifndef KEYROTATED_IO_TARGET_UNIT_H
#define KEYROTATED_IO_TARGET_UNIT_H

#include "io/target/target_type.h"

/* Frees what is known of units. No operation may be under way. Timers close from the loop. */
void unit_forget_all(struct target_world *world);

#endif
