/*
 * The document that says whether the history of accounts is as it was written, in pages.
 *
 *    GET /v1/history_chains?account=A&after=ID
 *
 * "next" is the `after` of the next page, or null. Pure, like the rest of the protocol.
 */
#ifndef KEYROTATED_PROTO_CONTROL_CHAIN_H
#define KEYROTATED_PROTO_CONTROL_CHAIN_H

#include "proto/control_protocol.h"

/* The chain of one account. Texts may be NULL and are borrowed. */
struct chain_snapshot {
    const char *id; /* the resource id of the account, in lower case */
    const char *name;
    const char *resource_group;
    uint64_t rows;     /* that are in the chain */
    uint64_t older;    /* that an older version wrote: whether they were altered is not known */
    const char *head;  /* the hash of the last row, hex: kept elsewhere, it tells of a new chain */
    const char *fault; /* what is wrong, in words; NULL: nothing */
    uint64_t number;   /* of the row that is wrong; 0: it is not one row */
};

/* Writing it: start, any number of chains, end. `next` NULL: this was the last page. */
void control_chain_start(struct buf *out, time_ms now);
void control_chain_write(struct buf *out, const struct chain_snapshot *chain);
void control_chain_end(struct buf *out, const char *next);

/* A page as it was read. All texts live as long as it does. */
struct control_chains {
    time_ms now;
    const char *next; /* NULL: it is the last one */
    struct chain_snapshot *chains;
    size_t count;
    struct json_object *document; /* owns the texts */
};

/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *chains is empty. */
int control_chains_parse(const char *text, size_t length, struct control_chains *chains,
                         struct err *err);
void control_chains_done(struct control_chains *chains);

/* The path that asks for a page. `after` NULL: the first one. Returns out->failed. */
int control_chains_path(char *const *names, size_t name_count, const char *after, struct buf *out);

#endif
