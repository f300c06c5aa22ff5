#include "proto/access_token.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "proto/failure.h"

/* MSAL asks again five minutes before the end, and halfway where a token lives for more than two
 * hours; tokens that live for less than ten minutes are renewed halfway too. */
#define REFRESH_AHEAD    (5 * MS_MINUTE)
#define LONG_LIFETIME    (2 * MS_HOUR)
#define LIFETIME_LONGEST (7 * MS_DAY)

void access_token_done(struct access_token *token)
{
    secret_clear(&token->token);
}

static duration_ms usual_refresh(duration_ms lifetime)
{
    if (lifetime > LONG_LIFETIME || lifetime < 2 * REFRESH_AHEAD)
        return lifetime / 2;
    return lifetime - REFRESH_AHEAD;
}

/* It goes into a header, so that a control character in it would let the sender write headers. */
static bool is_header_value(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return *text != '\0';
}

static const char *read_members(struct access_token *token, struct json_object *document)
{
    const char *type = json_string(document, "token_type");
    const char *value = json_string(document, "access_token");
    int64_t seconds;

    if (value == NULL || !is_header_value(value))
        return "its access_token is missing or malformed";
    if (type != NULL && !str_equal_nocase(type, "Bearer"))
        return "its token_type is not Bearer";
    if (!json_lenient_int64(document, "expires_in", &seconds) || seconds < 1)
        return "its expires_in is missing or not a positive number";
    token->lifetime = LIFETIME_LONGEST;
    if (seconds < LIFETIME_LONGEST / MS_SECOND)
        token->lifetime = seconds * MS_SECOND;
    token->refresh_after = usual_refresh(token->lifetime);
    if (json_lenient_int64(document, "refresh_in", &seconds) && seconds > 0 &&
        seconds < token->lifetime / MS_SECOND)
        token->refresh_after = seconds * MS_SECOND;
    token->token = secret_new(value, strlen(value));
    return token->token == NULL ? "there is no memory for it" : NULL;
}

int access_token_read(struct access_token *token, const struct http_reply *reply,
                      const char *service, struct failure *failure)
{
    struct err err = {.code = 0};
    struct json_object *document;
    const char *problem;

    *token = (struct access_token){.token = NULL};
    document = json_parse(buf_str(&reply->body), reply->body.length, &err);
    problem = document == NULL ? err.text : read_members(token, document);
    if (problem != NULL) {
        failure_init(failure, REASON_TOKEN_FAILED);
        failure->http_status = reply->status;
        failure_set_text(failure, "%s sent a token that cannot be used: %s", service, problem);
    }
    json_free_wiped(document);
    return problem == NULL ? 0 : -EINVAL;
}
