#include "proto/webhook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/stranger.h"

enum {
    SECRET_BYTES_MIN = 24,
    SECRET_BYTES_MAX = 64,
    SECRET_TEXT_MAX = 88, /* 64 bytes in base64, with padding */
    ID_BYTES = 16,
    ID_SOURCE_MAX = 4096,
    NUMBER_MAX = 32,
    SIGNATURES_MAX = 256,
    MESSAGE_MAX = 160
};

static const char secret_prefix[] = "whsec_";

/* --- secrets --- */

struct secret *webhook_secret(const struct secret *text, const char **ret_problem)
{
    const char *encoded = secret_bytes(text);
    char padded[SECRET_TEXT_MAX + 3];
    uint8_t decoded[SECRET_BYTES_MAX + 3];
    struct secret *secret = NULL;
    size_t length;
    long count = -1;

    *ret_problem = NULL;
    if (str_starts_with(encoded, secret_prefix))
        encoded += strlen(secret_prefix);
    length = strlen(encoded);
    if (length <= SECRET_TEXT_MAX) {
        memcpy(padded, encoded, length);
        while (length % 4 != 0)
            padded[length++] = '=';
        count = base64_decode(padded, length, decoded, sizeof(decoded));
    }
    if (count < 0)
        *ret_problem = "it is not a signing secret, which is \"whsec_\" and base64";
    else if (count < SECRET_BYTES_MIN || count > SECRET_BYTES_MAX)
        *ret_problem = "it is not a signing secret, which has 24 to 64 bytes in base64";
    else
        secret = secret_new(decoded, (size_t)count);
    wipe(padded, sizeof(padded));
    wipe(decoded, sizeof(decoded));
    return secret;
}

/* --- what is sent --- */

int webhook_id(const char *resource_id, const struct target_id *target, enum slot slot,
               uint64_t cycle, const struct fingerprint *key, char out[WEBHOOK_ID_MAX])
{
    uint8_t hash[SHA256_LENGTH];
    struct buf source;
    int rc;

    buf_init(&source, ID_SOURCE_MAX);
    buf_append_str(&source, resource_id);
    if (source.length > 0)
        str_lower(source.data);
    buf_append_format(&source, "%c%s %" PRIu64 " ", '\0', slot_name(slot), cycle);
    buf_append(&source, target->bytes, sizeof(target->bytes));
    buf_append(&source, key->bytes, sizeof(key->bytes));
    rc = source.failed != 0 ? source.failed : crypto_sha256(source.data, source.length, hash);
    buf_done(&source);
    if (rc != 0)
        return rc;
    (void)str_copy(out, WEBHOOK_ID_MAX, "key_");
    hex_encode(hash, ID_BYTES, out + strlen(out));
    return 0;
}

int webhook_body(const struct key_file *content, const struct fingerprint *key, bool include_key,
                 struct buf *out)
{
    const char *endpoint = content->account_endpoint;
    char fingerprint[FINGERPRINT_TEXT_MAX];
    char at[DATE_TEXT_MAX];

    hex_encode(key->bytes, sizeof(key->bytes), fingerprint);
    json_write_open(out, NULL, '{');
    json_write_text(out, "type", "key.delivered");
    json_write_text(out, "timestamp", date_to_rfc3339(content->delivered_at, at));
    json_write_open(out, "data", '{');
    json_write_text(out, "account", content->account);
    json_write_text(out, "resource_id", content->resource_id);
    if (content->pair)
        json_write_text(out, "pair", content->pair);
    json_write_text(out, "account_endpoint", endpoint[0] != '\0' ? endpoint : NULL);
    json_write_text(out, "slot", slot_name(content->slot));
    json_write_number(out, "cycle", content->cycle);
    json_write_text(out, "fingerprint", fingerprint);
    if (include_key)
        json_write_text(out, "key", secret_bytes(content->key));
    json_write_close(out, '}');
    json_write_close(out, '}');
    return out->failed;
}

static int append_signature(struct buf *out, const struct secret *secret, const struct buf *text)
{
    uint8_t hash[SHA256_LENGTH];
    char *encoded;

    if (crypto_hmac_sha256(secret_bytes(secret), secret_length(secret), text->data, text->length,
                           hash) != 0)
        return -EIO;
    encoded = base64_encode(hash, sizeof(hash));
    if (!encoded)
        return -ENOMEM;
    buf_append_format(out, "%sv1,%s", out->length > 0 ? " " : "", encoded);
    free(encoded);
    return out->failed;
}

int webhook_sign(struct secret *const secrets[], size_t secret_count, const char *id,
                 int64_t timestamp, const struct buf *body, struct buf *out)
{
    struct buf text;
    int rc;

    buf_init(&text, strlen(id) + NUMBER_MAX + body->length);
    buf_append_format(&text, "%s.%" PRId64 ".", id, timestamp);
    buf_append(&text, buf_str(body), body->length);
    rc = text.failed;
    for (size_t i = 0; i < secret_count && rc == 0; i++)
        rc = append_signature(out, secrets[i], &text);
    buf_done(&text);
    return rc;
}

int webhook_request(struct http_request *request, const char *url, struct secret *const secrets[],
                    size_t secret_count, const char *id, int64_t timestamp)
{
    char number[NUMBER_MAX];
    struct buf signatures;
    int rc;

    buf_init(&signatures, SIGNATURES_MAX);
    rc = webhook_sign(secrets, secret_count, id, timestamp, &request->body, &signatures);
    (void)snprintf(number, sizeof(number), "%" PRId64, timestamp);
    buf_append_str(&request->url, url);
    http_request_header(request, "Content-Type", "application/json");
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "webhook-id", id);
    http_request_header(request, "webhook-timestamp", number);
    http_request_header(request, "webhook-signature", buf_str(&signatures));
    buf_done(&signatures);
    return rc != 0 ? rc : http_request_check(request);
}

/* --- what is answered --- */

struct meaning {
    int status; /* or the first of a hundred, for all that have no row of their own */
    enum reason reason;
    bool may_act; /* the receiver may have acted, or may yet */
    const char *remedy;
};

static const struct meaning meanings[] = {
    {202, REASON_NOT_YET, true, NULL},
    {425, REASON_NOT_YET, false, NULL},
    {401, REASON_TARGET_DENIED, false,
     "give the receiver the secret that stands in secret_file, and compare its clock with this "
     "machine's"},
    {403, REASON_TARGET_DENIED, false,
     "give the receiver the secret that stands in secret_file, compare its clock with this "
     "machine's, and see whether it admits this machine's address"},
    {404, REASON_TARGET_FAILED, false, "correct `url`, or set the hook up at the receiver"},
    {405, REASON_TARGET_FAILED, false, "correct `url`: the receiver takes no POST there"},
    {408, REASON_TARGET_FAILED, false,
     "nothing, unless it lasts: then see what delays requests on their way to the receiver"},
    {410, REASON_TARGET_FAILED, false,
     "correct `url`, or take the target out of deliver_to: the receiver wants no more messages"},
    {413, REASON_TARGET_FAILED, false,
     "let the receiver, and proxies before it, take bodies of 20 kB"},
    {415, REASON_TARGET_FAILED, false, "let the receiver take application/json"},
    {429, REASON_TARGET_FAILED, false,
     "nothing, unless it lasts: then let the receiver take more requests"},
    {502, REASON_TARGET_FAILED, true,
     "nothing, unless it lasts: then see whether the receiver runs behind its gateway"},
    {503, REASON_TARGET_FAILED, false,
     "nothing, unless it lasts: then see whether the receiver runs"},
    {504, REASON_TARGET_FAILED, true,
     "nothing, unless it lasts: then see why the receiver does not answer its gateway"},
    {300, REASON_TARGET_FAILED, false,
     "set `url` to the receiver's own address: redirects are not followed"},
    {400, REASON_TARGET_FAILED, false, "see in the receiver's log why it refuses the message"},
    {500, REASON_TARGET_FAILED, true, "see in the receiver's log why it fails"},
};

static const struct meaning *meaning_of(int status)
{
    static const struct meaning strange = {0, REASON_TARGET_FAILED, true,
                                           "check whether `url` leads to the receiver"};

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].status == status)
            return &meanings[i];
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].status == status / 100 * 100)
            return &meanings[i];
    }
    return &strange;
}

/* Receivers have no common form of an error: what the usual members of a JSON object say, or "".
 * Returns 0 or -ENOMEM. */
static int copy_message(const struct http_reply *reply, char out[MESSAGE_MAX])
{
    static const char *const names[] = {"message", "error", "detail", "title"};
    struct err err = {.code = 0};
    struct json_object *body = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    const char *found = NULL;
    int rc;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !found; i++)
        found = json_string(body, names[i]);
    rc = err.code == -ENOMEM ? -ENOMEM : failure_copy_message(found, out, MESSAGE_MAX);
    json_free_wiped(body);
    return rc;
}

/* The request was not sent. */
static void set_remedy_to_reach(struct failure *failure, const char *url, int code)
{
    const char *server = strstr(url, "//") + 2;
    const int length = (int)strcspn(server, "/");
    const char *colon = memrchr(server, ':', (size_t)length);
    const bool has_port = colon && !memchr(colon, ']', (size_t)(server + length - colon));

    if (code == -EPROTO)
        failure_set_remedy(failure,
                           "correct the receiver's certificate, or `ca_file` or `pin` of the "
                           "target: `openssl s_client -connect %.*s%s </dev/null` shows what the "
                           "receiver presents",
                           length, server, has_port ? "" : ":443");
    else if (code == -EPROTOTYPE)
        failure_set_remedy(failure,
                           "correct the port in `url`, or let the receiver have TLS there; http:// "
                           "is accepted for loopback hosts alone");
    else
        failure_set_remedy(failure,
                           "let this machine reach the receiver: `curl -sv %s` shows how far it "
                           "gets",
                           url);
}

static void describe_silence(const struct http_reply *reply, const char *url,
                             struct failure *failure)
{
    failure_init(failure, REASON_TARGET_FAILED);
    failure->http_status = reply->status;
    failure->outcome_unknown = reply->outcome == HTTP_LOST;
    if (reply->outcome == HTTP_UNSENT) {
        failure_set_text(failure, "webhook %s cannot be reached: %s", url, reply->error.text);
        set_remedy_to_reach(failure, url, reply->error.code);
    } else {
        failure_set_text(failure, "webhook %s: the answer was lost: %s", url, reply->error.text);
        failure_set_remedy(failure,
                           "see in the receiver's log whether it got the message; it is sent again "
                           "by itself, with the same webhook-id");
    }
}

int webhook_read(const struct http_reply *reply, const char *url, time_ms now,
                 struct failure *failure)
{
    const struct meaning *meaning;
    char message[MESSAGE_MAX], stranger[STRANGER_TEXT_MAX] = "";

    if (reply->outcome != HTTP_ANSWERED) {
        describe_silence(reply, url, failure);
        return -EIO;
    }
    if (reply->status / 100 == 2 && reply->status != 202)
        return 0;
    meaning = meaning_of(reply->status);
    failure_init(failure, meaning->reason);
    failure_note_status(failure, reply, now);
    failure->outcome_unknown = meaning->may_act;
    if (copy_message(reply, message) != 0)
        return -ENOMEM;
    if (reply->body.length > 0 || reply->status / 100 == 3)
        (void)stranger_describe(reply, stranger);
    failure_set_text(failure, "webhook %s %s %d%s%s%s", url,
                     meaning->reason == REASON_NOT_YET ? "asks for more time, with status"
                                                       : "answered with status",
                     reply->status, message[0] != '\0' ? ": " : "", message, stranger);
    if (meaning->remedy)
        failure_set_remedy(failure, "%s", meaning->remedy);
    return -EIO;
}
