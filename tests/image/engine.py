"""Podman with storage of its own, in a mount namespace of its own."""

import json
import os
import shutil
import subprocess
import uuid

from namespace import Namespace

TIMEOUT = 60
NAME = "localhost/keyrotated:"
# What README.md recommends; and the network of this machine, where the stand-in is.
RECOMMENDED = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host"]
# This machine's root may be forbidden to raise limits, and to make control groups.
# A log of podman's own, where it would take systemd's journal.
MODEST = ["--log-driver=k8s-file", "--cgroups=disabled", "--ulimit=nofile=8192:8192", "--ulimit=nproc=1000:1000"]


class Engine:
    def __init__(self, directory):
        assert os.geteuid() == 0, "containers are run by root here: run `sudo make test-image`"
        for tool in ("podman", "crun"):
            assert shutil.which(tool), f"{tool} is missing: run `make deps-test-image`"
        self.containers = []
        self.image = None
        self._namespace = Namespace()
        # crun refuses control groups of both versions at once, as some machines have them.
        self._namespace.run("umount", "--recursive", "/sys/fs/cgroup", check=False)
        self._namespace.run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        self._podman = [*self._namespace.command, "podman", f"--root={directory / 'storage'}",
                        f"--runroot={directory / 'run'}", "--storage-driver=vfs",
                        "--cgroup-manager=cgroupfs", "--runtime=crun", "--events-backend=none",
                        f"--tmpdir={directory / 'tmp'}"]

    def podman(self, *arguments, check=True, **how):
        done = subprocess.run([*self._podman, *map(str, arguments)], text=True, check=False,
                              capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, **how)
        assert not check or done.returncode == 0, f"podman {arguments}: {done}"
        return done

    def load(self, archive):
        said = self.podman("load", "--input", archive).stdout
        assert f"Loaded image: {NAME}" in said, said
        self.image = said.split()[-1]

    def run(self, *arguments, options=()):
        """A container to its end."""
        return self.podman("run", "--rm", *RECOMMENDED, *MODEST, *options, self.image, *arguments,
                           check=False)

    def create(self, *options, environment=None):
        """A container that stays, not started yet. `environment`: podman's own."""
        name = f"keyrotated-{uuid.uuid4().hex[:8]}"
        self.podman("create", f"--name={name}", *RECOMMENDED, *MODEST, *options, self.image,
                    env=environment)
        self.containers.append(name)
        return name

    def state(self, container):
        return json.loads(self.podman("inspect", container).stdout)[0]["State"]

    def log(self, container):
        done = self.podman("logs", container)
        return done.stdout + done.stderr

    def exec(self, container, *command):
        return self.podman("exec", container, *command, check=False)

    def start_exec(self, container, *command):
        """The same, without waiting for its end."""
        return subprocess.Popen([*self._podman, "exec", container, *command],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def end(self):
        for container in self.containers:
            self.podman("rm", "--force", "--time=0", container, check=False)
        self._namespace.end()
