#include "spoil.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* One stored block of DEFLATE holds no more (RFC 1951, section 3.2.4). */
#define STORED_MAX 65535

static void set_body(struct http_reply *reply, char *body, size_t length)
{
    free(reply->body);
    reply->body = body;
    reply->body_length = length;
}

void spoil_member(struct http_reply *reply, const char *name, const char *value)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    struct json_object *body = json_tokener_parse(reply->body);
    const char *rest;
    char *text;

    if (!name || !json_object_is_type(body, json_type_object)) {
        json_object_put(body);
        return;
    }
    json_object_object_del(body, name);
    rest = json_object_to_json_string_ext(body, flags);
    if (!value)
        text = memory_text(rest);
    else
        text = memory_printf("{\"%s\":%s%s%s", name, value,
                             json_object_object_length(body) > 0 ? "," : "", rest + 1);
    json_object_put(body);
    set_body(reply, text, strlen(text));
}

void spoil_bom(struct http_reply *reply)
{
    char *text = memory_printf("\xEF\xBB\xBF%s", !reply->body ? "" : reply->body);

    set_body(reply, text, strlen(text));
}

static uint32_t crc32_of(const char *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static void put_little_endian(char *at, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (char)(number >> 8 * i);
}

/* RFC 1952, with the body in one stored block: packed by name only, which is all that matters. */
void spoil_gzip(struct http_reply *reply)
{
    static const char head[10] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
    size_t length = reply->body_length;
    uint32_t stored = (uint32_t)length;
    char *packed;

    if (!reply->body || length > STORED_MAX)
        return;
    packed = memory_zeroed(1, sizeof(head) + 5 + length + 8 + 1);
    memcpy(packed, head, sizeof(head));
    packed[sizeof(head)] = 1; /* the last block, stored */
    put_little_endian(packed + sizeof(head) + 1, stored, 2);
    put_little_endian(packed + sizeof(head) + 3, ~stored, 2);
    memcpy(packed + sizeof(head) + 5, reply->body, length);
    put_little_endian(packed + sizeof(head) + 5 + length, crc32_of(reply->body, length), 4);
    put_little_endian(packed + sizeof(head) + 5 + length + 4, stored, 4);
    set_body(reply, packed, sizeof(head) + 5 + length + 8);
    http_reply_replace_header(reply, "Content-Encoding", "gzip");
}

bool spoil_was_redirected(const struct http_request *request)
{
    return !!http_fields_get(&request->query, "redirected");
}

void spoil_redirect(const struct http_request *request, struct http_reply *reply, int status,
                    const char *place)
{
    const char *query = !request->query_text ? "" : request->query_text;
    char *location;

    if (place)
        location = memory_text(place);
    else
        location = memory_printf("%s?%s%sredirected=1", request->path, query, *query ? "&" : "");
    reply->status = status == 0 ? 307 : status;
    http_reply_replace_header(reply, "Location", location);
    free(location);
    set_body(reply, memory_text(""), 0);
}

void spoil_page(struct http_reply *reply, int status, const char *title)
{
    char *page = memory_printf("<html><head><title>%s</title></head><body>No.</body></html>",
                               !title ? "Service Unavailable" : title);

    reply->status = status == 0 ? 503 : status;
    http_reply_replace_header(reply, "Content-Type", "text/html");
    set_body(reply, page, strlen(page));
}
