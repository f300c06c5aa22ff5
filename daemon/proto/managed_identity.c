#include "proto/managed_identity.h"

#include <errno.h>
#include <string.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/managed_identity_failure.h"

#define DEADLINE         (10 * MS_SECOND)
#define UPDATE_LONGEST   (75 * MS_SECOND)
#define UPDATE_PAUSE     (10 * MS_SECOND)
#define PATIENCE_LONGEST (30 * MS_SECOND)

#define METADATA_PATH "/metadata/identity/oauth2/token"

enum { REPLY_MAX = 64 * 1024 };

struct source_description {
    const char *endpoint;
    const char *path;
    const char *version;
    const char *resource_id; /* the name of the parameter */
    duration_ms first_pause; /* doubled each time */
    unsigned attempts;
};

static const struct source_description descriptions[] = {
    [MANAGED_IMDS] = {"http://169.254.169.254", METADATA_PATH, "2018-02-01", "msi_res_id",
                      2 * MS_SECOND, 5},
    [MANAGED_APP_SERVICE] = {NULL, "/msi/token", "2019-08-01", "mi_res_id", MS_SECOND, 4},
    [MANAGED_ARC] = {"http://127.0.0.1:40342", METADATA_PATH, "2020-06-01", "msi_res_id", MS_SECOND,
                     4},
};

enum managed_source managed_identity_detect(const struct managed_surroundings *surroundings)
{
    if (surroundings->identity_endpoint && surroundings->identity_header)
        return MANAGED_APP_SERVICE;
    if ((surroundings->identity_endpoint && surroundings->imds_endpoint) ||
        surroundings->has_arc_agent)
        return MANAGED_ARC;
    return MANAGED_IMDS;
}

const char *managed_identity_endpoint(enum managed_source source)
{
    return descriptions[source].endpoint;
}

/* --- the request --- */

static void append_parameter(struct buf *url, const char *name, const char *value)
{
    if (!value)
        return;
    (void)buf_append_format(url, "&%s=", name);
    (void)percent_encode(url, value, strlen(value));
}

static bool has_path(const char *url)
{
    const char *authority = strstr(url, "//");

    return authority && strchr(authority + 2, '/');
}

static void append_url(struct buf *url, const struct managed_identity *identity)
{
    const struct source_description *description = &descriptions[identity->source];

    (void)buf_append_str(url, identity->endpoint);
    if (identity->source == MANAGED_IMDS || !has_path(identity->endpoint))
        (void)buf_append_str(url, description->path);
    (void)buf_append_format(url, "?api-version=%s", description->version);
    append_parameter(url, "resource", identity->audience);
    append_parameter(url, "client_id", identity->client_id);
    append_parameter(url, "object_id", identity->object_id);
    append_parameter(url, description->resource_id, identity->resource_id);
}

static void add_proof(struct http_request *request, const char *name, const char *prefix,
                      const struct secret *proof)
{
    struct buf value;

    buf_init(&value, HTTP_HEADER_MAX);
    (void)buf_append_str(&value, prefix);
    (void)buf_append(&value, secret_bytes(proof), secret_length(proof));
    if (value.failed == 0)
        http_request_header(request, name, buf_str(&value));
    else
        request->failed = true;
    buf_done(&value);
}

int managed_identity_request(struct http_request *request, const struct managed_identity *identity,
                             struct err *err)
{
    int rc;

    http_request_init(request, "GET", DEADLINE);
    request->service = HTTP_TO_MANAGED_IDENTITY;
    request->repeatable = true;
    request->link_local = true;
    request->reply_maximum = REPLY_MAX;
    /* The header proves that no redirect or browser forged the request. */
    if (identity->source == MANAGED_APP_SERVICE)
        add_proof(request, "X-IDENTITY-HEADER", "", identity->proof);
    else
        http_request_header(request, "Metadata", "true");
    if (identity->source == MANAGED_ARC && identity->proof)
        add_proof(request, "Authorization", "Basic ", identity->proof);
    http_request_header(request, "Accept", "application/json");
    append_url(&request->url, identity);
    rc = http_request_check(request);
    return rc < 0 ? err_set(err, rc, "the request for a token does not fit: %s", strerror(-rc)) : 0;
}

/* --- the challenge --- */

static bool is_key_name(const char *name)
{
    const size_t length = strlen(name), suffix = strlen(".key");

    if (length <= suffix || length >= ARC_NAME_MAX || name[0] == '.' ||
        !str_equal(name + length - suffix, ".key"))
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        if (!char_is_alphanumeric(*c) && *c != '-' && *c != '_' && *c != '.')
            return false;
    }
    return true;
}

bool managed_identity_challenged(const struct http_reply *reply, char ret_name[ARC_NAME_MAX],
                                 struct failure *failure)
{
    static const char scheme[] = "Basic realm=";
    char challenge[512], *path;
    size_t length;

    ret_name[0] = '\0';
    if (reply->outcome != HTTP_ANSWERED || reply->status != 401)
        return false;
    if (!http_reply_header(reply, "WWW-Authenticate", challenge, sizeof(challenge)) ||
        !str_starts_with_nocase(challenge, scheme)) {
        managed_identity_fail_challenge(failure, NULL);
        return true;
    }
    path = challenge + strlen(scheme);
    length = strlen(path);
    if (length >= 2 && path[0] == '"' && path[length - 1] == '"') {
        path[length - 1] = '\0';
        path++;
    }
    if (str_starts_with(path, ARC_DIRECTORY) && is_key_name(path + strlen(ARC_DIRECTORY)))
        memcpy(ret_name, path + strlen(ARC_DIRECTORY), strlen(path) - strlen(ARC_DIRECTORY) + 1);
    else
        managed_identity_fail_challenge(failure, path);
    return true;
}

/* --- the answer --- */

/* Does the answer name the identity that was asked for? NULL: yes. */
static const char *find_other(const struct managed_identity *identity,
                              const struct http_reply *reply)
{
    const struct {
        const char *wanted;
        const char *names[3];
    } selectors[] = {
        {identity->client_id, {"client_id", NULL, NULL}},
        {identity->object_id, {"object_id", NULL, NULL}},
        {identity->resource_id, {"msi_res_id", "mi_res_id", NULL}},
    };
    const char *problem = NULL;
    struct err err;
    struct json_object *document =
        json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);

    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]) && !problem; i++) {
        const char *named = NULL;

        for (size_t k = 0; selectors[i].names[k] && !named; k++)
            named = json_string(document, selectors[i].names[k]);
        if (!selectors[i].wanted || (named && str_equal_nocase(named, selectors[i].wanted)))
            continue;
        if (named)
            problem = "is for another identity";
        else if (!document)
            problem = "there is no memory to read for which identity it is";
        else if (identity->source == MANAGED_ARC)
            problem = "does not say for which identity it is";
    }
    json_free_wiped(document);
    return problem;
}

int managed_identity_reply(struct access_token *token, const struct http_reply *reply,
                           const struct managed_identity *identity, time_ms now,
                           struct failure *failure)
{
    const char *service = managed_identity_service(identity->source);
    const char *problem;

    *token = (struct access_token){.token = NULL};
    if (reply->outcome != HTTP_ANSWERED || reply->status != 200) {
        managed_identity_explain(failure, reply, identity, now);
        return -EIO;
    }
    if (access_token_read(token, reply, service, now, failure) < 0) {
        managed_identity_blame_stranger(failure, identity);
        return -EIO;
    }
    problem = find_other(identity, reply);
    if (!problem)
        return 0;
    access_token_done(token);
    managed_identity_fail_selector(failure, problem, identity);
    return -EIO;
}

/* --- patience --- */

static bool is_worth_repeating(enum managed_source source, const struct http_reply *reply)
{
    if (reply->outcome == HTTP_LOST)
        return reply->error.code != -EMSGSIZE; /* an answer that is too long stays so */
    return reply->outcome == HTTP_ANSWERED &&
           (reply->status == 408 || reply->status == 429 || reply->status >= 500 ||
            (reply->status == 404 && source == MANAGED_IMDS));
}

duration_ms managed_identity_retry_delay(enum managed_source source, const struct http_reply *reply,
                                         unsigned attempts, duration_ms elapsed, time_ms now)
{
    const struct source_description *description = &descriptions[source];
    duration_ms asked, pause;

    if (source == MANAGED_IMDS && reply->outcome == HTTP_ANSWERED && reply->status == 410)
        return elapsed < UPDATE_LONGEST ? UPDATE_PAUSE : 0;
    if (!is_worth_repeating(source, reply) || attempts < 1 || attempts >= description->attempts)
        return 0;
    pause = description->first_pause << (attempts - 1);
    asked = reply->outcome == HTTP_ANSWERED ? http_reply_retry_after(reply, now) : 0;
    if (asked > PATIENCE_LONGEST)
        return 0;
    return asked > pause ? asked : pause;
}
