"""Log formats, and runs that end by themselves (--once)."""

import json
import re
import time

import pytest

from daemon import EXIT_OK, EXIT_UNDONE
from patience import wait_until
from truth import alternates

LEVELS = {"error", "warning", "notice", "info", "debug"}
LOGFMT_FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$)')


def parse_logfmt(line):
    """A strict reading: fields from beginning to end, and nothing between."""
    fields, at = {}, 0
    while at < len(line):
        match = LOGFMT_FIELD.match(line, at)
        assert match, f"no logfmt from column {at}: {line}"
        name, value = match.groups()
        assert name not in fields, f"{name} stands twice: {line}"
        fields[name] = json.loads(value) if value.startswith('"') else value
        at = match.end()
    return fields


def rotate_in_format(site, form, *arguments):
    site.config["log"]["format"] = form
    site.write()
    daemon = site.launch(*arguments)
    wait_until(lambda: "rotation.completed" in site.log.text(), "a rotation is completed")
    assert daemon.stop() == EXIT_OK
    return site.log.text().splitlines()


def check_lines(lines):
    events = [line["event"] for line in lines]
    for event in ("config.loaded", "journal.created", "daemon.started", "account.adopted",
                  "key.delivered", "rotation.started", "key.regenerated", "key.verified",
                  "rotation.completed", "daemon.stopping"):
        assert event in events, event
    for line in lines:
        assert line["level"] in LEVELS and line["msg"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    ends = ((": 1 account, 1 identity, 1 policy", "config.loaded"),
            (" started with 1 account", "daemon.started"))
    for end, event in ends:
        assert any(line["event"] == event and line["msg"].endswith(end) for line in lines), end
    regenerated = next(line for line in lines if line["event"] == "key.regenerated")
    for field in ("account", "resource_group", "subscription_id", "location", "identity", "policy",
                  "state", "slot", "cycle", "trigger", "fingerprint", "request_id",
                  "correlation_id", "client_request_id", "duration_ms"):
        assert regenerated[field] not in ("", None), field


@pytest.mark.parametrize("form", ["json", "logfmt", "auto"])
def test_formats(site, form):
    site.account("alpha")
    lines = rotate_in_format(site, form)
    check_lines([json.loads(line) if form == "json" else parse_logfmt(line) for line in lines])


def test_format_and_level_on_the_command_line_go_first(site):
    site.account("alpha")
    lines = rotate_in_format(site, "logfmt", "--log-format", "json", "--log-level", "notice")
    levels = {json.loads(line)["level"] for line in lines}
    assert levels <= {"notice", "warning", "error"} and "notice" in levels


def test_client_request_ids_join_with_azures_log(site, azure):
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 2)
    logged = [line["client_request_id"] for line in site.log.lines(event="key.regenerated")]
    asked = [one["client_request_id"] for one in azure.truth.requests("regenerateKeys")]
    assert logged == asked[:len(logged)] and len(set(logged)) == len(logged)


def test_status_line_comes_regularly(site):
    site.account("alpha")
    site.start()
    wait_until(lambda: len(site.log.lines(event="daemon.status")) >= 3, "three of them are there")
    last = site.log.lines(event="daemon.status")[-1]
    assert last["accounts"] == 1 and last["ok"] + last["rotating"] == 1
    assert last["overdue"] == 0 and last["at_risk"] == 0 and last["oldest_key_age_s"] >= 0


def test_status_line_names_who_is_not_well(site):
    site.account("alpha")
    for number in range(7):
        site.account(f"silent{number}", active=None)
    site.start()
    line = wait_until(lambda: [line for line in site.log.lines(event="daemon.status")
                               if line["blocked"] == 7], "the status line counts them")[0]
    names, more = line["not_well"].split(" and ")
    assert more == "2 more" and len(names.split(", ")) == 5 and "alpha" not in names
    assert all(re.fullmatch(r"[^/]+/silent\d", name) for name in names.split(", "))


def test_many_accounts_with_one_trouble_are_one_line(site):
    """One wrong secret: a line when it begins, a line when it ends, none after the last event; the
    same in status."""
    secret = site.secret_file.read_text()
    site.secret_file.write_text("wrong\n")
    for number in range(40):
        site.account(f"account{number}")
    site.start()
    line = site.log.wait("rotation.retrying")
    assert line["alike"] == 40 and line["reason"] == "token_failed" and "account" not in line
    assert len(line["names"].split(", ")) == 5 and line["names"].endswith(" and 35 more")
    status = site.ctl("status").stdout.splitlines()
    assert len(status) <= 7 and status[2].startswith("40 accounts: "), status
    time.sleep(3)  # each account is tried every second
    assert len(site.log.lines(event="rotation.retrying")) == 1
    assert len(site.log.lines(event="token.failed")) == 1
    site.secret_file.write_text(secret)
    site.wait_adopted(*(f"account{number}" for number in range(40)))
    site.daemons[-1].stop()
    ended = site.log.lines(event="trouble.ended", ended="rotation.retrying")
    assert [line["alike"] for line in ended] == [40] and ended[0]["repeated"] >= 40
    assert len(site.log.lines(event="trouble.ended", ended="token.failed", identity="ops")) == 1
    events = [line["event"] for line in site.log.lines()]
    assert "trouble.ended" not in events[events.index("daemon.stopping"):]


def test_many_accounts_at_risk_are_few_lines(site, azure):
    """Somebody regenerates all active keys: the first five accounts are logged one by one, all
    others together; and likewise when they are safe again."""
    names = [f"account{number}" for number in range(30)]
    site.policy(check_every="1s", rotate_every="30d")
    for name in names:
        site.account(name)
    site.start()
    site.wait_adopted(*names)
    for name in names:
        azure.regenerate(name, "Primary")
    wait_until(lambda: all(site.holds(name) == "Primary" for name in names), "all are repaired")
    site.daemons[-1].stop()
    for event in ("drift.detected", "consumers.at_risk", "consumers.safe", "drift.repaired"):
        lines = site.log.lines(event=event)
        single = [line for line in lines if "account" in line]
        together = [line for line in lines if "alike" in line]
        assert len(lines) == len(single) + len(together) <= 10, lines
        assert len(single) >= 5 and sum(line["alike"] for line in together) + len(single) == 30
        assert all("target" in line for line in single if event == "consumers.at_risk")
        assert not any("target" in line for line in together)


def test_a_repeated_error_is_told_once(site, azure):
    """Repetitions are counted instead of written; their number follows at the end."""
    site.policy(check_every="1s", rotate_every="30d")
    azure.fault("status", op="listKeys", status=500, code="InternalServerError", message="Again.")
    site.account("alpha")
    site.start()
    wait_until(lambda: len(azure.truth.requests("listKeys")) >= 6, "it was tried some times")
    assert len(site.log.lines(event="rotation.retrying", account="alpha")) == 1
    azure.clear_faults()
    site.wait_adopted("alpha")
    site.daemons[-1].stop()
    assert len(site.log.lines(event="rotation.retrying")) == 1
    ended = site.log.lines(event="trouble.ended", account="alpha")
    assert len(ended) == 1 and ended[0]["repeated"] >= 2 and ended[0]["duration_ms"] > 0


# --- --once ---

@pytest.fixture
def once(site):
    site.write()

    def run(*arguments):
        site.write()
        daemon = site.launch("--once", *arguments)
        return daemon.wait()

    return run


def test_once_adopts_and_rotates_what_is_due(site, azure, once):
    """Does what is due, waits for it, and exits."""
    site.account("alpha")
    assert once() == EXIT_OK
    assert site.holds("alpha") == "Primary" and not azure.truth.regenerated("alpha")
    consumer = site.consumer("alpha")
    for expected in (["Secondary"], ["Secondary", "Primary"]):
        time.sleep(2.2)  # until the next one is due
        assert once() == EXIT_OK
        assert azure.truth.regenerated("alpha") == expected
    assert alternates(azure.truth.regenerated("alpha"))
    site.verdict(consumer)
    assert not site.socket.exists(), "a run by cron answers nobody"


def test_once_with_something_undone(site, azure, once):
    """69: blocked, or not done in time; the journal knows where the next run is to go on."""
    site.policy(rotate_every="30d")
    site.account("alpha")
    site.account("silent", active=None)
    started = time.monotonic()
    assert once("--timeout", "60s") == EXIT_UNDONE
    assert time.monotonic() - started < 30, "what is blocked is not waited for"
    assert site.holds("alpha") == "Primary", "the others are done all the same"
    undone, = site.log.lines(event="account.undone")
    assert undone["names"].endswith("/silent") and undone["accounts"] == 1, undone
    assert "active_key_unknown" in undone["msg"] and "adopt" in undone["remedy"], undone
    site.forget("silent")
    azure.fault("status", op="listKeys", status=500, code="InternalServerError", message="No.")
    site.config["targets"]["second"] = {"type": "file", "path": f"{site.keys}/{{account}}.2"}
    site.config["defaults"]["deliver_to"] = ["file", "second"]
    assert once("--timeout", "2s") == EXIT_UNDONE
    undone = site.log.lines(event="account.undone")[-1]
    assert undone["names"].endswith("/alpha") and "No." in undone["msg"], undone
    azure.clear_faults()
    assert once() == EXIT_OK
    assert (site.keys / "alpha.2").read_text().strip() == site.held("alpha")
