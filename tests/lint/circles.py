#!/usr/bin/python3
"""Are there circles of files?

    circles.py DIRECTORY     checks the C files below DIRECTORY
    circles.py --self-test   makes circles, and fails if one goes unnoticed

A file stands on another when it uses a function or a variable that the other defines, or when its
header includes the other's header. Files that stand on each other, directly or through others,
cannot be read, tested or replaced one at a time. What is handed over as a pointer to a function at
run time is no such use: that is how a file below calls one above.

Prints one line per circle: its files, and for each step the name that is used.
"""

import pathlib
import re
import sys
import tempfile

NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)(?!\))", re.S)
BODY = re.compile(r"^\{$.*?^\}$", re.S | re.M)
# What stands between two bodies, at the beginning of a line: `type name(parameters)`.
FUNCTION = re.compile(r"^(?!static\b|typedef\b)[A-Za-z_][\w\s*]*?\b(\w+)\([^;{}]*\)\s*$", re.S)
VARIABLE = re.compile(r"^(?!static\b|extern\b|typedef\b|struct \w+ \{|enum\b|union\b)"
                      r"(?:const )?[A-Za-z_][\w\s*]*?\b(\w+)(?:\[[^]]*\])* = ", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
NAME = re.compile(r"[A-Za-z_]\w*")
# Tags of types and names of members live apart from those of functions.
OTHER_NAMES = re.compile(r"^(?:struct|union) \w+ \{$.*?^\}|\b(?:struct|enum|union)\s+\w+|(?:\.|->)\s*\w+", re.S | re.M)


def code_of(text):
    """Without comments, strings and preprocessor lines."""
    text = ATTRIBUTE.sub(" ", NOT_CODE.sub(" ", text))
    return re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)


def defined(code):
    """The names that a source file offers to others."""
    names = {match[1] for match in VARIABLE.finditer(code)}
    begin = 0
    for body in BODY.finditer(code):
        # The last declaration before the body, after the last `;` or `}` that ends a line.
        before = re.split(r"[;}]\s*\n", code[begin:body.start()])[-1].strip()
        function = FUNCTION.match(before)
        if function:
            names.add(function[1])
        begin = body.end()
    return names


def graph_of(root):
    """{file: {file it stands on: the name that shows it}}, sources by calls, headers by includes."""
    files = {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.glob("**/*.[ch]"))}
    codes = {file: code_of(text) for file, text in files.items() if file.endswith(".c")}
    home = {}
    for file, code in codes.items():
        if not file.endswith("/main.c"):
            home.update({name: file for name in defined(code)})
    graph = {}
    for file, code in codes.items():
        used = {name for name in NAME.findall(OTHER_NAMES.sub(" ", code)) if home.get(name, file) != file}
        graph[file] = {home[name]: name for name in sorted(used)}
    for file, text in files.items():
        if file.endswith(".h"):
            graph[file] = {name: "#include" for name in INCLUDE.findall(text) if name in files}
    return graph


def circles(graph):
    """Tarjan's strongly connected components, but for single files that do not stand on themselves."""
    number, low, stack, found = {}, {}, [], []

    def visit(file):
        number[file] = low[file] = len(number)
        stack.append(file)
        for other in graph[file]:
            if other not in number:
                visit(other)
                low[file] = min(low[file], low[other])
            elif other in stack:
                low[file] = min(low[file], number[other])
        if low[file] == number[file]:
            component = set(stack[stack.index(file):])
            del stack[stack.index(file):]
            if len(component) > 1 or file in graph[file]:
                found.append(component)

    for file in graph:
        if file not in number:
            visit(file)
    return found


def shortest_way(graph, component):
    """One shortest circle through the first file of the component: [(file, name), …]"""
    start = min(component)
    ways, seen = [[(start, "")]], set()
    while ways:
        way = ways.pop(0)
        for other, name in graph[way[-1][0]].items():
            if other == start:
                return [*way, (start, name)]
            if other in component and other not in seen:
                seen.add(other)
                ways.append([*way, (other, name)])
    raise AssertionError("a component has a way back")


def describe(graph, component):
    steps = shortest_way(graph, component)
    way = steps[0][0] + "".join(f" → {file} ({name})" for file, name in steps[1:])
    return f"circle of {len(component)} files: {', '.join(sorted(component))}; for one, {way}"


def found_below(files):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        graph = graph_of(root)
        return [describe(graph, component) for component in circles(graph)]


def self_test():
    """Circles of two and of three, of calls, of a table and of headers; and what is none."""
    bad = {
        "two": {"io/a.c": "int a(void)\n{\n    return b();\n}\n",
                "io/b.c": "int b(void)\n{\n    return a();\n}\n"},
        "three": {"app/a.c": "void a(void)\n{\n    b();\n}\n",
                  "app/b.c": "struct x *\nb(int one,\n  int two)\n{\n    c(1);\n}\n",
                  "app/c.c": "static void f(void)\n{\n    a();\n}\n\nvoid c(int n)\n{\n    f();\n}\n"},
        "pointer": {"io/a.c": "void a(void)\n{\n    hand_over(b);\n}\n",
                    "io/b.c": "void b(void)\n{\n    a();\n}\n"},
        "table": {"io/a.c": "const struct row rows[] = {\n    {b},\n};\n",
                  "io/b.c": "void b(void)\n{\n    use(rows);\n}\n"},
        "itself": {"io/a.h": '#include "io/a.h"\n'},
        "headers": {"io/a.h": '#include "io/b.h"\n', "io/b.h": '#include "io/a.h"\n'},
    }
    good = {"io/a.c": 'struct b {\n    int c;\n};\n\n/* b() comes later. */\nvoid a(void)\n{\n    log_it("b()", x->c, (struct b){.c = 1});\n}\n',
            "io/b.c": "static void own(void)\n{\n}\n\nvoid b(void)\n{\n    own();\n    a();\n}\n",
            "io/c.c": "static void own(void)\n{\n    b();\n}\n\nvoid c(void)\n{\n    own();\n}\n"}
    missed = [name for name, files in bad.items() if not found_below(files)]
    wrong = found_below(good)
    for name in missed:
        print(f"self-test: goes unnoticed: {name}")
    for line in wrong:
        print(f"self-test: is none: {line}")
    return 1 if missed or wrong else 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    graph = graph_of(pathlib.Path(sys.argv[1]))
    found = circles(graph)
    for component in found:
        print(describe(graph, component))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
