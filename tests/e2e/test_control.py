"""keyrotatectl and the control socket."""

import json
import os
import socket
import stat
import subprocess
import time

import pytest

from patience import stays_true, wait_until
from stand_in import RESOURCE_GROUP, resource_id

DONE, NOT_DONE, REFUSED, UNREACHABLE, USAGE, NOT_PERMITTED = 0, 1, 2, 3, 64, 77
WELL, WARNING, CRITICAL = 0, 1, 2


@pytest.fixture
def calm(site):
    """alpha and bravo are adopted; nothing rotates by itself."""
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    site.account("alpha")
    site.account("bravo")
    site.start()
    site.wait_adopted("alpha", "bravo")
    return site


def wait_free(site, name):
    """Until the overlap after the last delivery is over."""
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == DONE,
               f"{name} may be rotated")


def set_overlap(site, overlap):
    site.policy(overlap=overlap)
    site.write()
    assert site.ctl("reload").returncode == 0


def test_status(calm):
    """The summary, the table, one account, and the same as JSON."""
    summary = calm.ctl("status")
    assert summary.returncode == WELL, summary
    assert summary.stdout.startswith("2 accounts: 2 ok") and summary.stdout.count("\n") == 1
    table = calm.ctl("status", "--all")
    assert table.returncode == WELL
    assert all(word in table.stdout for word in ("alpha", "bravo", "  batch  primary", "ok"))
    for spelling in ("alpha", "ALPHA", f"{RESOURCE_GROUP}/alpha", resource_id("alpha").upper()):
        one = calm.ctl("status", spelling)
        assert one.returncode == WELL and "primary" in one.stdout, one
        assert "bravo" not in one.stdout

    document = json.loads(calm.ctl("--json", "status", "--all").stdout)
    assert document["daemon"]["accounts"] == 2 and document["daemon"]["states"]["ok"] == 2
    alpha = next(one for one in document["accounts"] if one["name"] == "alpha")
    assert alpha["active"] == "primary" and alpha["state"] == "ok" and alpha["reason"] is None
    assert alpha["cycle"] == 0 and alpha["next_at"]
    assert alpha["targets"][0]["satisfied"] is True
    assert alpha["targets"][0]["destination"] == f"file {calm.file('alpha')}"
    assert json.loads(calm.ctl("--json", "status").stdout)["accounts"] == [], "all is well"


def test_status_keeps_the_order_asked_for(calm):
    document = json.loads(calm.ctl("--json", "status", "bravo", "alpha", "BRAVO").stdout)
    assert [one["name"] for one in document["accounts"]] == ["bravo", "alpha"]
    assert calm.ctl("status", "a/b/c").returncode == USAGE


def test_an_ambiguous_name_lists_what_tells_them_apart(site):
    """Bounded; each of them can be typed as it stands."""
    site.account("alpha", active=None)
    for other in [f"group{i}" for i in range(60)]:
        site.config["accounts"].append({"id": resource_id("alpha", group=other)})
    site.config["targets"]["file"]["path"] = f"{site.keys}/{{account}}-{{resource_group}}"
    site.start()
    told = site.ctl("status", "alpha")
    assert told.returncode == 64 and "is named alpha: say " in told.stderr, told
    listed, more = told.stderr.strip().split(": say ")[1].rsplit(" and ", 1)
    assert more.endswith(" more") and len(listed.split(", ")) + int(more.split()[0]) == 61
    for one in listed.split(", "):
        assert site.ctl("status", one).returncode != 64, one
    checked = site.run("--check", "alpha")
    assert checked.returncode == 64 and checked.stderr.count("/batchAccounts/alpha\n") == 10
    assert checked.stderr.endswith("  and 51 more\n")


def test_watched_only_is_well(site, azure):
    site.account("alpha", rotate=False)
    site.start()
    site.wait_adopted("alpha")
    status = site.ctl("status", "--all")
    assert status.returncode == WELL and "watched only (rotate: false)" in status.stdout, status
    assert site.ctl("status").returncode == WELL


def test_status_of_troubles(calm, azure):
    """1: retrying or held; 2: blocked, overdue or at risk. Each with what to do about it."""
    azure.fault("status", op="get", account="alpha", status=500, code="InternalServerError",
                message="Something went wrong.")
    calm.log.wait("rotation.retrying", account="alpha")
    retrying = calm.ctl("status")
    assert retrying.returncode == WARNING
    assert "alpha" in retrying.stdout and "do:" in retrying.stdout
    assert "bravo" not in retrying.stdout
    azure.clear_faults()
    wait_until(lambda: calm.ctl("status").returncode == WELL, "all is well again")
    assert calm.status("alpha")["failure"] is None, "what has worked since failed no longer"
    azure.delete("bravo")
    calm.log.wait("account.blocked", account="bravo")
    blocked = calm.ctl("status")
    assert blocked.returncode == CRITICAL and "account_not_found" in blocked.stdout
    answered = calm.ctl("ping")
    assert (answered.returncode, answered.stdout, answered.stderr) == (WELL, "", ""), \
        "a daemon with troubles is one that answers"
    assert calm.status("bravo")["failure"]["http_status"] == 404


def test_overdue_is_reported_apart_from_failed(site, azure):
    site.policy(overdue_after="1s")
    site.account("alpha")
    azure.fault("lost_before", op="regenerateKeys")
    site.start()
    overdue = site.log.wait("rotation.overdue", account="alpha")
    assert overdue["since"] < overdue["time"], "the instant that was missed"
    status = site.status("alpha")
    assert status["overdue"] is True and status["due_since"] == overdue["since"]
    assert site.ctl("status").returncode == CRITICAL
    assert site.log.wait("daemon.status", overdue=1)["level"] == "warning"


def test_rotate(calm, azure):
    wait_free(calm, "alpha")
    assert not azure.truth.requests("regenerateKeys"), "a dry run does nothing"
    consumer = calm.consumer("alpha")
    started = calm.ctl("rotate", "alpha", "--wait")
    assert started.returncode == DONE, started
    assert calm.holds("alpha") == "Secondary"
    completed = calm.completed("alpha")[0]
    assert completed["trigger"] == "command" and completed["actor"].startswith("uid ")
    set_overlap(calm, "5m")
    refused = calm.ctl("rotate", "alpha")
    assert refused.returncode == REFUSED, "the overlap is not over"
    assert "overlap" in refused.stderr and "possible" in refused.stderr
    as_json = json.loads(calm.ctl("--json", "rotate", "alpha", "--dry-run").stdout)["results"][0]
    assert as_json["outcome"] == "refused" and as_json["until"]
    set_overlap(calm, "1s")
    wait_free(calm, "alpha")
    assert calm.ctl("rotate", "alpha", "bravo", "--wait").returncode == DONE
    assert azure.truth.regenerated("alpha") == ["Secondary", "Primary"]
    assert azure.truth.regenerated("bravo") == ["Secondary"]
    calm.verdict(consumer)


def test_rotate_wait_through_a_lost_reply(calm, azure):
    wait_free(calm, "alpha")
    azure.fault("lost_after", op="regenerateKeys", count=1)
    assert calm.ctl("rotate", "alpha", "--wait").returncode == DONE
    assert azure.truth.regenerated("alpha") == ["Secondary"]


def test_rotate_wait_ends_and_shows_what_is_in_the_way(calm, azure):
    """The cause and the remedy are printed once, however often the daemon retries; then --timeout
    ends the wait."""
    wait_free(calm, "alpha")
    azure.fault("status", op="regenerateKeys", account="alpha", status=500,
                code="InternalServerError", message="Something went wrong.")
    waited = calm.ctl("rotate", "alpha", "--wait", "--timeout", "6s")
    assert waited.returncode == NOT_DONE, waited
    assert waited.stdout.count("Something went wrong.") == 1, waited
    assert waited.stdout.count("    do: ") == 1, waited
    assert "alpha: not rotated after 6s (--timeout)" in waited.stderr, waited
    as_json = json.loads(calm.ctl("rotate", "alpha", "--wait", "--timeout", "1s",
                                  "--json").stdout)
    assert as_json["error"]["code"] == "not_done" and len(as_json["results"]) == 1
    azure.clear_faults()
    calm.wait_rotations("alpha", 1)


def test_a_first_rotation_on_day_one(site, azure):
    """As README says: refused until the overlap has passed, with the time of its end; a shorter
    overlap ends earlier."""
    site.policy(rotate_every="90d", overlap="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    refused = site.ctl("rotate", "alpha")
    assert refused.returncode == REFUSED and "overlap is not over" in refused.stderr, refused
    assert "; possible 20" in refused.stderr and "Z (in 59m" in refused.stderr, refused
    site.policy(rotate_every="90d", overlap="1s")
    site.write()
    assert site.ctl("reload").returncode == DONE
    wait_free(site, "alpha")
    assert site.ctl("rotate", "alpha", "--wait").returncode == DONE
    assert azure.truth.regenerated("alpha") == ["Secondary"]


def test_redeliver(calm, azure):
    """Delivers the active key again; nothing is regenerated, unchanged files are left alone."""
    before = calm.file("alpha").stat()
    assert calm.ctl("redeliver", "alpha").returncode == DONE
    calm.log.wait("operator.command", account="alpha")
    wait_until(lambda: len(calm.log.lines(event="key.delivered", account="alpha")) == 2,
               "the key is delivered again")
    assert calm.file("alpha").stat().st_mtime_ns == before.st_mtime_ns
    calm.file("alpha").unlink()
    assert calm.ctl("redeliver", "alpha", "--target", "file").returncode == DONE
    wait_until(lambda: calm.holds("alpha") == "Primary", "the file is back")
    assert calm.ctl("redeliver", "alpha", "--target", "nowhere").returncode == REFUSED
    assert not azure.truth.requests("regenerateKeys")


def test_hold_and_resume(site, azure):
    site.account("alpha")
    site.account("bravo")
    site.start()
    site.wait_rotations("alpha", 1)
    held = site.ctl("hold", "alpha", "--for", "1h", "--reason", "release week")
    assert held.returncode == DONE, held
    line = site.log.wait("account.held", account="alpha")
    assert line["next_at"] and line["actor"] and "release week" in line["msg"]
    slots = azure.truth.regenerated("alpha")
    mark = site.log.mark()
    site.wait_rotations("bravo", 2, since=mark)
    assert azure.truth.regenerated("alpha") == slots
    seen = site.status("alpha")
    assert seen["state"] == "held" and seen["hold"]["reason"] == "release week"
    assert site.ctl("status").returncode == WARNING
    assert site.ctl("rotate", "alpha").returncode == REFUSED
    assert site.ctl("resume", "alpha").returncode == DONE
    site.log.wait("account.released", since=mark, account="alpha")
    site.wait_rotations("alpha", 1, since=mark)


def test_an_end_without_a_zone_says_which_it_was_read_in(calm):
    zone = {**os.environ, "TZ": "EET-2"}  # two hours ahead, by POSIX's sign
    held = calm.ctl("hold", "alpha", "--until", "2036-11-22 14:00", "--reason", "r", env=zone)
    assert held.returncode == DONE and "local time zone, EET: 2036-11-22T12:00:00" in held.stderr
    assert calm.status("alpha")["hold"]["until"].startswith("2036-11-22T12:00:00")
    held = calm.ctl("hold", "alpha", "--until", "2036-11-29T09:53:54Z", "--reason", "r", env=zone)
    assert held.returncode == DONE and not held.stderr, held
    assert "2036-11-29T09:53:54Z" in calm.ctl("hold", "--list", env=zone).stdout


def test_hold_ends_by_itself(site, azure):
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    asked_at = time.time()
    assert site.ctl("hold", "--all", "--for", "4s", "--reason", "a short break").returncode == DONE
    site.log.wait("account.released", account="alpha")
    assert time.time() - asked_at >= 4
    events = [line["event"] for line in site.log.lines() if line.get("account") == "alpha"]
    held = events[events.index("account.held"):events.index("account.released")]
    assert "rotation.started" not in held
    site.wait_rotations("alpha", 1)


def test_hold_survives_a_restart(calm, azure):
    assert calm.ctl("hold", "alpha", "--for", "1h", "--reason", "r").returncode == DONE
    calm.daemons[-1].kill()
    calm.start()
    assert calm.status("alpha")["state"] == "held"
    assert calm.ctl("rotate", "alpha").returncode == REFUSED


def test_exit_statuses(calm, build):
    assert calm.ctl("statu").returncode == USAGE
    assert "doctor is not available in this version; --help lists the commands" in calm.ctl("doctor").stderr
    assert calm.ctl("doctor").returncode == USAGE
    assert calm.ctl("rotate").returncode == USAGE
    assert calm.ctl("hold", "alpha", "--for", "1h").returncode == USAGE, "a reason is missing"
    assert calm.ctl("hold", "alpha", "--for", "soon", "--reason", "r").returncode == USAGE
    assert calm.ctl("adopt", "alpha").returncode == USAGE
    unknown = calm.ctl("rotate", "nobody")
    assert unknown.returncode == USAGE
    assert "no account nobody is configured; `keyrotatectl" in unknown.stderr
    misspelt = calm.ctl("rotate", "alhpa")
    assert misspelt.returncode == USAGE and "no account alhpa is configured; did you mean alpha?" in misspelt.stderr
    option = calm.ctl("rotate", "alpha", "--wiat")
    assert option.returncode == USAGE and "there is no option --wiat; did you mean --wait?" in option.stderr
    assert calm.daemons[-1].stop() == 0
    for command in (["status"], ["ping"], ["rotate", "alpha"], ["reload"]):
        assert calm.ctl(*command).returncode == UNREACHABLE


@pytest.mark.parametrize("path, unit", [
    ("/run/keyrotated-no-such/control.sock", "keyrotated"),
    ("/run/keyrotated@no-such.one/control.sock", "keyrotated@no-such.one"),
    ("/run/keyrotated@no such/control.sock", "keyrotated")])
def test_who_does_not_answer_is_named_by_its_unit(build, path, unit):
    done = subprocess.run([build / "keyrotatectl", "--socket", path, "status"], text=True,
                          capture_output=True, timeout=30, check=False)
    assert done.returncode == UNREACHABLE
    assert f"is it running? (systemctl status {unit})\n" in done.stderr, done.stderr


def test_errors_are_json_where_json_was_asked_for(calm, tmp_path):
    """One document, whatever goes wrong, and the same exit status as without --json."""
    def error_of(*command):
        done = calm.ctl(*command, "--json")
        assert not done.stderr, done
        return done.returncode, json.loads(done.stdout)["error"]["code"]

    (tmp_path / "list").write_text("nobody primary\n")
    for command in (["statu"], ["rotate"], ["doctor"], ["status", "--bogus"], ["hold", "--for"],
                    ["hold", "alpha", "--for", "soon", "--reason", "r"], ["status", "--al=x"],
                    ["adopt", "--file", tmp_path / "none", "--yes"],
                    ["adopt", "--file", tmp_path / "list", "--yes"]):
        assert error_of(*command) == (USAGE, "usage"), command
    assert error_of("status", "nobody") == (USAGE, "not_found")
    asked = json.loads(calm.ctl("rotate", "nobody", "--json").stdout)
    assert asked["results"][0]["error"]["code"] == "not_found" and "error" not in asked
    assert calm.daemons[-1].stop() == 0
    for command in (["status"], ["rotate", "alpha"], ["rotate", "alpha", "--wait"], ["reload"],
                    ["hold", "--list"], ["adopt", "alpha", "--active", "primary", "--yes"]):
        assert error_of(*command) == (UNREACHABLE, "unreachable"), command


def test_the_socket_is_for_its_group_alone(calm):
    assert stat.S_IMODE(calm.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(calm.state.stat().st_mode) == 0o700
    assert {path.name.split("-")[0] for path in calm.state.iterdir()} <= {"journal.db", "lock"}


def ask_raw(site, request):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(site.socket))
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def test_the_socket_speaks_http_and_survives_nonsense(calm):
    good = ask_raw(calm,
                   b"GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert good.startswith(b"HTTP/1.1 200 ") and b'"alpha"' in good
    for request, status in (
            (b"GET /v1/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
            (b"DELETE /v1/accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
            (b"POST /v1/accounts/alpha/rotate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             b"Content-Length: 9\r\n\r\n{\"dry\": 1", b"400"),
            (b"POST /v1/accounts/alpha/adopt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             b"Content-Length: 19\r\n\r\n{\"active\": \"third\"}", b"400")):
        answer = ask_raw(calm, request)
        assert answer.split(b" ")[1] == status, answer
        assert b'"error"' in answer
    ask_raw(calm, b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(calm.socket))
        silent.sendall(b"GET /v1/acc")
        assert calm.ctl("status").returncode == WELL, "nobody waits for a silent client"
    stays_true(calm.daemons[-1].is_running, 0.3, "the daemon runs")


def test_many_clients_at_once(calm):
    """More connections than the socket takes: clients that are turned away do not disturb the
    others."""
    clients = []
    for _ in range(200):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(5)
        try:
            client.connect(str(calm.socket))
        except (BlockingIOError, TimeoutError):
            client.close()
            break
        clients.append(client)
    for client in clients:
        client.close()
    assert calm.ctl("status").returncode == WELL


def test_a_second_daemon_does_not_take_the_socket(calm, install):
    """Another configuration, the same socket: refused, and the first one goes on answering."""
    other = install()
    other.config["control_socket"] = str(calm.socket)
    other.account("charlie")
    other.write()
    daemon = other.launch()
    assert daemon.wait() == 75
    assert calm.ctl("status", "alpha").returncode == WELL
