#include "proto/control_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/str.h"

enum { SEGMENTS_MAX = 4 };

bool control_names_account(const char *typed, const char *name, const char *resource_group,
                           const char *id)
{
    const char *slash = strchr(typed, '/');

    if (!slash)
        return str_equal_nocase(typed, name);
    if (slash == typed)
        return str_equal_nocase(typed, id);
    return str_equal_nocase(slash + 1, name) && strlen(resource_group) == (size_t)(slash - typed) &&
           str_starts_with_nocase(typed, resource_group);
}

/* --- the request line --- */

/* Percent-decoding (RFC 3986, section 2.1). Returns NULL and sets *ret_code when the result is no
 * text. */
static char *decode(const char *encoded, size_t length, size_t most, int *ret_code)
{
    char *text = malloc(length + 1);
    size_t used = 0;

    *ret_code = text ? -EINVAL : -ENOMEM;
    if (!text)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)encoded[i];

        if (byte == '%') {
            char digits[3] = "";

            if (length - i < 3)
                goto malformed;
            memcpy(digits, encoded + i + 1, 2);
            if (!hex_decode(digits, &byte, 1))
                goto malformed;
            i += 2;
        }
        if (byte < 0x20 || byte == 0x7f)
            goto malformed;
        text[used++] = (char)byte;
    }
    text[used] = '\0';
    if (used > 0 && used <= most && utf8_valid(text, used))
        return text;

malformed:
    free(text);
    return NULL;
}

/* --- the parameters of a question --- */

static int take_account(struct control_query *query, const char *text, size_t length,
                        struct err *err)
{
    int rc;

    if (query->name_count == CONTROL_NAMED_MAX)
        return err_set(err, -EINVAL, "more than %d accounts", (int)CONTROL_NAMED_MAX);
    query->names[query->name_count] = decode(text, length, CONTROL_ACCOUNT_MAX, &rc);
    if (!query->names[query->name_count])
        return err_set(err, rc, "malformed account in the query");
    query->name_count++;
    return 0;
}

/* `none`: what *at is while none was given. */
static int take_time(time_ms *at, time_ms none, const char *name, const char *text, size_t length,
                     struct err *err)
{
    int rc;
    char *time = decode(text, length, CONTROL_ACCOUNT_MAX, &rc);
    const bool is_time = time && *at == none && date_from_rfc3339(time, at);

    free(time);
    if (is_time)
        return 0;
    return err_set(err, time ? -EINVAL : rc,
                   "%s: one time was expected, such as 2026-11-22T12:00:00Z", name);
}

static int take_until(struct control_query *query, const char *text, size_t length, struct err *err)
{
    return take_time(&query->until, TIME_NEVER, "until", text, length, err);
}

static int take_since(struct control_query *query, const char *text, size_t length, struct err *err)
{
    return take_time(&query->since, 0, "since", text, length, err);
}

static int take_failed(struct control_query *query, const char *text, size_t length,
                       struct err *err)
{
    static const char yes[] = "true";

    if (query->failed || length != sizeof(yes) - 1 || memcmp(text, yes, length) != 0)
        return err_set(err, -EINVAL, "failed: true was expected, once");
    query->failed = true;
    return 0;
}

static int take_word(char **word, const char *name, const char *text, size_t length,
                     struct err *err)
{
    int rc = -EINVAL;

    if (*word)
        return err_set(err, -EINVAL, "%s: one was expected", name);
    *word = decode(text, length, CONTROL_TEXT_MAX, &rc);
    return *word ? 0 : err_set(err, rc, "%s: malformed", name);
}

static int take_state(struct control_query *query, const char *text, size_t length, struct err *err)
{
    return take_word(&query->state, "state", text, length, err);
}

static int take_policy(struct control_query *query, const char *text, size_t length,
                       struct err *err)
{
    return take_word(&query->policy, "policy", text, length, err);
}

static int take_after(struct control_query *query, const char *text, size_t length, struct err *err)
{
    int rc = -EINVAL;

    if (!query->after)
        query->after = decode(text, length, CONTROL_ID_MAX, &rc);
    else
        return err_set(err, -EINVAL, "after: one id was expected");
    return query->after ? 0 : err_set(err, rc, "malformed id in the query");
}

static int take_fingerprint(struct control_query *query, const char *text, size_t length,
                            struct err *err)
{
    char hex[FINGERPRINT_TEXT_MAX] = "";

    if (query->sought_count == CONTROL_SOUGHT_MAX)
        return err_set(err, -EINVAL, "more than %d fingerprints", (int)CONTROL_SOUGHT_MAX);
    if (length < sizeof(hex))
        memcpy(hex, text, length);
    if (!hex_decode(hex, query->sought[query->sought_count].bytes, FINGERPRINT_LENGTH) ||
        fingerprint_is_none(&query->sought[query->sought_count]))
        return err_set(err, -EINVAL, "fingerprint: %d hex digits were expected",
                       2 * FINGERPRINT_LENGTH);
    query->sought_count++;
    return 0;
}

#define OF(member) offsetof(struct control_question, member)
static const struct {
    const char *prefix;
    size_t of; /* the member of a question that has it: true */
    int (*take)(struct control_query *query, const char *text, size_t length, struct err *err);
} parameters[] = {
    {"account=", OF(of_accounts), take_account}, {"until=", OF(of_time), take_until},
    {"after=", OF(of_time), take_after},         {"fingerprint=", OF(of_keys), take_fingerprint},
    {"since=", OF(of_past), take_since},         {"failed=", OF(of_past), take_failed},
    {"state=", OF(of_some), take_state},         {"policy=", OF(of_some), take_policy},
};
#undef OF

static bool has_parameter(const struct control_question *question, size_t of)
{
    return *(const bool *)((const char *)question + of);
}

static int take_parameter(const struct control_question *question, const char *text, size_t length,
                          struct control_query *query, struct err *err)
{
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        const size_t skip = strlen(parameters[i].prefix);

        if (has_parameter(question, parameters[i].of) && length > skip &&
            strncmp(text, parameters[i].prefix, skip) == 0)
            return parameters[i].take(query, text + skip, length - skip, err);
    }
    if (question->of_past)
        return err_set(err, -EINVAL,
                       "the parameters are account=NAME, since=TIME, until=TIME, failed=true and "
                       "after=ID");
    if (question->of_some)
        return err_set(err, -EINVAL,
                       "the parameters are account=NAME, state=STATE and policy=POLICY");
    if (question->of_keys)
        return err_set(err, -EINVAL, "the only parameter is fingerprint=HEX");
    return err_set(err, -EINVAL,
                   question->of_time ? "the parameters are account=NAME, until=TIME and after=ID"
                                     : "the only parameter is account=NAME");
}

static int parse_query(const char *text, struct control_request_line *line, struct err *err)
{
    int rc = *text != '\0' ? 0 : err_set(err, -EINVAL, "an empty query");

    while (rc == 0 && *text != '\0') {
        const size_t length = strcspn(text, "&");

        rc = take_parameter(line->question, text, length, &line->query, err);
        text += length;
        text += *text == '&';
    }
    return rc;
}

static int demand_method(const char *method, const char *expected, const char **ret_allow,
                         struct err *err)
{
    if (str_equal(method, expected))
        return 0;
    *ret_allow = expected;
    return err_set(err, -ENOTSUP, "only %s is possible here", expected);
}

/* "v1" QUESTION, and the account of one about accounts. */
static int parse_question(const struct control_question *question, const char *method,
                          char **segments, size_t count, const char *query,
                          struct control_request_line *line, const char **ret_allow,
                          struct err *err)
{
    line->question = question;
    if (count == 3) {
        line->query.names[line->query.name_count++] = segments[2];
        segments[2] = NULL;
    }
    if (demand_method(method, "GET", ret_allow, err) != 0)
        return -ENOTSUP;
    if (!query)
        return 0;
    if ((!question->of_accounts && !question->of_keys) || count == 3)
        return err_set(err, -EINVAL, "there are no parameters here");
    return parse_query(query, line, err);
}

/* "v1" COMMAND, or "v1" "accounts" ACCOUNT COMMAND. */
static int parse_command(const char *method, char **segments, size_t count, const char *query,
                         struct control_request_line *line, const char **ret_allow, struct err *err)
{
    const bool of_account = count == 4 && str_equal(segments[1], "accounts");

    if ((count != 2 && !of_account) ||
        !control_command_from_name(segments[count - 1], of_account ? ABOUT_ACCOUNT : ABOUT_ALL,
                                   &line->kind))
        return err_set(err, -ENOENT, "there is no such path");
    if (of_account) {
        line->account = segments[2];
        segments[2] = NULL;
    }
    if (query)
        return err_set(err, -EINVAL, "there are no parameters here");
    return demand_method(method, "POST", ret_allow, err);
}

static const struct control_question *find_question(const struct control_question *questions,
                                                    size_t question_count, char *const *segments,
                                                    size_t count)
{
    for (size_t i = 0; i < question_count; i++)
        if ((count == 2 || (count == 3 && questions[i].of_accounts)) &&
            str_equal(segments[1], questions[i].name))
            return &questions[i];
    return NULL;
}

/* Splits the path into at most SEGMENTS_MAX segments. */
static int split_path(const char *path, size_t length, char **segments, size_t *ret_count,
                      struct err *err)
{
    size_t count = 0;
    size_t at = 0;
    int rc = path[0] == '/' ? 0 : -ENOENT;

    while (rc == 0 && at < length) {
        const size_t end = at + 1 + strcspn(path + at + 1, "/?");

        if (count == SEGMENTS_MAX)
            rc = -ENOENT;
        else if (!(segments[count++] =
                       decode(path + at + 1, end - at - 1, CONTROL_ACCOUNT_MAX, &rc)))
            return err_set(err, rc, "malformed path");
        else
            rc = 0;
        at = end;
    }
    *ret_count = count;
    if (rc == 0 && (count < 2 || !str_equal(segments[0], "v1")))
        rc = -ENOENT;
    return rc == 0 ? 0 : err_set(err, rc, "there is no such path");
}

int control_request_line_parse(const char *method, const char *uri,
                               const struct control_question *questions, size_t question_count,
                               struct control_request_line *line, const char **ret_allow,
                               struct err *err)
{
    const size_t path_length = strcspn(uri, "?");
    const char *query = uri[path_length] == '?' ? uri + path_length + 1 : NULL;
    const struct control_question *question;
    char *segments[SEGMENTS_MAX] = {NULL};
    size_t count = 0;
    int rc;

    *line = (struct control_request_line){.query.until = TIME_NEVER};
    *ret_allow = NULL;
    rc = split_path(uri, path_length, segments, &count, err);
    if (rc == 0) {
        question = find_question(questions, question_count, segments, count);
        rc = question
                 ? parse_question(question, method, segments, count, query, line, ret_allow, err)
                 : parse_command(method, segments, count, query, line, ret_allow, err);
    }
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        free(segments[i]);
    return rc;
}

void control_request_line_done(struct control_request_line *line)
{
    for (size_t i = 0; i < line->query.name_count; i++)
        free(line->query.names[i]);
    free(line->query.after);
    free(line->query.state);
    free(line->query.policy);
    free(line->account);
    *line = (struct control_request_line){0};
}

int control_command_path(const struct control_command *command, struct buf *out)
{
    (void)buf_append_str(out, "/v1/");
    if (command->account) {
        (void)buf_append_str(out, "accounts/");
        (void)percent_encode(out, command->account, strlen(command->account));
        (void)buf_append_char(out, '/');
    }
    return buf_append_str(out, control_command_row(command->kind)->name);
}

int control_question_path(const char *question, char *const *names, size_t name_count,
                          struct buf *out)
{
    (void)buf_append_format(out, "/v1/%s", question);
    for (size_t i = 0; i < name_count; i++) {
        (void)buf_append_str(out, i == 0 ? "?account=" : "&account=");
        (void)percent_encode(out, names[i], strlen(names[i]));
    }
    return out->failed;
}

static void append_parameter(const char *name, const char *value, bool is_first, struct buf *out)
{
    (void)buf_append_format(out, "%c%s=", is_first ? '?' : '&', name);
    (void)percent_encode(out, value, strlen(value));
}

int control_selection_path(const char *question, char *const *names, size_t name_count,
                           const char *state, const char *policy, struct buf *out)
{
    (void)control_question_path(question, names, name_count, out);
    if (state)
        append_parameter("state", state, name_count == 0, out);
    if (policy)
        append_parameter("policy", policy, name_count == 0 && !state, out);
    return out->failed;
}
