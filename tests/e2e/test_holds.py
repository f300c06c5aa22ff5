"""Holds, and the commands beside them: resume, unblock, check."""

import json

import pytest

from patience import wait_until

DONE, REFUSED, USAGE = 0, 2, 64
LONG = ("--for", "1h", "--reason")


@pytest.fixture
def calm(site):
    """alpha and bravo are adopted; nothing rotates by itself, and checks are rare."""
    site.policy(rotate_every="30d", overlap="1s", check_every="5m")
    site.account("alpha")
    site.account("bravo")
    site.start()
    site.wait_adopted("alpha", "bravo")
    return site


def holds(site):
    return json.loads(site.ctl("--json", "hold", "--list").stdout)["holds"]


def test_several_holds(calm):
    """Each hold has an id, an operator, a start, an end and a reason; a resume ends holds of its
    own kind, and names them; the account continues after the last."""
    assert calm.ctl("hold", "--list").stdout == "nothing is held\n"
    assert calm.ctl("hold", "alpha", *LONG, "moving house").returncode == DONE
    of_all = calm.ctl("hold", "--all", "--for", "2h", "--reason", "release week")
    assert of_all.returncode == DONE and "hold 2" in of_all.stdout

    listed = calm.ctl("hold", "--list")
    assert listed.returncode == DONE
    assert "hold 2 of all accounts, by uid" in listed.stdout and "release week" in listed.stdout
    assert "hold 1 of " in listed.stdout and "/alpha, by uid" in listed.stdout
    one, two = sorted(holds(calm), key=lambda hold: hold["id"])
    assert one["account"].endswith("/alpha") and two["account"] is None
    assert one["actor"].startswith("uid ") and one["since"] < one["until"] < two["until"]

    seen = calm.status("alpha")
    assert seen["state"] == "held" and seen["hold"]["id"] == 2
    assert [hold["id"] for hold in seen["holds"]] == [2, 1]
    assert "resume alpha`" in seen["do"] and "resume --hold 2`" in seen["do"]
    assert "(hold 2 of all accounts, by uid" in calm.ctl("status", "alpha").stdout
    assert "resume alpha`" not in calm.status("bravo")["do"]
    told = calm.log.lines(event="account.held", account="alpha")
    assert [line["hold"] for line in told] == [one["id"], two["id"]]
    assert "resume alpha`" in told[0]["remedy"] and "resume --hold 2`" in told[1]["remedy"]

    ended = calm.ctl("resume", "alpha")
    assert ended.returncode == DONE and "1 hold ended; it stays held by hold 2" in ended.stdout
    assert "    ended: hold 1 of" in ended.stdout and "moving house" in ended.stdout
    assert calm.ctl("rotate", "alpha").returncode == REFUSED
    nothing = calm.ctl("resume", "alpha")
    assert nothing.returncode == DONE and "no hold was put on it by name" in nothing.stdout

    assert calm.ctl("hold", "bravo", *LONG, "-").returncode == DONE
    document = json.loads(calm.ctl("--json", "resume", "--hold", "2").stdout)["results"][0]
    assert [hold["id"] for hold in document["holds"]] == [2]
    released = calm.log.wait("account.released", account="alpha")
    assert released["hold"] == 2 and released["actor"].startswith("uid ")
    assert calm.status("alpha")["state"] == "ok" and calm.status("bravo")["state"] == "held"
    again = calm.ctl("resume", "--hold", "2")
    assert again.returncode == DONE and "hold 2 has ended already" in again.stdout
    assert "there is no hold 99" in calm.ctl("resume", "--hold", "99").stdout
    assert calm.ctl("resume", "--all").returncode == DONE
    assert calm.status("bravo")["state"] == "held"


def test_hold_of_all_covers_who_comes_later(calm):
    """A hold survives a kill, too: the journal had it before the command returned."""
    assert calm.ctl("hold", "--all", *LONG, "change freeze").returncode == DONE
    calm.daemons[-1].kill()
    calm.account("charlie")
    calm.start()
    calm.wait_adopted("charlie")
    assert calm.log.wait("account.held", account="charlie")["hold"] == 1
    assert calm.status("charlie")["holds"][0]["reason"] == "change freeze"
    assert calm.ctl("resume", "charlie").returncode == DONE
    assert calm.status("charlie")["state"] == "held"
    assert calm.ctl("resume", "--all").stdout.startswith("1 hold ended")
    calm.log.wait("account.released", account="charlie")


def test_what_unblock_may_not_clear(site, azure):
    """Refused where a person has to name the key in use; the answer names the command for that."""
    site.policy(rotate_every="30d", check_every="1s")
    site.account("silent", active=None)
    site.account("fine")
    site.start()
    site.wait_adopted("fine")
    site.log.wait("account.blocked", account="silent", reason="active_key_unknown")
    refused = site.ctl("unblock", "Silent")
    assert refused.returncode == REFUSED
    assert " adopt Silent --active primary`" in refused.stderr
    assert site.status("silent")["reason"] == "active_key_unknown"
    well = site.ctl("unblock", "fine")
    assert well.returncode == DONE and "not blocked" in well.stdout
    assert site.ctl("unblock", "--all").returncode == USAGE
    azure.delete("fine")
    assert site.ctl("check", "fine").returncode == DONE
    site.log.wait("account.blocked", account="fine", reason="account_not_found")
    by_itself = site.ctl("unblock", "fine")
    assert by_itself.returncode == REFUSED and "check fine`" in by_itself.stderr


def test_check_looks_now(calm, azure):
    """It also repairs what a look may repair, although the next check is far away."""
    calm.file("alpha").unlink()
    looks = len(azure.truth.requests("listKeys"))
    assert calm.ctl("check", "alpha").returncode == DONE
    wait_until(lambda: calm.holds("alpha") == "Primary", "the file is back")
    assert len(azure.truth.requests("listKeys")) > looks
    calm.file("bravo").unlink()
    every = calm.ctl("check", "--all")
    assert every.returncode == DONE and every.stdout.startswith("2 accounts are looked at now")
    wait_until(lambda: calm.holds("bravo") == "Primary", "the file is back")


def test_lines_that_make_no_sense(calm):
    for line in (["resume"], ["resume", "--all", "--hold", "1"], ["resume", "alpha", "--hold", "1"],
                 ["resume", "--hold", "one"], ["hold", "--list", "alpha"], ["hold", "--list", "--all"],
                 ["check"], ["unblock"]):
        assert calm.ctl(*line).returncode == USAGE, line


def test_adopt_file(site, azure, tmp_path):
    """A lost journal, many accounts: one file settles them, or nothing is sent."""
    names = ["ada", "ben", "cyd"]
    site.policy(rotate_every="30d", check_every="5m")
    for name in names:
        site.account(name, active=None)
    site.start()
    for name in names:
        site.log.wait("account.blocked", account=name, reason="active_key_unknown")
    listed = tmp_path / "slots"
    listed.write_text("# who uses what\nada primary\nben secondary\nnobody primary\ncyd both\n")
    refused = site.ctl("adopt", "--file", listed, "--yes")
    assert refused.returncode == USAGE and refused.stdout == ""
    assert f"{listed}:4: no account nobody is configured" in refused.stderr
    assert f'{listed}:5: cyd: "both" is neither primary nor secondary' in refused.stderr
    assert "nothing was sent" in refused.stderr
    assert all(site.status(name)["state"] == "blocked" for name in names)

    listed.write_text("ada primary\nben secondary\ncyd Primary\n")
    unconfirmed = site.ctl("adopt", "--file", listed)
    assert unconfirmed.returncode == USAGE and "--yes" in unconfirmed.stderr
    told = site.ctl("adopt", "--file", listed, "--yes")
    assert told.returncode == DONE, told
    assert [line.split(":")[0] for line in told.stdout.splitlines()] == names
    assert "ben: the secondary key becomes the active one" in told.stderr
    for name, slot in zip(names, ("Primary", "Secondary", "Primary")):
        assert site.log.wait("account.adopted", account=name)["slot"] == slot.lower()
        wait_until(lambda name=name, slot=slot: site.holds(name) == slot, f"{name} holds it")
    again = json.loads(site.ctl("--json", "adopt", "--file", listed, "--yes").stdout)
    assert [result["asked"] for result in again["results"]] == names
    assert site.ctl("adopt", "--file", tmp_path / "missing", "--yes").returncode == USAGE
    assert not azure.truth.requests("regenerateKeys")
