"""What README tells a newcomer to type works as it stands, on a machine with nothing but the package."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from patience import wait_until
from service import CONFIG, KEYS, UNIT

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKOUT = "/root/keyrotated"


def section(title):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(rf"^## {title}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]


def blocks(text):
    """The commands of each block of them, without remarks. We are root: `sudo` is no package of ours."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [[line.split("  #")[0].strip().removeprefix("sudo ") for line in block.splitlines()]
            for language, block in found if not language]


@pytest.fixture
def pretended_azure():
    """The first block, run in this checkout; ended as by Ctrl-C."""
    (command,), _ = blocks(section("Try the service without Azure"))
    certificate = ROOT / "build/azure/ca.pem"
    certificate.unlink(missing_ok=True)
    with subprocess.Popen(command.split(), cwd=ROOT, start_new_session=True) as azure:
        wait_until(lambda: (ROOT / "build/azure/azuresim.json").exists() and certificate.exists(),
                   "the pretended Azure is there", timeout=120)
        yield
        os.killpg(azure.pid, signal.SIGINT)


def test_the_service_can_be_tried_without_azure(guest, pretended_azure):
    _, commands = blocks(section("Try the service without Azure"))
    assert [command.split()[0] for command in commands] == [
        "install", "systemctl", "keyrotatectl", "keyrotatectl", "cat"]
    for name in ("build/azure/ca.pem", "tests/azuresim/keyrotated.yaml"):
        guest.write(f"{CHECKOUT}/{name}", (ROOT / name).read_text(encoding="utf-8"))

    def type_in(command, **how):
        return guest.run("sh", "-c", f"cd {CHECKOUT} && {command}", **how)

    for command in commands[:2]:
        type_in(command)
    wait_until(lambda: type_in(commands[2], check=False).returncode == 0, "all is well", pause=0.5)
    before = type_in(commands[4]).stdout
    # "From ten seconds after the start on."
    wait_until(lambda: type_in(commands[3], check=False).returncode == 0, "it is rotated", pause=1)
    after = type_in(commands[4]).stdout
    assert len(before.strip()) == len(after.strip()) == 88 and before != after


def test_a_directory_that_is_missing_is_told_before_the_start(guest):
    """Step 3 makes the directory; without it, step 4 warns, with the command of step 3."""
    text = section("Five minutes to a real account")
    configuration = re.search(r"^```yaml\n(version: 1\n.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    guest.write(CONFIG, configuration.replace(
        "SUBSCRIPTION", "00000000-0000-0000-0000-000000000001"))
    check = next(command for block in blocks(text) for command in block if "--check" in command)
    warned = guest.run(*check.split())
    assert f"the directory {KEYS}/batch does not exist here" in warned.stderr, warned
    make = re.search(r"`(install -d [^`]*)`", warned.stderr)[1].replace("GROUP", "batch")
    guest.run("groupadd", "-f", "batch")
    guest.run(*make.split())
    assert make in " && ".join(command for block in blocks(text) for command in block)
    assert guest.run(*check.split()).stderr == ""
    guest.run("rmdir", f"{KEYS}/batch")
    assert guest.run(*check.split(), user="keyrotated", check=False).stderr == "", "only for root"


def test_key_files_are_where_consumers_are_restarted_for_them(guest):
    """The example watches the path that README recommends."""
    text = section("Five minutes to a real account")
    path = re.search(r'path: "([^"]*)"', text)[1].replace("{account}", "%i")
    watched = guest.output("cat", "/usr/share/doc/keyrotated/examples/consumer-restart@.path")
    assert f"\nPathChanged={path}\n" in watched


def test_operators_have_names_with_key_groups_conf_only(service, guest):
    """The row of `hold --list` says so."""
    assert "`keyrotatectl hold --list` (names only with `key-groups.conf`)" in \
        (ROOT / "README.md").read_text(encoding="utf-8")
    hold = ("hold", service.account, "--for", "1h", "--reason", "release")
    assert service.ctl(*hold, user="steward").returncode == 0
    assert "a member of keyrotated-admin" in service.ctl("hold", "--list").stdout
    service.use_example("key-groups.conf")
    guest.systemctl("restart", UNIT)
    assert service.ctl(*hold, user="steward").returncode == 0
    assert "(steward)" in service.ctl("hold", "--list").stdout
