#include "proto/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/wipe.h"
#include "proto/key_text.h"

void failure_init(struct failure *failure, enum reason reason)
{
    *failure = (struct failure){.reason = reason};
}

static int set(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Long enough that a key at the place where a text is cut is still whole. */
enum { UNCUT_MAX = 4096 };

/* Redacts before it cuts, because the first half of a key no longer looks like one. */
static void cut(char *out, size_t size, char uncut[UNCUT_MAX])
{
    utf8_make_presentable(uncut);
    key_text_redact(uncut);
    (void)str_copy(out, size, uncut);
    out[utf8_whole(out, strlen(out))] = '\0';
}

/* Returns the length that the whole text would have. */
static int set(char *out, size_t size, const char *format, va_list arguments)
{
    char uncut[UNCUT_MAX];
    const int length = vsnprintf(uncut, sizeof(uncut), format, arguments);

    cut(out, size, uncut);
    wipe(uncut, sizeof(uncut));
    return length;
}

void failure_set(struct failure *failure, enum reason reason, const char *format, ...)
{
    va_list arguments;

    failure_init(failure, reason);
    va_start(arguments, format);
    (void)set(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
}

void failure_set_text(struct failure *failure, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)set(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
}

/* Half a command does harm. Clauses end outside of commands, with a semicolon or ", or ". */
static void keep_whole_clauses(char *text)
{
    bool is_command = false;
    size_t end = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] == '`')
            is_command = !is_command;
        else if (!is_command && (text[i] == ';' || str_starts_with(text + i, ", or ")))
            end = i;
    }
    text[end] = '\0';
}

void failure_set_remedy(struct failure *failure, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (set(failure->remedy, sizeof(failure->remedy), format, arguments) >= FAILURE_REMEDY_MAX)
        keep_whole_clauses(failure->remedy);
    va_end(arguments);
}

void failure_from_err(struct failure *failure, enum reason reason, const struct err *err)
{
    failure_set(failure, reason, "%s", err->text);
}

void failure_set_code(struct failure *failure, const char *code)
{
    char uncut[UNCUT_MAX];

    (void)str_copy(uncut, sizeof(uncut), code);
    cut(failure->error_code, sizeof(failure->error_code), uncut);
    wipe(uncut, sizeof(uncut));
}

int failure_copy_message(const char *message, char *out, size_t size)
{
    char *text = str_dup(message);

    out[0] = '\0';
    if (!text)
        return message ? -ENOMEM : 0;
    key_text_redact(text);
    if (!str_copy(out, size, text))
        out[utf8_whole(out, strlen(out))] = '\0';
    wipe(text, strlen(text));
    free(text);
    return 0;
}

void failure_set_id(char id[FAILURE_ID_MAX], const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~')
            return;
    }
    (void)str_copy(id, FAILURE_ID_MAX, value);
}

bool failure_from_transport(struct failure *failure, const struct http_reply *reply,
                            const char *service, bool may_have_acted)
{
    switch (reply->outcome) {
    case HTTP_ANSWERED:
        return false;
    case HTTP_UNSENT:
        failure_set(failure, REASON_NETWORK, "%s cannot be reached: %s", service,
                    reply->error.text);
        break;
    case HTTP_LOST:
        failure_set(failure, may_have_acted ? REASON_OUTCOME_UNKNOWN : REASON_NETWORK,
                    "%s: the answer was lost: %s", service, reply->error.text);
        failure->outcome_unknown = may_have_acted;
        break;
    case HTTP_CANCELED:
        failure_set(failure, may_have_acted ? REASON_OUTCOME_UNKNOWN : REASON_NETWORK,
                    "%s: the request was abandoned before the answer came", service);
        failure->outcome_unknown = may_have_acted;
        break;
    }
    failure->http_status = reply->status;
    return true;
}

void failure_note_status(struct failure *failure, const struct http_reply *reply, time_ms now)
{
    failure->http_status = reply->status;
    failure->retry_after = http_reply_retry_after(reply, now);
}

void failure_note_id(char id[FAILURE_ID_MAX], const struct http_reply *reply, const char *header)
{
    char value[FAILURE_ID_MAX];

    if (http_reply_header(reply, header, value, sizeof(value)))
        failure_set_id(id, value);
}

void failure_note_ids(struct failure *failure, const struct http_reply *reply)
{
    failure_note_id(failure->request_id, reply, "x-ms-request-id");
    failure_note_id(failure->correlation_id, reply, "x-ms-correlation-request-id");
    failure_note_id(failure->client_request_id, reply, "x-ms-client-request-id");
}

bool failure_had_no_effect(int status)
{
    return status >= 400 && status < 500 && status != 408;
}
