#include "proto/claims.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

struct challenge {
    bool insufficient;
    char claims[CLAIMS_MAX]; /* in base64 */
};

static void take_parameter(struct challenge *challenge, const char *name, size_t name_length,
                           const char *value, size_t length)
{
    static const char error[] = "insufficient_claims";

    if (name_length == strlen("error") && strncasecmp(name, "error", name_length) == 0)
        challenge->insufficient = length == strlen(error) && strncasecmp(value, error, length) == 0;
    if (name_length != strlen("claims") || strncasecmp(name, "claims", name_length) != 0 ||
        length >= sizeof(challenge->claims))
        return;
    memcpy(challenge->claims, value, length);
    challenge->claims[length] = '\0';
}

/* The parameters of one header line, NAME=VALUE or NAME="VALUE" (RFC 9110, section 11.2). */
static void read_line(struct challenge *challenge, const char *at, const char *end)
{
    while (at < end) {
        const char *name, *value;
        size_t name_length;

        at += strspn(at, " \t,");
        name = at;
        name_length = strcspn(at, " \t,=\n");
        at += name_length;
        if (*at != '=' || at >= end)
            continue;
        value = ++at;
        if (*at == '"') {
            value = ++at;
            at += strcspn(at, "\"\n");
            take_parameter(challenge, name, name_length, value, (size_t)(at - value));
            at += *at == '"';
        } else {
            at += strcspn(at, " \t,\n");
            take_parameter(challenge, name, name_length, value, (size_t)(at - value));
        }
    }
}

/* Both alphabets of base64, with and without padding. Returns the count of bytes, or -1. */
static long decode(const char *text, char out[CLAIMS_MAX])
{
    char standard[CLAIMS_MAX + 4];
    size_t length = strcspn(text, "=");

    if (length == 0)
        return -1;
    for (size_t i = 0; i < length; i++)
        standard[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    while (length % 4 != 0)
        standard[length++] = '=';
    return base64_decode(standard, length, (uint8_t *)out, CLAIMS_MAX);
}

static bool is_claims(const char *text, size_t length)
{
    struct json_object *claims = json_parse(text, length, NULL);
    struct json_object *wanted = json_member(claims, "access_token");
    const bool good = json_object_is_type(claims, json_type_object) &&
                      (!wanted || json_object_is_type(wanted, json_type_object));

    json_object_put(claims);
    return good;
}

char *claims_of_challenge(const struct http_reply *reply)
{
    static const char header[] = "WWW-Authenticate:";
    struct challenge challenge = {.insufficient = false};
    char text[CLAIMS_MAX];
    long length;

    if (reply->outcome != HTTP_ANSWERED || reply->status != 401)
        return NULL;
    for (const char *line = buf_str(&reply->headers); *line != '\0';) {
        const char *end = strchrnul(line, '\n');

        if (str_starts_with_nocase(line, header))
            read_line(&challenge, line + strlen(header), end);
        line = *end == '\0' ? end : end + 1;
    }
    length = challenge.insufficient ? decode(challenge.claims, text) : -1;
    if (length <= 0 || !is_claims(text, (size_t)length))
        return NULL;
    return str_dup_n(text, (size_t)length);
}

#define CAPABILITIES "{\"values\":[\"CP1\"]}"

/* Adds the member; false where memory is out, and then the value has been freed. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
    if (value && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* The claims with the capability in them; false where memory is out, which may cut json-c's text.
 */
static bool append_merged(struct buf *out, struct json_object *claims)
{
    const char *text = NULL;
    struct json_object *whole;

    if ((json_member(claims, "access_token") ||
         add(claims, "access_token", json_object_new_object())) &&
        add(json_member(claims, "access_token"), "xms_cc",
            json_parse(CAPABILITIES, strlen(CAPABILITIES), NULL)))
        text = json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN |
                                                          JSON_C_TO_STRING_NOSLASHESCAPE);
    whole = text ? json_parse(text, strlen(text), NULL) : NULL;
    if (!json_object_equal(whole, claims))
        text = NULL;
    json_object_put(whole);
    if (text)
        (void)percent_encode(out, text, strlen(text));
    return !!text;
}

int claims_append(struct buf *out, const char *challenge)
{
    static const char alone[] = "{\"access_token\":{\"xms_cc\":" CAPABILITIES "}}";
    struct json_object *claims;
    bool good;

    if (!challenge)
        return percent_encode(out, alone, strlen(alone));
    claims = json_parse(challenge, strlen(challenge), NULL);
    good = claims && append_merged(out, claims);
    json_object_put(claims);
    return good ? out->failed : -ENOMEM;
}
