"""keyrotated as a process: started, watched through its log, stopped."""

import bisect
import json
import os
import signal
import subprocess

from patience import TIMEOUT, wait_until

EXIT_OK, EXIT_USAGE, EXIT_UNDONE, EXIT_INTERNAL = 0, 64, 69, 70
EXIT_STATE, EXIT_BUSY, EXIT_CONFIG = 73, 75, 78


class Log:
    """The daemon's JSON lines; what is no JSON is kept as {"raw": …}. Each is read once, however often
    it is asked for."""

    def __init__(self, path):
        self.path = path
        self._starts = []
        self._lines = []
        self._read = 0
        path.touch()

    def text(self):
        return self.path.read_text(errors="replace")

    def tail(self, lines=60):
        """Without the lines that come every second, which tell nothing of how it came to this."""
        told = [line for line in self.text().splitlines() if '"event":"daemon.status"' not in line]
        return "\n".join(told[-lines:])

    def mark(self):
        """Where the log ends now: lines() and wait() can begin there."""
        return self.path.stat().st_size

    def lines(self, since=0, **fields):
        self._follow()
        return [line for line in self._lines[bisect.bisect_left(self._starts, since):]
                if all(_has(line, name, value) for name, value in fields.items())]

    def _follow(self):
        """Reads what was added, up to the last line that is whole."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        for line in text[:text.rfind(b"\n") + 1].splitlines(keepends=True):
            self._starts.append(self._read)
            self._lines.append(_parse(line.decode(errors="replace").rstrip("\r\n")))
            self._read += len(line)

    def wait(self, event, since=0, timeout=TIMEOUT, **fields):
        """The first line of that event with these fields."""
        what = f"{event} {fields or ''} is logged"
        return wait_until(lambda: self.lines(since, event=event, **fields), what, timeout)[0]


def _has(line, name, value):
    """A line about several accounts names them in one field."""
    if name == "account" and "names" in line:
        return any(one.endswith(f"/{value}") for one in line["names"].split(" and ")[0].split(", "))
    return line.get(name) == value


def _parse(line):
    try:
        parsed = json.loads(line)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, dict) else {"raw": line}


class Daemon:
    """One run. `wrapped`: a command that is to start it, such as Namespace.command."""

    def __init__(self, site, *arguments, wrapped=(), environment=None):
        self.site = site
        self.log = site.log
        self._since = self.log.mark()
        with self.log.path.open("a") as log:
            self.process = subprocess.Popen(
                [*wrapped, site.build / "keyrotated", "-c", site.config_file, *arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def ready(self):
        wait_until(lambda: not self.is_running() or
                   self.log.lines(self._since, event="daemon.started"), "the daemon is started")
        assert self.is_running(), f"keyrotated ended with {self.process.returncode}"
        return self

    def reload(self):
        since = self.log.mark()
        self.process.send_signal(signal.SIGHUP)
        return since

    def stop(self, number=signal.SIGTERM):
        """Asks it to stop; returns its exit status."""
        if self.is_running():
            self.process.send_signal(number)
        return self.wait()

    def wait(self, timeout=TIMEOUT):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"keyrotated did not end within {timeout:g} s") from None

    def kill(self):
        self.process.kill()
        self.process.wait()
