/*
 * Targets that hold a dead key.
 */
#ifndef KEYROTATED_CORE_RISK_H
#define KEYROTATED_CORE_RISK_H

#include "core/machine.h"

/* Takes note of the targets that hold a dead key, from a look that counts; `since`: when that was
 * seen first. */
void risk_note(struct machine *machine, const struct look *look, time_ms since);
/* The same where the live keys were shown, and no target. */
void risk_note_live(struct machine *machine, const struct fingerprint live[SLOT_COUNT]);
/* Reports that consumers are at risk now, or safe again. */
void risk_report(struct machine *machine);

#endif
