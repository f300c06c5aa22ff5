#include "app/options.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/daemon_state.h"
#include "app/engine.h"
#include "base/fs.h"
#include "base/must.h"
#include "base/str.h"
#include "io/sandbox/privileges.h"
#include "io/sandbox/process.h"
#include "io/sandbox/syscall_filter.h"

enum { ONCE_TICK_MS = 100 };

/* Freed when memory is out, so that the log can report it. */
enum { RESERVE_BYTES = 64 * 1024 };

static void say(struct daemon *daemon, enum log_level level, const char *event, const char *text)
{
    struct log_line line;

    log_line_start(&line, time_wall(), level, event, "%s", text);
    log_emit(&daemon->log, &line);
}

/* The start fails, with that exit status. */
static bool fail_start(struct daemon *daemon, enum exit_status status, const char *event,
                       const char *text)
{
    say(daemon, LEVEL_ERROR, event, text);
    daemon->status = status;
    return false;
}

/* The journal holds the last good step of every account, so stopping at once is safest. */
static _Noreturn void stop_at_once(struct daemon *daemon, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text), "stopping at once: %s", why);
    say(daemon, LEVEL_ERROR, "daemon.stopping", text);
    log_sink_free(daemon->sink);
    _exit(STATUS_INTERNAL);
}

/* An invariant does not hold. */
static void on_fault(void *context, const char *what)
{
    char text[200];

    snprintf(text, sizeof(text), "%s. The journal is safe; please report this", what);
    stop_at_once(context, text);
}

/* Another thread cannot write to the log; fault_out_of_memory() writes to stderr. */
static void on_out_of_memory(void *context)
{
    struct daemon *daemon = context;

    if (!daemon->sink || !pthread_equal(pthread_self(), daemon->thread))
        return;
    free(daemon->reserve);
    stop_at_once(daemon,
                 "out of memory. The journal is safe, and the next start goes on from it; "
                 "give the service more memory");
}

static void reload(struct daemon *daemon)
{
    struct buf report;

    buf_init(&report, CONTROL_BODY_MAX);
    daemon_reload(daemon, &report);
    buf_done(&report);
}

static void on_signal(void *context, int signal_number)
{
    struct daemon *daemon = context;

    if (signal_number != SIGHUP)
        daemon_stop(daemon);
    else if (!daemon->stopping)
        reload(daemon);
}

static void on_clock_jumped(void *context, duration_ms jump, duration_ms suspended)
{
    struct daemon *daemon = context;
    duration_ms set = jump - suspended; /* the time asleep has really passed */
    char by[DURATION_TEXT_MAX], slept[DURATION_TEXT_MAX];
    struct log_line line;

    log_line_start(&line, loop_now(daemon->loop), LEVEL_WARNING, "clock.jumped",
                   "the wall clock was set by %s%s; the machine slept for %s", set < 0 ? "-" : "",
                   duration_to_words(set < 0 ? -set : set, by),
                   duration_to_words(suspended, slept));
    log_line_number(&line, "jump_ms", set);
    log_line_number(&line, "suspended_ms", suspended);
    log_emit(&daemon->log, &line);
    if (daemon->stopping)
        return;
    engine_clock_jumped(daemon->engine, set);
    discovery_clock_jumped(daemon->discovery, set);
}

static void on_once_timer(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, once_timer);
    enum engine_progress progress = engine_progress(daemon->engine);
    bool unlisted;

    if (daemon->stopping)
        return;
    if (daemon->cloud.holds_engine || !discovery_is_settled(daemon->discovery, &unlisted))
        progress = ENGINE_WORKING;
    else if (unlisted && progress == ENGINE_DONE)
        progress = ENGINE_STUCK;
    if (progress == ENGINE_WORKING && time_boot() < daemon->once_ends_at) {
        timer_set_delay(timer, ONCE_TICK_MS);
        return;
    }
    daemon->status = progress == ENGINE_DONE ? STATUS_OK : STATUS_UNDONE;
    if (daemon->status == STATUS_UNDONE)
        engine_log_undone(daemon->engine);
    daemon_metrics_write(daemon);
    daemon_stop(daemon);
}

/* --- starting, in the order of need --- */

/* Writes the messages unchanged for a person at a terminal, and as an event for a log. */
static void log_rejected(struct daemon *daemon, const struct config_messages *messages)
{
    const struct options *options = daemon->options;

    if (options->has_log_format || log_sink_is_journal())
        daemon->sink = log_sink_new(&daemon->log,
                                    options->has_log_format ? options->log_format : LOG_FORMAT_AUTO,
                                    options->has_log_level ? options->log_level : LEVEL_INFO);
    if (daemon->sink)
        daemon_log_config(daemon, NULL, messages);
    else
        log_say_to_stderr(buf_str(&messages->text));
}

static bool load_config(struct daemon *daemon)
{
    struct config_environment environment;
    struct config_messages messages;

    environment_read(&environment);
    config_messages_init(&messages);
    daemon->config = config_load(daemon->options->config_path, &environment, &messages);
    if (daemon->config) {
        daemon->first_config = config_ref(daemon->config);
        daemon->sink = log_sink_new(&daemon->log,
                                    daemon->options->has_log_format ? daemon->options->log_format
                                                                    : daemon->config->log_format,
                                    daemon->options->has_log_level ? daemon->options->log_level
                                                                   : daemon->config->log_level);
        daemon_log_config(daemon, daemon->config, &messages);
        daemon->config_loaded_at = time_wall();
    } else {
        log_rejected(daemon, &messages);
    }
    config_messages_done(&messages);
    if (!daemon->config)
        daemon->status = STATUS_CONFIG;
    return !!daemon->config;
}

/* The filter is applied while there is one thread, and all that may wait for a disk or a socket
 * comes after the start of the log's thread. A sandbox that forbids the filter is tighter than it.
 */
static bool start_log(struct daemon *daemon)
{
    (void)syscall_filter_apply(&daemon->no_filter);
    if (log_sink_start(daemon->sink) == 0)
        return true;
    return fail_start(daemon, STATUS_INTERNAL, "daemon.stopping",
                      "no thread can be started for the log");
}

static bool open_journal(struct daemon *daemon)
{
    struct err err = {0};

    switch (
        store_open(daemon->loop, &daemon->log, daemon->config->state_dir, &daemon->store, &err)) {
    case STORE_OPENED:
        return true;
    case STORE_CREATED:
        say(daemon, LEVEL_NOTICE, "journal.created",
            "no journal was found: a new one was created, and every account is adopted");
        return true;
    case STORE_BUSY:
        return fail_start(daemon, STATUS_BUSY, "journal.failed", err.text);
    case STORE_UNUSABLE:
        break;
    }
    return fail_start(daemon, STATUS_STATE, "journal.failed", err.text);
}

/* What rules have found before is under care from the start, whether Azure can be reached or not.
 */
static bool start_discovery(struct daemon *daemon)
{
    const struct discovery_client_parts parts = {
        .get = {.loop = daemon->loop, .http = daemon->http, .access = daemon->access},
        .log = &daemon->log,
        .store = daemon->store,
        .apply = daemon_apply_found,
        .context = daemon,
    };
    struct config *config = NULL;
    struct err err = {0};

    daemon->discovery = discovery_new(&parts);
    if (discovery_load(daemon->discovery, &err) != 0)
        return fail_start(daemon, STATUS_STATE, "journal.failed", err.text);
    if (daemon->config->rule_count == 0)
        return true;
    config = discovery_expand(daemon->discovery, daemon->config, &err);
    if (!config)
        return fail_start(daemon, STATUS_CONFIG, "config.rejected", err.text);
    config_unref(daemon->config);
    daemon->config = config;
    access_set_config(daemon->access, daemon->config);
    azure_set_config(daemon->azure, daemon->config);
    return true;
}

static bool start_clients(struct daemon *daemon)
{
    struct http_options options;
    struct secret *password;
    struct err err = {0};
    struct engine_parts parts;

    if (daemon_http_options(daemon->config, &options, &password, &err) == 0)
        daemon->http = http_new(daemon->loop, &options, &err);
    secret_free(password);
    if (!daemon->http)
        return fail_start(daemon, STATUS_CONFIG, "config.rejected", err.text);
    daemon->access = access_new(daemon->loop, daemon->http, &daemon->log, time_boot);
    daemon->azure =
        azure_new(daemon->loop, daemon->http, daemon->access, store_fingerprint, daemon->store);
    parts = (struct engine_parts){
        .loop = daemon->loop,
        .log = &daemon->log,
        .store = daemon->store,
        .azure = daemon->azure,
        .http = daemon->http,
        .access = daemon->access,
        .spawner = daemon->spawner,
        .credentials_directory = getenv("CREDENTIALS_DIRECTORY"),
        .control_socket = daemon->config->control_socket,
        .faulted = on_fault,
        .context = daemon,
    };
    daemon->engine = engine_new(&parts);
    daemon->notify = notify_new(daemon->loop);
    daemon->signals = signals_new(daemon->loop, on_signal, daemon);
    if (!daemon->signals)
        return fail_start(daemon, STATUS_INTERNAL, "daemon.stopping", "signals cannot be caught");
    token_cache_set_credentials_directory(daemon->access->tokens, getenv("CREDENTIALS_DIRECTORY"));
    token_cache_set_spawner(daemon->access->tokens, daemon->spawner);
    access_set_config(daemon->access, daemon->config);
    azure_set_config(daemon->azure, daemon->config);
    if (engine_load(daemon->engine, &err) != 0)
        return fail_start(daemon, STATUS_STATE, "journal.failed", err.text);
    return start_discovery(daemon);
}

/* The directory of the socket is systemd's RuntimeDirectory=; elsewhere it may have to be made. */
static int make_socket_directory(const char *socket_path, struct err *err)
{
    char *directory = must_dup(socket_path);
    char *slash = strrchr(directory, '/');
    int rc = 0;

    if (slash && slash != directory) {
        *slash = '\0';
        rc = fs_make_directory(directory, 0755, err);
    }
    free(directory);
    return rc;
}

/* The exit status when the control socket fails. STATUS_CONFIG stands for errors that a person must
 * correct; systemd does not restart the daemon after it. */
static enum exit_status status_without_control(int code)
{
    switch (code) {
    case -EADDRINUSE:
        return STATUS_BUSY;
    case -ENOSPC:
    case -EDQUOT:
    case -EIO:
        return STATUS_STATE;
    default:
        return STATUS_CONFIG;
    }
}

static bool fail_for_control(struct daemon *daemon, const struct err *err)
{
    const enum exit_status status = status_without_control(err->code);
    const char *socket = daemon->config->control_socket;
    char text[ERR_TEXT_MAX + 2 * PATH_MAX];

    if (status != STATUS_CONFIG)
        return fail_start(daemon, status, "daemon.stopping", err->text);
    snprintf(
        text, sizeof(text),
        "the control socket cannot be made: %s. Give the daemon's user a directory that it can "
        "write to at %.*s (in a container, mount a tmpfs there), or set control_socket to a "
        "place in another",
        err->text, (int)(strrchr(socket, '/') - socket), socket);
    return fail_start(daemon, status, "daemon.stopping", text);
}

static bool open_control(struct daemon *daemon)
{
    struct control_handler handler;
    struct err err = {0};

    /* A run by cron answers nobody, and must not take the socket from a daemon. */
    if (daemon->options->once)
        return true;
    daemon_answer(daemon, &handler);
    if (make_socket_directory(daemon->config->control_socket, &err) != 0 ||
        control_open(daemon->loop, daemon->config->control_socket, daemon->config->control_group,
                     &handler, NULL, &daemon->control, &err) != 0)
        return fail_for_control(daemon, &err);
    return true;
}

static void start_timers(struct daemon *daemon)
{
    daemon_status_init(daemon);
    daemon_history_init(daemon);
    daemon_metrics_init(daemon);
    daemon_stop_init(daemon);
    daemon_log_level_init(daemon);
    daemon_cloud_init(daemon, reload);
    freeze_watch_init(&daemon->freezes, daemon->loop, &daemon->log);
    timer_init(daemon->loop, &daemon->once_timer, on_once_timer);
}

/* `confinement` of daemon.started shows that the filter is missing; nothing else shows the others.
 */
static void log_gaps(struct daemon *daemon)
{
    const char *gap = http_global_gap();
    char missing[PRIVILEGES_TEXT_MAX];

    if (daemon->control && control_warning(daemon->control))
        say(daemon, LEVEL_WARNING, "daemon.started", control_warning(daemon->control));
    if (privileges_missing(missing))
        say(daemon, LEVEL_NOTICE, "daemon.started", missing);
    if (gap)
        say(daemon, LEVEL_NOTICE, "daemon.started", gap);
    if (spawner_problem(daemon->spawner))
        say(daemon, LEVEL_WARNING, "daemon.started", spawner_problem(daemon->spawner));
    if (daemon->no_filter.code != 0)
        say(daemon, LEVEL_DEBUG, "daemon.started", daemon->no_filter.text);
}

static void run(struct daemon *daemon)
{
    struct log_line line;

    daemon->started_at = loop_now(daemon->loop);
    log_line_start(&line, daemon->started_at, LEVEL_NOTICE, "daemon.started",
                   "keyrotated %s started with %zu %s", KEYROTATED_VERSION,
                   daemon->config->account_count,
                   str_plural(daemon->config->account_count, "account", "accounts"));
    log_line_text(&line, "state_dir", daemon->config->state_dir);
    log_line_text(&line, "confinement", daemon->no_filter.code == 0 ? "system calls" : "none");
    log_emit(&daemon->log, &line);
    log_gaps(daemon);
    notify_ready(daemon->notify);
    log_sink_watch(daemon->sink, daemon->loop);
    loop_watch_clock(daemon->loop, on_clock_jumped, daemon);
    daemon_cloud_start(daemon);
    freeze_watch_set(&daemon->freezes, daemon->config);
    daemon_status_start(daemon);
    daemon_history_start(daemon);
    daemon_metrics_follow(daemon);
    if (daemon->options->once) {
        daemon->once_ends_at = time_add(time_boot(), daemon->options->once_timeout);
        timer_set_delay(&daemon->once_timer, ONCE_TICK_MS);
    }
    loop_run(daemon->loop);
}

/* Nothing is under way that must be ended, so the kernel can clean up everything. */
static _Noreturn void give_up_start(struct daemon *daemon)
{
    log_sink_free(daemon->sink);
    _exit(daemon->status);
}

/* The spawner is forked before anything is read, and before there are threads. Without one, only
 * targets that run programs fail. */
static void start_loop(struct daemon *daemon, struct err *err)
{
    if (process_harden(err) != 0)
        return;
    (void)spawner_start(&daemon->spawner, NULL);
    if (http_global_init(err) == 0)
        daemon->loop = loop_new(err);
    if (daemon->loop && daemon->spawner)
        spawner_attach(daemon->spawner, daemon->loop);
}

int daemon_run(const struct options *options)
{
    struct daemon daemon = {.options = options,
                            .log = {.level = LEVEL_INFO},
                            .thread = pthread_self(),
                            .reserve = must_alloc(RESERVE_BYTES)};
    struct err err = {0};
    bool closed;

    fault_on_out_of_memory(on_out_of_memory, &daemon);
    start_loop(&daemon, &err);
    if (!daemon.loop) {
        char text[sizeof(err.text) + 16];

        snprintf(text, sizeof(text), "keyrotated: %s\n", err.text);
        log_say_to_stderr(text);
        return STATUS_INTERNAL;
    }
    if (!load_config(&daemon) || !start_log(&daemon))
        give_up_start(&daemon);
    start_timers(&daemon);
    if (!open_journal(&daemon) || !start_clients(&daemon) || !open_control(&daemon))
        give_up_start(&daemon);
    run(&daemon);
    closed = loop_free(daemon.loop);
    if (!closed) {
        say(&daemon, LEVEL_ERROR, "daemon.stopping", "a handle was left open");
        daemon.status = STATUS_INTERNAL;
    }
    log_sink_free(daemon.sink);
    config_unref(daemon.config);
    config_unref(daemon.first_config);
    http_global_done();
    fault_on_out_of_memory(NULL, NULL);
    free(daemon.reserve);
    return daemon.status;
}
