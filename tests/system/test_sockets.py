"""The target `socket` with the example units: a command of the site's own gets each key by socket
activation, outside of the daemon's sandbox."""

import json

import pytest

from patience import wait_until
from service import EXAMPLES

SOCKET, PATH = "keyrotated-hook.socket", "/run/keyrotated-hook.sock"
COMMAND = "/usr/local/lib/keyrotated-hook"
# Keeps what it got; says not_yet while a file is there.
SCRIPT = """#!/bin/sh
umask 077
cat >> /srv/got
if [ -e /srv/busy ]; then
    echo '{"result":"not_yet","message":"busy"}'
else
    echo '{"result":"delivered"}'
fi
echo "as $(id -un)" >&2
"""


@pytest.fixture
def hooked(service, guest):
    """The service, with a command that gets each key."""
    guest.write(COMMAND, SCRIPT, 0o755)
    for name in (SOCKET, "keyrotated-hook@.service"):
        guest.run("cp", f"{EXAMPLES}/{name}", "/etc/systemd/system/")
    guest.systemctl("daemon-reload")
    guest.systemctl("enable", "--now", SOCKET)
    add_target(service, path=PATH)
    return service


def add_target(service, **keys):
    service.config["targets"]["hook"] = {"type": "socket", **keys}
    service.config["defaults"]["deliver_to"] = ["raw", "hook"]
    service.write_config()
    answer = service.ctl("reload")
    assert answer.returncode == 0, answer


def got(guest):
    """The forms that the command was given."""
    return [json.loads(line) for line in (guest.read("/srv/got") or "").splitlines()]


def rotate(service):
    service.wait_allowed()
    answer = service.ctl("rotate", service.account, "--wait")
    assert answer.returncode == 0, answer


def test_a_command_gets_each_key_by_socket_activation(hooked, guest, azure):
    wait_until(lambda: got(guest), "the command gets the active key", pause=0.1)
    rotate(hooked)
    keys = azure.keys(hooked.account)
    assert [(form["slot"], form["key"]) for form in got(guest)] == [
        ("primary", keys["Primary"]), ("secondary", keys["Secondary"])]
    said = [entry["MESSAGE"] for entry in guest.journal()
            if entry.get("_SYSTEMD_UNIT", "").startswith("keyrotated-hook@")]
    assert set(said) <= {"as root"}
    assert guest.failed_units() == ""

    guest.run("touch", "/srv/busy")
    hooked.wait_allowed()
    assert hooked.ctl("rotate", hooked.account).returncode == 0
    wait_until(lambda: hooked.account_status()["reason"] == "not_yet", "the rotation waits", pause=0.1)
    guest.run("rm", "/srv/busy")
    wait_until(lambda: hooked.account_status()["state"] == "ok", "it is completed", pause=0.1)
    assert got(guest)[-1]["key"] == azure.keys(hooked.account)["Primary"]
    assert hooked.regenerated() == ["Secondary", "Primary"]


def test_a_socket_that_cannot_be_used_is_explained(hooked, guest):
    wait_until(lambda: got(guest), "the command gets the active key", pause=0.1)
    mark = guest.journal_mark()
    guest.systemctl("stop", SOCKET)
    assert not guest.exists(PATH)
    assert hooked.ctl("redeliver", hooked.account).returncode == 0
    line = hooked.wait_log("delivery.failed", mark)
    assert "No such file or directory" in line["MESSAGE"]
    assert "systemctl enable --now" in line["KEYROTATED_REMEDY"]

    guest.write(f"/etc/systemd/system/{SOCKET}.d/other.conf", "[Socket]\nSocketUser=stranger\n")
    guest.systemctl("daemon-reload")
    mark = guest.journal_mark()
    guest.systemctl("start", SOCKET)
    line = hooked.wait_log("delivery.failed", mark, KEYROTATED_REASON="target_denied")
    assert "Permission denied" in line["MESSAGE"]
    uid = guest.output("id", "-u", "keyrotated")
    assert f"SocketUser={uid}" in line["KEYROTATED_REMEDY"]

    # As the remedy says.
    guest.write(f"/etc/systemd/system/{SOCKET}.d/other.conf", f"[Socket]\nSocketUser={uid}\n")
    guest.systemctl("daemon-reload")
    guest.systemctl("restart", SOCKET)
    wait_until(lambda: hooked.account_status()["state"] == "ok", "the key is delivered", pause=0.1)


def test_nobody_else_gets_a_key_in_the_place_of_root(service, guest):
    """Users that the sandbox hides look all alike; without PrivateUsers= their owner is known."""
    guest.run("install", "-d", "-o", "consumer", "-m", "0755", "/srv/hook")
    guest.run("systemd-run", "--uid=consumer", "--unit=listener", "systemd-socket-activate",
              "--accept", "--listen=/srv/hook/s", "/bin/cat")
    wait_until(lambda: guest.exists("/srv/hook/s"), "somebody listens", pause=0.1)
    guest.run("chmod", "0666", "/srv/hook/s")
    add_target(service, path="/srv/hook/s", owner="consumer")
    line = service.wait_log("delivery.failed")
    assert "cannot be recognised" in line["MESSAGE"]
    assert "PrivateUsers=no" in line["KEYROTATED_REMEDY"]

    add_target(service, path="/srv/hook/s")
    wait_until(lambda: "is not root" in service.ctl("status", service.account).stdout,
               "the default owner is checked, too", pause=0.1)
    assert guest.show("listener", "ActiveState") == "active"
