"""`notify`: who is told of troubles, what it gets, and that nothing waits for it."""

import base64
import datetime
import json
import os
import time

import pytest

from certificates import Authority
from patience import stays_true, wait_until
from receivers import Program, WebhookServer, full, signature
from ways import Place

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
FIELDS = {"event", "time", "account", "resource_group", "subscription_id", "resource_id", "pair", "state",
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
    site.policy(rotate_every="30d", check_every="1h")
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
    site.policy(rotate_every="30d", check_every="1h")
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


def test_a_full_queue_is_named_when_what_waits_is_dropped(site, azure, places):
    """Nothing is promised then."""
    path = site.directory / "pager.sock"
    site.config["targets"]["pager"] = {"type": "socket", "path": str(path), "owner": os.getuid()}
    site.config["notify"] = [{"target": "pager", "events": ["completed"]}]
    places["pager"] = at = Place(site, None, "pager")
    at.path = path
    full(at)
    site.account("alpha")
    site.start()
    line = site.log.wait("notification.dropped", account="alpha")
    assert "does not accept connections at the moment, and its queue is full" in line["msg"], line
    assert f"`ss -xlp src {path}`" in line["remedy"] and "again" not in line["remedy"], line


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


class Everybody:
    """One receiver of each kind: what each was told, as [event, …]."""

    def __init__(self, site, directory, pager, answer=200):
        self.directory, self.pager = site.directory, pager
        authority = Authority(directory)
        self.server = WebhookServer(*authority.issue("receiver"), answer)
        (site.directory / "secret").write_text(SECRET + "\n")
        tell = site.directory / "tell"
        tell.write_text(f"#!/bin/sh\nread form\necho \"$form\" >>{site.directory}/told\n"
                        f"test ! -e {site.directory}/hangs || sleep 1000\n"
                        f"test ! -e {site.directory}/fails || {{ echo asleep >&2; exit 3; }}\n")
        tell.chmod(0o755)
        site.config["targets"]["program"] = {"type": "exec", "command": [str(tell)]}
        site.config["targets"]["web"] = {
            "type": "webhook", "url": self.server.url, "include_key": True,
            "secret_file": str(site.directory / "secret"), "ca_file": str(authority.certificate)}

    def forms(self):
        told = self.directory / "told"
        return {"web": [message.data for message in list(self.server.messages)],
                "pager": list(self.pager.forms),
                "program": [json.loads(line) for line in told.read_text().splitlines()]
                if told.exists() else []}

    def wait(self, event, **fields):
        """Until each was told of it; the forms are the same but for nothing."""
        def found():
            forms = [[form for form in forms if form["event"] == event]
                     for forms in self.forms().values()]
            return all(forms) and [one[-1] for one in forms]
        forms = wait_until(found, f"all are told of {event}")
        for form in forms:
            assert set(form) == FIELDS and form["text"] and form["account"] == "alpha"
            assert {name: form[name] for name in fields} == fields, form
        return forms[0]


@pytest.fixture
def everybody(site, tmp_path, pager):
    all_of_them = Everybody(site, tmp_path, pager)
    yield all_of_them
    all_of_them.server.stop()


def test_each_event_over_each_of_three_ways(site, azure, everybody):
    """Overdue and caught up, at risk and safe, completed; no form has a key."""
    site.config["notify"] = [
        {"target": name, "events": ["blocked", "overdue", "at_risk", "recovered", "completed"]}
        for name in ("web", "program", "pager")]
    site.policy(rotate_every="2s", overlap="300ms", overdue_after="1s", check_every="1s",
                on_drift="alert")
    site.account("alpha")
    site.start()
    everybody.wait("rotation.completed", state="ok", reason=None)
    assert site.ctl("hold", "alpha", "--for", "1h", "--reason", "release").returncode == 0
    overdue = everybody.wait("rotation.overdue", overdue=True)
    assert overdue["text"].startswith("alpha: its rotation is overdue")
    site.policy(rotate_every="30d")
    site.write()
    assert site.ctl("resume", "alpha").returncode == 0
    everybody.wait("rotation.caught_up", overdue=False)
    site.daemons[-1].reload()
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is well")
    active = azure.truth.regenerated("alpha")[-1]
    azure.regenerate("alpha", active)
    risk = everybody.wait("consumers.at_risk", consumers_at_risk=True, reason="redeliver_awaited")
    assert "holds a dead key: programs that use it fail" in risk["text"]
    assert "redeliver alpha" in risk["remedy"]
    assert site.ctl("redeliver", "alpha").returncode == 0
    everybody.wait("consumers.safe", consumers_at_risk=False)
    for forms in everybody.forms().values():
        order = [form["event"] for form in forms]
        assert order.index("rotation.overdue") < order.index("rotation.caught_up")
        assert order.index("consumers.at_risk") < order.index("consumers.safe")
    everything = json.dumps(everybody.forms()) + str([m.bytes for m in everybody.server.messages])
    assert not any(key in everything for key in azure.truth.keys())


def test_who_hangs_is_in_the_way_of_nobody_else(site, azure, everybody):
    """The webhook and the program hang, the third is told all the same, and accounts rotate; at the
    stop the daemon waits for none of them longer than its grace."""
    everybody.server.answer = None
    (site.directory / "hangs").touch()
    site.config["notify"] = [{"target": name, "events": "completed"}
                             for name in ("web", "program", "pager")]
    site.policy(rotate_every="3s", overlap="300ms", check_every="1h")
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 3)
    wait_until(lambda: len(everybody.forms()["pager"]) == 3, "the third is told of each")
    forms = everybody.forms()
    assert len(forms["web"]) == 1 and len(forms["program"]) == 1
    daemon.stop()
    for name in ("web", "program"):
        line = site.log.wait("notification.dropped", target=name)
        assert line["remedy"] and "could not be told of rotation.completed" in line["msg"]
    assert not site.log.lines(event="notification.dropped", target="pager")


def test_who_fails_is_tried_four_times(site, azure, everybody):
    """Whichever way it is told, each with the cause and what to do; accounts rotate meanwhile."""
    everybody.server.answer = 500
    everybody.pager.answer = "nonsense\n"
    (site.directory / "fails").touch()
    site.config["notify"] = [{"target": name, "events": "completed"}
                             for name in ("web", "program", "pager")]
    site.policy(rotate_every="2s", overlap="300ms", check_every="1h")
    site.account("alpha")
    site.start()
    for name, cause in (("web", "500"), ("program", "failed with exit status 3: asleep"),
                        ("pager", "the answer cannot be used")):
        line = site.log.wait("notification.dropped", target=name)
        assert line["attempt"] == 4 and cause in line["msg"] and line["remedy"], line
        assert "again" not in line["remedy"] and "{" not in line["remedy"].split("such as")[0]
        forms = [form for form in everybody.forms()[name] if form["cycle"] == 1]
        assert len(forms) == 4 and all(form == forms[0] for form in forms)
    assert len({message.id for message in everybody.server.messages
                if message.data["cycle"] == 1}) == 1
    assert site.log.wait("notification.output", target="program")["output"] == "asleep"
    site.wait_rotations("alpha", 3)


def test_what_waits_is_bounded_for_each(site, pager):
    """More accounts are blocked than may wait for one that hangs; the other is told of all."""
    hanging = Program(site.directory / "hanging.sock", None)
    site.config["targets"]["hanging"] = {"type": "socket", "owner": os.getuid(),
                                         "path": str(site.directory / "hanging.sock")}
    site.config["notify"] = [{"target": "hanging"}, {"target": "pager"}]
    names = [f"many{number}" for number in range(260)]
    for name in names:
        site.account(name, create=False)
    site.start()
    wait_until(lambda: {form["account"] for form in list(pager.forms)} == set(names),
               "the other is told of each")
    dropped = site.log.wait("notification.dropped", target="hanging")
    assert "because 256 notifications wait for it" in dropped["msg"] and dropped["remedy"]
    assert len(site.log.lines(event="notification.dropped")) == 1
    assert len(hanging.forms) == 1
    hanging.stop()


def test_who_could_not_be_told_is_named_before_there_is_trouble(site, everybody):
    """At the start and at a reload; nothing is sent for that."""
    site.config["targets"]["program"]["command"] = [str(site.directory / "nowhere")]
    site.config["targets"]["web"]["secret_file"] = str(site.directory / "no-secret")
    site.config["targets"]["gone"] = {"type": "socket", "path": str(site.directory / "gone.sock"),
                                      "owner": os.getuid()}
    names = ("program", "web", "gone", "pager")
    site.config["notify"] = [{"target": name} for name in names]
    site.account("alpha")
    site.start()
    for name, cause in (("program", "nowhere cannot be started: there is no such file"),
                        ("web", "no-secret"), ("gone", "gone.sock")):
        line = site.log.wait("notification.unready", target=name)
        assert cause in line["msg"] and line["remedy"] and "{" not in line["remedy"], line
    mark = site.log.mark()
    site.config["targets"]["program"]["command"] = ["/bin/true"]
    site.write()
    assert site.ctl("reload").returncode == 0
    for name in ("web", "gone"):
        site.log.wait("notification.unready", since=mark, target=name)
    site.wait_rotations("alpha", 1)
    assert not site.log.lines(mark, event="notification.unready", target="program")
    assert not site.log.lines(event="notification.unready", target="pager")
    assert not any(everybody.forms().values())


# --- rotations that are planned ---

def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def ahead_of(site, seconds=3):
    """So that the planned rotation is told in so many seconds: (`ahead`, when)."""
    begins = instant(site.status("alpha")["next_at"])
    ahead = int(begins - time.time() - seconds)
    return f"{ahead}s", begins - ahead


def upcoming(everybody, name):
    return [form for form in everybody.forms()[name] if form["event"] == "rotation.upcoming"]


def configure(site, ahead, *names):
    site.config["notify"] = [{"target": name, "events": ["upcoming"], "ahead": ahead}
                             for name in names]
    site.write()
    assert site.ctl("reload").returncode == 0


def expect_upcoming(site, everybody, at, count):
    """Each is told, in time, when it begins, and that once."""
    for name in ("web", "pager"):
        form = wait_until(lambda: len(upcoming(everybody, name)) == count
                          and upcoming(everybody, name)[-1], f"{name} is told")
        assert at <= instant(form["time"]) < at + 2, (form, at)
        assert 86400 <= instant(form["next_at"]) - instant(form["time"]) <= 30 * 86400
        assert form["next_at"] == site.status("alpha")["next_at"]
        assert form["text"].startswith("alpha: its next rotation begins at ")
    stays_true(lambda: len(upcoming(everybody, "web")) == count, 1, "it is told once")


def test_a_planned_rotation_is_told_when_it_is_so_far_ahead(site, azure, everybody):
    """About a day before it, or more; again where the plan moves; not where a reload changes something else, nor
    where who is told stands at another place; after a restart with the same id."""
    site.policy(rotate_every="20d", overlap="1s", overdue_after="1h", check_every="1h")
    site.account("alpha")
    daemon = site.start()
    site.wait_adopted("alpha")
    ahead, at = ahead_of(site)
    configure(site, ahead, "web", "pager")
    stays_true(lambda: not upcoming(everybody, "web"), max(0, at - time.time() - 0.5), "it is early")
    expect_upcoming(site, everybody, at, 1)
    configure(site, ahead, "pager", "web")
    stays_true(lambda: len(upcoming(everybody, "web")) == 1, 1, "a reload is no news")
    site.policy(rotate_every="30d")
    configure(site, "1s", "pager", "web")
    ahead, at = ahead_of(site)
    configure(site, ahead, "pager", "web")
    expect_upcoming(site, everybody, at, 2)
    daemon.stop()
    site.start()
    wait_until(lambda: len(upcoming(everybody, "web")) == 3, "it is told again")
    ids = [message.id for message in everybody.server.messages]
    assert ids[0] != ids[1] == ids[2]
    assert upcoming(everybody, "web")[1]["next_at"] == upcoming(everybody, "web")[2]["next_at"]


def test_a_planned_rotation_that_is_held_is_told_later(site, azure, everybody):
    """So far ahead of the end of the hold; and not before it is known."""
    site.policy(rotate_every="20d", overlap="1s", overdue_after="1h", check_every="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    begins = instant(site.status("alpha")["next_at"])
    held = f"{int(begins - time.time()) + 86400}s"
    assert site.ctl("hold", "alpha", "--for", held, "--reason", "release").returncode == 0
    ahead, at = ahead_of(site)
    configure(site, ahead, "web", "pager")
    assert at > begins - int(ahead[:-1]) + 80000, "it is put off"
    expect_upcoming(site, everybody, at, 1)
