/*
 * The state of the daemon, shared by its files.
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

#endif
