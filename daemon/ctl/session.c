#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>

#include "base/json.h"
#include "ctl/status_text.h"

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

/* The report of a reload keeps its line breaks; other control characters become "?". */
static void write_report(struct buf *out, const char *report)
{
    while (*report != '\0') {
        const size_t length = strcspn(report, "\n");

        ctl_write(out, "%.*s\n", (int)length, report);
        report += length;
        report += *report == '\n';
    }
}

/* The holds that a resume has ended, each with who had put it on, and why. */
static void write_ended(struct buf *out, struct json_object *document)
{
    struct hold_snapshot *holds;
    size_t count;

    (void)control_hold_list_read(document, &holds, &count);
    for (size_t i = 0; i < count; i++) {
        ctl_write(out, "    ended: ");
        ctl_write_hold(out, &holds[i], time_wall());
    }
    free(holds);
}

static void print_answer(const struct control_command *command, const struct control_answer *answer,
                         struct json_object *document)
{
    const enum ctl_exit result = exit_of(answer->outcome);
    char until[CTL_TIME_MAX];
    struct buf text;

    buf_init(&text, CONTROL_REPLY_MAX);
    if (command->account)
        ctl_write(&text, "%s: ", command->account);
    ctl_write(&text, "%s%s",
              result == CTL_REFUSED    ? "refused: "
              : result == CTL_NOT_DONE ? "not done: "
                                       : "",
              answer->message);
    if (answer->until != TIME_NEVER)
        ctl_write(&text, "; possible %s", ctl_instant(answer->until, time_wall(), until));
    (void)buf_append_char(&text, '\n');
    if (answer->report)
        write_report(&text, answer->report);
    if (command->kind == CONTROL_RESUME)
        write_ended(&text, document);
    ctl_print(result == CTL_DONE ? stdout : stderr, &text);
}

void ctl_session_start(struct ctl_session *session, const struct ctl_options *options)
{
    session->options = options;
    session->worst = CTL_DONE;
    buf_init(&session->results, CONTROL_REPLY_MAX);
    (void)buf_append_str(&session->results, "{\"results\":[");
}

enum ctl_exit ctl_session_end(struct ctl_session *session)
{
    if (session->options->json) {
        (void)buf_append_str(&session->results, "]");
        ctl_complaint_write(&session->results);
        (void)buf_append_str(&session->results, "}\n");
        ctl_print(stdout, &session->results);
    }
    buf_done(&session->results);
    return session->worst;
}

/* The daemon's answer, with the account as it was typed put in front: an error document names no
 * account. */
static void take_json(struct ctl_session *session, const struct control_command *command,
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
    (void)buf_append(results, reply->data + 1, length - 1); /* without its { */
}

static enum ctl_exit take_answer(struct ctl_session *session, const struct control_command *command,
                                 const struct buf *reply)
{
    struct control_answer answer;
    struct json_object *document;
    enum ctl_exit result;
    struct err err;

    if (control_answer_parse(buf_str(reply), reply->length, &answer, &document, &err) != 0)
        return ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    result = exit_of(answer.outcome);
    if (session->options->json)
        take_json(session, command, reply);
    else
        print_answer(command, &answer, document);
    json_object_put(document);
    return result;
}

enum ctl_exit ctl_send_command(struct ctl_session *session, const struct control_command *command)
{
    enum ctl_exit result;
    struct buf path, body, reply;
    long http_status;

    buf_init(&path, CONTROL_URI_MAX);
    buf_init(&body, CONTROL_BODY_MAX);
    buf_init(&reply, CONTROL_REPLY_MAX);
    if (control_command_path(command, &path) != 0 || control_command_body(command, &body) != 0)
        result = ctl_complain(CTL_USAGE, "the request is too long");
    else
        result = ctl_request(session->options, &path, buf_str(&body), &reply, &http_status);
    if (result == CTL_DONE)
        result = take_answer(session, command, &reply);
    buf_done(&path);
    buf_done(&body);
    buf_done(&reply);
    session->worst = ctl_worse(session->worst, result);
    return result;
}

bool ctl_is_final(enum ctl_exit result)
{
    return result == CTL_UNREACHABLE || result == CTL_NOT_PERMITTED;
}

enum ctl_exit ctl_send(const struct ctl_options *options)
{
    struct control_command command = options->request;
    struct ctl_session session;

    ctl_session_start(&session, options);
    if (options->account_count == 0)
        (void)ctl_send_command(&session, &command);
    for (size_t i = 0; i < options->account_count; i++) {
        command.account = options->accounts[i];
        if (ctl_is_final(ctl_send_command(&session, &command)))
            break;
    }
    return ctl_session_end(&session);
}
