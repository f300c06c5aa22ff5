#!/usr/bin/python3
"""without_calls.py CALL[,CALL…] PROGRAM [ARGUMENT…]: runs a program to which these system calls are
refused with EPERM, as a sandbox would."""

import ctypes
import errno
import os
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def refuse(names):
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ALLOW)))
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        assert seccomp.seccomp_rule_add(context, ctypes.c_uint32(ERRNO | errno.EPERM),
                                        ctypes.c_int(number), ctypes.c_uint(0)) == 0, name
    assert seccomp.seccomp_load(context) == 0


if __name__ == "__main__":
    refuse(sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])
