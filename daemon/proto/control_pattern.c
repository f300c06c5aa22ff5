#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "proto/control_protocol.h"

bool control_is_pattern(const char *typed)
{
    return !!strpbrk(typed, "*?");
}

bool control_pattern_matches(const char *pattern, const char *name, const char *resource_group,
                             const char *id)
{
    char both[CONTROL_ACCOUNT_MAX];

    if (pattern[0] == '/')
        return glob_match(pattern, id, true);
    if (!strchr(pattern, '/'))
        return glob_match(pattern, name, true);
    (void)snprintf(both, sizeof(both), "%s/%s", resource_group, name);
    return glob_match(pattern, both, true);
}
