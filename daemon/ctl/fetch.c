#include "ctl/fetch.h"

#include <json-c/json_object.h>

#include "ctl/client.h"
#include "ctl/complain.h"

/* A reply that is no status document says why: 4xx, that the question was wrong. */
static enum ctl_exit explain_refusal(const struct buf *text, long http_status)
{
    struct control_answer answer;
    struct json_object *document;
    struct err err;
    enum ctl_exit result;

    if (control_answer_parse(buf_str(text), text->length, &answer, &document, &err) != 0)
        return ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    result = ctl_complain_as(http_status >= 400 && http_status < 500 ? CTL_USAGE : CTL_UNREACHABLE,
                             control_outcome_name(answer.outcome), "%s", answer.message);
    json_object_put(document);
    return result;
}

enum ctl_exit ctl_fetch(const struct ctl_options *options, const char *question, char *const *names,
                        size_t name_count, struct buf *text)
{
    char storage[CTL_PATH_MAX];
    enum ctl_exit result;
    long http_status = 0;
    struct buf path;
    struct err err;

    err_clear(&err);
    buf_clear(text);
    buf_init(&path, CONTROL_URI_MAX);
    if (control_question_path(question, names, name_count, &path) != 0)
        result = ctl_complain(CTL_USAGE, "too many or too long names for one request");
    else
        result = ctl_request(ctl_socket_path(options, storage), buf_str(&path), NULL, text,
                             &http_status, &err);
    if (err.code != 0)
        (void)ctl_complain(result, "%s", err.text);
    buf_done(&path);
    if (result != CTL_DONE)
        return result;
    return http_status == 200 ? CTL_DONE : explain_refusal(text, http_status);
}

enum ctl_exit ctl_fetch_status(const struct ctl_options *options, const char *question,
                               char *const *names, size_t name_count, struct control_status *status,
                               struct buf *text)
{
    enum ctl_exit result;
    struct buf own;
    struct err err;

    buf_init(&own, CONTROL_REPLY_MAX);
    if (!text)
        text = &own;
    result = ctl_fetch(options, question, names, name_count, text);
    if (result == CTL_DONE && control_status_parse(buf_str(text), text->length, status, &err) != 0)
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    buf_done(&own);
    return result;
}
