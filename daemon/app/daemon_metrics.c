#include "app/daemon_state.h"

#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "io/loop/file_write.h"

/* How often the file is written, and what cannot listen tries again. */
#define TICK      (15 * MS_SECOND)
#define PATIENCE  (10 * MS_SECOND)
#define FILE_MODE 0644

enum { STATUS_TEXT_MAX = 12, REQUEST_ROWS_MAX = 1024 };

/* --- the text --- */

/* The rows of requests, and the texts that they borrow. */
struct request_rows {
    struct metrics_requests rows[REQUEST_ROWS_MAX];
    char statuses[REQUEST_ROWS_MAX][STATUS_TEXT_MAX];
    size_t count;
    struct metrics_durations durations[HTTP_SERVICE_COUNT];
    size_t duration_count;
};

static void add_row(struct request_rows *rows, const char *service, const char *status,
                    uint64_t count)
{
    if (count > 0 && rows->count < REQUEST_ROWS_MAX)
        rows->rows[rows->count++] =
            (struct metrics_requests){.service = service, .status = status, .count = count};
}

static void add_service(struct request_rows *rows, const char *service,
                        const struct http_service_counts *counts)
{
    static const char *const outcomes[] = {[HTTP_ANSWERED] = "without",
                                           [HTTP_UNSENT] = "unsent",
                                           [HTTP_LOST] = "lost",
                                           [HTTP_CANCELED] = "canceled"};
    const size_t before = rows->count;

    for (int status = 0; status <= HTTP_STATUS_MAX && rows->count < REQUEST_ROWS_MAX; status++) {
        (void)snprintf(rows->statuses[rows->count], STATUS_TEXT_MAX, "%d", status);
        add_row(rows, service, rows->statuses[rows->count], counts->by_status[status]);
    }
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        add_row(rows, service, outcomes[i], counts->by_outcome[i]);
    if (rows->count > before)
        rows->durations[rows->duration_count++] =
            (struct metrics_durations){.service = service, .histogram = &counts->durations};
}

static struct request_rows *collect_requests(const struct http *http)
{
    struct request_rows *rows = must_alloc(sizeof(*rows));

    for (int service = 0; service < HTTP_SERVICE_COUNT; service++)
        add_service(rows, http_service_name((enum http_service)service),
                    &http_counts(http)->services[service]);
    return rows;
}

static int write_metrics(void *context, struct buf *out)
{
    struct daemon *daemon = context;
    struct rule_snapshot rules[CONTROL_RULES_MAX];
    struct daemon_snapshot snapshot;
    struct metrics_event events[METRICS_EVENTS_MAX];
    struct metrics_account *accounts;
    struct request_rows *requests = collect_requests(daemon->http);
    struct metrics metrics = {
        .daemon = &snapshot,
        .commits = store_commits(daemon->store),
        .saves_waiting = store_waiting(daemon->store),
        .requests_in_flight = http_in_flight(daemon->http),
        .requests = requests->rows,
        .request_count = requests->count,
        .durations = requests->durations,
        .duration_count = requests->duration_count,
        .turns = loop_turns(daemon->loop),
    };
    int rc;

    daemon_snapshot(daemon, rules, &snapshot);
    engine_fill_daemon(daemon->engine, &snapshot);
    engine_metrics(daemon->engine, daemon->config->metrics_accounts, &metrics, events, &accounts);
    rc = metrics_write(&metrics, out);
    free(accounts);
    free(requests);
    return rc;
}

static const char *trouble(void *context)
{
    struct daemon *daemon = context;
    const char *error = NULL;

    if (daemon->stopping)
        return "the daemon stops";
    if (daemon->cloud.holds_engine)
        return "the daemon has not been told yet where tokens come from";
    return store_failing(daemon->store, &error) != 0 ? error : NULL;
}

/* --- what fails --- */

static void log_failure(struct daemon *daemon, const char *what, const char *text,
                        const char *remedy)
{
    struct log_line line;

    log_line_start(&line, loop_now(daemon->loop), LEVEL_WARNING, "metrics.failed", "%s", text);
    log_line_text(&line, "remedy", remedy);
    log_line_lasts(&line, what);
    log_emit(&daemon->log, &line);
}

/* --- the server --- */

static const char *listen_remedy(int code)
{
    switch (code) {
    case -EADDRINUSE:
        return "see who listens there (`ss -ltnp`), and set another port with metrics.listen";
    case -EADDRNOTAVAIL:
        return "set metrics.listen to an address of this machine (`ip address`)";
    case -EACCES:
        return "set metrics.listen to a port from 1024 on";
    default:
        return "set metrics.listen to another address and port";
    }
}

static void on_server_closed(void *context)
{
    struct daemon *daemon = context;

    daemon->metrics.closing = false;
    if (!daemon->stopping)
        timer_set_delay(&daemon->metrics.timer, 0);
}

static void close_server(struct daemon *daemon)
{
    if (!daemon->metrics.server)
        return;
    daemon->metrics.closing = true;
    metrics_server_close(daemon->metrics.server, on_server_closed, daemon);
    daemon->metrics.server = NULL;
}

static void open_server(struct daemon *daemon)
{
    const struct metrics_handler handler = {
        .context = daemon, .write = write_metrics, .trouble = trouble};
    struct err err = {0};

    if (metrics_server_open(daemon->loop, daemon->config->metrics_listen, &handler,
                            &daemon->metrics.server, &err) == 0)
        log_ended(&daemon->log, loop_now(daemon->loop), "metrics.failed", "listen", false);
    else
        log_failure(daemon, "listen", err.text, listen_remedy(err.code));
}

/* A run by cron answers nobody. */
static void follow_listen(struct daemon *daemon)
{
    const char *listen = daemon->options->once ? NULL : daemon->config->metrics_listen;
    const struct metrics_server *server = daemon->metrics.server;

    if (!listen)
        log_ended(&daemon->log, loop_now(daemon->loop), "metrics.failed", "listen", true);
    if (server && (!listen || !str_equal(metrics_server_address(server), listen)))
        close_server(daemon);
    if (listen && !daemon->metrics.server && !daemon->metrics.closing)
        open_server(daemon);
}

/* --- the file --- */

static void on_written(void *context, const struct failure *failure)
{
    struct daemon *daemon = context;

    daemon->metrics.writing = false;
    if (failure)
        log_failure(daemon, "file", failure->text,
                    failure->remedy[0] != '\0'
                        ? failure->remedy
                        : "let the daemon's user write there (a unit: ReadWritePaths=), or set "
                          "metrics.file to another place");
    else
        log_ended(&daemon->log, loop_now(daemon->loop), "metrics.failed", "file", false);
}

void daemon_metrics_write(struct daemon *daemon)
{
    struct buf text;

    if (!daemon->config->metrics_file || daemon->metrics.writing)
        return;
    buf_init(&text, METRICS_MAX);
    daemon->metrics.writing = write_metrics(daemon, &text) == 0;
    if (daemon->metrics.writing)
        file_write_start(daemon->loop, daemon->config->metrics_file, &text, FILE_MODE, PATIENCE,
                         REASON_NONE, on_written, daemon);
    buf_done(&text);
}

/* --- as time goes by --- */

static void on_tick(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, metrics.timer);

    if (daemon->stopping)
        return;
    follow_listen(daemon);
    daemon_metrics_write(daemon);
    timer_set_delay(timer, TICK);
}

void daemon_metrics_init(struct daemon *daemon)
{
    timer_init(daemon->loop, &daemon->metrics.timer, on_tick);
}

void daemon_metrics_follow(struct daemon *daemon)
{
    on_tick(&daemon->metrics.timer);
}

void daemon_metrics_stop(struct daemon *daemon)
{
    timer_stop(&daemon->metrics.timer);
    close_server(daemon);
}
