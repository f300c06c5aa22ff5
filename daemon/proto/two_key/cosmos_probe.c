#include "proto/two_key/cosmos_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/encoding.h"
#include "base/str.h"

/* What is signed has the date in lower case. */
static int sign(const struct secret *key, const char *date, struct buf *out, struct err *err)
{
    char *signature = NULL;
    struct buf text;
    int rc;

    buf_init(&text, HTTP_HEADER_MAX);
    (void)buf_append_format(&text, "get\ndbs\n\n%s\n\n", date);
    if (text.failed != 0) {
        rc = err_set(err, text.failed, "the request cannot be signed: %s", strerror(-text.failed));
    } else {
        str_lower(text.data);
        rc = probe_sign(key, text.data, &signature, err);
    }
    if (signature) {
        (void)percent_encode(out, "type=master&ver=1.0&sig=", strlen("type=master&ver=1.0&sig="));
        if (percent_encode(out, signature, strlen(signature)) != 0)
            rc = err_set(err, out->failed, "the request cannot be signed: %s",
                         strerror(-out->failed));
    }
    free(signature);
    buf_done(&text);
    return rc;
}

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    char date[DATE_TEXT_MAX];
    struct buf value;
    int rc = probe_begin(form, request, probe, err);

    if (rc < 0)
        return rc;
    buf_init(&value, HTTP_HEADER_MAX);
    rc = sign(probe->key, date_to_http(probe->now, date), &value, err);
    if (rc == 0) {
        http_request_header(request, "x-ms-date", date);
        http_request_header(request, "x-ms-version", "2018-12-31");
        http_request_header(request, "Authorization", buf_str(&value));
        rc = probe_check_fits(request, err);
    }
    buf_done(&value);
    return rc;
}

const struct two_key_probe_form cosmos_probe = {
    .build = build,
    .read = probe_read,
    .id_header = "x-ms-activity-id",
    .words = "a listing of the databases",
    .service = "Cosmos DB",
    .method = "GET",
    .path = "/dbs",
    .accepted = {200},
    .refused = {401},
    .off_text = "Local Authorization is disabled",
};
