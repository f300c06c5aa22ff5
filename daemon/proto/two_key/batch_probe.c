#include "proto/two_key/batch_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/str.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"
#include "proto/two_key/shared_key.h"

#define PROBE_DEADLINE (20 * MS_SECOND)
/* The service refuses requests whose date is 15 minutes off; a minute is left for the transfer. */
#define DATE_TOLERANCE (14 * MS_MINUTE)

#define API_VERSION "2024-07-01.20.0"

enum { PROBE_REPLY_MAX = 64 * 1024 };

static const char service[] = "the Batch service";

/* --- the request --- */

static int check_fits(const struct http_request *request, struct err *err)
{
    int rc = http_request_check(request);

    return rc == 0 ? 0 : err_set(err, rc, "the request does not fit: %s", strerror(-rc));
}

int batch_sign(struct http_request *request, const char *account_name, const struct secret *key,
               time_ms now, struct err *err)
{
    char date[DATE_TEXT_MAX];
    char *name = str_dup(account_name);
    int rc;

    if (!name)
        return err_set(err, -ENOMEM, "the request cannot be signed: there is no memory");
    /* Names of Batch accounts are lower case in Azure, even when the resource id is not. */
    str_lower(name);
    http_request_header(request, "ocp-date", date_to_http(now, date));
    rc = shared_key_sign(request, name, "ocp-", key, err);
    free(name);
    if (rc == 0)
        rc = check_fits(request, err);
    return rc;
}

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    int rc;

    (void)form;
    http_request_init(request, "GET", PROBE_DEADLINE);
    request->service = HTTP_TO_DATA_PLANE;
    request->repeatable = true;
    request->reply_maximum = PROBE_REPLY_MAX;
    buf_append_format(&request->url,
                      "https://%s/pools?api-version=" API_VERSION "&maxresults=1&$select=id",
                      probe->endpoint);
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "client-request-id", probe->client_request_id);
    http_request_header(request, "return-client-request-id", "true");
    rc = check_fits(request, err); /* a truncated part would be signed, too */
    return rc == 0 ? batch_sign(request, probe->name, probe->key, probe->now, err) : rc;
}

/* --- the answer --- */

/* The details repeat the signature and the string that was signed: they are read, not shown. */
static bool detail_mentions(const struct cloud_error *error, const char *words)
{
    const struct cloud_error_item *detail = cloud_error_find(error, "AuthenticationErrorDetail");

    return detail && strcasestr(detail->message, words);
}

static void explain_refusal(struct failure *failure, const struct cloud_error *error,
                            time_ms server_time, time_ms now)
{
    duration_ms skew = server_time == TIME_NEVER ? 0 : server_time - now;

    if (detail_mentions(error, "SharedKey is not allowed")) {
        failure->reason = REASON_SHARED_KEY_DISABLED;
        failure_set_text(failure, "%s does not allow SharedKey for this account", service);
    } else if (skew > DATE_TOLERANCE || skew < -DATE_TOLERANCE) {
        char words[DURATION_TEXT_MAX];

        failure->reason = REASON_CLOCK_SKEW;
        failure_set_text(failure, "%s refused the request for its date: the clocks differ by %s",
                         service, duration_to_words(skew < 0 ? -skew : skew, words));
    } else {
        failure->reason = REASON_KEY_REFUSED;
        failure_set_text(failure, "%s refused the key: %d %s", service, failure->http_status,
                         cloud_error_code(error));
    }
}

static void explain_error(struct failure *failure, const struct cloud_error *error,
                          const struct http_reply *reply)
{
    char stranger[STRANGER_TEXT_MAX];
    const char *message = cloud_error_message(error);

    failure->reason = REASON_AZURE_ERROR;
    if (failure->http_status == 429 ||
        (failure->http_status == 503 &&
         (failure->retry_after > 0 || cloud_error_find(error, "ServerBusy"))))
        failure->reason = REASON_THROTTLED;
    failure_set_text(failure, "%s did not say whether it accepts the key: %d %s%s%.*s%s", service,
                     failure->http_status, cloud_error_code(error), message[0] != '\0' ? ": " : "",
                     (int)strcspn(message, "\r\n"), message, stranger_describe(reply, stranger));
    if (failure->http_status == 403)
        failure_set_remedy(failure,
                           "let this machine reach the account's data plane: see its "
                           "publicNetworkAccess and networkProfile, or set verify: off");
}

static bool read_reply(const struct two_key_probe_form *form, const struct http_reply *reply,
                       time_ms now, struct failure *failure)
{
    struct cloud_error error;

    (void)form;
    if (failure_from_transport(failure, reply, service, false))
        return false;
    if (reply->status == 200)
        return true;

    failure_init(failure, REASON_AZURE_ERROR);
    failure_note_status(failure, reply, now);
    failure_note_id(failure->request_id, reply, "request-id");
    failure_note_id(failure->client_request_id, reply, "client-request-id");
    if (!cloud_error_parse(&error, buf_str(&reply->body), reply->body.length) &&
        error.out_of_memory) {
        failure_set_text(failure, "%s answered with %d, and there is no memory to read why",
                         service, reply->status);
        return false;
    }
    failure_set_code(failure, cloud_error_code(&error));
    if ((reply->status == 401 || reply->status == 403) &&
        cloud_error_find(&error, "AuthenticationFailed"))
        explain_refusal(failure, &error, http_reply_date(reply), now);
    else
        explain_error(failure, &error, reply);
    return false;
}

const struct two_key_probe_form batch_probe = {
    .build = build,
    .read = read_reply,
    .id_header = "request-id",
    .words = "a listing of one pool",
    .refusal_is_certain = true,
    .service = service,
};
