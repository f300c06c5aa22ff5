#!/usr/bin/python3
"""Searches the model of the rotation protocol exhaustively, with spin, in the cases of cases.py.

A case is good if its error is found where one is expected, and no error where none is. Besides,
the moves that were made are held against those that the code allows. README.md says what the model
is.
"""

import argparse
import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

from cases import CASES, HOLDS

HERE = pathlib.Path(__file__).resolve().parent
MODEL = "rotation.pml"
LEFT_OUT = HERE / "moves_left_out.txt"
SEARCH_TIMEOUT_S = 1800  # a minute at most, on a machine that has nothing else to do
TRAIL_LINES = 60
DEPTH_FIRST = ("-m200000", "-w22")


@dataclasses.dataclass
class Result:
    case: object
    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    broken: str = ""   # the promise, or the claim, that does not hold
    failure: str = ""  # why the search says nothing
    moves: frozenset = frozenset()
    trail: list = dataclasses.field(default_factory=list)

    @property
    def good(self):
        return not self.failure and self.broken == self.case.broken

    @property
    def verdict(self):
        if self.failure:
            return f"FAIL: {self.failure}"
        found = f"{self.broken} is broken" if self.broken else "holds"
        if not self.good:
            return f"FAIL: {found}, where {self.case.broken or 'no error'} was expected"
        return f"{found}, as expected" if self.broken else found


# --- one search ---

def run(command, where, timeout=SEARCH_TIMEOUT_S):
    return subprocess.run(command, cwd=where, text=True, errors="replace", timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL).stdout


def build(case, where, options):
    """Makes the program `pan` that does the search. Returns what went wrong, or ""."""
    for file in HERE.glob("*.pml"):
        shutil.copy(file, where)
    said = run(["spin", "-a", *case.flags, MODEL], where)
    if (where / "pan.c").exists():
        options = [*options, *([] if case.is_claim else ["-DSAFETY", "-DNOCLAIM"])]
        said = run(["cc", "-O1" if case.large else "-O0", "-w", "-DMEMLIM=6000", "-DVECTORSZ=1024",
                    *options, "-o", "pan", "pan.c"], where)
    return "" if (where / "pan").exists() else (said.strip() or "not built").splitlines()[0]


def first(pattern, text, default="0"):
    match = re.search(pattern, text, re.M)
    return match.group(1) if match else default


def read_search(result, output):
    """Fills in what the search says. Returns whether it found an error."""
    result.states = int(float(first(r"^\s*([\d.e+]+) states, stored", output)))
    result.transitions = int(float(first(r"^\s*([\d.e+]+) transitions", output)))
    result.depth = int(first(r"depth reached (\d+)", output))
    result.moves = frozenset(re.findall(r"^MOVE (\w+) (\w+)$", output, re.M))
    found = first(r"errors: (\d+)", output) != "0"
    for complaint in ("max search depth too small", "out of memory", "VECTORSZ"):
        if complaint in output:
            result.failure = complaint
    if not result.failure and ("errors:" not in output or
                               not found and "Search not completed" in output):
        result.failure = "the search was not exhaustive"
    return found


# Lines that the model prints; spin adds others.
PRINTED = re.compile(r" *(\d: |azure|somebody|readers|target|a lost )|BROKEN|<<<<<START")


def read_trail(case, where):
    """What happened, in the model's own words: moves, effects, and the promise that was broken."""
    said = run(["spin", "-t", "-T", "-B", *case.flags, MODEL], where)
    lines = [line.replace("slot 0", "primary").replace("slot 1", "secondary")
             for line in said.splitlines() if PRINTED.match(line)]
    end = next((i for i, line in enumerate(lines, 1) if line.startswith("BROKEN")), len(lines))
    return lines[:end]


def what_is_broken(trail, output):
    if trail and trail[-1].startswith("BROKEN "):
        return trail[-1].split()[1]
    if "acceptance cycle" in output:
        return first(r"never claim\s+\+ \((\w+)\)", output, "a claim")
    return first(r"pan:\d+: (.*?) \(at depth", output, "something")


def search(case, build_options=(), options=DEPTH_FIRST):
    result = Result(case)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyrotated-model.") as directory:
        where = pathlib.Path(directory)
        result.failure = build(case, where, build_options)
        if result.failure:
            return result
        try:
            output = run(["./pan", *(["-a"] if case.is_claim else []), *options], where)
        except subprocess.TimeoutExpired:
            result.failure = f"no end within {SEARCH_TIMEOUT_S} s"
            return result
        if read_search(result, output):
            result.trail = read_trail(case, where)
            result.broken = what_is_broken(result.trail, output)
    result.seconds = time.monotonic() - started
    return result


def shortest_trail(result):
    """Breadth first, the first way to a broken promise is the shortest one."""
    if result.case.is_claim:
        return result.trail
    shorter = search(result.case, build_options=["-DBFS"], options=["-w22"])
    return shorter.trail or result.trail


# --- the two tables of moves ---

def read_left_out():
    return set(re.findall(r"^(\w+) -> (\w+): \S", LEFT_OUT.read_text(), re.M))


def compare_moves(code, model, left_out):
    """What is wrong between the moves that the code allows and those that the model makes."""
    wrong = [f"the model moves {a} -> {b}, which the code forbids" for a, b in sorted(model - code)]
    wrong += [f"the code allows {a} -> {b}, which the model never does"
              for a, b in sorted(code - model - left_out)]
    wrong += [f"{a} -> {b} is said to be left out, but the model does it"
              for a, b in sorted(left_out & model)]
    wrong += [f"{a} -> {b} is said to be left out, but the code does not allow it"
              for a, b in sorted(left_out - code)]
    return wrong


def compare_positions(code, model):
    reached = {position for move in model for position in move}
    return [f"nothing reaches {position}"
            for position in sorted({position for move in code for position in move} - reached)]


def self_test(code, model, left_out):
    """A change of one side alone is noticed."""
    common = min(code & model)
    strange = ("idle", "regenerate")
    changed = {
        "noticed: a move taken out of the code": (code - {common}, model, left_out),
        "noticed: a move added to the code": (code | {strange}, model, left_out),
        "noticed: a move taken out of the model": (code, model - {common}, left_out),
        "noticed: a move added to the model": (code, model | {strange}, left_out),
        "noticed: a move left out, but made": (code, model, left_out | {common}),
        "noticed: a move left out, but not allowed": (code, model, left_out | {strange}),
    }
    return [(name, [] if compare_moves(*tables) else ["it was not"])
            for name, tables in changed.items()]


def check_moves(program, results):
    """[(name, what is wrong)]"""
    said = subprocess.run([program], text=True, stdout=subprocess.PIPE, check=True).stdout
    code = {tuple(line.split()) for line in said.splitlines()}
    model = set().union(*(result.moves for result in results if result.case.kind == HOLDS))
    left_out = read_left_out()
    return [("moves of the code and of the model", compare_moves(code, model, left_out)),
            ("every position is reached", compare_positions(code, model)),
            *self_test(code, model, left_out)]


# --- telling ---

def print_row(result):
    print(f"  {result.case.title:42} {result.states:9,} {result.transitions:10,} {result.depth:7,}"
          f" {result.seconds:7.1f}  {result.verdict}", flush=True)


def print_trail(trail):
    if len(trail) > TRAIL_LINES:
        print(f"        ... {len(trail) - TRAIL_LINES} lines before")
    for line in trail[-TRAIL_LINES:]:
        print(f"        {line}")


def check_cases(jobs):
    print(f"  {'':42} {'states':>9} {'steps':>10} {'depth':>7} {'seconds':>7}")
    results = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(search, CASES):
            results.append(result)
            print_row(result)
            if not result.good and not result.failure:
                print_trail(shortest_trail(result))
    return results


def write_results(path, results, checks):
    cases = [(r.case.title, "" if r.good else r.verdict, r.seconds) for r in results]
    cases += [(name, "; ".join(wrong), 0.0) for name, wrong in checks]
    suite = ET.Element("testsuite", name="model", tests=str(len(cases)),
                       failures=str(sum(bool(wrong) for _, wrong, _ in cases)), errors="0",
                       skipped="0")
    for name, wrong, seconds in cases:
        case = ET.SubElement(suite, "testcase", classname="model", name=name, time=f"{seconds:.2f}")
        if wrong:
            ET.SubElement(case, "failure", message=wrong)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", metavar="PROGRAM", help="prints the moves that the code allows")
    parser.add_argument("--results", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--trail", metavar="TITLE",
                        help="the cases with that in their title alone, and how their errors come "
                             "about")
    arguments = parser.parse_args()
    if not shutil.which("spin"):
        sys.exit("spin is not installed: run `make deps-lint`")

    if arguments.trail:
        chosen = [case for case in CASES if arguments.trail in case.title]
        for result in map(search, chosen):
            print_row(result)
            for line in shortest_trail(result):
                print(f"        {line}")
        return 0 if chosen else 1

    results = check_cases(arguments.jobs)
    checks = check_moves(arguments.moves, results) if arguments.moves else []
    for name, wrong in checks:
        print(f"  {name:42} {'ok' if not wrong else ''}")
        for line in wrong:
            print(f"        FAIL: {line}")
    if arguments.results:
        write_results(arguments.results, results, checks)

    failed = sum(not r.good for r in results) + sum(bool(wrong) for _, wrong in checks)
    print(f"{len(results) + len(checks) - failed} checks of the model passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
