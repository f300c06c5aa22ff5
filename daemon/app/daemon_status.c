#include "app/daemon_state.h"

#include "base/str.h"
#include "core/reason.h"

/* The STATUS line of the service is kept fresh between the hourly log lines; the first time soon
 * after the start, when most accounts have been looked at. */
enum {
    STATUS_TICK_MS = 10 * 1000,
    STATUS_FIRST_TICK_MS = 2 * 1000,
    UNWELL_TEXT_MAX = 1000,
    STATUS_TEXT_MAX = 300
};

/* "group/a, group/b and 3 more"; "" where all are well. */
static void name_unwell(const struct engine_totals *totals, struct buf *out)
{
    size_t named = totals->unwell < ENGINE_UNWELL_NAMED ? totals->unwell : ENGINE_UNWELL_NAMED;

    for (size_t i = 0; i < named; i++)
        buf_append_format(out, "%s%s/%s", i > 0 ? ", " : "",
                          totals->unwell_named[i]->resource_group, totals->unwell_named[i]->name);
    if (totals->unwell > named)
        buf_append_format(out, " and %zu more", totals->unwell - named);
}

static void log_status(struct daemon *daemon, const struct engine_totals *totals)
{
    const struct loop_lag lag = loop_take_lag(daemon->loop);
    time_ms now = loop_now(daemon->loop);
    size_t troubled = totals->by_state[STATE_BLOCKED] + totals->overdue + totals->at_risk;
    struct log_line line;
    struct buf unwell;

    buf_init(&unwell, UNWELL_TEXT_MAX);
    name_unwell(totals, &unwell);
    log_line_start(&line, now, troubled > 0 ? LEVEL_WARNING : LEVEL_INFO, "daemon.status",
                   "%zu %s: %zu ok, %zu rotating, %zu retrying, %zu held, %zu blocked, %zu "
                   "adopting; %zu overdue, %zu with consumers at risk",
                   totals->accounts, str_plural(totals->accounts, "account", "accounts"),
                   totals->by_state[STATE_OK], totals->by_state[STATE_ROTATING],
                   totals->by_state[STATE_RETRYING], totals->by_state[STATE_HELD],
                   totals->by_state[STATE_BLOCKED], totals->by_state[STATE_ADOPTING],
                   totals->overdue, totals->at_risk);
    log_line_number(&line, "accounts", (int64_t)totals->accounts);
    for (int state = 0; state < STATE_COUNT; state++)
        log_line_number(&line, account_state_name((enum account_state)state),
                        (int64_t)totals->by_state[state]);
    log_line_number(&line, "frozen", (int64_t)totals->frozen);
    log_line_number(&line, "overdue", (int64_t)totals->overdue);
    log_line_number(&line, "at_risk", (int64_t)totals->at_risk);
    if (totals->oldest_key_born != TIME_NEVER) {
        log_line_number(&line, "oldest_key_age_s", (now - totals->oldest_key_born) / MS_SECOND);
        log_line_text(&line, "oldest_key_account", totals->oldest_key_account);
    }
    log_line_text(&line, "not_well", unwell.length > 0 ? buf_str(&unwell) : NULL);
    log_line_time(&line, "next_at", totals->next_at);
    log_line_number(&line, "loop_lag_ms", lag.longest);
    log_line_number(&line, "loop_own_lag_ms", lag.longest_own);
    log_emit(&daemon->log, &line);
    buf_done(&unwell);
}

/* "3 of 5 accounts are well; 1 retrying, 1 held, 0 late, …": states between well and blocked only
 * where there are such accounts. */
static void compose_status(const struct engine_totals *totals, char *out, size_t size)
{
    static const enum account_state between[] = {STATE_ADOPTING, STATE_RETRYING, STATE_HELD};
    struct buf text;

    buf_init(&text, STATUS_TEXT_MAX);
    buf_append_format(&text, "%zu of %zu accounts are well; ", totals->accounts - totals->unwell,
                      totals->accounts);
    for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++)
        if (totals->by_state[between[i]] > 0)
            buf_append_format(&text, "%zu %s, ", totals->by_state[between[i]],
                              account_state_name(between[i]));
    buf_append_format(&text, "%zu late, %zu blocked, %zu with consumers at risk", totals->overdue,
                      totals->by_state[STATE_BLOCKED], totals->at_risk);
    (void)str_copy(out, size, buf_str(&text));
    buf_done(&text);
}

static void on_status_timer(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, status_timer);
    time_ms now = loop_now(daemon->loop);
    duration_ms every = daemon->config->status_every;
    duration_ms tick = STATUS_TICK_MS;
    struct engine_totals totals;
    char text[STATUS_TEXT_MAX];

    if (daemon->stopping)
        return;
    engine_totals(daemon->engine, &totals);
    compose_status(&totals, text, sizeof(text));
    notify_status(daemon->notify, text);
    if (now - daemon->status_logged_at >= every || now < daemon->status_logged_at) {
        daemon->status_logged_at = now;
        log_status(daemon, &totals);
    }
    if (now - daemon->started_at < STATUS_FIRST_TICK_MS)
        tick = STATUS_FIRST_TICK_MS;
    timer_set_delay(timer, every < tick ? every : tick);
}

void daemon_status_init(struct daemon *daemon)
{
    timer_init(daemon->loop, &daemon->status_timer, on_status_timer);
}

void daemon_status_start(struct daemon *daemon)
{
    daemon->status_logged_at = loop_now(daemon->loop);
    on_status_timer(&daemon->status_timer);
}
