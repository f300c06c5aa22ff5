#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json_object.h>

#include "base/json.h"
#include "ctl/client.h"
#include "ctl/status_text.h"

/* --- one command on one account (or on none, or all) --- */

/* A session prints the answers: as they come for people, as one document at the end for programs.
 */
struct session {
    const struct ctl_options *options;
    struct buf results; /* --json: the answers so far */
    enum ctl_exit worst;
};

enum ctl_exit ctl_worse(enum ctl_exit a, enum ctl_exit b)
{
    return a > b ? a : b;
}

static enum ctl_exit exit_of(enum control_outcome outcome)
{
    switch (outcome) {
    case CONTROL_DONE:
    case CONTROL_ACCEPTED:
        return CTL_DONE;
    case CONTROL_NOT_DONE:
        return CTL_NOT_DONE;
    case CONTROL_REFUSED:
        return CTL_REFUSED;
    default:
        return CTL_USAGE;
    }
}

static void print_plain(FILE *stream, const struct buf *text)
{
    fputs(text->failed ? "(too long to show)\n" : buf_str(text), stream);
}

/* The report of a reload keeps its lines; everything else in it is as harmless as elsewhere. */
static void write_report(struct buf *out, const char *report)
{
    while (*report != '\0') {
        const size_t length = strcspn(report, "\n");
        char *line = strndup(report, length);

        if (!line)
            return;
        ctl_write_plain(out, line);
        (void)buf_append_char(out, '\n');
        free(line);
        report += length;
        report += *report == '\n';
    }
}

static void print_answer(const struct control_command *command, const struct control_answer *answer)
{
    const enum ctl_exit result = exit_of(answer->outcome);
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    if (command->account) {
        ctl_write_plain(&text, command->account);
        (void)buf_append_str(&text, ": ");
    }
    if (result == CTL_REFUSED)
        (void)buf_append_str(&text, "refused: ");
    else if (result == CTL_NOT_DONE)
        (void)buf_append_str(&text, "not done: ");
    ctl_write_plain(&text, answer->message);
    if (answer->until != TIME_NEVER) {
        (void)buf_append_str(&text, "; possible ");
        ctl_write_instant(&text, answer->until, time_wall());
    }
    (void)buf_append_char(&text, '\n');
    if (answer->report)
        write_report(&text, answer->report);
    print_plain(result == CTL_DONE ? stdout : stderr, &text);
    buf_done(&text);
}

static void session_start(struct session *session, const struct ctl_options *options)
{
    session->options = options;
    session->worst = CTL_DONE;
    buf_init(&session->results, CONTROL_REPLY_MAX);
    (void)buf_append_str(&session->results, "{\"results\":[");
}

static enum ctl_exit session_end(struct session *session)
{
    if (session->options->json) {
        (void)buf_append_str(&session->results, "]}\n");
        print_plain(stdout, &session->results);
    }
    buf_done(&session->results);
    return session->worst;
}

/* The daemon's answer, with the account as it was typed put in front: an error names none. */
static void take_json(struct session *session, const struct control_command *command,
                      const struct buf *reply)
{
    struct buf *results = &session->results;
    size_t length = reply->length;

    while (length > 0 && reply->data[length - 1] == '\n')
        length--;
    if (results->data[results->length - 1] != '[')
        (void)buf_append_char(results, ',');
    (void)buf_append_str(results, "{\"asked\":");
    if (command->account)
        (void)json_append_string(results, command->account, strlen(command->account));
    else
        (void)buf_append_str(results, "null");
    (void)buf_append_char(results, ',');
    (void)buf_append(results, reply->data + 1, length - 1); /* an object: it was understood */
}

static enum ctl_exit take_answer(struct session *session, const struct control_command *command,
                                 const struct buf *reply, struct err *err)
{
    struct control_answer answer;
    struct json_object *document;
    enum ctl_exit result;

    if (control_answer_parse(buf_str(reply), reply->length, &answer, &document, err) != 0)
        return CTL_UNREACHABLE;
    result = exit_of(answer.outcome);
    if (session->options->json)
        take_json(session, command, reply);
    else
        print_answer(command, &answer);
    json_object_put(document);
    return result;
}

/* Returns the command's own exit status, and keeps the worst. */
static enum ctl_exit send_command(struct session *session, const struct control_command *command)
{
    char storage[CTL_PATH_MAX];
    enum ctl_exit result = CTL_USAGE;
    struct buf path, body, reply;
    long http_status;
    struct err err;

    err_clear(&err);
    buf_init(&path, CONTROL_URI_MAX);
    buf_init(&body, CONTROL_BODY_MAX);
    buf_init(&reply, CONTROL_REPLY_MAX);
    if (control_command_path(command, &path) != 0 || control_command_body(command, &body) != 0)
        (void)err_set(&err, -EMSGSIZE, "the request is too long");
    else
        result = ctl_request(ctl_socket_path(session->options, storage), buf_str(&path),
                             buf_str(&body), &reply, &http_status, &err);
    if (result == CTL_DONE)
        result = take_answer(session, command, &reply, &err);
    if (err.code != 0)
        fprintf(stderr, "keyrotatectl: %s\n", err.text);
    buf_done(&path);
    buf_done(&body);
    buf_done(&reply);
    session->worst = ctl_worse(session->worst, result);
    return result;
}

/* Nothing further is tried once the daemon cannot be talked to. */
static bool is_final(enum ctl_exit result)
{
    return result == CTL_UNREACHABLE || result == CTL_NOT_PERMITTED;
}

static enum ctl_exit run_for_accounts(const struct ctl_options *options,
                                      struct control_command *command)
{
    struct session session;

    session_start(&session, options);
    if (options->account_count == 0)
        (void)send_command(&session, command);
    for (size_t i = 0; i < options->account_count; i++) {
        command->account = options->accounts[i];
        if (is_final(send_command(&session, command)))
            break;
    }
    return session_end(&session);
}

/* --- the commands --- */

static bool fetch_completed_at(const struct ctl_options *options, char *const *name,
                               time_ms *ret_completed_at, enum ctl_exit *ret_result)
{
    struct control_status status;
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    *ret_result = ctl_fetch_status(options, CONTROL_NAMED, name, 1, &status, &text);
    if (*ret_result == CTL_DONE) {
        *ret_completed_at =
            status.account_count == 1 ? status.accounts[0].completed_at : TIME_NEVER;
        control_status_done(&status);
    }
    buf_done(&text);
    return *ret_result == CTL_DONE;
}

static enum ctl_exit rotate_and_wait(const struct ctl_options *options,
                                     struct control_command *command)
{
    char **names = calloc(options->account_count, sizeof(*names));
    time_ms *before = calloc(options->account_count, sizeof(*before));
    enum ctl_exit result = CTL_NOT_DONE;
    size_t accepted = 0;
    struct session session;

    session_start(&session, options);
    for (size_t i = 0; names && before && i < options->account_count; i++) {
        if (!fetch_completed_at(options, &options->accounts[i], &before[accepted], &result)) {
            session.worst = ctl_worse(session.worst, result);
        } else {
            command->account = options->accounts[i];
            result = send_command(&session, command);
            if (result == CTL_DONE)
                names[accepted++] = options->accounts[i];
        }
        if (is_final(result))
            break;
    }
    result = session_end(&session);
    if (!is_final(result) && accepted > 0)
        result = ctl_worse(result, ctl_await_rotations(options, names, before, accepted));
    free(names);
    free(before);
    return result;
}

enum ctl_exit ctl_rotate(const struct ctl_options *options)
{
    struct control_command command = {.kind = CONTROL_ROTATE, .dry_run = options->dry_run};

    return options->wait && !options->dry_run ? rotate_and_wait(options, &command)
                                              : run_for_accounts(options, &command);
}

enum ctl_exit ctl_redeliver(const struct ctl_options *options)
{
    struct control_command command = {.kind = CONTROL_REDELIVER, .target = options->target};

    return run_for_accounts(options, &command);
}

enum ctl_exit ctl_hold(const struct ctl_options *options)
{
    struct control_command command = {
        .kind = CONTROL_HOLD, .until = options->until, .reason = options->reason};

    return run_for_accounts(options, &command);
}

enum ctl_exit ctl_resume(const struct ctl_options *options)
{
    struct control_command command = {.kind = CONTROL_RESUME};

    return run_for_accounts(options, &command);
}

enum ctl_exit ctl_reload(const struct ctl_options *options)
{
    struct control_command command = {.kind = CONTROL_RELOAD};

    return run_for_accounts(options, &command);
}

/* --- adopt --- */

static void say_what_is_overwritten(const struct account_snapshot *account, const char *active)
{
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    (void)buf_append_format(&text, "The %s key of ", active);
    ctl_write_plain(&text, account->id);
    (void)buf_append_str(&text, "\nbecomes the active one and is delivered to\n");
    for (size_t i = 0; i < account->target_count; i++) {
        const struct target_snapshot *target = &account->targets[i];

        (void)buf_append_str(&text, "  ");
        ctl_write_plain(&text, target->destination);
        (void)buf_append_str(&text, ", overwriting ");
        ctl_write_plain(&text, target->holds ? target->holds : "whatever it holds");
        (void)buf_append_char(&text, '\n');
    }
    (void)buf_append_format(&text,
                            "From then on the %s key is the one that is regenerated: whoever uses "
                            "that one today has to change over.\n",
                            strcmp(active, "primary") == 0 ? "secondary" : "primary");
    print_plain(stderr, &text);
    buf_done(&text);
}

static enum ctl_exit confirm(void)
{
    char reply[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        fputs("keyrotatectl: adopt overwrites what targets hold: say --yes to have it done\n",
              stderr);
        return CTL_USAGE;
    }
    fputs("Go on? [y/N] ", stderr);
    if (fgets(reply, sizeof(reply), stdin) && (reply[0] == 'y' || reply[0] == 'Y'))
        return CTL_DONE;
    fputs("Nothing was done.\n", stderr);
    return CTL_NOT_DONE;
}

enum ctl_exit ctl_adopt(const struct ctl_options *options)
{
    struct control_command command = {.kind = CONTROL_ADOPT, .active = options->active};
    struct control_status status;
    enum ctl_exit result;
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    result = ctl_fetch_status(options, CONTROL_NAMED, options->accounts, 1, &status, &text);
    if (result == CTL_DONE) {
        for (size_t i = 0; i < status.account_count; i++)
            say_what_is_overwritten(&status.accounts[i], options->active);
        control_status_done(&status);
        if (!options->yes)
            result = confirm();
    }
    buf_done(&text);
    return result == CTL_DONE ? run_for_accounts(options, &command) : result;
}
