"""The units beside the daemon's: instances, single runs, the timer, restarts of consumers."""

import json

import pytest

from patience import wait_until
from service import EXAMPLES, UNIT, Service
from stand_in import resource_id

ONCE = "keyrotated-once.service"
TIMER = "keyrotated-once.timer"
EXIT_BUSY = "75"


def test_an_instance_has_a_configuration_state_and_socket_of_its_own(service, guest, azure):
    unit, state = "keyrotated@second.service", "/var/lib/keyrotated@second"
    second = Service(guest, azure)
    second.account = "bravo"
    azure.create(second.account)
    second.config["accounts"] = [{"id": resource_id(second.account), "adopt_active": "primary"}]
    second.config["targets"] = {"raw": {"type": "file", "path": f"{state}/keys/{{account}}"}}
    second.config["defaults"]["deliver_to"] = ["raw"]
    guest.write("/etc/keyrotated/second/keyrotated.yaml", json.dumps(second.config))
    second.use_example("client-secret.conf", unit)
    guest.systemctl("start", unit)

    socket = ("--socket", "/run/keyrotated@second/control.sock", "--json", "status")
    wait_until(lambda: '"ok"' in second.ctl(*socket, second.account).stdout,
               "the second instance is well", pause=0.1)
    assert second.holds("raw") == "Primary"
    assert guest.exists(f"{state}/journal/journal.db")
    guest.systemctl("reload", unit)
    assert guest.show(unit, "ActiveState") == "active"
    assert second.ctl(*socket, service.account).returncode != 0, "it knows its own accounts alone"
    assert service.account_status()["state"] == "ok"


@pytest.fixture
def unstarted(guest, azure):
    service = Service(guest, azure)
    service.set_up()
    service.use_example("client-secret.conf", ONCE)
    return service


def test_a_single_run_does_what_is_due_and_ends(unstarted, guest):
    """What is due is to adopt the account; later, to rotate it."""
    guest.systemctl("start", ONCE)
    assert guest.show(ONCE, "ActiveState") == "inactive" and guest.show(ONCE, "Result") == "success"
    assert {unstarted.holds(name) for name in unstarted.config["targets"]} == {"Primary"}
    unstarted.config["policies"]["standard"].update(rotate_every="1s", overlap="100ms")
    unstarted.write_config()
    wait_until(lambda: guest.systemctl("start", ONCE) and unstarted.regenerated(),
               "a later run rotates", pause=3)  # systemd takes more for a failure
    slots = unstarted.regenerated()
    assert {unstarted.holds(name) for name in unstarted.config["targets"]} == {slots[-1]}
    assert guest.failed_units() == ""


def test_a_single_run_beside_the_daemon_does_nothing(unstarted, guest):
    unstarted.start()
    pid = unstarted.main_pid
    assert guest.systemctl("start", ONCE, check=False).returncode != 0
    assert guest.show(ONCE, "ExecMainStatus") == EXIT_BUSY
    assert guest.journal(KEYROTATED_EVENT="journal.failed"), "it says why"
    assert unstarted.main_pid == pid and unstarted.ctl("status").returncode == 0


def test_the_timer_takes_the_place_of_the_daemon(unstarted, guest):
    unstarted.start()
    guest.systemctl("disable", "--now", UNIT)
    guest.systemctl("enable", "--now", TIMER)
    assert guest.show(TIMER, "ActiveState") == "active"
    assert guest.show(TIMER, "NextElapseUSecRealtime") not in ("", "0")
    guest.systemctl("start", UNIT)
    wait_until(lambda: guest.show(TIMER, "ActiveState") == "inactive", "the daemon ends the timer")


def test_a_consumer_is_restarted_when_its_key_changes(service, guest, azure):
    guest.write("/etc/systemd/system/consumer.service",
                "[Service]\nUser=consumer\nRuntimeDirectory=consumer\nExecStart=/bin/sh -c "
                f"'cat {service.path('raw')} > /run/consumer/key; exec sleep infinity'\n")
    for name in ("consumer-restart.path", "consumer-restart.service"):
        text = guest.output("cat", f"{EXAMPLES}/{name}")
        guest.write(f"/etc/systemd/system/{name}",
                    text.replace("/var/lib/keyrotated-keys/sampleacct", service.path("raw")) + "\n")
    guest.systemctl("daemon-reload")
    guest.systemctl("start", "consumer.service")
    guest.systemctl("enable", "--now", "consumer-restart.path")
    slot = service.rotate()
    wait_until(lambda: (guest.read("/run/consumer/key") or "").strip() ==
               azure.keys(service.account)[slot], "the consumer uses the new key", pause=0.1)
