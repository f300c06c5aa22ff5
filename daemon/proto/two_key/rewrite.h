/*
 * Renews a key by a PUT of a whole resource (struct two_key_rewrite), as data. The body is what a
 * GET of the resource shows, with the elements and keys of a list that was read right after it, and
 * without the one key that the service is to make.
 *
 * Whatever else the body lacked would be lost or renewed, so it is built only where the answers say
 * everything: each element with its name, its rights and both of its keys, and the same elements in
 * both answers. The resource's `etag` goes with the request, so that it has no effect on a resource
 * that was changed since.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_REWRITE_H
#define KEYROTATED_PROTO_TWO_KEY_REWRITE_H

#include "base/json.h"
#include "proto/two_key/two_key.h"
#include "proto/two_key/unchanged.h"

enum { TWO_KEY_REWRITE_MAX = 512 * 1024 };

/* The resource as a GET showed it. Zeroed: empty. */
struct two_key_whole {
    struct json_object *document; /* NULL: empty */
    char etag[TWO_KEY_ETAG_MAX];
};

/* Reads the answer to a GET of the resource. Returns 0; -EBADMSG or -ENOMEM with err set, which
 * holds nothing of the answer: *whole is empty then. */
int two_key_whole_read(struct two_key_whole *whole, const char *body, size_t length,
                       struct err *err);

/* Wipes and frees. */
void two_key_whole_done(struct two_key_whole *whole);

/*
 * Appends the body of the PUT that renews that key of the account: `listed` is the answer to the
 * list that followed the GET. Returns 0; -EBADMSG: the answers do not say everything, or disagree;
 * -ENOTUNIQ: members of one object differ in nothing but the case of their names, so that Azure
 * could take one for the other; -EMSGSIZE or -ENOMEM; with err set, which holds no key. `out` is of
 * no use then.
 */
int two_key_rewrite(const struct two_key_resource *resource, const char *account_id, enum slot slot,
                    const struct two_key_whole *whole, const char *listed, size_t length,
                    struct buf *out, struct err *err);

#endif
