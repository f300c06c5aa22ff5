"""Lives that end by kill -9: at random moments, when something shows in a log, at a system call."""

import time

import stops
from calls import ANY, JOURNAL, KEYS, CallPlan, FailingCalls
from moments import SLOW, aim_at_rarest, wait_for_new_key, wait_for_position, wait_for_some_position
from patience import TIMEOUT
from people import annoy
from trial import AT_CALL, AT_RANDOM, AT_START, ON_NEW_KEY, ON_POSITION

# How often a life is to end in which way.
_WEIGHTS = {AT_RANDOM: 25, AT_START: 8, ON_POSITION: 35, ON_NEW_KEY: 10, AT_CALL: 22}
KINDS_OF_END = tuple(_WEIGHTS)

# Which calls are taken for the last one, with how many of them a life makes at most.
_CALLS = ((JOURNAL, ANY, 420), (JOURNAL, "fdatasync", 60), (JOURNAL, "ftruncate", 14),
          (JOURNAL, "pwrite", 320), (KEYS, ANY, 60), (KEYS, "rename", 4),
          (KEYS, "fsync", 8), (KEYS, "write", 4))
# What is waited for, in turn; the last: Azure has said that the operation runs.
_IN_OPERATION = (*((position,) for position in SLOW), ("poll", "poll_wait"))
_HOW = ("kill-before", "kill-amid", "kill-after")


def die_often(trial, kills):
    """`kills` lives that end by kill -9, and some others among them."""
    dice = trial.dice
    stop_before = dice.randrange(2, max(3, kills))
    for number in range(kills):
        if number == stop_before:
            stops.live_stopped(trial)
        elif dice.random() < 0.06:
            stops.live_and_stop_when_asked(trial)
        if number < 2:
            _die_while_adopting(trial, number)
        elif number == 2 and trial.world.traits.found:
            _live_unconfirmed(trial)
        elif trial.world.traits.slow and number - 2 < len(_IN_OPERATION):
            _die_in_operation(trial, _IN_OPERATION[number - 2])
        else:
            _live_and_die(trial)
        time.sleep(dice.uniform(0, 0.1))


def _die_while_adopting(trial, number):
    """The first lives of a world. A daemon that was killed before it knew which key is active looks
    again."""
    trial.world.start()
    aim = aim_at_rarest(trial, ("adopt_look", "offer", "deliver")) if number else "adopt_look"
    trial.kill(ON_POSITION if wait_for_position(trial, aim) else AT_RANDOM)


def _die_in_operation(trial, positions):
    """While a regenerate goes on that Azure has answered already."""
    trial.world.start()
    reached = all(wait_for_position(trial, position, TIMEOUT) for position in positions)
    trial.kill(ON_POSITION if reached else AT_RANDOM)


def _live_unconfirmed(trial):
    """A rule alone has said which key is in use, for longer than any rotation would wait."""
    world, dice = trial.world, trial.dice
    world.start()
    world.wait(lambda: False, 3 * world.guarantees.overlap + dice.uniform(0, 1), pause=0.02)
    trial.kill(AT_RANDOM)


def _live_and_die(trial):
    world, dice = trial.world, trial.dice
    kind = dice.choices(list(_WEIGHTS), _WEIGHTS.values())[0]
    if kind == AT_CALL:
        place, calls, most = dice.choice(_CALLS)
        plan = CallPlan(place, calls, dice.randint(1, most), dice.choice(_HOW))
        world.start(FailingCalls(trial.library, world, plan).environment)
    else:
        world.start()
    if kind != AT_START and len(world.confirmed) < len(world.accounts):
        world.wait_confirmed()
    repairing = kind != AT_START and annoy(trial)
    if repairing and dice.random() < 0.6:
        trial.kill(ON_POSITION if wait_for_position(trial, "deliver") else AT_RANDOM)
    else:
        trial.kill(_wait_for_the_moment(trial, kind))


def _wait_for_the_moment(trial, kind):
    """Returns what kind of moment it became."""
    world, dice = trial.world, trial.dice
    if kind == AT_START:
        time.sleep(dice.uniform(0, 0.06))
        return kind
    if kind == ON_POSITION and wait_for_some_position(trial):
        return kind
    if kind == ON_NEW_KEY and wait_for_new_key(trial):
        return kind
    if kind == AT_CALL:
        world.wait(lambda: False, dice.uniform(0.8, 1.8))
        if not world.runs():
            return kind
    if kind == AT_RANDOM:
        longest = 3.0 if dice.random() < 0.15 else 1.4
        world.wait(lambda: False, dice.uniform(0.05, longest), pause=0.02)
    return AT_RANDOM
