#include "proto/program_output.h"

#include <string.h>

#include "base/str.h"
#include "base/wipe.h"
#include "proto/key_text.h"

#define LINE_END " | "
#define CUT      "... "

/* A key that is cut in two by the beginning of the text must still be recognised. */
enum { TEXT_MAX = 4096 };

/* Is `text` inside the key? */
static bool is_part_of_key(const struct secret *key, const char *text, size_t length)
{
    return memmem(secret_bytes(key), secret_length(key), text, length);
}

static void redact_key(char *text, size_t length, const struct secret *key)
{
    char shown[TEXT_MAX];

    if (!key || length < PROGRAM_OUTPUT_RUN_MIN)
        return;
    memcpy(shown, text, length);
    for (size_t i = 0; i + PROGRAM_OUTPUT_RUN_MIN <= length; i++) {
        if (is_part_of_key(key, shown + i, PROGRAM_OUTPUT_RUN_MIN))
            memset(text + i, '*', PROGRAM_OUTPUT_RUN_MIN);
    }
    wipe(shown, length);
}

void program_output_redact(char *text, const struct secret *key)
{
    const size_t length = strlen(text);

    redact_key(text, length < TEXT_MAX ? length : TEXT_MAX, key);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* Joins the lines in `text`, whose last byte is not blank. Returns the length of the result. */
static size_t join_lines(const char *text, size_t length, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + sizeof(LINE_END) < size; i++) {
        if (text[i] != '\n') {
            out[used++] = text[i] == '\0' ? ' ' : text[i];
            continue;
        }
        while (is_blank(text[i + 1])) /* ends at the last byte at the latest */
            i++;
        memcpy(out + used, LINE_END, sizeof(LINE_END) - 1);
        used += sizeof(LINE_END) - 1;
    }
    out[used] = '\0';
    return used;
}

static void trim(const char **bytes, size_t *length)
{
    while (*length > 0 && is_blank((*bytes)[*length - 1]))
        (*length)--;
    while (*length > 0 && is_blank(**bytes)) {
        (*bytes)++;
        (*length)--;
    }
}

const char *program_output_text(const char *bytes, size_t length, const struct secret *key,
                                char *out, size_t size)
{
    char part[TEXT_MAX], joined[2 * TEXT_MAX];
    size_t used;
    bool cut;

    trim(&bytes, &length);
    cut = length > sizeof(part);
    if (cut) {
        bytes += length - sizeof(part);
        length = sizeof(part);
        trim(&bytes, &length);
    }
    if (length > 0)
        memcpy(part, bytes, length);
    redact_key(part, length, key);
    used = join_lines(part, length, joined, sizeof(joined));
    wipe(part, sizeof(part));
    utf8_make_presentable(joined);
    key_text_redact(joined);
    cut = cut || used >= size;
    if (cut) {
        const size_t room = size - sizeof(CUT);
        size_t from = used > room ? used - room : 0;

        while (((unsigned char)joined[from] & 0xc0) == 0x80)
            from++; /* the middle of a character */
        (void)str_copy(out, size, CUT);
        (void)str_copy(out + sizeof(CUT) - 1, size - (sizeof(CUT) - 1), joined + from);
    } else {
        (void)str_copy(out, size, joined);
    }
    wipe(joined, sizeof(joined));
    return out;
}

const char *program_output_last_line(const char *bytes, size_t length, const struct secret *key,
                                     char *out, size_t size)
{
    const char *newline;

    trim(&bytes, &length);
    newline = length > 0 ? memrchr(bytes, '\n', length) : NULL;
    if (newline) {
        length -= (size_t)(newline + 1 - bytes);
        bytes = newline + 1;
    }
    return program_output_text(bytes, length, key, out, size);
}
