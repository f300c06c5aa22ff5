#include "proto/two_key/hmac_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

/* The base64 of the SHA-256 of nothing: the requests have no body. */
#define NO_CONTENT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

#define SIGNED_HEADERS "SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="

/* Of "https://HOST/PATH?QUERY". */
static int sign(const struct http_request *request, const struct secret *key, const char *date,
                char **ret_signature, struct err *err)
{
    const char *host = buf_str(&request->url) + strlen("https://");
    const size_t host_length = strcspn(host, "/");
    struct buf text;
    int rc;

    buf_init(&text, HTTP_URL_MAX + HTTP_HEADER_MAX);
    (void)buf_append_format(&text, "%s\n%s\n%s;%.*s;" NO_CONTENT, request->method,
                            host + host_length, date, (int)host_length, host);
    if (text.failed != 0)
        rc = err_set(err, text.failed, "the request cannot be signed: %s", strerror(-text.failed));
    else
        rc = probe_sign(key, buf_str(&text), ret_signature, err);
    buf_done(&text);
    return rc;
}

static int add_signature(struct http_request *request, const char *credential,
                         const struct two_key_probe *probe, struct err *err)
{
    char date[DATE_TEXT_MAX];
    char *signature = NULL;
    struct buf value;
    int rc = sign(request, probe->key, date_to_http(probe->now, date), &signature, err);

    buf_init(&value, HTTP_HEADER_MAX);
    if (rc == 0) {
        rc = buf_append_format(&value, "HMAC-SHA256 %s%s%s" SIGNED_HEADERS "%s",
                               credential ? "Credential=" : "", credential ? credential : "",
                               credential ? "&" : "", signature);
        if (rc < 0)
            err_set(err, rc, "the request cannot be signed: %s", strerror(-rc));
    }
    if (rc == 0) {
        http_request_header(request, "x-ms-date", date);
        http_request_header(request, "x-ms-content-sha256", NO_CONTENT);
        http_request_header(request, "Authorization", buf_str(&value));
        rc = probe_check_fits(request, err);
    }
    free(signature);
    buf_done(&value);
    return rc;
}

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    int rc = probe_begin(form, request, probe, err);

    return rc == 0 ? add_signature(request, NULL, probe, err) : rc;
}

static int build_with_id(const struct two_key_probe_form *form, struct http_request *request,
                         const struct two_key_probe *probe, struct err *err)
{
    int rc = probe_begin(form, request, probe, err);

    if (rc == 0 && !probe->key_id)
        rc = err_set(err, -ENODATA, "the id of the key is not known yet");
    return rc == 0 ? add_signature(request, probe->key_id, probe, err) : rc;
}

const struct two_key_probe_form app_configuration_probe = {
    .build = build_with_id,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a listing of the names of no key-value",
    .service = "App Configuration",
    .method = "GET",
    .path = "/keys?api-version=1.0&name=keyrotated-looks-for-nothing",
    .accepted = {200},
    .refused = {401},
};

const struct two_key_probe_form communication_probe = {
    .build = build,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a listing of one phone number",
    .service = "Communication Services",
    .method = "GET",
    .path = "/phoneNumbers?api-version=2022-12-01&top=1",
    .accepted = {200},
    .refused = {401},
};
