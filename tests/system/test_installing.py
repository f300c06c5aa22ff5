"""What the package does to a machine on which nothing is configured yet."""

from package import installed_version
from service import UNIT


def test_installing_without_a_configuration_leaves_no_failed_unit(bare, packages):
    packages["current"].install(bare.guest)
    assert installed_version(bare.guest) == packages["current"].version
    assert bare.guest.failed_units() == ""
    assert bare.guest.system_state() == "running"
    assert bare.guest.show(UNIT, "ActiveState") == "inactive"


def test_a_machine_without_a_configuration_boots_without_a_failed_unit(bare, packages):
    packages["current"].install(bare.guest)
    assert bare.guest.output("systemctl", "is-enabled", UNIT) == "enabled"
    guest = bare.reboot()
    assert guest.system_state() == "running" and guest.failed_units() == ""
    assert guest.show(UNIT, "ConditionResult") == "no"


def test_a_start_without_a_configuration_is_no_error_and_starts_nothing(guest):
    guest.systemctl("start", UNIT)
    assert guest.show(UNIT, "ConditionResult") == "no"
    assert guest.show(UNIT, "ActiveState") == "inactive"
    assert guest.show(UNIT, "MainPID") == "0"


def test_the_user_and_the_group_of_administrators_are_there(guest):
    user = guest.output("getent", "passwd", "keyrotated").split(":")
    assert user[5:] == ["/var/lib/keyrotated", "/usr/sbin/nologin"], user
    assert "keyrotated-admin" in guest.output("id", "--name", "--groups", "keyrotated").split()


def test_what_was_installed_is_what_the_package_holds(guest):
    assert guest.output("dpkg", "--verify", "keyrotated") == ""


def test_systemd_has_nothing_to_say_against_the_units(guest):
    units = [line for line in guest.output("dpkg", "--listfiles", "keyrotated").splitlines()
             if line.startswith("/lib/systemd/system/") and line.endswith((".service", ".timer"))]
    assert units
    # A template is verified as an instance. Manual pages are not in these machines.
    names = [unit.replace("@.", "@some.") for unit in units]
    verified = guest.run("systemd-analyze", "verify", "--man=no", *names, check=False)
    assert verified.returncode == 0 and verified.stderr == "", verified
