"""Moments at which a daemon can be killed or stopped, seen in its log or at Azure."""

import time

# What the accounts go through again and again, and what can be reached after a kill there.
_ROUND = ("check_look", "preflight", "rotate_look", "intent", "regenerate", "verify", "offer",
          "deliver")
_AFTER = {"adopt_wait": ("adopt_look",), "doubt_wait": ("doubt_wait", "doubt_look"),
          "verify_wait": ("verify_look",), "deliver_wait": ("deliver_look",)}
# What comes besides where regenerates go on after their answer.
SLOW = ("operation", "poll_wait", "poll")
AIMED = (*_ROUND, *SLOW, *(position for after in _AFTER.values() for position in after))

# After this time without the intended moment, a round takes another one.
PATIENCE = 2.5


def wait_for_some_position(trial):
    """Aims at what was hit least so far, of what can come; false where it did not come."""
    world = trial.world
    found_at = {world.follower.restarted.get(position, "idle")
                for position in world.follower.positions.values()}
    candidates = [*_ROUND, *(position for before, after in _AFTER.items() if before in found_at
                             for position in after)]
    if world.traits.slow:
        candidates += SLOW
    if world.traits.meddler:
        candidates.append("confirm_wait")
    return wait_for_position(trial, aim_at_rarest(trial, candidates))


def aim_at_rarest(trial, candidates):
    weights = [1 / (1 + trial.tally.count(position=position)) ** 2 for position in candidates]
    return trial.dice.choices(candidates, weights)[0]


def wait_for_position(trial, aim, patience=PATIENCE):
    """Until an account enters that position, and then perhaps a little longer."""
    world, dice = trial.world, trial.dice
    entered = world.follower.entered.get(aim, 0)

    def there():
        if aim == "doubt_wait":  # entered by the start alone
            return world.follower.up and aim in world.follower.positions.values()
        return world.follower.entered.get(aim, 0) > entered

    if not world.wait(there, patience, pause=0.0005):
        return False
    if aim == "doubt_wait":
        time.sleep(dice.uniform(0, world.guarantees.unknown_wait / 2))
    elif dice.random() < 0.5:
        time.sleep(dice.uniform(0, world.traits.slow_answers_ms / 1000))
    return True


def wait_for_new_key(trial):
    births = _Births(trial.world.azure.directory / "truth.jsonl")
    if not trial.world.wait(births.one_more, PATIENCE, pause=0.0005):
        return False
    time.sleep(trial.dice.choice((0, trial.dice.uniform(0, 0.01))))
    return True


class _Births:
    """Watches the stand-in's truth log for new keys."""

    def __init__(self, path):
        self._path = path
        self._read = path.stat().st_size

    def one_more(self):
        if self._path.stat().st_size == self._read:
            return False
        with self._path.open("rb") as truth:
            truth.seek(self._read)
            text = truth.read()
        self._read += len(text)
        return b'"event":"birth"' in text
