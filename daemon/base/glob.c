#include "base/glob.h"

#include <stddef.h>

static char folded(char c, bool any_case)
{
    return any_case && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The last * takes one byte more whenever what follows it does not fit. */
bool glob_match(const char *pattern, const char *text, bool any_case)
{
    const char *after_star = NULL;
    const char *taken = NULL; /* the end of what the last * stands for */

    while (*text != '\0') {
        if (*pattern == '*') {
            after_star = ++pattern;
            taken = text;
        } else if (*pattern != '\0' &&
                   (*pattern == '?' || folded(*pattern, any_case) == folded(*text, any_case))) {
            pattern++;
            text++;
        } else if (after_star) {
            pattern = after_star;
            text = ++taken;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
