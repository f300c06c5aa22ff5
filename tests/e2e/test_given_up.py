"""Deliveries that nothing waits for any more are given up at once, however long they may take: to a
server, a program and a socket that never answer."""

import os
import time

import pytest

from dead_disk import DeadDisk
from hanging import SECRET, Silent
from patience import TIMEOUT, wait_until

REMOVED = "the target is no longer in the configuration"
OPTIONAL = "the target is optional now"


class HangingServer:
    """Takes requests, and never answers."""

    def __init__(self, site):
        self._silent = Silent()
        self._open = []
        secret = site.directory / "hook-secret"
        secret.touch(0o600)
        secret.write_text(SECRET)
        self.target = {"type": "webhook", "url": f"http://127.0.0.1:{self._silent.port}/{{account}}",
                       "include_key": True, "secret_file": str(secret), "timeout": "10m"}
        self.named = "webhook"

    def wait_begun(self):
        self._open.append(self._silent.take())

    def wait_ended(self):
        connection = self._open[-1]
        connection.settimeout(TIMEOUT)
        while connection.recv(4096):
            pass

    def stop(self):
        for connection in self._open:
            connection.close()
        self._silent.stop()


class HangingSocket(HangingServer):
    def __init__(self, site):
        path = site.directory / "silent.sock"
        self._silent = Silent(path)
        self._open = []
        self.target = {"type": "socket", "path": str(path), "owner": str(os.getuid()),
                       "timeout": "1h"}
        self.named = "socket"


class HangingProgram:
    """`when`: a file; it hangs only where that is there."""

    def __init__(self, site, when=None):
        self._pids = site.directory / "pids"
        self._seen = 0
        program = site.directory / "program"
        program.write_text(f"#!/bin/sh\n{f'[ -e {when} ] || exit 0' if when else ''}\n"
                           f"echo $$ >> {self._pids}\nexec sleep 1000\n")
        program.chmod(0o755)
        self.target = {"type": "exec", "command": [str(program), "{account}"], "timeout": "1h"}
        self.named = "exec"

    def _all(self):
        return self._pids.read_text().split() if self._pids.exists() else []

    def wait_begun(self):
        wait_until(lambda: len(self._all()) > self._seen, "the program runs")
        self._seen += 1

    def wait_ended(self):
        pid = self._all()[self._seen - 1]
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the program has ended")

    def stop(self):
        pass


@pytest.fixture(params=[HangingServer, HangingProgram, HangingSocket])
def hanging(site, request):
    made = request.param(site)
    site.config["targets"]["hangs"] = made.target
    yield made
    made.stop()


def deliver_to(site, *targets):
    site.config["defaults"]["deliver_to"] = list(targets)
    site.write()
    assert site.ctl("reload").returncode == 0


@pytest.mark.parametrize("optional", [False, True])
def test_reload_releases_the_account(site, hanging, optional):
    site.policy(rotate_every="30d")  # none may be under way
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    deliver_to(site, "file", "hangs")
    hanging.wait_begun()
    refused = site.ctl("rotate", "alpha")
    assert refused.returncode == 2 and "frozen" in refused.stderr
    since = site.log.mark()
    deliver_to(site, "file", *([{"target": "hangs", "required": False}] if optional else []))
    hanging.wait_ended()
    if optional:
        failed = site.log.wait("delivery.failed", since, account="alpha")
        assert OPTIONAL in failed["msg"] and failed["target"].startswith(hanging.named)
        hanging.wait_begun()  # and is told again, beside
    else:
        wait_until(lambda: site.ctl("rotate", "alpha").returncode == 0, "it may rotate again")
        site.wait_rotations("alpha", 1, since)
        assert not site.log.lines(since, event="delivery.failed")
        assert site.log.lines(since, event="target.abandoned", account="alpha")


def test_reload_releases_a_rotation(site, tmp_path):
    """The target comes first in the order, and the rotation waits for it."""
    hangs_now = tmp_path / "hangs"
    hanging = HangingProgram(site, hangs_now)
    site.config["targets"]["hangs"] = hanging.target
    site.config["defaults"]["deliver_to"] = ["hangs", "file"]
    site.policy(rotate_every="30d")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    hangs_now.touch()
    wait_until(lambda: site.ctl("rotate", "alpha").returncode == 0, "it may rotate")
    hanging.wait_begun()
    assert site.status("alpha")["state"] == "rotating"
    assert not site.completed("alpha")
    deliver_to(site, "file")
    site.wait_rotations("alpha", 1)
    hanging.wait_ended()
    assert site.holds("alpha") == "Secondary"


def test_required_target_does_not_wait_for_an_optional_one(site, hanging):
    site.policy(rotate_every="30d", check_every="1h")
    site.config["defaults"]["deliver_to"] = ["file", {"target": "hangs", "required": False}]
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    hanging.wait_begun()
    site.put("alpha", "nothing of use")
    assert site.ctl("redeliver", "alpha").returncode == 0
    wait_until(lambda: site.holds("alpha"), "the file holds a live key")
    hanging.wait_ended()
    failed = site.log.wait("delivery.failed", account="alpha")
    assert "a required target waits for its key" in failed["msg"]
    hanging.wait_begun()


def test_repair_passes_a_required_target_that_hangs(site, azure, tmp_path):
    """Each has its turn: the file, which comes after a program that hangs, gets the live key."""
    hangs_now = tmp_path / "hangs"
    hanging = HangingProgram(site, hangs_now)
    site.config["targets"]["hangs"] = hanging.target
    site.config["defaults"]["deliver_to"] = ["hangs", "file"]
    site.config["timing"]["repair_turn"] = "500ms"
    site.policy(rotate_every="30d", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.holds("alpha") == "Primary", "it is delivered")
    hangs_now.touch()
    azure.regenerate("alpha", "Primary")
    hanging.wait_begun()
    wait_until(lambda: site.holds("alpha") == "Primary", "the file holds the live key")
    hanging.wait_ended()
    failed = site.log.wait("delivery.failed", account="alpha")
    assert "another required target waits for its key" in failed["msg"], failed
    assert failed["target"].startswith("exec")
    hangs_now.unlink()
    site.log.wait("consumers.safe", account="alpha")
    assert site.log.wait("drift.repaired", account="alpha")["slot"] == "primary"


def test_adopt_waits_for_a_turn(site, tmp_path):
    """A program that hangs for an hour keeps an operator's command for no longer than its turn."""
    hangs_now = tmp_path / "hangs"
    hanging = HangingProgram(site, hangs_now)
    site.config["targets"]["hangs"] = hanging.target
    site.config["defaults"]["deliver_to"] = ["file", "hangs"]
    site.config["timing"]["repair_turn"] = "500ms"
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.status("alpha")["state"] == "ok", "all have the key")
    hangs_now.touch()
    since = site.log.mark()
    assert site.ctl("redeliver", "alpha").returncode == 0
    hanging.wait_begun()
    assert site.ctl("adopt", "alpha", "--active", "primary", "--yes").returncode == 0
    site.log.wait("account.adopted", since, account="alpha")
    hanging.wait_ended()
    failed = site.log.wait("delivery.failed", since, account="alpha")
    assert "the account has something else to do" in failed["msg"], failed


def test_account_that_comes_back_does_not_wait(site, hanging):
    """What was under way when it was removed ends when it is configured again."""
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    deliver_to(site, "file", "hangs")
    hanging.wait_begun()
    entries = site.config["accounts"]
    site.config["accounts"] = []
    site.account("bravo")
    deliver_to(site, "file")
    site.config["accounts"] += entries
    since = site.log.mark()
    deliver_to(site, "file")
    site.wait_rotations("alpha", 1, since)
    hanging.wait_ended()


def test_stop_does_not_wait_for_a_read(site, namespace):
    """A file system that is dead keeps a daemon that stops from nothing: not even for the grace that
    deliveries have."""
    directory = site.directory / "dead"
    directory.mkdir()
    disk = DeadDisk(directory, namespace.command)
    if disk.error:
        disk.end()
        pytest.skip(disk.error)
    site.config["targets"]["file"]["path"] = f"{directory}/{{account}}/key"
    site.account("alpha")
    daemon = site.start(wrapped=namespace.command)
    site.log.wait("rotation.moved", account="alpha", msg="adopt_wait -> adopt_look")
    time.sleep(1)  # it has listed the keys, and reads
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 9  # the grace is ten seconds
    disk.end()
