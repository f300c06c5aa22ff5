"""keyrotated-resources(7), which is made of the daemon's table, against what Azure's specifications say."""

import collections
import re

import pytest

from test_types import ROTATED
from two_key_types import TYPES

Entry = collections.namedtuple("Entry", "intro items")


@pytest.fixture(scope="module")
def page(build):
    return (build / "man/keyrotated-resources.7").read_text().replace("\\:", "")


def plain(text):
    """Without macros and quotes, on one line."""
    text = re.sub(r'^\.[A-Z][a-z] (?:"\\&(.*?)"|(.*?))( ?)([.,]?)$', r"\1\2\4", text, flags=re.M)
    return " ".join(text.split())


@pytest.fixture(scope="module")
def entries(page):
    found = {}
    for section in page[page.index(".Sh TYPES"):page.index(".Sh TYPES THAT ARE REFUSED")].split('.Ss "\\&')[1:]:
        name, rest = section.split('"\n', 1)
        intro, _, listed = rest.partition(".Bl ")
        items = re.findall(r"^\.It (.*)\n((?:(?!\.It|\.El).*\n)*)", listed, re.M)
        found[name] = Entry(plain(intro), {tag: plain(text) for tag, text in items})
        found.setdefault(name.split(",")[0], found[name])  # the first pair of a type
    return found


def test_each_type_has_its_entry(entries):
    assert {name for name in entries if ", pair" not in name} == set(ROTATED)
    assert entries["storage"] is entries["storage, pair key"]
    assert "kerb" in entries["storage, pair kerb"].items["Mind that"]


@pytest.mark.parametrize("name", sorted(ROTATED))
def test_what_an_entry_says(entries, name):
    expected = next(one for one in TYPES if one.word == name)
    entry = entries[name]
    assert entry.intro.lower().split(": ")[1].startswith(
        f"{(expected.name + expected.inside).lower()}, by the interface ")
    rights = entry.items["Permissions"].lower().split(". ")[0]
    for suffix in [expected.listing.split()[1], *expected.regenerate]:
        assert f"{expected.name}/{suffix.split('/')[0]}".lower() in rights
    below = (expected.name + expected.inside).count("/") - 1
    account = entry.items["Account"]
    assert f"type: {name}, name: NAME" in account
    assert (re.search(r", path: ([A-Z/]+),", account)[1].count("/") + 1 if below else 0) == below
    assert ("not verified" in entry.items["A new key"]) == (not ROTATED[name])
    off = entry.items["Keys are off"]
    assert all(member in off for member in expected.off)
    assert expected.off or "No switch" in off or name == "spring"  # what lists its keys says it
    variables = re.findall(r"[A-Z]+_[A-Z_]+", entry.items["Variables"])
    assert len(variables) in ((5,) if name == "cognitive_services" else (2, 3, 4)), variables
    assert "{key}" in entry.items.get("Connection string", "{key}")


def test_what_is_refused_and_why(page):
    refused = dict(re.findall(r'^\.It Li "\\&(.*)"\n(.*)$', page, re.M))
    assert "renews both keys at once" in refused["Microsoft.OperationalInsights/workspaces"]
    assert "retired" in refused["Microsoft.PowerBI/workspaceCollections"]
    assert not {name.lower() for name in refused} & {one.name.lower() for one in TYPES}


def test_what_dies_with_a_key(entries):
    assert "shared access signature" in entries["storage"].items["Dies with a key"]
    assert "Dies with a key" not in entries["batch"].items


def test_paths_are_named_by_what_stands_there(entries):
    assert ", path: QUEUE/RULE, " in entries["service_bus_queue"].items["Account"]
    assert ", path: CONNECTION/RULE, " in entries["relay_hybrid_connection"].items["Account"]
