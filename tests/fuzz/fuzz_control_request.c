/*
 * What arrives at the control socket: a request line (the first two lines of the input: method and
 * target) and a body (the rest). What is understood is written as keyrotatectl writes it, and
 * understood the same again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>

#include "base/str.h"
#include "fuzz.h"
#include "proto/control_history.h"
#include "proto/control_identify.h"
#include "proto/control_plan.h"

static const struct control_question questions[] = {
    {.name = "status", .of_accounts = true, .of_some = true},
    {.name = "accounts", .of_accounts = true, .of_some = true},
    {.name = "holds"},
    {.name = "plan", .of_accounts = true, .of_time = true},
    {.name = "identify", .of_keys = true},
    {.name = "history", .of_accounts = true, .of_time = true, .of_past = true},
};
enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

static void same_question(const struct control_request_line *line)
{
    const struct control_query *query = &line->query;
    struct control_request_line again;
    const char *allow = NULL;
    struct err err;
    struct buf path;

    buf_init(&path, 8 * CONTROL_URI_MAX);
    if (line->question->of_keys)
        MUST(control_identify_path(query->sought, query->sought_count, &path) == 0);
    else if (line->question->of_past)
        MUST(control_history_path(&(struct control_history_wish){.names = query->names,
                                                                 .name_count = query->name_count,
                                                                 .since = query->since,
                                                                 .until = query->until,
                                                                 .failed = query->failed},
                                  query->after, &path) == 0);
    else if (line->question->of_time && query->until != TIME_NEVER)
        MUST(control_plan_path(query->names, query->name_count, query->until, query->after,
                               &path) == 0);
    else if (line->question->of_some)
        MUST(control_selection_path(line->question->name, query->names, query->name_count,
                                    query->state, query->policy, &path) == 0);
    else
        MUST(control_question_path(line->question->name, query->names, query->name_count, &path) ==
             0);
    if (path.length < CONTROL_URI_MAX) {
        MUST(control_request_line_parse("GET", buf_str(&path), questions, QUESTIONS, &again, &allow,
                                        &err) == 0);
        MUST(again.question == line->question);
        MUST(again.query.name_count == query->name_count);
        for (size_t i = 0; i < query->name_count; i++)
            MUST(str_equal(again.query.names[i], query->names[i]));
        MUST(str_equal(again.query.state, query->state));
        MUST(str_equal(again.query.policy, query->policy));
        MUST(again.query.sought_count == query->sought_count);
        for (size_t i = 0; i < query->sought_count; i++)
            MUST(fingerprint_equal(&again.query.sought[i], &query->sought[i]));
        if (query->until != TIME_NEVER)
            MUST(again.query.until == query->until && str_equal(again.query.after, query->after));
        control_request_line_done(&again);
    }
    buf_done(&path);
}

static void same_path(const struct control_command *command)
{
    struct control_request_line again;
    const char *allow = NULL;
    struct err err;
    struct buf path;

    buf_init(&path, CONTROL_URI_MAX);
    MUST(control_command_path(command, &path) == 0);
    MUST(control_request_line_parse("POST", buf_str(&path), questions, QUESTIONS, &again, &allow,
                                    &err) == 0);
    MUST(!again.question && again.kind == command->kind);
    MUST(str_equal(again.account, command->account));
    control_request_line_done(&again);
    buf_done(&path);
}

static void same_body(const struct control_command *command)
{
    struct control_command again = {.account = NULL};
    struct json_object *document = NULL;
    struct err err;
    struct buf body;

    buf_init(&body, 8 * CONTROL_BODY_MAX);
    MUST(control_command_body(command, &body) == 0);
    MUST(control_command_parse(command->kind, buf_str(&body), body.length, &again, &document,
                               &err) == 0);
    MUST(again.dry_run == command->dry_run && again.until == command->until);
    MUST(str_equal(again.target, command->target) && str_equal(again.active, command->active));
    MUST(str_equal(again.reason, command->reason));
    MUST(str_equal(again.level, command->level));
    json_object_put(document);
    buf_done(&body);
}

static void read_command(struct control_request_line *line, const char *body, size_t length)
{
    struct control_command command = {.account = NULL};
    struct json_object *document = NULL;
    struct err err = {.code = 0};
    const int rc = control_command_parse(line->kind, body, length, &command, &document, &err);

    if (rc == 0) {
        command.kind = line->kind;
        command.account = line->account;
        same_path(&command);
        same_body(&command);
    } else {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
    }
    json_object_put(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    char *method = fuzz_take_line(&input);
    char *target = fuzz_take_line(&input);
    struct control_request_line line;
    const char *allow = NULL;
    struct err err = {.code = 0};
    size_t length;
    char *body = fuzz_take_rest(&input, &length);
    const int rc =
        control_request_line_parse(method, target, questions, QUESTIONS, &line, &allow, &err);

    MUST(rc == 0 || (err.text[0] != '\0' && fuzz_is_presentable(err.text)));
    MUST(rc != -ENOTSUP || allow);
    if (rc == 0 && line.question)
        same_question(&line);
    else if (rc == 0)
        read_command(&line, body, length);
    control_request_line_done(&line);
    free(method);
    free(target);
    free(body);
    return 0;
}
