#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

struct record {
    FILE *file;
};

struct record *record_new(const char *dir)
{
    struct record *record = memory_zeroed(1, sizeof(*record));
    char *path = memory_printf("%s/exchanges.jsonl", dir);

    record->file = fopen(path, "we");
    free(path);
    if (!record->file) {
        int saved = errno;

        free(record);
        errno = saved;
        return NULL;
    }
    return record;
}

void record_free(struct record *record)
{
    if (!record)
        return;
    fclose(record->file);
    free(record);
}

static struct json_object *list_of(const struct http_fields *fields)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < fields->count; i++) {
        struct json_object *pair = json_object_new_array();

        json_object_array_add(pair, json_object_new_string(fields->list[i].name));
        json_object_array_add(pair, json_object_new_string(fields->list[i].value));
        json_object_array_add(list, pair);
    }
    return list;
}

static struct json_object *reply_of(const struct http_reply *reply)
{
    struct json_object *answer = json_object_new_object();

    json_object_object_add(answer, "status", json_object_new_int(reply->status));
    json_object_object_add(answer, "headers", list_of(&reply->headers));
    json_add_text(answer, "body", reply->body);
    return answer;
}

void record_exchange(struct record *record, const struct http_request *request,
                     const struct http_reply *reply, bool answered)
{
    struct json_object *line;
    char *target;

    if (!record)
        return;
    line = json_object_new_object();
    target = memory_printf("%s%s%s", request->path, *request->query_text == '\0' ? "" : "?",
                           request->query_text);
    json_add_text(line, "face", http_face_name(request->face));
    json_add_text(line, "op", request->op);
    json_add_text(line, "method", request->method);
    json_add_text(line, "target", target);
    json_object_object_add(line, "headers", list_of(&request->headers));
    json_add_text(line, "body", request->body);
    json_object_object_add(line, "reply", !answered ? NULL : reply_of(reply));
    fprintf(record->file, "%s\n",
            json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN |
                                                     JSON_C_TO_STRING_NOSLASHESCAPE));
    fflush(record->file);
    json_object_put(line);
    free(target);
}
