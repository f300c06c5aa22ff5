"""What is in the package, and that Debian has nothing to say against it."""

import ipaddress
import re
import subprocess

import pytest
from conftest import ROOT, run

UNITS = ["keyrotated.service", "keyrotated@.service", "keyrotated-once.service",
         "keyrotated-once.timer"]
EXAMPLES = ["60-keyrotated.rules", "addresses.conf", "azure-cli.conf", "client-secret.conf",
            "consumer-restart-due@.path",
            "consumer-restart-due@.service", "consumer-restart@.path", "consumer-restart@.service",
            "key-directory.conf", "key-groups.conf", "key-owners.conf", "keyrotated-hook.socket",
            "keyrotated-hook@.service", "keyrotated.yaml", "systemd-credential.conf",
            *(f"kubernetes/{name}.yaml" for name in ("configuration", "deployment", "target-role")),
            "grafana/keyrotated.json", "prometheus/alerts.yaml"]
PROGRAMS = {"usr/sbin/keyrotated", "usr/bin/keyrotatectl"}
FILES = PROGRAMS | {f"lib/systemd/system/{unit}" for unit in UNITS} | {
    f"usr/share/doc/keyrotated/examples/{example}" for example in EXAMPLES} | {
    "usr/lib/sysusers.d/keyrotated.conf",
    "usr/lib/tmpfiles.d/keyrotated.conf",
    "usr/lib/systemd/catalog/keyrotated.catalog",
    "usr/share/bash-completion/completions/keyrotated",
    "usr/share/bash-completion/completions/keyrotatectl",
    "usr/share/zsh/vendor-completions/_keyrotated",
    "usr/share/zsh/vendor-completions/_keyrotatectl",
    "usr/share/man/man8/keyrotated.8.gz",
    "usr/share/man/man5/keyrotated.yaml.5.gz",
    "usr/share/man/man7/keyrotated-resources.7.gz",
    "usr/share/man/man1/keyrotatectl.1.gz",
    "usr/share/doc/keyrotated/README.md.gz",
    "usr/share/doc/keyrotated/changelog.gz",
    "usr/share/doc/keyrotated/changelog.Debian.gz",
    "usr/share/doc/keyrotated/copyright",
}
# The configuration is the administrator's: the package makes room for it, and without it the service
# does not start.
EMPTY_DIRECTORIES = {"etc/keyrotated/conf.d"}


@pytest.fixture(scope="module")
def members(package):
    """{path: (mode as ls shows it, owner)}"""
    listed = {}
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        listed[path.removeprefix("./") or "/"] = (mode, owner)
    return listed


def test_files(members):
    assert {path for path in members if not path.endswith("/")} == FILES


def test_empty_directories(members):
    directories = {path.rstrip("/") for path in members if path.endswith("/") and path != "/"}
    assert {directory for directory in directories if directory and not any(
        path.startswith(f"{directory}/") and path != f"{directory}/" for path in members)} \
        == EMPTY_DIRECTORIES


def test_everything_is_roots_and_nobody_else_writes_it(members):
    for path, (mode, owner) in members.items():
        assert owner == "root/root", path
        expected = "drwxr-xr-x" if path.endswith("/") else \
            "-rwxr-xr-x" if path in PROGRAMS else "-rw-r--r--"
        assert mode == expected, path


def test_lintian_has_neither_errors_nor_warnings(first_build):
    (changes,) = first_build.glob("*.changes")
    said = run("lintian", "--fail-on", "error,warning", "--allow-root", "--no-cfg", changes)
    assert not re.search(r"^[EW]: ", said, re.M), said


def test_programs_know_their_version(unpacked, version):
    for program in sorted(PROGRAMS):
        name = program.rsplit("/", maxsplit=1)[1]
        assert run(unpacked / program, "--version").strip() == f"{name} {version}"


def test_programs_need_no_library_of_the_tests(unpacked):
    for program in PROGRAMS:
        needed = run("readelf", "--dynamic", unpacked / program)
        assert "cmocka" not in needed


def test_units_of_the_package_are_those_of_the_source(unpacked):
    for unit in UNITS:
        assert (unpacked / "lib/systemd/system" / unit).read_bytes() == \
            (ROOT / "systemd" / unit).read_bytes()


def test_units_name_examples_that_are_there(unpacked):
    for unit in UNITS:
        text = (unpacked / "lib/systemd/system" / unit).read_text(encoding="utf-8")
        for example in re.findall(r"[a-z-]+\.conf\b(?!\.d)", text):
            assert example in EXAMPLES, f"{unit} names {example}"


def test_units_reach_every_unicast_address_that_is_not_link_local(unpacked):
    """A gap in the list would be a part of the Internet where Azure cannot be reached."""
    reached = [*map(ipaddress.ip_address, ("127.0.0.1", "169.254.169.254", "1.0.0.0",
                                           "169.253.255.255", "169.255.0.0", "223.255.255.255",
                                           "::1", "2603:1000::1", "fd00::1", "64:ff9b::1"))]
    refused = [*map(ipaddress.ip_address, ("0.0.0.1", "169.254.0.0", "169.254.169.253",
                                           "169.254.169.255", "224.0.0.1", "255.255.255.255",
                                           "fe80::1", "ff02::1"))]
    # Between these, one of every network in which at most the last 16 bits differ.
    reached += [ipaddress.ip_address(number << 16) for number in range(0x0100, 0xe000)
                if number != 0xa9fe]
    text = (unpacked / "lib/systemd/system/keyrotated.service").read_text(encoding="utf-8")
    words = " ".join(re.findall(r"^IPAddressAllow=(.*)$", text, re.M))
    allowed = [ipaddress.ip_network(word) for word
               in words.replace("localhost", "127.0.0.0/8 ::1").split()]
    numbers = {version: [(int(net.network_address), int(net.broadcast_address)) for net in allowed
                         if net.version == version] for version in (4, 6)}

    def passes(address):
        return any(first <= int(address) <= last for first, last in numbers[address.version])

    assert "IPAddressDeny=any" in text
    assert [address for address in reached if not passes(address)] == []
    assert [address for address in refused if passes(address)] == []


def test_catalog_can_be_read(unpacked, tmp_path):
    """journalctl makes its database of it, as the trigger of systemd's package does."""
    catalog = tmp_path / "usr/lib/systemd/catalog"
    catalog.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    text = (unpacked / "usr/lib/systemd/catalog/keyrotated.catalog").read_text(encoding="utf-8")
    (catalog / "keyrotated.catalog").write_text(text, encoding="utf-8")
    run("journalctl", f"--root={tmp_path}", "--update-catalog")
    listed = run("journalctl", f"--root={tmp_path}", "--list-catalog")
    assert len(listed.splitlines()) == len(re.findall(r"^-- [0-9a-f]{32}$", text, re.M)) > 0


def test_users_and_directories_can_be_made(unpacked, tmp_path):
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}",
        unpacked / "usr/lib/sysusers.d/keyrotated.conf")
    group = (tmp_path / "etc/group").read_text(encoding="ascii")
    assert re.search(r"^keyrotated-admin:x:\d+:keyrotated$", group, re.M), group
    assert re.search(r"^keyrotated:.*:/usr/sbin/nologin$",
                     (tmp_path / "etc/passwd").read_text(encoding="ascii"), re.M)


def test_example_configuration_is_understood(unpacked):
    done = subprocess.run([unpacked / "usr/sbin/keyrotated", "-c", unpacked
                           / "usr/share/doc/keyrotated/examples/keyrotated.yaml", "--check"],
                          text=True, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0 and "account sampleacct" in done.stdout, done.stderr
