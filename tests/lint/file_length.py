#!/usr/bin/python3
"""A source file of more than 600 lines holds two ideas: names those that do, and fails."""

import pathlib
import sys

LONGEST = 600
PATTERNS = ["daemon/**/*.[ch]", "tests/**/*.[ch]", "tests/**/*.py", "tests/**/*.sh"]


def main():
    too_long = 0
    for file in sorted(file for pattern in PATTERNS for file in pathlib.Path().glob(pattern)):
        lines = file.read_bytes().count(b"\n")
        if lines > LONGEST:
            print(f"{file}: {lines} lines, more than {LONGEST}", file=sys.stderr)
            too_long += 1
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
