/*
 * Azure resources with two keys.
 *
 * Some fifty resource types offer the same operations under different names: list both keys,
 * regenerate one of them. One row here holds all that is specific to a type; the rest of the
 * program is the same for all. Supporting another type of this kind means adding a file with its
 * row, and the row to the table.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_TWO_KEY_H
#define KEYROTATED_PROTO_TWO_KEY_TWO_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "core/look.h"
#include "core/reason.h"
#include "core/slot.h"
#include "proto/http_message.h"
#include "proto/key_text.h"

/* The facts from the resource's description, in one form for all types. Owned by the caller. */
struct resource_facts {
    char *endpoint; /* host or host:port of its data plane; NULL where it names none */
    char *location; /* NULL where it names none */
};
void resource_facts_done(struct resource_facts *facts);

/* A reason to regenerate nothing now. */
struct resource_obstacle {
    enum reason reason; /* REASON_NONE: there is no obstacle */
    bool stops_looks;   /* it also rules out looks and repairs */
    struct err what;
};

/* A request below the resource's path. */
struct two_key_operation {
    const char *name; /* "listKeys"; with a slot in the path, "regenerateAdminKey/primary" */
    const char *body; /* JSON; NULL: none */
    bool get;         /* by GET; else by POST */
};

/* The data for a request to the data plane. All borrowed. */
struct two_key_probe {
    const char *endpoint;
    const char *name; /* of the resource */
    const struct secret *key;
    const char *client_request_id;
    time_ms now;
};

struct two_key_resource {
    /* The provider and the types below it, each of which a name follows in a resource id. */
    const char *type;        /* "Microsoft.Batch/batchAccounts" */
    const char *noun;        /* "a Batch account" */
    const char *api_version; /* unless cloud.api_version says otherwise */
    /* Is it a legal name of the resource, the last one in its id? `name_words` describes legal
     * names. */
    bool (*name_ok)(const char *name, size_t length);
    const char *name_words; /* "3 to 24 letters and digits" */

    struct two_key_operation list;
    struct two_key_operation regenerate[SLOT_COUNT];
    /* True: the answer to a regenerate (200) holds both keys. False: the answer (200 or 204) only
     * confirms it, and the keys are listed afterwards. */
    bool regenerate_answers_keys;

    /* Reads both keys from the answer to a list, or to a regenerate that has them; most can be
     * two_key_read_members(). Returns 0, or -EINVAL or -ENOMEM with err set; keys[] are NULL then.
     */
    int (*read_keys)(const struct two_key_resource *resource, const char *name, const char *body,
                     size_t length, struct secret *keys[SLOT_COUNT], struct err *err);
    const char *key_members[SLOT_COUNT];
    const char *name_member;           /* of the same answer; NULL: it names no resource */
    const struct key_shape *key_shape; /* the form of the keys, in lists and in targets */

    /* Reads the answer to a GET of the resource. Returns 0 and sets *obstacle; -EINVAL: unreadable,
     * or -ENOMEM (err set): *facts is empty then. */
    int (*read_description)(const char *body, size_t length, struct resource_facts *facts,
                            struct resource_obstacle *obstacle, struct err *err);
    const char *endpoint_member; /* where the description names the endpoint, for people */
    const char *keys_on;         /* how keys are switched on: an imperative */

    /* Asks the data plane whether it accepts a key. 0; -EINVAL: it cannot be a key of this
     * resource; -ENOMEM, -EIO, …; with err set. http_request_done() in any case. NULL: there is no
     * such request. */
    int (*build_probe)(struct http_request *request, const struct two_key_probe *probe,
                       struct err *err);
    /* Returns true when the key was accepted; otherwise false with *failure filled:
     * REASON_KEY_REFUSED and REASON_SHARED_KEY_DISABLED are refusals; every other reason means that
     * the answer is unknown. */
    bool (*read_probe)(const struct http_reply *reply, time_ms now, struct failure *failure);
    const char *probe_id_header; /* of the answer: the id of the request */

    /* Permissions, as Azure writes them, and the small role that has these three and nothing else,
     * as README makes it. */
    const char *read_action;
    const char *list_action;
    const char *regenerate_action;
    const char *role;

    /* The variables of env files, as the resource's own SDK and tools read them. */
    const char *env_name;
    const char *env_key;
    const char *env_endpoint;

    /* What its clients take in one piece, as a template (proto/template.h); NULL: they take none.
     */
    const char *connection_string;
};

/* --- table.c --- */
/* All types, in the order of the table; NULL after the last. The first is that of accounts which
 * are given by name, resource group and subscription. */
const struct two_key_resource *two_key_resource_at(size_t index);

/* The row of the resource with that id ("/subscriptions/…/providers/TYPE/NAME", any case; with
 * types below others, PROVIDER/TYPE/NAME/TYPE/NAME), or NULL if there is none. */
const struct two_key_resource *two_key_resource_find(const char *resource_id);

/* --- two_key.c --- */
/*
 * The reader for answers that are one object with a member per key: these must be there, be keys by
 * their form and differ, and the answer must be about `name`.
 */
int two_key_read_members(const struct two_key_resource *resource, const char *name,
                         const char *body, size_t length, struct secret *keys[SLOT_COUNT],
                         struct err *err);

/* Is it HOST or HOST:PORT, without any part that would redirect a request? */
bool two_key_endpoint_ok(const char *endpoint);

#endif
