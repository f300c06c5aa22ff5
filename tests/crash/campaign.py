#!/usr/bin/python3
"""The crash campaign: everything that can happen to a daemon, while its users watch.

The real programs run against the Azure stand-in, in many small worlds at a time. The daemon is
killed (kill -9) at random moments and at chosen ones, stopped for longer than it waits for
anything, given disks that are full or read-only and system calls that fail. Then every world is
judged: nobody who reads a key again within `overlap` ever held a dead one, the rules of
regenerating were kept, and every account goes on rotating.

Exit status 0: nothing was wrong. Otherwise what was wrong is printed, and its evidence is kept.
"""

import argparse
import concurrent.futures
import functools
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import disks  # noqa: E402
import failures  # noqa: E402
import kills  # noqa: E402
import moments  # noqa: E402
import self_test  # noqa: E402
import stops  # noqa: E402
import summary  # noqa: E402
from trial import Tally, Trial  # noqa: E402
from world import Report, Traits, World, live_through  # noqa: E402

# From so many kills on, each k-th call of each series fails once, and disks are spoilt more often.
COMPLETE = 1000
# From so many kills on, each phase of a rotation has to be hit, if need be by so many worlds more.
SPREAD = 150
MORE_WORLDS = 6
KILLS_PER_WORLD = 25
SLOW_WORLD = 1  # of eight: regenerates go on after their answer there
LONG_STOPS = 8
# Of the accounts: keys of several shapes, which go to the data plane as they are or sign requests.
TYPES = ("batch", "storage", "search", "cognitive_services", "container_registry")
LANES_PER_CORE = 10
MEMORY_NEEDED = 512 << 20


class Campaign:
    def __init__(self, arguments, disk):
        self.disk = disk
        self.build = arguments.build.resolve()
        self.library = self.build / "fail_calls.so"
        self.kills = arguments.kills
        self.lanes = arguments.lanes or LANES_PER_CORE * (os.cpu_count() or 1)
        self.seed = arguments.seed
        self.complete = arguments.kills >= COMPLETE
        self.tally = Tally()
        self.cases = []
        self.reports = []

    def dice(self, name):
        """The same seed gives each world the same dice, whatever the others do."""
        return random.Random(f"{self.seed} {name}")

    # --- the worlds: (name, what runs it) ---

    def jobs(self):
        """Those that take longest come first."""
        if self.complete:
            for number in range(LONG_STOPS):
                yield f"stopped for long ({number + 1})", self.run_long_stop
        worlds = max(1, round(self.kills / KILLS_PER_WORLD))
        for number in range(worlds):
            share = self.kills * (number + 1) // worlds - self.kills * number // worlds
            yield (f"{share} kills ({number + 1})",
                   functools.partial(self.run_kills, number=number, share=share))
        for series in sorted(failures.SERIES, key=lambda one: not one.lasts):
            parts = failures.parts_of(series, self.complete, self.dice(series))
            for number, part in enumerate(parts):
                yield (f"{series} ({number + 1})",
                       functools.partial(self.run_failures, series=series, part=part))
        yield "disks that are full or read-only", self.run_disks

    def run_kills(self, name, number, share):
        dice = self.dice(name)
        meddler = number % 2 == 1 and number % 8 != SLOW_WORLD
        all_kinds = number % 4 == 0
        found = number % 4 == 3
        slow = number % 8 == SLOW_WORLD
        types = dice.sample(TYPES, len(TYPES))
        traits = Traits(accounts=2 if all_kinds else dice.randint(2, 5), meddler=meddler,
                        types=("batch", "storage") if all_kinds else ("cosmos",) if slow else tuple(types),
                        slow=slow,
                        slow_disk=number % 3 == 0, all_kinds=all_kinds, found=found,
                        overlap_ms=1500 if all_kinds or number % 4 == 1
                        else dice.choice((600, 600, 1500)),
                        two_targets=number % 4 == 2 and dice.random() < 0.9,
                        propagation_ms=dice.choice((0, 0, 120)),
                        slow_answers_ms=dice.choice((0, 10, 40)),
                        weather=0.15 if number % 4 == 2 else 0)
        world = World(self.build, self.disk, f"{name}: {traits}", traits)
        return live_through(world, lambda: kills.die_often(self.trial(world, dice), share))

    def run_failures(self, name, series, part):
        world = World(self.build, self.disk, name, Traits(accounts=1))
        trial = self.trial(world, self.dice(name))
        return live_through(world, lambda: failures.fail_in_turn(trial, series, part))

    def run_long_stop(self, name):
        world = World(self.build, self.disk, name, Traits(accounts=3, types=TYPES))
        trial = self.trial(world, self.dice(name))
        return live_through(world, lambda: stops.stop_for_long(trial))

    def run_disks(self, name):
        space, reason = disks.open_namespace()
        if reason:
            self.cases.append((name, None, reason))
            print(f"  skip  {name}: {reason}", flush=True)
            return None
        world = disks.DiskWorld(self.build, self.disk, name, space)
        trial = self.trial(world, self.dice(name))
        rounds = 4 if self.complete else 1
        return live_through(world, lambda: disks.live_with_bad_disks(trial, rounds))

    def trial(self, world, dice):
        return Trial(world, self.library, dice, self.tally)

    # --- the run ---

    def judge_forged(self):
        """The judge is tested first."""
        for name, problem in self_test.judge_forged():
            self._note(f"judge: {name}", problem)

    def judge_real(self):
        for name, problem in self_test.judge_real(self.build, self.disk):
            self._note(f"judge: {name}", problem)

    def run(self):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.lanes) as pool:
            real = pool.submit(self.judge_real)
            running = {pool.submit(self._run_job, name, job): name for name, job in self.jobs()}
            for done in concurrent.futures.as_completed(running):
                if done.result():
                    self._take(running[done], done.result())
            real.result()
        self._hit_what_is_missing()
        self._check_reach()
        refused = sum(report.lazy_refused for report in self.reports)
        self._note("users who read too seldom are refused",
                   None if refused else "that never happened")
        self._tell(time.monotonic() - began)

    def _note(self, name, problem):
        self.cases.append((name, problem, None))
        if problem:
            print(f"  FAIL  {name}: {problem}", flush=True)

    @staticmethod
    def _run_job(name, job):
        try:
            return job(name)
        except Exception:  # of the campaign itself: it is no reason to stop the others
            return Report(name, wrong=[traceback.format_exc()])

    def _take(self, name, report):
        self.reports.append(report)
        self.cases.append((name, "\n".join(report.wrong) if report.wrong else None, None))
        print("\n".join([summary.world_line(report), *summary.wrong_lines(report)]), flush=True)

    def _missing(self):
        missing = [what for what in moments.AIMED if not self.tally.count(position=what)]
        return missing + [kind for kind in kills.KINDS_OF_END if not self.tally.count(kind=kind)]

    def _hit_what_is_missing(self):
        """On a slow machine, kills miss the short phases: more worlds aim at what is left."""
        for number in range(MORE_WORLDS if self.kills >= SPREAD else 0):
            missing = self._missing()
            if not missing:
                break
            # Of eight worlds, one has regenerates that go on, and one has all kinds of target.
            first = SLOW_WORLD if set(missing) & set(moments.SLOW) else 0
            name = f"{KILLS_PER_WORLD} more kills ({number + 1})"
            report = self._run_job(name, functools.partial(self.run_kills, number=8 * number + first,
                                                           share=KILLS_PER_WORLD))
            self._take(name, report)

    def _check_reach(self):
        """Did the kills hit everything that they have to hit?"""
        for series in failures.SERIES:
            reached = any(name == series for report in self.reports for name, _ in report.failures)
            self._note(f"{series}: reached", None if reached else "no call failed")
        if self.kills >= SPREAD:
            missing = self._missing()
            self._note("kills of every kind in every phase of a rotation",
                       f"none at: {', '.join(missing)}" if missing else None)

    def _tell(self, seconds):
        print("\n" + "\n".join([*summary.kill_table(self.tally), "",
                                *summary.failure_table(self.reports), "",
                                *summary.totals(self.reports, seconds)]))

    def failed(self):
        return sum(failure is not None for _, failure, _ in self.cases)


def fast_directory(disk):
    """A directory in memory, if there is enough of it: no world waits for the flushes of others,
    and whatever a killed process has written is there."""
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and \
            shutil.disk_usage(memory).free > MEMORY_NEEDED:
        return pathlib.Path(tempfile.mkdtemp(prefix="krc-", dir=memory))
    return disk


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--lanes", type=int, help="worlds at a time")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE", help="as JUnit")
    parser.add_argument("--self-test", action="store_true", help="the judge alone")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    disk = pathlib.Path(tempfile.mkdtemp(prefix="krc-")).resolve()
    fast = fast_directory(disk)
    tempfile.tempdir = str(fast)
    campaign = Campaign(arguments, disk)
    print(f"Crash campaign: {campaign.kills} kills, {campaign.lanes} worlds at a time; again with "
          f"SEED={campaign.seed}", flush=True)
    campaign.judge_forged()
    if arguments.self_test:
        campaign.judge_real()
    else:
        campaign.run()
    if arguments.results:
        summary.write_results(arguments.results, campaign.cases)

    failed = campaign.failed()
    skipped = sum(reason is not None for _, _, reason in campaign.cases)
    print(f"{len(campaign.cases) - failed - skipped} passed, {failed} failed, {skipped} skipped"
          + (f"; SEED={campaign.seed}, evidence in {disk}" if failed else ""))
    for directory in {fast, disk} - ({disk} if failed else set()):
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
