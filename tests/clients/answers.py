"""Judges answers by what a client library takes for one: every member of an answer has to be one that the
library knows, of the type that it knows, and none that it requires may be missing."""

import json
import re
import subprocess

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
SIMPLE = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and bool(DATE.match(value)),
    "any": lambda value: True,
}


class Schema:
    """`classes`: {name: [{"path": [name in the answer…], "required", "type"}]}; a type is a word of SIMPLE,
    {"class": name}, {"list": type}, {"map": type} or {"enum": [text…]}."""

    def __init__(self, classes):
        self.classes = classes

    def problems(self, value, name):
        """What is wrong with an answer of that class, as sentences."""
        return list(self._judge(value, {"class": name}, name))

    def _judge(self, value, kind, where):
        if isinstance(kind, str):
            if not SIMPLE[kind](value):
                yield f"{where} is {value!r}, which is no {kind}"
        elif "enum" in kind:
            if value not in kind["enum"]:
                yield f"{where} is {value!r}, which is none of {kind['enum']}"
        elif "list" in kind:
            if not isinstance(value, list):
                yield f"{where} is {value!r}, which is no list"
                return
            for i, one in enumerate(value):
                yield from self._judge(one, kind["list"], f"{where}[{i}]")
        elif not isinstance(value, dict):
            yield f"{where} is {value!r}, which is no object"
        elif "map" in kind:
            for name, one in value.items():
                yield from self._judge(one, kind["map"], f"{where}.{name}")
        else:
            yield from self._judge_members(value, self._tree(kind["class"]), where)

    def _tree(self, name):
        """{name: member, or a tree where Azure has an object that the library has not}"""
        tree = {}
        for member in self.classes[name]:
            *above, last = member["path"]
            place = tree
            for part in above:
                place = place.setdefault(part, {})
            place[last] = member
        return tree

    def _judge_members(self, value, tree, where):
        for name in sorted(set(value) - set(tree)):
            yield f"{where}.{name} is unknown"
        for name, member in tree.items():
            is_leaf = "path" in member and isinstance(member["path"], list)
            if name not in value:
                if is_leaf and member["required"]:
                    yield f"{where}.{name} is missing"
            elif is_leaf and value[name] is None and not member["required"]:
                pass  # as good as absent: a vault ends its pages with "nextLink": null
            elif is_leaf:
                yield from self._judge(value[name], member["type"], f"{where}.{name}")
            elif isinstance(value[name], dict):
                yield from self._judge_members(value[name], member, f"{where}.{name}")
            else:
                yield f"{where}.{name} is {value[name]!r}, which is no object"


def schema_of(client, program):
    """What the library that this client uses takes for an answer, as that program says."""
    done = subprocess.run(client.command(program), text=True, env=client.environment, check=True,
                          capture_output=True, timeout=60)
    return Schema(json.loads(done.stdout))
