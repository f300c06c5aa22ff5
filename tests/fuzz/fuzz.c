#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"

enum { NAME_MAX_LENGTH = 512 };

void fuzz_broken(const char *file, int line, const char *promise)
{
    (void)fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

static char *copy(const char *bytes, size_t length)
{
    char *text = malloc(length + 1);

    if (!text)
        abort();
    if (length > 0)
        memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

static void skip(struct fuzz_input *input, size_t length)
{
    input->at += length;
    input->left -= length;
}

char *fuzz_take_line(struct fuzz_input *input)
{
    const char *end = input->left > 0 ? memchr(input->at, '\n', input->left) : NULL;
    const size_t length = end ? (size_t)(end - input->at) : input->left;
    char *line = copy(input->at, length);

    skip(input, length + !!end);
    return line;
}

char *fuzz_take_rest(struct fuzz_input *input, size_t *ret_length)
{
    char *rest = copy(input->at, input->left);

    *ret_length = input->left;
    skip(input, input->left);
    return rest;
}

uint64_t fuzz_take_number(struct fuzz_input *input, size_t bytes)
{
    uint64_t number = 0;

    for (; bytes > 0 && input->left > 0; bytes--) {
        number = number << 8 | (uint8_t)*input->at;
        skip(input, 1);
    }
    return number;
}

void fuzz_reply_init(struct http_reply *reply, const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    char *line = fuzz_take_line(&input);
    size_t length;

    http_reply_init(reply, HTTP_BODY_MAX);
    reply->outcome = HTTP_ANSWERED;
    reply->status = (int)(strtoul(line, NULL, 10) % 600);
    for (free(line); (line = fuzz_take_line(&input))[0] != '\0'; free(line)) {
        buf_append_str(&reply->headers, line);
        buf_append_char(&reply->headers, '\n');
    }
    free(line);
    line = fuzz_take_rest(&input, &length);
    buf_append(&reply->body, line, length);
    free(line);
}

bool fuzz_is_presentable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
        if ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0)
            return false; /* a control character of two bytes */
    }
    return utf8_valid(text, strlen(text));
}

/* --- files --- */

static char directory[NAME_MAX_LENGTH];
static char path[NAME_MAX_LENGTH + 8];

static void remove_file(void)
{
    (void)unlink(path);
    (void)rmdir(directory);
}

const char *fuzz_file(const void *content, size_t length)
{
    FILE *file;

    if (directory[0] == '\0') {
        const char *parent = getenv("TMPDIR");

        (void)snprintf(directory, sizeof(directory), "%s/fuzz.XXXXXX", parent ? parent : "/tmp");
        MUST(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/input", directory);
        (void)atexit(remove_file);
    }
    file = fopen(path, "wb");
    MUST(file);
    MUST(fwrite(content, 1, length, file) == length);
    MUST(fclose(file) == 0);
    MUST(chmod(path, 0600) == 0);
    return path;
}
