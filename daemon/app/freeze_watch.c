#include "app/freeze_watch.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"
#include "core/schedule.h"

enum { POLICIES_TEXT_MAX = 1000 };

/* --- what is in force --- */

static bool is_same(const struct freeze *freeze, time_ms from, time_ms to, const char *reason)
{
    return freeze->from == from && freeze->to == to && str_equal(freeze->reason, reason);
}

static bool policy_has(const struct policy *policy, const struct freeze *freeze)
{
    for (size_t i = 0; i < policy->freeze_count; i++)
        if (is_same(freeze, policy->freezes[i].from, policy->freezes[i].to,
                    policy->freezes[i].reason))
            return true;
    return false;
}

/* The names of the policies that it applies to. */
static char *name_policies(const struct config *config, const struct freeze *freeze)
{
    struct buf text;
    size_t count = 0;
    char *names;

    buf_init(&text, POLICIES_TEXT_MAX);
    for (size_t i = 0; i < config->policy_count; i++) {
        if (!policy_has(&config->policies[i], freeze))
            continue;
        (void)buf_append_format(&text, "%s%s", count > 0 ? ", " : "", config->policy_names[i]);
        count++;
    }
    names = must_dup(count == config->policy_count ? "all" : buf_str(&text));
    buf_done(&text);
    return names;
}

static struct freeze freeze_of(const struct freeze_told *told)
{
    return (struct freeze){.from = told->from, .to = told->to, .reason = told->reason};
}

static struct freeze_told *find_told(const struct freeze_watch *watch, const struct freeze *freeze)
{
    for (size_t i = 0; i < watch->told_count; i++)
        if (is_same(freeze, watch->told[i].from, watch->told[i].to, watch->told[i].reason))
            return &watch->told[i];
    return NULL;
}

static bool is_in_force(const struct config *config, const struct freeze_told *told, time_ms now)
{
    const struct freeze freeze = freeze_of(told);

    for (size_t i = 0; i < config->policy_count; i++)
        if (policy_has(&config->policies[i], &freeze))
            return told->from <= now && now < told->to;
    return false;
}

/* --- telling --- */

static void start_line(struct log_line *line, const struct freeze_told *told, time_ms now,
                       const char *event, const char *sentence)
{
    char to[DATE_TEXT_MAX];

    log_line_start(line, now, LEVEL_NOTICE, event, "%s%s%s (policies: %s; until %s)", sentence,
                   told->reason ? ": " : "", told->reason ? told->reason : "", told->policies,
                   date_to_rfc3339(told->to, to));
    log_line_text(line, "policies", told->policies);
    log_line_text(line, "freeze_reason", told->reason);
    log_line_time(line, "since", told->from);
    log_line_time(line, "until", told->to);
}

static void tell(const struct freeze_watch *watch, const struct freeze_told *told, time_ms now,
                 const char *event, const char *sentence)
{
    struct log_line line;

    start_line(&line, told, now, event, sentence);
    log_emit(watch->log, &line);
}

static void free_told(struct freeze_told *told)
{
    free(told->reason);
    free(told->policies);
}

/* Are rotations that it kept from starting kept from it by another one? */
static bool is_frozen_still(const struct config *config, const struct freeze_told *told,
                            time_ms now)
{
    const struct freeze freeze = freeze_of(told);
    const bool removed = now < told->to; /* which policies it had is not known any more */

    for (size_t i = 0; i < config->policy_count; i++)
        if ((removed || policy_has(&config->policies[i], &freeze)) &&
            schedule_freeze(&config->policies[i], now))
            return true;
    return false;
}

static const char *end_sentence(const struct freeze_watch *watch, const struct freeze_told *told,
                                time_ms now)
{
    const bool frozen = is_frozen_still(watch->config, told, now);

    if (now < told->to)
        return frozen ? "a change freeze is no longer in the configuration; another one is in force"
                      : "a change freeze is no longer in the configuration, and rotations are "
                        "started again";
    return frozen ? "a change freeze is over; another one is in force"
                  : "a change freeze is over, and rotations are started again";
}

/* The freeze of the same times that has taken its place: one that has not been told of. NULL: none,
 * or it is there itself. */
static const struct freeze *find_successor(const struct freeze_watch *watch,
                                           const struct freeze_told *told)
{
    const struct config *config = watch->config;
    const struct freeze before = freeze_of(told);
    const struct freeze *found = NULL;

    for (size_t i = 0; i < config->policy_count; i++) {
        const struct policy *policy = &config->policies[i];

        if (policy_has(policy, &before))
            return NULL;
        for (size_t f = 0; !found && f < policy->freeze_count; f++) {
            const struct freeze *freeze = &policy->freezes[f];

            if (freeze->from == told->from && freeze->to == told->to && !find_told(watch, freeze))
                found = freeze;
        }
    }
    return found;
}

static void tell_change(const struct freeze_watch *watch, const struct freeze_told *before,
                        const struct freeze_told *after, time_ms now)
{
    struct log_line line;

    start_line(&line, after, now, "freeze.changed", "a change freeze that is in force has changed");
    if (!str_equal(before->policies, after->policies))
        log_line_text(&line, "policies_before", before->policies);
    if (!str_equal(before->reason, after->reason))
        log_line_text(&line, "freeze_reason_before", before->reason);
    log_emit(watch->log, &line);
}

/* Takes over, and tells, the reason and the policies that a reload has given it. */
static void follow_change(const struct freeze_watch *watch, struct freeze_told *told, time_ms now)
{
    const struct freeze *successor = find_successor(watch, told);
    const struct freeze freeze = successor ? *successor : freeze_of(told);
    struct freeze_told after = {.from = freeze.from,
                                .to = freeze.to,
                                .reason = must_dup(freeze.reason),
                                .policies = name_policies(watch->config, &freeze)};

    if (!is_in_force(watch->config, &after, now) ||
        (str_equal(after.reason, told->reason) && str_equal(after.policies, told->policies))) {
        free_told(&after);
        return;
    }
    tell_change(watch, told, &after, now);
    free_told(told);
    *told = after;
}

static void review_told(struct freeze_watch *watch, time_ms now)
{
    size_t kept = 0;

    for (size_t i = 0; i < watch->told_count; i++) {
        struct freeze_told *told = &watch->told[i];

        follow_change(watch, told, now);
        if (is_in_force(watch->config, told, now)) {
            watch->told[kept++] = *told;
            continue;
        }
        tell(watch, told, now, "freeze.ended", end_sentence(watch, told, now));
        free_told(told);
    }
    watch->told_count = kept;
}

static void begin_told(struct freeze_watch *watch, const struct freeze *freeze, time_ms now)
{
    struct freeze_told *told;

    if (freeze->from > now || freeze->to <= now || find_told(watch, freeze))
        return;
    watch->told = must(reallocarray(watch->told, watch->told_count + 1, sizeof(*watch->told)));
    told = &watch->told[watch->told_count++];
    *told = (struct freeze_told){.from = freeze->from,
                                 .to = freeze->to,
                                 .reason = must_dup(freeze->reason),
                                 .policies = name_policies(watch->config, freeze)};
    tell(watch, told, now, "freeze.started",
         "a change freeze is in force, and no rotation is started");
}

/* --- when --- */

static void look(struct freeze_watch *watch)
{
    const struct config *config = watch->config;
    const time_ms now = loop_now(watch->timer.loop);
    time_ms next = TIME_NEVER;

    review_told(watch, now);
    for (size_t i = 0; i < config->policy_count; i++) {
        const struct policy *policy = &config->policies[i];

        for (size_t f = 0; f < policy->freeze_count; f++)
            begin_told(watch, &policy->freezes[f], now);
        next = time_min(next, schedule_freeze_changes_at(policy, now));
    }
    timer_set(&watch->timer, next);
}

static void on_timer(struct timer *timer)
{
    look(container_of(timer, struct freeze_watch, timer));
}

void freeze_watch_init(struct freeze_watch *watch, struct loop *loop, struct log *log)
{
    *watch = (struct freeze_watch){.log = log};
    timer_init(loop, &watch->timer, on_timer);
}

void freeze_watch_set(struct freeze_watch *watch, struct config *config)
{
    struct config *before = watch->config;

    watch->config = config_ref(config);
    config_unref(before);
    look(watch);
}

void freeze_watch_close(struct freeze_watch *watch)
{
    timer_close(&watch->timer, NULL);
    for (size_t i = 0; i < watch->told_count; i++)
        free_told(&watch->told[i]);
    free(watch->told);
    config_unref(watch->config);
    watch->told = NULL;
    watch->told_count = 0;
    watch->config = NULL;
}
