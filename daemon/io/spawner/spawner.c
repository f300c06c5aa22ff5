#include "io/spawner/spawner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/must.h"
#include "io/spawner/spawner_link.h"
#include "io/spawner/spawner_process.h"

enum { PROBLEM_MAX = 128 };

struct spawner {
    int socket;
    pid_t pid;
    uv_poll_t poll;
    bool attached;
    uint64_t last_id;
    struct list waiting; /* tasks to be sent, in the order of the calls */
    struct list running;
    size_t running_count;
    size_t common_count;       /* of them: those without `uses_reserve` */
    char problem[PROBLEM_MAX]; /* "" while programs can be started */
};

int spawner_start(struct spawner **ret_spawner, struct err *err)
{
    struct spawner *spawner;
    int sockets[2];
    pid_t pid;

    *ret_spawner = NULL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return err_set_errno(err, errno,
                             "cannot make a socket for the process that starts programs");
    pid = _Fork();
    if (pid == 0) {
        (void)close(sockets[0]);
        spawner_process_run(sockets[1]);
    }
    (void)close(sockets[1]);
    if (pid < 0) {
        int rc = errno;

        (void)close(sockets[0]);
        return err_set_errno(err, rc, "cannot fork the process that starts programs");
    }
    spawner = must_alloc(sizeof(*spawner));
    spawner->socket = sockets[0];
    spawner->pid = pid;
    list_init(&spawner->waiting);
    list_init(&spawner->running);
    *ret_spawner = spawner;
    return 0;
}

const char *spawner_problem(const struct spawner *spawner)
{
    if (!spawner)
        return "the process that starts programs could not be started";
    return spawner->problem[0] ? spawner->problem : NULL;
}

/* --- ends --- */

static void close_descriptors(struct spawner_task *task)
{
    for (int i = 0; i < SPAWNER_DESCRIPTORS; i++)
        (void)close(task->descriptors[i]);
    buf_done(&task->message);
}

/* The socket keeps the loop running while a program runs. */
static void keep_loop(struct spawner *spawner)
{
    if (list_empty(&spawner->waiting) && list_empty(&spawner->running))
        uv_unref((uv_handle_t *)&spawner->poll);
    else
        uv_ref((uv_handle_t *)&spawner->poll);
}

static void end_task(struct spawner *spawner, struct spawner_task *task, enum program_end end,
                     int code)
{
    list_remove(&task->link);
    if (task->sent) {
        spawner->running_count--;
        spawner->common_count -= task->uses_reserve ? 0 : 1;
    } else {
        close_descriptors(task);
    }
    keep_loop(spawner);
    task->ended(task, end, code);
}

/* The process has closed its socket when it can be waited for, or does so in a moment. */
static void note_death(struct spawner *spawner)
{
    int status = 0;

    if (spawner->problem[0])
        return;
    (void)uv_poll_stop(&spawner->poll);
    (void)kill(spawner->pid, SIGKILL); /* where only the socket is broken */
    if (waitpid(spawner->pid, &status, 0) == spawner->pid && WIFSIGNALED(status))
        (void)snprintf(spawner->problem, sizeof(spawner->problem),
                       "the process that starts programs has been ended by signal %d (SIG%s)",
                       WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    else
        (void)snprintf(spawner->problem, sizeof(spawner->problem),
                       "the process that starts programs has ended");
    list_for_each (item, &spawner->running)
        end_task(spawner, container_of(item, struct spawner_task, link), PROGRAM_LOST, 0);
    list_for_each (item, &spawner->waiting)
        end_task(spawner, container_of(item, struct spawner_task, link), PROGRAM_NO_SPAWNER, 0);
}

static void take_report(struct spawner *spawner, const struct spawner_report *report)
{
    list_for_each (item, &spawner->running) {
        struct spawner_task *task = container_of(item, struct spawner_task, link);

        if (task->id != report->id)
            continue;
        end_task(spawner, task, (enum program_end)report->end, report->code);
        return;
    }
}

/* Returns false when the other end is closed. */
static bool take_reports(struct spawner *spawner)
{
    struct spawner_report report;
    ssize_t length;

    for (;;) {
        length = recv(spawner->socket, &report, sizeof(report), MSG_DONTWAIT);
        if (length == (ssize_t)sizeof(report))
            take_report(spawner, &report);
        else if (length >= 0 || (errno != EAGAIN && errno != EINTR))
            return false;
        else if (errno == EAGAIN)
            return true;
    }
}

/* --- orders --- */

/* 0, or a negative errno value; -EAGAIN when the socket is full. */
static int send_packet(struct spawner *spawner, const struct msghdr *header)
{
    ssize_t sent;

    do {
        sent = sendmsg(spawner->socket, header, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static int send_start(struct spawner *spawner, struct spawner_task *task)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(task->descriptors))];
    } control;
    struct iovec part = {.iov_base = task->message.data, .iov_len = task->message.length};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};

    memset(&control, 0, sizeof(control));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(task->descriptors));
    memcpy(CMSG_DATA(&control.header), task->descriptors, sizeof(task->descriptors));
    return send_packet(spawner, &header);
}

static int send_kill(struct spawner *spawner, const struct spawner_task *task)
{
    struct spawner_order order = {.verb = SPAWNER_VERB_KILL, .id = task->id};
    struct iovec part = {.iov_base = &order, .iov_len = sizeof(order)};
    const struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    return send_packet(spawner, &header);
}

/* All return false when the socket is full. */
static bool send_kills(struct spawner *spawner)
{
    list_for_each (item, &spawner->running) {
        struct spawner_task *task = container_of(item, struct spawner_task, link);

        if (task->kill_owed && send_kill(spawner, task) == -EAGAIN)
            return false;
        task->kill_owed = false;
    }
    return true;
}

static bool has_room(const struct spawner *spawner, const struct spawner_task *task)
{
    enum { COMMON_MAX = SPAWNER_PROGRAMS_MAX - SPAWNER_RESERVE };
    size_t alike = 0;

    if (spawner->running_count >= SPAWNER_PROGRAMS_MAX)
        return false;
    if (task->uses_reserve || spawner->common_count < COMMON_MAX / 2)
        return true;
    if (spawner->common_count >= COMMON_MAX)
        return false;
    list_for_each_entry (other, &spawner->running, const struct spawner_task, link)
        alike += other->program == task->program ? 1 : 0;
    return alike < SPAWNER_CROWD;
}

static bool send_starts(struct spawner *spawner)
{
    list_for_each (item, &spawner->waiting) {
        struct spawner_task *task = container_of(item, struct spawner_task, link);
        int rc;

        if (!has_room(spawner, task))
            continue;
        rc = send_start(spawner, task);
        if (rc == -EAGAIN)
            return false;
        if (rc == -EPIPE || rc == -ECONNRESET)
            return true; /* its end is about to be noticed */
        if (rc != 0) {
            end_task(spawner, task, PROGRAM_NOT_STARTED, -rc);
            continue;
        }
        close_descriptors(task);
        task->sent = true;
        spawner->running_count++;
        spawner->common_count += task->uses_reserve ? 0 : 1;
        list_remove(&task->link);
        list_append(&spawner->running, &task->link);
        task->started(task);
    }
    return true;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void send_all(struct spawner *spawner)
{
    const bool all = send_kills(spawner) && send_starts(spawner);

    (void)uv_poll_start(&spawner->poll, UV_READABLE | (all ? 0 : UV_WRITABLE), on_ready);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct spawner *spawner = container_of(poll, struct spawner, poll);

    (void)events;
    if (status < 0 || !take_reports(spawner))
        note_death(spawner);
    else
        send_all(spawner);
}

void spawner_submit(struct spawner *spawner, struct spawner_task *task,
                    const char *const *arguments, const char *const *environment)
{
    int rc;

    task->sent = false;
    task->kill_owed = false;
    list_init(&task->link);
    buf_init(&task->message, SPAWNER_ORDER_MAX);
    if (!spawner || spawner->problem[0]) {
        close_descriptors(task);
        task->ended(task, PROGRAM_NO_SPAWNER, 0);
        return;
    }
    task->id = ++spawner->last_id;
    task->program = hash_bytes(HASH_START, arguments[0], strlen(arguments[0]));
    rc = spawner_wire_start(&task->message, task->id, arguments, environment);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0) {
        close_descriptors(task);
        task->ended(task, PROGRAM_NOT_STARTED, -rc);
        return;
    }
    list_append(&spawner->waiting, &task->link);
    keep_loop(spawner);
    send_all(spawner);
}

void spawner_end(struct spawner *spawner, struct spawner_task *task)
{
    if (list_empty(&task->link))
        return;
    if (!task->sent) {
        end_task(spawner, task, PROGRAM_NO_ROOM, 0);
        return;
    }
    task->kill_owed = true;
    send_all(spawner);
}

/* --- life --- */

void spawner_attach(struct spawner *spawner, struct loop *loop)
{
    if (uv_poll_init(loop_uv(loop), &spawner->poll, spawner->socket) != 0)
        fault_out_of_memory(); /* the only way in which a socket is refused */
    spawner->attached = true;
    (void)uv_poll_start(&spawner->poll, UV_READABLE, on_ready);
    uv_unref((uv_handle_t *)&spawner->poll);
}

static void on_closed(uv_handle_t *handle)
{
    struct spawner *spawner = container_of((uv_poll_t *)handle, struct spawner, poll);

    (void)close(spawner->socket);
    if (!spawner->problem[0])
        (void)waitpid(spawner->pid, NULL, WNOHANG);
    free(spawner);
}

void spawner_close(struct spawner *spawner)
{
    if (!spawner)
        return;
    if (spawner->attached) {
        uv_close((uv_handle_t *)&spawner->poll, on_closed);
        return;
    }
    (void)close(spawner->socket);
    free(spawner);
}
