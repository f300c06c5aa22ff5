"""keyrotatectl status about some of the accounts: by pattern, by state, by policy."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

from patience import TIMEOUT, wait_until
from stand_in import RESOURCE_GROUP, resource_id

WELL, WARNING, CRITICAL, UNREACHABLE, USAGE = 0, 1, 2, 3, 64
COLUMNS = 100


@pytest.fixture
def fleet(site):
    """alpha, and bravo of policy `other`, are well; rg1 has two accounts that Azure does not know."""
    site.policy(rotate_every="30d", overlap="1s")
    site.config["policies"]["other"] = {**site.config["policies"]["quick"], "rotate_every": "29d"}
    site.account("alpha")
    site.account("bravo", policy="other")
    for name, policy in (("uno", "quick"), ("dos", "other")):
        site.config["accounts"].append({"id": resource_id(name, group="rg1"), "policy": policy,
                                        "adopt_active": "primary"})
    site.start()
    site.wait_adopted("alpha", "bravo")
    site.log.wait("account.blocked", account="uno")
    site.log.wait("account.blocked", account="dos")
    return site


def names(site, *arguments):
    done = site.ctl("--json", "status", *arguments)
    document = json.loads(done.stdout)
    return document["daemon"]["selected"], sorted(one["name"] for one in document["accounts"])


def test_patterns(fleet):
    """Of group/name, of names, of ids; what is not well of them, or all."""
    assert names(fleet, "rg1/*") == (2, ["dos", "uno"])
    assert names(fleet, "RG1/D*") == (1, ["dos"])
    assert names(fleet, "?lpha", "--all") == (1, ["alpha"])
    assert names(fleet, f"{RESOURCE_GROUP}/*") == (2, []), "what is well is not listed"
    assert names(fleet, f"{RESOURCE_GROUP}/*", "--all") == (2, ["alpha", "bravo"])
    assert names(fleet, "*", "uno") == (4, ["dos", "uno"])
    assert names(fleet, "/subscriptions/*/resourcegroups/RG1/*") == (2, ["dos", "uno"])
    shown = fleet.ctl("status", "rg1/*")
    assert shown.returncode == CRITICAL, shown
    first, _, grouped = shown.stdout.partition("\n")
    assert first == "2 of 4 accounts: 2 not well"
    assert "2 accounts: rg1/dos, rg1/uno: blocked: account_not_found" in grouped and "do: " in grouped
    well = fleet.ctl("status", f"{RESOURCE_GROUP}/*")
    assert (well.returncode, well.stdout) == (WELL, "2 of 4 accounts: all are well\n"), well
    table = fleet.ctl("status", f"{RESOURCE_GROUP}/*", "--all").stdout
    assert "/alpha" in table and "/bravo" in table and "uno" not in table
    assert max(map(len, table.splitlines())) <= COLUMNS
    plan = json.loads(fleet.ctl("--json", "plan", f"{RESOURCE_GROUP}/a*", "--until", "90d").stdout)
    assert {row["account"] for row in plan["rotations"]} == {"alpha"}
    unknown = fleet.ctl("status", "rg2/*")
    assert unknown.returncode == USAGE and "no account matches rg2/*" in unknown.stderr, unknown


def test_states_and_policies(fleet):
    """A state is that which status prints, and lists what is well, too; both can be combined."""
    assert names(fleet, "--state", "blocked") == (2, ["dos", "uno"])
    assert names(fleet, "--state", "ok") == (2, ["alpha", "bravo"])
    assert names(fleet, "--state", "frozen") == (0, [])
    assert names(fleet, "--policy", "other") == (2, ["dos"])
    assert names(fleet, "--policy", "other", "--all") == (2, ["bravo", "dos"])
    assert names(fleet, "--state", "ok", "--policy", "other") == (1, ["bravo"])
    assert names(fleet, "--state", "ok", "rg1/*") == (0, [])
    assert names(fleet, "alpha", "uno", "--state", "blocked") == (1, ["uno"])
    wells = fleet.ctl("status", "--state", "ok")
    assert wells.returncode == WELL and wells.stdout.startswith("2 of 4 accounts: all are well\n\nACCOUNT"), wells
    assert fleet.ctl("status", "--state", "blocked").returncode == CRITICAL
    none = fleet.ctl("status", "--state", "held")
    assert (none.returncode, none.stdout) == (WELL, "0 of 4 accounts: none matches\n"), none
    assert fleet.ctl("hold", "alpha", "--for", "1h", "--reason", "r").returncode == WELL
    wait_until(lambda: names(fleet, "--state", "held") == (1, ["alpha"]), "the hold shows")
    fleet.config["policies"]["other"]["rotate"] = False
    fleet.write()
    assert fleet.ctl("reload").returncode == WELL
    wait_until(lambda: names(fleet, "--state", "watched", f"{RESOURCE_GROUP}/*") == (1, ["bravo"]),
               "rotate: false shows")


def test_unknown_words_are_refused_with_the_nearest(fleet):
    for arguments, words in ((("--state", "blockd"), "there is no state blockd; did you mean blocked?"),
                             (("--state", "xyzzy"), "one of these was expected: adopting, ok, "),
                             (("--policy", "othr"), "there is no policy othr; did you mean other?"),
                             (("--policy", "xyzzy"), "one of these was expected: quick, other")):
        done = fleet.ctl("status", *arguments)
        assert done.returncode == USAGE and words in done.stderr, done
        assert not done.stdout


def test_help(site):
    """Without a daemon: of all commands, and of one."""
    whole = site.ctl("help")
    assert whole.returncode == WELL and whole.stdout == site.ctl("--help").stdout
    one = site.ctl("help", "hold")
    assert one.stdout.startswith("Usage: keyrotatectl ") and "--reason TEXT" in one.stdout
    assert "redeliver" not in one.stdout and "DURATION is written" in one.stdout
    wrong = site.ctl("help", "statsu")
    assert wrong.returncode == USAGE and "did you mean status?" in wrong.stderr


# --- watching ---

class Watch:
    """keyrotatectl status --watch, whose output goes to a file, or to a terminal of its own."""

    def __init__(self, site, *arguments, terminal=False):
        self.master = None
        self.out, self.err = site.directory / "watch.out", site.directory / "watch.err"
        command = [site.build / "keyrotatectl", "--socket", site.socket, "status", "--watch", *arguments]
        with self.out.open("w") as out, self.err.open("w") as err:
            if terminal:
                self.master, slave = pty.openpty()
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
                self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=err,
                                                env={**os.environ, "TERM": "xterm"}, start_new_session=True,
                                                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
                os.close(slave)
                os.set_blocking(self.master, False)
                self.seen = ""
            else:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def text(self):
        if self.master is None:
            return self.out.read_text()
        try:
            self.seen += os.read(self.master, 1 << 16).decode()
        except BlockingIOError:
            pass
        return self.seen

    def shows(self, words):
        wait_until(lambda: words in self.text(), f"{words} is shown")

    def ends(self, status):
        """Ctrl-C on a terminal; elsewhere, SIGINT."""
        if self.master is None:
            self.process.send_signal(signal.SIGINT)
        else:
            os.write(self.master, b"\x03")
        assert self.process.wait(TIMEOUT) == status, self.err.read_text()


def test_a_watch_into_a_file_says_what_changes(site):
    """Snapshots when something has changed, none by the mere passing of time, through a restart of the daemon."""
    site.policy(rotate_every="30d", overlap="1s")
    site.account("alpha")
    daemon = site.start()
    site.wait_adopted("alpha")
    watch = Watch(site)
    watch.shows("1 account: 1 ok")
    assert site.ctl("hold", "alpha", "--for", "1h", "--reason", "moves house").returncode == WELL
    watch.shows("moves house")
    assert watch.text().count("1 account: ") == 2, "the hold is the one change"
    daemon.stop()
    wait_until(lambda: "; waiting for it" in watch.err.read_text(), "the loss is told")
    site.start()
    wait_until(lambda: watch.text().count("moves house") >= 2, "it is shown again")
    assert watch.err.read_text().count("waiting for it") == 1
    watch.ends(WARNING)


def test_a_watch_in_json_is_a_document_a_line(site):
    site.policy(rotate_every="30d", overlap="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    watch = Watch(site, "--json", "alpha")
    watch.shows("\n")
    assert site.ctl("hold", "alpha", "--for", "1h", "--reason", "r").returncode == WELL
    wait_until(lambda: watch.text().count("\n") == 2, "the hold is told")
    states = [json.loads(line)["accounts"][0]["state"] for line in watch.text().splitlines()]
    assert states == ["ok", "held"]
    watch.ends(WARNING)


def test_a_watch_on_a_terminal_is_drawn_in_place(site):
    site.policy(rotate_every="30d", overlap="1s")
    site.account("alpha")
    daemon = site.start()
    site.wait_adopted("alpha")
    watch = Watch(site, terminal=True)
    watch.shows("1 account: 1 ok")
    wait_until(lambda: watch.text().count("1 account: 1 ok") >= 2, "it is drawn again")
    assert watch.text().count("\033[H") >= 2 and "\033[J" in watch.text()
    assert not re.search(r"\033\[[0-9;]*m", watch.text()), "no colours"
    daemon.stop()
    watch.shows("; waiting for it")
    site.start()
    drawn = len(watch.text())
    wait_until(lambda: "1 account: 1 ok" in watch.text()[drawn:], "the daemon is found again")
    watch.ends(WELL)
    assert not watch.err.read_text()


def test_a_watch_that_cannot_begin_ends(site):
    site.account("alpha")
    site.write()
    away = site.ctl("status", "--watch")
    assert away.returncode == UNREACHABLE and "cannot be reached" in away.stderr
    site.start()
    wrong = site.ctl("status", "--watch", "--state", "blockd")
    assert wrong.returncode == USAGE and "did you mean blocked?" in wrong.stderr
