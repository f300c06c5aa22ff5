#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"
#include "proto/two_key/two_key.h"

#define PROBE_DEADLINE (20 * MS_SECOND)
/* Services refuse signed requests whose date is 15 minutes off; a minute is left for the transfer.
 */
#define DATE_TOLERANCE (14 * MS_MINUTE)

enum { PROBE_REPLY_MAX = 64 * 1024, CODE_MAX = 128 };

/* --- the request --- */

static int check_fits(const struct http_request *request, struct err *err)
{
    int rc = http_request_check(request);

    return rc == 0 ? 0 : err_set(err, rc, "the request does not fit: %s", strerror(-rc));
}

int probe_begin(const struct two_key_probe_form *form, struct http_request *request,
                const struct two_key_probe *probe, struct err *err)
{
    http_request_init(request, form->method, PROBE_DEADLINE);
    request->repeatable = true; /* it changes nothing */
    request->reply_maximum = PROBE_REPLY_MAX;
    buf_append_format(&request->url, "https://%s%s", probe->endpoint, form->path);
    http_request_header(request, "Accept", "application/json, */*;q=0.5");
    http_request_header(request, "x-ms-client-request-id", probe->client_request_id);
    if (form->body) {
        http_request_header(request, "Content-Type", "application/json");
        buf_append_str(&request->body, form->body);
    }
    return check_fits(request, err); /* a truncated part would be signed, too */
}

int probe_build_plain(const struct two_key_probe_form *form, struct http_request *request,
                      const struct two_key_probe *probe, struct err *err)
{
    int rc = probe_begin(form, request, probe, err);

    if (rc == 0)
        http_request_secret(request, form->header, "", probe->key);
    return rc == 0 ? check_fits(request, err) : rc;
}

/* --- the answer --- */

static bool is_among(const int statuses[TWO_KEY_STATUSES_MAX], int status)
{
    for (size_t i = 0; i < TWO_KEY_STATUSES_MAX; i++)
        if (statuses[i] != 0 && statuses[i] == status)
            return true;
    return false;
}

static bool is_refused(const struct two_key_probe_form *form, int status, const char *code)
{
    if (!is_among(form->refused, status))
        return false;
    for (size_t i = 0; i < TWO_KEY_STATUSES_MAX && form->refused_codes[i]; i++)
        if (str_equal_nocase(form->refused_codes[i], code))
            return true;
    return !form->refused_codes[0];
}

static bool is_late(const struct http_reply *reply, time_ms now)
{
    const time_ms server_time = http_reply_date(reply);
    const duration_ms skew = server_time == TIME_NEVER ? 0 : server_time - now;

    return skew > DATE_TOLERANCE || skew < -DATE_TOLERANCE;
}

static void explain(const struct two_key_probe_form *form, const struct http_reply *reply,
                    const char *code, time_ms now, struct failure *failure)
{
    char stranger[STRANGER_TEXT_MAX];

    if (form->off_code && str_equal_nocase(code, form->off_code)) {
        failure->reason = REASON_SHARED_KEY_DISABLED;
        failure_set_text(failure, "%s says that keys are switched off: %d %s", form->service,
                         reply->status, code);
    } else if (is_refused(form, reply->status, code) && is_late(reply, now)) {
        failure->reason = REASON_CLOCK_SKEW;
        failure_set_text(failure, "%s refused the request, and its clock differs from ours",
                         form->service);
    } else if (is_refused(form, reply->status, code)) {
        failure->reason = REASON_KEY_REFUSED;
        failure_set_text(failure, "%s refused the key: %d %s", form->service, reply->status, code);
    } else {
        failure->reason = reply->status == 429 || (reply->status == 503 && failure->retry_after > 0)
                              ? REASON_THROTTLED
                              : REASON_AZURE_ERROR;
        failure_set_text(failure, "%s did not say whether it accepts the key: %d %s%s",
                         form->service, reply->status, code, stranger_describe(reply, stranger));
        if (reply->status == 403)
            failure_set_remedy(failure,
                               "let this machine reach the data plane: see the resource's network "
                               "rules, or set verify: off");
    }
}

/* From the body, where that is JSON, or else from the header that all of Azure's services have. */
static bool read_code(const struct http_reply *reply, char code[CODE_MAX])
{
    struct cloud_error error;

    if (!cloud_error_parse(&error, buf_str(&reply->body), reply->body.length) &&
        error.out_of_memory)
        return false;
    (void)str_copy(code, CODE_MAX, cloud_error_code(&error));
    if (code[0] == '\0' && !http_reply_header(reply, "x-ms-error-code", code, CODE_MAX))
        code[0] = '\0';
    return true;
}

bool probe_read(const struct two_key_probe_form *form, const struct http_reply *reply, time_ms now,
                struct failure *failure)
{
    char code[CODE_MAX] = "";

    if (failure_from_transport(failure, reply, form->service, false))
        return false;
    if (is_among(form->accepted, reply->status))
        return true;
    failure_init(failure, REASON_AZURE_ERROR);
    failure_note_status(failure, reply, now);
    failure_note_id(failure->request_id, reply, form->id_header);
    if (!read_code(reply, code)) {
        failure_set_text(failure, "%s answered with %d, and there is no memory to read why",
                         form->service, reply->status);
        return false;
    }
    failure_set_code(failure, code);
    explain(form, reply, code, now, failure);
    return false;
}
