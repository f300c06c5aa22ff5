#!/usr/bin/python3
"""Does the code use one of several possible idioms throughout?

    idioms.py FILE…         checks C files
    idioms.py --self-test   writes each idiom the other way, and fails if one goes unnoticed

Prints one line FILE:LINE: what is wrong, per violation.
"""

import pathlib
import re
import sys

NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
OTHER_WAYS = (
    (re.compile(r"[!=]=\s*NULL\b|\bNULL\s*[!=]="),
     "a pointer is tested by `p` and `!p`; `!!p` is the truth value itself"),
    (re.compile(r"\bsizeof(?!\()"), "sizeof(x), with parentheses"),
)
# In a function. A member of a struct may be called after what it is the result of.
IN_FUNCTIONS = (
    (re.compile(r"^    (?: {4})*(?:const )?int (?:r|ret|res|result|failed|errcode)(?: =|;|,)"
                r"|^    (?: {4})*(?:const )?int code =|^    int code;"),
     "a return code is called rc (SQLite's own, next to it, sqlite_rc)"),
)
FUNCTION = re.compile(r"(?<=\)\n)\{$.*?^\}$", re.S | re.M)


def blank_out(match):
    return re.sub(r"[^\n]", " ", match.group())


def violations(text):
    """Yields (line number, sentence)."""
    code = NOT_CODE.sub(blank_out, text)
    for number, line in enumerate(code.splitlines(), 1):
        yield from ((number, sentence) for pattern, sentence in OTHER_WAYS if pattern.search(line))
    for function in FUNCTION.finditer(code):
        before = code.count("\n", 0, function.start())
        for number, line in enumerate(function.group().splitlines(), before + 1):
            yield from ((number, sentence) for pattern, sentence in IN_FUNCTIONS if pattern.search(line))


def self_test():
    bad = ("    if (p == NULL)", "    return p != NULL;", "    while (NULL != p)", "    memset(p, 0, sizeof *p);",
           "int f(void)\n{\n    int r;\n}", "int f(int n)\n{\n    const int result = g(n);\n}",
           "int f(int n)\n{\n    if (n) {\n        int failed = 0;\n    }\n}")
    good = ("    if (!p && q)", "    return !!p; /* p != NULL */", '    log("p == NULL, sizeof x");',
            "    size_t n = sizeof(x);", "int f(void)\n{\n    int rc = f();\n    int result_count;\n}",
            "    p = NULL;", "struct job {\n    int result;\n};")
    wrong = [f"goes unnoticed: {line}" for line in bad if not list(violations(line))]
    wrong += [f"is none: {line}" for line in good if list(violations(line))]
    for line in wrong:
        print(f"self-test: {line}", file=sys.stderr)
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 64
    found = 0
    for name in sys.argv[1:]:
        for number, sentence in violations(pathlib.Path(name).read_text()):
            print(f"{name}:{number}: {sentence}", file=sys.stderr)
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
