"""People around the daemon: those who give commands, and those who put old files back."""

import time

from patience import TIMEOUT


def annoy(trial):
    """Now and then somebody does something. True: a target is to be repaired now."""
    chosen = trial.dice.choices((lambda _: False, _command, _rotate_again, _meddle),
                                (55, 10, 15, 20))[0]
    return chosen(trial)


def _command(trial):
    world, dice = trial.world, trial.dice
    command = dice.choice((["rotate"], ["redeliver"], ["hold", "--for", "300ms", "--reason", "-"]))
    if world.wait(lambda: world.follower.up, TIMEOUT):
        world.command(*command, dice.choice(world.accounts))
    return False


def _wait_for_completion(world):
    """(account, when) of a rotation, or None where there is none for a while."""
    world.wait(lambda: world.follower.completed_last, 2)
    return world.follower.completed_last


def _rotate_again(trial):
    completed = _wait_for_completion(trial.world)
    if completed:
        trial.world.command("rotate", completed[0])
    return False


def _meddle(trial):
    """The key that was just replaced is back in the file. It is still live, and its readers have to
    get the other one, and an overlap from then on. The next rotation is far away, so that no file
    changes between a look and what follows from it."""
    world = trial.world
    completed = world.traits.meddler and _wait_for_completion(world)
    if not completed:
        return False
    account, when = completed
    held = world.site.held(account)
    other = next(key for key in world.azure.keys(account).values() if key != held)
    if time.time() > when + world.guarantees.overlap / 3:
        return False
    world.site.put(account, other)
    return True
