#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/str.h"
#include "proto/cloud_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"
#include "proto/two_key/two_key.h"

/* Services refuse signed requests whose date is 15 minutes off; a minute is left for the transfer.
 */
#define DATE_TOLERANCE (14 * MS_MINUTE)

enum { PROBE_REPLY_MAX = 64 * 1024, CODE_MAX = 128, SIGNATURE_SECONDS = 300 };

/* --- the request --- */

int probe_check_fits(const struct http_request *request, struct err *err)
{
    int rc = http_request_check(request);

    return rc == 0 ? 0 : err_set(err, rc, "the request does not fit: %s", strerror(-rc));
}

/* The form's path, with the names in the id. */
static void append_path(struct buf *out, const char *path, const char *resource_id)
{
    const struct two_key_names names = two_key_names_of(resource_id);

    while (*path != '\0') {
        const size_t plain = strcspn(path, "{");

        (void)buf_append(out, path, plain);
        path += plain;
        if (*path == '\0')
            break;
        const size_t number = (size_t)(path[1] - '1');

        if (number < names.count)
            (void)percent_encode(out, names.at[number].text, names.at[number].length);
        path += strlen("{1}");
    }
}

void probe_append_host(struct buf *out, const struct two_key_probe_form *form,
                       const struct two_key_probe *probe)
{
    const unsigned port = probe->port != 0 ? probe->port : form->port;

    (void)buf_append_format(out, "https://%s", probe->endpoint);
    if (port != 0 && !strchr(probe->endpoint, ':'))
        (void)buf_append_format(out, ":%u", port);
}

int probe_begin(const struct two_key_probe_form *form, struct http_request *request,
                const struct two_key_probe *probe, struct err *err)
{
    http_request_init(request, form->method, PROBE_DEADLINE);
    request->service = HTTP_TO_DATA_PLANE;
    request->repeatable = true; /* it changes nothing */
    request->reply_maximum = PROBE_REPLY_MAX;
    probe_append_host(&request->url, form, probe);
    append_path(&request->url, form->path, probe->resource_id);
    http_request_header(request, "Accept", "application/json, */*;q=0.5");
    http_request_header(request, "x-ms-client-request-id", probe->client_request_id);
    if (form->body) {
        http_request_header(request, "Content-Type", "application/json");
        buf_append_str(&request->body, form->body);
    }
    return probe_check_fits(request, err); /* a truncated part would be signed, too */
}

int probe_build_plain(const struct two_key_probe_form *form, struct http_request *request,
                      const struct two_key_probe *probe, struct err *err)
{
    int rc = probe_begin(form, request, probe, err);

    if (rc == 0)
        http_request_secret(request, form->header ? form->header : "Authorization",
                            form->before ? form->before : "", probe->key);
    return rc == 0 ? probe_check_fits(request, err) : rc;
}

int probe_sign(const struct secret *key, const char *text, char **ret_signature, struct err *err)
{
    uint8_t bytes[KEY_TEXT_MAX], signature[SHA256_LENGTH];
    size_t length;
    int rc;

    *ret_signature = NULL;
    if (key_text_decode(key, bytes, sizeof(bytes), &length) < 0)
        return err_set(err, -EINVAL,
                       "the key is not base64, so it cannot be a key of the resource");
    rc = crypto_hmac_sha256(bytes, length, text, strlen(text), signature);
    wipe(bytes, sizeof(bytes));
    if (rc == 0)
        *ret_signature = base64_encode(signature, sizeof(signature));
    if (rc == 0 && !*ret_signature)
        rc = -ENOMEM;
    return rc == 0 ? 0 : err_set(err, rc, "the request cannot be signed: %s", strerror(-rc));
}

/* The URL without its query, as the service does it: in lower case. */
static int sign(struct buf *out, const struct two_key_probe *probe, const char *url,
                const struct two_key_names *names)
{
    const size_t rule = names->count - 1;
    const int64_t expires = probe->now / MS_SECOND + SIGNATURE_SECONDS;
    uint8_t signature[SHA256_LENGTH];
    struct buf resource, to_sign;
    char *encoded = NULL;
    int rc;

    buf_init(&resource, HTTP_URL_MAX);
    buf_init(&to_sign, HTTP_URL_MAX);
    (void)percent_encode(&resource, url, strcspn(url, "?"));
    (void)buf_append_format(&to_sign, "%s\n%" PRId64, buf_str(&resource), expires);
    rc = to_sign.failed;
    if (rc == 0)
        rc = crypto_hmac_sha256(secret_bytes(probe->key), secret_length(probe->key),
                                buf_str(&to_sign), to_sign.length, signature);
    if (rc == 0)
        encoded = base64_encode(signature, sizeof(signature));
    if (rc == 0 && !encoded)
        rc = -ENOMEM;
    (void)buf_append_format(out, "SharedAccessSignature sr=%s&sig=", buf_str(&resource));
    if (encoded)
        (void)percent_encode(out, encoded, strlen(encoded));
    (void)buf_append_format(out, "&se=%" PRId64 "&skn=", expires);
    (void)percent_encode(out, names->at[rule].text, names->at[rule].length);
    free(encoded);
    buf_done(&to_sign);
    buf_done(&resource);
    return rc == 0 ? out->failed : rc;
}

int probe_build_sas(const struct two_key_probe_form *form, struct http_request *request,
                    const struct two_key_probe *probe, struct err *err)
{
    const struct two_key_names names = two_key_names_of(probe->resource_id);
    int rc = probe_begin(form, request, probe, err);
    struct buf value;

    if (rc < 0)
        return rc;
    if (names.count == 0)
        return err_set(err, -EIO, "the resource id names no rule");
    buf_init(&value, HTTP_HEADER_MAX);
    rc = sign(&value, probe, buf_str(&request->url), &names);
    if (rc == 0)
        http_request_header(request, form->header ? form->header : "Authorization",
                            buf_str(&value));
    else
        err_set(err, rc, "the request cannot be signed: %s", strerror(-rc));
    buf_done(&value);
    return rc == 0 ? probe_check_fits(request, err) : rc;
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

/* Without the words that it ought to have, a refusal may come from somebody else. */
static bool is_explained(const struct two_key_probe_form *form, const struct http_reply *reply)
{
    return !form->refused_text || strcasestr(buf_str(&reply->body), form->refused_text);
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
    const bool refused = is_refused(form, reply->status, code) && is_explained(form, reply);

    if ((form->off_code && str_equal_nocase(code, form->off_code)) ||
        (form->off_text && strcasestr(buf_str(&reply->body), form->off_text))) {
        failure->reason = REASON_SHARED_KEY_DISABLED;
        failure_set_text(failure, "%s says that keys are switched off: %d %s", form->service,
                         reply->status, code);
    } else if (refused && is_late(reply, now)) {
        failure->reason = REASON_CLOCK_SKEW;
        failure_set_text(failure, "%s refused the request, and its clock differs from ours",
                         form->service);
    } else if (refused) {
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

/* The signature was fine, and the rule may not do what was asked. */
static bool lacks_right_only(const struct two_key_probe_form *form, const struct http_reply *reply)
{
    return form->refused_text && is_among(form->refused, reply->status) &&
           strcasestr(buf_str(&reply->body), "SubCode=") &&
           !strcasestr(buf_str(&reply->body), form->refused_text);
}

bool probe_read(const struct two_key_probe_form *form, const struct http_reply *reply, time_ms now,
                struct failure *failure)
{
    char code[CODE_MAX] = "";

    if (failure_from_transport(failure, reply, form->service, false))
        return false;
    if (is_among(form->accepted, reply->status) || lacks_right_only(form, reply))
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
