/*
 * Where scenarios of the rotation machine begin and what they end with. Needs cmocka.
 */
#ifndef KEYROTATED_TESTS_ROTATION_SCENARIO_H
#define KEYROTATED_TESTS_ROTATION_SCENARIO_H

#include "rotation_world.h"

/* A position, and what has to go wrong (nothing: OUTCOME_OK) for a rotation to reach it. */
struct station {
    enum position position;
    enum action_kind kind;
    enum outcome outcome;
    enum reason reason;
};
enum { STATION_COUNT = 16 };
extern const struct station stations[STATION_COUNT];

/* No rule was broken. */
void assert_lawful(const struct world *world);
/* Adopted with the primary key active, an hour ago; the trace is empty. */
void begin_adopted(struct world *world);
/* The same, and a second before a rotation starts. */
void begin_due(struct world *world);
/* A rotation is due; runs until the machine is in that position (`durable`: in the journal, too).
 */
void begin_at(struct world *world, const struct station *station, bool durable);
void forget_trace(struct world *world);
void give_command(struct world *world, enum command_kind kind);
void give_adopt(struct world *world, enum slot slot);
/* All required targets hold the live key of the slot, and that slot is active. */
void assert_active(const struct world *world, enum slot slot);
struct rotation_view view_of(const struct world *world);
time_ms due_since_of(const struct world *world);

#endif
