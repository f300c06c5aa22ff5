/* What is said to systemd, heard on a socket of the test's own. */
#include "io/loop/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    int fd;
    char path[64];
    char directory[48];
    struct loop *loop;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(f->directory, "/tmp/keyrotated-notify-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/socket", f->directory);
    strcpy(address.sun_path, f->path);
    f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", f->path, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    f->loop = loop_new(NULL);
    assert_non_null(f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_true(loop_free(f->loop));
    close(f->fd);
    unlink(f->path);
    rmdir(f->directory);
    free(f);
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

/* The next datagram, or "" where there is none. */
static const char *hear(const struct fixture *f)
{
    static char heard[1024];
    ssize_t length = recv(f->fd, heard, sizeof(heard) - 1, 0);

    heard[length > 0 ? length : 0] = '\0';
    return heard;
}

static void count_closed(void *context)
{
    ++*(int *)context;
}

static void close_and_run(struct fixture *f, struct notify *notify)
{
    int closed = 0;

    notify_close(notify, count_closed, &closed);
    assert_int_equal(closed, 0);
    loop_run(f->loop);
    assert_int_equal(closed, 1);
}

static void test_states(void **state)
{
    struct fixture *f = *state;
    struct notify *notify = notify_new(f->loop);

    notify_ready(notify);
    assert_string_equal(hear(f), "READY=1");
    notify_stopping(notify);
    assert_string_equal(hear(f), "STOPPING=1");
    assert_string_equal(hear(f), "");
    close_and_run(f, notify);
}

static void test_reloading_tells_when(void **state)
{
    struct fixture *f = *state;
    struct notify *notify = notify_new(f->loop);
    struct timespec now;
    const char *heard;
    long long usec = 0;

    notify_reloading(notify);
    heard = hear(f);
    assert_int_equal(sscanf(heard, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    assert_in_range(usec, (now.tv_sec - 10) * 1000000LL, (now.tv_sec + 1) * 1000000LL);
    close_and_run(f, notify);
}

static void test_status(void **state)
{
    static const struct {
        const char *status;
        const char *heard;
    } cases[] = {
        {"3 accounts, all well", "STATUS=3 accounts, all well"},
        {"3 accounts, all well", ""},
        {"2 blocked\nREADY=1", "STATUS=2 blocked READY=1"},
        {"3 accounts, all well", "STATUS=3 accounts, all well"},
    };
    struct fixture *f = *state;
    struct notify *notify = notify_new(f->loop);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        notify_status(notify, cases[i].status);
        assert_string_equal(hear(f), cases[i].heard);
    }
    close_and_run(f, notify);
}

static void test_long_status_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    struct notify *notify = notify_new(f->loop);
    char status[2000];
    const char *heard;

    for (size_t i = 0; i + 2 < sizeof(status); i += 2)
        memcpy(status + i, "\u00fc", 3);
    notify_status(notify, status);
    heard = hear(f);
    assert_int_equal(strlen(heard) % 2, strlen("STATUS=") % 2);
    assert_in_range(strlen(heard), 400, 600);
    close_and_run(f, notify);
}

/* --- a systemd that does not read --- */

static int fill(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int count = 0;

    strcpy(address.sun_path, f->path);
    while (sendto(fd, "X", 1, 0, (struct sockaddr *)&address, sizeof(address)) == 1)
        count++;
    close(fd);
    assert_true(count > 0);
    return count;
}

static void run_for(struct fixture *f, struct notify *notify, duration_ms time);

static void test_a_full_socket_makes_nobody_wait(void **state)
{
    struct fixture *f = *state;
    struct notify *notify = notify_new(f->loop);
    int fillings = fill(f);
    duration_ms before = time_boot();

    notify_ready(notify);
    notify_status(notify, "first");
    for (int i = 0; i < 20; i++)
        notify_status(notify, i % 2 ? "odd" : "even");
    notify_stopping(notify);
    assert_in_range(time_boot() - before, 0, 5000);
    while (fillings-- > 0)
        assert_string_equal(hear(f), "X");
    assert_string_equal(hear(f), "");
    run_for(f, notify, 1500);
    assert_string_equal(hear(f), "READY=1"); /* in order, with only the newest of the statuses */
    assert_string_equal(hear(f), "STATUS=odd");
    assert_string_equal(hear(f), "STOPPING=1");
    assert_string_equal(hear(f), "");
}

static void test_what_waits_is_forgotten_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct notify *notify = notify_new(f->loop);

    (void)fill(f);
    notify_ready(notify);
    close_and_run(f, notify);
}

struct stopper {
    struct timer timer;
    struct notify *notify;
    int *closed;
};

static void stop_feeding(struct timer *timer)
{
    struct stopper *stopper = container_of(timer, struct stopper, timer);

    notify_close(stopper->notify, count_closed, stopper->closed);
    timer_close(timer, NULL);
}

/* Closes it after so long. */
static void run_for(struct fixture *f, struct notify *notify, duration_ms time)
{
    int closed = 0;
    struct stopper stopper = {.notify = notify, .closed = &closed};

    timer_init(f->loop, &stopper.timer, stop_feeding);
    timer_set_delay(&stopper.timer, time);
    loop_run(f->loop);
    assert_int_equal(closed, 1);
}

static int feedings_within(struct fixture *f, duration_ms time)
{
    int feedings = 0;

    run_for(f, notify_new(f->loop), time);
    while (strcmp(hear(f), "WATCHDOG=1") == 0)
        feedings++;
    return feedings;
}

static void test_watchdog_is_fed_twice_as_often(void **state)
{
    struct fixture *f = *state;

    setenv("WATCHDOG_USEC", "100000", 1); /* feed every 50 ms: at once, then five times more */
    assert_in_range(feedings_within(f, 275), 4, 6);
}

static void test_watchdog_of_another_process(void **state)
{
    struct fixture *f = *state;

    setenv("WATCHDOG_USEC", "20000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(feedings_within(f, 60), 0);
}

static void test_no_watchdog(void **state)
{
    assert_int_equal(feedings_within(*state, 30), 0);
}

static void test_not_started_by_systemd(void **state)
{
    struct fixture *f = *state;
    struct notify *notify;

    unsetenv("NOTIFY_SOCKET");
    notify = notify_new(f->loop);
    notify_ready(notify);
    notify_status(notify, "well");
    notify_reloading(notify);
    notify_stopping(notify);
    assert_string_equal(hear(f), "");
    close_and_run(f, notify);
}

int main(void)
{
#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SOCKET(test_states),
        WITH_SOCKET(test_reloading_tells_when),
        WITH_SOCKET(test_status),
        WITH_SOCKET(test_long_status_is_cut_between_characters),
        WITH_SOCKET(test_a_full_socket_makes_nobody_wait),
        WITH_SOCKET(test_what_waits_is_forgotten_at_the_end),
        WITH_SOCKET(test_watchdog_is_fed_twice_as_often),
        WITH_SOCKET(test_watchdog_of_another_process),
        WITH_SOCKET(test_no_watchdog),
        WITH_SOCKET(test_not_started_by_systemd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
