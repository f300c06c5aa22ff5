#include "conf/exposure.h"

#include <sys/stat.h>

#include "base/mount_line.h"

/* Does the mode give every user one of these bits? What lies on a file system that may hang is not
 * looked at: the daemon could not start while its server is away. */
static bool is_exposed(const char *path, mode_t bits, unsigned *ret_mode)
{
    struct stat status;

    if (mount_path_may_hang(path) || stat(path, &status) < 0 || (status.st_mode & bits) == 0)
        return false;
    *ret_mode = status.st_mode & 07777;
    return true;
}

void exposure_check_config(struct report *report, struct mark mark, const char *path)
{
    unsigned mode;

    if (is_exposed(path, S_IWOTH, &mode))
        report_warning_at(report, mark, "",
                          "every user can write to %s (mode %04o) and so decide where keys go; run "
                          "chmod o-w %s",
                          path, mode, path);
}

void exposure_check_directory(struct report *report, struct mark mark, const char *path,
                              bool has_fragments)
{
    unsigned mode;

    if (!is_exposed(path, S_IWOTH, &mode))
        return;
    if ((mode & S_ISVTX) == 0)
        exposure_check_config(report, mark, path);
    else if (!has_fragments)
        report_warning_at(
            report, mark, "",
            "every user can make a conf.d in %s and so decide where keys go; keep the "
            "configuration in a directory of its own",
            path);
}

void exposure_check_secret(struct report *report, const struct tree_node *node, const char *path)
{
    unsigned mode;

    if (is_exposed(path, S_IROTH | S_IWOTH, &mode))
        report_warning(report, node,
                       "every user can %s %s (mode %04o) and so act as this identity, or keep it "
                       "from acting; run chmod o-rwx %s, and renew the secret if others could "
                       "have read it",
                       (mode & S_IROTH) == 0   ? "write to"
                       : (mode & S_IWOTH) == 0 ? "read"
                                               : "read and write",
                       path, mode, path);
}

void exposure_check_authorities(struct report *report, const struct tree_node *node,
                                const char *path, const char *server)
{
    unsigned mode;

    if (is_exposed(path, S_IWOTH, &mode))
        report_warning(report, node,
                       "every user can write to %s (mode %04o) and so impersonate %s; run chmod "
                       "o-w %s",
                       path, mode, server, path);
}
