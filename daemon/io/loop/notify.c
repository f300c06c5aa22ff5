#include "io/loop/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "base/str.h"

enum { STATUS_MAX = 512, WAITING_MAX = 8, US_PER_MS = 1000, AGAIN_MS = 1000 };

static const char STATUS_MARK[] = "STATUS=";

struct notify {
    struct timer watchdog;
    struct timer again;
    duration_ms feed_every; /* 0: nobody watches */
    int fd;                 /* -1: nobody listens */
    struct sockaddr_un address;
    socklen_t address_length;
    char *waiting[WAITING_MAX]; /* messages to send when systemd accepts them again, in this
                                 * order */
    size_t waiting_count;
    char status[STATUS_MAX];
    void (*closed)(void *context);
    void *closed_context;
};

/* --- sending --- */

/* Sends without blocking; sd_notify() blocks when systemd does not read. Returns 0, or -EAGAIN when
 * systemd accepts nothing now. Other failures are ignored: systemd notices a missing message. */
static int send_now(const struct notify *notify, const char *message)
{
    ssize_t sent;

    if (notify->fd < 0)
        return 0;
    do {
        sent = sendto(notify->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
                      (const struct sockaddr *)&notify->address, notify->address_length);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 && errno == EAGAIN ? -EAGAIN : 0;
}

static void drop_waiting(struct notify *notify, size_t index)
{
    free(notify->waiting[index]);
    notify->waiting_count--;
    memmove(notify->waiting + index, notify->waiting + index + 1,
            (notify->waiting_count - index) * sizeof(notify->waiting[0]));
}

static void send_waiting(struct timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, again);

    while (notify->waiting_count > 0 && send_now(notify, notify->waiting[0]) == 0)
        drop_waiting(notify, 0);
    if (notify->waiting_count > 0)
        timer_set_delay(&notify->again, AGAIN_MS);
}

/* Queues the message. Only the newest STATUS line is kept. When the queue is full, the oldest other
 * message is dropped, because a later one supersedes it. */
static void send_later(struct notify *notify, const char *message)
{
    for (size_t i = 0; str_starts_with(message, STATUS_MARK) && i < notify->waiting_count; i++) {
        if (str_starts_with(notify->waiting[i], STATUS_MARK))
            drop_waiting(notify, i);
    }
    if (notify->waiting_count == WAITING_MAX)
        drop_waiting(notify, 0);
    notify->waiting[notify->waiting_count++] = must_dup(message);
    timer_set_delay(&notify->again, AGAIN_MS);
}

static void tell(struct notify *notify, const char *message)
{
    if (notify->waiting_count > 0 || send_now(notify, message) != 0)
        send_later(notify, message);
}

/* $NOTIFY_SOCKET: a path, or the name of an abstract socket behind "@" (sd_notify(3)). */
static void open_socket(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");

    notify->fd = -1;
    if (!name || (name[0] != '/' && name[0] != '@') ||
        !str_copy(notify->address.sun_path, sizeof(notify->address.sun_path), name))
        return;
    notify->address.sun_family = AF_UNIX;
    notify->address_length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] == '/'));
    if (name[0] == '@')
        notify->address.sun_path[0] = '\0';
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* --- messages --- */

/* A watchdog message that cannot be sent is dropped: while systemd reads no messages, it cannot
 * check the watchdog either. */
static void feed_watchdog(struct timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, watchdog);

    (void)send_now(notify, "WATCHDOG=1");
    timer_set_delay(timer, notify->feed_every);
}

struct notify *notify_new(struct loop *loop)
{
    struct notify *notify = must_alloc(sizeof(*notify));
    uint64_t patience_us = 0;

    open_socket(notify);
    timer_init(loop, &notify->watchdog, feed_watchdog);
    timer_init(loop, &notify->again, send_waiting);
    if (sd_watchdog_enabled(0, &patience_us) > 0) {
        notify->feed_every = (duration_ms)(patience_us / US_PER_MS / 2);
        feed_watchdog(&notify->watchdog);
    }
    return notify;
}

static void on_watchdog_closed(struct timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, watchdog);
    void (*closed)(void *) = notify->closed;
    void *context = notify->closed_context;

    while (notify->waiting_count > 0)
        free(notify->waiting[--notify->waiting_count]);
    if (notify->fd >= 0)
        close(notify->fd);
    free(notify);
    if (closed)
        closed(context);
}

static void on_again_closed(struct timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, again);

    timer_close(&notify->watchdog, on_watchdog_closed);
}

void notify_close(struct notify *notify, void (*closed)(void *context), void *context)
{
    notify->closed = closed;
    notify->closed_context = context;
    timer_close(&notify->again, on_again_closed);
}

void notify_ready(struct notify *notify)
{
    tell(notify, "READY=1");
}

void notify_status(struct notify *notify, const char *status)
{
    char line[STATUS_MAX], message[STATUS_MAX + sizeof(STATUS_MARK)];

    (void)str_copy(line, sizeof(line), status);
    line[utf8_whole(line, strlen(line))] = '\0';
    /* A line break would begin another assignment. */
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    if (strcmp(line, notify->status) == 0)
        return; /* systemd signals every status on the bus, even an unchanged one */
    (void)str_copy(notify->status, sizeof(notify->status), line);
    snprintf(message, sizeof(message), "%s%s", STATUS_MARK, line);
    tell(notify, message);
}

void notify_reloading(struct notify *notify)
{
    struct timespec now;
    char message[80];

    /* systemd uses the time to match a READY=1 with its reload (sd_notify(3)). */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    tell(notify, message);
}

void notify_stopping(struct notify *notify)
{
    tell(notify, "STOPPING=1");
}
