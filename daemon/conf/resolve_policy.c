#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/value.h"
#include "core/schedule.h"

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

/* --- times --- */

static duration_ms shortest_window(const struct policy *policy)
{
    int shortest = MINUTES_PER_DAY;

    for (size_t i = 0; i < policy->window_count; i++) {
        const struct window *window = &policy->windows[i];
        int length = window->to_minute - window->from_minute;

        if (length <= 0)
            length += MINUTES_PER_DAY;
        if (length < shortest)
            shortest = length;
    }
    return shortest * MS_MINUTE;
}

static duration_ms default_splay(const struct policy *policy, duration_ms rotate_every)
{
    duration_ms splay = rotate_every / 10;

    if (policy->window_count > 0 && splay > shortest_window(policy))
        splay = shortest_window(policy);
    return splay;
}

/* The node for messages about a key: its own, or the mapping when the key is absent. */
static const struct tree_node *node_or_map(const struct tree_node *map, const char *name)
{
    const struct tree_node *node = schema_get(map, name);

    return node ? node : map;
}

static void fill_splay(struct resolve *resolve, const struct tree_node *map, struct policy *policy)
{
    const struct tree_node *node = schema_get(map, "splay");
    char longest[DURATION_TEXT_MAX];

    policy->splay = default_splay(policy, policy->rotate_every);
    if (!node)
        return;
    policy->splay = schema_duration(map, &schema_policy, "splay");
    if (policy->splay > policy->rotate_every) {
        report_error(resolve->report, node, "is longer than rotate_every; write %s or less",
                     duration_to_text(policy->rotate_every, longest));
    } else if (policy->window_count > 0 && policy->splay > shortest_window(policy)) {
        policy->splay = shortest_window(policy);
        report_warning(resolve->report, node,
                       "is longer than the shortest window and is cut to it; write %s or less",
                       duration_to_text(policy->splay, longest));
    }
}

static void fill_overlap(struct resolve *resolve, const struct tree_node *map,
                         struct policy *policy)
{
    const struct tree_node *node = schema_get(map, "overlap");
    char longest[DURATION_TEXT_MAX];

    policy->overlap = policy->rotate_every / 4;
    if (!node)
        return;
    policy->overlap = schema_duration(map, &schema_policy, "overlap");
    if (policy->overlap > policy->rotate_every)
        report_error(resolve->report, node, "is longer than rotate_every; write %s or less",
                     duration_to_text(policy->rotate_every, longest));
}

/* Rounded down to a unit that suits its size, so that people can write it. */
static duration_ms round_down(duration_ms duration)
{
    duration_ms unit = MS_SECOND;

    if (duration >= 2 * MS_DAY)
        unit = MS_HOUR;
    else if (duration >= 2 * MS_HOUR)
        unit = MS_MINUTE;
    return duration >= unit ? duration / unit * unit : duration;
}

/* The largest rotate_every that keeps every key within max_key_age; 0 when there is none. */
static duration_ms largest_rotate_every(const struct policy *policy, bool splay_is_given,
                                        duration_ms wait)
{
    duration_ms fits = 0;
    duration_ms exceeds = policy->max_key_age / 2 + 1;

    while (exceeds - fits > 1) {
        duration_ms middle = fits + (exceeds - fits) / 2;
        duration_ms splay = splay_is_given ? policy->splay : default_splay(policy, middle);

        if (2 * middle + wait + splay <= policy->max_key_age)
            fits = middle;
        else
            exceeds = middle;
    }
    return round_down(fits);
}

/* Reports an error when a key could outlive max_key_age, and names the largest value that fits. */
static bool check_key_age(struct resolve *resolve, const struct tree_node *map,
                          const struct policy *policy, duration_ms wait)
{
    const struct tree_node *node = node_or_map(map, "rotate_every");
    char worst[DURATION_TEXT_MAX];
    char wanted[DURATION_TEXT_MAX];
    char every[DURATION_TEXT_MAX];
    char waiting[DURATION_TEXT_MAX];
    char fits[DURATION_TEXT_MAX];
    duration_ms age = 2 * policy->rotate_every + wait + policy->splay;
    duration_ms largest;

    if (policy->max_key_age == 0 || age <= policy->max_key_age)
        return true;
    if (node == map)
        node = node_or_map(map, "max_key_age");
    largest = largest_rotate_every(policy, !!schema_get(map, "splay"), wait);
    (void)duration_to_text(policy->max_key_age, wanted);
    if (largest == 0) {
        report_error(resolve->report, node,
                     "no rotate_every keeps keys below max_key_age %s: the longest wait for a "
                     "window (%s) and splay alone exceed it; widen the window or raise max_key_age",
                     wanted, duration_to_text(wait, waiting));
        return false;
    }
    report_error(resolve->report, node,
                 "a key could get %s old, more than max_key_age %s: twice rotate_every %s, %s "
                 "for the longest wait for a window, and splay; the largest rotate_every that "
                 "fits is %s",
                 duration_to_words(age, worst), wanted,
                 duration_to_text(policy->rotate_every, every), duration_to_text(wait, waiting),
                 duration_to_text(largest, fits));
    return false;
}

/* Wait and splay can delay a rotation. The overlap begins when the rotation does; if it reaches
 * past the next planned time, each rotation is later than the one before. */
static void check_overlap_fits(struct resolve *resolve, const struct tree_node *map,
                               const struct policy *policy, duration_ms wait)
{
    duration_ms late = wait + policy->splay;
    char every[DURATION_TEXT_MAX];
    char lateness[DURATION_TEXT_MAX];

    if (policy->overlap > policy->rotate_every || policy->splay > policy->rotate_every ||
        policy->overlap + late <= policy->rotate_every)
        return;
    report_warning(resolve->report, node_or_map(map, "overlap"),
                   "a rotation can start %s after its planned time (wait for a window, splay); "
                   "with overlap that exceeds rotate_every %s, so that rotations will come ever "
                   "later; shorten overlap or splay",
                   duration_to_words(late, lateness),
                   duration_to_text(policy->rotate_every, every));
}

/* `windows` must be set already. */
static void fill_times(struct resolve *resolve, const struct tree_node *map, struct policy *policy)
{
    const struct tree_node *age = tree_child(map, "max_key_age");
    const struct tree_node *every = tree_child(map, "rotate_every");
    duration_ms wait;

    if (!age && !every && !schema_is_misspelt(map, &schema_policy, "max_key_age") &&
        !schema_is_misspelt(map, &schema_policy, "rotate_every"))
        report_missing(resolve->report, map, "max_key_age",
                       "is missing; give max_key_age (such as 90d) or rotate_every");
    policy->max_key_age = schema_duration(map, &schema_policy, "max_key_age");
    policy->rotate_every = schema_duration(map, &schema_policy, "rotate_every");
    if (policy->rotate_every == 0 && (!every || every->invalid))
        policy->rotate_every = schedule_rotate_every_for(policy->max_key_age);
    if (policy->rotate_every == 0) {
        if (policy->max_key_age != 0 && !tree_has_invalid(map))
            report_error(resolve->report, age, "is too short to rotate within; write 1s or more");
        return; /* reported; the remaining checks depend on it */
    }
    fill_overlap(resolve, map, policy);
    fill_splay(resolve, map, policy);
    policy->overdue_after = schema_get(map, "overdue_after")
                                ? schema_duration(map, &schema_policy, "overdue_after")
                                : policy->rotate_every / 10;
    if (tree_has_invalid(map))
        return; /* for invalid values the defaults are used, and sums over these would mislead */
    wait = schedule_longest_wait(policy, resolve->environment->now);
    if (wait == TIME_NEVER) {
        report_error(resolve->report, node_or_map(map, "window"),
                     "never opens; correct its days and times");
        return;
    }
    if (check_key_age(resolve, map, policy, wait))
        check_overlap_fits(resolve, map, policy, wait);
}

/* --- policies --- */

static void fill_policy(struct resolve *resolve, const struct tree_node *map, struct policy *policy)
{
    *policy = (struct policy){
        .check_every = schema_duration(map, &schema_policy, "check_every"),
        .verify = (enum verify_mode)schema_choice(map, &schema_policy, "verify"),
        .on_drift = (enum drift_mode)schema_choice(map, &schema_policy, "on_drift"),
        .rotate = schema_boolean(map, &schema_policy, "rotate"),
    };
    fill_windows(resolve, map, policy);
    fill_times(resolve, map, policy);
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
    resolve->variants = arena_alloc_array(resolve->arena, section->count * RESOLVE_VARIANTS,
                                          sizeof(struct policy *));
    names = arena_alloc_array(resolve->arena, section->count, sizeof(*names));
    if (!resolve->policies || !resolve->variants || !names)
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
