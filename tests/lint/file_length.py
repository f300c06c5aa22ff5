#!/usr/bin/python3
"""Names source files of more than 600 lines and functions of more than 60 lines, and fails if there
are any.

    file_length.py               checks daemon/ and tests/
    file_length.py --self-test   fails if a file or a function that is too long goes unnoticed
"""

import pathlib
import re
import sys

LONGEST_FILE, LONGEST_FUNCTION = 600, 60
PATTERNS = ["daemon/**/*.[ch]", "tests/**/*.[ch]", "tests/**/*.py", "tests/**/*.sh"]
FUNCTION = re.compile(r"(?<=\)\n)\{$.*?^\}$", re.S | re.M)


def violations(name, text):
    """Yields sentences."""
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{name}: {lines} lines, more than {LONGEST_FILE}"
    if not (name.startswith("daemon/") and name.endswith(".c")):
        return
    for function in FUNCTION.finditer(text):
        inside = function.group().count("\n") - 1
        if inside > LONGEST_FUNCTION:
            line = text.count("\n", 0, function.start())
            yield f"{name}:{line}: a function of {inside} lines, more than {LONGEST_FUNCTION}"


def self_test():
    def function(lines):
        return "int f(void)\n{\n" + "    g();\n" * lines + "}\n"

    good = [("daemon/a.c", "\n" * 600), ("daemon/b.c", function(60) * 2), ("tests/c.c", function(61))]
    bad = [("daemon/a.c", "\n" * 601), ("daemon/b.c", function(1) + function(61))]
    wrong = [case for case in good if list(violations(*case))]
    wrong += [case for case in bad if not list(violations(*case))]
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = [sentence for pattern in PATTERNS for file in sorted(pathlib.Path().glob(pattern))
             for sentence in violations(file.as_posix(), file.read_text(encoding="utf-8"))]
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
