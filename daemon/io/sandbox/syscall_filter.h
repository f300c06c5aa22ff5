/*
 * System calls that this process never makes, and that would be of use to an intruder alone, are
 * refused from now on (seccomp(2), by way of libseccomp).
 *
 * It is a list of what is forbidden, and forbidden calls fail with EPERM. A list of what is allowed
 * would have to know every call that libc and a dozen libraries may come to make in versions that
 * do not exist yet; systemd's SystemCallFilter=, which an administrator can change, is the place
 * for one, and the unit has it. This one holds where nothing of the kind is set up: in a container,
 * under cron, by hand.
 */
#ifndef KEYROTATED_IO_SANDBOX_SYSCALL_FILTER_H
#define KEYROTATED_IO_SANDBOX_SYSCALL_FILTER_H

#include "base/err.h"

/*
 * For all threads, those to come, and children; for ever:
 *
 *  - no other program is executed, no other process looked into or changed,
 *  - nobody becomes another user, and no memory of ours becomes dumpable,
 *  - no mounting, no namespaces, no kernel modules, no BPF, no keyrings, no clocks set, …
 *  - sockets are for IP, for local ones, and for asking the kernel about the network,
 *  - no calls of other architectures than the native one.
 *
 * Returns 0, or a negative errno value with err set where the kernel, or a sandbox, does not let
 * us.
 */
int syscall_filter_apply(struct err *err);

#endif
