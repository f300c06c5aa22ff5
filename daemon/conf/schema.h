/*
 * Every key of the configuration: its type, range and default, and whether this version supports
 * it.
 *
 * A new key needs a row in these tables only: schema_check() walks a file by them, and the typed
 * readers take their defaults from them.
 */
#ifndef KEYROTATED_CONF_SCHEMA_H
#define KEYROTATED_CONF_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "conf/report.h"
#include "conf/yaml_tree.h"

enum schema_type {
    SCHEMA_TEXT,
    SCHEMA_TEMPLATE, /* text with placeholders */
    SCHEMA_CONTENT,  /* text with the placeholders of a delivery (proto/template.h) */
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER,
    SCHEMA_DURATION,
    SCHEMA_CHOICE,
    SCHEMA_URL,
    SCHEMA_PROXY,
    SCHEMA_LISTEN,     /* an address and a port */
    SCHEMA_PATH,       /* absolute */
    SCHEMA_CREDENTIAL, /* a file, absolute or below $CREDENTIALS_DIRECTORY */
    SCHEMA_GUID,
    SCHEMA_TENANT,  /* GUID or domain */
    SCHEMA_MODE,    /* of a file, octal, in quotes */
    SCHEMA_WEEKDAY, /* Mon … Sun */
    SCHEMA_CLOCK,   /* HH:MM */
    SCHEMA_TIME_ZONE,
    SCHEMA_INSTANT, /* conf/moment.h */
    SCHEMA_API_VERSION,
    SCHEMA_HOST_SUFFIX,
    SCHEMA_ACCOUNT_ID, /* the resource id of a resource with two keys */
    SCHEMA_ACCOUNT_NAME,
    SCHEMA_RESOURCE_GROUP,
    SCHEMA_IDENTITY_ID, /* the resource id of a user-assigned identity */
    SCHEMA_MAP,         /* .map, or one of .variants by the value of its `type` */
};

enum schema_shape {
    SHAPE_ONE,
    SHAPE_ONE_OR_LIST,
    SHAPE_LIST,
    SHAPE_BY_NAME, /* a mapping from names that the user chooses */
    SHAPE_BY_TEXT, /* the same, from any texts: their section checks them */
};

struct schema_choice {
    const char *name; /* NULL ends the array */
    int value;
};

struct schema_map;

/* Variants are listed in arrays of pointers that end with NULL, so that a section's own struct can
 * begin with a variant and add members of its own. */
struct schema_variant {
    const char *name; /* the value of `type` */
    const struct schema_map *map;
    int value;
};

struct schema_key {
    const char *name; /* NULL ends the array */
    enum schema_type type;
    enum schema_shape shape;
    bool required;
    const char *fallback; /* the default as text; NULL: computed, or none */
    int64_t minimum;      /* of integers and durations (ms); 0 for a duration: it must be longer
                           * than 0s */
    int64_t maximum;
    bool may_be_zero;                    /* durations */
    duration_ms advised;                 /* shorter durations are legal and warned about … */
    const char *weakens;                 /* … because of this consequence */
    const struct schema_choice *choices; /* of SCHEMA_CHOICE: all values; of others: words
                                          * accepted besides values of the type */
    const char *(*problem)(const char *text, char *out, size_t size); /* of SCHEMA_CHOICE: what to
                                                                       * say of some other values;
                                                                       * NULL, and NULL of a value:
                                                                       * it is told the choices */
    const char *public_with; /* of SCHEMA_CREDENTIAL: where this other key is set, the file holds no
                              * secret */
    const struct schema_map *map; /* of SCHEMA_MAP; of others: a mapping is accepted, too */
    const struct schema_variant *const *variants; /* of SCHEMA_MAP */
};

struct schema_map {
    const struct schema_key *keys;
};

/* The whole file, and its parts. */
extern const struct schema_map schema_root;
extern const struct schema_map schema_log;
extern const struct schema_map schema_history;
extern const struct schema_map schema_metrics;
extern const struct schema_map schema_limits;
extern const struct schema_map schema_timing;
extern const struct schema_map schema_cloud;
extern const struct schema_map schema_proxy;
extern const struct schema_map schema_policy;
extern const struct schema_map schema_window;
extern const struct schema_map schema_defaults;
extern const struct schema_map schema_account;
extern const struct schema_map schema_api_versions;
extern const struct schema_map schema_delivery;                    /* an item of deliver_to */
extern const struct schema_map schema_hook;                        /* of a target's `after` */
extern const struct schema_variant *const schema_identity_types[]; /* of identity_type's */
extern const struct schema_variant *const schema_target_types[];   /* of target_type's */

extern const struct schema_map schema_notify;   /* an item of notify */
extern const struct schema_map schema_freeze;   /* an item of freeze */
extern const struct schema_map schema_discover; /* an item of discover */
extern const struct schema_map schema_exclude;  /* an item of its `exclude` */

/* The row of a key, or NULL. */
const struct schema_key *schema_key(const struct schema_map *map, const char *name);

/*
 * Checks a mapping and all below it: unknown, missing and not yet available keys, and every value.
 * Reports each mistake and marks its node as invalid. `skip_required` ignores missing keys of the
 * mapping itself, because a part of the files could not be read.
 */
void schema_check(struct report *report, struct tree_node *map, const struct schema_map *schema,
                  bool skip_required);

/* Does the mapping have an unknown key that was probably meant as `name`? The unknown key has been
 * reported, so a message about the missing `name` is unnecessary. */
bool schema_is_misspelt(const struct tree_node *map, const struct schema_map *schema,
                        const char *name);

/*
 * Readers of checked mappings (`map` may be NULL: nothing is set). Keys that are absent, or invalid
 * and reported, give the default of their row; where there is none: NULL, 0, false. Texts are
 * borrowed from the tree.
 */
const struct tree_node *schema_get(const struct tree_node *map, const char *name);
const char *schema_text(const struct tree_node *map, const struct schema_map *schema,
                        const char *name);
duration_ms schema_duration(const struct tree_node *map, const struct schema_map *schema,
                            const char *name);
int64_t schema_integer(const struct tree_node *map, const struct schema_map *schema,
                       const char *name);
bool schema_boolean(const struct tree_node *map, const struct schema_map *schema, const char *name);
int schema_choice(const struct tree_node *map, const struct schema_map *schema, const char *name);

/* Finds the value of a choice by name; returns false when there is no such choice. */
bool schema_choice_value(const struct schema_choice *choices, const char *name, int *ret_value);
/* The variant that the mapping's `type` names, or NULL. */
const struct schema_variant *schema_variant_of(const struct schema_variant *const *variants,
                                               const struct tree_node *map);

/* The first item of a list, or the node itself when a single value replaces a list; NULL for NULL.
 * schema_next_item() returns the following ones. Both skip invalid items. */
const struct tree_node *schema_first_item(const struct tree_node *node);
const struct tree_node *schema_next_item(const struct tree_node *node,
                                         const struct tree_node *item);

#endif
