#!/usr/bin/python3
"""Shows keyrotated at work: the real daemon, a pretended Azure, a few accounts, short intervals.

Every key lives for seconds instead of months here; all else is as it would be on a server. While it
runs, a consumer per account reads its key file again and again, and asks whether Azure would still
accept the key; one more reads its file seldom, and lives from the overlap. Ends with Ctrl-C, or by
itself after --seconds.
"""

import argparse
import contextlib
import datetime
import hashlib
import json
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
RESOURCE_GROUP = "demo"
ACCOUNTS = {"renderfarm": "westeurope", "genomics": "japaneast", "weather": "eastus"}
# Nobody says which of its keys is in use.
UNKNOWN = "archive"
SLOW, SLOW_READS_EVERY = "renderfarm", 1.5  # less than the overlap

# Known to the stand-in without any configuration (tests/azuresim/README.md).
TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
CLIENT_SECRET = "sim-client-secret"

CONFIGURATION = """\
version: 1
state_dir: {directory}/state
control_socket: {directory}/control.sock
ca_file: {directory}/azure/ca.pem
log: {{format: json, status_every: 10s}}
cloud:
  resource_manager: {url}
  login: {url}
  audience: https://management.azure.com/
timing: {{retry_initial: 200ms, retry_max: 2s, unknown_wait: 1s, verify_timeout: 5s, settle: 500ms}}
identities:
  demo: {{type: client_secret, tenant_id: {tenant}, client_id: {client},
         client_secret_file: {directory}/client-secret}}
policies:
  demo: {{rotate_every: 5s, overlap: 2s, splay: 0s, check_every: 2s,
         overdue_after: 3s}}
targets:
  file: {{type: file, path: "{directory}/keys/{{account}}"}}
  env:  {{type: file, path: "{directory}/keys/{{account}}.env", format: env}}
defaults: {{deliver_to: [file, env]}}
accounts:
"""
ACCOUNT = ("  - {{id: /subscriptions/{subscription}/resourceGroups/{group}/providers/"
           "Microsoft.Batch/batchAccounts/{name}{adopt}}}\n")

COLUMNS = """\
TIME        WHO          WHAT
            an account   what the daemon says of it: [number of the rotation]  a line of its log
                         ·  what a program sees that reads the account's key file ten times a second
                         ·  slow reader: one that reads it every {slow} s; the overlap is {overlap} s
            (meanwhile)  what happens to Azure or to the files
            $            what an operator types
A rotation: the idle key is regenerated, verified, delivered to every target, and only then
called active. The key that it replaces keeps working for the overlap, at least.
"""
SHOWN_EVENTS = {"daemon.started", "account.adopted", "account.blocked", "account.unblocked",
                "rotation.started", "key.regenerated", "key.verified", "key.delivered",
                "rotation.completed", "rotation.retrying", "drift.detected", "drift.repaired",
                "daemon.stopping"}
DURATIONS_ARE_SHORT = "warning: is short"  # they are meant to be
OVERLAP = 2
COLOURS = {"file": "36", "you": "35", "bad": "31;1"} if sys.stdout.isatty() else {}


# Threads print one line at a time.
SPEAKING = threading.Lock()


def say(who, text, colour=None):
    line = f"{datetime.datetime.now():%H:%M:%S.%f}"[:-5] + f"  {who:<12} {text}"
    if colour in COLOURS:
        line = f"\033[{COLOURS[colour]}m{line}\033[0m"
    write(line)


def write(text):
    with SPEAKING:
        print(text, flush=True)


class Azure:
    """The stand-in, and its control interface."""

    def __init__(self, program, directory):
        directory.mkdir()
        self.process = subprocess.Popen([program, "--dir", directory], start_new_session=True,
                                        stdout=subprocess.DEVNULL)
        described = directory / "azuresim.json"
        deadline = time.monotonic() + 10
        while not described.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the Azure stand-in did not start")
            time.sleep(0.02)
        description = json.loads(described.read_text())
        self.url = description["url"]
        # Python asks the resolver even for "localhost", which a bare system may not know.
        self.control = f"https://127.0.0.1:{description['port']}/_sim"
        self.trust = ssl.create_default_context(cafile=directory / "ca.pem")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.control}/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.trust, timeout=5) as reply:
            return json.loads(reply.read() or b"null")

    def create(self, name, location):
        self.ask("PUT", "accounts", {"subscription_id": SUBSCRIPTION, "location": location,
                                     "resource_group": RESOURCE_GROUP, "name": name})

    def live_keys(self, name):
        account = self.ask("GET", f"accounts/{name}")
        return {"primary": account["primary"], "secondary": account["secondary"]}

    def lose_the_next_reply(self, name):
        self.ask("POST", "faults", [{"face": "arm", "op": "regenerateKeys", "account": name,
                                     "fault": "lost_after", "count": 1}])


class Consumer(threading.Thread):
    """Reads one key file all the while, as a program that uses the account would."""

    def __init__(self, azure, name, file, stopping):
        super().__init__(daemon=True)
        self.azure, self.account, self.file, self.stopping = azure, name, file, stopping
        self.readings = self.dead = self.changes = 0

    def run(self):
        shown = None
        while not self.stopping.wait(0.1):
            with contextlib.suppress(OSError):
                key = self.file.read_text().strip()
                self.look(key, shown)
                shown = key

    def look(self, key, shown):
        live = self.azure.live_keys(self.account)
        slot = next((slot for slot in live if live[slot] == key), None)
        vandalised = key == VANDALISM
        self.readings += 1
        self.dead += slot is None and not vandalised
        if key == shown:
            return
        self.changes += 1
        if vandalised:
            return
        mark = hashlib.sha256(key.encode()).hexdigest()[:8]
        say(self.account, f"       · file now holds the {slot} key (sha256 {mark}…)" if slot else
            "       · file holds a key that is DEAD", "file" if slot else "bad")


class SlowConsumer(threading.Thread):
    """Reads its key file seldom, but within the overlap, and uses what it has read all the while."""

    def __init__(self, azure, name, file, stopping):
        super().__init__(daemon=True)
        self.azure, self.account, self.file, self.stopping = azure, name, file, stopping
        self.readings = self.dead = self.saved = 0

    def run(self):
        key, read_at, told = None, 0, False
        while not self.stopping.wait(0.1):
            with contextlib.suppress(OSError):
                newest = self.file.read_text().strip()
                if key and time.monotonic() - read_at < SLOW_READS_EVERY:
                    told = self.use(key, newest, told)
                    continue
                if key != newest:
                    say(self.account, "       · slow reader: reads its file, and has the new key"
                        if key else "       · slow reader: reads its file", "file")
                key, read_at, told = newest, time.monotonic(), False

    def use(self, key, newest, told):
        works = key in self.azure.live_keys(self.account).values()
        self.readings += 1
        self.dead += not works
        if key != newest and works and not told:
            self.saved += 1
            say(self.account, "       · slow reader: still has the key before, which still works",
                "file")
        elif not works:
            say(self.account, "       · slow reader: its key is DEAD", "bad")
        return told or key != newest


VANDALISM = "somebody wrote this"


class Daemon:
    """keyrotated, its log lines shown as they come."""

    def __init__(self, program, configuration):
        self.directory = f"{configuration.parent}/"
        self.rotations = dict.fromkeys([*ACCOUNTS, UNKNOWN], 0)
        self.process = subprocess.Popen([program, "-c", configuration], start_new_session=True,
                                        stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.show_log, daemon=True)
        self.reader.start()

    def show_log(self):
        for line in self.process.stderr:
            if DURATIONS_ARE_SHORT in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                say("keyrotated", line.rstrip(), "bad")
                continue
            account = entry.get("account", "keyrotated")
            if entry["event"] == "rotation.completed" and account in self.rotations:
                self.rotations[account] += 1
            if entry["event"] in SHOWN_EVENTS or entry["level"] in ("error", "warning"):
                cycle = f"[{entry['cycle']:>3}]  " if entry.get("cycle") else " " * 7
                text = entry["msg"].removeprefix(f"{account}: ").replace(self.directory, "")
                say(account, cycle + text,
                    "bad" if entry["level"] == "error" else None)
                if entry["event"] == "account.blocked":
                    say(account, " " * 7 + "do: " + entry["remedy"], "bad")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join(5)
        return status


def configure(directory, azure):
    (directory / "keys").mkdir()
    secret = directory / "client-secret"
    secret.touch(0o600)
    secret.write_text(CLIENT_SECRET + "\n")
    text = CONFIGURATION.format(directory=directory, url=azure.url, tenant=TENANT, client=CLIENT)
    for name in [*ACCOUNTS, UNKNOWN]:
        text += ACCOUNT.format(subscription=SUBSCRIPTION, group=RESOURCE_GROUP, name=name,
                               adopt="" if name == UNKNOWN else ", adopt_active: primary")
    file = directory / "keyrotated.yaml"
    file.write_text(text)
    return file


class Operator:
    """Types commands."""

    def __init__(self, program, directory):
        self.command = [program, "--socket", directory / "control.sock"]

    def type(self, *words, quiet=False):
        say("$", "keyrotatectl " + " ".join(words), "you")
        done = subprocess.run([*self.command, *words], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not quiet:
            write(done.stdout)

    def settle(self, name):
        """What the `do:` line asked for. The operator knows that programs use the primary key."""
        self.type("adopt", name, "--active", "primary", "--yes", quiet=True)


def incidents(azure, operator, directory):
    """What happens while it runs: (seconds after the start, what is said, what is done)."""
    lossy, vandalised = "genomics", "weather"
    return [
        (3, f"the operator finds out that the programs of {UNKNOWN} use the primary key",
         lambda: operator.settle(UNKNOWN)),
        (6, f"the answer to the next regenerate of {lossy} will be lost on its way: the daemon will "
            "wait, look at the keys, and know",
         lambda: azure.lose_the_next_reply(lossy)),
        (13, f"somebody overwrites the key file of {vandalised}",
         lambda: (directory / "keys" / vandalised).write_text(VANDALISM + "\n")),
    ]


def run(daemon, azure, operator, directory, seconds, stopping):
    """Until the time is over, Ctrl-C, or the daemon is gone."""
    started = time.monotonic()
    coming = incidents(azure, operator, directory)
    while not stopping.wait(0.1) and daemon.process.poll() is None:
        elapsed = time.monotonic() - started
        if seconds and elapsed >= seconds:
            break
        if coming and elapsed >= coming[0][0]:
            _, text, action = coming.pop(0)
            say("(meanwhile)", text, "you")
            action()


def demonstrate(build, directory, seconds):
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())

    azure = Azure(build / "azuresim", directory / "azure")
    try:
        for name, location in [*ACCOUNTS.items(), (UNKNOWN, "eastus")]:
            azure.create(name, location)
        configuration = configure(directory, azure)
        print(f"Everything is in {directory} while this runs. In another terminal, try\n"
              f"    {build}/keyrotatectl --socket {directory}/control.sock status --all\n"
              f"    {build}/keyrotatectl --socket {directory}/control.sock rotate weather\n"
              + ("" if seconds else "Ctrl-C ends it.\n"), flush=True)
        print(COLUMNS.format(slow=SLOW_READS_EVERY, overlap=OVERLAP), flush=True)
        daemon = Daemon(build / "keyrotated", configuration)
        consumers = [Consumer(azure, name, directory / "keys" / name, stopping)
                     for name in [*ACCOUNTS, UNKNOWN]]
        consumers.append(SlowConsumer(azure, SLOW, directory / "keys" / SLOW, stopping))
        operator = Operator(build / "keyrotatectl", directory)
        for consumer in consumers:
            consumer.start()
        try:
            run(daemon, azure, operator, directory, seconds, stopping)
            write("")
            operator.type("status", "--all")
        finally:
            stopping.set()
            status = daemon.stop()
        for consumer in consumers:
            consumer.join(5)
        return summarise(daemon, consumers, status)
    finally:
        azure.process.terminate()
        azure.process.wait(10)


def summarise(daemon, consumers, status):
    readings = sum(consumer.readings for consumer in consumers)
    dead = sum(consumer.dead for consumer in consumers)
    rotations = ", ".join(f"{name} {count}" for name, count in daemon.rotations.items())
    print(f"\nRotations: {rotations}.\n{readings} readings of the key files, {dead} of them a dead "
          f"key; {consumers[-1].saved} times the overlap kept the slow reader working. The daemon ended with exit status {status}.")
    return 0 if status == 0 and dead == 0 and readings and any(daemon.rotations.values()) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="keyrotated-demo-"))
    try:
        return demonstrate(arguments.build.resolve(), directory, arguments.seconds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
