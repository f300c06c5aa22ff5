/*
 * What a type of target has to provide. target.c dispatches to it.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_TYPE_H
#define KEYROTATED_IO_TARGET_TARGET_TYPE_H

#include "base/buf.h"
#include "io/target/target.h"

enum target_action { TARGET_PROBE, TARGET_READ, TARGET_READ_AND_SET_FORM, TARGET_DELIVER };

struct target_type_operations {
    const char *name; /* as in the configuration */
    bool readable;
    bool settles_at_once;

    /* Where it is, {location} expanded (NULL: not known, left as it stands). Fresh memory, or NULL
     * when there is none. */
    char *(*place)(const struct destination *destination, const char *location);

    /* Appends everything but type and place that an acknowledgement depends on. */
    void (*append_form)(const struct destination *destination, struct buf *out);

    /* Ends in exactly one done(context, result) from the loop. `delivery`: NULL but for
     * TARGET_DELIVER. All arguments but `world` and `context` are borrowed for the call. */
    void (*start)(struct target_world *world, const struct destination *destination,
                  const char *location, enum target_action action, const struct delivery *delivery,
                  target_done *done, void *context);
};

extern const struct target_type_operations target_file_operations;

/* `text` with every {location} replaced by `location` in lower case without blanks, as Azure writes
 * it in resource ids ("Japan East" is japaneast). Fresh memory, or NULL when there is none. */
char *target_expand_location(const char *text, const char *location);

/* Is it a name that can stand in a path or a host name: letters and digits only? */
bool target_location_ok(const char *location);

#endif
