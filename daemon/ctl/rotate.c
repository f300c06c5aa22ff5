#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/str.h"
#include "ctl/status_text.h"
#include "proto/remedy.h"

enum { POLL_MS = 500, SHOWN_MAX = 160 };

/* What was printed last about an account: only news is printed. */
struct progress {
    char *name;
    time_ms before;
    duration_ms deadline; /* on the clock of time_boot() */
    char shown[SHOWN_MAX];
    uint64_t reported_cause; /* of the trouble that was reported last; 0: of none */
};

static void pause_before_asking_again(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
}

/* On standard error with --json: standard output has the document of answers. */
static void say(const struct ctl_options *options, struct progress *progress, const char *what)
{
    struct buf text;

    if (str_equal(progress->shown, what))
        return;
    (void)str_copy(progress->shown, sizeof(progress->shown), what);
    buf_init(&text, 1024);
    ctl_write(&text, "%s: %s\n", progress->name, what);
    ctl_print(options->json ? stderr : stdout, &text);
}

/* What is wrong, for how long, and what to do about it. */
static void print_problem(FILE *out, const struct account_snapshot *account, time_ms now)
{
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    ctl_write_problem(&text, account, now);
    ctl_print(out, &text);
}

/* Reports trouble that a rotation may get over by itself: when it begins, and when its cause
 * changes. */
static void report_trouble(const struct ctl_options *options, struct progress *progress,
                           const struct account_snapshot *account, time_ms now)
{
    const uint64_t cause = ctl_problem_cause(account);

    if (!account->reason || progress->reported_cause == cause)
        return;
    progress->reported_cause = cause;
    print_problem(options->json ? stderr : stdout, account, now);
}

/* A position in words; the name itself where a newer daemon has another position. */
static const char *describe_phase(const char *phase)
{
    static const char *const words[][2] = {
        {"idle", "waits for its start"},
        {"check_look", "looks at keys and targets"},
        {"prove_target", "asks the service about the key that a target holds"},
        {"prove_live", "asks the service about the key that the look showed"},
        {"confirm_wait", "waits for a second look"},
        {"preflight", "checks that the targets can be written"},
        {"rotate_look", "looks at the live keys"},
        {"intent", "notes in the journal what it is about to do"},
        {"regenerate", "regenerates the standby key"},
        {"operation", "notes in the journal where to ask how it goes"},
        {"poll_wait", "waits until Azure has regenerated the key"},
        {"poll", "asks Azure how the regenerate goes"},
        {"doubt_wait", "waits to find out whether the key was regenerated"},
        {"doubt_look", "finds out whether the key was regenerated"},
        {"verify_look", "fetches the new key again"},
        {"verify", "verifies the new key"},
        {"verify_wait", "waits until the new key works"},
        {"deliver_look", "fetches the new key again"},
        {"offer", "delivers the new key"},
        {"deliver", "delivers the new key"},
        {"deliver_wait", "waits to deliver the new key"},
        {"commit", "makes the new key the active one"},
    };

    for (size_t i = 0; phase && i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal(words[i][0], phase))
            return words[i][1];
    return phase ? phase : "waits";
}

static void say_where_it_is(const struct ctl_options *options, struct progress *progress,
                            const struct account_snapshot *account, time_ms now)
{
    char what[SHOWN_MAX];

    if (account->reason)
        snprintf(what, sizeof(what), "%s (%s: %s)", describe_phase(account->phase), account->state,
                 account->reason);
    else
        snprintf(what, sizeof(what), "%s", describe_phase(account->phase));
    say(options, progress, what);
    report_trouble(options, progress, account, now);
}

/* The wait has ended; the rotation goes on in the daemon. */
static void say_time_is_over(const struct ctl_options *options, const struct progress *progress)
{
    char socket[CTL_PATH_MAX];
    const struct remedy_words words = {.account = progress->name,
                                       .socket = ctl_socket_path(options, socket)};
    char waited[DURATION_TEXT_MAX], remedy[REMEDY_MAX];
    struct buf text;

    remedy_expand("`keyrotatectl status {account}`", &words, remedy, sizeof(remedy));
    buf_init(&text, 2 * REMEDY_MAX);
    ctl_write(
        &text,
        "%s: not rotated after %s (--timeout); the daemon continues the rotation, %s shows its "
        "progress",
        progress->name, duration_to_words(options->timeout, waited), remedy);
    (void)ctl_complain(CTL_NOT_DONE, "%s", buf_str(&text));
    buf_done(&text);
}

/* Returns whether the wait for this rotation is over; *ret_result is how it ended. */
static bool is_settled(const struct ctl_options *options, struct progress *progress,
                       const struct account_snapshot *account, time_ms now,
                       enum ctl_exit *ret_result)
{
    char what[SHOWN_MAX];

    if (account->completed_at != progress->before && !account->rotation_requested) {
        snprintf(what, sizeof(what), "rotated: the %s key is active now (cycle %llu)",
                 account->active ? account->active : "new", (unsigned long long)account->cycle);
        say(options, progress, what);
        *ret_result = CTL_DONE;
        return true;
    }
    if (str_equal(account->state, "blocked") || str_equal(account->state, "held")) {
        print_problem(stderr, account, now);
        *ret_result = CTL_NOT_DONE;
        return true;
    }
    if (!account->rotation_requested && !account->rotating) {
        say(options, progress, "the rotation was abandoned: see the log");
        *ret_result = CTL_NOT_DONE;
        return true;
    }
    say_where_it_is(options, progress, account, now);
    return false;
}

static enum ctl_exit await_one(const struct ctl_options *options, struct progress *progress)
{
    enum ctl_exit result = CTL_DONE;
    bool settled = false;

    while (!settled) {
        char *names[] = {progress->name};
        struct control_status status;

        result = ctl_fetch_status(options, "accounts", names, 1, &status, NULL);
        if (result != CTL_DONE)
            break;
        if (status.account_count == 1) {
            settled =
                is_settled(options, progress, &status.accounts[0], status.daemon.now, &result);
        } else {
            settled = true;
            result = CTL_NOT_DONE;
        }
        control_status_done(&status);
        if (!settled && time_boot() >= progress->deadline) {
            say_time_is_over(options, progress);
            settled = true;
            result = CTL_NOT_DONE;
        }
        if (!settled)
            pause_before_asking_again();
    }
    return result;
}

/* Follows rotations that were accepted until they are completed, cannot go on by themselves, or
 * options->timeout has passed for all of them together; says what happens meanwhile, and of trouble
 * the cause and what to do, once per change. `before`: when each account completed one the last
 * time. */
static enum ctl_exit await_rotations(const struct ctl_options *options, char *const *names,
                                     const time_ms *before, size_t count)
{
    const duration_ms deadline = time_add(time_boot(), options->timeout);
    enum ctl_exit worst = CTL_DONE;

    for (size_t i = 0; i < count; i++) {
        struct progress progress = {.name = names[i], .before = before[i], .deadline = deadline};
        const enum ctl_exit result = await_one(options, &progress);

        worst = ctl_worse(worst, result);
        if (ctl_is_final(result))
            break;
    }
    return worst;
}

static bool fetch_completed_at(const struct ctl_options *options, char *const *name,
                               time_ms *ret_completed_at, enum ctl_exit *ret_result)
{
    struct control_status status;

    *ret_result = ctl_fetch_status(options, "accounts", name, 1, &status, NULL);
    if (*ret_result != CTL_DONE)
        return false;
    *ret_completed_at = status.account_count == 1 ? status.accounts[0].completed_at : TIME_NEVER;
    control_status_done(&status);
    return true;
}

static enum ctl_exit rotate_and_wait(const struct ctl_options *options)
{
    struct control_command command = options->request;
    char **names = calloc(options->account_count, sizeof(*names));
    time_ms *before = calloc(options->account_count, sizeof(*before));
    enum ctl_exit result = CTL_NOT_DONE;
    size_t accepted = 0;
    struct ctl_session session;

    ctl_session_start(&session, options);
    for (size_t i = 0; names && before && i < options->account_count; i++) {
        if (!fetch_completed_at(options, &options->accounts[i], &before[accepted], &result)) {
            session.worst = ctl_worse(session.worst, result);
        } else {
            command.account = options->accounts[i];
            result = ctl_send_command(&session, &command);
            if (result == CTL_DONE)
                names[accepted++] = options->accounts[i];
        }
        if (ctl_is_final(result))
            break;
    }
    if (!ctl_is_final(session.worst) && accepted > 0)
        session.worst = ctl_worse(session.worst, await_rotations(options, names, before, accepted));
    result = ctl_session_end(&session);
    free(names);
    free(before);
    return result;
}

enum ctl_exit ctl_rotate(const struct ctl_options *options)
{
    return options->wait && !options->request.dry_run ? rotate_and_wait(options)
                                                      : ctl_send(options);
}
