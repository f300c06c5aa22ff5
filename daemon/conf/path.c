#include "conf/path.h"

#include <string.h>

#include "base/str.h"

char *path_clean(struct arena *arena, const char *path)
{
    char *clean = arena_dup(arena, path);
    char *out = clean;

    if (!clean)
        return NULL;
    for (; *path != '\0'; path++) {
        if (*path != '/' || (path[1] != '/' && path[1] != '\0'))
            *out++ = *path;
    }
    if (out == clean)
        *out++ = '/';
    *out = '\0';
    return clean;
}

bool path_is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    if (!str_starts_with(path, directory))
        return false;
    return path[length] == '\0' || path[length] == '/' || directory[length - 1] == '/';
}

bool path_has_dot_segment(const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");

        if (length > 0 && length <= 2 && strspn(path, ".") == length)
            return true;
        path += length;
        path += *path == '/';
    }
    return false;
}

bool path_is_for_shell(const char *path)
{
    return path[0] == '~';
}

const char *path_problem(const char *path)
{
    size_t length = strlen(path);

    if (path_is_for_shell(path))
        return PATH_FOR_SHELL;
    if (path[0] != '/')
        return "is not an absolute path; begin it with '/'";
    if (path[length - 1] == '/')
        return "is a directory; add the name of the file";
    if (path_has_dot_segment(path))
        return "holds \".\" or \"..\"; write the path without them";
    return NULL;
}
