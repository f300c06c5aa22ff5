#include "arm_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void arm_error(struct http_reply *reply, int status, const char *code, const char *format, ...)
{
    struct json_object *body = json_object_new_object();
    struct json_object *error = json_object_new_object();
    char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    va_end(arguments);
    json_add_text(error, "code", code);
    json_add_text(error, "message", message);
    json_object_object_add(body, "error", error);
    http_reply_json(reply, status, body);
    http_reply_replace_header(reply, "x-ms-failure-cause", "gateway");
    free(message);
}
