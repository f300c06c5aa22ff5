#include "io/sandbox/syscall_filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Listed by name, because some exist only on some architectures or are newer than the library. */
static const char *const forbidden[] = {
    /* other programs */
    "execve", "execveat",
    /* other processes */
    "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    "migrate_pages", "move_pages",
    /* becoming somebody else */
    "setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32",
    "setresuid", "setresuid32", "setresgid", "setresgid32", "setfsuid", "setfsuid32", "setfsgid",
    "setfsgid32", "setgroups", "setgroups32", "capset", "personality",
    /* another view of the file system */
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at",
    "fanotify_init", "mknod", "mknodat", "swapon", "swapoff", "quotactl", "quotactl_fd",
    /* the kernel */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "create_module",
    "delete_module", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "syslog", "lookup_dcookie", "nfsservctl", "uselib", "_sysctl", "acct",
    "iopl", "ioperm", "modify_ldt", "vm86", "vm86old", "pciconfig_read", "pciconfig_write",
    /* keys of the kernel's */
    "keyctl", "add_key", "request_key",
    /* the machine as a whole */
    "reboot", "sethostname", "setdomainname", "settimeofday", "stime", "clock_settime",
    "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "vhangup"};

/* The allowed address families; all have low numbers. */
static bool is_wanted(int family)
{
    return family == AF_UNSPEC || family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
           family == AF_NETLINK;
}

static int forbid_calls(scmp_filter_ctx filter, const char *const names[], size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

        if (number != __NR_SCMP_ERROR)
            rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    return rc;
}

static int forbid_families(scmp_filter_ctx filter)
{
    const uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    int rc =
        seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_GT, AF_NETLINK));

    for (int family = 0; family < AF_NETLINK && rc == 0; family++) {
        if (!is_wanted(family))
            rc = seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1,
                                  SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)family));
    }
    return rc;
}

/* The leak checker of an instrumented build needs both calls. */
static int forbid_looking_inside(scmp_filter_ctx filter)
{
#ifdef __SANITIZE_ADDRESS__
    (void)filter;
    return 0;
#else
    int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);

    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 2,
                              SCMP_A0_32(SCMP_CMP_EQ, PR_SET_DUMPABLE), SCMP_A1(SCMP_CMP_NE, 0));
    return rc;
#endif
}

static int set_attributes(scmp_filter_ctx filter)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));

    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    return rc;
}

int syscall_filter_apply(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int rc;

    if (!filter)
        return err_set(err, -ENOMEM, "the system call filter cannot be made");
    rc = set_attributes(filter);
    if (rc == 0)
        rc = forbid_calls(filter, forbidden, COUNT(forbidden));
    if (rc == 0)
        rc = forbid_families(filter);
    if (rc == 0)
        rc = forbid_looking_inside(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? 0 : err_set_errno(err, -rc, "the kernel does not take the system call filter");
}
