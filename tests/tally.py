#!/usr/bin/python3
"""Adds up JUnit result files: what failed, and in one line "N passed, N failed".

Arguments are files, and directories of which every *.xml counts; and so does every failed check. Failed
steps count as one failure in all if no counted check failed. Fails where something failed, and where
there is no result at all.
"""

import argparse
import pathlib
import sys
import xml.etree.ElementTree as ET

LINES_OF_ONE = 12


def told(case, failure):
    """Which test failed, and what it said: pytest marks those lines with E."""
    text = failure.text or failure.get("message") or ""
    lines = [line for line in text.splitlines() if line.startswith("E ")] or text.splitlines()
    more = len(lines) - LINES_OF_ONE
    return [f"FAILED {case.get('classname')}: {case.get('name')}",
            *(f"  {line}" for line in lines[:LINES_OF_ONE]),
            *([f"  … and {more} lines more"] if more > 0 else [])]


def failures(suite):
    for case in suite.iter("testcase"):
        for failure in [*case.iter("failure"), *case.iter("error")]:
            yield told(case, failure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failed-checks", type=int, default=0, metavar="N")
    parser.add_argument("--failed-steps", type=int, default=0, metavar="N")
    parser.add_argument("places", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()

    files = [file for place in arguments.places
             for file in (place.glob("*.xml") if place.is_dir() else [place]) if file.exists()]
    passed = failed = 0
    for file in files:
        for suite in ET.parse(file).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed += bad
            passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
            for lines in failures(suite):
                print("\n".join(lines))
    failed += arguments.failed_checks
    if arguments.failed_steps and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
