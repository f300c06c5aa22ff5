"""What the daemon gives up for itself, outside of any service: writing and system calls that it does
not need, and descriptors that it does not use."""

import ctypes
import pathlib
import re
import shutil
import tempfile

import pytest

from patience import wait_until

O_CLOEXEC = 0o2000000
LANDLOCK_CREATE_RULESET, VERSION = 444, 1


def has_landlock():
    """Not every kernel has it; without it nothing else changes."""
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), VERSION) > 0


@pytest.fixture
def elsewhere():
    """A directory below another one of / than all else that a test writes to."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="krd-", dir="/var/tmp"))
    yield directory
    shutil.rmtree(directory)


def add_target(site, directory):
    site.config["targets"]["other"] = {"type": "file", "path": f"{directory}/{{account}}"}
    site.config["defaults"]["deliver_to"] = ["file", "other"]
    site.write()


def test_rotates_confined(site):
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    expected = "writing, system calls" if has_landlock() else "system calls"
    assert site.log.wait("daemon.started")["confinement"] == expected
    status = (pathlib.Path("/proc") / str(daemon.pid) / "status").read_text()
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)


def test_rotates_where_a_sandbox_forbids_to_confine(site):
    """It is said why, and nothing else changes: such a sandbox is tighter than what we do."""
    site.account("alpha")
    site.start(wrapped=("/usr/bin/python3", pathlib.Path(__file__).parent / "without_calls.py",
                        "seccomp,landlock_create_ruleset"))
    site.wait_rotations("alpha", 1)
    assert site.log.wait("daemon.started")["confinement"] == "none"
    reasons = site.log.lines(event="daemon.started", level="debug")
    assert len(reasons) == 2
    assert "Landlock" in reasons[0]["msg"] and "system call filter" in reasons[1]["msg"]


def test_reload_cannot_take_back_what_was_given_up(site, elsewhere):
    """A delivery could never succeed there: the reload says so, and a restart mends it."""
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    since = site.log.mark()
    add_target(site, elsewhere)
    answer = site.ctl("reload")
    if not has_landlock():
        assert answer.returncode == 0
        return
    assert answer.returncode == 1
    assert "targets.other.path: nothing can be written below /var" in answer.stderr + answer.stdout
    rejected = site.log.wait("config.rejected", since=since, level="error")
    assert "systemctl restart keyrotated" in rejected["msg"]
    site.wait_rotations("alpha", 1, since=site.log.mark())
    assert daemon.stop() == 0

    site.start()
    wait_until(lambda: (elsewhere / "alpha").exists(), "the key is delivered there, too")
    assert not site.log.lines(since, event="delivery.failed")


def test_reload_within_what_is_left(site):
    """A new directory beside those that were known at the start."""
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    directory = site.directory / "later"
    directory.mkdir()
    add_target(site, directory)
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: (directory / "alpha").exists(), "the key is delivered there, too")


def test_a_directory_that_is_made_anew(site):
    """As systemd makes the RuntimeDirectory= of a consumer anew each time that one starts."""
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    shutil.rmtree(site.keys)
    site.log.wait("delivery.failed")
    site.keys.mkdir()
    wait_until(lambda: site.holds("alpha"), "the key file is there again")


def test_a_link_that_dangles_at_the_start(site, elsewhere):
    """What it leads to is mounted later, say: until then nobody knows where writing has to go."""
    site.account("alpha")
    link = site.directory / "link"
    link.symlink_to(elsewhere / "later")
    add_target(site, link)
    site.start()
    assert site.log.wait("daemon.started")["confinement"] == "system calls"
    site.log.wait("delivery.failed")
    assert any(f"{link} is a symbolic link" in line["msg"]
               for line in site.log.lines(event="daemon.started"))
    (elsewhere / "later").mkdir()
    wait_until(lambda: (elsewhere / "later" / "alpha").exists(), "the key is delivered there, too")


def test_a_directory_that_becomes_a_link(site, elsewhere):
    """The one hole that is left: the failure names it, no other change is refused, a restart mends
    it."""
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    since = site.log.mark()
    shutil.rmtree(site.keys)
    (elsewhere / "keys").mkdir()
    site.keys.symlink_to(elsewhere / "keys")
    failed = site.log.wait("delivery.failed", since=since, error_code="EACCES")
    assert "restart keyrotated, which limits where it writes" in failed["remedy"]
    site.account("bravo")
    site.write()
    assert site.ctl("reload").returncode == 0
    assert daemon.stop() == 0

    site.start()
    wait_until(lambda: all((elsewhere / "keys" / name).exists() for name in ("alpha", "bravo")),
               "keys are delivered behind the link")


def descriptors(pid):
    """{number: (what, flags)} of those that are open."""
    process = pathlib.Path("/proc") / str(pid)
    found = {}
    for link in (process / "fd").iterdir():
        try:
            flags = int(re.search(r"flags:\s+([0-7]+)",
                                  (process / "fdinfo" / link.name).read_text())[1], 8)
            found[int(link.name)] = (str(link.readlink()), flags)
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def allowed_descriptors(site):
    return (r"anon_inode:\[(eventpoll|eventfd)\]", r"pipe:\[\d+\]", r"socket:\[\d+\]", r"/dev/null",
            re.escape(f"{site.state}/journal.db") + "(-journal)?", re.escape(str(site.state)))


def test_descriptors(site):
    """Open are the journal and what the loop needs; and no child would inherit any of them."""
    for name in ("alpha", "bravo"):
        site.account(name)
    daemon = site.start()
    for name in ("alpha", "bravo"):
        site.wait_rotations(name, 2)
    site.policy(rotate_every="30d", overlap="7d", check_every="1d", overdue_after="1d")
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: all(site.status(name)["state"] == "ok" for name in ("alpha", "bravo")),
               "all accounts are well")
    found = {number: what for number, what in descriptors(daemon.pid).items() if number > 2}
    assert all(flags & O_CLOEXEC for _, flags in found.values()), found
    strange = [what for what, _ in found.values()
               if not any(re.fullmatch(pattern, what) for pattern in allowed_descriptors(site))]
    assert not strange, strange
    assert len(found) < 40, found
