"""Fixtures of the tests with Microsoft's clients: `make test-clients` installs these and starts them.

CLIENTS: where install.py has put them; KEYROTATED_BUILD: where our programs are.
"""

import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from microsoft import Cloud  # noqa: E402


def pytest_configure():
    if "CLIENTS" not in os.environ:
        pytest.exit("Microsoft's clients have to be installed: run `make test-clients`", 1)


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ["KEYROTATED_BUILD"]).resolve()


@pytest.fixture
def cloud(build, request):
    """The public one, unless a test asks for another."""
    made = Cloud(build, getattr(request, "param", "AzureCloud"))
    yield made
    made.end()


@pytest.fixture
def azure(cloud):
    return cloud.azure


@pytest.fixture
def site(cloud):
    return cloud.site


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what the daemon said."""
    outcome = yield
    report = outcome.get_result()
    made = getattr(item, "funcargs", {}).get("cloud")
    if report.failed and made and made.site.directory.exists():
        report.sections.append(("the end of keyrotated's log", made.site.log.tail()))
