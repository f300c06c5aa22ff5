"""Fixtures of the package tests: the package, built twice under different circumstances."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUILD_TIMEOUT = 1800


def run(*command, **how):
    """A finished command with its output as text; fails where the command does."""
    done = subprocess.run([*map(str, command)], text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          **{"timeout": BUILD_TIMEOUT, **how})
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
    return done.stdout


def copy_tree(to):
    """The files of this tree without git, and as old as today."""
    shutil.copytree(ROOT, to, copy_function=shutil.copyfile,
                    ignore=shutil.ignore_patterns(".git", "build", "build-asan", "__pycache__"))
    for script in (to / "debian").glob("*"):
        script.chmod(0o755 if script.name in ("rules", "sbom.py") else 0o644)


@pytest.fixture(scope="session")
def first_build(tmp_path_factory):
    directory = tmp_path_factory.mktemp("first")
    run("sh", ROOT / "debian/build.sh", directory)
    return directory


@pytest.fixture(scope="session")
def second_build(tmp_path_factory):
    """By somebody else, in another place, language, time zone, and with other habits."""
    place = tmp_path_factory.mktemp("another-place-with-a-longer-name")
    copy_tree(place / "tree")
    output = place / "output"
    scratch = place / "scratch"
    scratch.mkdir()
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(scratch), "HOME": str(place),
                   "TZ": "Pacific/Chatham", "LANG": "C", "USER": "somebody"}
    run("sh", place / "tree/debian/build.sh", output, env=environment, umask=0o027)
    return output


@pytest.fixture(scope="session")
def package(first_build):
    """The .deb file."""
    (found,) = first_build.glob("keyrotated_*.deb")
    return found


@pytest.fixture(scope="session")
def unpacked(package, tmp_path_factory):
    directory = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "--extract", package, directory)
    return directory


@pytest.fixture(scope="session")
def version():
    return run("dpkg-parsechangelog", "-l", ROOT / "debian/changelog", "-S", "Version").strip()
