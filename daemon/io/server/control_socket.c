#include "io/server/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/must.h"
#include "base/str.h"

enum { BACKLOG = 32, NAME_SERVICE_MAX = 16384 };

/* The user id that the kernel shows for a user outside of the user namespace (user_namespaces(7)).
 */
static const uid_t UNMAPPED_USER = 65534;

/* The number of user ids: all of 32 bits but -1. */
static const unsigned long long ALL_USERS = 0xFFFFFFFF;

static int fill_address(struct sockaddr_un *address, const char *path, struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!str_copy(address->sun_path, sizeof(address->sun_path), path))
        return err_set(err, -ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes", path,
                       sizeof(address->sun_path) - 1);
    return 0;
}

/* Clears the way for bind(): removes a socket on which nobody listens any more. */
static int remove_stale(const struct sockaddr_un *address, struct err *err)
{
    const char *path = address->sun_path;
    struct stat status;
    bool in_use;
    int fd;

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "%s", path);
    if (!S_ISSOCK(status.st_mode))
        return err_set(err, -EEXIST, "%s exists and is not a socket: move it away", path);

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "making a socket");
    /* A refused connection means that nobody listens; any other error, such as a full backlog,
     * means that somebody does. */
    in_use = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
             (errno != ECONNREFUSED && errno != ENOENT);
    (void)close(fd);
    if (in_use)
        return err_set(err, -EADDRINUSE, "another process listens on %s", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "removing the stale %s", path);
    return 0;
}

/* The group's id, or (gid_t)-1 where there is none of that name. */
static gid_t find_group(const char *name)
{
    char *storage = must_alloc(NAME_SERVICE_MAX);
    struct group group, *found = NULL;

    (void)getgrnam_r(name, &group, storage, NAME_SERVICE_MAX, &found);
    free(storage);
    return found ? group.gr_gid : (gid_t)-1;
}

/* Only the owner can use the socket until its group is set. */
static int give_to_group(struct control_socket *made, const char *group_name, struct err *err)
{
    const gid_t group = group_name ? find_group(group_name) : (gid_t)-1;
    struct stat status;

    /* In the service the socket already has the right group, the service's own. */
    if (lstat(made->path, &status) < 0)
        return err_set_errno(err, errno, "%s", made->path);
    if (group_name && group == (gid_t)-1)
        snprintf(
            made->warning, sizeof(made->warning),
            "there is no group %.50s: only root and the daemon's own group can use %.100s; make "
            "it (groupadd --system %.50s), add operators to it, and restart the daemon",
            group_name, made->path, group_name);
    if (group != (gid_t)-1 && group != status.st_gid && lchown(made->path, (uid_t)-1, group) < 0)
        snprintf(made->warning, sizeof(made->warning),
                 "%.100s could not be given to the group %.50s (%s): only the daemon's own group "
                 "and root can use it",
                 made->path, group_name, strerrordesc_np(errno));
    if (chmod(made->path, 0660) < 0)
        return err_set_errno(err, errno, "setting the mode of %s", made->path);
    return 0;
}

static int bind_privately(struct control_socket *made, const struct sockaddr_un *address,
                          struct err *err)
{
    const mode_t mask = umask(0177); /* at start, before other threads make files */
    const int rc = bind(made->fd, (const struct sockaddr *)address, sizeof(*address));
    const int bind_errno = errno;
    struct stat status;

    (void)umask(mask);
    if (rc < 0)
        return err_set_errno(err, bind_errno, "binding %s", address->sun_path);
    if (lstat(address->sun_path, &status) < 0)
        return err_set_errno(err, errno, "%s", address->sun_path);
    made->device = status.st_dev;
    made->inode = status.st_ino;
    return 0;
}

int control_socket_init(struct control_socket *made, const char *path, const char *group,
                        struct err *err)
{
    struct sockaddr_un address;
    int rc;

    *made = (struct control_socket){.fd = -1, .path = must_dup(path)};
    rc = fill_address(&address, path, err);
    if (rc == 0)
        rc = remove_stale(&address, err);
    if (rc != 0)
        return rc;
    made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made->fd < 0)
        return err_set_errno(err, errno, "making a socket");
    rc = bind_privately(made, &address, err);
    if (rc == 0)
        rc = give_to_group(made, group, err);
    if (rc == 0 && listen(made->fd, BACKLOG) < 0)
        rc = err_set_errno(err, errno, "listening on %s", path);
    return rc;
}

void control_socket_unlink(struct control_socket *made)
{
    struct stat status;

    if (made->inode != 0 && lstat(made->path, &status) == 0 && status.st_dev == made->device &&
        status.st_ino == made->inode)
        (void)unlink(made->path);
    made->inode = 0;
}

void control_socket_done(struct control_socket *made)
{
    control_socket_unlink(made);
    if (made->fd >= 0)
        (void)close(made->fd);
    made->fd = -1;
    free(made->path);
    made->path = NULL;
}

/* Reads /etc/passwd itself, because a name service behind a dead network would block the loop. */
static bool find_user_name(uid_t uid, char *out, size_t size)
{
    FILE *file = fopen("/etc/passwd", "re");
    char storage[4096];
    struct passwd entry, *found = NULL;
    bool known = false;

    while (file && !known && fgetpwent_r(file, &entry, storage, sizeof(storage), &found) == 0)
        known = found->pw_uid == uid;
    if (known)
        (void)str_copy(out, size, found->pw_name);
    if (file)
        (void)fclose(file);
    return known;
}

/* Returns whether the user namespace of this process leaves users out. Without /proc, or without
 * such namespaces in the kernel, it leaves out none. */
static bool hides_users(void)
{
    FILE *file = fopen("/proc/self/uid_map", "re");
    unsigned long long mapped = 0;
    bool read = false;
    char line[64]; /* "0 0 4294967295": the third is how many */

    while (file && fgets(line, sizeof(line), file)) {
        const char *count = strrchr(line, ' ');

        mapped += count ? strtoull(count, NULL, 10) : 0;
        read = true;
    }
    if (file)
        (void)fclose(file);
    return read && mapped < ALL_USERS;
}

void control_socket_peer(int fd, char out[CONTROL_ACTOR_MAX])
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    char name[CONTROL_ACTOR_MAX / 2];

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        (void)str_copy(out, CONTROL_ACTOR_MAX, "unknown");
    else if (peer.uid == UNMAPPED_USER && hides_users())
        (void)str_copy(out, CONTROL_ACTOR_MAX, "a member of keyrotated-admin");
    else if (find_user_name(peer.uid, name, sizeof(name)))
        snprintf(out, CONTROL_ACTOR_MAX, "uid %u (%s)", (unsigned)peer.uid, name);
    else
        snprintf(out, CONTROL_ACTOR_MAX, "uid %u", (unsigned)peer.uid);
}
