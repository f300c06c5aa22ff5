#include "ctl/status.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/hash.h"
#include "base/str.h"
#include "ctl/status_text.h"

enum { PACE_MS = 2000, PACE_TO_COST = 10, ROWS_DEFAULT = 24, COLUMNS_DEFAULT = 80 };

#define GO_HOME    "\033[H"
#define CLEAR_ROW  "\033[K"
#define CLEAR_REST "\033[J"

struct watch {
    const struct ctl_options *options;
    bool draws; /* on a terminal */
    sigset_t ends;
    enum ctl_exit last; /* of the last answer */
    uint64_t shown;     /* the state that was printed last */
    bool lost;          /* the daemon was, when it was asked last */
};

/* --- when --- */

/* SIGINT and SIGTERM stay blocked, so that they end nothing half-way: they are looked for. */
static bool is_ended(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

static void watch_signals(struct watch *watch)
{
    (void)sigemptyset(&watch->ends);
    (void)sigaddset(&watch->ends, SIGINT);
    (void)sigaddset(&watch->ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &watch->ends, NULL);
    ctl_end_requests_when(is_ended);
}

/* So long that asking takes the daemon a tenth of its time at most. Returns false at the end. */
static bool pause_after(const struct watch *watch, duration_ms cost)
{
    const duration_ms pace = cost * PACE_TO_COST > PACE_MS ? cost * PACE_TO_COST : PACE_MS;
    const struct timespec time = {.tv_sec = (time_t)(pace / MS_SECOND),
                                  .tv_nsec = (long)(pace % MS_SECOND) * 1000000L};

    return sigtimedwait(&watch->ends, NULL, &time) < 0;
}

/* --- what --- */

static uint64_t account_change(uint64_t hash, const struct account_snapshot *account)
{
    const char *const none[] = {NULL};

    hash = hash_folded_text(hash, account->id);
    hash = cause_hash(hash, account->active, none);
    hash = cause_hash_number(hash, (int64_t)ctl_problem_cause(account));
    hash = cause_hash_number(hash, (int64_t)account->cycle);
    hash = cause_hash_number(hash, account->completed_at);
    hash = cause_hash_number(hash, account->rotating);
    for (size_t i = 0; i < account->target_count; i++)
        hash = cause_hash_number(hash, account->targets[i].satisfied);
    return hash;
}

uint64_t ctl_status_change(const struct control_status *status)
{
    const struct daemon_snapshot *daemon = &status->daemon;
    const char *const none[] = {NULL};
    uint64_t hash = HASH_START;

    hash = cause_hash_number(hash, daemon->started_at);
    hash = cause_hash_number(hash, daemon->config_loaded_at);
    hash = cause_hash(hash, daemon->config_error, none);
    hash = cause_hash_number(hash, daemon->journal_failing_since);
    hash = cause_hash_number(hash, (int64_t)daemon->selected);
    for (size_t i = 0; i < status->account_count; i++)
        hash = account_change(hash, &status->accounts[i]);
    return hash;
}

/* --- how --- */

/* The rows that a line takes: characters are counted, not bytes. */
static unsigned rows_of(const char *line, size_t length, unsigned columns)
{
    unsigned width = 0;

    for (size_t i = 0; i < length; i++)
        width += ((unsigned char)line[i] & 0xc0) != 0x80;
    return columns > 0 && width > columns ? (width + columns - 1) / columns : 1;
}

void ctl_watch_fit(struct buf *out, const char *text, unsigned rows, unsigned columns)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        const unsigned taken = rows_of(text, length, columns);
        const bool is_last = text[length] == '\0' || text[length + 1] == '\0';

        /* A row is kept for what says that there is more. */
        if (taken > rows || (taken == rows && !is_last)) {
            (void)buf_append_str(out, "(more below: a larger window, or fewer accounts)" CLEAR_ROW);
            return;
        }
        (void)buf_append(out, text, length);
        (void)buf_append_str(out, CLEAR_ROW "\n");
        rows -= taken;
        text += length + (text[length] == '\n');
    }
}

static void draw(const struct buf *body)
{
    struct winsize size = {0};
    char now[DATE_TEXT_MAX];
    time_ms at = time_wall();
    struct buf picture, frame;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = ROWS_DEFAULT, .ws_col = COLUMNS_DEFAULT};
    buf_init(&picture, CONTROL_REPLY_MAX);
    buf_init(&frame, CONTROL_REPLY_MAX);
    (void)buf_append_format(&picture, "%s, and so on; Ctrl-C ends\n\n%s",
                            date_to_rfc3339(at - at % MS_SECOND, now), buf_str(body));
    (void)buf_append_str(&frame, GO_HOME);
    ctl_watch_fit(&frame, buf_str(&picture), size.ws_row - 1U, size.ws_col);
    (void)buf_append_str(&frame, CLEAR_REST);
    ctl_print(stdout, &frame);
    buf_done(&picture);
}

static void print_change(const struct watch *watch, const struct buf *body)
{
    char now[DATE_TEXT_MAX];
    time_ms at = time_wall();

    if (!watch->options->json)
        printf("%s\n", date_to_rfc3339(at - at % MS_SECOND, now));
    fputs(buf_str(body), stdout);
    if (!watch->options->json)
        putchar('\n');
    (void)fflush(stdout);
}

static void show(struct watch *watch, const struct control_status *status, const struct buf *text)
{
    const uint64_t change = ctl_status_change(status);
    struct buf body;

    watch->last = ctl_status_severity(status);
    if (watch->draws || watch->shown != change) {
        buf_init(&body, CONTROL_REPLY_MAX);
        if (!watch->options->json)
            ctl_status_write(&body, watch->options, status);
        if (watch->draws)
            draw(&body);
        else
            print_change(watch, watch->options->json ? text : &body);
        buf_done(&body);
    }
    watch->shown = change;
    watch->lost = false;
}

/* It may be restarted just now. Says so where it is seen, once. */
static void miss(struct watch *watch)
{
    struct buf body;

    buf_init(&body, CTL_COMPLAINT_MAX);
    ctl_complaint_take(&body);
    (void)buf_append_str(&body, "; waiting for it\n");
    if (watch->draws)
        draw(&body);
    else if (!watch->lost)
        fprintf(stderr, "keyrotatectl: %s", buf_str(&body));
    watch->lost = true;
    buf_done(&body);
}

/* --- the loop --- */

static enum ctl_exit ask(struct watch *watch)
{
    struct control_status status;
    enum ctl_exit result;
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_status_fetch(watch->options, &status, &text);
    if (result == CTL_DONE) {
        show(watch, &status, &text);
        control_status_done(&status);
    }
    buf_done(&text);
    return result;
}

/* Complains of what ends the watch. With --json main() does. */
static enum ctl_exit give_up(const struct watch *watch, enum ctl_exit result)
{
    struct buf why;

    if (watch->options->json)
        return result;
    buf_init(&why, CTL_COMPLAINT_MAX);
    ctl_complaint_take(&why);
    fprintf(stderr, "keyrotatectl: %s\n", buf_str(&why));
    buf_done(&why);
    return result;
}

static void drop_complaint(void)
{
    struct buf unused;

    buf_init(&unused, CTL_COMPLAINT_MAX);
    ctl_complaint_take(&unused);
    buf_done(&unused);
}

enum ctl_exit ctl_status_watch(const struct ctl_options *options)
{
    const char *terminal = getenv("TERM");
    struct watch watch = {.options = options,
                          .draws = !options->json && isatty(STDOUT_FILENO) && terminal &&
                                   !str_equal(terminal, "dumb")};
    duration_ms cost = time_boot();
    enum ctl_exit result;

    watch_signals(&watch);
    if (watch.draws)
        fputs(GO_HOME CLEAR_REST, stdout);
    result = ask(&watch);
    if (result != CTL_DONE)
        return result;
    ctl_complain_in_json(); /* from now on what is complained of is no end of it */
    while (!ferror(stdout) && !is_ended() && pause_after(&watch, time_boot() - cost)) {
        cost = time_boot();
        result = ask(&watch);
        if (is_ended())
            drop_complaint(); /* of the request that the signal ended */
        else if (ctl_is_final(result))
            miss(&watch);
        else if (result != CTL_DONE)
            return give_up(&watch, result);
    }
    return watch.last;
}
