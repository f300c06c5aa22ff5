"""A control group for machines: each gets one of its own, so that machines, whoever started them, do
not take each other's services for their own.

systemd in a container manages the group that its container was put into. Where a host has several
hierarchies, that is a group in the one that is called "systemd", and in the unified one.
"""

import contextlib
import os
import pathlib
import time


def current():
    """The directories of this process's own group, one for each hierarchy that systemd uses."""
    mounted = _mounted_hierarchies()
    own = pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii")
    directories = []
    for line in own.splitlines():
        _, hierarchy, path = line.split(":", 2)
        if hierarchy in mounted:
            directories.append(mounted[hierarchy] / path.lstrip("/"))
    return directories


def _mounted_hierarchies():
    """{"" (the unified one) or "name=systemd": where it is mounted}"""
    mounted = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        mount, _, filesystem = line.partition(" - ")
        kind, _, options = filesystem.split(" ", 2)
        if kind == "cgroup2":
            mounted.setdefault("", pathlib.Path(mount.split()[4]))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            mounted.setdefault("name=systemd", pathlib.Path(mount.split()[4]))
    return mounted


class Group:
    """The same group in all these hierarchies."""

    def __init__(self, directories):
        self.directories = [pathlib.Path(directory) for directory in directories]

    def make(self, name):
        child = Group(directory / name for directory in self.directories)
        for directory in child.directories:
            directory.mkdir()
        return child

    def enter(self):
        """Moves this process into it."""
        for directory in self.directories:
            (directory / "cgroup.procs").write_text("0", encoding="ascii")

    def remove(self, patience=0):
        """With all groups below; those that have processes stay, after so many seconds."""
        deadline = time.monotonic() + patience
        for top in self.directories:
            _remove_below(top)
            while top.exists() and time.monotonic() < deadline:
                time.sleep(0.05)  # processes that were killed take a while to be gone
                _remove_below(top)


def _remove_below(top):
    for directory, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)
