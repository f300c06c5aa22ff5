#include "resp.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* Where the rest begins. */
struct reader {
    const char *bytes;
    size_t length, at;
};

/* The next line without its end, NULL where it is not there yet. */
static const char *next_line(struct reader *reader, size_t *ret_length)
{
    const char *line = reader->bytes + reader->at;
    const char *end = memchr(line, '\n', reader->length - reader->at);

    if (!end)
        return NULL;
    *ret_length = (size_t)(end - line);
    reader->at += *ret_length + 1;
    if (*ret_length > 0 && line[*ret_length - 1] == '\r')
        (*ret_length)--;
    return line;
}

/* The number after the mark of a line: "$11". Returns false where it is none. */
static bool number_after(char mark, const char *line, size_t length, size_t *number)
{
    char text[8];

    if (length < 2 || length > sizeof(text) || line[0] != mark)
        return false;
    memcpy(text, line + 1, length - 1);
    text[length - 1] = '\0';
    if (strspn(text, "0123456789") != length - 1)
        return false;
    *number = strtoul(text, NULL, 10);
    return true;
}

static enum resp_state read_array(struct reader *reader, struct resp_command *command)
{
    const char *line;
    size_t length, count;

    line = next_line(reader, &length);
    if (!line)
        return RESP_MORE;
    if (!number_after('*', line, length, &count) || count > RESP_MAX_WORDS)
        return RESP_WRONG;
    for (size_t i = 0; i < count; i++) {
        size_t size;

        line = next_line(reader, &length);
        if (!line)
            return RESP_MORE;
        if (!number_after('$', line, length, &size) || size > RESP_MAX_LENGTH / 2)
            return RESP_WRONG;
        if (reader->length - reader->at < size + 2)
            return RESP_MORE;
        command->words[command->count++] = memory_text_n(reader->bytes + reader->at, size);
        reader->at += size + 2;
    }
    return RESP_WHOLE;
}

static enum resp_state read_words(struct reader *reader, struct resp_command *command)
{
    size_t length, at = 0;
    const char *line = next_line(reader, &length);

    if (!line)
        return RESP_MORE;
    while (at < length && command->count < RESP_MAX_WORDS) {
        size_t begin;

        while (at < length && line[at] == ' ')
            at++;
        begin = at;
        while (at < length && line[at] != ' ')
            at++;
        if (at > begin)
            command->words[command->count++] = memory_text_n(line + begin, at - begin);
    }
    return RESP_WHOLE;
}

enum resp_state resp_parse(const char *bytes, size_t length, struct resp_command *command)
{
    struct reader reader = {.bytes = bytes, .length = length};
    enum resp_state state;

    *command = (struct resp_command){0};
    if (length == 0)
        return RESP_MORE;
    state = *bytes == '*' ? read_array(&reader, command) : read_words(&reader, command);
    command->length = reader.at;
    if (state == RESP_MORE && length == RESP_MAX_LENGTH)
        state = RESP_WRONG;
    if (state != RESP_WHOLE)
        resp_done(command);
    return state;
}

void resp_done(struct resp_command *command)
{
    for (size_t i = 0; i < command->count; i++)
        free(command->words[i]);
    command->count = 0;
}
