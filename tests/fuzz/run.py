#!/usr/bin/python3
"""Runs fuzzers, a few at a time, each for so many seconds, and says what they did.

Each begins with its seeds (tests/fuzz/seeds/NAME) and what earlier runs have learned
(BUILD/fuzz/NAME/corpus). It fails where it crashed, leaked, hung, took too much memory, or did no more
than read its seeds; the input that did it is kept, and how to run it again is told.
"""

import argparse
import base64
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).parent
INPUT_MAX = 8192
HANGS_AFTER_S = 20
MEMORY_MAX_MB = 2048
# Starting, reading the corpus and the search for leaks at the end are not counted by libFuzzer.
PATIENCE_S = 300
OUTPUT_LINES_SHOWN = 60
SHOWN_MAX = 3000  # the bytes of an input that are shown, for its file may not outlive the machine


@dataclasses.dataclass
class Outcome:
    name: str
    executions: int = 0
    edges: int = 0
    features: int = 0
    corpus: int = 0
    seeds: int = 0
    seconds: float = 0.0
    problem: str = ""
    output: str = ""
    artefacts: list = dataclasses.field(default_factory=list)


def seeds_of(name):
    return HERE / "seeds" / name


def command(program, name, work, seconds, extra=()):
    corpus, artefacts = work / "corpus", work / "artefacts"
    corpus.mkdir(parents=True, exist_ok=True)
    artefacts.mkdir(parents=True, exist_ok=True)
    line = [str(program), str(corpus), str(seeds_of(name)), f"-max_total_time={seconds}",
            f"-timeout={HANGS_AFTER_S}", f"-rss_limit_mb={MEMORY_MAX_MB}", f"-max_len={INPUT_MAX}",
            f"-artifact_prefix={artefacts}/", "-print_final_stats=1", "-reload=0",
            # The names of functions that are reached would take a second process a fifth of the time.
            "-print_funcs=0", *extra]
    words = HERE / "words" / f"{name}.dict"
    if words.exists():
        line.append(f"-dict={words}")
    return line


def understand(outcome, text, returncode):
    executions = re.search(r"stat::number_of_executed_units:\s+(\d+)", text)
    outcome.executions = int(executions[1]) if executions else 0
    for edges, features, corpus in re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/", text):
        outcome.edges, outcome.features = int(edges), int(features)
        outcome.corpus = int(corpus)
    outcome.output = text
    if returncode != 0:
        reasons = re.findall(r"^(?:==\d+==\s*ERROR: .*|.*: broken: .*|.*runtime error: .*|"
                             r"SUMMARY: .*)$", text, re.M)
        outcome.problem = reasons[0].strip() if reasons else f"exit status {returncode}"
    elif outcome.executions <= outcome.seeds:
        outcome.problem = "it did no more than read its seeds"


def run(program, build, seconds):
    name = program.name.removeprefix("fuzz_")
    work = build / "fuzz" / name
    outcome = Outcome(name, seeds=len(list(seeds_of(name).glob("*"))))
    if not outcome.seeds:
        outcome.problem = f"there are no seeds in {seeds_of(name)}"
        return outcome
    before = set((work / "artefacts").glob("*"))
    started = time.monotonic()
    try:
        done = subprocess.run(command(program, name, work, seconds), text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds + PATIENCE_S)
        understand(outcome, done.stdout, done.returncode)
    except subprocess.TimeoutExpired as expired:
        outcome.output = (expired.stdout or b"").decode(errors="replace")
        outcome.problem = "hung"
    outcome.seconds = time.monotonic() - started
    outcome.artefacts = sorted(set((work / "artefacts").glob("*")) - before)
    (work / "log").write_text(outcome.output)
    return outcome


def report(outcome, program):
    print(f"  {'FAIL' if outcome.problem else 'ok':4}  {outcome.name:18}"
          f" {outcome.executions:11,} executions {outcome.edges:7,} edges {outcome.features:7,} features"
          f" {outcome.corpus:6,} in the corpus  {outcome.seconds:6.1f} s", flush=True)
    if not outcome.problem:
        return
    print(f"        {outcome.problem}")
    for artefact in outcome.artefacts:
        print(f"        again: {program} {artefact}")
        print(f"        keep:  cp {artefact} {os.path.relpath(seeds_of(outcome.name))}/WHAT-IT-IS")
    lines = [line for line in outcome.output.splitlines() if not re.match(r"#\d+\t", line)]
    lines = lines[-OUTPUT_LINES_SHOWN:]
    print("".join(f"        | {line}\n" for line in lines), flush=True)


def write_results(path, suite_name, cases):
    """`cases`: pairs of a name and what is wrong, or an empty text."""
    suite = ET.Element("testsuite", name=suite_name, tests=str(len(cases)),
                       failures=str(sum(1 for _, problem in cases if problem)), errors="0", skipped="0")
    for name, problem in cases:
        case = ET.SubElement(suite, "testcase", classname=suite_name, name=name)
        if problem:
            ET.SubElement(case, "failure", message=problem)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("programs", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()

    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(run, program, arguments.build, arguments.seconds): program
                   for program in arguments.programs}
        for future in concurrent.futures.as_completed(running):
            outcomes.append(future.result())
            report(outcomes[-1], running[future])
    outcomes.sort(key=lambda outcome: outcome.name)
    if arguments.results:
        write_results(arguments.results, "fuzz", [(o.name, o.problem) for o in outcomes])
    failed = [outcome for outcome in outcomes if outcome.problem]
    print(f"{sum(o.executions for o in outcomes):,} executions")
    for outcome in failed:  # once more, for whoever reads the last lines alone
        print(f"{outcome.name}: {outcome.problem}")
        print("".join(f"  {artefact}: {base64.b64encode(artefact.read_bytes()).decode()}\n"
                      for artefact in outcome.artefacts if artefact.stat().st_size <= SHOWN_MAX), end="")
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
