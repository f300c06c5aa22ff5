#include <string.h>

#include "base/date.h"
#include "conf/moment.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "core/schedule.h"

enum { FREEZES_MAX = 100, REASON_MAX = 200 };

/* One of the list, and where it stands. */
struct stated {
    const struct tree_node *node;
    struct freeze freeze;
};

static bool read_bounds(struct resolve *resolve, const struct tree_node *map, struct freeze *freeze)
{
    struct tz *tz = tz_load(schema_text(map, &schema_freeze, "time_zone"));
    char from[DATE_TEXT_MAX];
    char to[DATE_TEXT_MAX];

    if (!tz) { /* the check has accepted the name, so loading it failed */
        report_error(resolve->report, map, "its time zone cannot be loaded; out of memory?");
        return false;
    }
    (void)moment_parse(schema_text(map, &schema_freeze, "from"), tz, MOMENT_DAY_BEGINS,
                       &freeze->from);
    (void)moment_parse(schema_text(map, &schema_freeze, "to"), tz, MOMENT_DAY_ENDS, &freeze->to);
    tz_free(tz);
    freeze->to = time_min(freeze->to, DATE_LAST); /* "until never" would say the opposite */
    if (freeze->to > freeze->from)
        return true;
    report_error(resolve->report, schema_get(map, "to"),
                 "the freeze would end (%s) before it begins (%s); write a later end, or exchange "
                 "from and to",
                 date_to_rfc3339(freeze->to, to), date_to_rfc3339(freeze->from, from));
    return false;
}

static bool read_freeze(struct resolve *resolve, const struct tree_node *map, struct stated *stated)
{
    struct freeze *freeze = &stated->freeze;
    const char *reason = schema_text(map, &schema_freeze, "reason");
    char to[DATE_TEXT_MAX];

    *stated = (struct stated){.node = map};
    if (map->invalid || !schema_get(map, "from") || !schema_get(map, "to") ||
        !read_bounds(resolve, map, freeze))
        return false;
    if (reason && strlen(reason) > REASON_MAX)
        report_error(resolve->report, schema_get(map, "reason"),
                     "is too long; %d bytes are the most", REASON_MAX);
    freeze->reason = arena_dup(resolve->arena, reason);
    if (freeze->to <= resolve->environment->now)
        report_warning(resolve->report, schema_get(map, "to"),
                       "the freeze ended at %s and has no effect; correct its dates, or remove it",
                       date_to_rfc3339(freeze->to, to));
    return true;
}

/* Does it name the policy, or none? */
static bool applies_to(const struct tree_node *map, const char *policy)
{
    const struct tree_node *list = schema_get(map, "policies");

    if (!list)
        return true;
    for (const struct tree_node *name = schema_first_item(list); name;
         name = schema_next_item(list, name))
        if (!name->invalid && strcmp(name->text, policy) == 0)
            return true;
    return false;
}

static void check_names(struct resolve *resolve, const struct tree_node *map)
{
    struct tree_node *list = tree_child(map, "policies");

    if (!list || list->invalid)
        return;
    if (list->kind == TREE_LIST && list->count == 0)
        report_error(resolve->report, list,
                     "is empty; name the policies, or leave it out for all of them");
    for (struct tree_node *name = list->kind == TREE_LIST ? list->first : list; name;
         name = list->kind == TREE_LIST ? name->next : NULL)
        (void)resolve_name(resolve, name, "policies", "policy");
}

/* What the policy promises, where the freeze breaks it. */
static void check_key_age(struct resolve *resolve, const struct policy *policy, const char *name,
                          const struct stated *stated)
{
    const duration_ms wait = schedule_wait_for_freeze(policy, stated->freeze.from);
    const duration_ms age = time_add(2 * policy->rotate_every + policy->splay, wait);
    char waiting[DURATION_TEXT_MAX];
    char oldest[DURATION_TEXT_MAX];
    char wanted[DURATION_TEXT_MAX];

    if (!policy->rotate || policy->max_key_age == 0 || age <= policy->max_key_age ||
        stated->freeze.to <= resolve->environment->now)
        return;
    report_warning(
        resolve->report, stated->node,
        "a rotation of policy %s can have to wait %s because of the freeze, and a key "
        "could get %s old, more than max_key_age %s; shorten the freeze, or have `rotate` "
        "regenerate the oldest keys before it begins",
        name, duration_to_words(wait, waiting), duration_to_words(age, oldest),
        duration_to_text(policy->max_key_age, wanted));
}

static void fill_policy(struct resolve *resolve, const struct stated *stated, size_t count,
                        size_t index)
{
    struct policy *policy = &resolve->policies[index];
    const char *name = resolve->config->policy_names[index];
    struct freeze *freezes = arena_alloc_array(resolve->arena, count, sizeof(*freezes));
    size_t applying = 0;

    if (!freezes)
        return;
    for (size_t i = 0; i < count; i++)
        if (applies_to(stated[i].node, name))
            freezes[applying++] = stated[i].freeze;
    policy->freezes = freezes;
    policy->freeze_count = applying;
    for (size_t i = 0; i < count; i++)
        if (policy->rotate_every > 0 && applies_to(stated[i].node, name))
            check_key_age(resolve, policy, name, &stated[i]);
}

void resolve_freezes(struct resolve *resolve)
{
    const struct tree_node *list = schema_get(resolve->root, "freeze");
    struct stated *stated;
    size_t count = 0;

    if (!list || list->invalid || list->count == 0)
        return;
    if (list->count > FREEZES_MAX) {
        report_error(resolve->report, list, "holds %zu freezes; %d are the most", list->count,
                     FREEZES_MAX);
        return;
    }
    stated = arena_alloc_array(resolve->arena, list->count, sizeof(*stated));
    if (!stated)
        return;
    for (const struct tree_node *map = schema_first_item(list); map;
         map = schema_next_item(list, map)) {
        check_names(resolve, map);
        if (read_freeze(resolve, map, &stated[count]))
            count++;
    }
    for (size_t i = 0; count > 0 && i < resolve->config->policy_count; i++)
        fill_policy(resolve, stated, count, i);
}
