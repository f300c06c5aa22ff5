/*
 * A message to a webhook: its body, its signature, and what the answer means.
 *
 * Source: Standard Webhooks 1.0.0 (standardwebhooks.com): the headers webhook-id, webhook-timestamp
 * and webhook-signature, the secret's form, and the meaning of statuses.
 */
#ifndef KEYROTATED_PROTO_WEBHOOK_H
#define KEYROTATED_PROTO_WEBHOOK_H

#include "base/buf.h"
#include "base/secret.h"
#include "core/look.h"
#include "proto/http_message.h"
#include "proto/key_file.h"

enum {
    WEBHOOK_SECRETS_MAX = 2, /* the new and the old one, while a secret is changed */
    WEBHOOK_ID_MAX = 40,
    WEBHOOK_BODY_MAX = 20 * 1000 /* receivers need not accept more */
};

/*
 * The bytes that sign, from the text of a secret: "whsec_" and base64, or base64 alone, of 24 to 64
 * bytes; padding may be missing. NULL where it is anything else: then *ret_problem says what is
 * wrong, or is NULL for want of memory.
 */
struct secret *webhook_secret(const struct secret *text, const char **ret_problem);

/*
 * The id of a message: the same for each attempt to deliver this key of this slot and cycle to this
 * target, and another one for everything else. `resource_id` counts without regard to case. Returns
 * 0, or -EIO when the library fails.
 */
int webhook_id(const char *resource_id, const struct target_id *target, enum slot slot,
               uint64_t cycle, const struct fingerprint *key, char out[WEBHOOK_ID_MAX]);

/* Appends the body, one JSON object. An endpoint that is "" is null. `out` wipes itself; give it
 * WEBHOOK_BODY_MAX. Returns 0 or the buffer's error. */
int webhook_body(const struct key_file *content, const struct fingerprint *key, bool include_key,
                 struct buf *out);

/* Appends the value of webhook-signature, one signature for each secret, with blanks between them.
 * `timestamp` is in seconds since 1970. Returns 0, -ENOMEM, or -EIO when the library fails. */
int webhook_sign(struct secret *const secrets[], size_t secret_count, const char *id,
                 int64_t timestamp, const struct buf *body, struct buf *out);

/* Makes the request to `url`, whose body is there already, and signs it. Returns 0 or a negative
 * errno value. */
int webhook_request(struct http_request *request, const char *url, struct secret *const secrets[],
                    size_t secret_count, const char *id, int64_t timestamp);

/* Reads the reply. Returns 0 where the message was delivered, -EIO with *failure filled where it
 * was not, or -ENOMEM. `url` is shown. */
int webhook_read(const struct http_reply *reply, const char *url, time_ms now,
                 struct failure *failure);

#endif
