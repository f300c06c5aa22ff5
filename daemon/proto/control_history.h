/*
 * The history document: what happened to accounts, in the order in which it was written, in pages.
 *
 *    GET /v1/history?account=A&since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z&failed=true
 *
 * "next" is the `after` of the next page, or null. A page may be empty and have a next one. Pure,
 * like the rest of the protocol.
 */
#ifndef KEYROTATED_PROTO_CONTROL_HISTORY_H
#define KEYROTATED_PROTO_CONTROL_HISTORY_H

#include "proto/control_protocol.h"

/* A row of history. Texts may be NULL (not known, or not of this event) and are borrowed. */
struct history_snapshot {
    uint64_t number; /* counts up over all accounts; some are missing */
    time_ms at;
    const char *event; /* as in the log */
    const char *id;    /* the resource id of the account, in lower case */
    const char *name;
    const char *resource_group;
    uint64_t cycle;
    const char *slot;
    const char *trigger;     /* what began the rotation: "schedule", "command", … */
    const char *actor;       /* who: "uid 1000 (alice)" */
    const char *fingerprint; /* hex */
    const char *target;
    const char *reason;
    const char *request_id; /* these two find the request in Azure's logs */
    const char *correlation_id;
    const char *text;
    uint64_t duration; /* in ms: how long it took, or the key was dead; 0: not known */
    bool failed;
};

/* Is that an event of which something went wrong: what `failed=true` asks for? */
bool control_history_is_failure(const char *event);

/* Writing it: start, any number of rows, end. `next`: 0: this was the last page. */
void control_history_start(struct buf *out, time_ms now);
void control_history_row(struct buf *out, const struct history_snapshot *row);
void control_history_end(struct buf *out, int64_t next);

/* A page as it was read. All texts live as long as it does. */
struct control_history {
    time_ms now;
    const char *next; /* NULL: it is the last one */
    struct history_snapshot *rows;
    size_t row_count;
    struct json_object *document; /* owns the texts */
};

/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *history is empty. */
int control_history_parse(const char *text, size_t length, struct control_history *history,
                          struct err *err);
void control_history_done(struct control_history *history);

/* What is asked for. */
struct control_history_wish {
    char *const *names;
    size_t name_count;
    time_ms since; /* 0: from the beginning */
    time_ms until; /* TIME_NEVER: up to the end */
    bool failed;
};

/* The path that asks for a page. `after` NULL: the first one. Returns out->failed. */
int control_history_path(const struct control_history_wish *wish, const char *after,
                         struct buf *out);

#endif
