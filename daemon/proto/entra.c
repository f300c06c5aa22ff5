#include "proto/entra.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "proto/claims.h"
#include "proto/cloud_error.h"
#include "proto/entra_error.h"
#include "proto/failure.h"
#include "proto/stranger.h"

#define ENTRA_DEADLINE (30 * MS_SECOND)

#define ASSERTION                                                                                  \
    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"      \
    "&client_assertion="

enum { ENTRA_REPLY_MAX = 64 * 1024 };

static const char service[] = "Microsoft Entra ID";

static void append_field(struct buf *body, const char *name, const char *value, size_t length)
{
    (void)buf_append_str(body, name);
    (void)percent_encode(body, value, length);
}

/* "Authenticate with Azure Stack Hub" (learn.microsoft.com): of the OAuth2 endpoints of Active
 * Directory Federation Services the path begins with /adfs, and the audience is named by
 * `resource`.
 */
static bool is_adfs(const struct entra_client *client)
{
    return str_ends_with(client->login, "/adfs");
}

void entra_token_endpoint(struct buf *out, const struct entra_client *client)
{
    buf_append_str(out, client->login);
    if (is_adfs(client)) {
        buf_append_str(out, "/oauth2/token");
        return;
    }
    append_field(out, "/", client->tenant_id, strlen(client->tenant_id));
    buf_append_str(out, "/oauth2/v2.0/token");
}

/* A scope keeps the audience's own slash: "https://management.azure.com//.default". */
static void append_audience(struct buf *body, const struct entra_client *client)
{
    const size_t length = strlen(client->audience);

    if (is_adfs(client)) {
        append_field(body, "&resource=", client->audience, length);
        return;
    }
    append_field(body, "&scope=", client->audience, length);
    append_field(body, "", "/.default", strlen("/.default"));
}

/* ADFS knows no claims challenges. */
static int append_claims(struct buf *body, const struct entra_client *client)
{
    if (is_adfs(client))
        return 0;
    buf_append_str(body, "&claims=");
    return claims_append(body, client->claims);
}

int entra_token_request(struct http_request *request, const struct entra_client *client,
                        const char *client_request_id, struct err *err)
{
    struct buf *body = &request->body;
    int rc;

    http_request_init(request, "POST", ENTRA_DEADLINE);
    request->service = HTTP_TO_ENTRA;
    request->repeatable = true;
    request->reply_maximum = ENTRA_REPLY_MAX;
    entra_token_endpoint(&request->url, client);
    http_request_header(request, "Content-Type", "application/x-www-form-urlencoded");
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "client-request-id", client_request_id);
    http_request_header(request, "return-client-request-id", "true");

    buf_append_str(body, "grant_type=client_credentials");
    append_field(body, "&client_id=", client->client_id, strlen(client->client_id));
    append_audience(body, client);
    append_field(body,
                 client->is_assertion ? ASSERTION : "&client_secret=", secret_bytes(client->proof),
                 secret_length(client->proof));
    rc = append_claims(body, client);
    if (rc == 0)
        rc = http_request_check(request);
    return rc < 0 ? err_set(err, rc, "the request for a token does not fit: %s", strerror(-rc)) : 0;
}

/* Only the beginning states the cause; trace and correlation ids and the time follow it. */
static int cause_length(const char *description)
{
    size_t length = strcspn(description, "\r\n");
    const char *trace = strstr(description, " Trace ID:");

    if (trace && (size_t)(trace - description) < length)
        length = (size_t)(trace - description);
    return (int)length;
}

/* What the answer says is not from Entra ID, or it is about Entra ID itself. */
static void set_remedy_for_service(struct failure *failure, const struct entra_client *client)
{
    if (failure->http_status == 429)
        failure_set_remedy(failure,
                           "wait, it is asked again by itself; if this persists, look for other "
                           "programs that ask for tokens of application %s again and again",
                           client->client_id);
    else if (failure->http_status >= 500)
        failure_set_remedy(failure,
                           "wait, it is asked again by itself; if this persists, see Azure's "
                           "status page, and what stands between this machine and %s (proxy, "
                           "firewall)",
                           service);
    else
        failure_set_remedy(failure,
                           "check what stands between this machine and %s (proxy, firewall), and "
                           "check %s",
                           service, client->login_key ? client->login_key : "cloud.login");
}

/* A code without a row: "Microsoft Entra authentication and authorization error codes" names this
 * page. */
static void set_remedy_for_code(struct failure *failure, int64_t code)
{
    if (code != 0 && failure->http_status < 500 && failure->http_status != 429)
        failure_set_remedy(failure,
                           "see what the code means: https://login.microsoftonline.com/error?"
                           "code=%" PRId64,
                           code);
}

static void read_error(struct failure *failure, struct json_object *document,
                       const struct cloud_error *answer, const struct entra_client *client)
{
    const char *code = cloud_error_code(answer);
    const char *message = cloud_error_message(answer);
    const char *description = json_string(document, "error_description");
    const char *trace_id = json_string(document, "trace_id");
    const char *correlation_id = json_string(document, "correlation_id");
    const struct entra_error *error = entra_error_find(document);
    char sentence[FAILURE_TEXT_MAX] = "";

    if (!description)
        description = message[0] != '\0' ? message : "no description";
    if (error)
        (void)snprintf(failure->error_code, sizeof(failure->error_code), "AADSTS%lld",
                       (long long)error->code);
    else
        failure_set_code(failure, code);
    if (trace_id)
        failure_set_id(failure->request_id, trace_id);
    if (correlation_id)
        failure_set_id(failure->correlation_id, correlation_id);
    if (error)
        entra_error_explain(error, client, sentence, failure);
    else
        set_remedy_for_code(failure, entra_error_code(document));
    failure_set_text(failure, "%s gave application %s no token%s%s: %d %s: %.*s", service,
                     client->client_id, error ? ", because " : "", sentence, failure->http_status,
                     code[0] != '\0' ? code : "without error code", cause_length(description),
                     description);
}

int entra_token_reply(struct access_token *token, const struct http_reply *reply,
                      const struct entra_client *client, time_ms now, struct failure *failure)
{
    struct cloud_error answer = {.count = 0};
    char stranger[STRANGER_TEXT_MAX];
    struct json_object *document;
    struct err err = {.code = 0};

    *token = (struct access_token){.token = NULL};
    if (failure_from_transport(failure, reply, service, false)) {
        if (reply->error.code == -EMSGSIZE)
            set_remedy_for_service(failure, client);
        return -EIO;
    }
    if (reply->status == 200) {
        if (access_token_read(token, reply, service, now, failure) == 0)
            return 0;
        set_remedy_for_service(failure, client);
        return -EIO;
    }

    failure_init(failure, reply->status == 429 ? REASON_THROTTLED : REASON_TOKEN_FAILED);
    failure_note_status(failure, reply, now);
    failure_note_id(failure->request_id, reply, "x-ms-request-id");
    if (reply->status == 429 || reply->status >= 500)
        set_remedy_for_service(failure, client);
    document = json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    if (document && cloud_error_parse(&answer, buf_str(&reply->body), reply->body.length)) {
        read_error(failure, document, &answer, client);
    } else {
        if (err.code != -ENOMEM && !answer.out_of_memory)
            set_remedy_for_service(failure, client);
        failure_set_text(failure, "%s gave application %s no token: %d %s%s", service,
                         client->client_id, reply->status,
                         err.code == -ENOMEM || answer.out_of_memory
                             ? "and there is no memory to read why"
                             : "without an explanation",
                         stranger_describe(reply, stranger));
    }
    json_object_put(document);
    return -EIO;
}
