#!/usr/bin/python3
"""Shows that the oracles of the simulated world convict: the designs that the field uses, and
keyrotated with each of its rules taken out (mutations/).

Each must be convicted by the oracle that the list names; every rule and every oracle must be in the
list; and with an oracle switched off, what it convicts must pass, so that the loss of an oracle is
noticed.

  mutants.py               everything (after make build/sim)
  mutants.py NAME…         these alone
  mutants.py --list        checks the list alone: is it complete, and true of the source as it is?
  mutants.py --table FILE  writes the table for people
"""

import argparse
import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

sys.dont_write_bytecode = True
from mutations import DESIGNS, MUTATIONS  # noqa: E402

RULES = range(1, 17)
PLAY_TIMEOUT_S = 1800  # seconds, on a machine that has nothing else to do
YEARS_WITHOUT = 200  # to be played with an oracle switched off
HERE = pathlib.Path(__file__).parent
SCENARIOS = HERE / "scenarios"
TABLE = HERE / "CONVICTED.md"


@dataclasses.dataclass
class Case:
    """A design or a mutation, or an oracle that is switched off, and what was seen of it."""
    name: str
    rule: str
    oracle: str
    seen: str = ""
    seed: str = ""
    failure: str = ""
    seconds: float = 0.0


# --- the list itself ---

def mutated(mutation):
    """The changed files of a mutation: {path below daemon/: text}."""
    texts = {}
    for file, before, after in mutation.edits:
        text = texts.get(file) or pathlib.Path("daemon", file).read_text()
        if text.count(before) != 1:
            raise ValueError(f"{text.count(before)} times, not once, in daemon/{file}:\n{before}")
        texts[file] = text.replace(before, after)
    return texts


def known_oracles(program):
    listed = subprocess.run([program, "--oracles"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return {line.split()[0] for line in listed.splitlines()}


def gaps(arguments):
    """What the list lacks."""
    expected = {mutation.oracle for mutation in MUTATIONS}
    names = [item.name for item in DESIGNS + MUTATIONS]
    for rule in sorted(set(RULES) - {mutation.rule for mutation in MUTATIONS}):
        yield f"rule {rule} is never taken out"
    for oracle in sorted(arguments.oracles - expected):
        yield f"the oracle {oracle} convicts nothing in the list"
    for oracle in sorted(expected - arguments.oracles):
        yield f"there is no oracle {oracle}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} stands twice in the list"
    for mutation in MUTATIONS:
        try:
            mutated(mutation)
        except (ValueError, OSError) as error:
            yield f"{mutation.name}: {error}"
    if not TABLE.exists() or TABLE.read_text() != table():
        yield f"{TABLE} is out of date: mutants.py --table {TABLE}"


# --- the table for people ---

def table():
    lines = [
        "# What the oracles convict",
        "",
        "Written by `mutants.py --table`, and compared by `make mutants`, which plays all of it in",
        "the simulated world. `build/sim --oracles` says what each oracle stands for.",
        "",
        "## Designs of the field",
        "",
        "Each is convicted in random worlds, and in the scenario `design-NAME`, which keyrotated",
        "survives.",
        "",
        "| design | what it does | convicted by | what happens |",
        "|---|---|---|---|",
    ]
    lines += [f"| {d.name} | {d.what} | {d.oracle} | {d.outage} |" for d in DESIGNS]
    lines += [
        "",
        "## keyrotated without one of its rules",
        "",
        "The rules are those of the project's README, \"Why it is safe\".",
        "",
        "| mutant | what was taken out | rule | convicted by | what happens |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {m.name} | {m.what} | {m.rule} | {m.oracle} | {m.outage} |" for m in MUTATIONS]
    return "\n".join(lines) + "\n"


# --- building ---

def ask_make(goal):
    command = ["make", "-s", "--no-print-directory", goal, "FILE=daemon/core/rotation.c"]
    # Of the make that runs this, its variables, without its jobs: their descriptors are closed here.
    flags = re.sub(r" ?(-j\d*|--jobserver-\S+)", "", os.environ.get("MAKEFLAGS", ""))
    return shlex.split(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                                      env={**os.environ, "MAKEFLAGS": flags}).stdout)


def build(arguments, mutation, directory):
    """The simulation with the mutated files in front of the library. Returns the program."""
    directory = pathlib.Path(directory)
    objects = []
    for file, text in mutated(mutation).items():
        source = directory / file.replace("/", "_")
        source.write_text(text)
        objects.append(str(source.with_suffix(".o")))
        subprocess.run(arguments.compile + ["-w", "-c", str(source), "-o", objects[-1]],
                       check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    program = directory / "sim"
    link = [part for word in arguments.link for part in (objects if word == "CHANGED" else [word])]
    subprocess.run(link + ["-o", str(program)], check=True, text=True, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
    return str(program)


# --- playing ---

def run_program(command):
    return subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PLAY_TIMEOUT_S)


def play_random(case, arguments, program, options):
    """Worlds from chance, until the oracle convicts."""
    played = run_program([program, "--years", str(arguments.years), "--seed", str(arguments.seed),
                          "--jobs", "1", "--expect", case.oracle] + options)
    found = re.search(r"seed (\d+): (.*)", played.stdout)
    if played.returncode == 0 and found:
        case.seed, case.seen = found.groups()
    else:
        case.failure = f"{case.oracle} does not convict it\n{played.stdout}"


def play_scenario(case, arguments, program, options, scenario, also_without=()):
    """One scenario, with all oracles but the expected one switched off."""
    others = sorted(arguments.oracles - {case.oracle} | set(also_without))
    played = run_program([program, "--scenario", str(SCENARIOS / f"{scenario}.txt"),
                          "--without", ",".join(others)] + options)
    found = re.search(rf"{scenario}\.txt: ({case.oracle} .*)", played.stdout)
    if found:
        case.seen = found.group(1)
    else:
        case.failure = f"{case.oracle} does not convict it in {scenario}\n{played.stdout}"


def try_design(arguments, design):
    case = Case(design.name, "design", design.oracle)
    play_random(case, arguments, arguments.sim, ["--design", design.name])
    return case


def try_design_in_scenario(arguments, design):
    case = Case(f"design-{design.name}", "scenario", design.oracle)
    play_scenario(case, arguments, arguments.sim, ["--design", design.name],
                  f"design-{design.name}")
    return case


def play_mutation(case, arguments, program, mutation, without):
    options = ["--without", mutation.oracle] if without else []
    if mutation.scenario:
        play_scenario(case, arguments, program, [], mutation.scenario,
                      {mutation.oracle} if without else ())
    else:
        play_random(case, arguments, program, options)


def try_with(arguments, program, mutation):
    rule = f"rule {mutation.rule}" if mutation.rule in RULES else mutation.rule
    case = Case(mutation.name, rule, mutation.oracle)
    play_mutation(case, arguments, program, mutation, without=False)
    return case


def try_without(arguments, program, mutation):
    """The oracle is switched off, and the mutation must pass: otherwise the loss of an oracle
    could go unnoticed."""
    case = Case(f"without-{mutation.oracle}", mutation.name, mutation.oracle)
    arguments = argparse.Namespace(**{**vars(arguments), "years": YEARS_WITHOUT})
    play_mutation(case, arguments, program, mutation, without=True)
    if not case.failure:
        case.failure = f"it is switched off, and convicts: {case.seen}"
    elif re.search("did not convict|scenarios passed", case.failure):
        case.failure, case.seen = "", "gets away"
    return case


def timed(try_one, arguments, *rest):
    """`rest` ends with the design or the mutation."""
    started = time.monotonic()
    try:
        case = try_one(arguments, *rest)
    except (subprocess.SubprocessError, ValueError, OSError) as error:
        item = rest[-1]
        case = Case(item.name, "", item.oracle,
                    failure=f"{error}\n{getattr(error, 'stdout', '') or ''}")
    case.seconds = time.monotonic() - started
    return case


def design_cases(arguments, design):
    return [timed(try_design, arguments, design), timed(try_design_in_scenario, arguments, design)]


def mutation_cases(arguments, mutation, also_without):
    """Both plays are of one program."""
    with tempfile.TemporaryDirectory(prefix="keyrotated-mutant-") as directory:
        try:
            program = build(arguments, mutation, directory)
        except (subprocess.SubprocessError, ValueError, OSError) as error:
            return [Case(mutation.name, "", mutation.oracle,
                         failure=f"{error}\n{getattr(error, 'stdout', '') or ''}")]
        tries = [try_with, try_without] if also_without else [try_with]
        return [timed(try_one, arguments, program, mutation) for try_one in tries]


def one_for_each_oracle():
    chosen = {}
    for mutation in MUTATIONS:
        chosen.setdefault(mutation.oracle, mutation)
    return list(chosen.values())


def report(case):
    print(f"  {'FAIL' if case.failure else 'ok':4}  {case.name:28} {case.rule:10} "
          f"{case.oracle:18} {case.seconds:5.1f} s  {case.seed:>7}  {case.seen}", flush=True)
    if case.failure:
        print("".join(f"        | {line}\n" for line in case.failure.splitlines()[-30:]), flush=True)


def write_results(path, cases):
    failed = [case for case in cases if case.failure]
    suite = ET.Element("testsuite", name="mutants", tests=str(len(cases)), failures=str(len(failed)),
                       errors="0", skipped="0")
    for case in cases:
        element = ET.SubElement(suite, "testcase", classname="mutants", name=case.name)
        if case.failure:
            ET.SubElement(element, "failure").text = case.failure
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    ET.ElementTree(suite).write(path)


def work_on(arguments):
    """What is to be done: for each design and mutation, and for each oracle."""
    switched_off = [] if arguments.names else one_for_each_oracle()
    for item in DESIGNS + MUTATIONS:
        if arguments.names and item.name not in arguments.names:
            continue
        if item in DESIGNS:
            yield functools.partial(design_cases, arguments, item)
        else:
            yield functools.partial(mutation_cases, arguments, item, item in switched_off)


def run(arguments):
    unknown = set(arguments.names) - {item.name for item in DESIGNS + MUTATIONS}
    if unknown:
        sys.exit(f"there is no {', '.join(sorted(unknown))}")
    arguments.sim = os.path.join(arguments.build, "sim")
    arguments.oracles = known_oracles(arguments.sim)
    arguments.compile = ask_make("print-sim-compile")
    arguments.link = ask_make("print-sim-link")
    cases = [Case("list", "", "", failure="\n".join(gaps(arguments)))]
    report(cases[0])
    if arguments.list:
        return cases
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for made in pool.map(lambda work: work(), work_on(arguments)):
            for case in made:
                report(case)
            cases += made
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", metavar="DIRECTORY")
    parser.add_argument("--results", metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--years", type=int, default=10000, help="account-years before it is missed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", metavar="FILE")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()

    if arguments.table:
        pathlib.Path(arguments.table).write_text(table())
        return 0
    cases = run(arguments)
    if arguments.results:
        write_results(arguments.results, cases)
    failed = sum(bool(case.failure) for case in cases)
    print(f"mutants: {len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
