"""Can the judge convict? It is shown an honest world, which it must acquit, and the same one with
one thing forged in it at a time, each of which it must notice; and users of a real daemon who read
too seldom."""

import copy
import json
import pathlib
import sqlite3
import tempfile

import verdict
from follower import Follower
from truth import Truth
from users import LAZY
from world import Traits, World

GUARANTEES = verdict.Guarantees(overlap=0.6, unknown_wait=0.5)
FOLLOWED = [{"time": "-", "level": "notice", "event": "daemon.started", "msg": "-"},
            {"time": "-", "level": "debug", "event": "rotation.moved", "msg": "idle -> preflight",
             "account": "forged"}]


def key(letter):
    return letter * 86 + "=="


def birth(t, slot, letter, by="arm"):
    return {"t": t, "event": "birth", "account": "forged", "slot": slot, "key": key(letter),
            "by": by, "effective_at": t}


def death(t, slot, letter):
    return {"t": t, "event": "death", "account": "forged", "slot": slot, "key": key(letter),
            "by": "arm", "effective_at": t}


def request(t, op):
    return {"t": t, "event": "request", "face": "arm", "account": "forged", "op": op, "status": 200}


def sighting(letter, first, last):
    return {"file": "forged", "key": key(letter), "first": first, "last": last, "reads": 1,
            "seen_before": True}


class Case:
    """Two rotations that went well."""

    def __init__(self):
        self.truth = [
            birth(100, "Primary", "A", "create"), birth(100, "Secondary", "B", "create"),
            request(109.9, "listKeys"), request(110, "regenerateKeys"),
            birth(110, "Secondary", "C"), death(110, "Secondary", "B"),
            request(111.9, "listKeys"), request(112, "regenerateKeys"),
            birth(112, "Primary", "D"), death(112, "Primary", "A")]
        self.watched = [sighting("A", 101, 110.2), sighting("C", 110.2, 112.2),
                        sighting("D", 112.2, 113)]
        self.held = [{"habit": "last moment", "account": "forged", "file": "forged",
                      "key": key("A"), "read_at": 110.1, "had_at": 110.1, "used_at": 110.6,
                      "answered_at": 110.6, "status": 200}]
        self.lives = [(109.0, 113.0)]
        self.asked = {"forged": 109.5}
        self.journal = [("forged", 2)]
        self.damaged = False
        self.beside_journal = None
        self.beside_key = None
        self.log = copy.deepcopy(FOLLOWED)

    def judge(self, directory):
        (directory / "truth.jsonl").write_text("".join(json.dumps(event) + "\n"
                                                       for event in self.truth))
        truth = Truth(directory / "truth.jsonl")
        return (verdict.outages(self.watched, self.held, truth, GUARANTEES)
                + verdict.broken_rules(truth, ["forged"], self.lives, GUARANTEES)
                + verdict.forgotten_operations(truth, ["forged"], self.lives)
                + verdict.unconfirmed(truth, ["forged"], self.asked)
                + verdict.journal_wrong(self._write_journal(directory), truth, ["forged"])
                + verdict.leftovers(self._write_keys(directory)) + self._follow(directory))

    def _write_journal(self, directory):
        state = directory / "state"
        state.mkdir()
        database = sqlite3.connect(state / "journal.db")
        database.execute("CREATE TABLE accounts (account TEXT, cycle INTEGER)")
        database.executemany("INSERT INTO accounts VALUES (?, ?)", self.journal)
        database.execute("CREATE TABLE other AS SELECT * FROM accounts")
        database.commit()
        database.close()
        if self.damaged:
            with (state / "journal.db").open("r+b") as file:
                file.seek(2 * 4096 + 5)  # in the second table: where its cells begin
                file.write(b"\1\1")
        if self.beside_journal:
            (state / self.beside_journal).touch()
        return state

    def _write_keys(self, directory):
        keys = directory / "keys"
        keys.mkdir()
        (keys / "forged").touch()
        if self.beside_key:
            (keys / self.beside_key).touch()
        return keys

    def _follow(self, directory):
        log = directory / "log"
        log.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                               for line in self.log))
        follower = Follower(log, ["forged"])
        follower.poll()
        return follower.complaints


# --- one thing at a time: what is forged, the sentence that has to come of it, how it is forged ---

def _dead_in_file(case):
    case.watched[0]["last"] = 112.1


def _dies_within_overlap(case):
    case.watched[0]["last"] = 111.8


def _delivered_too_early(case):
    case.truth[4]["effective_at"] = 110.5


def _torn_file(case):
    case.watched[1]["key"] = key("C")[:40]


def _file_vanished(case):
    case.watched[1]["key"] = ""


def _refused(case):
    case.held[0]["status"] = 403


def _read_by_a_holder(case):
    case.held[0].update(read_at=111.9, had_at=111.9, used_at=112.3, answered_at=112.3)


def _no_answer(case):
    case.held[0]["status"] = 500


def _active_key_regenerated(case):
    case.truth[4]["slot"] = "Primary"


def _both_within_overlap(case):
    case.truth[4].update(t=111.6, effective_at=111.6)


def _forgotten_operation(case):
    """It goes on after the answer, and the daemon's first life asks about it."""
    case.truth[3:4] = [request(109.5, "regenerateKeys"), request(109.7, "poll")]
    case.lives = [(109.0, 109.8), (109.9, 113.0)]


def _no_look(case):
    case.truth[6]["op"] = "get"


def _look_that_failed(case):
    case.truth[6]["status"] = 500


def _right_after_a_start(case):
    case.lives = [(109.0, 110.5), (111.7, 113.0)]


def _by_nobody(case):
    case.lives = [(109.0, 111.0)]


def _before_the_first_start(case):
    case.lives = [(111.0, 113.0)]


def _before_anybody_confirmed(case):
    case.asked = {"forged": 110.5}


def _never_confirmed(case):
    case.asked = {}


def _account_left_care(case):
    case.log.append({"time": "-", "level": "notice", "event": "account.removed", "msg": "-"})


def _key_unknown_to_the_journal(case):
    case.journal = [("forged", 1)]


def _account_lost(case):
    case.journal = []


def _journal_damaged(case):
    case.damaged = True


def _journal_not_alone(case):
    case.beside_journal = "journal.db-journal"


def _key_left_behind(case):
    case.beside_key = ".forged.aB3dE6.tmp"


def _drift(case):
    case.log.append({"time": "-", "level": "warning", "event": "drift.detected", "msg": "-"})


def _error(case):
    case.log.append({"time": "-", "level": "error", "event": "daemon.stopping", "msg": "-"})


def _not_the_log(case):
    case.log.append("ERROR: AddressSanitizer: heap-use-after-free")


FORGED = (
    (_dead_in_file, "and it died"),
    (_dies_within_overlap, "and it died"),
    (_delivered_too_early, "before Azure accepted it"),
    (_torn_file, "never was a key"),
    (_file_vanished, "never was a key"),
    (_refused, "was refused"),
    (_read_by_a_holder, "and it died"),
    (_no_answer, "got 500"),
    (_active_key_regenerated, "not only the standby key"),
    (_both_within_overlap, "both keys were regenerated"),
    (_forgotten_operation, "never asked again about"),
    (_no_look, "without a look"),
    (_look_that_failed, "without a look"),
    (_right_after_a_start, "after a start"),
    (_by_nobody, "after the end of the last daemon"),
    (_before_the_first_start, "before any daemon"),
    (_before_anybody_confirmed, "before anybody confirmed"),
    (_never_confirmed, "before anybody confirmed"),
    (_account_left_care, "account.removed"),
    (_key_unknown_to_the_journal, "the journal knows of 1"),
    (_account_lost, "the journal knows of None"),
    (_journal_damaged, "integrity_check"),
    (_journal_not_alone, "directory holds"),
    (_key_left_behind, "was left behind"),
    (_drift, "drift.detected"),
    (_error, "daemon.stopping"),
    (_not_the_log, "the daemon wrote"),
)


def _judge_forged(forge=None):
    case = Case()
    if forge:
        forge(case)
    with tempfile.TemporaryDirectory() as directory:
        return case.judge(pathlib.Path(directory))


def judge_forged():
    """(name, what the judge missed or None) of each forged world."""
    wrong = _judge_forged()
    yield "honest", f"an honest world was convicted: {wrong}" if wrong else None
    for forge, expected in FORGED:
        wrong = _judge_forged(forge)
        missed = None
        if not any(expected in sentence for sentence in wrong):
            missed = f"no \"{expected}\" in {wrong}"
        yield forge.__name__.strip("_"), missed


# --- a real daemon, left in peace ---

def judge_real(build, disk):
    """The same of a real world: honest, with users who read too seldom, with a key in the log."""
    world = World(build, disk, "self-test", Traits(accounts=2, types=("search", "batch")))
    try:
        world.admit_users()
        world.start()
        world.must_rotate("with nobody killing anything", 5)
        world.terminate()
        world.find_peace()
        world.judge_remains()
        world.judge()
        wrong = list(world.report.wrong)
        yield "real, honest", f"convicted: {wrong}" if wrong else None

        lazy = [{**one, "habit": "moody"} for one in world.held if one["habit"] == LAZY]
        convicted = verdict.outages([], lazy, world.azure.truth, world.guarantees)
        refused = [sentence for one in lazy
                   for sentence in verdict.refusals(one, world.azure.truth, keeps=60)]
        yield ("real, users who read too seldom",
               None if any("was refused" in sentence for sentence in refused)
               else f"{len(lazy)} of their readings were acquitted: {convicted}")

        with world.site.log.path.open("a", encoding="ascii") as log:
            log.write(sorted(world.azure.truth.keys())[0] + "\n")
        world.scan()
        found = world.report.wrong != wrong
        world.report.wrong = wrong
        yield "real, a key in the log", None if found else "it was not found"
    finally:
        world.close()
