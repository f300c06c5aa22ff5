"""The judge: holds what the users saw and what the stand-in wrote down against the guarantees.

Every function returns sentences that say what is wrong, or nothing.
"""

import contextlib
import pathlib
import sqlite3
from dataclasses import dataclass

from consumer import TOLERANCE, judge
from truth import alternates
from users import LAZY

REFUSED = (401, 403)
# A request that was on its way when its sender died is carried out within this time, or the machine
# is too slow for the daemon's timing here.
ON_ITS_WAY = 0.25


@dataclass
class Guarantees:
    """What the daemon was configured with."""

    overlap: float
    unknown_wait: float
    operation: float = 0  # how long a regenerate goes on after its answer


def outages(watched, held, truth, guarantees):
    """Dead keys, keys that never lived, and keys that do not live yet, in anybody's hands who reads
    again within `overlap`."""
    diligent = [one for one in held if one["habit"] != LAZY]
    return judge(watched + [as_sighting(one) for one in diligent], truth, guarantees.overlap) \
        + [sentence for one in diligent for sentence in refusals(one, truth, guarantees.overlap)]


def as_sighting(one):
    return {"file": one["file"], "key": one["key"], "first": one["had_at"], "last": one["read_at"],
            "seen_before": True}


def refusals(one, truth, keeps):
    """What Azure said to somebody who used a key that may be kept for so long."""
    if one["answered_at"] > one["read_at"] + keeps:
        return []  # the machine was slow: this one did not read again in time
    who = f"a {one['habit']} user of {one['account']}"
    if one["status"] in REFUSED:
        life = truth.lives().get(one["key"])
        if life and life.died_by == "foreign":
            return []
        return [f"{who} was refused ({one['status']}) with a key that was read "
                f"{one['used_at'] - one['read_at']:.3f} s before"]
    if one["status"] != 200:
        return [f"{who} got {one['status']}"]
    return []


def late(held, overlap):
    """How often somebody did not read again in time, because the machine was slow."""
    return sum(one["habit"] != LAZY and one["answered_at"] - one["read_at"] > overlap
               for one in held)


def lazy_refused(held):
    """How often the users who read too seldom were refused."""
    return sum(one["habit"] == LAZY and one["status"] in REFUSED for one in held)


def broken_rules(truth, accounts, lives, guarantees):
    """`lives`: (start, end) of every run of the daemon, in order; the last may have no end."""
    wrong = []
    for account in accounts:
        births = truth.events("birth", account=account, by="arm")
        slots = [birth["slot"] for birth in births]
        if not alternates(slots):
            wrong.append(f"{account}: not only the standby key was regenerated: {' '.join(slots)}")
        for before, after in zip(births, births[1:]):
            apart = made_at(after) - made_at(before)
            if apart < guarantees.overlap - TOLERANCE:
                wrong.append(f"{account}: both keys were regenerated within {apart:.3f} s, at "
                             f"{after['t']:.3f}")
        wrong += looks_missing(truth, account)
        wrong += [sentence for birth in births
                  for sentence in too_soon(account, birth, lives, guarantees)]
    return wrong


def made_at(birth):
    """An operation that has ended is noticed with the next request."""
    return min(birth["t"], birth["effective_at"])


def forgotten_operations(truth, accounts, lives):
    """An operation that was asked about while it ran stands in the journal: a later life of the daemon asks about it
    before it regenerates anything there."""
    wrong = []
    for account in accounts:
        ends = [made_at(birth) for birth in truth.events("birth", account=account, by="arm")]
        asked_for, known = None, None  # the last request for a key, and a poll that was told that it goes on
        for request in truth.events("request", face="arm", account=account):
            if request["op"] == "poll" and request["status"] == 200:
                ended = any(asked_for["t"] <= end <= request["t"] for end in ends)
                known = None if ended else request
            elif request["op"] == "regenerateKeys":
                if known and any(known["t"] < start <= request["t"] for start, _ in lives):
                    wrong.append(f"{account}: regenerated at {request['t']:.3f}, and never asked again about the "
                                 f"operation that ran at {known['t']:.3f}")
                asked_for, known = request, None
    return wrong


def unconfirmed(truth, accounts, asked):
    """Nothing is regenerated on the word of a rule alone. `asked`: when a person confirmed it."""
    return [f"{account}: regenerated at {birth['t']:.3f}, before anybody confirmed its active key"
            for account in accounts
            for birth in truth.events("birth", account=account, by="arm")
            if account not in asked or birth["t"] < asked[account]]


def looks_missing(truth, account):
    """A look precedes every request to regenerate."""
    wrong = []
    looked = False
    for request in truth.events("request", face="arm", account=account):
        if request["op"] == "listKeys" and request["status"] == 200:
            looked = True
        elif request["op"] == "regenerateKeys":
            if not looked:
                wrong.append(f"{account}: regenerated at {request['t']:.3f} without a look before")
            looked = False
    return wrong


def too_soon(account, birth, lives, guarantees):
    """Nothing is regenerated within unknown_wait of a start; and when no daemon runs, nothing but
    what the last one had sent already."""
    born = made_at(birth)
    before = [life for life in lives if life[0] <= born]
    if not before:
        return [f"{account}: regenerated at {born:.3f}, before any daemon was started"]
    start, end = before[-1]
    on_its_way = ON_ITS_WAY + guarantees.operation
    if end is not None and born > end + on_its_way:
        return [f"{account}: regenerated {born - end:.3f} s after the end of the last "
                "daemon; if none of them did it, this machine is too slow for the timing here"]
    from_before = len(before) > 1 and born <= before[-2][1] + on_its_way
    if born < start + guarantees.unknown_wait - TOLERANCE and not from_before:
        return [f"{account}: regenerated {born - start:.3f} s after a start"]
    return []


def journal_wrong(directory, truth, accounts):
    """After a clean end: the journal is alone in its directory, sound, and knows of every key."""
    wrong = []
    names = sorted(path.name for path in pathlib.Path(directory).iterdir())
    if names != ["journal.db"]:
        wrong.append(f"the journal's directory holds {names}")
    cycles = {}
    try:
        with contextlib.closing(
                sqlite3.connect(f"file:{directory}/journal.db?mode=ro", uri=True)) as database:
            answer = database.execute("PRAGMA integrity_check").fetchall()
            if answer != [("ok",)]:
                wrong.append(f"integrity_check of the journal: {answer}")
            if database.execute("PRAGMA foreign_key_check").fetchall():
                wrong.append("foreign_key_check of the journal finds rows without an account")
            cycles = {account.rsplit("/", 1)[-1]: cycle for account, cycle in
                      database.execute("SELECT account, cycle FROM accounts")}
    except sqlite3.Error as error:
        wrong.append(f"the journal cannot be read: {error}")
    for account in accounts:
        regenerated = len(truth.regenerated(account))
        # A rotation that has begun has a number, and perhaps a key already.
        if not cycles.get(account, -1) - 1 <= regenerated <= cycles.get(account, -1):
            wrong.append(f"{account}: {regenerated} keys were regenerated, the journal knows of "
                         f"{cycles.get(account)} rotations")
    return wrong


def leftovers(directory):
    """Temporary files hold keys: the next delivery removes what a crash left."""
    return [f"{path} was left behind" for path in pathlib.Path(directory).glob(".*")]

