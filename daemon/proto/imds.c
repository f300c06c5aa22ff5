#include "proto/imds.h"

#include <errno.h>
#include <string.h>

#include "base/encoding.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"

#define IMDS_DEADLINE    (10 * MS_SECOND)
#define UPDATE_LONGEST   (75 * MS_SECOND)
#define UPDATE_PAUSE     (10 * MS_SECOND)
#define FIRST_PAUSE      (2 * MS_SECOND)
#define PATIENCE_LONGEST (30 * MS_SECOND)

enum { IMDS_REPLY_MAX = 64 * 1024, ATTEMPTS_MAX = 5 };

static const char service[] = "the instance metadata service";

static void append_parameter(struct buf *url, const char *name, const char *value)
{
    if (!value)
        return;
    (void)buf_append_format(url, "&%s=", name);
    (void)percent_encode(url, value, strlen(value));
}

int imds_token_request(struct http_request *request, const struct imds_identity *identity,
                       struct err *err)
{
    struct buf *url = &request->url;
    int rc;

    http_request_init(request, "GET", IMDS_DEADLINE);
    request->repeatable = true;
    request->link_local = true;
    request->reply_maximum = IMDS_REPLY_MAX;
    /* The header proves that no redirect or browser forged the request. */
    http_request_header(request, "Metadata", "true");
    http_request_header(request, "Accept", "application/json");

    buf_append_format(url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01",
                      identity->endpoint);
    append_parameter(url, "resource", identity->audience);
    append_parameter(url, "client_id", identity->client_id);
    append_parameter(url, "object_id", identity->object_id);
    append_parameter(url, "msi_res_id", identity->resource_id);
    rc = http_request_check(request);
    return rc < 0 ? err_set(err, rc, "the request for a token does not fit: %s", strerror(-rc)) : 0;
}

static void set_remedy(struct failure *failure, const struct imds_identity *identity)
{
    const char *selector = identity->client_id     ? identity->client_id
                           : identity->object_id   ? identity->object_id
                           : identity->resource_id ? identity->resource_id
                                                   : NULL;

    if (failure->http_status != 400)
        return;
    if (selector)
        failure_set_remedy(failure,
                           "assign the managed identity %s to this virtual machine, or "
                           "correct the identity's client_id, object_id or resource_id",
                           selector);
    else
        failure_set_remedy(failure,
                           "turn on the system-assigned managed identity of this virtual machine "
                           "(az vm identity assign), or select a user-assigned one by client_id");
}

static void read_error(struct failure *failure, const struct http_reply *reply)
{
    char stranger[STRANGER_TEXT_MAX];
    struct cloud_error error;
    bool readable = cloud_error_parse(&error, buf_str(&reply->body), reply->body.length);
    const char *unexplained =
        error.out_of_memory ? "and there is no memory to read why" : "without an explanation";
    const char *message = cloud_error_message(&error);

    failure_set_code(failure, cloud_error_code(&error));
    failure_set_text(failure, "%s gave no token: %d %s%s%s%s", service, reply->status,
                     readable && cloud_error_code(&error)[0] != '\0' ? cloud_error_code(&error)
                                                                     : unexplained,
                     message[0] != '\0' ? ": " : "", message,
                     readable ? "" : stranger_describe(reply, stranger));
}

int imds_token_reply(struct access_token *token, const struct http_reply *reply,
                     const struct imds_identity *identity, time_ms now, struct failure *failure)
{
    *token = (struct access_token){.token = NULL};
    if (failure_from_transport(failure, reply, service, false)) {
        failure->reason = REASON_TOKEN_FAILED;
        failure_set_remedy(failure,
                           "run on an Azure virtual machine, or use an identity of another type; "
                           "if this is a virtual machine in Azure, let it reach %s",
                           identity->endpoint);
        return -EIO;
    }
    if (reply->status == 200)
        return access_token_read(token, reply, service, now, failure) < 0 ? -EIO : 0;

    failure_init(failure, reply->status == 429 ? REASON_THROTTLED : REASON_TOKEN_FAILED);
    failure_note_status(failure, reply, now);
    failure_note_id(failure->request_id, reply, "x-ms-request-id");
    read_error(failure, reply);
    set_remedy(failure, identity);
    return -EIO;
}

duration_ms imds_retry_delay(const struct http_reply *reply, unsigned attempts, duration_ms elapsed,
                             time_ms now)
{
    duration_ms asked, pause;

    if (reply->outcome == HTTP_UNSENT || reply->outcome == HTTP_CANCELED)
        return 0;
    if (reply->outcome == HTTP_ANSWERED && reply->status == 410)
        return elapsed < UPDATE_LONGEST ? UPDATE_PAUSE : 0;
    if (reply->outcome == HTTP_ANSWERED && reply->status != 404 && reply->status != 429 &&
        reply->status < 500)
        return 0;
    if (attempts < 1 || attempts >= ATTEMPTS_MAX)
        return 0;
    pause = FIRST_PAUSE << (attempts - 1);
    asked = reply->outcome == HTTP_ANSWERED ? http_reply_retry_after(reply, now) : 0;
    if (asked > PATIENCE_LONGEST)
        return 0;
    return asked > pause ? asked : pause;
}
