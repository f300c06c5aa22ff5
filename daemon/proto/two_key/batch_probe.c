#include "proto/two_key/batch_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/str.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"
#include "proto/key_text.h"

#define PROBE_DEADLINE (20 * MS_SECOND)
/* The service refuses requests whose date is 15 minutes off; a minute is left for the transfer. */
#define DATE_TOLERANCE (14 * MS_MINUTE)

#define API_VERSION "2024-07-01.20.0"

enum { PROBE_REPLY_MAX = 64 * 1024, PARAMETERS_MAX = 32, TO_SIGN_MAX = 16 * 1024 };

static const char service[] = "the Batch service";

/* --- the string to sign --- */

/* The value of a header that the request carries, or NULL. */
static const char *request_header(const struct http_request *request, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = buf_str(&request->headers[i]);

        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

static void append_standard_headers(struct buf *out, const struct http_request *request)
{
    static const char *const names[] = {"Content-Encoding",
                                        "Content-Language",
                                        "Content-Length",
                                        "Content-MD5",
                                        "Content-Type",
                                        "Date",
                                        "If-Modified-Since",
                                        "If-Match",
                                        "If-None-Match",
                                        "If-Unmodified-Since",
                                        "Range"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = request_header(request, names[i]);

        if (value)
            buf_append_str(out, value);
        else if (str_equal(names[i], "Content-Length") && request->body.length > 0)
            buf_append_format(out, "%zu", request->body.length);
        buf_append_char(out, '\n');
    }
}

static int compare_lines(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Sorts lines "name:value" and appends each with `before` and `after`; frees them. */
static int append_sorted(struct buf *out, char *lines[], size_t count, const char *before,
                         const char *after)
{
    bool complete = true;

    for (size_t i = 0; i < count; i++)
        complete = complete && lines[i];
    if (complete)
        qsort(lines, count, sizeof(lines[0]), compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (complete)
            buf_append_format(out, "%s%s%s", before, lines[i], after);
        free(lines[i]);
    }
    return complete ? 0 : -ENOMEM;
}

/* Every ocp-* header: name in lower case, colon, value. */
static int append_service_headers(struct buf *out, const struct http_request *request)
{
    char *lines[HTTP_HEADERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = buf_str(&request->headers[i]);
        size_t name_length = strcspn(line, ":");
        char *name;

        if (!str_starts_with_nocase(line, "ocp-") || line[name_length] != ':')
            continue;
        name = str_dup_n(line, name_length);
        if (name)
            str_lower(name);
        line += name_length + 1;
        lines[count++] = !name ? NULL : str_format("%s:%s", name, line + strspn(line, " "));
        free(name);
    }
    return append_sorted(out, lines, count, "", "\n");
}

/* Undoes percent-encoding in place. */
static void percent_decode(char *text)
{
    char *out = text;

    while (*text != '\0') {
        uint8_t byte;

        if (text[0] == '%' && text[1] != '\0' && text[2] != '\0' &&
            hex_decode((const char[]){text[1], text[2], '\0'}, &byte, 1)) {
            *out++ = (char)byte;
            text += 3;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* "Name=va%20lue" becomes "name:va lue". NULL when memory is out. */
static char *canonical_parameter(const char *text, size_t length)
{
    char *line = str_dup_n(text, length);
    char *equals;

    if (!line)
        return NULL;
    equals = strchr(line, '=');
    if (!equals)
        return line;
    *equals = '\0';
    str_lower(line);
    *equals = ':';
    percent_decode(line);
    return line;
}

/* The path as it is sent, then the parameters, sorted by name, a line each. */
static int append_resource(struct buf *out, const char *url, const char *account_name)
{
    const char *authority = strstr(url, "://");
    const char *path = authority ? strchr(authority + 3, '/') : NULL;
    char *lines[PARAMETERS_MAX];
    size_t count = 0, path_length;

    if (!path)
        return -EINVAL;
    path_length = strcspn(path, "?");
    buf_append_format(out, "/%s", account_name);
    buf_append(out, path, path_length);
    for (path += path_length; *path != '\0' && count < PARAMETERS_MAX;) {
        size_t length = strcspn(++path, "&");

        if (length > 0)
            lines[count++] = canonical_parameter(path, length);
        path += length;
    }
    return append_sorted(out, lines, count, "\n", "");
}

static int append_string_to_sign(struct buf *out, const struct http_request *request,
                                 const char *account_name)
{
    int rc;

    buf_append_format(out, "%s\n", request->method);
    append_standard_headers(out, request);
    rc = append_service_headers(out, request);
    if (rc == 0)
        rc = append_resource(out, buf_str(&request->url), account_name);
    return rc == 0 ? out->failed : rc;
}

/* --- the request --- */

static int add_authorization(struct http_request *request, const char *account_name,
                             const struct secret *key, struct err *err)
{
    uint8_t key_bytes[KEY_TEXT_MAX], signature[SHA256_LENGTH];
    struct buf to_sign;
    size_t key_length;
    char *encoded = NULL, *value = NULL;
    int rc;

    if (key_text_decode(key, key_bytes, sizeof(key_bytes), &key_length) < 0)
        return err_set(err, -EINVAL, "the key is not base64, so it cannot be a key of the account");
    buf_init(&to_sign, TO_SIGN_MAX);
    rc = append_string_to_sign(&to_sign, request, account_name);
    if (rc == 0)
        rc =
            crypto_hmac_sha256(key_bytes, key_length, buf_str(&to_sign), to_sign.length, signature);
    wipe(key_bytes, sizeof(key_bytes));
    buf_done(&to_sign);
    if (rc < 0)
        return err_set(err, rc, "the request cannot be signed: %s", strerror(-rc));

    encoded = base64_encode(signature, sizeof(signature));
    if (encoded)
        value = str_format("SharedKey %s:%s", account_name, encoded);
    if (value)
        http_request_header(request, "Authorization", value);
    else
        rc = err_set(err, -ENOMEM, "the request cannot be signed: there is no memory");
    free(encoded);
    free(value);
    return rc;
}

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
    rc = add_authorization(request, name, key, err);
    free(name);
    if (rc == 0)
        rc = check_fits(request, err);
    return rc;
}

int batch_probe_request(struct http_request *request, const struct two_key_probe *probe,
                        struct err *err)
{
    int rc;

    http_request_init(request, "GET", PROBE_DEADLINE);
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

bool batch_probe_reply(const struct http_reply *reply, time_ms now, struct failure *failure)
{
    struct cloud_error error;

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
