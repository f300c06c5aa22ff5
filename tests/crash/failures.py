"""Lives in which a system call fails, on the journal's directory or on that of the key files: the
first, the second, the third, …, until a life in which there is no k-th call."""

from dataclasses import dataclass

from calls import ANY, CHANGES, JOURNAL, KEYS, WRITES, CallPlan, FailingCalls
from daemon import EXIT_OK, EXIT_STATE
from patience import TIMEOUT
from trial import WHILE_FAILING
from world import Broken

# Longer than the journal's thread and a delivery wait before they try again.
LASTS = 0.6

WENT_ON = "went on"

# So that no world takes much longer than others.
LIVES_PER_WORLD, LASTING_PER_WORLD = 30, 12

_NAMES = {ANY: "call", WRITES: "write", CHANGES: "call that changes something"}


@dataclass(frozen=True)
class Series:
    """One kind of failure, at each call in turn; a short campaign takes every `short`-th."""

    place: str
    calls: str
    how: str
    lasts: bool
    short: int

    def __str__(self):
        return (f"{self.how} at the k-th {_NAMES[self.calls]}, {self.place}"
                f"{', and all after it' if self.lasts else ''}")


SERIES = (
    Series(JOURNAL, ANY, "EIO", lasts=False, short=1),
    Series(JOURNAL, ANY, "EIO", lasts=True, short=18),
    Series(JOURNAL, WRITES, "full", lasts=False, short=7),
    Series(JOURNAL, WRITES, "full", lasts=True, short=22),
    Series(JOURNAL, CHANGES, "EROFS", lasts=True, short=22),
    Series(KEYS, ANY, "EIO", lasts=False, short=1),
    Series(KEYS, ANY, "ENOSPC", lasts=True, short=2),
    Series(KEYS, WRITES, "full", lasts=False, short=1),
)


def parts_of(series, complete, dice):
    """(first, step) pairs that share the k among worlds."""
    every = 1 if complete else series.short
    # What a life has of these calls at most; a few more or less do not matter.
    count = (420 if series.place == JOURNAL else 50) // every
    parts = max(1, round(count / (LASTING_PER_WORLD if series.lasts else LIVES_PER_WORLD)))
    offset = dice.randrange(every)
    return [(1 + offset + part * every, parts * every) for part in range(parts)]


def fail_in_turn(trial, series, part):
    """Lives with the k-th call failing, k being the first, first + step, …"""
    trial.world.follower.tolerated.add("journal.failed")
    at, step = part
    while True:
        plan = CallPlan(series.place, series.calls, at, series.how, series.lasts)
        try:
            reached, outcome = _live(trial, plan)
        except (AssertionError, Broken) as failure:
            raise Broken(f"{plan}: {failure}") from None
        if not reached:
            return
        trial.world.report.failures[series, outcome] += 1
        at += step


def _live(trial, plan):
    """One life, and perhaps a second one in which nothing fails. Returns which call failed, or
    None, and what the daemon did."""
    world = trial.world
    failing = FailingCalls(trial.library, world, plan)
    world.start(failing.environment)
    outcome = _endure(trial, failing, plan) if plan.lasts else None
    failing.repair()
    if outcome is None:
        outcome = _go_on(world, failing, plan)
    if outcome != WENT_ON:
        world.start()
        world.must_rotate(f"{failing.reached()} failed: after a restart")
        world.terminate()
    return failing.reached(), outcome


def _endure(trial, failing, plan):
    """Calls fail for a while, and perhaps the daemon has to end meanwhile. Returns how it ended, or
    None where it did not."""
    world, dice = trial.world, trial.dice
    rotations = sum(world.follower.completed.values())
    world.wait(lambda: failing.reached() or
               sum(world.follower.completed.values()) > rotations, TIMEOUT)
    if not failing.reached():
        return None
    world.wait(lambda: False, dice.uniform(0, LASTS), pause=0.02)
    choice = dice.choices(("repair", "kill", "stop"), (8, 3, 1))[0]
    if choice == "kill" and world.runs() and trial.kill(WHILE_FAILING, EXIT_STATE):
        return "killed meanwhile"  # else it ended by itself a moment before
    if choice == "stop" and world.wait(lambda: world.follower.up, TIMEOUT):
        world.terminate(EXIT_OK, *([EXIT_STATE] if plan.place == JOURNAL else []))
        return f"exit {world.life.status} when asked to stop meanwhile"
    return None


def _go_on(world, failing, plan):
    """The daemon rotates again, and stops when asked; or it did not start at all, which is the one
    documented way to end by itself, and only the journal is a reason for it."""
    if world.wait_rotations():
        # What fails only then may be the last save of all, which is not tried again.
        late = plan.place == JOURNAL and not failing.reached()
        world.terminate(EXIT_OK, *([EXIT_STATE] if late else []))
        return WENT_ON if world.life.status == EXIT_OK else f"exit {EXIT_STATE} at the end"
    if world.runs():
        raise Broken(f"{failing.reached()} failed: the daemon did not go on: "
                     f"{world.follower.positions}")
    world.expect(EXIT_STATE)
    if plan.place != JOURNAL or world.follower.up or not failing.reached():
        raise Broken(f"{failing.reached()} failed: the daemon ended with {EXIT_STATE}")
    if not world.follower.events.get("journal.failed"):
        raise Broken(f"{failing.reached()} failed: nothing was logged of the failed start")
    return f"exit {EXIT_STATE} at the start"
