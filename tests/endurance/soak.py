#!/usr/bin/python3
"""The real daemon in bad weather, for as long as asked: does anything grow, does any consumer hold
a dead key?

One daemon lives through it all, with accounts that rotate every second or so, while programs with
several habits of reading their keys again really sign requests with them. Azure's answers are lost,
late, false and refused. In between it is asked for its status, and reloads. At the end it is
judged: memory, descriptors and threads flat after a quarter of the time, no dead key held by any
consumer, and all rules of regenerating kept.
"""

import argparse
import pathlib
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "crash")]

import figures  # noqa: E402
from world import Broken, Traits, World  # noqa: E402

WEATHER = 0.12
ACCOUNTS = 6
SAMPLES = 240
RELOAD_EVERY = 20  # samples


def live(world, seconds):
    """Samples of the daemon's whole life."""
    world.start()
    world.wait_up()
    world.must_rotate("at first")
    pause = max(seconds / SAMPLES, 0.25)
    ends = time.monotonic() + seconds
    samples = []
    while time.monotonic() < ends:
        if world.wait(lambda: False, pause) or not world.runs():
            raise Broken(f"the daemon ended with {world.life.status}")
        samples.append(figures.take(world.life.daemon.pid))
        answer = world.site.ctl("--json", "status", "--all")
        if answer.returncode not in (0, 1, 2):
            raise Broken(f"keyrotatectl status: {answer.returncode} {answer.stderr}")
        if len(samples) % RELOAD_EVERY == 0 and world.site.ctl("reload").returncode != 0:
            raise Broken("a reload of an unchanged configuration failed")
    world.terminate()
    return samples


def soak(build, seconds, disk):
    world = World(build, disk, "soak", Traits(accounts=ACCOUNTS, two_targets=True, weather=WEATHER,
                                              slow_answers_ms=40))
    samples = []
    try:
        world.admit_users()
        samples = live(world, seconds)
        world.find_peace()
        world.judge_remains()
    except Exception:  # whatever it is, the world is taken down, and it is told
        world.report.wrong.append(f"{traceback.format_exc()}\nthe log ends with\n"
                                  f"{world.site.log.tail(12)}")
    try:
        world.end_daemon()
        world.judge()
    finally:
        world.close()
    return samples, world.report


def write_results(path, name, cases):
    """`cases`: pairs of a name and what is wrong, or an empty text."""
    suite = ET.Element("testsuite", name=name, tests=str(len(cases)), errors="0", skipped="0",
                       failures=str(sum(1 for _, wrong in cases if wrong)))
    for case_name, wrong in cases:
        case = ET.SubElement(suite, "testcase", classname=name, name=case_name)
        if wrong:
            ET.SubElement(case, "failure").text = wrong
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path)


def conclude(path, name, cases):
    """Prints and writes the verdicts; the exit status."""
    for case, wrong in cases:
        print(f"  {'FAIL' if wrong else 'ok':4}  {case}")
        if wrong:
            print("".join(f"        | {line}\n" for line in wrong.splitlines()))
    if path:
        write_results(path, name, cases)
    failed = sum(1 for _, wrong in cases if wrong)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--results", type=pathlib.Path)
    arguments = parser.parse_args()

    cases = [("the judge of the figures convicts", "\n".join(figures.self_test()))]
    disk = pathlib.Path(tempfile.mkdtemp(prefix="soak-", dir=arguments.build))
    samples, report = soak(arguments.build.resolve(), arguments.seconds, disk)
    if samples:
        print("\n".join(figures.table(samples)))
    print(f"{report.rotations:,} rotations of {ACCOUNTS} accounts in {report.seconds:.0f} s,"
          f" {WEATHER:.0%} of all calls went wrong, half of the answers were late;"
          f" {report.readings:,} readings, {report.uses:,} signed requests, {report.dead} with a dead"
          f" key, {report.lazy_refused} of those who break the rule refused")
    cases.append(("memory, descriptors and threads are flat", "\n".join(figures.judge(samples))))
    cases.append(("nobody held a dead key, and all rules were kept", "\n".join(report.wrong)))
    if report.evidence:
        print(f"evidence: {report.evidence}")
    elif not any(disk.iterdir()):
        disk.rmdir()
    return conclude(arguments.results, "soak", cases)


if __name__ == "__main__":
    sys.exit(main())
