#!/usr/bin/python3
"""Runs unit test programs (cmocka), a few at a time, and says how many tests passed and failed.

A test that did not report, because its program crashed or hung, counts as failed. Output is shown of
programs that failed only. With --results a JUnit file is written as well.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible", "--track-fds=no",
            f"--suppressions={pathlib.Path(__file__).with_name('valgrind.supp')}",
            # A test that defines malloc itself keeps it.
            "--soname-synonyms=somalloc=nouserintercepts"]
TIMEOUT_S = 600
VALGRIND_TIMEOUT_S = 900


@dataclasses.dataclass
class Outcome:
    name: str
    passed: list = dataclasses.field(default_factory=list)
    failed: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    output: str = ""
    seconds: float = 0.0


def count(outcome):
    """Reads TAP: a plan "1..N" per group, then "ok N - name", "not ok N - name", or, of one that
    cannot run here, "not ok N # SKIP name"."""
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", outcome.output, re.M))
    for verdict, name in re.findall(r"^(ok|not ok) \d+ - (\S+)", outcome.output, re.M):
        (outcome.passed if verdict == "ok" else outcome.failed).append(name)
    outcome.skipped = re.findall(r"^(?:not )?ok \d+ # SKIP (\S+)", outcome.output, re.M)
    silent = planned - len(outcome.passed) - len(outcome.failed) - len(outcome.skipped)
    outcome.failed += ["(did not report)"] * silent


def run(program, valgrind):
    outcome = Outcome(os.path.basename(program))
    started = time.monotonic()
    try:
        done = subprocess.run((VALGRIND if valgrind else []) + [program], text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL,
                              timeout=VALGRIND_TIMEOUT_S if valgrind else TIMEOUT_S,
                              env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP",
                                   **({"UNIT_UNDER_VALGRIND": "1"} if valgrind else {})})
        outcome.output, ending = done.stdout, f"exit status {done.returncode}"
        healthy = done.returncode == 0
    except subprocess.TimeoutExpired as expired:
        outcome.output = (expired.stdout or b"").decode(errors="replace")
        ending, healthy = "hung", False
    outcome.seconds = time.monotonic() - started
    count(outcome)
    if not healthy and not outcome.failed:
        outcome.failed.append(f"({ending})")
    if healthy and not outcome.passed + outcome.failed + outcome.skipped:
        outcome.failed.append("(ran no test)")
    return outcome


def report(outcome):
    verdict = "FAIL" if outcome.failed else "ok"
    print(f"  {verdict:4}  {outcome.name:28} {len(outcome.passed):4} passed"
          f"{f', {len(outcome.failed)} failed' if outcome.failed else ''}"
          f"{f', {len(outcome.skipped)} skipped' if outcome.skipped else ''}"
          f"  {outcome.seconds:6.2f} s", flush=True)
    if outcome.failed:
        print("        " + "  ".join(outcome.failed))
        print("".join(f"        | {line}\n" for line in outcome.output.splitlines()), flush=True)


def write_results(path, suite_name, outcomes):
    suite = ET.Element("testsuite", name=suite_name,
                       tests=str(sum(len(o.passed) + len(o.failed) for o in outcomes)),
                       failures=str(sum(len(o.failed) for o in outcomes)), errors="0", skipped="0")
    for outcome in outcomes:
        for name in outcome.passed + outcome.failed:
            case = ET.SubElement(suite, "testcase", classname=outcome.name, name=name)
            if name in outcome.failed:
                ET.SubElement(case, "failure")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    ET.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("programs", nargs="*")
    arguments = parser.parse_args()

    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for outcome in pool.map(lambda p: run(p, arguments.valgrind), arguments.programs):
            report(outcome)
            outcomes.append(outcome)
    if arguments.results:
        write_results(arguments.results, "valgrind" if arguments.valgrind else "unit", outcomes)

    failed = sum(len(outcome.failed) for outcome in outcomes)
    print(f"{sum(len(outcome.passed) for outcome in outcomes)} unit tests passed, {failed} failed"
          f"{' (under valgrind)' if arguments.valgrind else ''}")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
