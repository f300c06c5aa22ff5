"""The target `socket`: a program that takes keys, as a site would write one."""

import os

import pytest

from patience import wait_until
from receivers import Program
from truth import alternates


@pytest.fixture
def path(site):
    return site.directory / "hook.sock"


@pytest.fixture
def program(site, path):
    site.config["targets"]["hook"] = {"type": "socket", "path": str(path), "timeout": "20s",
                                      "owner": os.getuid()}
    site.config["defaults"]["deliver_to"] = ["file", "hook"]
    running = Program(path)
    yield running
    running.stop()


def test_each_key_is_handed_over_once(site, azure, program, path):
    site.policy(rotate_every="10m", check_every="1h")
    for name in ("alpha", "bravo"):
        site.account(name)
    site.start()
    wait_until(lambda: len(program.forms) == 2, "both active keys are handed over")
    for name in ("alpha", "bravo"):
        wait_until(lambda name=name: site.ctl("rotate", name, "--dry-run").returncode == 0,
                   f"{name} may rotate")
        assert site.ctl("rotate", name, "--wait").returncode == 0
        first, second = program.of(name)
        keys = azure.keys(name)
        assert (first["slot"], first["key"], first["cycle"]) == ("primary", keys["Primary"], 0)
        assert (second["slot"], second["key"], second["cycle"]) == ("secondary", keys["Secondary"],
                                                                    1)
        assert second["account_endpoint"] and second["resource_id"].endswith(f"/{name}")
    site.log.wait("key.delivered", account="alpha", target=f"socket {path}", slot="secondary")


def test_not_yet_and_failed_hold_the_rotation(site, azure, program):
    site.config["timing"]["retry_max"] = "200ms"
    site.account("alpha")
    site.start()
    wait_until(lambda: program.forms, "the active key is handed over")
    program.answer = '{"result":"not_yet","message":"2 jobs left"}\n'
    line = site.log.wait("delivery.failed", account="alpha")
    assert line["reason"] == "not_yet" and "asks for more time: 2 jobs left" in line["msg"]
    assert site.status("alpha")["reason"] == "not_yet"
    program.answer = lambda form: f'{{"result":"failed","message":"got {form["key"]}"}}\n'
    line = site.log.wait("delivery.failed", account="alpha", reason="target_failed")
    assert "answered that it failed: got ***" in line["msg"] and "log of the program" in line["remedy"]
    assert azure.truth.regenerated("alpha") == ["Secondary"]
    program.answer = '{"result":"delivered"}'
    site.wait_rotations("alpha", 2)
    assert alternates(azure.truth.regenerated("alpha"))


def test_a_program_that_hangs_survives_a_kill_and_disturbs_nobody(site, azure, program):
    """The key that may have been taken is handed over again, and no other one, after the daemon was
    killed; another account rotates meanwhile."""
    site.account("alpha")
    site.account("bravo", deliver_to=["file"])
    site.start()
    wait_until(lambda: program.forms, "the active key is handed over")
    program.answer = None
    wait_until(lambda: len(program.forms) == 2, "the program has got the new key, and hangs")
    mark = site.log.mark()
    site.wait_rotations("bravo", 2, since=mark)
    assert alternates(azure.truth.regenerated("bravo"))
    assert not site.log.lines(event="rotation.retrying", account="bravo")
    site.daemons[-1].kill()
    program.answer = '{"result":"delivered"}'
    site.start()
    site.wait_rotations("alpha", 1)
    assert program.forms[1]["key"] == program.forms[2]["key"]
    assert alternates(azure.truth.regenerated("alpha"))


def test_who_listens_is_checked(site, azure, program, path):
    """Nobody but the owner gets the key; the default owner is root."""
    site.config["targets"]["hook"]["owner"] = os.getuid() + 1
    site.account("alpha")
    site.start()
    line = site.log.wait("delivery.failed", account="alpha")
    assert line["reason"] == "target_denied" and "no key was sent" in line["msg"]
    assert f"`owner: {os.getuid()}`" in line["remedy"]
    assert program.forms == []
    del site.config["targets"]["hook"]["owner"]
    site.write()
    assert "(of user root)" in site.run("--check").stdout
