"""A mount namespace: file systems that are read-only or full, and a resolver of one's own, for the
daemon alone. Where the tests do not run as root, or as a root without the capabilities that it takes
(in a container), a user namespace makes them root in there."""

import subprocess

from patience import wait_until


CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21  # capabilities(7)


def may(capability):
    with open("/proc/self/status", encoding="ascii") as status:
        effective = next(line.split()[1] for line in status if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> capability & 1)


class Namespace:
    """`own_network`: with a network as well, which has nothing but a loopback device."""

    def __init__(self, own_network=False):
        unshare = ["unshare", "--mount", "--propagation", "private"]
        enter = ["--mount"]
        if own_network:
            unshare += ["--net"]
            enter += ["--net"]
        if not may(CAP_SYS_ADMIN) or (own_network and not may(CAP_NET_ADMIN)):
            unshare += ["--user", "--map-root-user"]
            enter += ["--user", "--preserve-credentials"]
        # A process has to live in it for others to enter.
        self._keeper = subprocess.Popen([*unshare, "sh", "-c", "echo ready; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._keeper.stdout.readline() == b"ready\n", "no namespace to be had"
        self.command = ["nsenter", "--target", str(self._keeper.pid), *enter]

    def run(self, *arguments, check=True):
        return subprocess.run([*self.command, *map(str, arguments)], check=check, text=True,
                              capture_output=True)

    def mount_read_only(self, directory):
        self.run("mount", "--bind", directory, directory)
        self.run("mount", "-o", "remount,bind,ro", directory)

    def mount_writable(self, directory):
        self.run("mount", "-o", "remount,bind,rw", directory)

    def mount_small(self, directory, size):
        self.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", directory)

    def fill(self, directory):
        """Fills the file system."""
        filler = f"{directory}/filler"
        self.run("sh", "-c", f"cat /dev/zero >> '{filler}'", check=False)

    def empty(self, directory):
        self.run("rm", "-f", f"{directory}/filler")

    def replace_file(self, path, content):
        """`content` (a file) stands at `path`, for whoever is in the namespace."""
        self.run("mount", "--bind", content, path)

    def end(self):
        self._keeper.stdin.close()
        self._keeper.stdout.close()
        wait_until(lambda: self._keeper.poll() is not None, "the namespace is gone")
