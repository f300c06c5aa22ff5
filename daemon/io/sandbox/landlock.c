#include "io/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the kernel's headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

/* Files are renamed within one directory, so that LANDLOCK_ACCESS_FS_REFER is not needed. */
#define WRITING                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |   \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
/* Of these, what has a meaning for a single file; the kernel refuses rules with others. */
#define WRITING_OF_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* The first version of Landlock knows all up to the last of these. */
#define ALL_OF_VERSION_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Set while there is one thread, and never again. */
static bool limits_writing;

static int create_ruleset(const struct landlock_ruleset_attr *attributes, size_t size,
                          uint32_t flags)
{
    return (int)syscall(SYS_landlock_create_ruleset, attributes, size, flags);
}

int landlock_version(void)
{
    int version = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version > 0 ? version : 0;
}

/* All that the kernel knows of, but reading. What is handled is forbidden but where a rule allows
 * it.
 */
static uint64_t handled_by(int version)
{
    uint64_t handled = ALL_OF_VERSION_1 & ~READING;

    if (version >= 2)
        handled |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        handled |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (version >= 5)
        handled |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return handled;
}

static int add_place(int ruleset, const char *place, uint64_t handled, struct err *err)
{
    struct landlock_path_beneath_attr rule = {.parent_fd = open(place, O_PATH | O_CLOEXEC)};
    struct stat status;
    int rc = 0;

    if (rule.parent_fd < 0)
        return err_set_errno(err, errno, "cannot open %s", place);
    if (fstat(rule.parent_fd, &status) != 0)
        status.st_mode = 0;
    rule.allowed_access = (S_ISDIR(status.st_mode) ? WRITING : WRITING_OF_FILE) & handled;
    if (rc == 0 &&
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        rc = err_set_errno(err, errno, "Landlock does not take a rule for %s", place);
    close(rule.parent_fd);
    return rc;
}

int landlock_limit_writing(const char *const places[], size_t count, struct err *err)
{
    int version = landlock_version();
    struct landlock_ruleset_attr attributes = {.handled_access_fs = handled_by(version)};
    int ruleset, r = 0;

    if (version == 0)
        return err_set(err, -EOPNOTSUPP, "the kernel has no Landlock, or a sandbox forbids it");
    ruleset = create_ruleset(&attributes, sizeof(attributes), 0);
    if (ruleset < 0)
        return err_set_errno(err, errno, "Landlock takes no rules");
    for (size_t i = 0; i < count && r == 0; i++)
        r = add_place(ruleset, places[i], attributes.handled_access_fs, err);
    if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        r = err_set_errno(err, errno, "Landlock does not take its rules into force");
    close(ruleset);
    limits_writing = limits_writing || r == 0;
    return r;
}

bool landlock_limits_writing(void)
{
    return limits_writing;
}
