/*
 * Why a unit could not be told about a key: causes and remedies.
 */
#ifndef KEYROTATED_IO_TARGET_UNIT_FAILURE_H
#define KEYROTATED_IO_TARGET_UNIT_FAILURE_H

#include "proto/failure.h"

/* The system bus cannot be reached, or the connection to it broke, with that errno value. */
void unit_failure_bus(struct failure *failure, const char *unit, int saved_errno);

/* The bus or systemd answered with an error of that name; `message` may be NULL. */
void unit_failure_refused(struct failure *failure, const char *unit, const char *name,
                          const char *message);

void unit_failure_missing(struct failure *failure, const char *unit);

/* Its state is "failed": `told`: after it was reloaded or restarted; result: of systemd.service's
 * property Result, or NULL. */
void unit_failure_failed(struct failure *failure, const char *unit, bool told, const char *result);

/* It has not ended within `timeout` (a text). */
void unit_failure_hangs(struct failure *failure, const char *unit, const char *timeout);

/* The remedy where only time can help. */
void unit_failure_await(struct failure *failure, const char *unit);

#endif
