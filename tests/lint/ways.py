#!/usr/bin/python3
"""Does each type of target have its twenty ways of being wrong, with a cause and a remedy each?

    ways.py               counts the entries of the tables in the tests, and fails below twenty
    ways.py --self-test   counts tables of known length, and leaves out a type

A type is a row of daemon/io/target/target_list.h. Its tables are named below: a table or a list in a test,
or a function, whose expectations count.
"""

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = 20
TYPES = "daemon/io/target/target_list.h"
TABLES = {
    "exec": {"tests/unit/test_target_exec.c": ["ways", "files", "codes"]},
    "file": {"tests/e2e/test_target_file.py": ["WAYS"]},
    "key_vault": {"tests/e2e/test_target_key_vault.py": ["WAYS"]},
    "hashicorp_vault": {"tests/e2e/test_target_hashicorp_vault.py": ["WRONG", "targets"]},
    "webhook": {"tests/e2e/test_target_webhook.py": ["REFUSALS", "words"],
                "tests/unit/test_target_webhook.c": ["ways", "test_files_that_cannot_be_used"]},
    "socket": {"tests/e2e/test_target_socket.py": ["WAYS"]},
    "kubernetes_secret": {"tests/e2e/test_target_kubernetes.py": ["ANSWERS", "prepare_objects",
                                                                  "prepare_places"]},
    "app_settings": {"tests/e2e/test_target_app_settings.py": ["WAYS", "CONTAINER_WAYS"],
                     "tests/unit/test_arm_target.c": ["cases"]},
    "batch_auto_storage": {"tests/e2e/test_target_batch_auto_storage.py": ["WAYS"]},
    "systemd_credential": {"tests/e2e/test_target_systemd_credential.py": ["WAYS"]},
    "unit": {"tests/e2e/test_hooks.py": ["WAYS", "BUS_WAYS"]},
}
EXPECTATION = re.compile(r"\b(?:both_fail|expect_failure|expect)\(")


def count_python(text, name):
    """The entries of the first literal of that name, or the expectations of a function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and name in [getattr(to, "id", "") for to in node.targets]:
            if isinstance(node.value, ast.Dict):
                return len(node.value.keys)
            if isinstance(node.value, (ast.List, ast.Tuple)):
                return len(node.value.elts)
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return sum(isinstance(one, ast.Yield) for one in ast.walk(node))
    return 0


def elements(initializer):
    """The number of elements of what follows a `{`."""
    depth, count, filled = 0, 0, False
    for piece in re.findall(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|.', initializer, re.S):
        if piece.startswith("/*") or piece.isspace():
            continue
        if piece == "}" and depth == 0:
            break
        depth += (piece in "{(") - (piece in "})")
        if piece == "," and depth == 0:
            count, filled = count + filled, False
        else:
            filled = True
    return count + filled


def count_c(text, name):
    array = re.search(rf"\b{name}\[\] = {{", text)
    if array:
        return elements(text[array.end():])
    function = re.search(rf"^static void {name}\(.*?^}}", text, re.S | re.M)
    return len(EXPECTATION.findall(function.group())) if function else 0


def types_in(text):
    return re.findall(r"^    ROW\((\w+)\)", text, re.M)


def judge(types, tables, read, tell=lambda *_: None):
    """Yields sentences; tell(type, ways)."""
    yield from (f"{name}: no tables of ways of being wrong are named in tests/lint/ways.py"
                for name in types if name not in tables)
    yield from (f"{name}: no such type in {TYPES}" for name in tables if name not in types)
    for name in filter(tables.get, types):
        total = 0
        for file, parts in tables[name].items():
            count = count_c if file.endswith(".c") else count_python
            for part in parts:
                found = count(read(file), part)
                total += found
                if found == 0:
                    yield f"{name}: {file} has no table {part}"
        tell(name, total)
        if total < LEAST:
            yield f"{name}: {total} ways of being wrong, at least {LEAST} are due"


def self_test():
    python = "A = {1: 2, 3: 4}\nB = [1, (2, 3)]\ndef f():\n    yield 1\n    yield 2\n    yield 3\n"
    c = ('static const struct {\n    int a;\n} x[] = {\n    {1, "},{"}, /* {,} */\n    {2, f(3, 4)},\n};\n'
         'static void g(void)\n{\n    expect(1);\n    both_fail(2);\n}\nint y[] = {A, B,\n C};\n')
    texts = {"many.py": f"W = {list(range(LEAST))}", "few.py": f"W = {[0] * (LEAST - 1)}"}
    wrong = [f"{name}: {is_} in place of {due}" for name, is_, due in (
        ("A", count_python(python, "A"), 2), ("B", count_python(python, "B"), 2),
        ("f", count_python(python, "f"), 3), ("x", count_c(c, "x"), 2), ("y", count_c(c, "y"), 3),
        ("g", count_c(c, "g"), 2), ("nothing", count_c(c, "nothing") + count_python(python, "none"), 0),
        ("types", types_in("#define X(ROW) \\\n    ROW(exec)   \\\n    ROW(file)\n"), ["exec", "file"]))
             if is_ != due]
    good = {"exec": {"many.py": ["W"]}}
    for types, tables, due in ((["exec"], good, 0), (["exec", "new"], good, 1), ([], good, 1),
                               (["exec"], {"exec": {"few.py": ["W"]}}, 1),
                               (["exec"], {"exec": {"many.py": ["W", "V"]}}, 1)):
        said = list(judge(types, tables, texts.get))
        if len(said) != due:
            wrong.append(f"{types} {tables}: {said}")
    for line in wrong:
        print(f"self-test: {line}", file=sys.stderr)
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    said = list(judge(types_in((ROOT / TYPES).read_text()), TABLES,
                      lambda file: (ROOT / file).read_text(),
                      lambda name, ways: print(f"  {name:20} {ways:3}")))
    for line in said:
        print(line, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
