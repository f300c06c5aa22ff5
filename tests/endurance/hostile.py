#!/usr/bin/python3
"""The real daemon among hostile clients and servers: are its rotations punctual, does its memory
stay flat?

A few accounts rotate every second or so, and programs sign requests with their keys. First nobody
disturbs them; then a thousand clients of the control socket with one bad habit after the other; then
500 more accounts whose servers take every request and never answer: in five subscriptions, and in a
subscription each, so that they fill all places that the daemon has for requests in flight; then twenty
for each kind of target that can hang, on a dead file system among others, before and after their time
is up, and clients with the last habit meanwhile.
In each, rotations are counted, an honest `keyrotatectl status` is timed, and the daemon's memory,
descriptors and threads are measured.
"""

import argparse
import dataclasses
import datetime
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "crash")]

import figures  # noqa: E402
from bad_clients import HABITS  # noqa: E402
from dead_disk import DeadDisk  # noqa: E402
from hanging import Hanging, Steps  # noqa: E402
from namespace import Namespace  # noqa: E402
from patience import wait_until  # noqa: E402
from soak import conclude  # noqa: E402
from stand_in import resource_id  # noqa: E402
from world import Broken, Traits, World  # noqa: E402

SECONDS = 15  # of each phase
ACCOUNTS = 4  # at a pace that the daemon's own limit on writes (10 a second) allows
CLIENTS = 1000
SERVERS = 500
SUBSCRIPTIONS = (5, SERVERS)  # one after the other
# What rotations may lose to a thousand clients on a machine that they share with them.
LEAST_PACE = 0.5
SLOWEST_STATUS_S = 10.0
MEMORY_MAX_KB = 8 * 1024
WARM_UP_S = 5
# Until every server that hangs has been found out, 64 at a time (limits.requests), in 5 s each.
FIND_OUT_S = 5 * SERVERS / 64 + 5
TARGETS = 20  # of each kind that hang
GIVEN_UP_S = 60  # that the daemon gives a target
# Which no step of another account may take longer beside them, nor any turn of the loop.
BOUND_MS = 50
ROUNDS = 6  # in which a machine that stood still itself has to be well again


@dataclasses.dataclass
class Phase:
    name: str
    seconds: float
    rotations: int = 0
    longest_gap: float = 0.0
    answers: list = dataclasses.field(default_factory=list)
    samples: list = dataclasses.field(default_factory=list)
    clients: dict = dataclasses.field(default_factory=dict)
    steps: Steps = None
    wrong: list = dataclasses.field(default_factory=list)

    @property
    def pace(self):
        return self.rotations / self.seconds

    def line(self):
        memory = [sample.private_kb for sample in self.samples]
        count = max(sample.descriptors for sample in self.samples)
        threads = max(sample.threads for sample in self.samples)
        slowest = f"{max(self.answers) * 1000:6.0f} ms" if self.answers else "   none"
        return (f"  {self.name:32} {self.pace:6.2f} rotations/s, longest pause {self.longest_gap:5.1f} s,"
                f" status {slowest}, private memory {min(memory):,} to {max(memory):,} kB,"
                f" {count} descriptors, {threads} threads"
                + "".join(f", {count:,} {what}" for what, count in self.clients.items() if count))


class Trial:
    def __init__(self, build, disk, seconds):
        self.seconds = seconds
        self.namespace = Namespace()
        self.world = World(build, disk, "hostile", Traits(accounts=ACCOUNTS, overlap_ms=1400),
                           self.namespace.command)
        self.site = self.world.site
        self.phases = []
        dead = self.site.directory / "dead"
        dead.mkdir()
        self.disk = DeadDisk(dead, self.namespace.command)
        self.targets = Hanging(self.site, None if self.disk.error else dead)

    def measure(self, name):
        """What happens for so long."""
        world, phase = self.world, Phase(name, self.seconds)
        since = self.site.log.mark()
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            if world.wait(lambda: False, 0.5) or not world.runs():
                raise Broken(f"the daemon ended with {world.life.status} ({name})")
            phase.samples.append(figures.take(world.life.daemon.pid))
            began = time.monotonic()
            try:
                answer = self.site.ctl("status", timeout=SLOWEST_STATUS_S * 3)
                if answer.returncode in (0, 1, 2):
                    phase.answers.append(time.monotonic() - began)
            except subprocess.TimeoutExpired:
                phase.answers.append(SLOWEST_STATUS_S * 3)
        phase.seconds = self.seconds + time.monotonic() - ends
        self.count(phase, since)
        phase.steps = Steps(self.site.log, since, self.world.accounts)
        self.phases.append(phase)
        print(phase.line(), flush=True)
        return phase

    def count(self, phase, since):
        """Rotations of the accounts that have always been there, and the longest time without any."""
        times = {account: [] for account in self.world.accounts}
        for line in self.site.log.lines(since, event="rotation.completed"):
            if line["account"] in times:
                times[line["account"]].append(
                    datetime.datetime.fromisoformat(line["time"]).timestamp())
        phase.rotations = sum(map(len, times.values()))
        gaps = [later - sooner for one in times.values() for sooner, later in zip(one, one[1:])]
        phase.longest_gap = max(gaps, default=phase.seconds)

    def besiege(self, habit):
        crowd = subprocess.Popen([sys.executable, "-B", HERE / "bad_clients.py", "--habit", habit,
                                  "--clients", str(CLIENTS), self.site.socket],
                                 stdout=subprocess.PIPE, text=True)
        try:
            self.world.wait(lambda: False, WARM_UP_S)
            phase = self.measure(habit)
        finally:
            crowd.terminate()
            counts = crowd.communicate(timeout=60)[0]
        phase.clients = json.loads(counts)
        print(f"  {'':32} " + ", ".join(f"{count:,} {what}" for what, count in phase.clients.items()))

    def hang(self, subscriptions):
        """Accounts whose servers never answer, adopted while they still did."""
        names = [f"hung{subscriptions}x{number}" for number in range(SERVERS)]
        self.site.config["policies"]["watched"] = {"rotate_every": "30d", "check_every": "5s"}
        self.site.config["defaults"]["policy"] = "quick"
        since = self.site.log.mark()
        for number, name in enumerate(names):
            subscription = f"00000000-0000-0000-{subscriptions:04d}-{number % subscriptions:012d}"
            self.site.azure.ask("PUT", "accounts", {
                "name": name, "subscription_id": subscription, "resource_group": "e2e",
                "location": "westeurope"})
            self.site.config["accounts"].append({
                "id": resource_id(name, subscription), "adopt_active": "primary",
                "policy": "watched"})
        self.reload("the accounts of the servers that are to hang were refused")
        wait_until(lambda: len(self.site.log.lines(since, event="account.adopted")) >= SERVERS,
                   "all of them are adopted", timeout=180, pause=0.5)
        where = f"in {subscriptions} subscriptions"
        self.measure(f"{SERVERS} more {where}")
        self.site.azure.ask("POST", "faults", [{"face": "arm", "op": "any", "account": name,
                                               "fault": "hang"} for name in names])
        self.world.wait(lambda: False, FIND_OUT_S)
        self.measure(f"{SERVERS} hung {where}")
        self.site.azure.clear_faults()
        del self.site.config["accounts"][-SERVERS:]
        self.reload("the accounts of the servers that hung cannot be removed")

    def hang_targets(self):
        """Accounts whose targets, or the secrets for them, hang."""
        if self.disk.error:
            print(f"  no dead file system: {self.disk.error}")
        calm = self.measure("nobody once more")
        self.targets.add(TARGETS)
        began = time.monotonic()
        self.reload("the accounts of the targets that hang were refused")
        self.world.wait(lambda: False, WARM_UP_S)
        self.measure_steps(f"{len(self.targets.names)} targets hung", calm)
        self.besiege(HABITS[-1])
        self.world.wait(lambda: False, max(0, began + GIVEN_UP_S - self.seconds / 2 - time.monotonic()))
        self.measure_steps("their time is up", calm)

    def measure_steps(self, name, calm):
        wrong = []
        for _ in range(ROUNDS):
            wrong.clear()
            phase = self.measure(name)
            phase.wrong = wrong
            print(phase.steps.text(calm.steps))
            delay, step = phase.steps.delay(calm.steps)
            if delay > BOUND_MS:
                phase.wrong.append(f"{step} took {delay:.0f} ms longer than with nobody")
            if phase.steps.lag() > BOUND_MS:
                phase.wrong.append(f"a turn of the loop took {phase.steps.lag()} ms")
            if not phase.wrong:
                break

    def reload(self, otherwise):
        self.site.write()
        if self.site.ctl("reload").returncode != 0:
            raise Broken(otherwise)

    def live(self):
        world = self.world
        world.follower.tolerated.add("account.removed")  # those whose servers hung, by reload
        world.admit_users()
        world.start(self.targets.environment)
        world.wait_up()
        world.must_rotate("at first")
        self.measure("nobody")
        for habit in HABITS[:-1]:
            self.besiege(habit)
        self.measure("nobody any more")
        for subscriptions in SUBSCRIPTIONS:
            self.hang(subscriptions)
        self.hang_targets()
        world.end_daemon()

    def run(self):
        world = self.world
        try:
            self.live()
        except Exception:  # whatever it is, the world is taken down, and it is told
            world.report.wrong.append(f"{traceback.format_exc()}\nthe log ends with\n"
                                      f"{world.site.log.tail(12)}")
        try:
            world.end_daemon()
            world.judge()
        finally:
            world.close()
            self.targets.stop()
            self.disk.end()
            self.namespace.end()

    def verdicts(self):
        calm = base = self.phases[0] if self.phases else None
        yield "nobody held a dead key, and all rules were kept", "\n".join(self.world.report.wrong)
        for phase in self.phases[1:]:
            wrong = list(phase.wrong)
            if " more in " in phase.name or phase.name.endswith(" targets hung"):
                base = phase  # more accounts need more memory, and so do connections that hang
            if phase.pace < LEAST_PACE * calm.pace:
                wrong.append(f"{phase.pace:.2f} rotations a second, {calm.pace:.2f} when left alone")
            if not phase.answers or max(phase.answers) > SLOWEST_STATUS_S:
                wrong.append(f"an honest status took {max(phase.answers, default=0):.1f} s, or failed")
            peak = max(sample.private_kb for sample in phase.samples)
            before = max(sample.private_kb for sample in base.samples)
            if peak > before + MEMORY_MAX_KB:
                wrong.append(f"memory went from {before:,} to {peak:,} kB")
            yield phase.name, "\n".join(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each phase")
    parser.add_argument("--results", type=pathlib.Path)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    disk = pathlib.Path(tempfile.mkdtemp(prefix="hostile-", dir=arguments.build))
    trial = Trial(arguments.build.resolve(), disk, arguments.seconds)
    trial.run()
    if disk.exists() and not any(disk.iterdir()):
        disk.rmdir()
    return conclude(arguments.results, "hostile", list(trial.verdicts()))


if __name__ == "__main__":
    sys.exit(main())
