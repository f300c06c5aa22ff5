/*
 * One conversation with systemd over the system bus about one unit: it is reloaded, or else
 * restarted, where it runs, and then looked at until it runs again (org.freedesktop.systemd1(5)).
 */
#ifndef KEYROTATED_IO_TARGET_UNIT_BUS_H
#define KEYROTATED_IO_TARGET_UNIT_BUS_H

#include <stdbool.h>

#include "core/look.h"
#include "io/loop/loop.h"

struct unit_bus;

/* failure: NULL when it worked, or when the unit does not run, so that it reads the key when
 * somebody starts it. */
typedef void unit_bus_done(void *context, const struct failure *failure);

/* `looks_only`: only finds out whether there is such a unit, and whether it has failed. Ends in one
 * done() from the loop unless it is canceled; nothing else ends it, so the caller has the deadline.
 */
struct unit_bus *unit_bus_start(struct loop *loop, const char *unit, bool looks_only,
                                unit_bus_done *done, void *context);

/* done() is not called. What systemd was asked to do goes on. */
void unit_bus_cancel(struct unit_bus *bus);

#endif
