"""The world changes behind the daemon's back: other rotators, overwritten files, old journals."""

import shutil

import pytest

from daemon import EXIT_OK
from patience import LONG, stays_true, wait_until
from stand_in import resource_id
from truth import alternates


@pytest.fixture
def calm(site):
    """Looks for drift often, and rotates only long after the test."""
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    return site


def test_active_key_regenerated_by_somebody_else(calm, azure):
    """Delivered again within check_every; a proof at the data plane replaces the second look."""
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    consumer = calm.consumer("alpha")
    azure.regenerate("alpha", "Primary")
    detected = calm.log.wait("drift.detected", account="alpha")
    assert detected["reason"] == "active_changed"
    wait_until(lambda: calm.holds("alpha") == "Primary", "the live key is delivered")
    repaired = calm.log.wait("drift.repaired", account="alpha")
    assert repaired["slot"] == "primary"
    calm.verdict(consumer)
    assert not azure.truth.regenerated("alpha"), "it was repaired by delivering alone"


def test_repair_passes_a_target_that_fails(calm, azure):
    """The first target's directory is gone: the second one gets the live key all the same."""
    gone = calm.directory / "gone"
    gone.mkdir()
    calm.config["targets"]["batch"] = {"type": "file", "path": f"{gone}/{{account}}"}
    calm.account("alpha", deliver_to=["batch", "file"])
    calm.start()
    calm.wait_adopted("alpha")
    wait_until(lambda: calm.holds("alpha") == "Primary", "it is delivered")
    shutil.rmtree(gone)
    mark = calm.log.mark()
    azure.regenerate("alpha", "Primary")
    risk = calm.log.wait("consumers.at_risk", since=mark, account="alpha")
    assert risk["level"] == "error" and risk["since"] and "file" in risk["target"]
    wait_until(lambda: calm.holds("alpha") == "Primary", "the live key is delivered")
    calm.log.wait("delivery.failed", since=mark, account="alpha")  # of the other one
    gone.mkdir()
    wait_until(lambda: (gone / "alpha").exists(), "the other one gets it, too")
    calm.log.wait("consumers.safe", since=mark, account="alpha")
    assert not azure.truth.regenerated("alpha")


def test_both_keys_regenerated_by_somebody_else(calm, azure):
    """The file holds what it was given, and that is dead: it gets the live key, and a rotation has to
    wait, because somebody else may be using the other key."""
    calm.account("alpha")
    daemon = calm.start()
    calm.wait_adopted("alpha")
    daemon.stop()
    azure.regenerate("alpha", "Primary")
    azure.regenerate("alpha", "Secondary")
    calm.start()
    assert calm.log.wait("drift.detected", account="alpha")["reason"] == "active_changed"
    wait_until(lambda: calm.holds("alpha") == "Primary", "the live key is delivered")
    calm.log.wait("consumers.safe", account="alpha")
    assert not calm.log.lines(event="account.blocked")
    refused = calm.ctl("rotate", "alpha")
    assert refused.returncode == 2 and "somebody else regenerated both keys" in (
        refused.stdout + refused.stderr)
    assert not azure.truth.regenerated("alpha")


def test_at_risk_whatever_else_is_unclear(calm, azure):
    """Blocked as journal_behind, and yet the file holds a dead key."""
    calm.config["targets"]["copy"] = {"type": "file", "path": f"{calm.directory}/copy-{{account}}"}
    calm.account("alpha", deliver_to=["file", {"target": "copy", "required": False}])
    daemon = calm.start()
    calm.wait_adopted("alpha")
    daemon.stop()
    azure.regenerate("alpha", "Primary")
    azure.regenerate("alpha", "Secondary")
    (calm.directory / "copy-alpha").write_text(azure.keys("alpha")["Secondary"] + "\n")
    calm.start()
    assert calm.log.wait("account.blocked", account="alpha")["reason"] == "journal_behind"
    calm.log.wait("consumers.at_risk", account="alpha")
    seen = calm.status("alpha")
    assert seen["state"] == "blocked" and seen["consumers_at_risk"] is True


def test_on_drift_alert_delivers_only_when_told(calm, azure):
    calm.policy(on_drift="alert")
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    azure.regenerate("alpha", "Primary")
    calm.log.wait("drift.detected", account="alpha")
    stays_true(lambda: calm.holds("alpha") is None, 2.5, "nothing is delivered")
    seen = calm.status("alpha")
    assert seen["consumers_at_risk"] is True
    risk = calm.log.wait("consumers.at_risk", account="alpha")
    assert risk["reason"] == "redeliver_awaited" and "redeliver alpha" in risk["remedy"]
    assert seen["state"] == "blocked" and seen["reason"] == "redeliver_awaited"
    told = calm.ctl("status")
    assert told.returncode == 2 and "do: run `keyrotatectl" in told.stdout, told
    command = seen["do"].split("`")[1].split()
    assert calm.ctl(*command[1:]).returncode == 0
    wait_until(lambda: calm.holds("alpha") == "Primary", "the live key is delivered")


def test_alert_names_every_dead_target(calm, azure):
    calm.policy(on_drift="alert")
    calm.config["targets"]["copy"] = {"type": "file", "path": f"{calm.keys}/copy-{{account}}"}
    calm.account("alpha", deliver_to=["file", "copy"])
    calm.start()
    calm.wait_adopted("alpha")
    azure.regenerate("alpha", "Primary")
    risk = calm.log.wait("consumers.at_risk", account="alpha")
    assert "/copy-alpha hold a dead key" in risk["msg"], risk
    assert str(calm.file("alpha")) in risk["msg"]


def test_lost_file_is_being_confirmed(site, azure):
    """No key changed: status and log say what was seen, and what decides. The operator need not
    wait for it."""
    site.policy(rotate_every="30d", overlap="1s", check_every="10m")
    site.config["timing"]["unknown_wait"] = "1h"
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is well")
    assert site.ctl("check", "alpha").returncode == 0
    wait_until(lambda: "everything as expected" in site.ctl("status", "alpha").stdout, "it was looked at")
    looked_at = site.status("alpha")["looked_at"]
    site.file("alpha").unlink()
    assert site.ctl("check", "alpha").returncode == 0
    suspected = site.log.wait("drift.suspected", account="alpha")
    assert suspected["level"] == "notice" and suspected["reason"] == "target_changed"
    assert suspected["retry_at"] and "redeliver alpha" in suspected["remedy"]
    seen = site.status("alpha")
    assert (seen["state"], seen["reason"]) == ("retrying", "being_confirmed")
    assert "holds nothing" in seen["meaning"] and seen["retry_at"] == suspected["retry_at"]
    assert seen["looked_at"] > looked_at and seen["as_recorded"] is False
    command = seen["do"].split("`")[1].split()
    redelivered = site.ctl(*command[1:])
    assert redelivered.returncode == 0 and "status alpha` shows the result" in redelivered.stdout
    wait_until(lambda: site.holds("alpha") == "Primary", "the file is back")
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is well again")
    assert not site.log.lines(event="drift.detected")


def test_delivery_ends_what_was_said_of_the_target(site, azure):
    """A directory stands where the file was: status tells why it cannot be read, until it can."""
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    site.file("alpha").unlink()
    site.file("alpha").mkdir()
    wait_until(lambda: site.status("alpha")["failure"], "it cannot be read")
    site.file("alpha").rmdir()
    assert site.ctl("redeliver", "alpha").returncode == 0
    wait_until(lambda: site.holds("alpha") == "Primary", "the file is back")
    wait_until(lambda: site.status("alpha")["failure"] is None, "nothing fails any more")


def test_standby_key_regenerated_by_somebody_else(site, azure):
    """Somebody may be using it: not regenerated for an overlap, then the rotation goes on."""
    site.policy(rotate_every="4s", overlap="3s", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    consumer = site.consumer("alpha")
    azure.regenerate("alpha", "Secondary")
    assert site.log.wait("drift.detected", account="alpha")["reason"] == "standby_changed"
    site.wait_rotations("alpha", 1)
    foreign = azure.truth.regeneration_times("alpha", by="foreign")[0]
    ours = azure.truth.regeneration_times("alpha")[0]
    assert ours - foreign >= 3
    assert azure.truth.regenerated("alpha")[0] == "Secondary"
    site.verdict(consumer, overlap=3)


def test_second_foreign_change_means_another_rotator(calm, azure):
    """Blocked, because two rotators must not fight. `unblock` clears the block, and resume does not."""
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    azure.regenerate("alpha", "Secondary")
    calm.log.wait("drift.detected", account="alpha")
    azure.regenerate("alpha", "Secondary")
    blocked = calm.log.wait("account.blocked", account="alpha")
    assert blocked["reason"] == "another_rotator" and "unblock" in blocked["remedy"]
    refused = calm.ctl("rotate", "alpha")
    assert refused.returncode == 2
    assert not azure.truth.regenerated("alpha")
    assert calm.ctl("status").returncode == 2
    assert calm.ctl("resume", "alpha").returncode == 0
    assert calm.ctl("resume", "--all").returncode == 0
    assert calm.status("alpha")["reason"] == "another_rotator"
    assert calm.ctl("unblock", "alpha").returncode == 0
    unblocked = calm.log.wait("account.unblocked", account="alpha")
    assert unblocked["reason"] == "another_rotator" and "remedy" not in unblocked
    wait_until(lambda: calm.ctl("rotate", "alpha").returncode == 0, "a rotation is accepted")
    calm.wait_rotations("alpha", 1)


def test_another_rotator_and_a_dead_key_both_stand_in_status(calm, azure):
    calm.policy(on_drift="alert")
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    for _ in range(2):
        mark = calm.log.mark()
        azure.regenerate("alpha", "Secondary")
        calm.log.wait("drift.detected", since=mark, account="alpha")
    calm.log.wait("account.blocked", account="alpha", reason="another_rotator")
    azure.regenerate("alpha", "Primary")
    wait_until(lambda: calm.status("alpha")["consumers_at_risk"], "the file's key is dead")
    told = calm.ctl("status").stdout
    assert told.index("CONSUMERS AT RISK, blocked: another_rotator") < \
        told.index("holds a dead key") < told.index("unblock"), told
    assert calm.status("alpha")["targets"][0]["dead_since"]


def test_two_daemons_with_journals_of_their_own(install, azure):
    """The slower one sees two foreign changes in one rotation, and gives way instead of killing the
    other's keys for ever; its consumers still get live keys."""
    slow, fast = install(), install()
    slow.policy(rotate_every="6s", check_every="500ms")
    fast.policy(rotate_every="2s", check_every="500ms")
    for site in (slow, fast):
        site.account("alpha", create=site is slow)
        site.start()
        site.wait_adopted("alpha")
    slow.log.wait("account.blocked", account="alpha", reason="another_rotator", timeout=90)
    count = len(slow.log.lines(event="key.regenerated"))
    mark = fast.log.mark()
    wait_until(lambda: fast.completed("alpha", mark) or
               fast.log.lines(event="account.blocked", reason="another_rotator"),
               "the other one rotates, or gives way too")
    wait_until(lambda: slow.holds("alpha") and fast.holds("alpha"), "both files hold a live key")
    assert len(slow.log.lines(event="key.regenerated")) == count


def test_rotated_elsewhere_and_delivered(calm, azure):
    """Somebody regenerated the standby key and put it into the file: accepted as it is."""
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    azure.regenerate("alpha", "Secondary")
    calm.put("alpha", azure.keys("alpha")["Secondary"])
    detected = calm.log.wait("drift.detected", account="alpha", reason="rotated_elsewhere")
    assert detected["slot"] == "secondary"
    wait_until(lambda: calm.status("alpha")["active"] == "secondary", "the secondary is active")
    assert calm.holds("alpha") == "Secondary"


def test_overwritten_targets(site, azure):
    """Each is given its key again, nothing else happens, and rotation goes on in turn."""
    site.policy(rotate_every="6s", check_every="1s")
    contents = ("garbage", "deadkey", "standbykey", "nothing", "emptied")
    dead = {}
    for name in contents:
        site.account(name)
        dead[name] = azure.keys(name)["Primary"]
        azure.regenerate(name, "Primary")
    site.start()
    site.wait_adopted(*contents)
    site.put("garbage", "somebody wrote this by hand")
    site.put("deadkey", dead["deadkey"])
    site.put("standbykey", azure.keys("standbykey")["Secondary"])
    site.file("nothing").unlink()
    site.put("emptied", "")
    for name in contents:
        detected = site.log.wait("drift.detected", account=name)
        assert detected["reason"] == "target_changed", detected
        site.log.wait("drift.repaired", account=name)
        site.wait_rotations(name, 1)
        assert alternates(azure.truth.regenerated(name))


def test_shared_key_switched_off_and_on(site, azure):
    """Blocked, and back by itself; other accounts do not notice."""
    site.account("alpha")
    site.account("bravo")
    site.start()
    site.wait_rotations("alpha", 1)
    consumer = site.consumer("alpha", "bravo")
    azure.change("alpha", allowed_authentication_modes=["AAD"])
    blocked = site.log.wait("account.blocked", account="alpha")
    assert blocked["reason"] == "shared_key_disabled"
    assert "allowedAuthenticationModes" in blocked["remedy"]
    mark = site.log.mark()
    slots = azure.truth.regenerated("alpha")
    site.wait_rotations("bravo", 1, since=mark)
    assert azure.truth.regenerated("alpha") == slots
    azure.change("alpha", allowed_authentication_modes=["SharedKey", "AAD"])
    site.log.wait("account.unblocked", since=mark, account="alpha")
    site.wait_rotations("alpha", 2, since=mark)
    assert alternates(azure.truth.regenerated("alpha"))
    site.verdict(consumer)


def test_user_subscription_mode_is_blocked(site, azure):
    azure.create("alpha", pool_allocation_mode="UserSubscription")
    site.account("alpha", create=False)
    site.start()
    blocked = site.log.wait("account.blocked", account="alpha")
    assert blocked["reason"] == "user_subscription_mode" and blocked["remedy"]


@pytest.mark.parametrize("behind", [1, 2, *([3, 4] if LONG else [])])
def test_restored_old_journal(site, azure, behind):
    """A journal that is some rotations old: evidence settles which key is active, no consumer holds
    a dead key, and rotation continues."""
    site.policy(rotate_every="2s", check_every="1s")
    site.config["targets"]["form"] = {"type": "file", "path": f"{site.keys}/{{account}}",
                                      "format": "json"}
    names = (site.account("alpha"), site.account("bravo", deliver_to=["form"]))
    daemon = site.start()
    for name in names:
        site.wait_rotations(name, 1)
    assert daemon.stop() == EXIT_OK
    shutil.copytree(site.state, site.directory / "backup")
    mark = site.log.mark()
    daemon = site.start()
    for name in names:
        site.wait_rotations(name, behind, since=mark)
    assert daemon.stop() == EXIT_OK

    shutil.rmtree(site.state)
    shutil.copytree(site.directory / "backup", site.state)
    done = {name: azure.truth.regenerated(name) for name in names}
    consumer = site.consumer(*names)
    mark = site.log.mark()
    site.start()
    for name in names:
        assert site.log.wait("drift.detected", since=mark, account=name)
        site.wait_rotations(name, 2, since=mark)
        # No block, no outage: everything went as with the right journal.
        assert alternates(azure.truth.regenerated(name)), (done[name], name)
    site.verdict(consumer)
    assert not site.log.lines(event="account.blocked")


def test_restored_old_journal_without_evidence(calm, azure):
    """Both live keys are unknown to the journal and no target gives evidence: a person is asked.
    adopt_active describes the first day, and is no evidence later."""
    calm.account("alpha")
    daemon = calm.start()
    calm.wait_adopted("alpha")
    daemon.stop()
    azure.regenerate("alpha", "Primary")
    azure.regenerate("alpha", "Secondary")
    calm.file("alpha").unlink()
    mark = calm.log.mark()
    calm.start()
    blocked = calm.log.wait("account.blocked", since=mark, account="alpha")
    assert blocked["reason"] == "journal_behind" and "adopt" in blocked["remedy"]
    stays_true(lambda: calm.held("alpha") is None, 2.5, "nothing is delivered")
    assert calm.ctl("adopt", "alpha", "--active", "secondary", "--yes").returncode == 0
    wait_until(lambda: calm.holds("alpha") == "Secondary", "the key is delivered")


def test_journal_lost_altogether(site, azure):
    """The account is adopted anew, by what the file holds, and rotation goes on in turn."""
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    daemon.stop()
    count = len(azure.truth.regenerated("alpha"))
    held = site.holds("alpha")
    shutil.rmtree(site.state)
    site.config["accounts"] = [{"id": resource_id("alpha"), "adopt_active": held.lower()}]
    consumer = site.consumer("alpha")
    mark = site.log.mark()
    site.start()
    site.log.wait("journal.created", since=mark)
    adopted = site.log.wait("account.adopted", since=mark, account="alpha")
    assert adopted["slot"] == held.lower()
    site.wait_rotations("alpha", 2, since=mark)
    slots = azure.truth.regenerated("alpha")[count:]
    assert slots[0] != held and alternates(slots, first=slots[0])
    site.verdict(consumer)


def test_mode_is_corrected_in_place_and_left_the_third_time(calm, azure):
    """Corrected twice within a day, then reported. No key is delivered for it."""
    calm.config["targets"]["file"]["mode"] = "0640"
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    calm.log.wait("key.delivered", account="alpha")
    before = calm.file("alpha").stat()
    deliveries = len(calm.log.lines(event="key.delivered", account="alpha"))
    for times in (1, 2):
        calm.file("alpha").chmod(0o604)
        wait_until(lambda: len(calm.log.lines(event="drift.repaired", account="alpha")) == times,
                   "the correction is logged")
        assert calm.file("alpha").stat().st_mode & 0o7777 == 0o640
    repaired = calm.log.lines(event="drift.repaired", account="alpha")[0]
    assert repaired["reason"] == "target_form_changed"
    assert "its mode was 0604, not 0640: corrected in place" in repaired["msg"]

    calm.file("alpha").chmod(0o604)
    left = calm.log.wait("drift.detected", account="alpha")
    assert "its mode is 0604, not 0640: left unchanged" in left["msg"]
    stays_true(lambda: calm.file("alpha").stat().st_mode & 0o7777 == 0o604, 2.5, "it is left")
    assert len(calm.log.lines(event="drift.detected", account="alpha")) == 1, "it is told once"
    assert "its mode is 0604, not 0640" in calm.ctl("status", "alpha").stdout
    assert calm.file("alpha").stat().st_ino == before.st_ino
    assert len(calm.log.lines(event="key.delivered", account="alpha")) == deliveries

    command = left["remedy"].split("`")[1]
    assert calm.ctl(*command.split()[1:]).returncode == 0
    wait_until(lambda: calm.file("alpha").stat().st_mode & 0o7777 == 0o640, "the remedy works")
    assert calm.file("alpha").stat().st_ino == before.st_ino


def test_mode_is_only_told_where_drift_is(calm, azure):
    calm.policy(on_drift="alert")
    calm.config["targets"]["file"]["mode"] = "0640"
    calm.account("alpha")
    calm.start()
    calm.wait_adopted("alpha")
    calm.file("alpha").chmod(0o604)
    told = calm.log.wait("drift.detected", account="alpha")
    assert told["msg"].endswith("its mode is 0604, not 0640")
    stays_true(lambda: calm.file("alpha").stat().st_mode & 0o7777 == 0o604, 2.5, "it is left")
