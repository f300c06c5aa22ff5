/*
 * The plan of an account: when its next rotation starts.
 */
#ifndef KEYROTATED_CORE_PLAN_H
#define KEYROTATED_CORE_PLAN_H

#include "core/machine.h"

void plan_make(struct machine *machine);     /* after adoption or a change of the policy */
void plan_next(struct machine *machine);     /* after a completed rotation */
void plan_from_now(struct machine *machine); /* both keys are new, and not by a rotation of ours */
void plan_catch_up(struct machine *machine); /* a due time that passed while we were off */
/* When the planned rotation should start, regardless of later delays; or TIME_NEVER. */
time_ms plan_starts_at(const struct rotation_context *context, const struct record *record);
/* When a rotation can start that must wait until `until`. If no window is open then, the start that
 * plan_require_window() will plan. TIME_NEVER stays. */
time_ms plan_starts_after(const struct rotation_context *context, const struct record *record,
                          time_ms until);
time_ms plan_overdue_at(const struct rotation_context *context, const struct record *record);
bool plan_is_due(const struct machine *machine);
/* A rotation may start now. If its window has closed it is planned for the next opening, which is
 * reported once, and this returns false. */
bool plan_require_window(struct machine *machine);

#endif
