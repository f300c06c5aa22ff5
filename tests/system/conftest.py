"""Fixtures of the system tests: machines, and the service in one of them. `make test-system` starts
them, in a world of their own (run.py).
"""

import itertools
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from cgroup import Group  # noqa: E402
from container import Machine  # noqa: E402
from package import Package  # noqa: E402
from service import Service  # noqa: E402
from stand_in import StandIn  # noqa: E402
from world import BASE, WORLD  # noqa: E402


def pytest_configure():
    if "KEYROTATED_CGROUPS" not in os.environ:
        pytest.exit("the system tests need a world of their own: run `make test-system`", 1)


@pytest.fixture(scope="session")
def world():
    """A directory for this process, of those that share the tests."""
    directory = WORLD / os.environ.get("PYTEST_XDIST_WORKER", "all")
    directory.mkdir()
    return directory


@pytest.fixture(scope="session")
def numbers():
    """One that nobody has had yet, for names."""
    return itertools.count()


@pytest.fixture(scope="session")
def packages():
    """{"previous", "current", "next"}: the package in three versions."""
    directory = pathlib.Path(os.environ["KEYROTATED_PACKAGES"])
    return {name: Package(directory / name) for name in ("previous", "current", "next")}


@pytest.fixture(scope="session")
def machines(world, numbers):
    """Makes machines with layers; ends all that still are."""
    group = Group(os.environ["KEYROTATED_CGROUPS"].split(":"))
    made = []

    def new(layers):
        name = f"{world.name}-{next(numbers)}"
        made.append(Machine(name, world / name, layers, group))
        return made[-1]

    new.made = made
    yield new
    for machine in made:
        machine.end()


@pytest.fixture(scope="session")
def installed(machines, packages):
    """Layers of a machine on which the package was installed."""
    machine = machines([BASE])
    packages["current"].install(machine.boot())
    machine.power_off()
    return machine.as_layers()


@pytest.fixture
def boot(machines, request):
    """Boots a new machine with these layers."""
    used = request.node.machines = []

    def new(layers):
        machine = machines(layers)
        used.append(machine)
        machine.boot()
        return machine

    yield new
    for machine in used:
        machine.end()
        machines.made.remove(machine)


@pytest.fixture
def azure(world, numbers):
    """An Azure of the test's own, which outlives all machines."""
    program = pathlib.Path(os.environ["KEYROTATED_BUILD"]) / "azuresim"
    stand_in = StandIn(program, world / f"azure-{next(numbers)}")
    yield stand_in
    assert stand_in.stop() == 0, stand_in.log.read_text(errors="replace")


@pytest.fixture
def bare(boot):
    """A machine on which nothing was installed yet."""
    return boot([BASE])


@pytest.fixture
def machine(boot, installed):
    """A machine with the package, not configured."""
    return boot(installed)


@pytest.fixture
def guest(machine):
    return machine.guest


@pytest.fixture
def service(machine, azure):
    """The service set up in that machine, and running well."""
    service = Service(machine.guest, azure)
    service.set_up()
    return service.start()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what stood in the journals of its machines, and on their consoles."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for machine in getattr(item, "machines", []):
        if machine.is_up():
            said = machine.guest.run("journalctl", "--lines=80", "--no-pager", "--output=short",
                                     check=False).stdout
            report.sections.append((f"the end of {machine.name}'s journal", said))
        report.sections.append((f"the end of {machine.name}'s console", machine.tail()))
