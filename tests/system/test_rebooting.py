"""The machine goes down in the middle of a rotation. Azure goes on, and knows what really happened."""

import pytest

from patience import wait_until
from service import Service

WAYS = {"a reboot": lambda machine: machine.reboot(),
        "a power cut": lambda machine: (machine.cut_power(), machine.boot())}


@pytest.fixture(params=WAYS, ids=lambda name: name.replace(" ", "-"))
def again(request, machine, service, azure):
    """Takes the machine down and brings it up; returns the service as it then is."""
    def down_and_up():
        WAYS[request.param](machine)
        return Service(machine.guest, azure)

    return down_and_up


def completes_as(service, slot):
    service.wait_active()
    service.wait_log("rotation.completed", KEYROTATED_CYCLE="1")
    service.wait_delivered(slot)
    assert service.log("rotation.resumed", KEYROTATED_CYCLE="1")
    assert service.regenerated() == [slot], "nothing was regenerated twice, nor the other key"
    assert service.rotate() != slot, "and it goes on in turn"


def test_a_regenerate_that_azure_had_carried_out_is_not_repeated(again, service, azure):
    azure.fault("hang_after", op="regenerateKeys", count=1)
    service.begin_rotation()
    wait_until(service.regenerated, "the key is new, and the answer on its way")
    completes_as(again(), "Secondary")


def test_a_regenerate_that_never_happened_is_repeated_with_the_same_slot(again, service, azure):
    azure.fault("hang", op="regenerateKeys", count=1)
    service.begin_rotation()
    wait_until(lambda: azure.truth.requests("regenerateKeys"), "the request is under way")
    assert service.regenerated() == []
    completes_as(again(), "Secondary")


def test_a_delivery_that_was_half_done_is_completed_with_the_same_key(again, service, azure):
    """One target has the new key, another cannot be written: it is owed that key, and no other."""
    azure.fault("hang", face="batch", op="probe", count=1, delay_ms=4000)
    service.begin_rotation()
    wait_until(lambda: azure.truth.requests("probe", face="batch"), "the new key is being tried")
    obstacle = service.path("env")
    service.guest.run("rm", obstacle)
    service.guest.run("mkdir", obstacle)
    wait_until(lambda: service.holds("raw") == "Secondary", "the first target has the new key")
    service.wait_log("delivery.failed")
    revived = again()
    revived.wait_active()
    revived.guest.run("rmdir", obstacle)
    revived.ctl("check", revived.account)
    completes_as(revived, "Secondary")


def test_a_machine_at_rest_rotates_nothing_because_it_boots(again, service):
    service.rotate()
    held = service.guest.read(service.path("json"))
    revived = again().wait_well()
    assert revived.regenerated() == ["Secondary"]
    assert revived.guest.read(revived.path("json")) == held
    assert revived.guest.failed_units() == ""
