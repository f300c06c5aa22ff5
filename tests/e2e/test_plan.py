"""keyrotatectl plan: the rotations to come, as the daemon will carry them out."""

import datetime
import json
import re

from patience import wait_until

DONE, USAGE = 0, 64
COLUMNS = 100


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def in_days(instant, now):
    return (when(instant) - when(now)).total_seconds() / 86400


def plan(site, *arguments):
    done = site.ctl("plan", "--json", *arguments)
    assert done.returncode == DONE, done
    return json.loads(done.stdout)


def calm_site(site, **policy):
    site.policy(rotate_every="30d", overlap="5d", splay="2d", **policy)
    for name in ("alpha", "beta", "gamma"):
        site.account(name)
    site.start()
    for name in ("alpha", "beta", "gamma"):
        site.wait_adopted(name)


def test_three_months(site):
    """All accounts in the order of time, with what dies when, and the table within 100 columns."""
    calm_site(site)
    document = plan(site)
    rows = document["rotations"]
    assert 89 < in_days(document["until"], document["now"]) < 91
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert {row["account"] for row in rows} == {"alpha", "beta", "gamma"}
    assert document["whole"] and not document["waiting"]
    for name in ("alpha", "beta", "gamma"):
        own = [row for row in rows if row["account"] == name]
        assert 2 <= len(own) <= 4, own
        assert own[0]["why"] == "first" and own[0]["old_key_older"]
        assert own[0]["at"] == site.status(name)["next_at"]
        for before, after in zip(own, own[1:]):
            assert before["slot"] != after["slot"]
            assert before["old_key_dies"] == after["at"]
            assert 26 <= in_days(after["at"], before["at"]) <= 34
            assert after["why"] in ("splay", "interval")
    table = site.ctl("plan", "beta").stdout.splitlines()
    assert table[0].split() == ["WHEN", "ACCOUNT", "SLOT", "WHY", "THEN", "OLD", "KEY", "DIES", "AGE", "THEN"]
    assert len([line for line in table if "/beta" in line]) >= 2 and "/alpha" not in str(table)
    assert max(map(len, table)) <= COLUMNS
    assert re.search(r"the busiest hour has \d+, from ", table[-1]), table


def test_what_is_foretold_comes(site):
    """Short intervals: the next rotation begins at the instant that the plan has for it."""
    site.policy(rotate_every="20s", overlap="4s", splay="6s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    foretold = plan(site, "--until", "5m")["rotations"][0]
    started = site.log.wait("rotation.started", account="alpha")
    late = (when(started["time"]) - when(foretold["at"])).total_seconds()
    assert -1 <= late <= 5, (started, foretold)
    assert started["slot"] == foretold["slot"]


def test_what_waits(site, azure):
    """A hold with an end moves the rotations, one account that is blocked has none, and a rotation that was asked
    for and goes on is told first."""
    site.config["policies"]["short"] = {**site.config["policies"]["quick"], "rotate_every": "1h", "overlap": "1s",
                                        "splay": "0s"}
    site.policy(rotate_every="30d", overlap="5d", splay="2d")
    for name in ("alpha", "beta"):
        site.account(name)
    site.account("gamma", policy="short")
    site.start()
    for name in ("alpha", "beta", "gamma"):
        site.wait_adopted(name)
    azure.regenerate("beta", "Primary")
    azure.regenerate("beta", "Secondary")
    site.file("beta").write_text("not a key")
    assert site.ctl("check", "beta").returncode == DONE
    assert site.ctl("hold", "alpha", "--for", "60d", "--reason", "moves house").returncode == DONE
    azure.fault("hang", op="regenerateKeys", account="gamma", count=1)
    wait_until(lambda: site.ctl("rotate", "gamma").returncode == DONE, "the overlap is over")
    wait_until(lambda: site.status("gamma")["state"] == "rotating"
               and site.status("gamma")["phase"] == "regenerate", "the request hangs")
    wait_until(lambda: site.status("beta")["state"] == "blocked", "nobody knows who uses which key")
    document = plan(site)
    alpha = [row for row in document["rotations"] if row["account"] == "alpha"]
    assert alpha[0]["why"] == "hold" and 59 < in_days(alpha[0]["at"], document["now"]) < 63
    assert [(one["account"], one["state"]) for one in document["waiting"]] == [("beta", "blocked")]
    assert document["waiting"][0]["waits"]
    first = document["rotations"][0]
    assert (first["account"], first["why"]) == ("gamma", "under_way")
    assert not document["whole"], "one rotation an hour is more than a plan lists"
    shown = site.ctl("plan").stdout
    assert "more than are listed: e2e/gamma" in shown
    assert "not planned: " in shown and "/beta: blocked: " in shown
    assert "do: keyrotatectl status" in shown


def test_forms(site):
    """A calendar to read, and one for calendar programs."""
    calm_site(site)
    calendar = site.ctl("plan", "--until", "40d", "--calendar").stdout
    counts = sum(map(int, re.findall(r"\((\d+)\)", calendar)))
    assert counts == len(plan(site, "--until", "40d")["rotations"]) > 0
    assert datetime.datetime.now(datetime.timezone.utc).strftime("%B %Y") in calendar
    assert max(map(len, calendar.splitlines())) <= COLUMNS
    ics = site.ctl("plan", "--ics").stdout
    assert ics.startswith("BEGIN:VCALENDAR\nVERSION:2.0\n") and ics.endswith("END:VCALENDAR\n")
    assert ics.count("BEGIN:VEVENT") == len(plan(site)["rotations"])
    assert "gets a new secondary key" in ics.replace("\n ", "")


def test_many_accounts_come_in_pages(site):
    """None is left out, and none comes twice."""
    site.policy(rotate_every="30d", overlap="5d", splay="2d")
    names = [f"acct{number:03}" for number in range(70)]
    for name in names:
        site.account(name)
    site.start()
    site.wait_adopted(names[-1])
    wait_until(lambda: not plan(site)["waiting"], "all are adopted")
    rows = plan(site)["rotations"]
    assert {row["account"] for row in rows} == set(names)
    assert len({(row["account"], row["at"]) for row in rows}) == len(rows)
    assert {row["account"] for row in plan(site, *names[:40])["rotations"]} == set(names[:40])


def test_refused(site):
    site.account("alpha")
    site.start()
    for arguments in (["nobody"], ["--until", "900d"], ["--until", "2020-01-01"], ["--json", "--ics"],
                      ["--calendar", "--ics"], ["--all"], ["--until", "soon"]):
        done = site.ctl("plan", *arguments)
        assert done.returncode == USAGE, done
        assert (done.stderr or done.stdout).strip(), arguments
    for until, words in (("900d", "that is too far ahead; a time within the next 800 days"),
                         ("1ms", "that time has passed; a time within")):
        assert words in site.ctl("plan", "--until", until).stderr
