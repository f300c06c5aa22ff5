"""What every kind of life needs: the world, the library that fails calls, the dice, and the tally
of the kills, which all worlds share."""

import pathlib
import random
import threading
from collections import Counter
from dataclasses import dataclass

from world import World

# How the daemon came to be killed.
AT_RANDOM = "random moment"
AT_START = "while it starts"
ON_POSITION = "position seen in the log"
ON_NEW_KEY = "new key seen at Azure"
AT_CALL = "system call"
WHILE_STOPPED = "while stopped"
WHILE_FAILING = "while system calls fail"
ON_BAD_DISK = "while a disk is full or read-only"
KINDS = (AT_RANDOM, AT_START, ON_POSITION, ON_NEW_KEY, AT_CALL, WHILE_STOPPED, WHILE_FAILING,
         ON_BAD_DISK)


class Tally:
    """How often the daemon was killed how, and what it was doing."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = Counter()

    def add(self, kind, position):
        with self._lock:
            self._counts[kind, position] += 1

    def count(self, kind=None, position=None):
        with self._lock:
            return sum(count for (one, where), count in self._counts.items()
                       if kind in (None, one) and position in (None, where))

    def positions(self):
        with self._lock:
            return {position for _, position in self._counts}


@dataclass
class Trial:
    world: World
    library: pathlib.Path
    dice: random.Random
    tally: Tally

    def kill(self, kind, *statuses):
        """False where the daemon ended by itself, with one of these statuses, before it was killed."""
        position = self.world.kill(*statuses)
        if self.world.life.status in statuses:
            return False
        self.tally.add(kind, position)
        return True
