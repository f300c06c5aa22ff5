"""The daemon dies, or hangs; systemd starts it again, and it goes on."""

import pytest

from patience import stays_true, wait_until
from service import UNIT


@pytest.fixture
def quick(service, guest):
    """Seconds in the place of minutes; restarts are as shipped: for these failures, and after a
    pause."""
    service.drop_in("quick", "[Service]\nWatchdogSec=2s\nRestartSec=500ms\n")
    guest.systemctl("restart", UNIT)
    return service.wait_well()


def wait_restarted(service, pid):
    wait_until(lambda: service.restarts == 1 and service.main_pid not in (0, pid),
               "systemd has started it again", pause=0.1)
    service.wait_well()


def test_a_daemon_that_hangs_is_replaced_by_the_watchdog_and_goes_on(quick, guest):
    quick.rotate()
    pid = quick.main_pid
    guest.run("kill", "-STOP", pid)
    wait_restarted(quick, pid)
    said = guest.output("journalctl", "--no-pager", f"--unit={UNIT}")
    assert "Watchdog timeout" in said
    assert quick.regenerated() == ["Secondary"]
    assert quick.rotate() == "Primary"


def test_a_daemon_that_works_is_left_alone_by_the_watchdog(quick, azure):
    """Also when it waits: the loop feeds the watchdog, not the requests."""
    pid = quick.main_pid
    azure.fault("hang", face="any")
    quick.ctl("check", quick.account)
    stays_true(lambda: quick.main_pid == pid, 5, "it is the same process", pause=0.3)
    assert quick.restarts == 0


def test_a_daemon_that_is_killed_is_started_again_and_goes_on(quick, guest):
    quick.rotate()
    pid = quick.main_pid
    guest.run("kill", "-KILL", pid)
    wait_restarted(quick, pid)
    assert quick.regenerated() == ["Secondary"], "a start rotates nothing"
    assert quick.rotate() == "Primary"


def test_a_daemon_that_is_killed_in_the_middle_of_a_rotation_completes_it(quick, guest, azure):
    azure.fault("hang_after", op="regenerateKeys", count=1)
    quick.begin_rotation()
    wait_until(quick.regenerated, "the key is new, and the answer on its way")
    pid = quick.main_pid
    guest.run("kill", "-KILL", pid)
    wait_restarted(quick, pid)
    quick.wait_log("rotation.completed")
    quick.wait_delivered("Secondary")
    assert quick.regenerated() == ["Secondary"]


def test_stopping_is_quick_and_clean_and_it_stays_stopped(service, guest):
    guest.systemctl("stop", UNIT)
    assert service.state() == "inactive"
    assert guest.show(UNIT, "Result") == "success" and guest.show(UNIT, "ExecMainStatus") == "0"
    assert service.log("daemon.stopping")
    assert not guest.exists("/run/keyrotated/control.sock")
