#include "proto/two_key/web_token_probe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/encoding.h"

/* {"alg":"HS256","typ":"JWT"} */
#define HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

enum { TOKEN_SECONDS = 300 };

/* The audience is the URL without its query. */
static int append_claims(struct buf *out, const char *url, time_ms now)
{
    struct buf claims;
    int rc;

    buf_init(&claims, HTTP_HEADER_MAX);
    (void)buf_append_format(&claims, "{\"aud\":\"%.*s\",\"exp\":%" PRId64 "}",
                            (int)strcspn(url, "?"), url, now / MS_SECOND + TOKEN_SECONDS);
    rc =
        claims.failed == 0 ? base64url_append(out, buf_str(&claims), claims.length) : claims.failed;
    buf_done(&claims);
    return rc;
}

static int append_token(struct buf *out, const char *url, const struct two_key_probe *probe)
{
    uint8_t signature[SHA256_LENGTH];
    int rc;

    (void)buf_append_str(out, HEADER ".");
    rc = append_claims(out, url, probe->now);
    if (rc == 0)
        rc = crypto_hmac_sha256(secret_bytes(probe->key), secret_length(probe->key), buf_str(out),
                                out->length, signature);
    if (rc == 0)
        rc = buf_append_char(out, '.');
    return rc == 0 ? base64url_append(out, signature, sizeof(signature)) : rc;
}

static int build(const struct two_key_probe_form *form, struct http_request *request,
                 const struct two_key_probe *probe, struct err *err)
{
    struct buf token, value;
    int rc = probe_begin(form, request, probe, err);

    if (rc < 0)
        return rc;
    buf_init(&token, HTTP_HEADER_MAX);
    buf_init(&value, HTTP_HEADER_MAX);
    rc = append_token(&token, buf_str(&request->url), probe);
    if (rc == 0)
        rc = buf_append_format(&value, "Bearer %s", buf_str(&token));
    if (rc == 0)
        http_request_header(request, "Authorization", buf_str(&value));
    else
        err_set(err, rc, "the request cannot be signed: %s", strerror(-rc));
    buf_done(&token);
    buf_done(&value);
    return rc == 0 ? probe_check_fits(request, err) : rc;
}

/* A service that does not know the path answers with 404, too. */
#define FORM(of_service, version)                                                                  \
    {                                                                                              \
        .build = build, .read = probe_read, .id_header = "x-ms-request-id",                        \
        .words = "a question about a connection that there is not", .service = (of_service),       \
        .method = "HEAD", .path = "/api/hubs/none/connections/none?api-version=" version,          \
        .accepted = {200, 404}, .refused = {401}, .acceptance_is_uncertain = true                  \
    }

const struct two_key_probe_form signalr_probe = FORM("SignalR", "2022-06-01");
const struct two_key_probe_form web_pubsub_probe = FORM("Web PubSub", "2024-01-01");
