#include "proto/federated_token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "base/str.h"
#include "base/wipe.h"
#include "proto/failure.h"

#define CLOCKS_DIFFER (5 * MS_MINUTE)

enum { CLAIMS_MAX = 16 * 1024 };

static const char no_token[] =
    "it is no JSON Web Token (three parts in base64url, with dots "
    "between them)";

/* base64url without padding (RFC 7515, section 2). Returns the count of bytes, or -1. */
static long decode_part(const char *text, size_t length, char out[CLAIMS_MAX])
{
    char standard[CLAIMS_MAX];
    const size_t padding = (4 - length % 4) % 4;
    long count = -1;

    if (length > 0 && length + padding <= sizeof(standard)) {
        for (size_t i = 0; i < length; i++)
            standard[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
        memset(standard + length, '=', padding);
        count = base64_decode(standard, length + padding, (uint8_t *)out, CLAIMS_MAX);
    }
    wipe(standard, sizeof(standard));
    return count;
}

static struct json_object *parse_part(const char *text, size_t length, struct err *err)
{
    char *bytes = malloc(CLAIMS_MAX);
    struct json_object *object = NULL;
    long count;

    if (!bytes) {
        (void)err_set(err, -ENOMEM, "no memory");
        return NULL;
    }
    count = decode_part(text, length, bytes);
    if (count > 0)
        object = json_parse_foreign(bytes, (size_t)count, err);
    if (object && !json_object_is_type(object, json_type_object)) {
        json_free_wiped(object);
        object = NULL;
    }
    if (!object && err->code != -ENOMEM)
        (void)err_set(err, -EINVAL, "%s", no_token);
    wipe(bytes, CLAIMS_MAX);
    free(bytes);
    return object;
}

/* Seconds since 1970, perhaps with decimals. */
static time_ms read_instant(struct json_object *claims, const char *name, time_ms fallback)
{
    struct json_object *value = json_member(claims, name);
    double seconds;

    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return fallback;
    seconds = json_object_get_double(value);
    if (!(seconds >= 0 && seconds < 1e11))
        return fallback;
    return (time_ms)(seconds * 1000);
}

static void read_claims(struct federated_token *token, struct json_object *claims)
{
    struct json_object *audiences = json_member(claims, "aud");
    const char *issuer = json_string(claims, "iss");
    const char *subject = json_string(claims, "sub");
    const char *audience = json_string(claims, "aud");

    if (json_object_is_type(audiences, json_type_array)) {
        struct json_object *first = json_object_array_get_idx(audiences, 0);

        if (json_object_is_type(first, json_type_string))
            audience = json_object_get_string(first);
    }
    (void)str_copy(token->issuer, sizeof(token->issuer), issuer ? issuer : "");
    (void)str_copy(token->subject, sizeof(token->subject), subject ? subject : "");
    (void)str_copy(token->audience, sizeof(token->audience), audience ? audience : "");
    token->expires = read_instant(claims, "exp", TIME_NEVER);
    token->valid_from = read_instant(claims, "nbf", 0);
}

int federated_token_read(struct federated_token *token, const struct secret *text, struct err *err)
{
    const char *first = secret_bytes(text);
    const char *second = strchr(first, '.');
    const char *third = second ? strchr(second + 1, '.') : NULL;
    struct json_object *claims;

    *token = (struct federated_token){.expires = TIME_NEVER};
    if (!third || third[1] == '\0' || strchr(third + 1, '.'))
        return err_set(err, -EINVAL, "%s", no_token);
    claims = parse_part(second + 1, (size_t)(third - second - 1), err);
    if (!claims)
        return err->code;
    read_claims(token, claims);
    json_free_wiped(claims);
    return 0;
}

bool federated_token_check(const struct federated_token *token, const char *file, time_ms now,
                           struct failure *failure)
{
    char at[DATE_TEXT_MAX], words[DURATION_TEXT_MAX];

    if (token->expires != TIME_NEVER && time_between(token->expires, now) > CLOCKS_DIFFER) {
        const duration_ms age = time_between(token->expires, now);

        failure_init(failure, REASON_TOKEN_FAILED);
        failure_set_text(failure, "the federated token in %s expired %s ago (%s), and was not sent",
                         file, duration_to_words(age - age % MS_SECOND, words),
                         date_to_rfc3339(token->expires, at));
        failure_set_remedy(failure,
                           "let what writes %s renew it (Kubernetes: the kubelet does so for a "
                           "projected volume, not for one that is mounted with subPath), and "
                           "compare this machine's clock, which `date -u` shows",
                           file);
        return false;
    }
    if (token->valid_from > 0 && time_between(now, token->valid_from) > CLOCKS_DIFFER) {
        failure_init(failure, REASON_TOKEN_FAILED);
        failure_set_text(failure,
                         "the federated token in %s is valid from %s only, and was not sent", file,
                         date_to_rfc3339(token->valid_from, at));
        failure_set_remedy(failure,
                           "set this machine's clock, which `date -u` shows, or that of the "
                           "machine that issues the token");
        return false;
    }
    return true;
}
