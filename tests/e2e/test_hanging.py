"""Whatever hangs delays nobody else: twenty accounts for each kind of target that can hang, beside a
few that rotate through targets of the kinds that do not."""

import base64
import signal
import time

import pytest

from certificates import Authority
from dead_disk import DeadDisk
from hanging import SECRET, Hanging, Steps
from patience import wait_until
from receivers import Program, WebhookServer

EACH = 20
# Of any step, and of any turn of the loop.
BOUND_MS = 50
# Instrumented programs share the processor with others like them. What hangs does so for two seconds.
INSTRUMENTED_BOUND_MS = 1000
SECONDS = 4
# What hangs delays others in each of them; a busy machine does not.
ROUNDS = 12


@pytest.fixture
def others(site, tmp_path):
    """Three accounts that rotate: to a file, a program, a socket and a receiver."""
    authority = Authority(tmp_path / "authority")
    hook = WebhookServer(*authority.issue("receiver"))
    program = Program(site.directory / "good.sock")
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
    names = {site.account(name) for name in ("alpha", "bravo", "charlie")}
    yield names
    hook.stop()
    program.stop()


@pytest.fixture
def disk(site, namespace):
    directory = site.directory / "dead"
    directory.mkdir()
    made = DeadDisk(directory, namespace.command)
    yield made
    made.end()


def measure(site, names):
    since = site.log.mark()
    time.sleep(SECONDS)

    def measured():
        steps = Steps(site.log, since, names)
        return steps if steps.rotations() > 0 and steps.lags else None

    return wait_until(measured, "one of them has rotated")


@pytest.mark.long
def test_what_hangs_delays_nobody(site, others, namespace, disk):
    if disk.error:
        print(f"without a dead file system: {disk.error}")
    hanging = Hanging(site, None if disk.error else disk.directory)
    daemon = site.start(wrapped=namespace.command, environment=hanging.environment)
    site.wait_adopted(*others)
    wait_until(lambda: all(site.completed(name) for name in others), "they rotate")
    calm = measure(site, others)
    hanging.add(EACH)
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: "did not end within 2s" in site.log.text(), "programs hang")
    bound_ms = INSTRUMENTED_BOUND_MS if "asan" in site.build.name else BOUND_MS
    for _ in range(ROUNDS):
        steps = measure(site, others)
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
