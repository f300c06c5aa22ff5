/*
 * Turns checked trees into the configuration: resolves references, fills in defaults, and checks
 * conditions that involve several parts. Private to conf/.
 */
#ifndef KEYROTATED_CONF_RESOLVE_H
#define KEYROTATED_CONF_RESOLVE_H

#include "conf/arena.h"
#include "conf/config.h"
#include "conf/report.h"
#include "conf/yaml_tree.h"

enum { RESOLVE_WINDOWS_MAX = 16, RESOLVE_DESTINATIONS_MAX = 16 };

struct placeholder_values;
struct config_found;

enum { RESOLVE_VARIANTS = 4 };

struct resolve {
    struct arena *arena; /* of the configuration */
    struct report *report;
    const struct tree_node *root; /* all files merged */
    const struct config_environment *environment;
    struct config *config;      /* under construction */
    struct policy *policies;    /* config->policies, while they are made */
    struct policy **variants;   /* RESOLVE_VARIANTS per policy: copies with what an account has
                                 * otherwise, made when needed */
    struct resolve_pace *paces; /* of resolve_check_pace() */
    const struct config_found *found; /* what rules have found, to be added to the accounts */
    size_t found_count;
};

/* Of resolve_service(). */
void resolve_cloud(struct resolve *resolve);

/* Each fills its part of resolve->config and reports mistakes. To be called in this order. */
void resolve_service(struct resolve *resolve);
void resolve_identities(struct resolve *resolve);
void resolve_policies(struct resolve *resolve);
void resolve_freezes(struct resolve *resolve);
void resolve_targets(struct resolve *resolve);
void resolve_rules(struct resolve *resolve);
void resolve_accounts(struct resolve *resolve);
void resolve_notifiers(struct resolve *resolve);
/* Warns about identities, policies and targets that no account uses. */
void resolve_note_unused(struct resolve *resolve);

/*
 * The entry of `section` ("identities", …) that an account uses by its `key` ("identity", …): its
 * own, that of `defaults`, or the only one in the section. Returns NULL when there is none, which
 * has been reported.
 */
const struct tree_node *resolve_reference(struct resolve *resolve, const struct tree_node *account,
                                          const char *section, const char *key);

/* Fills in an account but for what other accounts have to do with it. Returns false when it has no
 * id, which has been reported. */
bool resolve_fill_account(struct resolve *resolve, const struct tree_node *node,
                          struct account *account);

/* Does the account's policy leave room for the longest regenerate of its type? Reports what cannot
 * be kept, and warns of what may not be. Expects a filled account. */
void resolve_check_pace(struct resolve *resolve, const struct tree_node *node,
                        const struct account *account);
/* The same of an account of whose resource `others` are configured, too: they regenerate in turns.
 * Warns unless resolve_check_pace() has, of an account with the same policy and type. */
void resolve_check_turns(struct resolve *resolve, const struct tree_node *node,
                         const struct account *account, size_t others);
/* resolve_check_pace() of a sample that stands for all accounts of its rule and type. What filling
 * it in has warned of is not to be reported: `paces` is as it was before. */
void resolve_check_sample_pace(struct resolve *resolve, const struct tree_node *node,
                               const struct account *account, struct resolve_pace *paces);

/* The item of `discover` with that name, or NULL. */
const struct tree_node *resolve_rule_node(const struct resolve *resolve, const char *name);
/* An item of `accounts` as that rule writes it for the resource of that id. NULL: out of memory,
 * and the arena has failed. */
struct tree_node *resolve_found_node(struct resolve *resolve, const struct tree_node *rule,
                                     const char *id);
/* Fills in an account that a rule has found; what is wrong with it becomes its `problem`. Returns
 * false when it can be no account: its rule is gone, or its id is of another kind. */
bool resolve_fill_found(struct resolve *resolve, const struct config_found *found,
                        struct account *account, const struct tree_node **ret_node);

/* Checks a name (of `defaults`, or an item of deliver_to) against a section; marks it where wrong.
 */
bool resolve_name(struct resolve *resolve, struct tree_node *name, const char *section,
                  const char *what);

/* Checks a deliver_to: names, repetitions, at least one required target. Marks it where wrong. */
void resolve_check_deliveries(struct resolve *resolve, struct tree_node *deliver_to);

/* Fills in the account's destinations; the account's names must be set already. Reports targets
 * that it cannot use. */
void resolve_destinations(struct resolve *resolve, const struct tree_node *node,
                          struct account *account);

/* The `after` of a target: checks its items, and marks those that are wrong. */
void resolve_check_hooks(struct resolve *resolve, const struct tree_node *target);
/* Fills in the destination of a unit. Returns false when it is invalid, or invalid for this
 * account, which has been reported. */
bool resolve_fill_unit(struct resolve *resolve, struct tree_node *unit,
                       const struct placeholder_values *values, struct destination *destination);

#endif
