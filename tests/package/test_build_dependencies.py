"""What `make deb` installs is all that building the package takes, on a Debian with nothing but git and
make. dpkg-checkbuilddeps judges; it is shown a machine on which nothing else is installed.
"""

import pathlib
import re

import pytest
from conftest import ROOT, run

STATUS = pathlib.Path("/var/lib/dpkg/status")
AT_FIRST = ("git", "make")
LISTS = ("DEBIAN_PACKAGES", "DEBIAN_PACKAGE_TOOLS")  # of the goals `deps` and `deps-package`


def field(stanza, name):
    found = re.search(rf"^{name}: (.*(?:\n .*)*)", stanza, re.M)
    return found[1].replace("\n", " ") if found else ""


def relations(text):
    """[[alternative, …], …], without versions and architectures."""
    return [[re.split(r"[\s:(\[<]", alternative.strip())[0] for alternative in relation.split("|")]
            for relation in text.split(",") if relation.strip()]


@pytest.fixture(scope="module")
def stanzas():
    """{package: what dpkg knows of it}, of those that are installed here."""
    known = STATUS.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    return {field(stanza, "Package"): stanza for stanza in known
            if field(stanza, "Status").endswith(" installed")}


@pytest.fixture(scope="module")
def providers(stanzas):
    """{name: the packages that are it, or provide it}"""
    found = {name: [name] for name in stanzas}
    for name, stanza in stanzas.items():
        for relation in relations(field(stanza, "Provides")):
            found.setdefault(relation[0], []).append(name)
    return found


def drawn_in(names, stanzas, providers):
    """These packages and all that they depend on: nothing that is merely recommended."""
    chosen, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in chosen:
            continue
        chosen.add(name)
        for kind in ("Depends", "Pre-Depends"):
            for alternatives in relations(field(stanzas[name], kind)):
                satisfying = [one for wanted in alternatives for one in providers.get(wanted, [])]
                waiting += satisfying[:1]
    return chosen


def check(chosen, stanzas, directory):
    """dpkg-checkbuilddeps' answer on a machine with just these packages."""
    directory.mkdir()
    (directory / "status").write_text("\n\n".join(stanzas[name] for name in sorted(chosen)) + "\n",
                                      encoding="utf-8")
    run("dpkg-checkbuilddeps", f"--admindir={directory}", "-P", "nocheck", ROOT / "debian/control")


@pytest.fixture(scope="module")
def listed():
    """{name of a list: the packages in it}"""
    return {name: run("make", "--no-print-directory", "-s", "-C", ROOT,
                      f"--eval=print-list: ; @echo $({name})", "print-list").split()
            for name in LISTS}


def test_make_deb_installs_all_that_the_build_needs(listed, stanzas, providers, tmp_path):
    essential = [name for name, stanza in stanzas.items() if field(stanza, "Essential") == "yes"]
    packages = [*essential, *AT_FIRST, *(name for names in listed.values() for name in names)]
    assert [name for name in packages if name not in stanzas] == [], "make deps-package installs them"
    check(drawn_in(packages, stanzas, providers), stanzas, tmp_path / "dpkg")


@pytest.mark.parametrize("missing", ["build-essential", "libuv1-dev"])
def test_what_is_left_out_is_missed(listed, stanzas, providers, tmp_path, missing):
    packages = {name for names in listed.values() for name in names} - {missing}
    with pytest.raises(AssertionError, match=missing):
        check(drawn_in(packages, stanzas, providers), stanzas, tmp_path / "dpkg")
