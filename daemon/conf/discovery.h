/*
 * Rules that find accounts (`discover`), and what they say of a resource. Pure: asking Azure is the
 * work of others.
 */
#ifndef KEYROTATED_CONF_DISCOVERY_H
#define KEYROTATED_CONF_DISCOVERY_H

#include "conf/config.h"
#include "proto/arm_list.h"

enum {
    DISCOVERY_RULES_MAX = 64,
    DISCOVERY_TYPES_MAX = 64,
    DISCOVERY_ITEMS_MAX = 256, /* of a list in a rule */
};

struct two_key_resource;

/* Patterns (base/glob.h), one of which has to match; none at all: everything does. */
struct discovery_patterns {
    const char *const *items;
    size_t count;
};

struct discovery_tag {
    const char *name; /* compared without regard to case, as Azure does */
    struct discovery_patterns values;
};

/* All that is given has to match. */
struct discovery_filter {
    struct discovery_patterns names; /* of the resource */
    struct discovery_patterns groups;
    struct discovery_patterns locations; /* "West Europe" counts as "westeurope" */
    const struct discovery_tag *tags;
    size_t tag_count;
};

enum discovery_by {
    DISCOVERY_BY_AUTO,    /* by Resource Graph where many lists would be read */
    DISCOVERY_BY_MANAGER, /* by Resource Manager's lists */
    DISCOVERY_BY_GRAPH    /* by Azure Resource Graph */
};

struct discovery_rule {
    const char *name;
    const struct identity *identity;
    const char *const *subscriptions; /* ids */
    size_t subscription_count;        /* 0: all that the identity sees */
    const struct two_key_resource *const *types;
    size_t type_count;
    struct discovery_filter wanted;
    const struct discovery_filter *excluded;
    size_t excluded_count;
    const char *policy_name;
    const char *active_tag; /* the tag that names the active key; NULL: none */
    bool has_adopt_active;
    enum slot adopt_active;
    enum discovery_by by;
    duration_ms every;
    unsigned max_new;
    bool dry_run;
    size_t destination_count; /* of each account that it finds */
    /* Those of a sample: names and `required` are those of each account, and places are not. */
    const struct destination *destinations;
};

/* "auto", as it is configured. */
const char *discovery_by_name(enum discovery_by by);

/* Does the rule find the resource, be it listed by whichever identity? Explicit accounts are not
 * considered. */
bool discovery_matches(const struct discovery_rule *rule, const struct arm_resource *resource);

/* The first rule of that identity (a name) that finds the resource, or NULL. */
const struct discovery_rule *discovery_find_rule(const struct config *config, const char *identity,
                                                 const struct arm_resource *resource);

/* The rule of that name, or NULL. */
const struct discovery_rule *discovery_rule_named(const struct config *config, const char *name);

/* The key that the tag of the rule names ("primary" or "secondary", in any case). False: there is
 * no such tag, or it names none. */
bool discovery_active_key(const struct discovery_rule *rule, const struct arm_resource *resource,
                          enum slot *ret_active);

/* Is the account configured by itself? `key`: its id in lower case. */
bool discovery_is_explicit(const struct config *config, const char *key);

/* An account that a rule has found. Borrowed during the call. */
struct config_found {
    const char *id;
    const char *rule; /* the name of one of the configuration's rules */
    bool has_active;
    enum slot active; /* by a tag */
};

/*
 * A configuration with the accounts of `config`'s own files and these, resolved in the same way.
 * `config` came from config_load() or from here; its files are not read again. What its rules say
 * of accounts beats nothing that is explicit. An account that its rule's targets do not fit has a
 * `problem`. Returns a configuration with one reference, or NULL with err set.
 */
struct config *config_expand(const struct config *config, const struct config_found *found,
                             size_t count, struct err *err);

#endif
