/*
 * An HTTP request to be sent and the reply to it, as data.
 *
 * The protocols in proto/ fill the one and read the other; io/http/http.h carries them. Both may
 * hold secrets (bodies, Authorization), so both are wiped when they are done with.
 */
#ifndef KEYROTATED_PROTO_HTTP_MESSAGE_H
#define KEYROTATED_PROTO_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/time.h"

/* Who is asked: for counting. */
enum http_service {
    HTTP_TO_OTHER,
    HTTP_TO_RESOURCE_MANAGER, /* and its Resource Graph */
    HTTP_TO_ENTRA,
    HTTP_TO_MANAGED_IDENTITY,
    HTTP_TO_DATA_PLANE, /* of a resource, to prove a key */
    HTTP_TO_KEY_VAULT,
    HTTP_TO_HASHICORP_VAULT,
    HTTP_TO_KUBERNETES,
    HTTP_TO_WEBHOOK,
    HTTP_SERVICE_COUNT
};
const char *http_service_name(enum http_service service);

enum { HTTP_HEADERS_MAX = 24, HTTP_URL_MAX = 8192, HTTP_REPLY_HEADERS_MAX = 64 * 1024 };
enum { HTTP_HEADER_MAX = 16 * 1024, HTTP_BODY_MAX = 1024 * 1024 };
enum { HTTP_PEM_MAX = 512 * 1024, HTTP_PIN_MAX = 128, HTTP_SERVER_NAME_MAX = 254 };

/* Trust and identity of a connection, instead of those of the configuration. Empty: as there. */
struct http_tls {
    struct buf authorities; /* PEM: the certificates that may sign the server's */
    struct buf certificate; /* PEM: the client's own, with its chain */
    struct buf private_key; /* PEM */
    char pin[HTTP_PIN_MAX]; /* "sha256//BASE64": of the server's public key, in addition */
    char server_name[HTTP_SERVER_NAME_MAX]; /* of the server's certificate; "": the URL's host */
};

struct http_request {
    char method[8];
    enum http_service service;
    struct buf url;
    struct buf headers[HTTP_HEADERS_MAX]; /* each "Name: value" */
    size_t header_count;
    struct buf body;
    bool repeatable; /* false: it must never reach the server twice; a connection that dies
                      * is reported as HTTP_LOST, without a retry */
    bool follows;    /* 307 and 308 are followed once, to the same resource on the same server,
                        query apart; any other redirection is an answer like any other */
    bool link_local; /* for the metadata service, and the cluster of the daemon's
                      * pod: never through a proxy */
    bool bare; /* no HTTP: the body, which ends with a line break, is sent over TLS to the host and
                * port of the URL, whose path is "/". The answer's body is its first line, without
                * the line break; it has no status and no headers */
    struct http_tls tls;
    duration_ms deadline; /* for the whole exchange, from the moment it starts */
    size_t reply_maximum; /* bytes of body; a longer reply is HTTP_LOST */
    bool failed;          /* a part could not be added */
};

enum http_outcome {
    HTTP_ANSWERED, /* there is a status, all headers and the whole body, or the line. (One that has
                      neither length nor chunks ends with the connection; whether it was cut then
                      shows in its content only.) */
    HTTP_UNSENT,   /* no byte of the request can have reached the server */
    HTTP_LOST,     /* the server may have acted on it; the answer did not arrive whole */
    HTTP_CANCELED  /* canceled at shutdown */
};

struct http_reply {
    enum http_outcome outcome;
    int status;         /* 0 unless a status line arrived */
    struct buf headers; /* lines "Name: value\n" of the final response */
    struct buf body;
    struct err error; /* why it was not answered; -EPROTO: TLS or the certificate, -EPROTOTYPE: the
                       * server has no TLS at this port */
    duration_ms duration;
};

/* Starts a request for `method` ("GET", "POST", …). It is repeatable if the method is safe (GET,
 * HEAD: RFC 9110, section 9.2.1), and accepts replies of up to HTTP_BODY_MAX; both may be changed.
 */
void http_request_init(struct http_request *request, const char *method, duration_ms deadline);

/* Wipes and frees; a request that was handed to http_start() or zeroed is fine. */
void http_request_done(struct http_request *request);

/* Adds "NAME: VALUE". http_request_check() reports the failure of any add. A value with a control
 * character fails, and so does a name that is not a token (RFC 9110, section 5.6.2). */
void http_request_header(struct http_request *request, const char *name, const char *value);
/* Adds "NAME: BEFOREVALUE", in the request's own memory alone. */
void http_request_secret(struct http_request *request, const char *name, const char *before,
                         const struct secret *value);
/* Adds "Authorization: Bearer TOKEN" likewise. */
void http_request_bearer(struct http_request *request, const struct secret *token);

/* Returns 0 when there is a URL of printable ASCII and every part of the request was added whole;
 * -ENOMEM when memory ran out for a part; else -EMSGSIZE. */
int http_request_check(const struct http_request *request);
bool http_request_ok(const struct http_request *request);

void http_reply_init(struct http_reply *reply, size_t body_maximum);
void http_reply_done(struct http_reply *reply);

/* Copies the value of the first header of that name (any case), trimmed, into out. False: absent or
 * too long. */
bool http_reply_header(const struct http_reply *reply, const char *name, char *out, size_t size);

/*
 * How long the server asks to wait: retry-after-ms, then x-ms-retry-after-ms, then Retry-After as
 * seconds or as a date (held against the reply's own Date, else against `now`). 0: it does not ask;
 * never more than a day. (RFC 9110, section 10.2.3; Azure's -ms forms are in milliseconds.)
 */
duration_ms http_reply_retry_after(const struct http_reply *reply, time_ms now);

/* The server's clock at the reply (its Date header), or TIME_NEVER. */
time_ms http_reply_date(const struct http_reply *reply);

#endif
