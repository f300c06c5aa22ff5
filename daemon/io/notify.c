#include "io/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/str.h"

enum { STATUS_MAX = 512, US_PER_MS = 1000 };

struct notify {
    struct timer watchdog;
    duration_ms feed_every; /* 0: nobody watches */
    char status[STATUS_MAX];
    void (*closed)(void *context);
    void *closed_context;
};

/* sd_notify() itself does nothing without $NOTIFY_SOCKET. That it failed cannot be helped: systemd
 * notices what it misses. */

static void feed_watchdog(struct timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, watchdog);

    (void)sd_notify(0, "WATCHDOG=1");
    timer_set_delay(timer, notify->feed_every);
}

struct notify *notify_new(struct loop *loop)
{
    struct notify *notify = calloc(1, sizeof(*notify));
    uint64_t patience_us = 0;

    if (notify == NULL)
        return NULL;
    timer_init(loop, &notify->watchdog, feed_watchdog);
    if (sd_watchdog_enabled(0, &patience_us) > 0) {
        notify->feed_every = (duration_ms)(patience_us / US_PER_MS / 2);
        feed_watchdog(&notify->watchdog);
    }
    return notify;
}

static void on_timer_closed(struct timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, watchdog);
    void (*closed)(void *) = notify->closed;
    void *context = notify->closed_context;

    free(notify);
    if (closed != NULL)
        closed(context);
}

void notify_close(struct notify *notify, void (*closed)(void *context), void *context)
{
    notify->closed = closed;
    notify->closed_context = context;
    timer_close(&notify->watchdog, on_timer_closed);
}

void notify_ready(struct notify *notify)
{
    (void)notify;
    (void)sd_notify(0, "READY=1");
}

void notify_status(struct notify *notify, const char *status)
{
    char line[STATUS_MAX];

    (void)str_copy(line, sizeof(line), status);
    line[utf8_whole(line, strlen(line))] = '\0';
    /* A line break would start another assignment. */
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    if (strcmp(line, notify->status) == 0)
        return; /* systemd tells everybody who listens on the bus about every status it gets */
    (void)str_copy(notify->status, sizeof(notify->status), line);
    (void)sd_notifyf(0, "STATUS=%s", line);
}

void notify_reloading(struct notify *notify)
{
    struct timespec now;

    (void)notify;
    /* systemd tells by the time which READY=1 belongs to which reload (sd_notify(3)). */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                     (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(struct notify *notify)
{
    (void)notify;
    (void)sd_notify(0, "STOPPING=1");
}
