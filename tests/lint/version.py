#!/usr/bin/python3
"""Checks that the version stands only once, though it is written twice: VERSION in the Makefile is that
of debian/changelog's newest entry, whose date is one that mail programs and dpkg can read.
"""

import email.utils
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]


def main():
    makefile = re.search(r"^VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    changelog = (ROOT / "debian/changelog").read_text(encoding="utf-8")
    newest = re.match(r"keyrotated \((\S+)\) ", changelog)
    trailer = re.search(r"^ -- .+ <.+>  (.+)$", changelog, re.M)
    if not makefile or not newest or makefile[1] != newest[1]:
        print(f"VERSION in the Makefile is {makefile and makefile[1]}, in debian/changelog "
              f"{newest and newest[1]}: change the other one, too", file=sys.stderr)
        return 1
    if not trailer or not email.utils.parsedate_tz(trailer[1]):
        print("debian/changelog: the newest entry has no date, or none in RFC 5322's form",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
