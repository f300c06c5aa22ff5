"""Whatever hangs delays nobody else: twenty accounts for each kind of target that can hang, beside a
few that rotate through targets of the kinds that do not."""

import signal
import time

import pytest

from certificates import Authority
from dead_disk import DeadDisk
from hanging import SECRET, Hanging, Steps
from patience import wait_until
from receivers import WebhookServer

EACH = 20
# They all try again each few seconds, which keeps an instrumented daemon from everything else.
INSTRUMENTED_EACH = 6
# Of any step, and of any turn of the loop.
BOUND_MS = 50
# Instrumented programs share the processor with others like them. What hangs does so for two seconds.
INSTRUMENTED_BOUND_MS = 1000
SECONDS = 4
# What hangs delays others in each of them; a busy machine does not.
ROUNDS = 12


class Others:
    """Three accounts of that installation that rotate: to a file, a program and a receiver."""

    def __init__(self, site, names, hook, authority):
        self.site = site
        script = site.directory / "good"
        script.write_text("#!/bin/sh\nexec cat >/dev/null\n")
        script.chmod(0o755)
        secret = site.directory / "hook-secret"
        secret.touch(0o600)
        secret.write_text(SECRET)
        site.config["targets"].update({
            "program": {"type": "exec", "command": [str(script), "{account}"]},
            "hook": {"type": "webhook", "url": f"{hook.url}/{{account}}", "include_key": True,
                     "secret_file": str(secret), "ca_file": str(authority.certificate)},
        })
        site.config["defaults"]["deliver_to"] = ["file", "program", "hook"]
        site.policy(rotate_every="1s", overlap="300ms")
        site.config["timing"].update(settle="100ms")
        self.names = {site.account(name) for name in names}

    def wait_rotating(self):
        self.site.wait_adopted(*self.names)
        wait_until(lambda: all(self.site.completed(name) for name in self.names), "they rotate")

    def steps(self, since):
        """None: of no whole rotation yet."""
        steps = Steps(self.site.log, since, self.names)
        return steps if steps.rotations() > 0 and steps.lags else None


@pytest.fixture
def receiver(tmp_path):
    authority = Authority(tmp_path / "authority")
    hook = WebhookServer(*authority.issue("receiver"))
    yield hook, authority
    hook.stop()


@pytest.fixture
def disk(site, namespace):
    directory = site.directory / "dead"
    directory.mkdir()
    made = DeadDisk(directory, namespace.command)
    yield made
    made.end()


def measure(among, alone):
    """The steps of both, at the same time: whatever else slows this machine slows both of them."""
    since = among.site.log.mark(), alone.site.log.mark()
    time.sleep(SECONDS)
    return wait_until(lambda: among.steps(since[0]), "one among those that hang has rotated"), \
        wait_until(lambda: alone.steps(since[1]), "one of the other daemon has rotated")


@pytest.mark.long
def test_what_hangs_delays_nobody(site, install, receiver, namespace, disk):
    """The yardstick is a second daemon, in which nothing hangs."""
    among = Others(site, ("alpha", "bravo", "charlie"), *receiver)
    alone = Others(install(), ("delta", "echo", "foxtrot"), *receiver)
    if disk.error:
        print(f"without a dead file system: {disk.error}")
    hanging = Hanging(site, None if disk.error else disk.directory)
    daemon = site.start(wrapped=namespace.command, environment=hanging.environment)
    alone.site.start()
    among.wait_rotating()
    alone.wait_rotating()
    hanging.add(INSTRUMENTED_EACH if "asan" in site.build.name else EACH)
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: "did not end within 2s" in site.log.text(), "programs hang")
    bound_ms = INSTRUMENTED_BOUND_MS if "asan" in site.build.name else BOUND_MS
    for _ in range(ROUNDS):
        steps, calm = measure(among, alone)
        print(f"alone:\n{calm.text()}\namong {len(hanging.names)} accounts that hang:\n"
              f"{steps.text(calm)}")
        if steps.delay(calm)[0] <= bound_ms and steps.lag() <= bound_ms:
            break
    assert steps.delay(calm)[0] <= bound_ms, steps.text(calm)
    assert steps.lag() <= bound_ms, steps.text(calm)
    # Threads that hang in the kernel keep it from nothing. The second signal ends the grace.
    daemon.process.send_signal(signal.SIGTERM)
    site.log.wait("daemon.stopping")
    assert daemon.stop() == 0
    hanging.stop()
