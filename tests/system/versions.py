"""Builds the package of this tree in three versions: as it is, and under a lower and a higher number,
so that there is something to upgrade from and to. With PREVIOUS=COMMIT in the environment the one
under the lower number is of that commit: what its users have is what is upgraded.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
# The part of an upstream version that makes it older or newer than itself.
PREVIOUS = os.environ.get("PREVIOUS", "")
SUFFIXES = {"previous": "~previous", "current": "", "next": "+next"}


def build_versions(directory):
    """Leaves {previous,current,next}/*.deb in `directory`; built before from the same sources, they
    are there already. Returns {name: the package's file}."""
    packages = {name: directory / name for name in SUFFIXES}
    files = _source_files()
    state = _digest(files) + PREVIOUS
    mark = directory / "built-from"
    if not (mark.exists() and mark.read_text(encoding="ascii") == state):
        shutil.rmtree(directory, ignore_errors=True)
        for name, suffix in SUFFIXES.items():
            _build(_copy_commit if PREVIOUS and name == "previous" else _copy_tree(files), suffix,
                   packages[name])
        mark.write_text(state, encoding="ascii")
    return {name: next(path.glob("keyrotated_*.deb")) for name, path in packages.items()}


def _source_files():
    """What git knows of, and what is new; without the tests, which are in no package."""
    listed = subprocess.run(["git", "-C", TREE, "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], check=True, capture_output=True).stdout
    names = sorted(name.decode() for name in listed.split(b"\0") if name)
    return [name for name in names
            if not name.startswith("tests/") and (TREE / name).is_file()]


def _digest(files):
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + (TREE / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _copy_tree(files):
    def copy(tree):
        for name in files:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TREE / name, tree / name)

    return copy


def _copy_commit(tree):
    archive = subprocess.run(["git", "-C", TREE, "archive", PREVIOUS], check=True,
                             capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", tree], check=True, input=archive)


def _build(copy_to, suffix, directory):
    with tempfile.TemporaryDirectory(prefix="keyrotated-package-") as copy:
        tree = pathlib.Path(copy)
        copy_to(tree)
        if suffix:
            _renumber(tree / "debian/changelog", suffix)
        built = subprocess.run(["sh", "debian/build.sh", directory], cwd=tree, text=True,
                               capture_output=True, check=False)
        if built.returncode != 0:
            sys.exit(f"The package cannot be built: {(built.stdout + built.stderr)[-8000:]}")


def _renumber(changelog, suffix):
    """The latest entry gets another version, which is the package's."""
    text = changelog.read_text(encoding="utf-8")
    head, rest = text.split(")", 1)
    name, version = head.split("(", 1)
    upstream, dash, revision = version.rpartition("-")
    version = f"{upstream}{suffix}{dash}{revision}" if dash else f"{version}{suffix}"
    changelog.write_text(f"{name}({version}){rest}", encoding="utf-8")
