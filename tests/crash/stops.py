"""Lives in which the daemon is stopped: by SIGSTOP for a long time, or by SIGTERM, for good."""

import os
import signal
import time

from calls import JOURNAL, KEYS, CallPlan, FailingCalls
from moments import wait_for_some_position
from patience import TIMEOUT
from trial import WHILE_STOPPED
from world import Broken

# Longer than all waits of the configuration (world.py) together, and longer than all fixed waits,
# of which the longest is that for a delivery: a minute.
LONGER_THAN_CONFIGURED = 6.0
LONGER_THAN_ANY = 70.0

_STOPPED_AT = ((JOURNAL, "fdatasync"), (KEYS, "rename"), (KEYS, "fsync"))


def live_stopped(trial, seconds=LONGER_THAN_CONFIGURED):
    """SIGSTOP, at some position or right before a system call; then it goes on, or is killed."""
    world, dice = trial.world, trial.dice
    plan = CallPlan(*dice.choice(_STOPPED_AT), dice.randint(1, 4), "stop", lasts=True)
    call = FailingCalls(trial.library, world, plan)
    if dice.random() < 0.5:
        world.start(call.environment)
        world.wait(lambda: _is_stopped(world.life.daemon.pid), 2)
    else:
        world.start()
        wait_for_some_position(trial)
    # One that is stopped before it holds the journal keeps no other daemon from it.
    world.wait(lambda: world.follower.up or _is_stopped(world.life.daemon.pid), TIMEOUT)
    call.repair()
    if not world.runs():
        raise Broken(f"the daemon ended with {world.life.status}")
    os.kill(world.life.daemon.pid, signal.SIGSTOP)
    until = time.monotonic() + seconds
    world.follower.interrupted.clear()  # how fast it recovers is not measured here
    world.second_instance()
    time.sleep(max(0, until - time.monotonic()))
    world.report.stops += 1
    if dice.random() < 0.25:
        trial.kill(WHILE_STOPPED)
        return
    os.kill(world.life.daemon.pid, signal.SIGCONT)
    world.must_rotate("after SIGCONT")
    world.terminate()


def _is_stopped(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has ended


def stop_for_long(trial):
    """Among accounts that have been rotated before."""
    trial.world.start()
    trial.world.wait_rotations()
    trial.world.terminate()
    live_stopped(trial, LONGER_THAN_ANY)


def live_and_stop_when_asked(trial):
    world = trial.world
    world.start()
    world.wait_up()
    world.wait(lambda: False, trial.dice.uniform(0, 1), pause=0.02)
    world.terminate()
