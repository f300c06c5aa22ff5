/* A request as it came off the wire and the reply that a face builds for it. Paths and query are
 * parsed here from the bytes the client sent, because a signature covers those bytes. */
#ifndef AZURESIM_HTTP_H
#define AZURESIM_HTTP_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_MAX_SEGMENTS 16
#define HTTP_MAX_BODY     (4 * 1024 * 1024)
#define HTTP_MAX_FIELDS   256

struct http_field {
    char *name;
    char *value;
};

/* Name-value pairs in the order they came. Zeroed is empty. */
struct http_fields {
    struct http_field *list;
    size_t count;
};

/* Appends copies; beyond HTTP_MAX_FIELDS the pair is dropped. */
void http_fields_add(struct http_fields *fields, const char *name, const char *value);

/* The value of the first field called NAME (any case), or NULL. */
const char *http_fields_get(const struct http_fields *fields, const char *name);

/* Frees the contents. */
void http_fields_done(struct http_fields *fields);

/* Parses "a=b&c=d", undoing percent-encoding, into FIELDS. */
void http_fields_parse(struct http_fields *fields, const char *text);

/* Which of the services a request is for. */
enum http_face {
    FACE_NONE,
    FACE_CONTROL,
    FACE_ENTRA,
    FACE_METADATA,
    FACE_ARM,
    FACE_BATCH,
    FACE_DATA,
    FACE_KEYVAULT,
    FACE_IMDS,
    FACE_COUNT,
};

/* "arm", "entra", ...: the word used in fault rules and in the truth log. */
const char *http_face_name(enum http_face face);

struct http_request {
    char *method;
    char *path; /* as sent, without the query */
    char *query_text;
    char *segments[HTTP_MAX_SEGMENTS]; /* decoded, empty ones left out */
    size_t segment_count;
    struct http_fields query;
    struct http_fields headers;
    char *body; /* zero-terminated; NULL where there was none */
    size_t body_length;
    bool body_too_long;
    struct http_fields form; /* of the body, where a face reads it */
    /* Set by the face's identify function, for the fault rules and the truth log: */
    enum http_face face;
    const char *op;
    const char *account;  /* account or vault; NULL where none; points into the request */
    const char *item;     /* secret name, or who asks for a token; NULL where none; likewise */
    char *own_text;       /* what account points to where it is no segment of the path; owned */
    int64_t look_back_us; /* listKeys shows the keys as they were so long ago (a stale look) */
};

/* A request for TARGET, the bytes between method and version in the request line. */
struct http_request *http_request_new(const char *target);

/* Adds LENGTH bytes of body; beyond HTTP_MAX_BODY they are dropped and body_too_long is set. */
void http_request_append_body(struct http_request *request, const char *bytes, size_t length);

/* Accepts NULL. */
void http_request_free(struct http_request *request);

/* The header's value, "" where it is absent. */
const char *http_header(const struct http_request *request, const char *name);

/* The id that the caller gave this request, "" where there is none. */
const char *http_client_request_id(const struct http_request *request);

/* True where the media type of Content-Type, without parameters, is TYPE (any case). */
bool http_content_type_is(const struct http_request *request, const char *type);

/* The body as JSON, to be put by the caller; NULL where it is none. */
struct json_object *http_body_json(const struct http_request *request);

/* The same, but NULL too where it is no object. */
struct json_object *http_body_object(const struct http_request *request);

struct http_reply {
    int status;
    struct http_fields headers;
    char *body;
    size_t body_length;
    int body_fd; /* a file to send instead of body; -1: none */
    size_t body_fd_offset;
};

void http_reply_init(struct http_reply *reply);
void http_reply_done(struct http_reply *reply);

/* Adds a header. */
void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Replaces a header's value, or adds it. */
void http_reply_replace_header(struct http_reply *reply, const char *name, const char *value);

/* Sets status and JSON body; takes over BODY. An earlier body is replaced. */
void http_reply_json(struct http_reply *reply, int status, struct json_object *body);

/* Adds string NAME to OBJECT; a NULL VALUE becomes null. */
void json_add_text(struct json_object *object, const char *name, const char *value);

/* The string member NAME of OBJECT, or NULL where it is absent or not a string. */
const char *json_get_text(struct json_object *object, const char *name);

#endif
