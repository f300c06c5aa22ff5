#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/value.h"

enum { MINUTES_PER_DAY = 1440, ALL_DAYS = 0x7f };

static void release_tz(void *tz)
{
    tz_free(tz);
}

static uint8_t read_days(struct resolve *resolve, const struct tree_node *map)
{
    const struct tree_node *list = schema_get(map, "days");
    uint8_t days = 0;

    if (!list)
        return ALL_DAYS;
    for (const struct tree_node *item = schema_first_item(list); item;
         item = schema_next_item(list, item)) {
        int weekday;

        if (value_parse_weekday(item->text, &weekday))
            days |= (uint8_t)(1U << weekday);
    }
    if (list->kind == TREE_LIST && list->count == 0)
        report_error(resolve->report, list, "is empty; name the days, or leave it out for all");
    return days;
}

static bool fill_window(struct resolve *resolve, const struct tree_node *map, struct window *window)
{
    int from = 0;
    int to = 0;

    (void)value_parse_clock(schema_text(map, &schema_window, "from"), &from);
    (void)value_parse_clock(schema_text(map, &schema_window, "to"), &to);
    *window = (struct window){
        .days = read_days(resolve, map),
        .from_minute = from,
        .to_minute = to % MINUTES_PER_DAY,
        .tz = tz_load(schema_text(map, &schema_window, "time_zone")),
    };
    if (!window->tz) /* the check has accepted the name, so loading it failed */
        report_error(resolve->report, map, "its time zone cannot be loaded; out of memory?");
    if (!window->tz || !arena_on_free(resolve->arena, release_tz, window->tz))
        return false;
    return window->days != 0;
}

static void fill_windows(struct resolve *resolve, const struct tree_node *map,
                         struct policy *policy)
{
    const struct tree_node *node = schema_get(map, "window");
    struct window *windows;
    size_t count = 0;

    if (!node)
        return;
    if (node->kind == TREE_LIST && (node->count == 0 || node->count > RESOLVE_WINDOWS_MAX)) {
        report_error(resolve->report, node,
                     "holds %zu windows; write 1 to %d, or leave it out for any time", node->count,
                     RESOLVE_WINDOWS_MAX);
        return;
    }
    windows = arena_alloc_array(resolve->arena, RESOLVE_WINDOWS_MAX, sizeof(*windows));
    if (!windows)
        return;
    for (const struct tree_node *item = schema_first_item(node); item;
         item = schema_next_item(node, item)) {
        if (fill_window(resolve, item, &windows[count]))
            count++;
    }
    policy->windows = windows;
    policy->window_count = count;
}

static void fill_policy(struct resolve *resolve, const struct tree_node *map, struct policy *policy)
{
    *policy = (struct policy){
        .check_every = schema_duration(map, &schema_policy, "check_every"),
        .verify = (enum verify_mode)schema_choice(map, &schema_policy, "verify"),
        .on_drift = (enum drift_mode)schema_choice(map, &schema_policy, "on_drift"),
        .rotate = schema_boolean(map, &schema_policy, "rotate"),
    };
    fill_windows(resolve, map, policy);
    resolve_policy_times(resolve, map, policy);
}

void resolve_policies(struct resolve *resolve)
{
    const struct tree_node *section = schema_get(resolve->root, "policies");
    const char **names;
    size_t count = 0;

    if (!section)
        return;
    resolve->policies =
        arena_alloc_array(resolve->arena, section->count, sizeof(*resolve->policies));
    resolve->flipped = arena_alloc_array(resolve->arena, section->count, sizeof(struct policy *));
    names = arena_alloc_array(resolve->arena, section->count, sizeof(*names));
    if (!resolve->policies || !resolve->flipped || !names)
        return;
    for (const struct tree_node *map = section->first; map; map = map->next) {
        if (map->invalid)
            continue;
        names[count] = arena_dup(resolve->arena, map->name);
        fill_policy(resolve, map, &resolve->policies[count]);
        count++;
    }
    resolve->config->policies = resolve->policies;
    resolve->config->policy_names = names;
    resolve->config->policy_count = count;
}
