"""One world of the campaign: an Azure of its own, a daemon with some accounts, and their users.

A world lives through many lives of its daemon. At the end it is left in peace until every account
has rotated again, taken down, and judged.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field

import verdict
from daemon import EXIT_BUSY, EXIT_OK
from follower import RESTARTED, RESTARTED_SLOW, Follower
from installation import Installation
from patience import TIMEOUT
from places import Places
from stand_in import RESOURCE_GROUP, SUBSCRIPTION, StandIn
from users import Users

# Seconds for weeks. unknown_wait is longer than anything that the stand-in delays here.
TIMING = {"retry_initial": "100ms", "retry_max": "400ms", "unknown_wait": "500ms",
          "verify_timeout": "2s", "settle": "200ms"}
POLICY = {"splay": "0s", "check_every": "700ms", "overdue_after": "30s"}
UNKNOWN_WAIT = 0.5
# Regenerates that go on after their answer: polls come a second apart, so that the first finds it running.
SLOW_TIMING = {"operation_wait": "2s", "list_wait": "300ms"}
OPERATION = 1.3
REFUSED = 2  # the exit status of keyrotatectl

ROTATIONS_AT_THE_END = 2
SCAN_EVERY = 20  # lives


class Broken(Exception):
    """The world cannot go on: the daemon did what it may not do."""


@dataclass
class Life:
    """One run of the daemon."""

    started: float
    daemon: object
    ended: float = None
    status: int = None


@dataclass
class Traits:
    """What makes a world different from others."""

    accounts: int
    overlap_ms: int = 600
    slow_disk: bool = False   # the journal is where flushing takes its time
    two_targets: bool = False
    all_kinds: bool = False   # a target of every kind that has no file of its own
    meddler: bool = False     # somebody puts old key files back
    propagation_ms: int = 0   # until the data plane knows a new key
    slow_answers_ms: int = 0  # how long half of the answers take
    found: bool = False       # a rule finds the accounts, and says which key is in use
    weather: float = 0.0      # how probable it is that a call to Azure goes wrong
    slow: bool = False        # regenerates go on after their answer
    types: tuple = ("batch",)  # of the accounts, by turns

    def __str__(self):
        words = [f"{self.accounts} account{'s' if self.accounts > 1 else ''}"]
        words += [f"overlap {self.overlap_ms} ms"]
        words += ["on disk"] if self.slow_disk else []
        words += ["two targets"] if self.two_targets else []
        words += ["targets of all kinds"] if self.all_kinds else []
        words += [", ".join(self.types)] if self.types != ("batch",) else []
        words += ["slow regenerates"] if self.slow else []
        words += ["found by a rule"] if self.found else []
        words += ["a meddler"] if self.meddler else []
        words += [f"propagation {self.propagation_ms} ms"] if self.propagation_ms else []
        words += [f"answers take {self.slow_answers_ms} ms"] if self.slow_answers_ms else []
        words += [f"{self.weather:.0%} bad weather"] if self.weather else []
        return ", ".join(words)


@dataclass
class Report:
    """What became of a world."""

    name: str
    seconds: float = 0.0
    wrong: list = field(default_factory=list)
    evidence: pathlib.Path = None
    lives: int = 0
    rotations: int = 0
    readings: int = 0
    uses: int = 0
    dead: int = 0
    late: int = 0
    lazy_refused: int = 0
    recoveries: list = field(default_factory=list)
    stops: int = 0
    failures: Counter = field(default_factory=Counter)  # (what failed, what became of it)


class World:
    """`disk`: a directory on a disk, for evidence that is to be kept. All else is where the module
    tempfile puts it. `wrapped`: a command that is to start the daemon and its users."""

    def __init__(self, build, disk, name, traits, wrapped=()):
        self.name = name
        self.build = build
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="krw-", dir=disk))
        self.traits = traits
        self.wrapped = wrapped
        self.guarantees = verdict.Guarantees(traits.overlap_ms / 1000, UNKNOWN_WAIT,
                                             OPERATION if traits.slow else 0)
        self.began = time.monotonic()
        self.report = Report(name)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="krw-"))
        self.azure = StandIn(build / "azuresim", self.directory / "azure")
        self.site = Installation(build, self.azure)
        # Names that every type allows.
        self.accounts = [f"account{number}" for number in range(traits.accounts)]
        self.types = {account: traits.types[number % len(traits.types)]
                      for number, account in enumerate(self.accounts)}
        self.lives = []
        self.places = None
        self.users = None
        self.asked = {}  # when somebody first said of an account that its active key is right
        self.confirmed = set()
        self.held = []  # what they held and used; known at the end
        self._commands = []
        self._scanned = 0
        self._configure()
        self.follower = Follower(self.site.log.path, self.accounts,
                                 RESTARTED_SLOW if traits.slow else RESTARTED)
        if traits.meddler:
            self.follower.tolerated.add("drift.detected")
        if traits.found:
            self.follower.tolerated.add("account.blocked adoption_unconfirmed")

    def _configure(self):
        self.site.config["timing"].update(TIMING)
        self.site.policy(overlap=f"{self.traits.overlap_ms}ms",
                         rotate_every=f"{self.traits.overlap_ms + 200}ms", **POLICY)
        if self.traits.slow:
            self.site.config["timing"].update(SLOW_TIMING)
            self.azure.settings(operation_ms=1000 * OPERATION)
        if self.traits.slow_disk:
            self.site.state = self.disk / "state"
            self.site.config["state_dir"] = str(self.site.state)
        if self.traits.two_targets:
            self.site.config["targets"]["env"] = {
                "type": "file", "path": f"{self.site.keys}/{{account}}.env", "format": "env"}
            self.site.config["defaults"]["deliver_to"] = ["file", "env"]
        if self.traits.all_kinds:
            self.places = Places(self.site, self.azure, self.directory, self.accounts)
        if self.traits.found:
            self._let_a_rule_find_them()
        else:
            for account in self.accounts:
                self._create(account)
                self.site.config["accounts"].append({
                    "type": self.types[account], "name": account, "resource_group": RESOURCE_GROUP,
                    "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})
        self.site.write()
        self.azure.settings(read_burst=0, write_burst=0,
                            propagation_ms=self.traits.propagation_ms)
        if self.traits.slow_answers_ms:
            self.azure.fault("delay", probability=0.5, delay_ms=self.traits.slow_answers_ms)
        if self.traits.weather:
            self.azure.settings(weather={"probability": self.traits.weather, "delay_ms": 150})

    def _create(self, account):
        self.azure.create(account, type=self.types[account])

    def _let_a_rule_find_them(self):
        for account in self.accounts:
            self._create(account)
        self.site.config["discover"] = [{"name": "found", "subscriptions": "all", "every": "500ms",
                                         "types": sorted(set(self.types.values())), "max_new": 2, "adopt_active": "primary"}]

    def files(self):
        """(type:account, path) of every file that users read."""
        suffixes = ("", ".env") if self.traits.two_targets else ("",)
        files = [(account, self.site.keys / f"{account}{suffix}")
                 for account in self.accounts for suffix in suffixes] \
            + (self.places.files() if self.places else [])
        return [(f"{self.types[account]}:{account}", path) for account, path in files]

    def admit_users(self):
        self.users = Users(self.directory, self.azure, self.files(), self.guarantees.overlap,
                           self.wrapped)

    # --- lives ---

    def start(self, environment=None):
        self.follower.begin()
        started = time.time()
        daemon = self.site.launch(wrapped=self.wrapped, environment=environment)
        self.lives.append(Life(started, daemon))
        self.report.lives += 1

    @property
    def life(self):
        return self.lives[-1]

    def runs(self):
        """False as soon as the daemon has ended, which is noted then."""
        if self.life.ended is None and not self.life.daemon.is_running():
            self._ended()
        return self.life.ended is None

    def _ended(self):
        self.life.status = self.life.daemon.wait()
        self.life.ended = time.time()
        self.site.daemons.remove(self.life.daemon)
        self.follower.poll()
        for command in self._commands:
            command.kill()
            command.wait()
        self._commands = []
        if self.report.lives % SCAN_EVERY == 0:
            self.scan()

    def wait(self, condition, timeout, pause=0.003):
        """Until the condition is true, the daemon has ended, or the time is over; says whether it
        is true."""
        deadline = time.monotonic() + timeout
        while True:
            self.follower.poll()
            if condition():
                return True
            if not self.runs() or time.monotonic() >= deadline:
                return condition()
            time.sleep(pause)

    def wait_up(self):
        if not self.wait(lambda: self.follower.up, TIMEOUT):
            raise Broken(f"the daemon did not start (exit status {self.life.status})")

    def wait_rotations(self, count=1, timeout=TIMEOUT):
        """Until each account has been rotated so many times, from now on."""
        goal = {account: done + count for account, done in self.follower.completed.items()}
        return self.wait(lambda: all(self.follower.completed[account] >= goal[account]
                                     for account in goal), timeout)

    def must_rotate(self, when, count=1):
        if not self.wait_rotations(count):
            raise Broken(f"{when}, not every account rotated {count} times: "
                         f"{self.follower.positions}, exit status {self.life.status}")

    def kill(self, *statuses):
        """kill -9; returns what was going on. A daemon that has ended by itself must have done so with
        one of these statuses."""
        if self.runs():
            os.kill(self.life.daemon.pid, signal.SIGKILL)
            self._ended()
        self.expect(-signal.SIGKILL, *statuses)
        return self.follower.busiest()

    def terminate(self, *statuses):
        """SIGTERM; with one of these statuses (or 0) it has to end."""
        if self.runs():
            os.kill(self.life.daemon.pid, signal.SIGTERM)
            self._ended()
        self.expect(*(statuses or [EXIT_OK]))

    def expect(self, *statuses):
        if self.life.status not in statuses:
            raise Broken(f"the daemon ended with {self.life.status}, not with "
                         f"{' or '.join(map(str, statuses))}")

    def second_instance(self):
        """While one daemon lives, or is only stopped, another one does not start."""
        ended = subprocess.run([*self.wrapped, self.build / "keyrotated", "-c",
                                self.site.config_file], check=False, timeout=TIMEOUT,
                               capture_output=True)
        if ended.returncode != EXIT_BUSY:
            raise Broken(f"a second daemon beside a stopped one ended with {ended.returncode}")

    def command(self, *arguments):
        """keyrotatectl, while other things go on; ends with the daemon at the latest."""
        self._commands.append(subprocess.Popen(
            [self.build / "keyrotatectl", "--socket", self.site.socket, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def wait_confirmed(self):
        """Somebody confirms what the rule alone has said, of each account once it is adopted. False
        where the daemon ended before."""
        return not self.traits.found or self.wait(self._confirm, TIMEOUT, pause=0.05)

    def _confirm(self):
        for account in set(self.accounts) - self.confirmed:
            now = time.time()
            answer = self.site.ctl("confirm", account)
            if answer.returncode == EXIT_OK:
                self.confirmed.add(account)
            if answer.returncode != REFUSED:  # one that is not answered may be in the journal
                self.asked.setdefault(account, now)
        return self.confirmed == set(self.accounts)

    # --- the end ---

    def find_peace(self):
        """No more faults: every account rotates again, all is well, the daemon stops when asked."""
        self.azure.clear_faults()
        self.azure.settings(weather={"probability": 0}, propagation_ms=0)
        self.start()
        self.wait_up()
        if not self.wait_confirmed():
            raise Broken(f"not every account can be confirmed: {sorted(self.confirmed)}")
        for _ in range(ROTATIONS_AT_THE_END):
            self.must_rotate("in peace")
            self.command("rotate", *self.accounts)  # not before the overlap is over
        # No other rotation begins, so that the end cuts none in the middle of its deliveries.
        self.site.policy(rotate_every="30d", overdue_after="1d")
        self.site.write()
        if self.site.ctl("reload").returncode != EXIT_OK:
            raise Broken("the configuration cannot be read again in peace")
        if not self.wait(self.is_calm, TIMEOUT, pause=0.1):
            raise Broken("keyrotatectl status does not say that all is well, and nothing rotates")
        self.terminate()

    def is_calm(self):
        answer = self.site.ctl("--json", "status", "--all")
        return answer.returncode == EXIT_OK and \
            not any(one["rotating"] for one in json.loads(answer.stdout)["accounts"])

    def state(self):
        """The journal's directory as it can be read from here."""
        return self.site.state

    def keys(self):
        """The same of the key files."""
        return self.site.keys

    def scan(self):
        """No key in the journal, whatever a crash left of it, and in what was logged since."""
        log = self.directory / "since-last-scan.log"
        with self.site.log.path.open("rb") as whole:
            whole.seek(self._scanned)
            log.write_bytes(whole.read())
        self._scanned += log.stat().st_size
        files = [log, *(path for path in self.state().rglob("*") if path.is_file())]
        self.report.wrong += self.site.find_secrets(files)
        log.unlink()

    def judge(self):
        """What can be said about a world whose daemon has ended, however that was."""
        watched, self.held = self.users.stop()
        self.users = None
        lives = [(life.started, life.ended) for life in self.lives]
        truth = self.azure.truth
        report = self.report
        self.scan()
        outages = verdict.outages(watched, self.held, truth, self.guarantees)
        report.wrong += outages
        report.wrong += verdict.broken_rules(truth, self.accounts, lives, self.guarantees)
        report.wrong += verdict.forgotten_operations(truth, self.accounts, lives)
        if self.traits.found:
            report.wrong += verdict.unconfirmed(truth, self.accounts, self.asked)
        report.wrong += self.site.find_reports()
        report.wrong += self.follower.complaints
        report.readings = sum(one["reads"] for one in watched) + len(self.held)
        report.uses = len(self.held)
        report.dead = len(outages)
        report.late = verdict.late(self.held, self.guarantees.overlap)
        report.lazy_refused = verdict.lazy_refused(self.held)
        report.rotations = sum(self.follower.completed.values())
        report.recoveries = self.follower.recoveries

    def judge_remains(self):
        """What a clean end must leave."""
        self.report.wrong += verdict.journal_wrong(self.state(), self.azure.truth, self.accounts)
        self.report.wrong += verdict.leftovers(self.keys())
        self.report.wrong += self.places.wrong() if self.places else []

    def end_daemon(self):
        if self.lives and self.runs():
            self.life.daemon.kill()
            self._ended()

    def close(self):
        """Takes everything down; what was wrong stays where it is, as evidence."""
        if self.users:
            self.users.kill()
        self.end_daemon()
        if self.places:
            self.places.close()
        status = self.azure.stop()
        if status != 0:
            self.report.wrong.append(f"azuresim ended with {status}")
        self.report.seconds = time.monotonic() - self.began
        if self.report.wrong:
            self.report.evidence = self.disk
            self.site.socket.unlink(missing_ok=True)
            shutil.move(self.directory, self.disk / "world")
            shutil.move(self.site.directory, self.disk / "installation")
        else:
            for directory in (self.directory, self.site.directory, self.disk):
                shutil.rmtree(directory, ignore_errors=True)


def live_through(world, lives):
    """Runs `lives()`, the peace after it, and the judge; returns the report."""
    try:
        try:
            world.admit_users()
            lives()
            world.find_peace()
            world.judge_remains()
        except (AssertionError, Broken, OSError, subprocess.SubprocessError) as failure:
            world.report.wrong.append(f"{failure}; the log ends with\n{world.site.log.tail(12)}")
        world.end_daemon()
        world.judge()
    finally:
        world.close()
    return world.report
