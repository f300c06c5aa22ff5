"""The shipped unit's sandbox: how tight it is, and that everything works inside."""

import contextlib
import json
import pathlib
import re
import socket
import struct

import pytest

from patience import stays_true, wait_until
from service import EXAMPLES, KEYS, UNIT
from world import METADATA_ADDRESS, STRANGE_ADDRESS

EXPOSURE_AT_MOST = 1.0
NO_CAPABILITY = "0" * 16
WARNING = 4  # syslog(3)
SYN_SENT = "02"  # tcp_states.h of the kernel


def process_status(guest, pid):
    """/proc/PID/status as a dictionary."""
    lines = guest.output("cat", f"/proc/{pid}/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def complaints(service, expected=("config.loaded",)):
    """The daemon's warnings and errors, without these events. (Short durations cause warnings that
    the tests want.)"""
    return [entry["MESSAGE"] for entry in service.log()
            if int(entry["PRIORITY"]) <= WARNING
            and entry.get("KEYROTATED_EVENT") not in expected]


@pytest.fixture
def for_groups(machine, service):
    """The same service with key-groups.conf, and targets that are given to a group."""
    service.use_example("key-groups.conf")
    for target in ("raw", "json"):
        service.config["targets"][target].update(group="batch", mode="0640")
    service.config["targets"]["raw"]["path"] = f"{KEYS}/{{account}}"
    service.write_config()
    machine.guest.systemctl("restart", UNIT)
    return service.wait_well()


@pytest.fixture
def for_owners(machine, service):
    """The same service with key-owners.conf, and a file that belongs to its reader."""
    service.config["targets"]["raw"].update(path=f"{KEYS}/{{account}}", owner="consumer", mode="0400")
    service.write_config()
    assert service.ctl("reload").returncode == 0
    told = service.wait_log("delivery.failed")
    assert "may not be given to user \"consumer\"" in told["MESSAGE"]
    service.use_example("key-owners.conf")
    machine.guest.systemctl("restart", UNIT)
    return service.wait_well()


@pytest.mark.parametrize("unit", [UNIT, "keyrotated@.service", "keyrotated-once.service"])
def test_the_exposure_is_small(guest, unit):
    told = guest.run("systemd-analyze", "security", "--no-pager", unit.replace("@", "@some"),
                     check=False).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found, told
    print(f"exposure of {unit}: {found[1]}")
    assert float(found[1]) <= EXPOSURE_AT_MOST, told


def test_what_the_other_tests_show_they_show_inside_the_unit_as_shipped(service, guest):
    """Nothing is added to it but the secret; and the sandbox is in force."""
    assert guest.show(UNIT, "DropInPaths") == f"/etc/systemd/system/{UNIT}.d/client-secret.conf"
    status = process_status(guest, service.main_pid)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert status[name] == NO_CAPABILITY, name


def test_rotations_with_every_target_work_inside_without_a_warning(service, azure):
    assert [service.rotate() for _ in range(3)] == ["Secondary", "Primary", "Secondary"]
    assert azure.truth.requests("probe", face="batch"), "the new keys were tried"
    assert complaints(service) == []


def test_rotations_with_targets_that_have_a_group_work_with_the_example_for_them(for_groups):
    assert [for_groups.rotate() for _ in range(2)] == ["Secondary", "Primary"]
    # The example moves one of the targets.
    assert complaints(for_groups, ("config.loaded", "target.abandoned")) == []


def test_a_program_in_the_group_reads_its_key_and_nobody_else_does(service, guest, azure):
    service.rotate()
    key = azure.keys(service.account)["Secondary"]
    assert guest.read(service.path("raw"), user="consumer") == key + "\n"
    for target in ("env", "json"):
        assert guest.read(service.path(target), user="consumer") is None
    for target in ("raw", "env", "json"):
        assert guest.read(service.path(target), user="stranger") is None
    for directory in (KEYS, "/var/lib/keyrotated"):
        assert guest.run("ls", directory, user="consumer", check=False).returncode != 0
    for user in ("steward", "consumer", "stranger"):
        assert guest.read("/var/lib/keyrotated/journal.db", user=user) is None


def test_a_group_that_files_are_given_to_reads_them_and_nobody_else_does(for_groups, guest, azure):
    for_groups.rotate()
    key = azure.keys(for_groups.account)["Secondary"]
    assert guest.read(for_groups.path("raw"), user="consumer") == key + "\n"
    assert json.loads(guest.read(for_groups.path("json"), user="consumer"))["key"] == key
    assert guest.read(for_groups.path("env"), user="consumer") is None
    for target in ("raw", "env", "json"):
        for user in ("steward", "stranger"):
            assert guest.read(for_groups.path(target), user=user) is None


def test_an_owner_that_files_are_given_to_reads_them_and_nobody_else_does(for_owners, guest, azure):
    assert [for_owners.rotate() for _ in range(2)] == ["Secondary", "Primary"]
    key = azure.keys(for_owners.account)["Primary"]
    assert guest.read(for_owners.path("raw"), user="consumer") == key + "\n"
    assert guest.output("stat", "--format=%U %a", for_owners.path("raw")) == "consumer 400"
    for user in ("steward", "stranger"):
        assert guest.read(for_owners.path("raw"), user=user) is None


def test_members_of_keyrotated_admin_may_command_and_others_may_not(service):
    assert service.ctl("status", user="steward").returncode == 0
    assert service.ctl("redeliver", service.account, user="steward").returncode == 0
    for user in ("stranger", "consumer"):
        refused = service.ctl("status", user=user)
        assert refused.returncode == 77 and "not permitted" in refused.stderr, refused


def test_the_log_names_the_operator_where_users_are_not_hidden(for_groups):
    assert for_groups.ctl("hold", for_groups.account, "--for", "1h", "--reason", "release week",
                          user="steward").returncode == 0
    assert "steward" in for_groups.wait_log("account.held")["KEYROTATED_ACTOR"]


def test_keys_are_in_memory_that_is_neither_swapped_nor_dumped(service, guest):
    service.rotate()
    pid = service.main_pid
    assert int(process_status(guest, pid)["VmLck"].removesuffix(" kB")) > 0
    limits = guest.output("cat", f"/proc/{pid}/limits")
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    # Not even its own user may look into it.
    assert guest.run("cat", f"/proc/{pid}/environ", user="keyrotated", check=False).returncode != 0


def test_nothing_can_be_written_but_its_own_places(service, guest):
    """Even root may not, in the mounts of the process."""
    inside = ("nsenter", f"--target={service.main_pid}", "--mount", "--", "touch")
    for place in ("/etc/keyrotated", "/usr", "/var/lib", "/var/log", "/home", "/run", "/proc/sys"):
        tried = guest.run(*inside, f"{place}/intruder", check=False)
        assert tried.returncode != 0 and not guest.exists(f"{place}/intruder"), tried
    for place in (KEYS, "/var/lib/keyrotated", "/run/keyrotated"):
        guest.run(*inside, f"{place}/own")


def test_what_can_be_written_cannot_be_executed(service, guest):
    inside = ("nsenter", f"--target={service.main_pid}", "--mount", "--")
    for place in (KEYS, "/var/lib/keyrotated", "/run/keyrotated", "/tmp", "/var/tmp"):
        guest.run(*inside, "cp", "/bin/true", f"{place}/program")
        tried = guest.run(*inside, f"{place}/program", check=False)
        assert tried.returncode != 0 and "Permission denied" in tried.stderr, (place, tried)


@contextlib.contextmanager
def listener(address):
    """A server at that address: (port, was there a connection?)."""
    with socket.create_server((address, 0)) as server:
        server.settimeout(0)

        def is_asked():
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                return True
            return False

        yield server.getsockname()[1], is_asked


def is_calling(address, port):
    """Whether a connection to there waits for its first answer. All machines share this network."""
    remote = f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}:{port:04X}"
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[2:4] == [remote, SYN_SENT] for line in lines)


def ask_for_tokens_at(service, endpoint):
    service.config["identities"]["ops"] = {"type": "managed_identity", "endpoint": endpoint}
    service.write_config()
    service.guest.systemctl("restart", UNIT)


def test_azures_metadata_service_can_be_asked(service):
    with listener(METADATA_ADDRESS) as (port, is_asked):
        ask_for_tokens_at(service, f"http://{METADATA_ADDRESS}:{port}")
        wait_until(is_asked, "it is asked for a token")


def test_the_kernel_lets_it_talk_to_no_address_that_is_not_listed(service):
    """Such as that of another cloud's metadata service, which has secrets."""
    with listener(STRANGE_ADDRESS) as (port, is_asked):
        with socket.create_connection((STRANGE_ADDRESS, port)):
            wait_until(is_asked, "others can talk to it")
        ask_for_tokens_at(service, f"https://{STRANGE_ADDRESS}:{port}")
        wait_until(lambda: is_calling(STRANGE_ADDRESS, port), "the daemon tries to")
        stays_true(lambda: not is_asked(), 3, "it is not heard")


def test_the_examples_are_units_that_systemd_understands(service, guest):
    """Each one that is a drop-in, at once."""
    names = guest.output("ls", EXAMPLES).split()
    drop_ins = [name for name in names if name.endswith(".conf")]
    assert {"client-secret.conf", "key-groups.conf"} <= set(drop_ins)
    guest.run("install", "-d", "-o", "keyrotated", "-g", "batch", "-m", "2750", "/srv/render/keys")
    guest.run("systemd-creds", "setup")  # as systemd-credential.conf says
    for name in drop_ins:
        service.use_example(name)
    verified = guest.run("systemd-analyze", "verify", "--man=no", f"/lib/systemd/system/{UNIT}")
    assert verified.stderr == ""
    guest.systemctl("restart", UNIT)
    service.wait_well()
    service.rotate()
