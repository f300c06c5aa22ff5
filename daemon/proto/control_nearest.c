#include <string.h>

#include "base/str.h"
#include "proto/control_protocol.h"

enum { TYPED_MAX = 128 };

/* Names of accounts join the names in an id, and a pair of keys, by '-'. */
static void join(const char *typed, char out[TYPED_MAX])
{
    (void)str_copy(out, TYPED_MAX, typed);
    for (char *at = out; *at != '\0'; at++)
        if (strchr("/#_ ", *at))
            *at = '-';
}

/* Is `part` the beginning of `whole`, up to a '-'? */
static bool begins(const char *whole, const char *part)
{
    return str_starts_with_nocase(whole, part) && whole[strlen(part)] == '-';
}

static const char *only_relative(const char *typed, const char *const names[])
{
    const char *found = NULL;

    if (*typed == '\0')
        return NULL;
    for (; *names; names++) {
        if (!begins(*names, typed) && !begins(typed, *names))
            continue;
        if (found)
            return NULL;
        found = *names;
    }
    return found;
}

const char *control_nearest_account(const char *typed, const char *const names[])
{
    const char *last = strrchr(typed, '/'), *nearest;
    char joined[TYPED_MAX];

    join(typed[0] == '/' && last ? last + 1 : typed, joined);
    nearest = str_nearest(joined, names);
    if (!nearest && last)
        nearest = str_nearest(last + 1, names);
    return nearest ? nearest : only_relative(joined, names);
}
