"""Another version of the package takes over: nothing is rotated, nothing lost."""

import pytest

from package import installed_version
from patience import wait_until
from service import CONFIG, Service
from world import BASE


@pytest.fixture(params=[("previous", "current"), ("current", "next")], ids="-to-".join)
def upgrade(request, boot, packages, azure):
    """A service that is well under one version, and what upgrades it to the other."""
    before, after = (packages[name] for name in request.param)
    machine = boot([BASE])
    before.install(machine.guest)
    service = Service(machine.guest, azure)
    service.set_up()
    service.start()

    def carry_out():
        said = after.install(machine.guest)
        assert installed_version(machine.guest) == after.version != before.version
        assert machine.guest.output("keyrotated", "--version").split()[-1] == after.version
        return said

    return service, carry_out


def test_the_new_version_takes_over_without_rotating_or_losing_anything(upgrade):
    service, carry_out = upgrade
    guest = service.guest
    service.rotate()
    pid = service.main_pid
    kept = [CONFIG, *(service.path(target) for target in service.config["targets"])]
    before = {path: guest.read(path) for path in kept}
    mark = guest.journal_mark()
    carry_out()
    service.wait_well()
    assert service.main_pid != pid, "the new version runs"
    assert service.regenerated() == ["Secondary"]
    assert {path: guest.read(path) for path in kept} == before
    assert not service.log("account.adopted", mark), "the journal is still known"
    assert guest.failed_units() == ""
    service.rotate()
    assert service.log("rotation.completed", mark)[-1]["KEYROTATED_CYCLE"] == "2"


def test_a_rotation_under_way_is_completed_by_the_new_version(upgrade, azure):
    service, carry_out = upgrade
    azure.fault("hang_after", op="regenerateKeys", count=1)
    service.begin_rotation()
    wait_until(service.regenerated, "the key is new, and the answer on its way")
    carry_out()
    service.wait_log("rotation.completed")
    service.wait_delivered("Secondary")
    assert service.regenerated() == ["Secondary"]


def test_a_configuration_that_the_new_version_refuses_is_told_and_the_upgrade_goes_through(upgrade):
    """The service then ends with 78, which its administrator sees."""
    service, carry_out = upgrade
    service.config["polices"] = {}
    service.write_config()
    said = carry_out()
    assert "polices" in said.stdout + said.stderr
    assert service.guest.show("keyrotated.service", "ExecMainStatus") == "78"
    del service.config["polices"]
    service.write_config()
    service.guest.systemctl("restart", "keyrotated.service")
    service.wait_well()
    assert service.regenerated() == []
