#include "proto/control_protocol.h"

#include <errno.h>

#include "base/date.h"
#include "base/json.h"
#include "base/str.h"
#include "base/json_writer.h"

static const struct {
    const char *name;
    int http_status;
    bool is_error;
} outcomes[] = {
    [CONTROL_DONE] = {"done", 200, false},          [CONTROL_ACCEPTED] = {"accepted", 202, false},
    [CONTROL_NOT_DONE] = {"not_done", 503, false},  [CONTROL_REFUSED] = {"refused", 409, false},
    [CONTROL_NOT_FOUND] = {"not_found", 404, true}, [CONTROL_AMBIGUOUS] = {"ambiguous", 409, true},
    [CONTROL_INVALID] = {"invalid", 400, true},
};
enum { OUTCOME_COUNT = sizeof(outcomes) / sizeof(outcomes[0]) };

const char *control_outcome_name(enum control_outcome outcome)
{
    return outcomes[outcome].name;
}

int control_outcome_http_status(enum control_outcome outcome)
{
    return outcomes[outcome].http_status;
}

int control_error_write(struct buf *out, const char *code, const char *message)
{
    json_write_open(out, NULL, '{');
    json_write_open(out, "error", '{');
    json_write_text(out, "code", code);
    json_write_text(out, "message", message);
    json_write_close(out, '}');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
    return out->failed;
}

int control_answer_write(struct buf *out, const struct control_answer *answer)
{
    if (outcomes[answer->outcome].is_error)
        return control_error_write(out, outcomes[answer->outcome].name, answer->message);
    json_write_open(out, NULL, '{');
    json_write_text(out, "outcome", outcomes[answer->outcome].name);
    json_write_text(out, "message", answer->message);
    json_write_text(out, "account", answer->account);
    json_write_time(out, "until", answer->until);
    json_write_number(out, "cycle", answer->cycle);
    json_write_number(out, "accounts", answer->accounts);
    json_write_text(out, "report", answer->report);
    if (answer->holds)
        control_hold_list_write(out, answer->holds, answer->hold_count);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
    return out->failed;
}

static bool outcome_from_name(const char *name, bool is_error, enum control_outcome *ret_outcome)
{
    for (unsigned outcome = 0; name && outcome < OUTCOME_COUNT; outcome++) {
        if (outcomes[outcome].is_error != is_error || !str_equal(outcomes[outcome].name, name))
            continue;
        *ret_outcome = (enum control_outcome)outcome;
        return true;
    }
    return false;
}

static bool read_error(struct json_object *error, struct control_answer *answer)
{
    if (!outcome_from_name(json_string(error, "code"), true, &answer->outcome))
        answer->outcome = CONTROL_INVALID;
    answer->message = json_string(error, "message");
    return answer->message;
}

static bool read_answer(struct json_object *document, struct control_answer *answer)
{
    const char *until = json_string(document, "until");
    int64_t number;

    answer->message = json_string(document, "message");
    answer->account = json_string(document, "account");
    answer->report = json_string(document, "report");
    if (until && !date_from_rfc3339(until, &answer->until))
        return false;
    if (json_int64(document, "cycle", &number) && number >= 0)
        answer->cycle = (uint64_t)number;
    if (json_int64(document, "accounts", &number) && number >= 0)
        answer->accounts = (size_t)number;
    return answer->message &&
           outcome_from_name(json_string(document, "outcome"), false, &answer->outcome);
}

int control_answer_parse(const char *text, size_t length, struct control_answer *answer,
                         struct json_object **ret_document, struct err *err)
{
    struct json_object *document = json_parse(text, length, err);
    struct json_object *error;
    bool understood;

    *ret_document = NULL;
    *answer = (struct control_answer){.outcome = CONTROL_INVALID, .until = TIME_NEVER};
    if (!document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    error = json_member(document, "error");
    understood = error ? read_error(error, answer) : read_answer(document, answer);
    if (!understood) {
        json_object_put(document);
        *answer = (struct control_answer){.outcome = CONTROL_INVALID, .until = TIME_NEVER};
        return err_set(err, -EBADMSG, "the daemon's answer is not one that this program knows");
    }
    *ret_document = document;
    return 0;
}
