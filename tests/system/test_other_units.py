"""The units beside the daemon's: instances, single runs, the timer, restarts of consumers."""

import json

import pytest

from patience import TIMEOUT, wait_until
from service import EXAMPLES, KEYS, UNIT, Service
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
    wait_until(lambda: '"ok"' in second.ctl(*socket, second.account).stdout
               and second.holds("raw") == "Primary", "the second instance is well", pause=0.1)
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


RESTARTERS = [f"consumer-restart{step}@.{kind}" for step in ("", "-due")
              for kind in ("path", "service")]
ROTATIONS, ACCOUNTS = 4, 20
# In a row, of one account: systemd gives up what is started more often than 5 times in 10 s.
BURST = 12


@pytest.fixture
def consumers(service, guest, azure):
    """Twenty accounts, each with a consumer that reads its key when it starts."""
    names = [service.account] + [f"many{number}" for number in range(1, ACCOUNTS)]
    for name in names[1:]:
        azure.create(name)
    service.config["accounts"] = [{"id": resource_id(name), "adopt_active": "primary"}
                                  for name in names]
    service.config["defaults"]["deliver_to"] = ["raw"]
    service.write_config()
    guest.systemctl("reload", UNIT)
    directory = f"{KEYS}/batch"
    guest.write("/etc/systemd/system/consumer@.service",
                "[Service]\nUser=consumer\nRuntimeDirectory=consumer-%i\nExecStart=/bin/sh -c "
                f"'cat {directory}/%i > /run/consumer-%i/key; exec sleep infinity'\n")
    for name in RESTARTERS:
        text = guest.output("cat", f"{EXAMPLES}/{name}")
        guest.write(f"/etc/systemd/system/{name}", text + "\n")
    guest.systemctl("daemon-reload")
    wait_until(lambda: all(guest.exists(f"{directory}/{name}") for name in names),
               "all have their keys", pause=0.5)
    guest.systemctl("start", *(f"consumer@{name}.service" for name in names))
    guest.systemctl("enable", "--now", *(f"consumer-restart@{name}.path" for name in names))
    return names


def rotate_all(service, azure, names):
    before = {name: len(azure.truth.regenerated(name)) for name in names}
    wait_until(lambda: service.ctl("rotate", *names).returncode == 0, "all are asked to rotate",
               pause=0.2)
    wait_until(lambda: all(len(azure.truth.regenerated(name)) > before[name] for name in names),
               "all rotate", timeout=2 * TIMEOUT, pause=0.2)


def uses_live_key(guest, azure, name):
    """The key that the consumer read when it started is the one in its key file, and is live."""
    used = (guest.read(f"/run/consumer-{name}/key") or "").strip()
    return used == (guest.read(f"{KEYS}/batch/{name}") or "").strip() and \
        used in azure.keys(name).values()


def test_consumers_are_restarted_when_their_keys_change(consumers, service, guest, azure):
    """However often and however many at once: each ends with the last key, and nothing fails."""
    for _ in range(ROTATIONS):
        rotate_all(service, azure, consumers)
    for _ in range(BURST):
        rotate_all(service, azure, consumers[:1])
    wait_until(lambda: not any(guest.exists(f"/run/consumer-restart/{name}") for name in consumers)
               and all(uses_live_key(guest, azure, name) for name in consumers),
               "every consumer uses the last key", timeout=2 * TIMEOUT, pause=1)
    assert guest.failed_units() == ""
    rotate_all(service, azure, consumers[:1])
    wait_until(lambda: uses_live_key(guest, azure, service.account), "a later key is noticed, too",
               timeout=2 * TIMEOUT, pause=0.5)
    for name in consumers:
        for unit in (f"consumer-restart@{name}.path", f"consumer-restart-due@{name}.path",
                     f"consumer@{name}.service"):
            assert guest.show(unit, "ActiveState") == "active", unit
