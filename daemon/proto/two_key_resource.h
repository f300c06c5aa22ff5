/*
 * Azure resources with two keys.
 *
 * Some thirty resource types offer the same thing under different names: list both keys, regenerate
 * one of them. What is particular to a type stands in one description here; everything else in the
 * program works from it. Supporting another type of this kind means adding a description.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_RESOURCE_H
#define KEYROTATED_PROTO_TWO_KEY_RESOURCE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "core/reason.h"
#include "core/slot.h"

/* What the resource itself told, in a form that is the same for all types. Owned by the caller. */
struct resource_facts {
    char *endpoint; /* host or host:port of its data plane; NULL where it names none */
    char *location; /* NULL where it names none */
};
void resource_facts_done(struct resource_facts *facts);

/* Why nothing is to be regenerated now. */
struct resource_obstacle {
    enum reason reason; /* REASON_NONE: nothing is in the way */
    bool stops_looks;   /* nor is there anything to be looked at, or repaired */
    struct err what;
};

struct two_key_resource {
    const char *type;           /* "Microsoft.Batch/batchAccounts" */
    const char *list_operation; /* POST RESOURCE/…; below the resource's path */
    const char *regenerate_operation;
    const char *slot_member; /* of the request that regenerates: which slot */
    const char *slot_values[SLOT_COUNT];
    const char *key_members[SLOT_COUNT]; /* of the answers to both operations */
    const char *name_member;             /* of the same answers; NULL: they name no resource */
    const char *read_action;             /* permissions, as Azure writes them */
    const char *list_action;
    const char *regenerate_action;
    const char *role; /* the small role that has these three and nothing else, as README makes it */
    /* Reads the answer to a GET of the resource. Returns 0, and *obstacle says what is in the way;
     * -EINVAL: unreadable, or -ENOMEM (err set): *facts is empty then. */
    int (*read)(const char *body, size_t length, struct resource_facts *facts,
                struct resource_obstacle *obstacle, struct err *err);
};

extern const struct two_key_resource two_key_batch_account;

/* The description of the resource with that id ("/subscriptions/…/providers/TYPE/NAME", any case),
 * or NULL if there is none. */
const struct two_key_resource *two_key_resource_find(const char *resource_id);

/* Appends the body of the request that regenerates this slot. 0, or the buffer's error. */
int two_key_regenerate_body(const struct two_key_resource *resource, enum slot slot,
                            struct buf *out);

/*
 * Reads both keys from the answer to a list or a regenerate. They must be there, be base64 and
 * differ, and the answer must be about `name`. Returns 0, -EINVAL or -ENOMEM with err set; keys[]
 * are NULL then.
 */
int two_key_read_keys(const struct two_key_resource *resource, const char *name, const char *body,
                      size_t length, struct secret *keys[SLOT_COUNT], struct err *err);

#endif
