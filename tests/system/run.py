#!/usr/bin/python3
"""Runs the system tests: boots Debian in containers and looks at the service from outside.

It takes root, and a world of its own: namespaces for mounts, processes and network, and a control
group. However this ends (also by Ctrl-C or `kill -9`), the kernel takes processes and mounts down
with it. In that network there is nothing but the Azure stand-in.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from base import make_base
from cgroup import Group, current
from package import depended_on
from versions import build_versions

HERE = pathlib.Path(__file__).resolve().parent
GROUP = "keyrotated-system-"
PACKAGES = pathlib.Path("system/packages")  # below the build directory
TOOLS = {"systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap",
         "apt-get": "apt", "dpkg-deb": "dpkg", "unshare": "util-linux",
         "nsenter": "util-linux", "setpriv": "util-linux", "mount": "mount"}


def reasons_against():
    """Why it cannot be done here: sentences that say what to do."""
    if os.geteuid() != 0:
        return ["it boots containers, for which it has to be root: run `sudo make test-system`"]
    reasons = [f"{tool} is missing: install the package {package}"
               for tool, package in TOOLS.items() if not shutil.which(tool)]
    if "\toverlay\n" not in pathlib.Path("/proc/filesystems").read_text(encoding="ascii"):
        subprocess.run(["modprobe", "overlay"], capture_output=True, check=False)
        if "\toverlay\n" not in pathlib.Path("/proc/filesystems").read_text(encoding="ascii"):
            reasons.append("the kernel has no overlay file system: load its module `overlay`")
    if not current():
        reasons.append("no control group of systemd's is mounted: mount /sys/fs/cgroup")
    return reasons


def make_group():
    """A control group for this run. Those of runs that were killed go."""
    own = Group(current())
    for directory in own.directories:
        for older in directory.glob(f"{GROUP}*"):
            if not pathlib.Path("/proc", older.name.removeprefix(GROUP)).exists():
                Group([older]).remove()
    return own.make(f"{GROUP}{os.getpid()}")


def run_pytest(group, base, arguments):
    """In namespaces of its own, which end with this process whatever happens."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private",
               "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
               sys.executable, "-B", HERE / "world.py", base,
               sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
               *(["-n", arguments.jobs, "--dist", "loadgroup"] if arguments.jobs != "1" else []),
               f"--junit-xml={arguments.results}", HERE, *arguments.pytest]
    environment = {**os.environ, "KEYROTATED_BUILD": str(arguments.build),
                   "KEYROTATED_PACKAGES": str(arguments.build / PACKAGES),
                   "KEYROTATED_CGROUPS": ":".join(map(str, group.directories))}
    # A session of its own: Ctrl-C is for this process, which takes all others down at once.
    with subprocess.Popen(command, env=environment, start_new_session=True) as tests:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: tests.kill())
        status = tests.wait()
        return 128 - status if status < 0 else status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="DIRECTORY",
                        help="where the stand-in is, and what is made is kept")
    parser.add_argument("--results", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--jobs", default="1", metavar="N", help="so many machines at once")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()

    reasons = reasons_against()
    for reason in reasons:
        print(f"The system tests cannot run: {reason}", file=sys.stderr)
    if reasons:
        return 1
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    packages = build_versions(arguments.build / PACKAGES)
    base = make_base(arguments.build, {name for package in packages.values()
                                       for name in depended_on(package)})
    try:
        group = make_group()
    except OSError as error:
        print("The system tests cannot run: no control group can be made "
              f"({error.strerror}: {error.filename}): make /sys/fs/cgroup writable",
              file=sys.stderr)
        return 1
    try:
        return run_pytest(group, base, arguments)
    finally:
        group.remove(patience=10)


if __name__ == "__main__":
    sys.exit(main())
