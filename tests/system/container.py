"""A machine: a Debian in a container, booted with its own systemd, rebooted, cut off from power.

Its disk is an overlay: what is written goes to a directory of its own, over layers that it shares
with others. So a new machine costs next to nothing, and one with something installed can be the
beginning of many.
"""

import os
import pathlib
import shutil
import subprocess

from guest import Guest
from patience import wait_until

REBOOT_STATUS = 133  # systemd-nspawn leaves it to its caller to start it again
BOOT_TIMEOUT = 60
ALLOWED_CALLS = "@memlock bpf"
# Control groups as Debian has them, whatever the host does.
ENVIRONMENT = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}


class Machine:
    def __init__(self, name, directory, layers, group):
        """`layers`: directories, the uppermost first. `group`: a control group to make another
        in."""
        self.name = name
        self.layers = list(layers)
        self.root = directory / "root"
        self.console = directory / "console.log"
        self._upper = directory / "upper"
        self._group = group
        self._nspawn = None
        self.guest = None
        for part in (self.root, self._upper, directory / "work"):
            part.mkdir(parents=True)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={':'.join(map(str, self.layers))},"
                        f"upperdir={self._upper},workdir={directory / 'work'}", self.root],
                       check=True)

    # --- power ---

    def boot(self):
        """Returns the guest when it has booted."""
        group = self._group.make(self.name)
        with self.console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot",
                 f"--machine={self.name}", f"--hostname={self.name}",
                 # There may be no systemd outside to register it with.
                 "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe",
                 "--resolv-conf=off", "--timezone=off",
                 # What any service may do on a real machine, but not in a container.
                 f"--system-call-filter={ALLOWED_CALLS}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env=ENVIRONMENT, preexec_fn=group.enter)
        self._booted_group = group
        self.guest = Guest(self._wait_leader(), self.root)
        wait_until(self._has_booted, f"{self.name} has booted", BOOT_TIMEOUT)
        return self.guest

    def _wait_leader(self):
        def leader():
            assert self._nspawn.poll() is None, f"{self.name} does not boot: {self.tail()}"
            # Processes of the container on their way to become its first are not it yet.
            return next((pid for pid in children(self._nspawn.pid)
                         if command_of(pid) == "systemd"), None)

        return wait_until(leader, f"{self.name} has a first process", BOOT_TIMEOUT)

    def _has_booted(self):
        assert self._nspawn.poll() is None, f"{self.name} went down: {self.tail()}"
        return self.guest.system_state() in ("running", "degraded")

    def reboot(self):
        """In order: every service is stopped first. Returns the guest that came up."""
        self.guest.run("systemctl", "reboot", check=False)
        assert self._wait_end() == REBOOT_STATUS, f"no reboot: {self.tail()}"
        return self.boot()

    def power_off(self):
        self.guest.run("systemctl", "poweroff", check=False)
        assert self._wait_end() == 0, f"no shutdown: {self.tail()}"

    def cut_power(self):
        """A power cut: all processes end at once."""
        if self.guest:
            self.guest.kill_leader()  # and with it all others of its namespace
        else:
            self._nspawn.kill()
        self._wait_end()

    def _wait_end(self):
        try:
            return self._nspawn.wait(BOOT_TIMEOUT + 90)
        finally:
            self._forget_process()

    def _forget_process(self):
        if self._nspawn.poll() is None:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = None
        self.guest = None
        self._booted_group.remove()

    # --- looking and ending ---

    def is_up(self):
        return self._nspawn is not None and self._nspawn.poll() is None

    def tail(self, lines=30):
        """The end of what stood on its console."""
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def as_layers(self):
        """A machine that is off, as layers for others."""
        assert not self.is_up()
        return [self._upper, *self.layers]

    def end(self):
        if self.is_up():
            self.cut_power()
        subprocess.run(["umount", "--lazy", self.root], check=True)
        shutil.rmtree(self._upper, ignore_errors=True)  # it is all in memory


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return None
