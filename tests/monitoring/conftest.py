"""Fixtures of the tests with a real Prometheus: `make test-monitoring` installs it.

KEYROTATED_BUILD: where our programs are.
"""

import os
import pathlib
import shutil
import socket
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from installation import Installation  # noqa: E402
from stand_in import StandIn  # noqa: E402


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ["KEYROTATED_BUILD"]).resolve()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def prometheus_port():
    return free_port()


@pytest.fixture
def site(build):
    """An installation whose metrics can be asked for at site.metrics_port."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="krp-"))
    azure = StandIn(build / "azuresim", directory / "azure")
    made = Installation(build, azure)
    made.metrics_port = free_port()
    made.config["metrics"] = {"listen": f"127.0.0.1:{made.metrics_port}"}
    made.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    yield made
    problems = made.end()
    made.remove()
    status = azure.stop()
    shutil.rmtree(directory, ignore_errors=True)
    assert not problems and status == 0, (problems, status)
