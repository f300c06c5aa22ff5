"""Removing the package keeps what cannot be had again; purging it takes that away."""

from package import installed_version, purge, remove
from service import CONFIG, UNIT, Service

JOURNAL = "/var/lib/keyrotated/journal.db"


def test_removing_stops_the_service_and_keeps_journal_keys_and_configuration(service, guest):
    service.rotate()
    held = guest.read(service.path("raw"))
    pid = service.main_pid
    remove(guest)
    assert installed_version(guest) is None
    assert not guest.exists(f"/proc/{pid}")
    assert not guest.exists("/usr/sbin/keyrotated")
    assert guest.exists(JOURNAL) and guest.exists(CONFIG)
    assert guest.read(service.path("raw")) == held
    assert guest.failed_units() == ""


def test_installing_again_goes_on_where_it_was(service, guest, packages):
    service.rotate()
    remove(guest)
    mark = guest.journal_mark()
    packages["current"].install(guest)
    again = Service(guest, service.azure).wait_well()
    assert not again.log("account.adopted", mark)
    assert again.regenerated() == ["Secondary"]
    assert again.rotate() == "Primary"


def test_purging_removes_the_journal_and_the_configuration_but_no_key_in_use(service, guest):
    held = guest.read(service.path("raw"))
    purge(guest)
    for gone in ("/var/lib/keyrotated", "/etc/keyrotated"):
        assert not guest.exists(gone), gone
    assert guest.read(service.path("raw"), user="consumer") == held
    assert guest.show(UNIT, "LoadState") in ("not-found", "masked") and guest.failed_units() == ""


def test_purging_an_unused_package_leaves_nothing(guest):
    purge(guest)
    left = guest.output("find", "/etc", "/usr", "/var/lib", "/lib", "-name", "*keyrotated*",
                        "-not", "-path", "/var/lib/dpkg/*", "-not", "-path", "/var/lib/apt/*")
    assert left == "", left
