#include "proto/access_token.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/stranger.h"

/* MSAL asks again five minutes before the end, and halfway where a token lives for more than two
 * hours; tokens that live for less than ten minutes are renewed halfway too. */
#define REFRESH_AHEAD    (5 * MS_MINUTE)
#define LONG_LIFETIME    (2 * MS_HOUR)
#define LIFETIME_LONGEST (7 * MS_DAY)
/* The assumed lifetime of a token whose answer names none: renewed every few minutes, which every
 * service accepts, and long enough for the requests of one step. */
#define LIFETIME_UNSAID (5 * MS_MINUTE)

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

/* The token goes into a header; a control character in it could inject further headers. */
static bool is_header_value(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return *text != '\0';
}

enum said { UNSAID, SAID, MALFORMED };

/* "3599", "3599.0": digits, and perhaps decimals, which are cut to milliseconds. */
static enum said parse_seconds(const char *text, duration_ms *ret_duration)
{
    duration_ms duration = 0;
    duration_ms unit = MS_SECOND;

    text += strspn(text, " ");
    if (*text == '\0')
        return UNSAID;
    if (*text < '0' || *text > '9')
        return MALFORMED;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(duration, 10, &duration) ||
            __builtin_add_overflow(duration, (*text - '0') * MS_SECOND, &duration))
            duration = INT64_MAX / 16; /* beyond any sense */
    }
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            unit /= 10;
            duration += (*text - '0') * unit;
        }
    }
    *ret_duration = duration;
    return text[strspn(text, " ")] == '\0' ? SAID : MALFORMED;
}

static enum said read_seconds(struct json_object *document, const char *name,
                              duration_ms *ret_duration)
{
    struct json_object *value = json_member(document, name);
    char text[32];

    if (!value)
        return UNSAID;
    if (json_object_is_type(value, json_type_string) && json_string(document, name))
        return parse_seconds(json_string(document, name), ret_duration);
    if (json_object_is_type(value, json_type_int))
        (void)snprintf(text, sizeof(text), "%lld", (long long)json_object_get_int64(value));
    else if (json_object_is_type(value, json_type_double) && json_object_get_double(value) < 1e15)
        (void)snprintf(text, sizeof(text), "%.3f", json_object_get_double(value));
    else
        return MALFORMED;
    return parse_seconds(text, ret_duration);
}

/* App Service's form, "09/14/2017 01:02:03 PM +00:00"; the hour may be one of 24 all the same. */
static bool parse_american_date(const char *text, time_ms *ret_at)
{
    struct tm date = {0};
    char form[64];
    bool afternoon, morning;

    text = strptime(text, "%m/%d/%Y %H:%M:%S", &date);
    if (!text)
        return false;
    text += strspn(text, " ");
    afternoon = str_starts_with_nocase(text, "PM");
    morning = str_starts_with_nocase(text, "AM");
    text += afternoon || morning ? 2 : 0;
    text += strspn(text, " ");
    if (afternoon && date.tm_hour > 0 && date.tm_hour < 12)
        date.tm_hour += 12;
    if (morning && date.tm_hour == 12)
        date.tm_hour = 0;
    (void)snprintf(form, sizeof(form), "%04d-%02d-%02dT%02d:%02d:%02d%.16s", date.tm_year + 1900,
                   date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
                   *text != '\0' ? text : "Z");
    return date_from_rfc3339(form, ret_at);
}

/* The time from `reference` to the moment that expires_on names; 0 when that has passed. */
static enum said read_expiry(struct json_object *document, time_ms reference,
                             duration_ms *ret_duration)
{
    const char *text = json_string(document, "expires_on");
    duration_ms since_1970 = 0;
    enum said said = read_seconds(document, "expires_on", &since_1970);
    time_ms at = since_1970;

    if (said == UNSAID)
        return UNSAID;
    if (said == MALFORMED &&
        (!text || (!date_from_rfc3339(text, &at) && !date_from_http(text, &at) &&
                   !parse_american_date(text, &at))))
        return MALFORMED;
    *ret_duration = at > reference ? time_between(reference, at) : 0;
    return SAID;
}

/* Sets token->lifetime and returns NULL, or returns a description of the error. */
static const char *read_lifetime(struct access_token *token, struct json_object *document,
                                 const struct http_reply *reply, time_ms now)
{
    time_ms sent = http_reply_date(reply);
    duration_ms lifetime = 0;
    enum said said = read_seconds(document, "expires_in", &lifetime);

    if (said == MALFORMED || (said == SAID && lifetime < MS_SECOND))
        return "its expires_in is not a positive number";
    if (said == UNSAID) {
        said = read_expiry(document, sent != TIME_NEVER ? sent : now, &lifetime);
        if (said == MALFORMED)
            return "its expires_on is neither a number nor a date";
        if (said == SAID && lifetime < MS_SECOND && sent != TIME_NEVER)
            return "it had expired when it was sent";
        if (said == UNSAID || lifetime < MS_SECOND) /* or our clock is wrong */
            lifetime = LIFETIME_UNSAID;
    }
    token->lifetime = lifetime < LIFETIME_LONGEST ? lifetime : LIFETIME_LONGEST;
    return NULL;
}

static const char *read_members(struct access_token *token, struct json_object *document,
                                const struct http_reply *reply, time_ms now)
{
    const char *problem;
    duration_ms refresh;
    const char *type = json_string(document, "token_type");
    const char *value = json_string(document, "access_token");

    if (!value || !is_header_value(value))
        return "its access_token is missing or malformed";
    if (type && !str_equal_nocase(type, "Bearer"))
        return "its token_type is not Bearer";
    problem = read_lifetime(token, document, reply, now);
    if (problem)
        return problem;
    token->refresh_after = usual_refresh(token->lifetime);
    if (read_seconds(document, "refresh_in", &refresh) == SAID && refresh >= MS_SECOND &&
        refresh < token->lifetime)
        token->refresh_after = refresh;
    token->token = secret_new(value, strlen(value));
    return !token->token ? "there is no memory for it" : NULL;
}

const char *access_token_set(struct access_token *token, const char *value, duration_ms lifetime)
{
    if (!is_header_value(value))
        return "it is malformed";
    token->lifetime = lifetime < LIFETIME_LONGEST ? lifetime : LIFETIME_LONGEST;
    token->refresh_after = usual_refresh(token->lifetime);
    token->token = secret_new(value, strlen(value));
    return !token->token ? "there is no memory for it" : NULL;
}

int access_token_read(struct access_token *token, const struct http_reply *reply,
                      const char *service, time_ms now, struct failure *failure)
{
    static const char *const names[] = {"access_token", "token_type", "expires_in", "expires_on",
                                        "refresh_in"};
    char stranger[STRANGER_TEXT_MAX];
    struct err err = {.code = 0};
    struct json_object *document;
    const char *problem;

    *token = (struct access_token){.token = NULL};
    document = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    if (!document ||
        json_check_members(document, names, sizeof(names) / sizeof(names[0]), &err) < 0)
        problem = err.text;
    else
        problem = read_members(token, document, reply, now);
    if (problem) {
        failure_init(failure, REASON_TOKEN_FAILED);
        failure->http_status = reply->status;
        failure_set_text(failure, "%s sent a token that cannot be used: %s%s", service, problem,
                         stranger_describe(reply, stranger));
    }
    json_free_wiped(document);
    return !problem ? 0 : -EINVAL;
}
