"""Installing, upgrading, removing and purging, as far as files go: dpkg works on an empty directory as
its root, with nothing running. What only a running system shows is the system tests' to check.
"""

import os

import pytest
from conftest import run

# The services of the machine that this runs on are not touched: these do nothing.
STAND_INS = ["systemctl", "deb-systemd-invoke"]
GOOD = """\
version: 1
identities: {vm: {type: managed_identity}}
policies: {standard: {max_key_age: 90d}}
targets: {file: {type: file, path: "/var/lib/keyrotated-keys/{account}"}}
accounts:
  - id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/sampleacct
    adopt_active: primary
"""
BAD = GOOD.replace("max_key_age", "max_kye_age")


class System:
    """A root directory with a dpkg of its own."""

    def __init__(self, directory):
        self.root = directory / "root"
        self._stand_ins = directory / "bin"
        for part in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "etc", "usr/sbin"):
            (self.root / part).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        self._stand_ins.mkdir()
        for name in STAND_INS:
            program = self._stand_ins / name
            program.write_text("#!/bin/sh\n", encoding="ascii")
            program.chmod(0o755)

    def dpkg(self, *arguments):
        """What it said. Without root's rights, in a world where they are pretended."""
        pretend = [] if os.geteuid() == 0 else ["fakeroot", "-i", self._pretended, "-s",
                                                self._pretended]
        return run(*pretend, "dpkg", f"--root={self.root}", "--force-script-chrootless",
                   "--force-not-root", "--force-depends", "--force-bad-path", *arguments,
                   env={**os.environ, "LC_ALL": "C.UTF-8", "DPKG_ROOT": "",
                        "PATH": f"{self._stand_ins}:/usr/sbin:/usr/bin:/sbin:/bin"})

    @property
    def _pretended(self):
        file = self.root.parent / "pretended"
        file.touch()
        return file

    def path(self, name):
        return self.root / name.lstrip("/")

    def write(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")

    def enabled(self):
        wants = self.path("/etc/systemd/system").glob("*.wants/*")
        return {link.name for link in wants}

    def left(self):
        """Files and links, but for dpkg's and systemd's own notes."""
        notes = [self.path("/var/lib/dpkg"), self.path("/var/lib/systemd")]
        return {str(file.relative_to(self.root)) for file in self.root.rglob("*")
                if not file.is_dir() and not any(note in file.parents for note in notes)}


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


@pytest.fixture(scope="session")
def previous(package, tmp_path_factory):
    """The same package under an older version."""
    directory = tmp_path_factory.mktemp("previous")
    run("dpkg-deb", "--raw-extract", package, directory / "tree")
    control = directory / "tree/DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    version = next(line for line in text.splitlines() if line.startswith("Version: "))
    control.write_text(text.replace(version, "Version: 0.0.1"), encoding="utf-8")
    run("dpkg-deb", "--build", "--root-owner-group", directory / "tree", directory / "old.deb")
    return directory / "old.deb"


def fill(system):
    """What a daemon that has run for a while leaves behind."""
    for name in ("/var/lib/keyrotated/journal.db", "/var/lib/keyrotated@china/journal/journal.db",
                 "/var/lib/keyrotated-keys/sampleacct", "/var/lib/keyrotated@china/keys/sampleacct"):
        system.write(name, f"content of {name}\n")


def test_new_installation_makes_users_directories_and_links(system, package):
    system.dpkg("--install", package)
    assert "keyrotated-admin:" in system.path("/etc/group").read_text(encoding="ascii")
    assert "keyrotated:" in system.path("/etc/passwd").read_text(encoding="ascii")
    assert system.path("/var/lib/keyrotated-keys").stat().st_mode & 0o7777 == 0o711
    assert system.enabled() == {"keyrotated.service"}, "the timer is a choice"
    assert not system.path("/etc/keyrotated/keyrotated.yaml").exists()


def test_new_installation_says_nothing_of_configurations(system, package):
    system.write("/etc/keyrotated/keyrotated.yaml", BAD)
    assert "WARNING" not in system.dpkg("--install", package)


def test_upgrade_loses_nothing(system, previous, package):
    system.dpkg("--install", previous)
    system.write("/etc/keyrotated/keyrotated.yaml", GOOD)
    system.write("/etc/keyrotated/conf.d/more.yaml", "# more\n")
    fill(system)
    before = {name: system.path(name).read_bytes() for name in system.left()
              if name.startswith(("var/lib/keyrotated", "etc/keyrotated"))}
    assert len(before) == 6
    assert "WARNING" not in system.dpkg("--install", package)
    assert {name: system.path(name).read_bytes() for name in before} == before


def test_upgrade_keeps_what_the_administrator_chose(system, previous, package):
    system.dpkg("--install", previous)
    (system.path("/etc/systemd/system/multi-user.target.wants/keyrotated.service")).unlink()
    system.dpkg("--install", package)
    assert system.enabled() == set()


@pytest.mark.parametrize("name", ["keyrotated.yaml", "china/keyrotated.yaml"])
def test_upgrade_warns_of_a_configuration_that_is_refused(system, previous, package, name):
    system.dpkg("--install", previous)
    system.write("/etc/keyrotated/keyrotated.yaml", GOOD)
    system.write(f"/etc/keyrotated/{name}", BAD)
    said = system.dpkg("--install", package)
    assert f"WARNING: this version does not accept {system.root}/etc/keyrotated/{name}" in said
    assert "max_kye_age" in said and "max_key_age" in said, "what is wrong, and what is meant"
    status = system.path("/var/lib/dpkg/status").read_text(encoding="utf-8")
    assert "Status: install ok installed" in status, "a warning only"


def test_removal_keeps_state_and_configuration(system, package):
    system.dpkg("--install", package)
    system.write("/etc/keyrotated/keyrotated.yaml", GOOD)
    fill(system)
    system.dpkg("--remove", "keyrotated")
    left = system.left()
    assert {name for name in left if name.startswith("var/lib/keyrotated")} == {
        "var/lib/keyrotated/journal.db", "var/lib/keyrotated@china/journal/journal.db",
        "var/lib/keyrotated-keys/sampleacct", "var/lib/keyrotated@china/keys/sampleacct"}
    assert "etc/keyrotated/keyrotated.yaml" in left
    assert not any(name.startswith(("usr/", "lib/")) for name in left)


def test_purge_takes_journals_and_configuration_but_no_key(system, package):
    system.dpkg("--install", package)
    system.write("/etc/keyrotated/keyrotated.yaml", GOOD)
    system.write("/etc/keyrotated/china/keyrotated.yaml", GOOD)
    fill(system)
    said = system.dpkg("--purge", "keyrotated")
    assert {name for name in system.left() if "keyrotated" in name} == {
        "var/lib/keyrotated-keys/sampleacct", "var/lib/keyrotated@china/keys/sampleacct"}
    for directory in ("keyrotated-keys", "keyrotated@china/keys"):
        assert f"{system.root}/var/lib/{directory} holds keys" in said


def test_purge_without_keys_leaves_nothing(system, package):
    system.dpkg("--install", package)
    fill(system)
    for keys in ("keyrotated-keys", "keyrotated@china/keys"):
        (system.path(f"/var/lib/{keys}") / "sampleacct").unlink()
    assert "holds keys" not in system.dpkg("--purge", "keyrotated")
    assert not list(system.path("/var/lib").glob("keyrotated*"))
    assert not system.path("/etc/keyrotated").exists()


def test_reinstalling_after_a_removal_finds_what_was_left(system, package):
    system.dpkg("--install", package)
    system.write("/etc/keyrotated/keyrotated.yaml", GOOD)
    fill(system)
    system.dpkg("--remove", "keyrotated")
    system.dpkg("--install", package)
    assert system.path("/etc/keyrotated/keyrotated.yaml").read_text(encoding="utf-8") == GOOD
    assert system.path("/var/lib/keyrotated/journal.db").exists()
    assert system.enabled() == {"keyrotated.service"}
