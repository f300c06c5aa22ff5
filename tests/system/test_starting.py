"""From `systemctl start` to a service that is well, or that says why it is not."""

import json

import pytest

from patience import stays_true, wait_until
from service import CONFIG, UNIT, Service

EXIT_CONFIG = "78"


@pytest.fixture
def unstarted(guest, azure):
    service = Service(guest, azure)
    service.set_up()
    return service


def test_the_unit_is_active_only_when_the_daemon_is_ready(unstarted, guest):
    """Stopped before its first step, the process is there, but the unit still "activating"."""
    unstarted.drop_in("slow", "[Service]\nExecStart=\nExecStart=/bin/sh -c "
                              f"'kill -STOP $$$$; exec /usr/sbin/keyrotated -c {CONFIG}'\n")
    guest.systemctl("start", "--no-block", UNIT)
    wait_until(lambda: unstarted.main_pid, "the process is there")
    stays_true(lambda: unstarted.state() == "activating", 2, "the unit is activating")
    guest.run("kill", "-CONT", unstarted.main_pid)
    unstarted.wait_active()


def test_commands_are_answered_as_soon_as_the_start_returns(unstarted, guest):
    guest.systemctl("start", UNIT)
    answer = unstarted.ctl("--json", "status", unstarted.account)
    assert answer.returncode in (0, 1) and json.loads(answer.stdout)["accounts"], answer
    assert unstarted.log("daemon.started")


def test_ready_does_not_wait_for_azure(unstarted, guest, azure):
    """A machine boots while Azure is away; what is to be done is done when it is back."""
    azure.fault("lost_before", face="any")
    guest.systemctl("start", UNIT)
    assert unstarted.is_active()
    azure.clear_faults()
    unstarted.wait_well()


def test_the_status_text_counts_accounts(service, azure):
    wait_until(lambda: service.status_text() ==
               "1 of 1 accounts are well; 0 late, 0 blocked, 0 with consumers at risk",
               f"the status is good, not: {service.status_text()}", pause=0.2)
    azure.fault("status", face="arm", op="listKeys")
    service.ctl("check", service.account)
    wait_until(lambda: service.status_text().startswith("0 of 1 accounts are well; 1 retrying, 0 late"),
               "the status says that an account is retried", pause=0.2)
    azure.clear_faults()
    azure.delete(service.account)
    service.ctl("check", service.account)
    wait_until(lambda: service.status_text().startswith("0 of 1 accounts are well; 0 late, 1 blocked"),
               "the status says that an account is blocked", pause=0.2)


def test_a_bad_configuration_ends_with_78_and_is_not_tried_again(unstarted, guest):
    guest.write(CONFIG, "version: 1\nacounts: []\n")
    assert guest.systemctl("start", UNIT, check=False).returncode != 0
    assert unstarted.state() == "failed"
    assert guest.show(UNIT, "ExecMainStatus") == EXIT_CONFIG
    # Much shorter than the wait below, in which systemd would restart it.
    unstarted.drop_in("soon", "[Service]\nRestartSec=200ms\n")
    guest.systemctl("start", UNIT, check=False)
    stays_true(lambda: unstarted.state() == "failed" and unstarted.restarts == 0, 2,
               "it is not started again")
    said = guest.output("journalctl", "--no-pager", f"--unit={UNIT}", "--priority=err",
                        "KEYROTATED_EVENT=config.rejected")
    assert "acounts: unknown key; did you mean accounts?" in said
    unstarted.write_config()
    unstarted.start()


def test_a_secret_comes_as_a_credential_that_nobody_else_can_read(service, guest):
    """`client_secret_file` is relative: below $CREDENTIALS_DIRECTORY."""
    assert service.log("token.acquired")
    secret = "/run/credentials/keyrotated.service/ops-secret"
    assert guest.read(secret) is not None
    assert guest.read(secret, user="steward") is None
    assert guest.read("/etc/keyrotated/ops-secret", user="keyrotated") is None
    environment = guest.output("cat", f"/proc/{service.main_pid}/environ")
    assert guest.read(secret).strip() not in environment
