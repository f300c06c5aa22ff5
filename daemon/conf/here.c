#include "conf/here.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/user.h"

static bool is_missing(const char *path)
{
    struct stat status;

    return stat(path, &status) != 0 && errno == ENOENT;
}

/* Directories that the units make when they start. */
static bool is_made_by_unit(const char *directory)
{
    return str_equal(directory, "/var/lib/keyrotated-keys") ||
           (str_starts_with(directory, "/var/lib/keyrotated@") &&
            str_ends_with(directory, "/keys"));
}

void here_note_directory(struct resolve *resolve, struct tree_node *node, const char *place,
                         const char *group)
{
    const char *slash = strrchr(place, '/');
    const char *directory;

    if (!resolve->environment->sees_targets || node->noted || slash == place)
        return;
    directory = arena_dup_n(resolve->arena, place, (size_t)(slash - place));
    if (!directory || is_made_by_unit(directory) || !is_missing(directory))
        return;
    report_warning(resolve->report, node,
                   "the directory %s does not exist here; make it, `install -d -o keyrotated -g %s "
                   "-m 2750 %s`%s",
                   directory, group ? group : "GROUP", directory,
                   group ? "" : " with the group of the programs that read the key as GROUP");
    node->noted = true;
}

void here_note_user(struct resolve *resolve, struct tree_node *node, const char *name)
{
    uid_t uid;

    if (!resolve->environment->sees_targets || !name || node->noted || user_find(name, &uid) != 0 ||
        uid != USER_NONE)
        return;
    report_warning(
        resolve->report, node,
        "there is no user %s here; create it, `useradd --system %s`, or correct the name", name,
        name);
    node->noted = true;
}

void here_note_group(struct resolve *resolve, struct tree_node *node, const char *name)
{
    gid_t gid;

    if (!resolve->environment->sees_targets || !name || node->noted ||
        user_find_group(name, &gid) != 0 || gid != USER_GROUP_NONE)
        return;
    report_warning(
        resolve->report, node,
        "there is no group %s here; create it, `groupadd --system %s`, or correct the name", name,
        name);
    node->noted = true;
}

void here_note_program(struct resolve *resolve, struct tree_node *node, const char *path,
                       const char *remedy)
{
    if (!resolve->environment->sees_targets || node->noted || !is_missing(path))
        return;
    report_warning(resolve->report, node, "there is no %s here; %s", path, remedy);
    node->noted = true;
}
