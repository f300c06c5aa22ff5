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

const char *path_problem(const char *path)
{
    size_t length = strlen(path);

    if (path[0] != '/')
        return "is not an absolute path; begin it with '/'";
    if (path[length - 1] == '/')
        return "is a directory; add the name of the file";
    for (const char *segment = path; *segment != '\0';) {
        size_t segment_length = strcspn(segment, "/");

        if (segment_length <= 2 && strspn(segment, ".") == segment_length && segment_length > 0)
            return "holds \".\" or \"..\"; write the path without them";
        segment += segment_length;
        segment += strspn(segment, "/");
    }
    return NULL;
}
