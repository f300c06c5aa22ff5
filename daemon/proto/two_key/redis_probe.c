#include "proto/two_key/redis_probe.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "proto/failure.h"

enum { REPLY_MAX = 1024, PORT_TLS = 6380, CODE_MAX = 32 };

/* --- the request --- */

/* Lengths go before the words, so that a key may consist of any characters. */
static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    const size_t length = secret_length(probe->key);
    int rc;

    http_request_init(request, "AUTH", PROBE_DEADLINE);
    request->service = HTTP_TO_DATA_PLANE;
    request->bare = true;
    request->repeatable = true; /* it changes nothing */
    request->reply_maximum = REPLY_MAX;
    probe_append_host(&request->url, form, probe);
    (void)buf_append_char(&request->url, '/');
    (void)buf_append_format(&request->body, "*2\r\n$4\r\nAUTH\r\n$%zu\r\n", length);
    (void)buf_append(&request->body, secret_bytes(probe->key), length);
    (void)buf_append_str(&request->body, "\r\n*1\r\n$4\r\nQUIT\r\n");
    rc = http_request_check(request);
    return rc == 0 ? 0 : err_set(err, rc, "the request does not fit: %s", strerror(-rc));
}

/* --- the answer --- */

/* Version 6 has a code for it; older ones have a sentence. */
static bool is_refusal(const char *line)
{
    return str_starts_with(line, "-WRONGPASS") || str_starts_with(line, "-ERR invalid password");
}

/* "WRONGPASS" of "-WRONGPASS invalid username-password pair". */
static void copy_code(const char *line, char code[CODE_MAX])
{
    char *end;

    (void)str_copy(code, CODE_MAX, *line == '-' ? line + 1 : "");
    end = code + strcspn(code, " ");
    *end = '\0';
}

static bool read_line(const struct two_key_probe_form *form, const struct http_reply *reply,
                      time_ms now, struct failure *failure)
{
    const char *line = buf_str(&reply->body);
    char code[CODE_MAX];

    (void)now;
    if (failure_from_transport(failure, reply, form->service, false))
        return false;
    if (str_equal(line, "+OK"))
        return true;
    copy_code(line, code);
    failure_init(failure, is_refusal(line) ? REASON_KEY_REFUSED : REASON_AZURE_ERROR);
    failure_set_code(failure, code);
    if (is_refusal(line))
        failure_set_text(failure, "%s refused the key: %s", form->service, code);
    else if (code[0] != '\0')
        failure_set_text(failure, "%s did not say whether it accepts the key: %s", form->service,
                         code);
    else
        failure_set_text(failure, "%s did not answer in Redis's protocol", form->service);
    return false;
}

const struct two_key_probe_form redis_probe = {
    .build = build,
    .read = read_line,
    .words = "an AUTH",
    .service = "the cache",
    .port = PORT_TLS,
};
