/*
 * How the simulated world carries out actions. Between rotation_world.c and
 * rotation_world_action.c.
 */
#ifndef KEYROTATED_TESTS_ROTATION_WORLD_ACTION_H
#define KEYROTATED_TESTS_ROTATION_WORLD_ACTION_H

#include "rotation_world.h"

void world_act(struct world *world, const struct action *action);
void world_complete_action(struct world *world);
/* The daemon died: what was under way happens, or does not, or happens later. */
void world_abandon_action(struct world *world);

void world_replace_key(struct world *world, enum slot slot);
void world_set_target(struct world *world, size_t index, unsigned key);

/* Lost requests and deliveries that still take effect. */
time_ms world_late_next(const struct world *world);
void world_late_lands(struct world *world);

struct world_event *world_post(struct world *world, enum event_kind kind);

#endif
