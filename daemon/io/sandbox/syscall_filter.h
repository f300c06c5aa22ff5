/*
 * Forbids system calls that this process never makes and that only an intruder would use
 * (seccomp(2), through libseccomp).
 *
 * The filter is a list of forbidden calls, which fail with EPERM. A list of allowed calls would
 * have to include every call that libc and a dozen libraries may make in future versions; it
 * belongs into systemd's SystemCallFilter=, which an administrator can change, and the unit has
 * one. This filter also works without systemd: in a container, under cron, by hand.
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
 * Returns 0, or a negative errno value with err set when the kernel or a sandbox does not allow the
 * filter.
 */
int syscall_filter_apply(struct err *err);

#endif
