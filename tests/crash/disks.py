"""Disks that are full or read-only: the journal's and that of the key files, each a small file
system of its own in a mount namespace, in which the daemon and its users live."""

import pathlib
import shutil

from daemon import EXIT_STATE
from namespace import Namespace
from patience import TIMEOUT
from trial import ON_BAD_DISK
from world import Broken, Traits, World

SIZE = "2m"
# The log says so where a disk does not work.
NOTICED = {"state": ("journal.failed",), "keys": ("rotation.retrying", "delivery.failed")}


def open_namespace():
    """A namespace, or the reason why there is none."""
    try:
        space = Namespace()
    except (AssertionError, OSError) as failure:
        return None, f"no mount namespace: {failure}"
    try:
        space.mount_small("/mnt", SIZE)
    except Exception as failure:  # any failure is reported
        space.end()
        return None, f"no file system can be mounted: {failure}"
    space.run("umount", "/mnt")
    return space, None


class DiskWorld(World):
    def __init__(self, build, disk, name, space):
        super().__init__(build, disk, name, Traits(accounts=2), space.command)
        self.space = space
        self.disks = (self.site.state, self.site.keys)
        self.site.state.mkdir(mode=0o700)
        for disk in self.disks:
            space.mount_small(disk, SIZE)
        self.follower.tolerated.add("journal.failed")

    def seen(self, directory):
        """A directory as it is in the namespace, seen from here."""
        return pathlib.Path(f"/proc/{self.space.command[2]}/root") / str(directory).lstrip("/")

    def state(self):
        copy = self.directory / "state"
        shutil.rmtree(copy, ignore_errors=True)
        return shutil.copytree(self.seen(self.site.state), copy)

    def keys(self):
        return self.seen(self.site.keys)

    def spoil(self, disk, how):
        if how == "full":
            self.space.fill(disk)
        else:
            self.space.run("mount", "-o", "remount,bind,ro", disk)

    def mend(self, disk, how):
        if how == "full":
            self.space.empty(disk)
        else:
            self.space.run("mount", "-o", "remount,bind,rw", disk)

    def close(self):
        super().close()
        self.space.end()


def live_with_bad_disks(trial, rounds):
    """Each disk, each way, spoilt before a start and while the daemon runs."""
    world = trial.world
    cases = [(disk, how, before) for disk in world.disks for how in ("full", "read-only")
             for before in (True, False)]
    # A file system with files open for writing, as the journal is, cannot be remounted.
    cases.remove((world.site.state, "read-only", False))
    for _ in range(rounds):
        trial.dice.shuffle(cases)
        for disk, how, before in cases:
            if before:
                _start_on_bad_disk(trial, disk, how)
            else:
                _spoil_while_running(trial, disk, how)
            world.must_rotate(f"after {disk} was {how}")
            world.terminate()
            world.report.failures[f"{disk.name}: {how}", "went on"] += 1


def _start_on_bad_disk(trial, disk, how):
    world = trial.world
    world.spoil(disk, how)
    world.start()
    if disk == world.site.keys:
        _suffer_and_mend(trial, disk, how)
        return
    if world.wait(lambda: world.follower.up, TIMEOUT):
        raise Broken(f"the daemon started although {disk} is {how}")
    world.expect(EXIT_STATE)
    world.mend(disk, how)
    world.start()


def _spoil_while_running(trial, disk, how):
    world = trial.world
    world.start()
    world.wait_up()
    world.wait(lambda: False, trial.dice.uniform(0, 0.8))
    world.spoil(disk, how)
    _suffer_and_mend(trial, disk, how)


def _suffer_and_mend(trial, disk, how):
    """The daemon runs on a bad disk until it says so, and may be killed on it."""
    world, dice = trial.world, trial.dice

    def noticed():
        if how == "full":
            world.spoil(disk, how)  # what the daemon removed made room
        return any(world.follower.events.get(event) for event in NOTICED[disk.name])

    if not world.wait(noticed, TIMEOUT, pause=0.1):
        raise Broken(f"with {disk} {how} the daemon did not notice, or ended "
                     f"({world.life.status})")
    world.wait(lambda: False, dice.uniform(0, 0.5), pause=0.02)
    killed = dice.random() < 0.4
    if killed:
        trial.kill(ON_BAD_DISK)
    world.mend(disk, how)
    if killed:
        world.start()
