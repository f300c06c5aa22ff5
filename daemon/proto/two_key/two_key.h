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
#include "base/time.h"
#include "core/look.h"
#include "core/reason.h"
#include "core/slot.h"
#include "proto/http_message.h"
#include "proto/key_text.h"
#include "proto/two_key/shared_host.h"

/* The facts from the resource's description, in one form for all types. Owned by the caller. */
struct resource_facts {
    char *endpoint;   /* host or host:port of its data plane; NULL where it names none */
    char *location;   /* NULL where it names none */
    unsigned port;    /* of the data plane; 0 where it names none */
    char *etag;       /* where the type has a rewrite, and one that can be used; else NULL */
    bool is_changing; /* … and a change of the resource is under way */
    const struct two_key_probe_form *probe; /* for resources of its kind; NULL: there is none */
};
void resource_facts_done(struct resource_facts *facts);

/* A reason to regenerate nothing now. */
struct resource_obstacle {
    enum reason reason; /* REASON_NONE: there is no obstacle */
    bool stops_looks;   /* it also rules out looks and repairs */
    struct err what;
};

/*
 * A request below the resource's path. Where it regenerates a key, the path says which one, or a
 * body with one member does. It names one key by its form: two, or a value for the new key, cannot
 * be written in a row.
 */
struct two_key_operation {
    const char *name;   /* "listKeys"; with a slot in the path, "regenerateAdminKey/primary" */
    const char *member; /* of the body, a JSON object: it says which key; NULL: there is no body */
    const char *word;   /* its value: "Primary"; NULL: the id that the list gives the key */
    bool in_list;       /* the value is the only element of a list */
    const char *owner;  /* another member: the last name in the id; NULL: there is none */
    bool get;           /* by GET; else by POST */
    const char *query;  /* besides the version, as in a URL: "%24expand=kerb"; NULL: none */
    bool pages;         /* of a list: it may come in pages, each with a part of the keys */
};

enum { TWO_KEY_NAMES_MAX = 4 };

/* The names in a resource id, the outermost first; borrowed from it. */
struct two_key_names {
    size_t count; /* 0: it is no such id */
    struct {
        const char *text;
        size_t length;
    } at[TWO_KEY_NAMES_MAX];
};

/* The data for a request to the data plane. All borrowed. */
struct two_key_probe {
    const char *endpoint;
    unsigned port;    /* where the endpoint has none; 0: that of the form */
    const char *name; /* of the account */
    const char *resource_id;
    const struct secret *key;
    const char *key_id; /* NULL: it has none, or it is unknown */
    const char *client_request_id;
    time_ms now;
};

/*
 * Where no operation regenerates a key: a PUT of the outermost resource in the id, with what GET
 * shows of it and a list whose elements have a pair of keys each, without the one key to renew,
 * which the service then makes. proto/two_key/rewrite.h does it.
 */
struct two_key_rewrite {
    const char *list;             /* "authorizationPolicies", a member of "properties" */
    const char *name;             /* of an element: its name */
    const char *rights;           /* what its keys may do */
    const char *keys[SLOT_COUNT]; /* its keys */
    const char *listed;           /* the member of the answer to a list that has the elements */
    const char *noun;             /* "shared access policy" */
};

enum { TWO_KEY_STATUSES_MAX = 4 };

/*
 * A request to the data plane that tells whether it accepts a key, changes nothing and costs
 * little. What follows the functions is for those that probe.c shares among types.
 */
struct two_key_probe_form {
    /* Builds the request. 0; -EINVAL: it cannot be a key of this resource; -ENOMEM, -EIO, …; with
     * err set. http_request_done() in any case. */
    int (*build)(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err);
    /* Returns true when the key was accepted; otherwise false with *failure filled:
     * REASON_KEY_REFUSED and REASON_SHARED_KEY_DISABLED are refusals; every other reason means that
     * the answer is unknown. */
    bool (*read)(const struct two_key_probe_form *form, const struct http_reply *reply, time_ms now,
                 struct failure *failure);
    const char *id_header; /* of the answer: the id of the request; NULL: it has none */
    const char *words;     /* "listing one pool", for people */
    /* A refusal proves that the key is wrong. Otherwise it does only where the other key, asked the
     * same way, is accepted: networks and switches refuse like this, too. */
    bool refusal_is_certain;
    /* It is not known whether the service looks at the key first: an acceptance counts where a key
     * that cannot be right, asked the same way, is refused. */
    bool acceptance_is_uncertain;

    const char *service;          /* "the Storage service" */
    enum shared_host shared_host; /* where it is sent, instead of to the resource's own host */
    unsigned port;                /* 0: that of https */
    const char *method;
    const char *path;   /* from "/" on, with the query */
    const char *body;   /* NULL: none; else JSON */
    const char *before; /* the key in that header: "Bearer "; NULL: nothing */
    const char *header; /* by which the key or the signature goes; NULL: Authorization */
    int accepted[TWO_KEY_STATUSES_MAX]; /* ends with 0 where it is shorter */
    int refused[TWO_KEY_STATUSES_MAX];
    /* With one of these error codes; none given: the status says all. */
    const char *refused_codes[TWO_KEY_STATUSES_MAX];
    /* The body of a refusal holds this; with another body the key is good, and lacks a right that
     * this request needs. NULL: the status and the code say all. */
    const char *refused_text;
    const char *off_code; /* the error code that says that keys are switched off; NULL: none */
    /* Another form for resources of some kinds (the member `kind` of their description), which are
     * separated by blanks; NULL: none. */
    const char *other_kinds;
    const struct two_key_probe_form *of_other_kinds;
    const char *off_text; /* the body that says so holds this; NULL: none does */
};

/* How a member of the description says that keys are switched off. */
enum two_key_off {
    OFF_IF_TRUE,
    OFF_UNLESS_TRUE, /* absent means off, too */
    OFF_IF_FALSE,
    OFF_IF_TEXT,
    OFF_UNLESS_TEXT,   /* absent means off, too */
    OFF_UNLESS_LISTED, /* a list without the text; absent means on */
};

struct two_key_switch {
    const char *path; /* NULL ends the list */
    enum two_key_off off;
    const char *text;
    enum reason reason;
    const char *words; /* what it means: "the account's disableLocalAuth is true" */
};

/* The answer that tells when keys were made. */
enum two_key_teller { TOLD_BY_LIST, TOLD_BY_DESCRIPTION };

/* Which names are legal. */
struct two_key_name {
    size_t shortest, longest;
    const char *marks; /* besides letters and digits, not at the ends */
    const char *words; /* "3 to 24 letters and digits" */
    const char *only;  /* the legal names, with blanks between them; NULL: any that fit the rest */
};

/* The keys in the answer (200) to a regenerate. */
enum two_key_answers {
    ANSWERS_BOTH,
    ANSWERS_ONE,    /* that of the regenerated slot alone */
    ANSWERS_NOTHING /* 200 or 204 */
};

/*
 * A resource with several independent pairs of keys has a row for each: the first one is that of
 * its type (TYPE in two_key_list.h), the others follow it (PAIR). All of them share type,
 * short_name, noun, api_version and the rules of names. An account is one pair; those of one
 * resource regenerate one at a time.
 */
#define TWO_KEY_PAIR(which)                                                                        \
    .pair = (which),                                                                               \
    .pair_busy = "the resource's pair " which " has a regenerate under way: one pair at a time"

struct two_key_resource {
    /* The provider and the types below it, each of which a name follows in a resource id. */
    const char *type;       /* "Microsoft.Batch/batchAccounts" */
    const char *short_name; /* of it in the configuration: "batch" */
    const char *noun;       /* "a Batch account" */
    const char *pair;      /* its name in the configuration: "kerb"; NULL: the resource has this one
                            * alone */
    const char *pair_busy; /* why the other accounts of its resource wait for it: a sentence; NULL:
                            * there are none */
    const char *api_version;  /* unless the configuration says otherwise */
    struct two_key_name name; /* the last one in its id */
    bool parent_describes;    /* what is read of its description stands in that of the outermost
                               * resource in its id */
    const char *above;        /* the legal names of the resource above it, with blanks between them;
                               * NULL: any */
    bool is_inside;           /* it is a part of the resource above it, to which requests go */

    struct two_key_operation list;
    struct two_key_operation regenerate[SLOT_COUNT];
    const struct two_key_rewrite
        *rewrite; /* instead, with empty operations; NULL: there are such */
    enum two_key_answers regenerate_answers;
    /* A regenerate may be answered by 202, and is carried out afterwards: within this time of its
     * request. 0: it has ended when it is answered. */
    duration_ms slow_for;
    duration_ms list_delay; /* after its end, lists show the new key within this time; 0: at once */

    /* Where the answer to a list, or to a regenerate that has them, holds the keys
     * (base/json_path.h); {1} to {4} in it stand for the names in the id. */
    const char *key_paths[SLOT_COUNT];
    const char *id_paths[SLOT_COUNT]; /* of a list: the id of either key, by which a regenerate and
                                       * the key's users name it; NULL: keys have none */
    const char *made_paths[SLOT_COUNT]; /* in the answer `made_told_by`: when either key was made,
                                         * as RFC 3339 has it; NULL: Azure does not tell */
    enum two_key_teller made_told_by;
    const char *name_path;             /* of the same answer; NULL: it names no resource */
    const struct key_shape *key_shape; /* the form of the keys, in lists and in targets */

    const char *endpoint_path; /* where the description names the data plane's host, or a URL there;
                                * NULL: nowhere */
    const char *port_path;     /* … its port, where that is not the one of https; NULL: nowhere */
    const char *absent;        /* where lists may lack the keys: how they are made, with the
                                * placeholders of remedies; NULL: an account has them from the start */
    const char *state_path;    /* how the last change of the resource went; NULL: nowhere */
    const struct two_key_switch *switches;      /* NULL: it is not known to have any */
    const struct two_key_switch *list_switches; /* the same in the answer to a list */
    const char *keys_on;                        /* how keys are switched on: an imperative */

    const struct two_key_probe_form *probe; /* NULL: there is no such request */

    /* Permissions, as Azure writes them, and the small role that has these three and nothing else,
     * as README makes it. */
    const char *read_action;
    const char *list_action;
    const char *regenerate_action;
    const char *regenerate_secondary_action; /* where each slot has its own; NULL: it is the same */
    const char *role;

    /* The variables of env files, as the resource's own SDK and tools read them. */
    const char *env_name;
    const char *env_key;
    const char *env_key_id;            /* NULL: keys have no ids */
    const char *env_endpoint;          /* NULL: they need none */
    bool env_host;                     /* it holds the host alone; else a URL of it */
    const char *env_connection_string; /* NULL: none; see connection_string */
    /* The key and the endpoint once more, as another SDK for the type reads them; NULL: none does.
     */
    const char *env_other_key;
    const char *env_other_endpoint;

    /* What its clients take in one piece, as a template (proto/template.h); NULL: they take none.
     */
    const char *connection_string;

    const char *grants; /* what a key may do: "read and write all data of the account" */
    const char *dies;   /* what stops working with a key that is regenerated, besides its own users:
                         * a sentence; NULL: nothing else */
    const char *note;   /* what is particular about the type: a sentence; NULL: nothing */
    bool is_retiring;   /* Azure is ending the service, as `note` says */
};

/* --- table.c --- */
/* All types, in the order of the table; NULL after the last. The first is that of accounts which
 * are given by name, resource group and subscription. */
const struct two_key_resource *two_key_resource_at(size_t index);

/* The row of the resource with that id ("/subscriptions/…/providers/TYPE/NAME", any case; with
 * types below others, PROVIDER/TYPE/NAME/TYPE/NAME), or NULL if there is none. Of several pairs the
 * first, unless the id is that of an account and names another one (two_key_account_id()). */
const struct two_key_resource *two_key_resource_find(const char *id);

/* The pairs of the type of that row: the first one, which is that of its type, at index 0; NULL
 * after the last. */
const struct two_key_resource *two_key_pair_at(const struct two_key_resource *type, size_t index);
/* The pair of that name; NULL: there is none. */
const struct two_key_resource *two_key_pair_named(const struct two_key_resource *type,
                                                  const char *pair);
/* Is it a pair besides the first one of its type? */
bool two_key_is_further_pair(const struct two_key_resource *type);

/* What ends the resource in the id of an account; ids of Azure cannot hold it. */
#define TWO_KEY_PAIR_MARK '#'
/* The length of the resource's id in the id of an account. */
size_t two_key_resource_length(const char *account_id);

/* The length of what a regenerate changes, in the id of an account: accounts that have it in common
 * regenerate one at a time. It is the resource's id or, where the row has a rewrite, that of the
 * outermost resource. */
size_t two_key_changed_length(const char *account_id);

/* The names in the id of a resource with two keys, or of an account. */
struct two_key_names two_key_names_of(const char *id);

/* The name of a resource: its own or, below others, all names, joined by '-', with '-' for blanks;
 * all of which are legal wherever names go (paths, secrets of vaults, units). The name of an
 * account: the same, and for further pairs the pair's name behind it ("sampleacct-kerb"), with '-'
 * for '_'. Cut to `size`; they return out. */
enum { TWO_KEY_ACCOUNT_NAME_MAX = 600 };
const char *two_key_resource_name(const char *id, char *out, size_t size);
const char *two_key_account_name(const char *id, char *out, size_t size);

/* The row with that short name, or with that type in any case; NULL: there is none. */
const struct two_key_resource *two_key_resource_named(const char *name);

/* --- words.c: what a row says, for whoever prints it --- */
/* How many names an id of the type has. */
size_t two_key_depth(const struct two_key_resource *type);

/* The names below the outermost one, as they stand in the configuration: "QUEUE/RULE". */
void two_key_append_path_form(const struct two_key_resource *type, struct buf *out);

/* The actions that an identity needs: reading, listing, regenerating, asking how that goes. Each is
 * named once. Returns how many there are. */
enum { TWO_KEY_POLL_ACTIONS_MAX = 2, TWO_KEY_ACTIONS_MAX = 4 + TWO_KEY_POLL_ACTIONS_MAX };
size_t two_key_actions(const struct two_key_resource *type,
                       const char *actions[TWO_KEY_ACTIONS_MAX]);

/* Those of the last kind, where a regenerate may take its time: operations are resources of the
 * provider below the subscription. Without them its longest time is waited for. Returns how many
 * there are. */
size_t two_key_poll_actions(const struct two_key_resource *type,
                            const char *actions[TWO_KEY_POLL_ACTIONS_MAX]);

/* The action by which a slot is regenerated. */
const char *two_key_regenerate_action(const struct two_key_resource *type, enum slot slot);

/* The variables of an env file, in their order. Returns how many there are. */
enum { TWO_KEY_VARIABLES_MAX = 6 };
size_t two_key_variables(const struct two_key_resource *type,
                         const char *names[TWO_KEY_VARIABLES_MAX]);

/* --- refused.c --- */
/* A type whose keys cannot be rotated, and why: a sentence. */
struct two_key_refused {
    const char *type;
    const char *why;
};
/* All of them; NULL after the last. */
const struct two_key_refused *two_key_refused_at(size_t index);
/* That of the type, in any case; NULL: there is none. */
const struct two_key_refused *two_key_refused_named(const char *type);

/* The provider and the types in a resource id, without the names: as in the rows. Cut to `size`;
 * returns out, "" where the text is no such id. */
enum { TWO_KEY_TYPE_MAX = 256 };
const char *two_key_type_in_id(const char *resource_id, char *out, size_t size);

/* The first row whose type stands below that one, at any depth; NULL: there is none. */
const struct two_key_resource *two_key_resource_below(const char *type);

/* --- two_key.c --- */
/*
 * Reads both keys of the resource, or of the account, with that id from the answer to a list, or to
 * a regenerate that has them. They must be there, be keys by their form and differ, and the answer
 * must be about that resource. Returns 0, or with err set -ENODATA (a key is missing), -EINVAL or
 * -ENOMEM; keys[] are NULL then.
 */
int two_key_read(const struct two_key_resource *resource, const char *resource_id, const char *body,
                 size_t length, struct secret *keys[SLOT_COUNT], struct err *err);

/* Is the name, in any case, one of these, which are separated by blanks? */
bool two_key_is_among(const char *words, const char *name, size_t length);

/*
 * Reads the ids of both keys from the answer to a list; they consist of what needs quotes and
 * escapes nowhere. Returns 0 with both, which the caller owns, or both NULL where keys of that type
 * have none; -EINVAL or -ENOMEM with err set: both are NULL.
 */
int two_key_read_ids(const struct two_key_resource *resource, const char *body, size_t length,
                     char *ids[SLOT_COUNT], struct err *err);

/* What the pages of a list have shown so far. */
struct two_key_pages {
    struct secret *keys[SLOT_COUNT];
    char *ids[SLOT_COUNT]; /* NULL where keys have none */
    time_ms made[SLOT_COUNT];
};
void two_key_pages_done(struct two_key_pages *pages); /* wipes the keys */

/*
 * Adds what a page of a list says of the keys that the pages before it did not hold. Returns 0:
 * both are there, whatever follows; 1: the list goes on at `link` (`size` bytes), which is not
 * checked; with err set -ENODATA: it has ended without one of them; -EINVAL or -ENOMEM.
 */
int two_key_read_page(const struct two_key_resource *resource, const char *resource_id,
                      const char *body, size_t length, struct two_key_pages *pages, char *link,
                      size_t size, struct err *err);

/* May a token go to the URL at which the list of the resource with that id goes on? It is the list
 * itself at the configured resource manager, with another query. 0, or -EPERM with err set, which
 * names nothing of the query. */
int two_key_link_check(const struct two_key_resource *resource, const char *resource_id,
                       const char *link, const char *resource_manager, struct err *err);

bool two_key_name_ok(const struct two_key_resource *resource, const char *name, size_t length);

/* Can it be the name of any resource above another? Whatever its type, it is a whole segment of a
 * URL's path as it stands, and none that a path is resolved by. */
#define TWO_KEY_ABOVE_WORDS "letters, digits, '-', '.', '_' and '~'"
bool two_key_above_name_ok(const char *name, size_t length);

/* Are the names before the last one in the id such names, and is the one right above it, which is
 * `above`, legal? */
bool two_key_above_ok(const struct two_key_resource *resource, const char *resource_id);

/*
 * Appends the body of a request about the resource with that id, JSON; nothing where it has none.
 * `key_id`: of the key that is regenerated; NULL: not known. Returns 0; -ENODATA: it would be
 * needed; or the buffer's error; with err set.
 */
int two_key_body(const struct two_key_operation *operation, const char *resource_id,
                 const char *key_id, struct buf *out, struct err *err);

/* Is it HOST or HOST:PORT, without any part that would redirect a request? */
bool two_key_endpoint_ok(const char *endpoint);

/* --- description.c --- */
/*
 * Reads the answer to a GET of the resource. Obstacles are: keys that are switched off, and a state
 * other than Succeeded, Failed and Cancelled (these two describe the last change of the resource,
 * not its present state); where the type has a rewrite, an etag that cannot be used. Creating,
 * Deleting and Invalid also stop looks. Returns 0 and sets
 * *obstacle; -EINVAL: unreadable, or -ENOMEM (err set): *facts is empty then.
 */
int two_key_describe(const struct two_key_resource *resource, const char *body, size_t length,
                     struct resource_facts *facts, struct resource_obstacle *obstacle,
                     struct err *err);

/* What the answer to a list says of list_switches: the same obstacle, or none. 0, or -EINVAL,
 * -ENOMEM with err set. */
int two_key_list_obstacle(const struct two_key_resource *resource, const char *body, size_t length,
                          struct resource_obstacle *obstacle, struct err *err);

/* --- made.c --- */
/* Reads when the keys were made from that answer, as it says: made[] of what it does not tell, or
 * what is no time, becomes 0. Leaves both as they are where the type's keys are told by another
 * answer, or by none. Never fails. */
void two_key_read_made(const struct two_key_resource *resource, enum two_key_teller answer,
                       const char *body, size_t length, time_ms made[SLOT_COUNT]);

/* --- probe.c: what probes of several types share --- */
/* Sends the key as it is, in `header`. */
int probe_build_plain(const struct two_key_probe_form *form, struct http_request *request,
                      const struct two_key_probe *probe, struct err *err);
/* Appends "https://HOST:PORT". */
void probe_append_host(struct buf *out, const struct two_key_probe_form *form,
                       const struct two_key_probe *probe);
/* How long a request may take. */
#define PROBE_DEADLINE (20 * MS_SECOND)
/* Begins a request of the form: method, URL, body and the ids of the request. */
int probe_begin(const struct two_key_probe_form *form, struct http_request *request,
                const struct two_key_probe *probe, struct err *err);
/* http_request_check(), with words. */
int probe_check_fits(const struct http_request *request, struct err *err);
/* A shared access signature: an HMAC with the key's own characters ("Service Bus access control
 * with Shared Access Signatures"). The last name in the resource id is that of the rule. */
int probe_build_sas(const struct two_key_probe_form *form, struct http_request *request,
                    const struct two_key_probe *probe, struct err *err);
/* The base64 of an HMAC-SHA256 with the bytes that the key encodes. 0 with *ret_signature to be
 * freed; -EINVAL: the key is not base64; -ENOMEM, -EIO; with err set. */
int probe_sign(const struct secret *key, const char *text, char **ret_signature, struct err *err);
/* Judges by the lists of statuses and codes. */
bool probe_read(const struct two_key_probe_form *form, const struct http_reply *reply, time_ms now,
                struct failure *failure);

#endif
