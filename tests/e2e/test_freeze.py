"""Change freezes: nothing is started by schedule, and everything else goes on."""

import datetime

from patience import wait_until

WELL, CRITICAL = 0, 2
CONFIGURATION = 78


def instant(seconds):
    """So many seconds from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=seconds)).isoformat(timespec="seconds")


def freeze(site, begins, ends, **more):
    site.config["freeze"] = [{"from": instant(begins), "to": instant(ends), **more}]
    site.write()


def test_freeze(site, azure):
    """Begins and ends by a reload. Meanwhile looks, repairs and a person's rotate go on."""
    freeze(site, -3600, 3600, reason="year-end close")
    site.policy(overdue_after="30m")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    site.log.wait("daemon.status", frozen=1)
    waits = wait_until(lambda: site.status("alpha")["due_since"] and site.status("alpha"),
                       "a rotation is due")
    assert (waits["state"], waits["reason"]) == ("held", "freeze")
    assert waits["waits"] == "a change freeze is in force"
    assert "until " in waits["meaning"] and waits["meaning"].endswith(": year-end close")
    summary = site.ctl("status")
    assert summary.returncode == WELL, summary
    assert "1 account: 1 in a change freeze" in summary.stdout
    shown = site.ctl("status", "alpha").stdout
    assert "held: freeze" in shown and "year-end close" in shown, shown
    assert "rotate alpha` rotates all the same" in waits["do"]

    azure.regenerate("alpha", "Primary")
    site.log.wait("drift.repaired", account="alpha")
    assert site.holds("alpha") == "Primary"
    assert not site.log.lines(event="rotation.started"), "nothing is started"
    asked = wait_until(lambda: (answer := site.ctl("rotate", "alpha", "--wait")).returncode == 0
                       and answer, "the overlap is over, and a person rotates")
    assert "rotated" in asked.stdout
    assert site.log.lines(event="rotation.started")[0]["trigger"] == "command"

    del site.config["freeze"]
    site.write()
    assert site.ctl("reload").returncode == 0
    started = site.log.wait("rotation.started", trigger="schedule")
    assert started["account"] == "alpha"


def test_overdue_in_a_freeze(site):
    """What a freeze delays is overdue all the same, and says why."""
    freeze(site, -3600, 3600)
    site.policy(overdue_after="1s")
    site.account("alpha")
    site.start()
    overdue = site.log.wait("rotation.overdue", account="alpha")
    assert overdue["reason"] == "freeze" and "change freeze" in overdue["msg"]
    assert site.ctl("status").returncode == CRITICAL
    assert not site.log.lines(event="rotation.started")


def test_freeze_ends_by_itself(site):
    """The plan knows the end ahead; the rotation comes then, and not before."""
    site.account("alpha")
    freeze(site, -1, 6)
    site.start()
    site.wait_adopted("alpha")
    first = site.log.wait("rotation.started", account="alpha")
    assert first["time"][:19] >= site.config["freeze"][0]["to"][:19]


def test_begin_and_end_are_told(site):
    """By time and by a reload, once each, with what they are about."""
    site.account("alpha")
    site.config["policies"]["other"] = dict(site.config["policies"]["quick"])
    site.config["freeze"] = [
        {"from": instant(-60), "to": instant(36000), "policies": ["quick"], "reason": "audit"},
        {"from": instant(-60), "to": instant(36000)},
        {"from": instant(30000), "to": instant(36000), "reason": "later"}]
    site.write()
    daemon = site.start()
    lines = wait_until(lambda: site.log.lines(event="freeze.started")[1:] and site.log.lines(event="freeze.started"),
                       "both have begun")
    told = {line["policies"]: line for line in lines}
    assert set(told) == {"quick", "all"}
    assert told["quick"]["freeze_reason"] == "audit" and "freeze_reason" not in told["all"]
    assert ": audit (policies: quick; until " in told["quick"]["msg"]
    assert told["quick"]["until"][:19] == site.config["freeze"][0]["to"][:19]

    since = site.log.mark()
    site.config["freeze"][0] = {"from": instant(3), "to": instant(20), "reason": "short"}
    site.write()
    daemon.reload()
    ended = site.log.wait("freeze.ended", since, freeze_reason="audit")
    assert "no longer in the configuration; another one is in force" in ended["msg"]
    assert site.log.wait("freeze.started", since, freeze_reason="short")["policies"] == "all"
    ended = site.log.wait("freeze.ended", since, freeze_reason="short")
    assert ended["time"][:19] >= ended["until"][:19] and "is over; another" in ended["msg"]
    assert len(site.log.lines(event="freeze.started")) == 3
    assert len(site.log.lines(event="freeze.ended")) == 2
    del site.config["freeze"]
    site.write()
    daemon.reload()
    ended = wait_until(lambda: site.log.lines(event="freeze.ended")[2:], "the last one has ended")
    assert "no longer in the configuration, and rotations are started again" in ended[0]["msg"]


def test_changes_are_told(site):
    """A reload that changes the policies or the reason of a freeze in force is told as one line."""
    site.account("alpha")
    site.config["policies"]["other"] = dict(site.config["policies"]["quick"])
    freeze(site, -60, 36000, policies=["quick"], reason="audit")
    daemon = site.start()
    site.log.wait("freeze.started", freeze_reason="audit")
    only = site.config["freeze"][0]

    def reload_with(**changes):
        since = site.log.mark()
        only.update(changes)
        site.write()
        daemon.reload()
        return site.log.wait("freeze.changed", since)

    told = reload_with(policies=["other", "quick"])
    assert (told["policies"], told["policies_before"]) == ("all", "quick")
    assert told["freeze_reason"] == "audit" and "freeze_reason_before" not in told
    assert "a change freeze that is in force has changed: audit (policies: all; until " in told["msg"]
    told = reload_with(reason="longer audit")
    assert (told["freeze_reason"], told["freeze_reason_before"]) == ("longer audit", "audit")
    assert told["policies"] == "all" and "policies_before" not in told
    assert told["until"][:19] == only["to"][:19]
    told = reload_with(policies=["other"], reason="the audit of others")
    assert (told["policies"], told["policies_before"]) == ("other", "all")
    assert (told["freeze_reason"], told["freeze_reason_before"]) == ("the audit of others", "longer audit")
    assert site.log.wait("rotation.started", trigger="schedule")["account"] == "alpha"

    since = site.log.mark()
    site.config["freeze"].append({**only, "reason": "one more"})
    site.write()
    daemon.reload()
    assert site.log.wait("freeze.started", since)["freeze_reason"] == "one more"
    del site.config["freeze"][0]
    site.write()
    daemon.reload()
    assert site.log.wait("freeze.ended", since)["freeze_reason"] == "the audit of others"
    assert len(site.log.lines(event="freeze.changed")) == 3
    assert len(site.log.lines(event="freeze.started")) == 2


def test_freezes_are_checked(site):
    site.account("alpha", create=False)
    site.config["freeze"] = [{"from": "2026-12-20", "to": "2026-12-10", "policies": ["quik"]}]
    site.write()
    answer = site.run("--check")
    assert answer.returncode == CONFIGURATION
    assert "freeze[0].to: the freeze would end" in answer.stderr
    assert "unknown policy \"quik\"; did you mean quick?" in answer.stderr
    site.config["freeze"] = [{"from": instant(60), "to": instant(120), "reason": "audit"}]
    site.write()
    answer = site.run("--check")
    assert answer.returncode == 0, answer
    assert "freeze         from " in answer.stdout and ": audit" in answer.stdout
