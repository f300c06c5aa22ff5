"""What a machine looks like from outside: commands run inside it, its files, its journal.

Commands enter the namespaces of the machine's first process. They are no part of it (no login, no
session), so that they see and change only what they are meant to.
"""

import json
import os
import pathlib
import signal
import subprocess

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
COMMAND_TIMEOUT = 120


class Guest:
    def __init__(self, leader, root):
        self._leader = leader
        self.root = root

    def kill_leader(self):
        os.kill(self._leader, signal.SIGKILL)

    # --- commands ---

    def run(self, *command, user=None, check=True, timeout=COMMAND_TIMEOUT, stdin=None):
        """A finished command, with its output as text. `user`: in that user's groups."""
        inside = ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net",
                  "--pid", "--cgroup", "--wd=/", "--"]
        inside += ["env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        if user:
            inside += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        done = subprocess.run([*inside, *map(str, command)], input=stdin, text=True,
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              capture_output=True, timeout=timeout, check=False)
        assert not check or done.returncode == 0, \
            f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def output(self, *command, **how):
        return self.run(*command, **how).stdout.strip()

    # --- systemd ---

    def systemctl(self, *arguments, **how):
        return self.run("systemctl", "--no-pager", *arguments, **how)

    def system_state(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def failed_units(self):
        return self.output("systemctl", "list-units", "--failed", "--plain", "--no-legend",
                           "--no-pager")

    def show(self, unit, name):
        """The value of one property of a unit."""
        return self.output("systemctl", "show", unit, f"--property={name}", "--value")

    def journal_mark(self):
        """Where the journal ends now: journal() can begin there."""
        self.run("journalctl", "--sync")
        return json.loads(self.output("journalctl", "--lines=1", "--output=json"))["__CURSOR"]

    def journal(self, since=None, **fields):
        """Entries with these fields, of all boots, oldest first."""
        self.run("journalctl", "--sync")  # what was said until now has arrived
        # With fields to look for, journalctl 252 skips the first entry after a cursor.
        after = [f"--after-cursor={since}"] if since else []
        lines = self.output("journalctl", "--output=json", "--all", "--no-pager", "--quiet", *after)
        entries = [json.loads(line) for line in lines.splitlines()]
        return [entry for entry in entries
                if all(entry.get(name) == value for name, value in fields.items())]

    # --- files ---

    def path(self, inside):
        """From outside, of what is on its disk: not of /run, /tmp, and what else is mounted."""
        return self.root / pathlib.Path(inside).relative_to("/")

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def exists(self, inside):
        """Wherever in the machine it is."""
        return self.run("test", "-e", inside, check=False).returncode == 0

    def read(self, inside, user=None):
        """What a user reads there; None where it may not, or there is nothing."""
        done = self.run("cat", inside, user=user, check=False)
        return done.stdout if done.returncode == 0 else None
