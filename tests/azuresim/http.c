#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "encode.h"
#include "memory.h"

void http_fields_add(struct http_fields *fields, const char *name, const char *value)
{
    if (fields->count == HTTP_MAX_FIELDS)
        return;
    if (fields->count % 8 == 0)
        fields->list = memory_resized(fields->list, fields->count + 8, sizeof(*fields->list));
    fields->list[fields->count++] =
        (struct http_field){.name = memory_text(name), .value = memory_text(value)};
}

const char *http_fields_get(const struct http_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcasecmp(fields->list[i].name, name) == 0)
            return fields->list[i].value;
    }
    return NULL;
}

void http_fields_done(struct http_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        free(fields->list[i].name);
        free(fields->list[i].value);
    }
    free(fields->list);
    *fields = (struct http_fields){0};
}

void http_fields_parse(struct http_fields *fields, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "&");
        const char *equals = memchr(text, '=', length);
        size_t name_length = !equals ? length : (size_t)(equals - text);
        size_t value_length = !equals ? 0 : length - name_length - 1;

        if (length > 0) {
            char *name = percent_decode(text, name_length, true);
            char *value = percent_decode(!equals ? "" : equals + 1, value_length, true);

            http_fields_add(fields, name, value);
            free(name);
            free(value);
        }
        text += length;
        if (*text == '&')
            text++;
    }
}

const char *http_face_name(enum http_face face)
{
    static const char *const names[FACE_COUNT] = {
        [FACE_NONE] = "none",         [FACE_CONTROL] = "control",   [FACE_ENTRA] = "entra",
        [FACE_METADATA] = "metadata", [FACE_ARM] = "arm",           [FACE_BATCH] = "batch",
        [FACE_DATA] = "data",         [FACE_KEYVAULT] = "keyvault", [FACE_IMDS] = "imds",
    };

    return names[face];
}

static void split_path(struct http_request *request)
{
    const char *rest = request->path;

    while (*rest != '\0' && request->segment_count < HTTP_MAX_SEGMENTS) {
        size_t length = strcspn(rest, "/");

        if (length > 0)
            request->segments[request->segment_count++] = percent_decode(rest, length, false);
        rest += length;
        if (*rest == '/')
            rest++;
    }
}

struct http_request *http_request_new(const char *target)
{
    struct http_request *request = memory_zeroed(1, sizeof(*request));
    size_t path_length = strcspn(target, "?");

    request->path = memory_text_n(target, path_length);
    request->query_text = memory_text(target[path_length] == '?' ? target + path_length + 1 : "");
    request->op = "other";
    split_path(request);
    http_fields_parse(&request->query, request->query_text);
    return request;
}

void http_request_append_body(struct http_request *request, const char *bytes, size_t length)
{
    if (request->body_length + length > HTTP_MAX_BODY) {
        request->body_too_long = true;
        return;
    }
    request->body = memory_resized(request->body, request->body_length + length + 1, 1);
    memcpy(request->body + request->body_length, bytes, length);
    request->body_length += length;
    request->body[request->body_length] = '\0';
}

void http_request_free(struct http_request *request)
{
    if (!request)
        return;
    for (size_t i = 0; i < request->segment_count; i++)
        free(request->segments[i]);
    http_fields_done(&request->query);
    http_fields_done(&request->headers);
    http_fields_done(&request->form);
    free(request->method);
    free(request->path);
    free(request->query_text);
    free(request->body);
    free(request->own_text);
    free(request);
}

const char *http_header(const struct http_request *request, const char *name)
{
    const char *value = http_fields_get(&request->headers, name);

    return !value ? "" : value;
}

const char *http_client_request_id(const struct http_request *request)
{
    const char *id = http_header(request, "x-ms-client-request-id");

    return *id != '\0' ? id : http_header(request, "client-request-id");
}

bool http_content_type_is(const struct http_request *request, const char *type)
{
    const char *value = http_header(request, "Content-Type");
    size_t length = strcspn(value, "; ");

    return length == strlen(type) && strncasecmp(value, type, length) == 0;
}

struct json_object *http_body_json(const struct http_request *request)
{
    struct json_tokener *parser;
    struct json_object *value;

    if (!request->body)
        return NULL;
    parser = json_tokener_new_ex(16);
    json_tokener_set_flags(parser, JSON_TOKENER_STRICT);
    value = json_tokener_parse_ex(parser, request->body, (int)request->body_length + 1);
    json_tokener_free(parser);
    return value;
}

struct json_object *http_body_object(const struct http_request *request)
{
    struct json_object *object = http_body_json(request);

    if (!json_object_is_type(object, json_type_object)) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

void http_reply_init(struct http_reply *reply)
{
    *reply = (struct http_reply){.body_fd = -1};
}

void http_reply_done(struct http_reply *reply)
{
    http_fields_done(&reply->headers);
    free(reply->body);
    if (reply->body_fd >= 0)
        close(reply->body_fd);
    http_reply_init(reply);
}

void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
{
    char *value = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) < 0)
        abort();
    va_end(arguments);
    http_fields_add(&reply->headers, name, value);
    free(value);
}

void http_reply_replace_header(struct http_reply *reply, const char *name, const char *value)
{
    for (size_t i = 0; i < reply->headers.count; i++) {
        struct http_field *field = &reply->headers.list[i];

        if (strcasecmp(field->name, name) == 0) {
            free(field->value);
            field->value = memory_text(value);
            return;
        }
    }
    http_fields_add(&reply->headers, name, value);
}

void http_reply_json(struct http_reply *reply, int status, struct json_object *body)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;

    free(reply->body);
    reply->status = status;
    reply->body = memory_text(json_object_to_json_string_ext(body, flags));
    reply->body_length = strlen(reply->body);
    http_reply_replace_header(reply, "Content-Type", "application/json; charset=utf-8");
    json_object_put(body);
}

void json_add_text(struct json_object *object, const char *name, const char *value)
{
    json_object_object_add(object, name, !value ? NULL : json_object_new_string(value));
}

const char *json_get_text(struct json_object *object, const char *name)
{
    struct json_object *member;

    if (!json_object_object_get_ex(object, name, &member) ||
        !json_object_is_type(member, json_type_string))
        return NULL;
    return json_object_get_string(member);
}
