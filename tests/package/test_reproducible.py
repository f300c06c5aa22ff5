"""The same source makes the same bytes, whoever builds it, and where."""

import hashlib
import tarfile

from conftest import ROOT, run


def digests(directory, pattern):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in directory.glob(pattern)}


def test_two_builds_are_the_same_bytes(first_build, second_build):
    first = digests(first_build, "*.deb")
    assert len(first) == 2, "the package, and one with its debugging symbols"
    assert first == digests(second_build, "*.deb")


def test_two_tarballs_are_the_same_bytes(tmp_path, version):
    for number in ("1", "2"):
        run("sh", ROOT / "debian/dist.sh", tmp_path / number, version)
    first = digests(tmp_path / "1", "*.tar.gz")
    assert list(first) == [f"keyrotated-{version}.tar.gz"]
    assert first == digests(tmp_path / "2", "*.tar.gz")


def test_tarball_is_the_last_commit(tmp_path, version):
    run("sh", ROOT / "debian/dist.sh", tmp_path, version)
    with tarfile.open(tmp_path / f"keyrotated-{version}.tar.gz") as tarball:
        names = {member.name.removeprefix(f"keyrotated-{version}/")
                 for member in tarball if not member.isdir()}
    tracked = set(run("git", "-C", ROOT, "ls-tree", "-r", "--name-only", "HEAD").splitlines())
    assert names == tracked
