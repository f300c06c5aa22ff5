/* The types of Azure resources with two shared keys, one row each: where they are, what a
 * regeneration is asked with and what the answers hold. Rows stand in types/, by family. */
#ifndef AZURESIM_TYPES_H
#define AZURESIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#define TYPE_MAX_NAMES   4 /* namespace, topic, rule */
#define TYPE_MAX_SLOTS   4 /* two pairs */
#define TYPE_PAIR        2 /* slots in a pair */
#define TYPE_MAX_ACTIONS 2 /* segments after the resource: regenerateAdminKey/primary */

/* What the body of a regeneration is. */
enum type_body {
    BODY_MEMBER,   /* an object, one member of which names the slot */
    BODY_IN_ARRAY, /* the same, as the only element of a list */
    BODY_KEY_ID,   /* the same, by the id that the key has in the list */
    BODY_SITE,     /* the same, and "siteName" says whose */
    BODY_WHOLE,    /* the resource, by PUT, with all of its pairs */
    BODY_NONE,     /* none: the path names the slot */
};

/* How the text of a new key is made. */
enum type_key {
    KEY_BASE64,       /* base64 of 64 bytes */
    KEY_SHORT_BASE64, /* base64 of 32 bytes */
    KEY_HEX,          /* 32 hexadecimal digits */
    KEY_LETTERS,      /* 52 letters and digits */
    KEY_RUNTIME,      /* IR@... of an integration runtime */
};

struct type_slot {
    const char *sent;   /* how a regeneration names it */
    const char *member; /* how the answers do */
};

/* A property that switches the keys off. */
struct type_switch {
    const char *property; /* NULL: there is none */
    const char *on, *off; /* its values, JSON text */
    bool is_at_parent;    /* the property stands at the namespace, the bot ... */
    bool needs_on;        /* absent or any other value means off; otherwise only OFF does */
    int status;           /* of listings and regenerations then; 0: they succeed */
    const char *code, *message;
};

/* Where an operation tells how it goes, and the right that this takes. */
struct type_poll {
    const char *word;  /* "operationResults" in locations/REGION/operationResults/ID; NULL: none */
    const char *below; /* what the path ends with, and a name, and the right with it; NULL: none */
    bool is_undocumented; /* which right it takes, if any */
};

/* Long-running regenerations. */
struct type_operation {
    bool is_long;
    bool has_async_header; /* Azure-AsyncOperation */
    bool has_location;
    struct type_poll status; /* at the Azure-AsyncOperation */
    struct type_poll result; /* at the Location */
};

/* Answers and descriptions are JSON in which these stand for what a resource has:
 *   $0 ... $3    its names               $Z    the last of them
 *   $L           location                $P    ":port", or nothing in clouds without
 *   $R           port of Redis           $B    the domain of Batch, with the port
 *   $K0 ... $K3  key of that slot        $T0 ... $T3  when it was made
 *   $I0 ... $I3  its id                  $O0 ... $O3  whether it may only read
 *   $M0 ... $M3  the slot's member       $W0 ... $W3  how a regeneration names it
 * With "*" in place of the digit it is the slot that was regenerated. */
struct type {
    const char *name;     /* "Microsoft.ServiceBus/namespaces/authorizationRules" */
    const char *word;     /* "service_bus": for the control API */
    const char *versions; /* api-versions, separated by blanks; the newest is the last */
    struct {
        const char *method; /* NULL: POST */
        const char *suffix; /* "listKeys" */
        const char *answer;
        const char *expand, *expanded; /* value of $expand, and the answer to it; NULL: none */
    } list;
    struct {
        const char *suffix; /* with BODY_NONE "regenerateAdminKey/", and
                             * the path goes on with what is sent for the slot */
        enum type_body body;
        const char *member;    /* of the body */
        const char *own_value; /* another member: the key to take; NULL: none */
        int status;            /* of the final answer; 0: 200 */
        const char *answer;    /* NULL: that of the list; "": none */
    } regenerate;
    struct type_operation operation;
    struct type_slot slots[TYPE_MAX_SLOTS];
    const char *pairs[2]; /* names of the pairs; NULL, NULL: there is one */
    enum type_key key;
    bool decodes_key; /* consumers decode the key from base64 */
    struct type_switch off;
    const char *resource;   /* members of the description beside the usual; NULL: none */
    const char *properties; /* what a new one has, and a client may change */
    const char *endpoints;  /* properties that follow from the rest */
    const char *parent_properties, *parent_endpoints; /* of the first resource in the path */
    bool shows_parts; /* BODY_WHOLE: the description has the names of its pairs */
    bool is_tracked;  /* a child that has location and tags itself */
};

/* The rows of a family; NULL ends them. */
extern const struct type *const types_of_data[];
extern const struct type *const types_of_messaging[];
extern const struct type *const types_of_intelligence[];
extern const struct type *const types_of_platforms[];
extern const struct type *const types_of_devices[];

extern const struct type type_batch;

/* The row at that index of all; NULL: there are fewer. */
const struct type *type_at(size_t index);

/* The type of that name or word (any case), or NULL. */
const struct type *type_find(const char *name);

/* "Microsoft.ServiceBus" */
size_t type_provider_length(const struct type *type);

/* How many names its path has. */
size_t type_name_count(const struct type *type);

/* Has one resource several pairs, each an account of the world with one name more? Sites of a bot's
 * channel, policies of a hub. */
bool type_has_parts(const struct type *type);

/* How many names a resource has in the world. */
size_t type_world_name_count(const struct type *type);

/* The word for the names that follow a provider in a path: at INDEX 0 "namespaces". LENGTH gets its
 * length. */
const char *type_segment(const struct type *type, size_t index, size_t *ret_length);

/* Have both the same provider and the same first COUNT segments? */
bool type_same_path(const struct type *a, const struct type *b, size_t count);

/* 2 or 4. */
size_t type_slot_count(const struct type *type);

/* The pair called NAME (NULL: the first); -1: there is none. */
int type_pair(const struct type *type, const char *name);

bool type_has_version(const struct type *type, const char *version);
const char *type_newest_version(const struct type *type);

#endif
