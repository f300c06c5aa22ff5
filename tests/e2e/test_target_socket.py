"""The target `socket`: a program that takes keys, as a site would write one, and ways of being wrong."""

import json
import os
import socket

import pytest

from patience import wait_until
from receivers import DELIVERED, Program, answers, full, handles, left_behind, listen
from truth import alternates
from ways import AS_SERVICE, DENIED, FAILED, STRANGER, Place, prepare, wait_told


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
    site.policy(rotate_every="30d", check_every="1h")
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


def test_a_full_queue_is_waited_for(site, azure, path, places):
    """The kernel refuses those who come while nobody accepts."""
    site.config["targets"]["hook"] = {"type": "socket", "path": str(path), "owner": os.getuid()}
    site.policy(rotate_every="30d", check_every="1h")
    places["hook"] = at = Place(site, None, "hook")
    at.path = path
    full(at)
    site.account("alpha", deliver_to=["hook"])
    site.start()
    line = site.log.wait("delivery.failed", account="alpha")
    assert line["error_code"] == "EAGAIN" and "does not accept connections" in line["msg"], line
    path.unlink()
    answers(DELIVERED)(at)
    site.log.wait("key.delivered", account="alpha", target=f"socket {path}")


# --- ways of being wrong ---

def reset(connection):
    """What has come and was not read makes a reset of the end."""
    connection.recv(1)


def open_for_ever(at):
    """It answers, and a child that never ends keeps the connection."""
    def what(connection):
        copy = connection.dup()
        at.ends.append(copy.close)
        copy.sendall(DELIVERED.encode())
    handles(what)(at)


def of_stranger(at):
    answers(DELIVERED)(at)
    at.of_stranger(at.path, 0o600)


def behind_closed(at):
    (at.directory / "inner").mkdir()
    at.below("inner", "key")
    answers(DELIVERED)(at)
    at.of_stranger(at.directory, 0o700)


def owned(owner):
    def start(at):
        answers(DELIVERED)(at)
        at.set(owner=owner)
    return start


def hanging(start):
    def with_timeout(at):
        start(at)
        at.set(timeout="1s")
    return with_timeout


def flood(connection):
    try:
        while True:
            connection.sendall(b"x" * 65536)
    except OSError:
        pass


NO_SOCKET = (FAILED, "{path} is no socket", "correct `path`, or move away what is at {path}")
ONE_LINE = "let the program answer with one line such as"
TO_THE_END = "it is to read to the end, answer with one line, and exit"
LOG = "see in the log of the program behind the socket why it fails"
WAYS = {
    "nothing": (lambda at: None, FAILED, "cannot connect to socket {path}: No such file",
                "start what listens there (a socket unit: `systemctl enable --now NAME.socket`), or correct"),
    "plainfile": (lambda at: at.there(), *NO_SOCKET),
    "directory": (lambda at: at.path.mkdir(), *NO_SOCKET),
    "pipe": (lambda at: os.mkfifo(at.path), *NO_SOCKET),
    "belowfile": (Place.below_file, FAILED, "cannot connect to socket {path}: Not a directory",
                  "correct `path`: a part of {path} is a file"),
    "loop": (lambda at: at.link("key"), FAILED, "Too many levels of symbolic links",
             "correct the link that leads back to itself, which `namei -l {path}` shows"),
    "leftbehind": (left_behind, FAILED, "cannot connect to socket {path}: Connection refused",
                   "the socket was left behind"),
    "datagrams": (lambda at: listen(at, socket.SOCK_DGRAM), FAILED, "Protocol wrong type for socket",
                  "let it be a stream socket (`ListenStream=` in the socket's unit)"),
    "packets": (lambda at: listen(at, socket.SOCK_SEQPACKET), FAILED, "Protocol wrong type for socket",
                "let it be a stream socket (`ListenStream=` in the socket's unit)"),
    "full": (full, FAILED, "does not accept connections at the moment, and its queue is full",
             "it is tried again by itself; where it lasts, see what the program waits for"),
    "stranger": (of_stranger, DENIED, "cannot connect to socket {path}: Permission denied",
                 "let uid {uid} connect: `SocketUser={uid}` in the socket's unit, or `chown {uid} {path}`"),
    "closedabove": (behind_closed, DENIED, "cannot connect to socket {path}: Permission denied",
                    "`namei -l {path}` shows directories that it may not pass"),
    "otherowner": (owned(STRANGER), DENIED, "uid {uid} listens there, not user 12345; no key was sent",
                   "(`ss -xlp src {path}`); if it is right, set `owner: {uid}`"),
    "nouser": (owned("no-such-user"), FAILED, "there is no user \"no-such-user\"", "correct `owner`"),
    "nobody": (owned("nobody"), FAILED, "user nobody cannot be its owner", "let another user listen"),
    "closes": (handles(lambda connection: None), FAILED, "without an answer", TO_THE_END),
    "resets": (handles(reset), FAILED, "ended without an answer: Connection reset", TO_THE_END),
    "silent": (answers(""), FAILED, "the connection was closed without an answer", TO_THE_END),
    "emptyline": (answers("\n"), FAILED, "the answer cannot be used", ONE_LINE),
    "words": (answers("ok\n"), FAILED, "the answer cannot be used", ONE_LINE),
    "binary": (answers(b"\xff\x00\x1b[2J\n"), FAILED, "the answer cannot be used", ONE_LINE),
    "lines": (answers("restarting\n" + DELIVERED), FAILED, "it is more than one line", ONE_LINE),
    "list": (answers('["delivered"]\n'), FAILED, "the answer cannot be used", ONE_LINE),
    "deep": (answers("[" * 5000), FAILED, "the answer cannot be used", ONE_LINE),
    "cut": (answers('{"result":"deliv'), FAILED, "the answer cannot be used", ONE_LINE),
    "noresult": (answers("{}\n"), FAILED, "it has no \"result\"", ONE_LINE),
    "number": (answers('{"result":0}\n'), FAILED, "it has no \"result\"", ONE_LINE),
    "unknown": (answers('{"result":"done"}\n'), FAILED, "is none of delivered, not_yet and failed",
                ONE_LINE),
    "huge": (answers("x" * 20000), FAILED, "the answer is longer than 16384 bytes",
             "let the program answer with one line"),
    "flood": (handles(flood), FAILED, "the answer is longer than 16384 bytes",
              "let the program answer with one line"),
    "fails": (answers('{"result":"failed","message":"no such tenant"}\n'), FAILED,
              "answered that it failed: no such tenant", LOG),
    "tellskey": (answers(lambda form: json.dumps({"result": "failed", "message": form["key"]})), FAILED,
                 "answered that it failed: ***", LOG),
    "tellsform": (answers(lambda form: json.dumps({"result": "failed", "message": json.dumps(form)})),
                  FAILED, "answered that it failed: ", LOG),
    "tellshalf": (answers(lambda form: json.dumps({"result": "failed", "message": form["key"][5:40]})),
                  FAILED, "answered that it failed: ***", LOG),
    "controls": (answers('{"result":"failed","message":"\\u001b[2J\\u202e bad"}\n'), FAILED,
                 "answered that it failed: ", LOG),
    "later": (answers('{"result":"not_yet","message":"2 jobs left"}\n'), "not_yet",
              "asks for more time: 2 jobs left", "nothing, unless this takes longer"),
    "hangs": (hanging(answers(None)), FAILED, "no answer within 1s",
              "see what the program behind the socket waits for"),
    "open": (hanging(open_for_ever), FAILED, "it has answered, but not closed the connection within 1s",
             "and exit; or raise `timeout`"),
    "unaccepted": (hanging(lambda at: listen(at)), FAILED, "no answer within 1s",
                   "see what the program behind the socket waits for"),
}


def test_ways_of_being_wrong(site, namespace, places):
    site.policy(rotate_every="30d", check_every="1h")
    ways = {}
    for name, place, way in prepare(WAYS, site, namespace, places, uid=os.getuid()):
        site.config["targets"][name] = {"type": "socket", "path": str(place.path),
                                        "owner": os.getuid(), "timeout": "20s", **place.settings}
        site.account(name, deliver_to=[name])
        ways[name] = way
    site.account("well")
    site.start(wrapped=AS_SERVICE)
    site.wait_adopted("well")
    wait_told(site, ways)
    half = [key[5:40] for key in site.azure.truth.keys()]
    assert not site.find_secrets([site.directory / "shown", *site.all_files()], more=half)
