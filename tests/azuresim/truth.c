#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"

struct truth {
    char *path;
    int fd;
};

struct truth *truth_new(const char *dir)
{
    struct truth *truth = memory_zeroed(1, sizeof(*truth));

    truth->path = memory_printf("%s/truth.jsonl", dir);
    truth->fd = open(truth->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (truth->fd < 0) {
        int saved = errno;

        truth_free(truth);
        errno = saved;
        return NULL;
    }
    return truth;
}

void truth_free(struct truth *truth)
{
    if (!truth)
        return;
    if (truth->fd >= 0)
        close(truth->fd);
    free(truth->path);
    free(truth);
}

struct json_object *truth_event(const char *name)
{
    struct json_object *event = json_object_new_object();
    int64_t now = clock_wall_us();
    char text[CLOCK_TEXT_SIZE];

    snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64, now / CLOCK_US_PER_SECOND,
             now % CLOCK_US_PER_SECOND);
    json_object_object_add(event, "t", json_object_new_double_s((double)now / 1e6, text));
    json_object_object_add(event, "event", json_object_new_string(name));
    return event;
}

void truth_write(struct truth *truth, struct json_object *event)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    char *line = memory_printf("%s\n", json_object_to_json_string_ext(event, flags));
    size_t length = strlen(line);

    /* One write(2) to an O_APPEND file, so that lines of different threads cannot mix. */
    if (write(truth->fd, line, length) != (ssize_t)length)
        fprintf(stderr, "azuresim: truth log: %s\n", strerror(errno));
    free(line);
    json_object_put(event);
}

void truth_token(struct truth *truth, const char *client_id, const char *token)
{
    struct json_object *event = truth_event("token");

    json_object_object_add(event, "client_id", json_object_new_string(client_id));
    json_object_object_add(event, "token", json_object_new_string(token));
    truth_write(truth, event);
}

const char *truth_path(const struct truth *truth)
{
    return truth->path;
}
