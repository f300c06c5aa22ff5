#include "app/daemon_state.h"

/* With so many rows at a time (STORE_PRUNE_PAGE), more goes than ten thousand accounts write. */
#define PRUNE_EVERY (10 * MS_MINUTE)

static void on_history_timer(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, history_timer);
    const duration_ms keep = daemon->config->history_keep;
    const time_ms now = loop_now(daemon->loop);

    if (daemon->stopping)
        return;
    if (store_failing(daemon->store, NULL) == 0)
        store_prune_history(daemon->store, now - keep, now);
    timer_set_delay(timer, time_min(keep, PRUNE_EVERY));
}

void daemon_history_init(struct daemon *daemon)
{
    timer_init(daemon->loop, &daemon->history_timer, on_history_timer);
}

void daemon_history_start(struct daemon *daemon)
{
    on_history_timer(&daemon->history_timer);
}
