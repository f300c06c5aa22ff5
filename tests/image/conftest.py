"""Fixtures of the image tests: the image, built twice under different circumstances, and podman.

They run as root, with what Debian has: podman and crun.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from engine import Engine  # noqa: E402
from stand_in import StandIn  # noqa: E402


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ.get("KEYROTATED_BUILD", ROOT / "build")).resolve()


def make_image(build, output, **how):
    (package,) = (build / "package").glob("keyrotated_*.deb")
    done = subprocess.run([sys.executable, "-B", ROOT / "debian/image.py", "--output", output, package],
                          text=True, capture_output=True, check=False, timeout=1800, **how)
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def image(build, tmp_path_factory):
    """The archive's file."""
    return make_image(build, tmp_path_factory.mktemp("first") / "image.tar")


@pytest.fixture(scope="session")
def second_image(build, tmp_path_factory):
    """By somebody else, in another place, language and time zone, and with other habits."""
    place = tmp_path_factory.mktemp("another-place-with-a-longer-name")
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(place), "HOME": str(place),
                   "TZ": "Pacific/Chatham", "LANG": "C", "USER": "somebody"}
    return make_image(build, place / "image.tar", env=environment, cwd=place, umask=0o077)


class Contents:
    """What an archive says of itself, and the members of its one layer."""

    def __init__(self, archive):
        with tarfile.open(archive) as layout:
            def document(name):
                return json.load(layout.extractfile(name))

            def blob(descriptor):
                return "blobs/" + descriptor["digest"].replace(":", "/")

            self.index = document("index.json")
            manifest = document(blob(self.index["manifests"][0]))
            self.description = document(blob(manifest["config"]))
            (layer,) = manifest["layers"]
            with tarfile.open(fileobj=layout.extractfile(blob(layer)), mode="r:gz") as tree:
                self.members = {member.name: member for member in tree}
                self.texts = {name: tree.extractfile(member).read()
                              for name, member in self.members.items() if member.isfile()}


@pytest.fixture(scope="session")
def contents(image):
    return Contents(image)


@pytest.fixture(scope="session")
def engine(image):
    """A podman of the tests' own, with the image loaded."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kri-"))
    own = Engine(directory)
    try:
        own.load(image)
        yield own
    finally:
        own.end()
        shutil.rmtree(directory)


@pytest.fixture
def azure(build):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kra-"))
    stand_in = StandIn(build / "azuresim", directory / "azure")
    yield stand_in
    assert stand_in.stop() == 0
    shutil.rmtree(directory)
