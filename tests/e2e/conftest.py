"""Fixtures of the end-to-end tests: the real programs against the Azure stand-in.

    /usr/bin/python3 -m pytest tests/e2e            KEYROTATED_BUILD: where the programs are
                                                    KEYROTATED_STAND_IN: another stand-in
    E2E_LONG=1 …                                    campaigns in full length
"""

import os
import pathlib
import sys
import tempfile
import shutil

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from installation import Installation  # noqa: E402
from namespace import Namespace  # noqa: E402
from stand_in import StandIn  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes much longer than most, and so is started first")


def pytest_collection_modifyitems(items):
    """Otherwise one process would still run a long test when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def build():
    directory = pathlib.Path(os.environ.get("KEYROTATED_BUILD", HERE.parents[1] / "build"))
    directory = directory.resolve()
    for program in ("keyrotated", "keyrotatectl", "azuresim"):
        assert (directory / program).exists(), f"{directory / program} is missing: run `make`"
    return directory


@pytest.fixture
def azure(build, request):
    """An Azure of the test's own."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kra-"))
    home = build
    if not request.module.__name__.startswith("test_stand_in"):
        home = pathlib.Path(os.environ.get("KEYROTATED_STAND_IN", build))
    stand_in = StandIn(home / "azuresim", directory / "azure")
    yield stand_in
    status = stand_in.stop()
    text = stand_in.log.read_text(errors="replace")
    shutil.rmtree(directory, ignore_errors=True)
    assert status == 0, f"azuresim ended with {status}: {text}"


@pytest.fixture
def install(build, azure, request):
    """Makes installations; takes them down at the end, cleanly, and checks that it was clean."""
    made = []

    def new():
        made.append(Installation(build, azure))
        request.node.installations = made
        return made[-1]

    yield new
    problems = [problem for one in made for problem in one.end()]
    request.node.tails = [one.log.tail() for one in made]
    for one in made:
        one.remove()
    assert not problems, "\n".join(problems)


@pytest.fixture
def site(install):
    """The one installation that most tests need."""
    return install()


@pytest.fixture
def namespace():
    """A mount namespace of the test's own."""
    space = Namespace()
    yield space
    space.end()


@pytest.fixture
def places(site, namespace):
    """What ways.prepare() fills, taken down at the end."""
    made = {}
    yield made
    for place in made.values():
        place.end()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what the daemon said."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    tails = getattr(item, "tails", None)
    if tails is None:
        tails = [one.log.tail() for one in getattr(item, "installations", [])]
    for tail in tails:
        report.sections.append(("the end of keyrotated's log", tail))
