"""keyrotatectl identify: whose key is this, and is it live?"""

import json
import os
import pty
import re
import select
import subprocess
import termios

from patience import wait_until

ACTIVE, NOT_DONE, UNREACHABLE, IDLE, DEAD, UNKNOWN, USAGE = 0, 1, 3, 4, 5, 6, 64
NO_KEY = "bm9ib2R5J3Mga2V5LCBidXQgb2YgdGhlIHJpZ2h0IGxlbmd0aCBhbmQgZm9ybSwgc28gdGhhdCBpdCBpcyA0"


def command(site, *arguments):
    return [site.build / "keyrotatectl", "--socket", site.socket, "identify", *arguments]


def identify(site, key, *arguments):
    return subprocess.run(command(site, *arguments), input=key, capture_output=True, timeout=60, check=False)


def told(site, key):
    """What is said of a key, which itself is shown nowhere."""
    done = identify(site, f"{key}\n".encode(), "--json")
    assert key.encode() not in done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert "salt" not in document and len(document["keys"]) == 1, document
    shown = identify(site, key.encode())
    assert shown.returncode == done.returncode and key.encode() not in shown.stdout + shown.stderr
    return done.returncode, document["keys"][0], shown.stdout.decode()


def steady(site):
    """An overlap of a second, so that commands may rotate, and a schedule that does not."""
    site.policy(rotate_every="30d", overlap="1s", splay="1s")
    site.account("alpha")
    site.account("beta")


def rotate(site, name):
    """A rotation by command; right after a start, or within the overlap, it is refused."""
    wait_until(lambda: site.ctl("rotate", name, "--wait").returncode == 0, "a rotation")


def test_a_key_from_its_birth_to_its_death(site, azure):
    steady(site)
    daemon = site.start()
    site.wait_adopted("alpha", "beta")
    before = azure.keys("alpha")
    code, key, shown = told(site, before["Primary"])
    assert (code, key["state"], key["account"], key["slot"]) == (ACTIVE, "active", "alpha", "primary")
    assert key["configured"] and key["adopted"] and key["path"] is None
    assert shown.endswith("/alpha: the primary key: live and in use\n"), shown
    code, key, _ = told(site, before["Secondary"])
    assert (code, key["state"], key["slot"]) == (IDLE, "idle", "secondary")
    assert told(site, azure.keys("beta")["Primary"])[1]["account"] == "beta"

    rotate(site, "alpha")
    code, key, shown = told(site, before["Secondary"])
    assert (code, key["state"], key["slot"]) == (DEAD, "dead", "secondary")
    born = site.status("alpha")["keys"]["secondary"]["born"]
    assert key["dead_since"] == born, "it died when its successor was made"
    assert re.search(r"/alpha: a former secondary key: dead since \S+Z ", shown), shown
    assert told(site, before["Primary"])[0] == IDLE
    assert told(site, azure.keys("alpha")["Secondary"])[0] == ACTIVE

    daemon.kill()
    site.start()
    site.wait_adopted("alpha", "beta")
    code, key, _ = told(site, before["Secondary"])
    assert (code, key["dead_since"]) == (DEAD, born), "a restart forgets nothing"
    rotate(site, "alpha")
    for slot in ("Primary", "Secondary"):
        assert told(site, before[slot])[1]["slot"] == slot.lower() and told(site, before[slot])[0] == DEAD
    assert not site.find_secrets(site.all_files(), more=before.values())


def test_a_change_that_is_not_confirmed_yet(site, azure):
    """Somebody else regenerated the idle key: both keys are told of as live until a second look."""
    steady(site)
    site.config["timing"]["unknown_wait"] = "1h"
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is well")
    before = azure.keys("alpha")["Secondary"]
    azure.regenerate("alpha", "Secondary")
    assert site.ctl("check", "alpha").returncode == 0
    site.log.wait("drift.suspected", account="alpha")
    for key in (before, azure.keys("alpha")["Secondary"]):
        code, told_of, shown = told(site, key)
        assert (code, told_of["slot"], told_of["unconfirmed"]) == (IDLE, "secondary", True), told_of
        assert "a second look has to confirm" in shown
    code, told_of, _ = told(site, azure.keys("alpha")["Primary"])
    assert (code, told_of["unconfirmed"]) == (ACTIVE, False)


def test_what_the_journal_remembers_of_an_account_that_left(site, azure):
    steady(site)
    site.start()
    site.wait_adopted("alpha", "beta")
    keys = azure.keys("alpha")
    site.forget("alpha")
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: told(site, keys["Primary"])[1]["configured"] is False, "the account has left")
    code, key, shown = told(site, keys["Primary"])
    assert code == ACTIVE and key["account"] == "alpha" and key["slot"] == "primary"
    assert "no longer in the configuration" in shown


def test_input_that_is_no_key(site):
    steady(site)
    site.start()
    site.wait_adopted("alpha")
    assert told(site, NO_KEY)[0] == UNKNOWN
    for text in (b"", b"\n", b"\r\n", b"x" * 2000, b"x" * 200000):
        done = identify(site, text)
        assert done.returncode == USAGE and b"standard input" in done.stderr, done
    for text in (b"\0\xff\xfe", b"two words\n"):
        assert identify(site, text).returncode == UNKNOWN
    assert b"it is more than a key" in identify(site, b"two words\n").stdout
    refused = identify(site, b"", NO_KEY)
    assert refused.returncode == USAGE and NO_KEY.encode() not in refused.stderr


def test_line_ends_of_every_kind(site, azure):
    steady(site)
    site.start()
    site.wait_adopted("alpha")
    key = azure.keys("alpha")["Primary"].encode()
    for end in (b"", b"\n", b"\r\n"):
        assert identify(site, key + end).returncode == ACTIVE
    for end in (b"\n\n", b" ", b"\r"):
        assert identify(site, key + end).returncode == UNKNOWN


def test_scan(site, azure):
    """Several keys in several files in one run; links are not followed, and what is not there is told of.
    Right after the adoption there may be an overlap, which has a line of its own."""
    steady(site)
    site.start()
    site.wait_adopted("alpha", "beta")
    alpha, beta = azure.keys("alpha"), azure.keys("beta")
    place = site.directory / "found"
    (place / "deep").mkdir(parents=True)
    (place / "app.env").write_text(f"KEY='{alpha['Secondary']}'\nOTHER={NO_KEY}\n")
    (place / "deep/app.json").write_text(json.dumps({"a": alpha["Primary"], "b": {"c": beta["Secondary"]}}))
    (place / "link").symlink_to(site.file("beta"))
    (place / "dangling").symlink_to("nowhere")
    done = identify(site, b"", "--scan", str(place))
    lines = [line for line in done.stdout.decode().splitlines() if "consumers that" not in line]
    assert done.returncode == ACTIVE and not done.stderr, done
    assert lines[0] == f"{place}/app.env" and lines[1].endswith("/alpha: the secondary key: live and idle")
    assert lines[2] == f"{place}/deep/app.json" and len(lines) == 6
    assert {line.split("/")[1].split(": live")[0] for line in lines[3:5]} == \
        {"alpha: the primary key", "beta: the secondary key"}
    assert lines[5] == "3 keys in 2 of 2 files"
    for key in (*alpha.values(), *beta.values(), NO_KEY):
        assert key not in done.stdout.decode()

    assert identify(site, b"", "--scan", f"{place}/app.env", "--json").returncode == IDLE
    missing = identify(site, b"", "--scan", f"{place}/none")
    assert missing.returncode == NOT_DONE and b"not read: No such file" in missing.stderr
    document = json.loads(identify(site, b"", "--json", "--scan", str(place), f"{place}/none").stdout)
    assert not document["whole"] and document["files"] == 2 and len(document["keys"]) == 3
    assert document["skipped"] == [{"path": f"{place}/none", "why": "No such file or directory"}]


def test_many_texts_that_are_no_keys(site, azure):
    """More texts than one question takes; the key among them is found."""
    steady(site)
    site.start()
    site.wait_adopted("alpha")
    text = "\n".join(os.urandom(64).hex() + "A" for _ in range(500))
    (site.directory / "many").write_text(f"{text}\n{azure.keys('alpha')['Primary']}\n{text}\n")
    done = identify(site, b"", "--scan", str(site.directory / "many"))
    assert done.returncode == ACTIVE and done.stdout.endswith(b"1 key in 1 of 1 file\n"), done


def test_a_terminal_does_not_show_the_key(site, azure):
    steady(site)
    site.start()
    site.wait_adopted("alpha")
    key = azure.keys("alpha")["Primary"]
    ours, theirs = pty.openpty()
    program = subprocess.Popen(command(site), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert program.stderr.read(5) == b"Paste"
    assert not termios.tcgetattr(theirs)[3] & termios.ECHO
    os.write(ours, f"{key}\n".encode())
    out, _ = program.communicate(timeout=60)
    assert program.returncode == ACTIVE and b"live and in use" in out
    assert termios.tcgetattr(theirs)[3] & termios.ECHO
    echoed = os.read(ours, 4096) if select.select([ours], [], [], 0)[0] else b""
    assert key.encode() not in echoed
    os.close(ours)
    os.close(theirs)


def test_no_daemon(site):
    site.policy()
    assert identify(site, b"key\n").returncode == UNREACHABLE
