#include "io/sandbox/privileges.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The capabilities that delivery to files may need. */
static const struct {
    unsigned number;
    const char *name;
    const char *loss;
} wanted[] = {
    {CAP_CHOWN, "CAP_CHOWN", "give files to a group that it is not in"},
    {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "read and write what modes forbid to root"},
    {CAP_FOWNER, "CAP_FOWNER", "set modes of what others own"},
};

enum { WANTED_COUNT = sizeof(wanted) / sizeof(wanted[0]) };

bool privileges_describe(uid_t user, uint64_t effective, char out[PRIVILEGES_TEXT_MAX])
{
    char names[PRIVILEGES_TEXT_MAX / 4] = "", losses[PRIVILEGES_TEXT_MAX / 2] = "";
    size_t names_length = 0, losses_length = 0;

    out[0] = '\0';
    for (size_t i = 0; user == 0 && i < WANTED_COUNT; i++) {
        if ((effective >> wanted[i].number & 1) != 0)
            continue;
        names_length += (size_t)snprintf(names + names_length, sizeof(names) - names_length, "%s%s",
                                         names_length > 0 ? ", " : "", wanted[i].name);
        losses_length +=
            (size_t)snprintf(losses + losses_length, sizeof(losses) - losses_length, "%s%s",
                             losses_length > 0 ? ", nor " : "", wanted[i].loss);
    }
    if (names_length == 0)
        return false;
    (void)snprintf(out, PRIVILEGES_TEXT_MAX,
                   "runs as uid 0 without %s: it cannot %s. Run it as the user who owns the "
                   "directories of key files, or give it these capabilities",
                   names, losses);
    return true;
}

bool privileges_missing(char out[PRIVILEGES_TEXT_MAX])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    memset(data, 0, sizeof(data));
    out[0] = '\0';
    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    return privileges_describe(geteuid(), (uint64_t)data[1].effective << 32 | data[0].effective,
                               out);
}
