#include "proto/two_key/iot_probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"

enum { SIGNATURE_SECONDS = 300, TEXT_MAX = 1024 };

/* "SharedAccessSignature sr=HOST&sig=…&se=TIME&skn=POLICY". */
static int sign(struct buf *out, const struct two_key_probe *probe, struct err *err)
{
    const struct two_key_names names = two_key_names_of(probe->resource_id);
    const int64_t expires = probe->now / MS_SECOND + SIGNATURE_SECONDS;
    const size_t host = strcspn(probe->endpoint, ":");
    char *signature = NULL;
    struct buf text;
    int rc;

    if (names.count == 0)
        return err_set(err, -EIO, "the resource id names no policy");
    buf_init(&text, TEXT_MAX);
    (void)percent_encode(&text, probe->endpoint, host);
    rc = buf_append_format(&text, "\n%" PRId64, expires);
    if (rc == 0)
        rc = probe_sign(probe->key, buf_str(&text), &signature, err);
    else
        err_set(err, rc, "the text to sign does not fit");
    buf_done(&text);
    if (!signature)
        return rc;
    (void)buf_append_str(out, "SharedAccessSignature sr=");
    (void)percent_encode(out, probe->endpoint, host);
    (void)buf_append_str(out, "&sig=");
    (void)percent_encode(out, signature, strlen(signature));
    (void)buf_append_format(out, "&se=%" PRId64 "&skn=", expires);
    (void)percent_encode(out, names.at[names.count - 1].text, names.at[names.count - 1].length);
    free(signature);
    return out->failed == 0 ? 0 : err_set(err, out->failed, "the signature does not fit");
}

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    int rc = probe_begin(form, request, probe, err);
    struct buf value;

    if (rc < 0)
        return rc;
    buf_init(&value, HTTP_HEADER_MAX);
    rc = sign(&value, probe, err);
    if (rc == 0)
        http_request_header(request, "Authorization", buf_str(&value));
    /* Of the answer to a query; requests that find nothing pass over it. */
    http_request_header(request, "x-ms-max-item-count", "1");
    buf_done(&value);
    return rc == 0 ? probe_check_fits(request, err) : rc;
}

const struct two_key_probe_form iot_hub_probe = {
    .build = build,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a count of the devices that are connected",
    .service = "the IoT hub",
    .method = "GET",
    .path = "/statistics/service?api-version=2021-04-12",
    .accepted = {200},
    .refused = {401},
};

const struct two_key_probe_form device_provisioning_probe = {
    .build = build,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a query for one enrollment group",
    .service = "the Device Provisioning Service",
    .method = "POST",
    .path = "/enrollmentGroups/query?api-version=2021-10-01",
    .body = "{\"query\":\"SELECT * FROM enrollmentGroups\"}",
    .accepted = {200},
    .refused = {401},
};
