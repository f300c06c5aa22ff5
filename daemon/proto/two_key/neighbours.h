/*
 * The keys of the other accounts of a resource that is written back whole, in a list of all keys.
 *
 * A list that shows other keys of an account than its record has is late, or somebody else has made
 * one of them. Whoever writes it back while that is not known may bring a dead key to life, and end
 * one that is in use. So nothing is written back until the list fits all records.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_NEIGHBOURS_H
#define KEYROTATED_PROTO_TWO_KEY_NEIGHBOURS_H

#include "base/json.h"
#include "core/record.h"
#include "proto/two_key/two_key.h"

enum { TWO_KEY_NEIGHBOUR_NAME_MAX = 128 };

/* What the record of another account of the resource says of its keys. */
struct two_key_neighbour {
    char name[TWO_KEY_NEIGHBOUR_NAME_MAX]; /* the last one in its id, which the list has */
    bool known[SLOT_COUNT];                /* the list has to show `live` in that slot */
    struct fingerprint live[SLOT_COUNT];
    struct fingerprint replaced[REPLACED_MAX]; /* the list may show none of them, wherever */
};

/* Fills it. `watched`: the account is looked at, so that its record
 * follows what others do. A slot whose regenerate has an unknown outcome is not known. */
void two_key_neighbour_init(struct two_key_neighbour *neighbour, const char *account_id,
                            const struct record *record, bool watched);

/* Does the answer to a list hold a part of it alone? A link of no characters leads nowhere. */
bool two_key_list_goes_on(struct json_object *document);

/* The fingerprint of the bytes of a key. */
typedef struct fingerprint two_key_fingerprint(void *context, const char *key, size_t length);

/*
 * Does the answer to a list of all keys fit the neighbours? `resource` has a rewrite. An element
 * without keys is left to two_key_rewrite(). Returns 0; -EAGAIN: not, as err says, which holds no
 * key; -EBADMSG: it is no such answer; -EMSGSIZE: it holds a part alone; -ENOMEM.
 */
int two_key_neighbours_check(const struct two_key_resource *resource,
                             const struct two_key_neighbour *neighbours, size_t count,
                             const char *listed, size_t length, two_key_fingerprint *fingerprint,
                             void *context, struct err *err);

#endif
