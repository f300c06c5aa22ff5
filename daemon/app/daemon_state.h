/*
 * Inside the daemon: what the files that implement app/daemon.h share.
 */
#ifndef KEYROTATED_APP_DAEMON_STATE_H
#define KEYROTATED_APP_DAEMON_STATE_H

#include <pthread.h>

#include "app/daemon.h"
#include "app/engine.h"
#include "io/azure/azure.h"
#include "io/server/control.h"
#include "io/http/http.h"
#include "io/log/sink.h"
#include "io/loop/notify.h"
#include "io/loop/signals.h"
#include "io/store/store.h"

/* How long requests in flight may take to end once we were told to stop. */
enum { STOP_GRACE_MS = 10 * 1000 };

struct daemon {
    const struct options *options;
    struct config *config;
    struct config *first_config; /* what the process was started with */
    pthread_t thread;            /* of the loop */
    void *reserve;               /* memory */
    struct log log;
    struct log_sink *sink;
    struct err no_filter; /* why system calls are not filtered; code 0: they are */
    struct loop *loop;
    struct store *store;
    bool journal_created;
    struct http *http;
    struct access *access;
    struct azure *azure;
    struct engine *engine;
    struct control *control;
    struct notify *notify;
    struct signals *signals;
    struct timer status_timer;
    struct timer stop_timer;
    struct timer once_timer;
    bool timers_open;
    time_ms started_at;
    time_ms config_loaded_at;
    time_ms status_logged_at;
    time_ms once_ends_at;
    char config_error[300]; /* why the last reload was refused; "" if it was not */
    bool stopping;
    bool azure_closed;
    bool journal_given_up; /* it could not be written when the grace was over */
    bool hung;             /* a thread hangs in a dead file system */
    int status;            /* the exit status */
};

/* --- daemon_reload.c --- */
/* Reads the configuration again, all or nothing. Appends the messages to `report`. False: the old
 * one stays. */
bool daemon_reload(struct daemon *daemon, struct buf *report);
/* What daemon_reload() would say and change, with nothing changed. False: it would be refused. */
bool daemon_reload_preview(struct daemon *daemon, struct buf *report);
/* Logs what config_load() had to say, as config.loaded or config.rejected. */
void daemon_log_config(struct daemon *daemon, const struct config *config,
                       const struct config_messages *messages);
struct http_options daemon_http_options(const struct config *config);

/* --- daemon_status.c --- */
void daemon_start_status(struct daemon *daemon);
void on_status_timer(struct timer *timer);

/* --- daemon_control.c --- */
void daemon_answer(struct daemon *daemon, struct control_handler *handler);

/* --- commands that the daemon carries out; each answers by control_answer() --- */
#define MACHINE(name)
#define HOLDS(name)
#define DAEMON(name)                                                                               \
    void daemon_command_##name(struct daemon *, const struct control_command *,                    \
                               struct control_request *);
#define ROW(NAME, name, CARRIER, ...) CARRIER(name)
COMMAND_LIST(ROW)
#undef ROW
#undef DAEMON
#undef HOLDS
#undef MACHINE

/* --- daemon_stop.c --- */
/* Takes everything down; the loop ends when all is closed. Again: without the grace. */
void daemon_stop(struct daemon *daemon);
void on_stop_timer(struct timer *timer);

#endif
