#!/usr/bin/python3
"""Checks the Promela model of the rotation protocol (README.md beside this file says what that is).

Three kinds of cases, each searched exhaustively by spin: configurations in which every promise has to
hold; limits, in which one is known not to hold, and does with a remedy; and seeds, in which one rule of
the protocol is taken out and spin has to find the error. The moves that were explored are compared with
those that the code allows.
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

HERE = pathlib.Path(__file__).resolve().parent
MODEL = "rotation.pml"
PAN_TIMEOUT_S = 300
TRAIL_LINES = 60
HOLDS, LIMIT, REMEDY, SEED = "holds", "limit", "remedy", "seed"
OUTAGE = "no_outage"


@dataclasses.dataclass(frozen=True)
class Case:
    kind: str
    name: str
    defines: str
    broken: str = ""  # the promise, or the claim, in which the error has to be found


CASES = [
    Case(HOLDS, "one target", "LATE_LOOKS=3 REMOTE_FIRST"),
    Case(HOLDS, "two targets", "TARGETS=2 LATE_LOOKS=3"),
    Case(HOLDS, "two targets, one unreadable", "TARGETS=2 LATE_LOOKS=3 UNREADABLE"),
    Case(HOLDS, "looks that miss a target", "TARGETS=2 LATE_LOOKS=3 UNREAD_TARGETS"),
    Case(HOLDS, "commands", "TARGETS=2 COMMANDS=2"),
    Case(HOLDS, "reloads", "TARGETS=2 RELOADS=2 VERIFY_MAY_BE_OFF"),
    Case(HOLDS, "commands, reloads", "TARGETS=2 COMMANDS=1 RELOADS=1 FAULTS=1"),
    Case(HOLDS, "somebody else", "FOREIGN=2 LATE_LOOKS=2"),
    Case(HOLDS, "somebody else, two targets", "TARGETS=2 FOREIGN=1 LATE_LOOKS=1"),
    Case(HOLDS, "somebody else, commands", "FOREIGN=1 COMMANDS=1 REMOTE_FIRST VERIFY_MAY_BE_OFF"),
    Case(HOLDS, "completes: two targets", "TARGETS=2 LATE_LOOKS=3 CLAIM_COMPLETES"),
    Case(HOLDS, "completes: reloads", "TARGETS=2 RELOADS=1 CLAIM_COMPLETES"),
    Case(HOLDS, "completes: commands", "COMMANDS=2 CLAIM_COMPLETES"),
    Case(HOLDS, "completes: somebody else", "FOREIGN=2 CLAIM_COMPLETES"),
    Case(HOLDS, "two daemons", "DAEMONS=2 TARGETS=2 FAULTS=0"),
    Case(HOLDS, "two daemons, crashes and losses", "DAEMONS=2 FAULTS=1"),
    Case(HOLDS, "two daemons: peace about keys", "DAEMONS=2 TARGETS=2 FAULTS=0 CLAIM_PEACE"),
    Case(HOLDS, "two daemons: repaired", "DAEMONS=2 TARGETS=2 FAULTS=0 CLAIM_REPAIRED"),

    Case(LIMIT, "a change taken back", "FOREIGN=2 TAKES_BACK", OUTAGE),
    Case(REMEDY, "a change taken back", "FOREIGN=2 TAKES_BACK REMEDY_VANISHED"),
    Case(LIMIT, "a look behind another", "FOREIGN=1 LATE_LOOKS=3", OUTAGE),
    Case(REMEDY, "a look behind another", "FOREIGN=1 LATE_LOOKS=3 REMEDY_VANISHED"),
    Case(LIMIT, "the look before misses a target", "FOREIGN=1 UNREAD_TARGETS", OUTAGE),
    Case(REMEDY, "the look before misses a target",
         "FOREIGN=1 UNREAD_TARGETS REMEDY_ALL_TARGETS_READ"),
    Case(LIMIT, "two daemons: peace about targets",
         "DAEMONS=2 FAULTS=0 CLAIM_PEACE_OF_TARGETS", "peace"),
    Case(REMEDY, "two daemons: peace about targets",
         "DAEMONS=2 FAULTS=0 CLAIM_PEACE_OF_TARGETS REMEDY_FIGHT_OVER_TARGETS"),

    Case(SEED, "1 standby by parity in memory", "SEED_PARITY OUTAGES_ONLY", OUTAGE),
    Case(SEED, "1 no overlap", "SEED_NO_OVERLAP OUTAGES_ONLY", OUTAGE),
    Case(SEED, "2 no look before the intent", "SEED_NO_LOOK SEED_OLD_LOOK", "a_fresh_look_before"),
    Case(SEED, "2 an old look will do", "SEED_OLD_LOOK", "a_fresh_look_before"),
    Case(SEED, "3 acts before the intent is durable", "SEED_ACTS_BEFORE_INTENT_IS_DURABLE",
         "durable_before_effect"),
    Case(SEED, "4 repeats without a look", "SEED_REPEAT_WITHOUT_LOOK SEED_OLD_LOOK",
         "no_repeat_in_doubt"),
    Case(SEED, "4 no unknown_wait", "SEED_NO_UNKNOWN_WAIT OUTAGES_ONLY", OUTAGE),
    Case(SEED, "5 retries the other slot", "SEED_RETRY_OTHER_SLOT OUTAGES_ONLY", OUTAGE),
    Case(SEED, "5 no unknown_wait after a start", "SEED_NO_WAIT_AFTER_START OUTAGES_ONLY", OUTAGE),
    Case(SEED, "6 no freeze", "SEED_NO_FREEZE TARGETS=2 UNREADABLE OUTAGES_ONLY",
         OUTAGE),
    Case(SEED, "7 any acknowledgement counts", 
         "SEED_ANY_ACKNOWLEDGEMENT TARGETS=2 UNREADABLE OUTAGES_ONLY", OUTAGE),
    Case(SEED, "7 acknowledged before delivery", "SEED_ACKNOWLEDGED_BEFORE_DELIVERY OUTAGES_ONLY",
         OUTAGE),
    Case(SEED, "8 a repair is no news", "SEED_REPAIR_IS_NO_NEWS FOREIGN=1 OUTAGES_ONLY", OUTAGE),
    Case(SEED, "8 a crash settles deliveries", "SEED_CRASH_SETTLES FOREIGN=1 OUTAGES_ONLY", OUTAGE),
    Case(SEED, "8 does not wait until settled", "SEED_NOT_SETTLED TARGETS=2",
         "settled_before_the_next"),
    Case(SEED, "9 active moves first", "SEED_ACTIVE_FIRST", "active_moves_last"),
    Case(SEED, "10 late looks are believed", "SEED_LATE_IS_BELIEVED LATE_LOOKS=3 OUTAGES_ONLY",
         OUTAGE),
    Case(SEED, "11 a changed standby is ignored",
         "SEED_STANDBY_CHANGE_IS_IGNORED FOREIGN=1 OUTAGES_ONLY", OUTAGE),
    Case(SEED, "11 two rotators fight", "SEED_FIGHT DAEMONS=2 FAULTS=0 CLAIM_PEACE", "peace"),
    Case(SEED, "13 two actions at once", "SEED_TWO_ACTIONS COMMANDS=1", "one_action_at_a_time"),
    Case(SEED, "16 gives a target up", "SEED_GIVES_UP CLAIM_COMPLETES", "nothing_stops_in_silence"),
]


@dataclasses.dataclass
class Result:
    case: Case
    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    broken: str = ""   # the promise or claim that does not hold
    trouble: str = ""  # why the search says nothing
    moves: frozenset = frozenset()
    trail: list = dataclasses.field(default_factory=list)

    @property
    def good(self):
        return not self.trouble and self.broken == self.case.broken

    @property
    def verdict(self):
        if self.trouble:
            return f"FAIL: {self.trouble}"
        found = f"{self.broken} broken" if self.broken else "holds"
        if self.good:
            return f"{found}, as expected" if self.broken else found
        return f"FAIL: {found}, expected: {self.case.broken + ' broken' if self.case.broken else 'holds'}"


def defines_of(case):
    return [f"-D{define}" for define in case.defines.split()]


def run(command, where, timeout=PAN_TIMEOUT_S):
    return subprocess.run(command, cwd=where, text=True, errors="replace", timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL).stdout


def is_claim(case):
    return "CLAIM_" in case.defines


def build(case, where, extra=()):
    for file in HERE.glob("*.pml"):
        shutil.copy(file, where)
    said = run(["spin", "-a", *defines_of(case), MODEL], where)
    if not (where / "pan.c").exists():
        return said or "spin -a failed"
    # What finds its error at once is not worth optimizing.
    level = "-O0" if case.broken else "-O1"
    mode = [] if is_claim(case) else ["-DSAFETY", "-DNOCLAIM"]
    said = run(["cc", level, "-w", "-DMEMLIM=6000", "-DVECTORSZ=1024", *mode, *extra,
                "-o", "pan", "pan.c"], where)
    return "" if (where / "pan").exists() else said or "cc failed"


def first(pattern, text, default="0"):
    match = re.search(pattern, text, re.M)
    return match.group(1) if match else default


def read_search(result, output):
    result.states = int(float(first(r"^\s*([\d.e+]+) states, stored", output)))
    result.transitions = int(float(first(r"^\s*([\d.e+]+) transitions", output)))
    result.depth = int(first(r"depth reached (\d+)", output))
    result.moves = frozenset(tuple(pair) for pair in re.findall(r"^MOVE (\w+) (\w+)$", output, re.M))
    for complaint in ("max search depth too small", "out of memory", "VECTORSZ"):
        if complaint in output:
            result.trouble = complaint
    if "errors:" not in output:
        result.trouble = result.trouble or "the search did not end"
    return first(r"errors: (\d+)", output) != "0"


# Lines that the model prints; spin adds others.
TOLD = re.compile(r"^(?: *(?:\d: |azure|somebody|readers|target|a lost )|BROKEN|<<<<<START)")


def read_trail(case, where):
    """What happened, in the model's own words: moves, effects, and the promise that was broken."""
    said = run(["spin", "-t", "-T", "-B", *defines_of(case), MODEL], where)
    lines = [line for line in said.splitlines() if TOLD.match(line)]
    end = next((i for i, line in enumerate(lines, 1) if line.startswith("BROKEN")), len(lines))
    return [line.replace("slot 0", "primary").replace("slot 1", "secondary")
            for line in lines[:end]]


def broken_by(trail, output):
    if trail and trail[-1].startswith("BROKEN "):
        return trail[-1].split()[1]
    if "acceptance cycle" in output:
        return first(r"never claim\s+\+ \((\w+)\)", output, "a claim")
    return first(r"pan:\d+: (.*?) \(at depth", output, "something")


def search(case, extra=(), options=("-m5000000", "-w22")):
    result = Result(case)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyrotated-model.") as directory:
        where = pathlib.Path(directory)
        result.trouble = build(case, where, extra)
        if result.trouble:
            return result
        claim = ["-a"] if is_claim(case) else []
        try:
            output = run(["./pan", *claim, *options], where)
        except subprocess.TimeoutExpired:
            result.trouble = f"no end within {PAN_TIMEOUT_S} s"
            return result
        if read_search(result, output):
            result.trail = read_trail(case, where)
            result.broken = broken_by(result.trail, output)
        elif "Search not completed" in output and not result.trouble:
            result.trouble = "the search was not exhaustive"
    result.seconds = time.monotonic() - started
    return result


def shortest_trail(result):
    """Breadth first finds the shortest way to a broken promise, where memory lasts."""
    if is_claim(result.case):
        return result.trail
    shorter = search(result.case, extra=["-DBFS"], options=("-w22",))
    return shorter.trail or result.trail


def print_trail(result, lines=None):
    trail = shortest_trail(result)
    if lines and len(trail) > lines:
        print(f"        ... ({len(trail) - lines} lines before)")
        trail = trail[-lines:]
    for line in trail:
        print(f"        {line}")


# --- the two tables of moves ---

def read_left_out(path):
    """{(from, to): reason} of the lines "from -> to: reason"."""
    return {(source, target): reason for source, target, reason in
            re.findall(r"^(\w+) -> (\w+): (.+)$", path.read_text(), re.M)}


def compare_moves(code, model, left_out):
    """What is wrong between the moves that the code allows and those that the model makes."""
    wrong = [f"the model moves {a} -> {b}, which the code forbids" for a, b in sorted(model - code)]
    wrong += [f"the code allows {a} -> {b}, which the model never does"
              for a, b in sorted(code - model - left_out)]
    wrong += [f"{a} -> {b} is listed as left out, but the model does it"
              for a, b in sorted(left_out & model)]
    wrong += [f"{a} -> {b} is listed as left out, but the code does not allow it"
              for a, b in sorted(left_out - code)]
    return wrong


def compare_positions(code, model):
    return [f"no configuration reaches {position}"
            for position in sorted({p for move in code for p in move} - {p for m in model for p in m})]


def self_test(code, model, left_out):
    """A difference on either side alone has to be seen. Returns [(name, problem or "")]."""
    some = min(code & model)
    foreign = ("idle", "regenerate")
    altered = {
        "a move taken out of the code": (code - {some}, model, left_out),
        "a move added to the code": (code | {foreign}, model, left_out),
        "a move taken out of the model": (code, model - {some}, left_out),
        "a move added to the model": (code, model | {foreign}, left_out),
        "a move left out that is made": (code, model, left_out | {some}),
        "a move left out that is not allowed": (code, model, left_out | {foreign}),
    }
    return [(name, "" if compare_moves(*tables) else "was not noticed")
            for name, tables in altered.items()]


def check_moves(program, results):
    """[(name, problem or "")]"""
    said = subprocess.run([program], text=True, stdout=subprocess.PIPE, check=True).stdout
    code = {tuple(line.split()) for line in said.splitlines()}
    model = set().union(*(r.moves for r in results if r.case.kind == HOLDS))
    left_out = set(read_left_out(HERE / "moves_left_out.txt"))
    checks = [("the moves of the code and of the model", compare_moves(code, model, left_out)),
              ("every position is reached", compare_positions(code, model))]
    return [(name, "; ".join(wrong)) for name, wrong in checks] + self_test(code, model, left_out)


# --- telling ---

def title(case):
    return {HOLDS: "", LIMIT: "limit: ", REMEDY: "remedy: ", SEED: "without: "}[case.kind] + case.name


def print_row(result):
    print(f"  {title(result.case):48} {result.states:9,} {result.transitions:11,} {result.depth:8,}"
          f" {result.seconds:7.1f}  {result.verdict}", flush=True)


def write_results(path, results, checks):
    cases = [(title(r.case), "" if r.good else r.verdict, r.seconds) for r in results]
    cases += [(name, problem, 0.0) for name, problem in checks]
    suite = ET.Element("testsuite", name="model", tests=str(len(cases)),
                       failures=str(sum(1 for case in cases if case[1])), errors="0", skipped="0")
    for name, problem, seconds in cases:
        case = ET.SubElement(suite, "testcase", classname="model", name=name, time=f"{seconds:.2f}")
        if problem:
            ET.SubElement(case, "failure", message=problem)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", metavar="PROGRAM", help="prints the moves that the code allows")
    parser.add_argument("--results", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--trail", metavar="NAME", help="that case alone, and how its error comes about")
    arguments = parser.parse_args()
    if not shutil.which("spin"):
        sys.exit("spin is not installed: run `make deps-model`")

    if arguments.trail:
        chosen = [case for case in CASES if arguments.trail in title(case)]
        for result in map(search, chosen):
            print_row(result)
            print_trail(result)
        return 0 if chosen else 1

    print(f"  {'':48} {'states':>9} {'transitions':>11} {'depth':>8} {'seconds':>7}")
    results = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(search, CASES):
            results.append(result)
            print_row(result)
            if not result.good:
                print_trail(result, TRAIL_LINES)
    checks = check_moves(arguments.moves, results) if arguments.moves else []
    for name, problem in checks:
        print(f"  {name:48} {'FAIL: ' + problem if problem else 'ok'}")
    if arguments.results:
        write_results(arguments.results, results, checks)

    failed = sum(not r.good for r in results) + sum(bool(problem) for _, problem in checks)
    print(f"{len(results) + len(checks) - failed} checks of the model passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
