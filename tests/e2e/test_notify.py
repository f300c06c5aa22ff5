"""`notify`: who is told of troubles, what it gets, and that nothing waits for it."""

import base64
import json
import os

import pytest

from certificates import Authority
from patience import wait_until
from receivers import Program, WebhookServer, signature

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
FIELDS = {"event", "time", "account", "resource_group", "subscription_id", "resource_id", "state",
          "overdue", "consumers_at_risk", "reason", "text", "remedy", "since", "next_at", "cycle"}


@pytest.fixture
def pager(site):
    path = site.directory / "pager.sock"
    site.config["targets"]["pager"] = {"type": "socket", "path": str(path), "owner": os.getuid()}
    site.config["defaults"]["deliver_to"] = ["file"]
    site.config["notify"] = {"target": "pager"}
    running = Program(path)
    yield running
    running.stop()


def events(pager, account):
    return [form["event"] for form in list(pager.forms) if form["account"] == account]


def rotate(site, name):
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == 0, "it may rotate")
    assert site.ctl("rotate", name, "--wait").returncode == 0


def test_troubles_and_their_end_are_told(site, azure, pager):
    site.policy(rotate_every="10m", check_every="1h")
    site.account("alpha", active=None)
    site.start()
    wait_until(lambda: events(pager, "alpha"), "the block is told")
    form = pager.forms[0]
    assert set(form) == FIELDS
    assert form["event"] == "account.blocked" and form["state"] == "blocked"
    assert form["reason"] == "active_key_unknown" and form["since"]
    assert "adopt" in form["remedy"] and form["text"].startswith("alpha is blocked")
    assert form["resource_id"].endswith("/alpha")
    assert site.ctl("adopt", "alpha", "--active", "primary", "--yes").returncode == 0
    wait_until(lambda: events(pager, "alpha")[-1] == "account.unblocked", "the end is told")
    rotate(site, "alpha")
    assert events(pager, "alpha") == ["account.blocked", "account.unblocked"]
    said = json.dumps(pager.forms)
    assert not any(key in said for key in azure.truth.keys())


def test_a_webhook_and_a_program_are_told_of_rotations(site, azure, pager, tmp_path):
    authority = Authority(tmp_path)
    server = WebhookServer(*authority.issue("receiver"), 202)
    (site.directory / "secret").write_text(SECRET + "\n")
    tell = site.directory / "tell"
    tell.write_text(f"#!/bin/sh\ncat >>{site.directory}/told\n"
                    f"echo $KEYROTATED_EVENT $KEYROTATED_ACCOUNT $KEYROTATED_TARGET "
                    f">>{site.directory}/environment\n")
    tell.chmod(0o755)
    site.config["targets"]["web"] = {
        "type": "webhook", "url": f"{server.url}/news", "include_key": True,
        "secret_file": str(site.directory / "secret"), "ca_file": str(authority.certificate)}
    site.config["targets"]["program"] = {"type": "exec", "command": [str(tell)]}
    site.config["notify"] = [{"target": name, "events": ["upcoming", "completed"], "ahead": "1h"}
                             for name in ("web", "program")]
    site.policy(rotate_every="10m", check_every="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    rotate(site, "alpha")
    told = site.directory / "told"
    wait_until(lambda: len(server.messages) >= 1 and told.exists(), "both are told")
    message = next(message for message in server.messages
                   if message.body["type"] == "rotation.completed")
    assert message.signatures == [signature(SECRET, message)]
    assert message.data["account"] == "alpha" and message.data["cycle"] == 1
    assert set(message.data) == FIELDS
    forms = [json.loads(line) for line in told.read_text().splitlines()]
    assert "rotation.completed" in [form["event"] for form in forms]
    assert "rotation.completed alpha program" in (site.directory / "environment").read_text()
    everything = told.read_text() + str([message.body for message in server.messages])
    assert not any(key in everything for key in azure.truth.keys())
    server.stop()


def test_who_hangs_or_fails_is_in_nobodys_way(site, azure, pager):
    """It hangs while accounts rotate and while the daemon stops; a later one gets what waited."""
    site.config["notify"] = [{"target": "pager", "events": "completed"}]
    pager.answer = None
    site.policy(rotate_every="3s", overlap="300ms", check_every="1h")
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 3)
    assert len(pager.forms) == 1
    daemon.stop()
    line = site.log.wait("notification.dropped", account="alpha")
    assert "could not be told of rotation.completed" in line["msg"] and line["remedy"]


def test_what_is_not_taken_is_tried_again_and_then_dropped(site, azure, pager):
    """Each attempt says the same; what comes after one that is dropped is told."""
    site.config["notify"] = [{"target": "pager", "events": ["completed"]}]
    pager.answer = lambda form: ('{"result":"failed","message":"asleep"}\n' if form["cycle"] == 1
                                 else '{"result":"delivered"}\n')
    site.policy(rotate_every="3s", overlap="300ms", check_every="1h")
    site.account("alpha")
    site.start()
    line = site.log.wait("notification.dropped", account="alpha")
    assert line["attempt"] == 4 and "answered that it failed: asleep" in line["msg"]
    wait_until(lambda: pager.forms[-1]["cycle"] > 1, "the next one is told")
    first = [form for form in pager.forms if form["cycle"] == 1]
    assert len(first) == 4 and all(form == first[0] for form in first)
    assert [form["cycle"] for form in pager.forms] == sorted(form["cycle"] for form in pager.forms)


def test_check_names_who_is_told(site):
    site.account("alpha", create=False)
    site.config["targets"]["hook"] = {"type": "socket", "path": "/run/hook.sock"}
    site.config["targets"]["each"] = {"type": "socket", "path": "/run/{account}.sock"}
    site.config["defaults"]["deliver_to"] = ["file"]
    site.config["notify"] = {"target": "hook", "events": ["blocked", "upcoming"]}
    site.write()
    checked = site.run("--check")
    assert checked.returncode == 0, checked.stderr
    assert "notifies       hook (socket /run/hook.sock), of blocked, upcoming" in checked.stdout
    assert json.loads(site.run("--check", "--json").stdout)["notify"] == [
        {"target": "hook", "type": "socket", "events": ["blocked", "upcoming"], "ahead_s": 86400}]
    assert "targets.hook" not in checked.stderr and "targets.each: warning" in checked.stderr
    for wrong, problem in {
            "file": "target file gets keys; name one of type webhook, exec or socket",
            "each": "target each has placeholders of an account"}.items():
        site.config["notify"] = [{"target": wrong}]
        site.write()
        refused = site.run("--check")
        assert refused.returncode == 78 and problem in refused.stderr
