#include "io/sandbox/write_roots.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* --- names --- */

const struct write_root *write_roots_get(const struct write_roots *roots, const char *path)
{
    for (size_t i = 0; i < roots->count; i++) {
        if (str_equal(roots->roots[i].path, path))
            return &roots->roots[i];
    }
    return NULL;
}

/* "/var" of "/var/lib/keys", of which only `length` bytes count; false where there is none. */
static bool root_of(const char *directory, size_t length, char out[NAME_MAX + 2])
{
    size_t start = strspn(directory, "/");
    size_t name = start < length ? strcspn(directory + start, "/") : 0;

    if (start == 0 || name == 0 || name > NAME_MAX || start + name > length)
        return false;
    /* A placeholder may become a link's name, and ".." leads anywhere. */
    if (memchr(directory, '{', length) || memmem(directory, length, "/..", 3))
        return false;
    out[0] = '/';
    memcpy(out + 1, directory + start, name);
    out[name + 1] = '\0';
    return true;
}

/* A file system is in use for as long as the daemon has its journal, or its socket, there; and
 * there are some that no system runs without. */
static bool stays(const char *root, const char *target)
{
    static const char *const system[] = {"/etc", "/root", "/run", "/usr", "/var"};

    for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++) {
        if (str_equal(root, system[i]))
            return true;
    }
    return !target;
}

static int add_root(struct write_roots *roots, const char *path, const char *target,
                    struct err *err)
{
    struct write_root *root = NULL;

    for (size_t i = 0; i < roots->count && !root; i++) {
        if (str_equal(roots->roots[i].path, path))
            root = &roots->roots[i];
    }
    if (!root) {
        if (roots->count == WRITE_ROOTS_MAX)
            return err_set(err, -E2BIG, "there are more than %d directories under / to write in",
                           WRITE_ROOTS_MAX);
        root = &roots->roots[roots->count++];
        *root = (struct write_root){.target = NULL};
        (void)str_copy(root->path, sizeof(root->path), path);
    }
    if (!root->target)
        root->target = target;
    root->stays = root->stays || stays(path, target);
    return 0;
}

static int add_directory(struct write_roots *roots, const char *directory, size_t length,
                         const char *target, struct err *err)
{
    char root[NAME_MAX + 2];

    if (!root_of(directory, length, root))
        return err_set(err, -ENOTSUP,
                       "it is not known below which directory of / files in %.*s will lie",
                       length > 0 ? (int)length : 1, length > 0 ? directory : "/");
    return add_root(roots, root, target, err);
}

static int add_directory_of(struct write_roots *roots, const char *file, const char *target,
                            struct err *err)
{
    const char *slash = strrchr(file, '/');

    return add_directory(roots, file, slash ? (size_t)(slash - file) : 0, target, err);
}

/* --- all together --- */

int write_roots_add_own(struct write_roots *roots, const struct config *config, struct err *err)
{
    int rc = add_directory(roots, config->state_dir, strlen(config->state_dir), NULL, err);

    return rc != 0 ? rc : add_directory_of(roots, config->control_socket, NULL, err);
}

int write_roots_add_targets(struct write_roots *roots, const struct config *config, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < config->account_count; i++) {
        const struct account *account = &config->accounts[i];

        for (size_t k = 0; k < account->destination_count && rc == 0; k++) {
            const struct destination *destination = &account->destinations[k];

            switch (destination->type) {
            case TARGET_FILE:
                rc = add_directory_of(roots, destination->path, destination->name, err);
                break;
            }
        }
    }
    return rc;
}
