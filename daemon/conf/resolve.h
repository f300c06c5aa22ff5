/*
 * From checked trees to the configuration: references are followed, defaults filled in, and what
 * only shows when parts are put together is checked. Private to conf/.
 */
#ifndef KEYROTATED_CONF_RESOLVE_H
#define KEYROTATED_CONF_RESOLVE_H

#include "conf/arena.h"
#include "conf/config.h"
#include "conf/report.h"
#include "conf/yaml_tree.h"

enum { RESOLVE_WINDOWS_MAX = 16, RESOLVE_DESTINATIONS_MAX = 16 };

struct resolve {
    struct arena *arena; /* of the configuration */
    struct report *report;
    const struct tree_node *root; /* all files merged */
    const struct config_environment *environment;
    struct config *config;   /* under construction */
    struct policy *policies; /* config->policies, while they are made */
    struct policy **flipped; /* per policy: a copy with the other `rotate`, made when needed */
};

/* Each fills its part of resolve->config and reports what is wrong. In this order. */
void resolve_service(struct resolve *resolve);
void resolve_identities(struct resolve *resolve);
void resolve_policies(struct resolve *resolve);
void resolve_targets(struct resolve *resolve);
void resolve_accounts(struct resolve *resolve);
/* Warns about identities, policies and targets that no account uses. */
void resolve_note_unused(struct resolve *resolve);

/* The numbers of one policy's mapping; `windows` has been filled in. */
void resolve_policy_times(struct resolve *resolve, const struct tree_node *map,
                          struct policy *policy);

/*
 * The entry of `section` ("identities", …) that an account uses by its `key` ("identity", …): its
 * own, that of `defaults`, or the only one there is. NULL where there is none; that has been
 * reported.
 */
const struct tree_node *resolve_reference(struct resolve *resolve, const struct tree_node *account,
                                          const char *section, const char *key);

/* Checks a name (of `defaults`, or an item of deliver_to) against a section; marks it where wrong.
 */
bool resolve_name(struct resolve *resolve, struct tree_node *name, const char *section,
                  const char *what);

/* Checks a deliver_to: names, repetitions, at least one required target. Marks it where wrong. */
void resolve_check_deliveries(struct resolve *resolve, struct tree_node *deliver_to);

/* The account's destinations, its names being known; reports targets that cannot be used by it. */
void resolve_destinations(struct resolve *resolve, const struct tree_node *node,
                          struct account *account);

#endif
