#include "base/cause.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"

enum { ANY_WORD = 0x1f, NO_TEXT = 0x1e };

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The length of the name that begins here as a whole word; 0 when none does. */
static size_t name_here(const char *text, const char *const names[])
{
    size_t longest = 0;

    for (; *names; names++) {
        size_t length = strlen(*names);

        if (length > longest && strncasecmp(text, *names, length) == 0 && !is_word(text[length]))
            longest = length;
    }
    return longest;
}

static size_t word_length(const char *text, bool *ret_has_digit)
{
    size_t length = 0;

    *ret_has_digit = false;
    for (; is_word(text[length]); length++)
        *ret_has_digit |= isdigit((unsigned char)text[length]) != 0;
    return length;
}

uint64_t cause_hash(uint64_t hash, const char *text, const char *const names[])
{
    if (!text)
        return hash_byte(hash, NO_TEXT);
    while (*text != '\0') {
        bool has_digit = false;
        size_t length = name_here(text, names);
        bool any = length > 0;

        if (!any)
            length = word_length(text, &has_digit);
        if (any || has_digit) {
            hash = hash_byte(hash, ANY_WORD);
            text += length;
            continue;
        }
        if (length == 0)
            length = 1; /* between words */
        for (; length > 0; length--)
            hash = hash_byte(hash, (unsigned char)*text++);
    }
    return hash_byte(hash, 0);
}

uint64_t cause_hash_number(uint64_t hash, int64_t number)
{
    for (unsigned i = 0; i < sizeof(number); i++)
        hash = hash_byte(hash, (unsigned char)((uint64_t)number >> (8 * i)));
    return hash;
}
