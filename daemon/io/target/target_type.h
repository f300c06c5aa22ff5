/*
 * The functions of a type of target. target.c has the table of types.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_TYPE_H
#define KEYROTATED_IO_TARGET_TARGET_TYPE_H

#include "base/buf.h"
#include "conf/target_type.h"
#include "io/target/target.h"

enum target_action {
    TARGET_ACTION_PROBE,
    TARGET_ACTION_READ,
    TARGET_ACTION_READ_AND_SET_FORM,
    TARGET_ACTION_DELIVER,
    TARGET_ACTION_TELL
};

/* One operation. Everything except `context` is borrowed until start() returns. */
struct target_request {
    enum target_action action;
    struct target_id id; /* of the destination */
    const struct destination *destination;
    const char *location;            /* NULL: not known */
    const struct delivery *delivery; /* NULL except for TARGET_ACTION_DELIVER */
    const struct target_news *news;  /* NULL except for TARGET_ACTION_TELL */
    target_done *done;
    void *context;
};

struct target_operations {
    const struct target_type *type;
    bool settles_at_once; /* target_settles_at_once() */

    /* Appends everything except type and place that identifies an acknowledgement. */
    void (*append_form)(const struct destination *destination, struct buf *out);

    /* Ends in exactly one done(context, result) from the loop. */
    void (*start)(struct target_world *world, const struct target_request *request);
};

#endif
