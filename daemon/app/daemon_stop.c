#include "app/daemon_state.h"

#include <unistd.h>

#include "base/str.h"
#include "io/loop/work.h"

/* How long requests in flight may take to end once we were told to stop. */
enum { STOP_GRACE_MS = 10 * 1000, STOP_AGAIN_MS = 1000 };

static void on_http_closed(void *context)
{
    struct daemon *daemon = context;

    daemon->http = NULL;
    if (daemon->hung || work_hanging(loop_workers(daemon->loop)) > 0) {
        /* Threads that hang cannot be ended, and the loop would run on for them. All is safe on
         * disk. */
        log_sink_free(daemon->sink);
        _exit(daemon->status);
    }
    notify_close(daemon->notify, NULL, NULL);
    daemon->notify = NULL;
    spawner_close(daemon->spawner);
    daemon->spawner = NULL;
    signals_close(daemon->signals);
    daemon->signals = NULL;
    timer_close(&daemon->status_timer, NULL);
    timer_close(&daemon->history_timer, NULL);
    timer_close(&daemon->metrics.timer, NULL);
    timer_close(&daemon->stop_timer, NULL);
    timer_close(&daemon->once_timer, NULL);
    timer_close(&daemon->log_level.timer, NULL);
    freeze_watch_close(&daemon->freezes);
    timer_close(&daemon->cloud.timer, NULL);
    loop_watch_clock(daemon->loop, NULL, NULL);
}

static void on_access_closed(void *context)
{
    struct daemon *daemon = context;

    daemon->access = NULL;
    http_close(daemon->http, on_http_closed, daemon);
}

static void on_store_closed(void *context, bool lost)
{
    struct daemon *daemon = context;

    daemon->store = NULL;
    discovery_free(daemon->discovery);
    daemon->discovery = NULL;
    if (lost && daemon->status == STATUS_OK)
        daemon->status = STATUS_STATE;
    access_close(daemon->access, on_access_closed, daemon);
}

static void close_store(struct daemon *daemon)
{
    daemon->hung = engine_is_hung(daemon->engine);
    if (!daemon->hung)
        engine_free(daemon->engine);
    daemon->engine = NULL;
    store_close(daemon->store, on_store_closed, daemon);
}

static void on_azure_closed(void *context)
{
    struct daemon *daemon = context;

    daemon->azure = NULL;
    close_store(daemon);
}

static void close_azure(struct daemon *daemon)
{
    if (daemon->azure_closed) {
        close_store(daemon);
        return;
    }
    daemon->azure_closed = true;
    azure_close(daemon->azure, on_azure_closed, daemon);
}

static void on_control_closed(void *context)
{
    struct daemon *daemon = context;

    daemon->control = NULL;
    close_azure(daemon);
}

static void on_engine_stopped(void *context)
{
    struct daemon *daemon = context;

    timer_stop(&daemon->stop_timer);
    if (daemon->journal_given_up)
        return; /* the last attempt succeeded after all; on_journal_given_up() ends it */
    if (daemon->control)
        control_close(daemon->control, on_control_closed, daemon);
    else
        close_azure(daemon);
}

/* The grace is over: requests in flight are abandoned. The journal knows where each account stands.
 * The calls complete as canceled, and the engine then reports that it is quiet. */
static void on_azure_given_up(void *context)
{
    struct daemon *daemon = context;

    daemon->azure = NULL;
}

static void give_up_requests(struct daemon *daemon)
{
    if (daemon->azure_closed || !daemon->azure)
        return;
    daemon->azure_closed = true;
    engine_give_up(daemon->engine);
    azure_close(daemon->azure, on_azure_given_up, daemon);
}

static void on_journal_given_up(void *context, bool lost)
{
    struct daemon *daemon = context;

    (void)lost;
    /* The engine would wait for ever for records to become durable. */
    log_sink_free(daemon->sink);
    _exit(STATUS_STATE);
}

/* A journal that cannot be written would keep the engine from ever being quiet. Closing it makes
 * one more attempt; the next start finds out by a look what could not be written. */
static void give_up_journal(struct daemon *daemon)
{
    if (!daemon->store || daemon->journal_given_up || store_failing(daemon->store, NULL) == 0)
        return;
    daemon->journal_given_up = true;
    store_close(daemon->store, on_journal_given_up, daemon);
}

static void on_stop_timer(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, stop_timer);

    give_up_requests(daemon);
    give_up_journal(daemon);
    timer_set_delay(timer, STOP_AGAIN_MS);
}

void daemon_stop_init(struct daemon *daemon)
{
    timer_init(daemon->loop, &daemon->stop_timer, on_stop_timer);
}

void daemon_stop(struct daemon *daemon)
{
    const unsigned requests = http_in_flight(daemon->http);
    struct log_line line;

    if (daemon->stopping) {
        give_up_requests(daemon);
        give_up_journal(daemon);
        return;
    }
    daemon->stopping = true;
    daemon_metrics_stop(daemon);
    log_sink_unwatch(daemon->sink);
    log_line_start(&line, loop_now(daemon->loop), LEVEL_NOTICE, "daemon.stopping",
                   "stopping: nothing new is started; %u %s in flight may still complete", requests,
                   str_plural(requests, "request", "requests"));
    log_emit(&daemon->log, &line);
    notify_stopping(daemon->notify);
    timer_set_delay(&daemon->stop_timer, STOP_GRACE_MS);
    discovery_stop(daemon->discovery);
    engine_stop(daemon->engine, on_engine_stopped, daemon);
}
