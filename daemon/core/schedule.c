#include "core/schedule.h"

#include "base/hash.h"

enum {
    DAYS_PER_WEEK = 7,
    HORIZON_DAYS = 400, /* a window that opens at all opens within this: a year and a month */
    YEAR_DAYS = 366,
    LOOK_BACK_DAYS = 2, /* a window that is still open may have opened so many days ago */
};

/* One occurrence of a window, [open, close). Empty where the clocks jump over all of it. */
struct stretch {
    time_ms open;
    time_ms close;
};

/* The occurrence that opens `offset` days after the civil day `today`. */
static struct stretch window_stretch(const struct window *window, struct civil_time today,
                                     int offset)
{
    int day = today.day + offset;
    int closing_day = window->to_minute > window->from_minute ? day : day + 1;

    return (struct stretch){
        .open = tz_from_civil(window->tz, today.year, today.month, day, window->from_minute / 60,
                              window->from_minute % 60),
        .close = tz_from_civil(window->tz, today.year, today.month, closing_day,
                               window->to_minute / 60, window->to_minute % 60),
    };
}

static bool window_opens_on(const struct window *window, int weekday)
{
    return (window->days >> weekday & 1) != 0;
}

static int weekday_after(int weekday, int days)
{
    int sum = (weekday + days) % DAYS_PER_WEEK;

    return sum < 0 ? sum + DAYS_PER_WEEK : sum;
}

static time_ms window_next_open(const struct window *window, time_ms at)
{
    struct civil_time today = tz_to_civil(window->tz, at);

    for (int offset = -LOOK_BACK_DAYS; offset <= HORIZON_DAYS; offset++) {
        struct stretch stretch;

        if (!window_opens_on(window, weekday_after(today.weekday, offset)))
            continue;
        stretch = window_stretch(window, today, offset);
        if (stretch.open < stretch.close && stretch.close > at)
            return stretch.open > at ? stretch.open : at;
    }
    return TIME_NEVER;
}

/* When the occurrence around `at` closes; `at` where there is none. */
static time_ms window_close(const struct window *window, time_ms at)
{
    struct civil_time today = tz_to_civil(window->tz, at);
    time_ms close = at;

    for (int offset = -LOOK_BACK_DAYS; offset <= 1; offset++) {
        struct stretch stretch;

        if (!window_opens_on(window, weekday_after(today.weekday, offset)))
            continue;
        stretch = window_stretch(window, today, offset);
        if (stretch.open <= at && stretch.close > close)
            close = stretch.close;
    }
    return close;
}

/* The earliest instant >= `at` inside a window, in a freeze or not. */
static time_ms next_window(const struct policy *policy, time_ms at)
{
    time_ms next = TIME_NEVER;

    if (policy->window_count == 0 || at == TIME_NEVER)
        return at;
    for (size_t i = 0; i < policy->window_count; i++) {
        time_ms open = window_next_open(&policy->windows[i], at);

        if (open < next)
            next = open;
    }
    return next;
}

const struct freeze *schedule_freeze(const struct policy *policy, time_ms at)
{
    const struct freeze *last = NULL;

    for (size_t i = 0; i < policy->freeze_count; i++) {
        const struct freeze *freeze = &policy->freezes[i];

        if (freeze->from <= at && at < freeze->to && (!last || freeze->to > last->to))
            last = freeze;
    }
    return last;
}

time_ms schedule_freeze_changes_at(const struct policy *policy, time_ms at)
{
    time_ms next = TIME_NEVER;

    for (size_t i = 0; i < policy->freeze_count; i++) {
        const struct freeze *freeze = &policy->freezes[i];

        if (freeze->from > at)
            next = time_min(next, freeze->from);
        else if (freeze->to > at)
            next = time_min(next, freeze->to);
    }
    return next;
}

struct policy schedule_without_freezes(const struct policy *policy)
{
    struct policy without = *policy;

    without.freezes = NULL;
    without.freeze_count = 0;
    return without;
}

time_ms schedule_next_open(const struct policy *policy, time_ms at)
{
    time_ms open = next_window(policy, at);

    /* Each turn leaves at least one freeze behind. */
    for (const struct freeze *freeze; (freeze = schedule_freeze(policy, open));)
        open = next_window(policy, freeze->to);
    return open;
}

bool schedule_is_open(const struct policy *policy, time_ms at)
{
    return schedule_next_open(policy, at) == at;
}

/* When the windows that are open at `at` close, in a freeze or not. */
static time_ms close_of_windows(const struct policy *policy, time_ms at)
{
    time_ms horizon = time_add(at, HORIZON_DAYS * MS_DAY);
    time_ms close = at;

    if (policy->window_count == 0 || at == TIME_NEVER)
        return TIME_NEVER;
    /* Windows that touch or overlap make one long one; those that cover the week never close. */
    while (close <= horizon) {
        time_ms furthest = close;

        for (size_t i = 0; i < policy->window_count; i++) {
            time_ms candidate = window_close(&policy->windows[i], close);

            if (candidate > furthest)
                furthest = candidate;
        }
        if (furthest == close)
            return close;
        close = furthest;
    }
    return TIME_NEVER;
}

time_ms schedule_close(const struct policy *policy, time_ms at)
{
    time_ms close = at == TIME_NEVER ? at : close_of_windows(policy, at);

    if (at == TIME_NEVER || schedule_freeze(policy, at))
        return at;
    for (size_t i = 0; i < policy->freeze_count; i++)
        if (policy->freezes[i].from > at)
            close = time_min(close, policy->freezes[i].from);
    return close;
}

/* The longest of the times in which nothing may start that begin before `end`, and end after
 * `from`. */
static duration_ms longest_wait(const struct policy *policy, time_ms from, time_ms end)
{
    /* Begun early, so that the gap in which `from` lies counts in its full length. */
    time_ms closed_at = from - (DAYS_PER_WEEK + 1) * MS_DAY;
    duration_ms longest = 0;

    while (closed_at < end) {
        time_ms open = schedule_next_open(policy, closed_at);

        if (open == TIME_NEVER)
            return TIME_NEVER;
        if (open - closed_at > longest)
            longest = open - closed_at;
        closed_at = schedule_close(policy, open);
    }
    return longest;
}

duration_ms schedule_longest_wait(const struct policy *policy, time_ms from)
{
    const struct policy windows = schedule_without_freezes(policy);

    if (policy->window_count == 0)
        return 0;
    return longest_wait(&windows, from, time_add(from, (YEAR_DAYS + DAYS_PER_WEEK) * MS_DAY));
}

duration_ms schedule_wait_for_freeze(const struct policy *policy, time_ms from)
{
    return longest_wait(policy, from, time_add(from, 1));
}

uint64_t schedule_hash(const char *account_id, const char *purpose, uint64_t below)
{
    uint64_t hash = HASH_START;

    if (below == 0)
        return 0;
    hash = hash_folded_text(hash_folded_text(hash, account_id), purpose);
    /* FNV leaves the last characters in the low bits; the finaliser of MurmurHash3 spreads them. */
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (hash ^ hash >> 33) % below;
}

/* The first opening from `at` on, plus a part of `spread` that leaves the start inside it. */
static time_ms start_from(const struct policy *policy, const char *account_id, const char *purpose,
                          time_ms at, duration_ms spread)
{
    time_ms open = schedule_next_open(policy, at);
    duration_ms room = spread;
    time_ms close;

    if (spread <= 0)
        return open;
    close = schedule_close(policy, open);
    if (close != TIME_NEVER && close - open < room)
        room = close - open;
    if (room <= 0)
        return open;
    return time_add(open, (duration_ms)schedule_hash(account_id, purpose, (uint64_t)room));
}

time_ms schedule_start(const struct policy *policy, const char *account_id, time_ms planned)
{
    return start_from(policy, account_id, "splay", planned, policy->splay);
}

time_ms schedule_catch_up(const struct policy *policy, const char *account_id, time_ms now,
                          duration_ms spread)
{
    return start_from(policy, account_id, "catch-up", now, spread);
}

/* The first rotations of accounts with old keys are spread over this part of rotate_every at least:
 * a fleet of them is adopted at once. */
enum { FIRST_SPREAD = 10 };

/* Somewhere within `span` after the overlap. */
static time_ms first_within(const struct policy *policy, const char *account_id, time_ms adopted_at,
                            duration_ms span)
{
    const struct policy windows = schedule_without_freezes(policy);
    const duration_ms offset =
        span > 0 ? (duration_ms)schedule_hash(account_id, "first", (uint64_t)span) : 0;

    return schedule_start(&windows, account_id,
                          time_add(adopted_at, time_add(policy->overlap, offset)));
}

time_ms schedule_first(const struct policy *policy, const char *account_id, time_ms adopted_at,
                       time_ms by)
{
    const duration_ms span = policy->rotate_every - policy->overlap;
    const time_ms first = first_within(policy, account_id, adopted_at, span);
    /* schedule_start() adds the splay. */
    const duration_ms least = policy->rotate_every / FIRST_SPREAD - policy->splay;
    const duration_ms left =
        time_max(time_between(time_add(adopted_at, policy->overlap), by), time_max(least, 0));

    if (left >= span)
        return first;
    return time_min(first, first_within(policy, account_id, adopted_at, left));
}

/* How much longer than rotate_every two rotations may lie apart without a key growing too old. */
static duration_ms reserve(const struct policy *policy, time_ms from)
{
    duration_ms most = policy->rotate_every / 4;
    duration_ms left = most;

    if (policy->max_key_age != 0)
        left = policy->max_key_age - schedule_worst_key_age(policy, from);
    if (left < 0)
        return 0;
    return left < most ? left : most;
}

time_ms schedule_next_planned(const struct policy *policy, time_ms planned, time_ms completed_at)
{
    time_ms earliest = time_add(completed_at, policy->overlap);
    time_ms latest = time_add(completed_at, policy->rotate_every);
    duration_ms room;
    time_ms next;

    if (completed_at < planned)
        latest = time_add(latest, reserve(policy, completed_at));
    room = latest - planned;
    next = time_add(planned, (room / policy->rotate_every - (room % policy->rotate_every < 0)) *
                                 policy->rotate_every);
    return next > earliest ? next : earliest;
}

duration_ms schedule_rotate_every_for(duration_ms max_key_age)
{
    return max_key_age / 9 * 4 + max_key_age % 9 * 4 / 9;
}

duration_ms schedule_worst_key_age(const struct policy *policy, time_ms from)
{
    duration_ms wait = schedule_longest_wait(policy, from);

    return time_add(2 * policy->rotate_every + policy->splay, wait);
}
