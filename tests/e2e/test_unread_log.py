"""A log that nobody reads: a full pipe, a journald that has stopped, a systemd that takes no message.
The daemon goes on, answers, and ends when it is told to."""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import time

import pytest

from daemon import EXIT_CONFIG, EXIT_OK
from patience import TIMEOUT, wait_until

SIZE = 4096  # the least that a pipe can hold
ACCOUNTS, ROUNDS, REASON = 100, 50, "because " * 14  # some 8 MiB of lines in all
PROMPTLY = 5  # seconds, with a margin for slow machines


class Pipe:
    """A pipe that is full already, as the standard error of a daemon. Nobody reads it.
    It blocks, as a pipe does unless somebody says otherwise."""

    def __init__(self):
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, SIZE)
        os.write(self.writing, b"." * (SIZE - 1) + b"\n")

    def blocks(self):
        return not fcntl.fcntl(self.writing, fcntl.F_GETFL) & os.O_NONBLOCK

    def close(self):
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def pipe():
    one = Pipe()
    yield one
    one.close()


def launch(site, pipe, *arguments, wrapped=(), **environment):
    site.write()
    process = subprocess.Popen([*wrapped, site.build / "keyrotated", "-c", site.config_file, *arguments],
                               stdin=subprocess.DEVNULL, stdout=pipe.writing, stderr=pipe.writing,
                               cwd="/", env={**os.environ, **environment})
    return process


def answers(site):
    return site.ctl("status").returncode in (0, 1, 2)


def rotated(azure, name):
    return len(azure.truth.regenerated(name))


def end(process):
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = process.wait(60)
    return status, time.monotonic() - started


def rotate_unread(site, azure, process):
    """From the start on: it answers, it rotates, it ends at once."""
    wait_until(lambda: answers(site), "it answers")
    wait_until(lambda: rotated(azure, "alpha") >= 3, "it rotates")
    assert answers(site)
    status, seconds = end(process)
    assert status == EXIT_OK and seconds < PROMPTLY


def test_a_pipe_that_nobody_reads(site, azure, pipe):
    site.account("alpha")
    rotate_unread(site, azure, launch(site, pipe))
    assert pipe.blocks(), "who shares the pipe is not made to write without waiting"


def read_events(pipe, wanted):
    """Reads what the daemon says, and returns the line of the event once it has come."""
    rest = b""
    end_at = time.monotonic() + TIMEOUT
    while time.monotonic() < end_at:
        if not select.select([pipe.reading], [], [], 1)[0]:
            continue
        *lines, rest = (rest + os.read(pipe.reading, 1 << 16)).split(b"\n")
        for line in lines:
            if b'"event":"%s"' % wanted in line:
                return json.loads(line)
    raise AssertionError(f"{wanted} has not come")


def test_what_was_dropped_is_counted(site, pipe):
    """Four MiB wait for a reader, then lines are dropped. How many they were is told when somebody
    reads again."""
    site.policy(rotate_every="30d", check_every="10m")
    for number in range(ACCOUNTS):
        site.account(f"account{number}")
    process = launch(site, pipe)
    wait_until(lambda: answers(site), "it answers")
    for _ in range(ROUNDS):
        assert site.ctl("hold", "--all", "--for", "1h", "--reason", REASON).returncode == 0
        assert site.ctl("resume", "--all").returncode == 0
    time.sleep(1.5)  # a line comes every second, which finds no room
    dropped = read_events(pipe, b"log.dropped")
    assert dropped["level"] == "warning" and dropped["dropped"] >= 1 and dropped["since"]
    assert read_events(pipe, b"daemon.status")["accounts"] == ACCOUNTS, "the log goes on"
    process.send_signal(signal.SIGTERM)
    read_events(pipe, b"daemon.stopping")
    assert process.wait(60) == EXIT_OK


def test_a_refused_configuration_ends_the_start(site, pipe):
    site.config["nonsense"] = True
    for arguments in ((), ("--log-format", "json")):
        process = launch(site, pipe, *arguments)
        assert process.wait(60) == EXIT_CONFIG


class Listener:
    """A datagram socket that nobody reads from, already full."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o666)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            try:
                while True:
                    filler.sendto(b"X", str(path))  # until nothing fits
            except BlockingIOError:
                pass

    def read_until(self, wanted):
        """Reads, and goes on reading, until such a message has come."""
        self.socket.settimeout(TIMEOUT)
        while wanted not in self.socket.recv(1 << 20):
            pass

    def close(self):
        self.socket.close()


def test_a_journald_that_has_stopped(site, azure, namespace, pipe):
    """Some hundred entries fit its socket, none of ours; the daemon does not wait. Entries that it
    kept arrive when the journal continues."""
    site.account("alpha")
    directory = site.directory / "journal"
    directory.mkdir()
    namespace.run("mkdir", "-p", "/run/systemd/journal")
    namespace.run("mount", "--bind", directory, "/run/systemd/journal")
    journald = Listener(directory / "socket")
    process = launch(site, pipe, "--log-format", "journal", wrapped=namespace.command)
    rotate_unread(site, azure, process)
    process = launch(site, pipe, "--log-format", "journal", wrapped=namespace.command)
    wait_until(lambda: answers(site), "it answers")
    journald.read_until(b"KEYROTATED_EVENT=daemon.started")
    assert end(process)[0] == EXIT_OK
    journald.close()


def test_a_systemd_that_takes_no_message(site, azure, pipe):
    site.account("alpha")
    systemd = Listener(site.directory / "notify")
    process = launch(site, pipe, NOTIFY_SOCKET=str(site.directory / "notify"), WATCHDOG_USEC="2000000")
    wait_until(lambda: rotated(azure, "alpha") >= 1, "it rotates")
    systemd.read_until(b"READY=1")  # told as soon as it reads again
    systemd.read_until(b"WATCHDOG=1")
    assert end(process)[0] == EXIT_OK
    systemd.close()
