/*
 * Words of a line.
 */
#include "script_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_mark(char c)
{
    return c == ',' || c == ':';
}

static bool take_word(struct words *words, const char *text, size_t length)
{
    if (words->count == WORDS_MAX)
        return words_wrong(words, "more than %d words", WORDS_MAX);
    if (length >= WORD_MAX)
        return words_wrong(words, "a word is longer than %d characters: \"%.*s…\"", WORD_MAX - 1,
                           WORD_MAX - 1, text);
    memcpy(words->word[words->count], text, length);
    words->word[words->count][length] = '\0';
    words->count++;
    return true;
}

bool words_split(struct words *words, const char *line, size_t length)
{
    const char *end = line + length;

    words->count = 0;
    words->error[0] = '\0';
    while (line < end && *line != '#') {
        const char *start = line;

        if (is_blank(*line)) {
            line++;
            continue;
        }
        do
            line++;
        while (line < end && !is_mark(*start) && !is_blank(*line) && !is_mark(*line) &&
               *line != '#');
        if (!take_word(words, start, (size_t)(line - start)))
            return false;
    }
    return true;
}

bool words_are(const struct words *words, size_t at, const char *word)
{
    return at < words->count && strcmp(words->word[at], word) == 0;
}

bool words_wrong(struct words *words, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words->error, sizeof(words->error), format, arguments);
    va_end(arguments);
    return false;
}
