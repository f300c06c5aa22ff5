/*
 * One thread, no memory that grows, no secret. It waits for three things: an order, the end of a
 * child, and the time at which a group is killed.
 */
#include "io/spawner/spawner_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "io/spawner/spawner_wire.h"

/* Programs that use select(2) need numbers of descriptors below this, as after a login. */
enum { DESCRIPTORS_OF_PROGRAMS = 1024 };

struct child {
    pid_t pid; /* 0: the entry is free */
    uint64_t id;
    int trouble;     /* a pipe: why it could not be executed */
    time_ms kill_at; /* by time_boot(); TIME_NEVER: nobody wants it to end */
};

static struct child children[SPAWNER_PROGRAMS_MAX];
static char message[SPAWNER_ORDER_MAX + 1];
static struct spawner_words words;
static int orders, ends;

static void report(uint64_t id, enum program_end end, int code)
{
    const struct spawner_report line = {.id = id, .end = (uint32_t)end, .code = code};

    while (send(orders, &line, sizeof(line), MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

/* --- starting --- */

static void reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void lower_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= DESCRIPTORS_OF_PROGRAMS)
        return;
    limit.rlim_cur = DESCRIPTORS_OF_PROGRAMS;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* In the new process. Every descriptor but the standard ones is closed by the execution, because
 * all of them were opened that way. */
static _Noreturn void execute(const int descriptors[SPAWNER_DESCRIPTORS], int trouble, pid_t parent)
{
    int rc;

    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (int i = 0; i < SPAWNER_DESCRIPTORS; i++)
        (void)dup2(descriptors[i], i);
    lower_descriptor_limit();
    reset_signals();
    (void)execve(words.arguments[0], words.arguments, words.variables);
    rc = errno;
    (void)!write(trouble, &rc, sizeof(rc));
    _exit(127);
}

static struct child *free_entry(void)
{
    for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++) {
        if (children[i].pid == 0)
            return &children[i];
    }
    return NULL;
}

/* Returns 0 or a positive errno value. */
static int start(uint64_t id, const int descriptors[SPAWNER_DESCRIPTORS])
{
    struct child *child = free_entry();
    const pid_t parent = getpid();
    int trouble[2];
    pid_t pid;

    if (!child)
        return EAGAIN;
    if (pipe2(trouble, O_CLOEXEC) != 0)
        return errno;
    pid = _Fork(); /* handlers of pthread_atfork(3) would close descriptors by their old numbers */
    if (pid == 0)
        execute(descriptors, trouble[1], parent);
    (void)close(trouble[1]);
    if (pid < 0) {
        int rc = errno;

        (void)close(trouble[0]);
        return rc;
    }
    *child = (struct child){.pid = pid, .id = id, .trouble = trouble[0], .kill_at = TIME_NEVER};
    return 0;
}

/* --- ending --- */

static void ask_to_end(struct child *child)
{
    if (child->pid == 0 || child->kill_at != TIME_NEVER)
        return;
    (void)kill(-child->pid, SIGTERM);
    (void)kill(child->pid, SIGTERM); /* it may not have its group yet */
    child->kill_at = time_add(time_boot(), SPAWNER_KILL_AFTER_MS);
}

static void kill_those_that_are_due(void)
{
    const time_ms now = time_boot();

    for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++) {
        struct child *child = &children[i];

        if (child->pid == 0 || child->kill_at > now)
            continue;
        (void)kill(-child->pid, SIGKILL);
        (void)kill(child->pid, SIGKILL);
        child->kill_at = TIME_NEVER;
    }
}

static void note_end(struct child *child, const siginfo_t *info)
{
    int trouble = 0;

    if (read(child->trouble, &trouble, sizeof(trouble)) == (ssize_t)sizeof(trouble))
        report(child->id, PROGRAM_NOT_STARTED, trouble);
    else
        report(child->id, info->si_code == CLD_EXITED ? PROGRAM_EXITED : PROGRAM_SIGNALED,
               info->si_status);
    (void)close(child->trouble);
    *child = (struct child){.pid = 0};
}

/* While the first process of a group has not been waited for, its number cannot be given to another
 * one, so the rest of the group can be killed. Orphans of programs are waited for, too. */
static void wait_for_the_ended(void)
{
    siginfo_t info;

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return;
        for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++) {
            if (children[i].pid != info.si_pid)
                continue;
            (void)kill(-info.si_pid, SIGKILL);
            note_end(&children[i], &info);
            break;
        }
        (void)waitpid(info.si_pid, NULL, 0);
    }
}

/* --- orders --- */

/* Returns how many descriptors came with the message. */
static size_t take_descriptors(struct msghdr *header, int descriptors[SPAWNER_DESCRIPTORS])
{
    size_t count = 0;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (count > SPAWNER_DESCRIPTORS)
            count = SPAWNER_DESCRIPTORS;
        memcpy(descriptors, CMSG_DATA(part), count * sizeof(int));
    }
    return count;
}

static void carry_out(size_t length, const int descriptors[SPAWNER_DESCRIPTORS], size_t count)
{
    struct spawner_order order;
    int rc = EINVAL;

    if (length < sizeof(order))
        return;
    memcpy(&order, message, sizeof(order));
    if (order.verb == SPAWNER_VERB_KILL) {
        for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++) {
            if (children[i].id == order.id)
                ask_to_end(&children[i]);
        }
        return;
    }
    if (count == SPAWNER_DESCRIPTORS && spawner_wire_read(message, length, &words))
        rc = start(order.id, descriptors);
    if (rc != 0)
        report(order.id, PROGRAM_NOT_STARTED, rc);
}

/* Returns false when the other end is closed. */
static bool take_order(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(SPAWNER_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = message, .iov_len = SPAWNER_ORDER_MAX};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    int descriptors[SPAWNER_DESCRIPTORS];
    ssize_t length = recvmsg(orders, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    size_t count;

    if (length < 0)
        return errno == EAGAIN || errno == EINTR;
    if (length == 0)
        return false;
    count = take_descriptors(&header, descriptors);
    carry_out((size_t)length, descriptors, count);
    for (size_t i = 0; i < count; i++)
        (void)close(descriptors[i]);
    return true;
}

/* --- the loop --- */

static size_t running(void)
{
    size_t count = 0;

    for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++)
        count += children[i].pid != 0;
    return count;
}

/* In milliseconds, for poll(2). */
static int next_kill(void)
{
    const time_ms now = time_boot();
    time_ms next = TIME_NEVER;

    for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++) {
        if (children[i].pid != 0 && children[i].kill_at < next)
            next = children[i].kill_at;
    }
    if (next == TIME_NEVER)
        return -1;
    return next <= now ? 0 : (int)(next - now);
}

/* Waits for orders (unless they have ended) and ends of children. Returns false at the end of the
 * orders. */
static bool turn(bool serving)
{
    struct pollfd sources[] = {{.fd = ends, .events = POLLIN},
                               {.fd = serving ? orders : -1, .events = POLLIN}};
    struct signalfd_siginfo infos[16];

    (void)poll(sources, 2, next_kill());
    while (read(ends, infos, sizeof(infos)) > 0)
        ;
    wait_for_the_ended();
    kill_those_that_are_due();
    return serving && (sources[1].revents == 0 || take_order());
}

/* Signals that reach the whole group or cgroup are the daemon's business. */
static bool prepare(int socket)
{
    sigset_t blocked;
    int null;

    (void)prctl(PR_SET_NAME, "keyrotated-exec");
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)setsid();
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigfillset(&blocked);
    (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    orders = fcntl(socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (null < 0 || orders < 0 || chdir("/") != 0)
        return false;
    for (int i = 0; i <= STDERR_FILENO; i++)
        (void)dup2(null, i);
    if (dup3(orders, STDERR_FILENO + 1, O_CLOEXEC) < 0 && errno != EINVAL)
        return false;
    orders = STDERR_FILENO + 1;
    if (close_range((unsigned)orders + 1, ~0U, 0) != 0) {
        for (int fd = orders + 1; fd < 65536; fd++)
            (void)close(fd);
    }
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGCHLD);
    ends = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    return ends >= 0;
}

_Noreturn void spawner_process_run(int socket)
{
    bool serving;

    if (!prepare(socket))
        _exit(1);
    do {
        serving = turn(true);
    } while (serving);
    for (size_t i = 0; i < SPAWNER_PROGRAMS_MAX; i++)
        ask_to_end(&children[i]);
    while (running() > 0)
        (void)turn(false);
    _exit(0);
}
