"""The machine fails: resolver, disks, file systems, a second instance. Each gives a clear line,
nothing is lost, and it goes on when the cause is gone."""

import hashlib
import os
import shutil
import signal
import sqlite3
import statistics
import time

import pytest

from daemon import EXIT_BUSY, EXIT_CONFIG, EXIT_OK, EXIT_STATE
from isolated_network import IsolatedNetwork
from patience import TIMEOUT, stays_true, wait_until
from truth import alternates


# --- disks ---

def test_target_directory_becomes_read_only(site, azure, namespace):
    """Noticed by the preflight: nothing is regenerated that could not be delivered."""
    site.account("alpha")
    site.start(wrapped=namespace.command)
    site.wait_rotations("alpha", 1)
    consumer = site.consumer("alpha")
    namespace.mount_read_only(site.keys)
    mark = site.log.mark()
    denied = wait_until(lambda: site.log.lines(mark, reason="target_denied", account="alpha"),
                        "the read-only directory is reported")[0]
    assert denied["error_code"] == "EROFS" and str(site.keys) in denied["msg"]
    assert denied["remedy"] and denied["level"] == "warning"
    slots = azure.truth.regenerated("alpha")
    stays_true(lambda: len(azure.truth.regenerated("alpha")) == len(slots), 3, "nothing is lost")
    namespace.mount_writable(site.keys)
    site.wait_rotations("alpha", 2, since=mark)
    assert alternates(azure.truth.regenerated("alpha"))
    site.verdict(consumer)


def test_full_disk_under_the_state_directory(site, azure, namespace):
    """Without a durable intent nothing is regenerated; the daemon continues when there is room."""
    site.account("alpha")
    site.account("bravo")
    site.state.mkdir(mode=0o700)
    namespace.mount_small(site.state, "1m")
    daemon = site.start(wrapped=namespace.command)
    site.wait_rotations("alpha", 1)
    consumer = site.consumer("alpha", "bravo")

    mark = site.log.mark()
    wait_until(lambda: namespace.fill(site.state) or
               site.log.lines(mark, event="journal.failed"), "the journal cannot be written")
    failed = site.log.lines(mark, event="journal.failed")[0]
    assert failed["level"] == "error" and "full" in failed["msg"], failed
    assert '"journal_failing_since": null' not in site.ctl("--json", "status").stdout

    stable = {name: azure.truth.regenerated(name) for name in ("alpha", "bravo")}
    stays_true(lambda: all(len(azure.truth.regenerated(name)) <= len(slots) + 1
                           for name, slots in stable.items()), 3, "at most what was durable")
    namespace.empty(site.state)
    mark = site.log.mark()
    for name in stable:
        site.wait_rotations(name, 2, since=mark)
        assert alternates(azure.truth.regenerated(name))
    recovered = site.log.lines(mark, event="journal.failed")
    assert len(recovered) == 1 and recovered[0]["level"] != "error"
    assert daemon.stop() == EXIT_OK
    site.verdict(consumer)


def test_looks_and_reports_with_a_full_disk(site, azure, namespace):
    """An unwritable journal stops rotations, but neither looks nor reports."""
    site.policy(rotate_every="30d", overlap="1s", check_every="500ms")
    site.account("alpha")
    site.account("bravo")
    site.state.mkdir(mode=0o700)
    namespace.mount_small(site.state, "1m")
    site.start(wrapped=namespace.command)
    site.wait_adopted("alpha", "bravo")
    wait_until(lambda: namespace.fill(site.state) or site.log.lines(event="journal.failed"),
               "the journal cannot be written")

    looks = len(azure.truth.requests("listKeys", account="alpha"))
    wait_until(lambda: len(azure.truth.requests("listKeys", account="alpha")) >= looks + 4,
               "it goes on looking")
    mark = site.log.mark()
    azure.fault("status", op="listKeys", account="alpha", status=403, code="AuthorizationFailed")
    azure.fault("status", op="listKeys", account="bravo", status=404, code="ResourceNotFound")
    denied = site.log.wait("rotation.retrying", since=mark, account="alpha")
    assert denied["reason"] == "permission_denied" and denied["remedy"]
    gone = site.log.wait("account.blocked", since=mark, account="bravo")
    assert gone["reason"] == "account_not_found" and gone["remedy"]
    assert site.status("alpha")["reason"] == "permission_denied"
    assert site.status("bravo")["state"] == "blocked"
    assert not site.log.lines(mark, event="journal.failed", level="notice"), "it is full still"

    azure.clear_faults()
    namespace.empty(site.state)
    site.log.wait("journal.failed", since=mark, level="notice")
    site.log.wait("account.unblocked", since=mark, account="bravo")


def test_stop_with_a_full_disk(site, namespace):
    """The daemon ends when told to, even if the journal cannot be written."""
    site.account("alpha")
    site.state.mkdir(mode=0o700)
    namespace.mount_small(site.state, "1m")
    daemon = site.start(wrapped=namespace.command)
    site.wait_rotations("alpha", 1)
    wait_until(lambda: namespace.fill(site.state) or site.log.lines(event="journal.failed"),
               "the journal cannot be written")
    assert daemon.stop() == EXIT_STATE
    namespace.empty(site.state)
    daemon = site.start(wrapped=namespace.command)
    site.wait_rotations("alpha", 1, since=site.log.mark())
    assert daemon.stop() == EXIT_OK


def test_state_directory_that_cannot_be_written(site, namespace):
    site.account("alpha")
    site.state.mkdir(mode=0o700)
    namespace.mount_read_only(site.state)
    site.write()
    assert site.launch(wrapped=namespace.command).wait() == EXIT_STATE
    failed = site.log.wait("journal.failed")
    assert str(site.state) in failed["msg"]
    namespace.mount_writable(site.state)
    site.start(wrapped=namespace.command)
    site.wait_adopted("alpha")


# --- the journal ---

def test_second_instance_refuses(site, install, azure):
    """The second one exits with 75, whatever its socket; the first does not notice."""
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    second = install()
    second.config["state_dir"] = str(site.state)
    second.account("alpha", create=False)
    second.write()
    refused = second.launch()
    assert refused.wait() == EXIT_BUSY
    failed = second.log.lines(event="journal.failed")[0]
    assert "another" in failed["msg"], failed
    assert second.launch("--once").wait() == EXIT_BUSY
    site.wait_rotations("alpha", 1)
    site.daemons[-1].kill()
    site.start()  # the lock of a dead process holds nobody up
    mark = site.log.mark()
    site.wait_rotations("alpha", 1, since=mark)
    assert alternates(azure.truth.regenerated("alpha"))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def stopped(site):
    """An account that was rotated once, and a daemon that has stopped."""
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    assert daemon.stop() == EXIT_OK
    shutil.copytree(site.state, site.directory / "good")
    return site


def refuses(site, word):
    """Exit status 73, a clear line, and an unchanged journal."""
    journal = site.state / "journal.db"
    before = digest(journal)
    mark = site.log.mark()
    assert site.launch().wait() == EXIT_STATE
    failed = site.log.lines(mark, event="journal.failed")[-1]
    assert word in failed["msg"] and str(journal) in failed["msg"], failed
    assert digest(journal) == before


def goes_on(site, azure):
    shutil.rmtree(site.state)
    shutil.copytree(site.directory / "good", site.state)
    mark = site.log.mark()
    site.start()
    site.wait_rotations("alpha", 1, since=mark)
    assert alternates(azure.truth.regenerated("alpha"))


@pytest.mark.parametrize("damage", ["header", "middle", "truncated"])
def test_corrupt_journal(stopped, azure, damage):
    journal = stopped.state / "journal.db"
    content = bytearray(journal.read_bytes())
    if damage == "header":
        content[:64] = os.urandom(64)
    elif damage == "middle":
        content[4096:len(content) - 512] = os.urandom(len(content) - 512 - 4096)
    else:
        del content[len(content) // 2:]
    journal.write_bytes(content)
    refuses(stopped, "put back a good copy of journal.db")
    goes_on(stopped, azure)


def test_newer_journal(stopped, azure):
    connection = sqlite3.connect(stopped.state / "journal.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    refuses(stopped, "newer")
    goes_on(stopped, azure)


# --- names ---

@pytest.fixture
def network(azure):
    """A network of the test's own, with a resolver, and a way to the stand-in."""
    network = IsolatedNetwork(azure.port)
    yield network
    network.end()


@pytest.mark.long
def test_dns_that_does_not_answer(site, azure, network):
    """The loop does not hang on it: the daemon answers, reports, retries, and stops at once; and it
    goes on when names are resolved again."""
    resolv_conf = site.directory / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
    nsswitch = site.directory / "nsswitch.conf"
    nsswitch.write_text("hosts: files dns\n")
    network.namespace.replace_file("/etc/resolv.conf", resolv_conf)
    network.namespace.replace_file("/etc/nsswitch.conf", nsswitch)
    # With a dot at the end it is no name that libcurl knows by itself.
    site.config["cloud"]["resource_manager"] = f"https://management.localhost.:{azure.port}"
    site.account("alpha")
    daemon = site.start(wrapped=network.namespace.command)
    wait_until(lambda: network.asked, "the resolver is asked")
    took = []
    for _ in range(5):
        started = time.monotonic()
        assert site.ctl("status", "alpha").returncode != 3
        took.append(time.monotonic() - started)
    # A lookup takes four seconds.
    assert statistics.median(took) < 2, "the daemon answers while names are being resolved"
    failed = site.log.wait("rotation.retrying", account="alpha")
    assert failed["reason"] == "network" and "name" in failed["remedy"]
    assert "management.localhost" in failed["msg"]

    asked = network.asked
    wait_until(lambda: network.asked > asked, "a lookup is under way")
    started = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait() == EXIT_OK
    assert time.monotonic() - started < TIMEOUT / 3

    site.start(wrapped=network.namespace.command)
    network.answering = True
    site.wait_rotations("alpha", 1)


def test_azure_is_down_and_comes_back(site, azure, build):
    """READY does not wait for Azure; connections refused are retried."""
    site.config["cloud"]["resource_manager"] = "https://localhost:1"
    site.account("alpha")
    site.start()
    failed = site.log.wait("rotation.retrying", account="alpha")
    assert failed["reason"] == "network" and failed["retry_at"]
    site.config["cloud"]["resource_manager"] = azure.url
    site.write()
    assert site.ctl("reload").returncode == 0
    site.wait_rotations("alpha", 1)


def test_untrusted_certificate(site, azure):
    """A server with another authority's certificate gets no request."""
    other = site.directory / "other.pem"
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", other)
    site.config["ca_file"] = str(other)
    site.account("alpha")
    site.start()
    failed = site.log.wait("token.failed")
    assert "certificate" in failed["msg"].lower()
    assert not azure.truth.events("request")
    site.config["ca_file"] = str(azure.ca_file)
    site.write()
    assert site.ctl("reload").returncode == 0
    site.wait_rotations("alpha", 1)


def test_a_read_only_root_without_a_place_for_the_socket(site, namespace):
    """Reported with its cause and remedy, and not as a failure of the journal."""
    site.account("alpha")
    site.config["control_socket"] = "/run/keyrotated/control.sock"
    site.write()
    namespace.mount_small("/run", "64k")
    namespace.run("mount", "-o", "remount,ro", "/run")
    daemon = site.launch(wrapped=namespace.command)
    assert daemon.wait() == EXIT_CONFIG
    told = site.log.wait("daemon.stopping")
    assert told["level"] == "error" and "Read-only file system" in told["msg"]
    assert "/run/keyrotated" in told["msg"] and "tmpfs" in told["msg"]
    assert "control_socket" in told["msg"]


def test_root_without_capabilities_is_told_what_it_lacks(site, namespace):
    site.account("alpha")
    site.start(wrapped=[*namespace.command, "setpriv", "--bounding-set=-all", "--inh-caps=-all"])
    told = [line["msg"] for line in site.log.lines(event="daemon.started")]
    assert any("uid 0 without CAP_CHOWN, CAP_DAC_OVERRIDE" in msg for msg in told), told


def test_a_group_that_there_is_not(site, namespace, tmp_path):
    groups = tmp_path / "group"
    groups.write_text("root:x:0:\n")
    namespace.replace_file("/etc/group", groups)
    site.account("alpha")
    site.start(wrapped=namespace.command)
    told = site.log.wait("daemon.started", level="warning")
    assert "there is no group keyrotated-admin" in told["msg"]
