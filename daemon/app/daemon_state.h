/*
 * The state of the daemon, and what its files do for each other. Private to app/daemon*.c and
 * app/answer*.c.
 */
#ifndef KEYROTATED_APP_DAEMON_STATE_H
#define KEYROTATED_APP_DAEMON_STATE_H

#include <pthread.h>

#include "app/discovery.h"
#include "app/engine.h"
#include "app/freeze_watch.h"
#include "app/options.h"
#include "io/azure/azure.h"
#include "io/server/control.h"
#include "io/server/metrics_server.h"
#include "io/http/http.h"
#include "io/log/sink.h"
#include "io/loop/notify.h"
#include "io/loop/signals.h"
#include "io/spawner/spawner.h"
#include "io/store/store.h"
#include "proto/cloud_metadata.h"

enum { DAEMON_ACTOR_MAX = 64 };

struct daemon {
    const struct options *options;
    struct config *config;       /* with the accounts that rules have found */
    struct config *first_config; /* what the process was started with */
    pthread_t thread;            /* of the loop */
    void *reserve;               /* memory */
    struct log log;
    struct log_sink *sink;
    struct err no_filter;    /* why system calls are not filtered; code 0: they are */
    struct spawner *spawner; /* NULL: no programs can be started */
    struct loop *loop;
    struct store *store;
    struct http *http;
    struct access *access;
    struct azure *azure;
    struct engine *engine;
    struct discovery_client *discovery;
    struct control *control;
    struct notify *notify;
    struct signals *signals;
    struct timer status_timer;
    struct timer history_timer;
    struct timer stop_timer;
    struct timer once_timer;
    struct freeze_watch freezes;
    struct {
        struct timer timer;
        time_ms until; /* TIME_NEVER: the configured level is in force */
        enum log_level level;
        char actor[DAEMON_ACTOR_MAX]; /* who changed it */
    } log_level;
    struct {
        struct timer timer;     /* of the next question */
        struct http_call *call; /* under way */
        unsigned form;          /* of the question */
        bool holds_engine; /* the engine gets its accounts once the first question is answered */
        char asked[CLOUD_METADATA_TEXT_MAX]; /* Resource Manager's URL, of the question under way */
        void (*changed)(struct daemon *daemon);
        unsigned failures; /* since the last answer */
        bool told;         /* `metadata` is what this process was told last */
        struct cloud_metadata metadata;
    } cloud;
    struct {
        struct timer timer;
        struct metrics_server *server; /* NULL: it does not listen */
        bool closing;                  /* the server before it */
        bool writing;                  /* the file */
    } metrics;
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

/*
 * --- daemon_reload.c ---
 *
 * The configuration, read again while the daemon runs.
 */

/* Reads the configuration again, all or nothing. Appends the messages to `report`. False: the old
 * one stays. */
bool daemon_reload(struct daemon *daemon, struct buf *report);
/* Reports what daemon_reload() would change, without changing it. Returns false when it would be
 * refused. */
bool daemon_reload_preview(struct daemon *daemon, struct buf *report);
/* Logs the messages of config_load(), as config.loaded or config.rejected. */
void daemon_log_config(struct daemon *daemon, const struct config *config,
                       const struct config_messages *messages);
/* Puts another set of found accounts in force: struct discovery_client_parts, `context` the daemon.
 */
void daemon_apply_found(void *context, struct config *config,
                        const struct engine_farewell *farewells, size_t count);
/* Of that configuration. The password for the proxy, read from its file, is the caller's; it is
 * lent to *options. Returns 0, or a negative errno with the cause and the remedy in err. */
int daemon_http_options(const struct config *config, struct http_options *options,
                        struct secret **ret_password, struct err *err);

/*
 * --- daemon_cloud.c ---
 *
 * With `cloud: {discover: true}`: asks the cloud's Resource Manager at the start, and once a day,
 * where tokens come from; applies the answer as a reload does, and keeps it in state_dir for starts
 * without a network. Until the first answer there are no tokens.
 */

/* Before anything closes daemon->cloud.timer. changed() is to read the configuration again. */
void daemon_cloud_init(struct daemon *daemon, void (*changed)(struct daemon *daemon));
/* At the start: gives the engine its accounts, now or after the first answer or failure. */
void daemon_cloud_start(struct daemon *daemon);
/* After each reload: asks now where the configuration in force lacks an answer. */
void daemon_cloud_follow(struct daemon *daemon);

/*
 * --- daemon_status.c ---
 *
 * Reports the state of all accounts at intervals: to the service manager (STATUS=) and as
 * daemon.status.
 */

/* Before anything closes daemon->status_timer. */
void daemon_status_init(struct daemon *daemon);
/* From the loop, now and then at intervals. */
void daemon_status_start(struct daemon *daemon);

/*
 * --- daemon_history.c ---
 *
 * Forgets history that is older than `history: {keep: …}`, bit by bit, of accounts that nobody
 * cares for any more, too.
 */

/* Before anything closes daemon->history_timer. */
void daemon_history_init(struct daemon *daemon);
/* With the journal open; now and then at intervals. */
void daemon_history_start(struct daemon *daemon);

/*
 * --- daemon_metrics.c ---
 *
 * Metrics for Prometheus, at `metrics.listen` and in `metrics.file`. What fails is logged and tried
 * again, and holds up nothing else.
 */

/* Before anything closes daemon->metrics.timer. */
void daemon_metrics_init(struct daemon *daemon);
/* At the start and after each reload: does as the configuration in force says, now and at
 * intervals. */
void daemon_metrics_follow(struct daemon *daemon);
/* Writes the file now, where there is one. */
void daemon_metrics_write(struct daemon *daemon);
/* Answers nobody any more. */
void daemon_metrics_stop(struct daemon *daemon);

/*
 * --- daemon_log_level.c ---
 *
 * A log level that an operator sets for a time.
 */

/* Before anything closes daemon->log_level.timer. */
void daemon_log_level_init(struct daemon *daemon);
/* Gives the log the format of that configuration, and its level unless another one is set. */
void daemon_log_configure(struct daemon *daemon, const struct config *config);
/* Fills in the members log_level… */
void daemon_log_level_snapshot(const struct daemon *daemon, struct daemon_snapshot *snapshot);

/*
 * --- daemon_stop.c ---
 *
 * Taking the daemon down. In order: nothing new is started and what is under way gets a grace;
 * then, with the engine quiet, the control socket, the Azure client, the journal and HTTP are
 * closed, each when the one before reports. The loop ends by itself when nothing is left to wait
 * for.
 */

/* Before daemon_stop(). */
void daemon_stop_init(struct daemon *daemon);
/* Takes everything down; the loop ends when all is closed. Again: without the grace. */
void daemon_stop(struct daemon *daemon);

/*
 * --- daemon_snapshot.c ---
 */

/* What the daemon knows of itself, and no more; `rules` has CONTROL_RULES_MAX rows. Texts are
 * borrowed until the loop goes on. */
void daemon_snapshot(struct daemon *daemon, struct rule_snapshot *rules,
                     struct daemon_snapshot *ret_snapshot);

/*
 * --- daemon_control.c ---
 *
 * The daemon's side of the control socket.
 */

/* The questions and commands that it answers, for control_open(). */
void daemon_answer(struct daemon *daemon, struct control_handler *handler);

/* Commands that the daemon itself carries out; each answers by control_answer(). */
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

#endif
