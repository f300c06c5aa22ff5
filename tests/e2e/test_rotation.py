"""The main job: keys rotate in turn, consumers hold a live one at every moment."""

import signal

import pytest

from daemon import EXIT_OK
from patience import seconds, stays_true, wait_until
from truth import alternates

ACCOUNTS = ("alpha", "bravo", "charlie")


@pytest.mark.long
def test_three_accounts_rotate_in_turn(site, azure):
    """Strictly Secondary, Primary, Secondary, …; every reader holds a live key at every moment, and
    a replaced key lives on for the overlap."""
    site.policy(rotate_every="3s", overlap="1s")
    for name in ACCOUNTS:
        site.account(name)
    daemon = site.start()
    site.wait_adopted(*ACCOUNTS)
    continuous = site.consumer(*ACCOUNTS)
    once_per_overlap = site.consumer(*ACCOUNTS, every=0.95)

    rotations = int(seconds(4, 19))
    for name in ACCOUNTS:
        site.wait_rotations(name, rotations, timeout=60 + 4 * rotations)
    assert daemon.stop() == EXIT_OK

    seen = site.verdict(continuous, overlap=1)
    site.verdict(once_per_overlap, overlap=1)
    for name in ACCOUNTS:
        slots = azure.truth.regenerated(name)
        assert len(slots) >= rotations and alternates(slots), slots
        times = azure.truth.regeneration_times(name)[:rotations]
        assert all(later - earlier >= 1 for earlier, later in zip(times, times[1:]))
        # Planned times count from planned times: lateness does not add up.
        assert abs((times[-1] - times[0]) - 3 * (rotations - 1)) < 2, times
        keys = [one for one in seen if one["file"] == str(site.file(name)) and one["key"]]
        assert len(keys) >= rotations, "the consumer saw the file change with every rotation"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_with_status_0(site, number):
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    assert daemon.stop(number) == EXIT_OK
    assert site.log.lines(event="daemon.stopping")
    assert not site.socket.exists()


def test_stops_in_the_middle_of_a_request(site, azure):
    """A request that hangs gets some time, and is abandoned; the next start continues from there."""
    site.account("alpha")
    azure.fault("hang", op="regenerateKeys", count=1)
    daemon = site.start()
    wait_until(lambda: azure.truth.requests("regenerateKeys"), "the request hangs")
    daemon.process.send_signal(signal.SIGTERM)
    site.log.wait("daemon.stopping")
    assert daemon.stop() == EXIT_OK  # a second signal cuts the grace short
    site.start()
    site.log.wait("rotation.resumed", account="alpha")
    site.wait_rotations("alpha", 1)
    assert alternates(azure.truth.regenerated("alpha"))


def test_begins_nothing_more_once_it_stops(site, azure):
    """The look before a rotation is under way when the daemon is asked to stop."""
    site.account("alpha")
    site.policy(rotate_every="30d", overlap="1s")
    daemon = site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "the overlap is over")
    azure.fault("delay", op="listKeys", count=1, delay_ms=60000)
    before = len(azure.truth.requests("listKeys"))
    assert site.ctl("rotate", "alpha").returncode == 0
    wait_until(lambda: len(azure.truth.requests("listKeys")) > before, "the look is under way")
    daemon.process.send_signal(signal.SIGTERM)
    site.log.wait("daemon.stopping")
    azure.release()
    assert daemon.wait() == EXIT_OK
    assert not site.log.lines(event="rotation.started")
    assert not azure.truth.regenerated("alpha")


def test_a_key_is_delivered_only_when_the_data_plane_accepts_it(site, azure):
    azure.settings(propagation_ms=1200)
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    consumer = site.consumer("alpha")
    site.wait_rotations("alpha", 2)
    site.verdict(consumer)
    assert site.log.wait("key.verified", account="alpha")


def test_all_targets_in_order_and_formats(site, azure):
    """Three formats; the second target gets its key after the first, the optional one too."""
    targets = site.config["targets"]
    targets["env"] = {"type": "file", "path": f"{site.keys}/{{account}}.env", "format": "env",
                      "mode": "0640"}
    targets["json"] = {"type": "file", "path": f"{site.keys}/{{account}}.json", "format": "json"}
    site.config["defaults"]["deliver_to"] = [
        "file", "env", {"target": "json", "required": False}]
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    site.azure.fault("lost_before", op="regenerateKeys")  # nothing changes while we look
    wait_until(lambda: site.holds("alpha") and
               all(site.held("alpha") in (site.keys / f"alpha.{kind}").read_text()
                   for kind in ("env", "json")), "all three hold the same key")
    environment = dict(line.split("=", 1)
                       for line in (site.keys / "alpha.env").read_text().splitlines())
    assert environment["AZURE_BATCH_ACCOUNT"] == "alpha"
    assert environment["AZURE_BATCH_ENDPOINT"] == \
        f"https://alpha.westeurope.batch.localhost:{azure.port}"
    assert (site.keys / "alpha.env").stat().st_mode & 0o7777 == 0o640
    assert site.file("alpha").stat().st_mode & 0o7777 == 0o600
    order = [line["target"].rsplit("/", 1)[1]
             for line in site.log.lines(event="key.delivered", account="alpha")]
    assert order[:3] == ["alpha", "alpha.env", "alpha.json"]


@pytest.mark.long
def test_a_rotation_waits_for_a_required_target(site, azure):
    """Both keys are frozen until every required target has the new one, restarts or not."""
    site.config["targets"]["second"] = {"type": "file",
                                        "path": f"{site.directory}/later/{{account}}"}
    (site.directory / "later").mkdir()
    site.config["defaults"]["deliver_to"] = ["file", "second"]
    site.account("alpha")
    azure.fault("delay", face="batch", delay_ms=1000)
    daemon = site.start()
    consumer = site.consumer("alpha")
    wait_until(lambda: azure.truth.regenerated("alpha"), "a key is regenerated")
    # The preflight is past, the new key is being verified: take the second target's place away.
    (site.directory / "later").rename(site.directory / "gone")
    failed = site.log.wait("delivery.failed", account="alpha")
    assert failed["reason"] == "target_failed" and failed["remedy"]
    assert "/later" in failed["msg"]
    daemon.kill()
    mark = site.log.mark()
    site.start()
    site.log.wait("rotation.resumed", since=mark, account="alpha")
    stays_true(lambda: azure.truth.regenerated("alpha") == ["Secondary"], 2.5, "the keys are frozen")
    (site.directory / "gone").rename(site.directory / "later")
    site.wait_rotations("alpha", 2, since=mark)
    assert alternates(azure.truth.regenerated("alpha"))
    site.verdict(consumer)


def saves_by_move(log):
    """For each move of the account: the saves that became durable from then until the next one, and
    how many of them it waited for."""
    moves = []
    for line in log.lines():
        if line["event"] == "rotation.moved":
            moves.append([line["msg"], 0, 0])
        elif line["event"] == "journal.saved" and moves:
            moves[-1][1] += 1
            moves[-1][2] += line["msg"] == "the account waited for it"
    return moves


def test_few_commits_are_waited_for(site):
    """Eight were waited for in a rotation with its settle look, two in a look for drift."""
    site.policy(rotate_every="4s", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 2)
    site.log.wait("rotation.started", since=site.log.mark())
    moves = saves_by_move(site.log)
    begin = next(i for i, move in enumerate(moves) if move[0] == "idle -> preflight")
    end = next(i for i in range(begin, len(moves)) if moves[i][0] == "check_look -> idle")
    rotation = moves[begin:end + 1]
    assert rotation[-2][0] == "idle -> check_look", "the settle look"
    assert sum(move[1] for move in rotation) <= 6, rotation
    assert sum(move[2] for move in rotation) == 3, "the intent, the delivery's, the completion"
    check = moves[end + 1:end + 3]
    assert [move[0] for move in check] == ["idle -> check_look", "check_look -> idle"]
    assert sum(move[1] for move in check) <= 1 and sum(move[2] for move in check) == 0, check
