"""`after: {unit: …}` in the service's sandbox: what polkit allows, and what is said where it does not."""

import pytest

from patience import wait_until
from service import EXAMPLES

READER = "reader.service"
POLKIT = "/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"
RULE = "/etc/polkit-1/rules.d/60-keyrotated.rules"


@pytest.fixture
def reader(service, guest):
    """A service that counts its starts; the file's reader."""
    guest.write(f"/etc/systemd/system/{READER}",
                "[Service]\nRuntimeDirectory=reader\nRuntimeDirectoryPreserve=yes\n"
                "ExecStart=/bin/sh -c 'echo started >>/run/reader/starts; exec sleep infinity'\n")
    guest.systemctl("daemon-reload")
    guest.systemctl("start", READER)
    service.config["targets"]["raw"]["after"] = {"unit": READER}
    service.write_config()
    return READER


def starts(guest):
    return guest.read("/run/reader/starts").count("started")


def again(service):
    assert service.ctl("redeliver", service.account, "--target", READER).returncode == 0


def test_a_unit_is_restarted_where_a_rule_allows_it(service, guest, reader):
    guest.systemctl("reload", "keyrotated.service")
    line = service.wait_log("delivery.failed")
    assert line["KEYROTATED_REASON"] == "target_denied"
    assert "InteractiveAuthorizationRequired" in line["MESSAGE"]
    assert 'lookup("verb")=="reload-or-try-restart"' in line["KEYROTATED_REMEDY"]
    before = starts(guest)
    guest.run("mv", POLKIT, "/root/polkit")  # as where it is not installed
    guest.systemctl("stop", "polkit.service")
    guest.systemctl("reload", "dbus.service")
    again(service)
    wait_until(lambda: "AccessDenied" in service.account_status()["failure"]["text"], "it is said",
               pause=0.5)
    assert starts(guest) == before
    guest.run("mv", "/root/polkit", POLKIT)
    guest.systemctl("reload", "dbus.service")
    text = guest.output("cat", f"{EXAMPLES}/60-keyrotated.rules")
    guest.write(RULE, text.replace("nginx.service", READER) + "\n")
    again(service)
    wait_until(lambda: starts(guest) == before + 1, "the reader is restarted", pause=0.2)
    service.wait_log("key.delivered", KEYROTATED_TARGET=f"unit {READER} (after raw)")
