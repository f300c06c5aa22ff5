"""What the daemon gives up by itself, outside of any service: system calls and descriptors that it
does not need. It keeps its right to write anywhere."""

import pathlib
import re
import shutil
import tempfile

import pytest

from patience import wait_until

O_CLOEXEC = 0o2000000


@pytest.fixture
def elsewhere():
    """A directory below another top-level directory than everything else that a test writes."""
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
    assert site.log.wait("daemon.started")["confinement"] == "system calls"
    status = (pathlib.Path("/proc") / str(daemon.pid) / "status").read_text()
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)


def test_rotates_where_a_sandbox_forbids_to_confine(site):
    """The log names the cause, and the daemon works: such a sandbox is tighter than its own."""
    site.account("alpha")
    site.start(wrapped=("/usr/bin/python3", pathlib.Path(__file__).parent / "without_calls.py",
                        "seccomp"))
    site.wait_rotations("alpha", 1)
    assert site.log.wait("daemon.started")["confinement"] == "none"
    reasons = site.log.lines(event="daemon.started", level="debug")
    assert len(reasons) == 1
    assert "system call filter" in reasons[0]["msg"]


def test_a_reload_may_name_any_directory(site, elsewhere):
    """A directory beside those known at the start, and one far away: neither needs a restart."""
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    later = site.directory / "later"
    later.mkdir()
    for directory in (later, elsewhere):
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
    """A link whose destination is mounted later: keys go there as soon as it exists."""
    site.account("alpha")
    link = site.directory / "link"
    link.symlink_to(elsewhere / "later")
    add_target(site, link)
    site.start()
    site.log.wait("delivery.failed")
    (elsewhere / "later").mkdir()
    wait_until(lambda: (elsewhere / "later" / "alpha").exists(), "the key is delivered there, too")


def test_a_directory_that_becomes_a_link(site, elsewhere):
    """The new link may lead anywhere: keys go there at once."""
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    shutil.rmtree(site.keys)
    (elsewhere / "keys").mkdir()
    site.keys.symlink_to(elsewhere / "keys")
    wait_until(lambda: (elsewhere / "keys" / "alpha").exists(), "the key is delivered behind the link")


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
            re.escape(f"{site.state}/journal.db") + "(-journal)?", re.escape(str(site.state)),
            r"/proc/\d+/task/\d+/schedstat", r"/proc/\d+/mountinfo")


def connections():
    """What /proc calls the sockets of all connections over TCP."""
    return {f"socket:[{line.split()[9]}]" for table in ("tcp", "tcp6")
            for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]}


def test_descriptors(site):
    """Open are the journal, what the loop needs, and two files of the daemon's own in /proc; and no
    child would inherit any of them, but for pairs of sockets by which libcurl wakes itself."""
    for name in ("alpha", "bravo"):
        site.account(name)
    daemon = site.start()
    for name in ("alpha", "bravo"):
        site.wait_rotations(name, 2)

    def own_descriptors():
        return {number: what for number, what in descriptors(daemon.pid).items() if number > 2}

    def inherited():
        return {what for what, flags in own_descriptors().values() if not flags & O_CLOEXEC}

    wait_until(lambda: connections() & {what for what, _ in own_descriptors().values()},
               "a connection is open")
    assert not inherited() & connections(), inherited()
    site.policy(rotate_every="30d", overlap="7d", check_every="1d", overdue_after="1d")
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: all(site.status(name)["state"] == "ok" for name in ("alpha", "bravo")),
               "all accounts are well")
    assert all(what.startswith("socket:") for what in inherited()), inherited()
    assert not inherited() & connections(), inherited()
    found = own_descriptors()
    strange = [what for what, _ in found.values()
               if not any(re.fullmatch(pattern, what) for pattern in allowed_descriptors(site))]
    assert not strange, strange
    assert len(found) < 40, found
