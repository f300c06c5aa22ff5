#include "proto/two_key/registry_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/encoding.h"
#include "base/wipe.h"

enum { CREDENTIALS_MAX = 4096 };

/* Its base64; NULL when memory is out. */
static struct secret *encode(const struct buf *credentials)
{
    char *text =
        credentials->failed == 0 ? base64_encode(buf_str(credentials), credentials->length) : NULL;
    struct secret *encoded = text ? secret_new(text, strlen(text)) : NULL;

    if (text)
        wipe(text, strlen(text));
    free(text);
    return encoded;
}

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    struct buf credentials;
    struct secret *encoded = NULL;
    int rc = probe_begin(form, request, probe, err);

    if (rc < 0)
        return rc;
    buf_init(&credentials, CREDENTIALS_MAX);
    buf_append_format(&credentials, "%s:", probe->name);
    buf_append(&credentials, secret_bytes(probe->key), secret_length(probe->key));
    encoded = encode(&credentials);
    if (encoded)
        http_request_secret(request, "Authorization", "Basic ", encoded);
    else
        rc = err_set(err, -ENOMEM, "the request cannot be made: there is no memory");
    buf_done(&credentials);
    secret_free(encoded);
    return rc == 0 ? probe_check_fits(request, err) : rc;
}

const struct two_key_probe_form registry_probe = {
    .build = build,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a GET of the base of its API",
    .service = "the registry",
    .method = "GET",
    .path = "/v2/",
    .accepted = {200},
    .refused = {401},
};
