"""Programs that use accounts, each with its own habit of reading its key again.

Run as a program, it is all of them for one world: they read the key files, hold on to what they
read, ask the data plane with it, and write down what they saw when. In the campaign, Users starts
that program and ends it. What it wrote is judged in verdict.py.

Times are bounds that hold whatever the scheduler does in between: what a file showed was there at
some moment after `read_at`, and before `had_at`.
"""

import argparse
import base64
import email.utils
import hashlib
import heapq
import hmac
import http.client
import json
import pathlib
import random
import re
import signal
import ssl
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import data_plane_probes  # noqa: E402

# 64 bytes in base64, hexadecimal, letters and digits.
KEY = re.compile(r"[A-Za-z0-9+/]{86}==|(?<![A-Za-z0-9])(?:[0-9a-f]{32}|[A-Za-z0-9]{52})(?![A-Za-z0-9])")
REGION = "westeurope"  # where the stand-in's accounts are
API = "2024-07-01.20.0"
WATCHED_EVERY = 0.015

# How long each of them keeps a key, in overlaps. All of them use it right before they read again.
HABITS = {
    "diligent": lambda dice: 0.4,
    "moody": lambda dice: dice.uniform(0.05, 0.85),
    "last moment": lambda dice: 0.85,
    "lazy": lambda dice: 3.5,  # reads too seldom, and has to be refused
}
LAZY = "lazy"
READY = "ready\n"


class Users:
    """`files`: (type:account, path) pairs. `wrapped`: a command that is to start them."""

    def __init__(self, directory, azure, files, overlap, wrapped=()):
        self._output = directory / "users.jsonl"
        arguments = ["--output", self._output, "--port", azure.port, "--ca-file", azure.ca_file,
                     "--overlap", overlap, *(f"{account}={path}" for account, path in files)]
        self._process = subprocess.Popen([*wrapped, sys.executable, __file__,
                                          *map(str, arguments)],
                                         stdout=subprocess.PIPE, text=True)
        # Before, the signal that ends them would be none that they expect.
        assert self._process.stdout.readline() == READY, "the users do not start"

    def stop(self):
        """Ends them; returns what they watched, and what they held and used."""
        self._process.terminate()
        status = self._process.wait(30)
        self._process.stdout.close()
        assert status == 0, f"the users ended with {status}"
        records = [json.loads(line) for line in self._output.read_text().splitlines()]
        return ([one for one in records if "reads" in one],
                [one for one in records if "habit" in one])

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


# --- the program -------------------------------------------------------------------------------

def read(path):
    """What stands in a file (a key, other text, or nothing), and the bounds of when it did."""
    read_at = time.time()
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            had_at = time.time()
            text = file.read()
    except FileNotFoundError:
        had_at = time.time()
        text = ""
    found = KEY.search(text)
    return (found.group() if found else text.strip()), read_at, had_at


def jobs(account, key, _port):
    """A request to the Batch service, signed with Shared Key."""
    date = email.utils.formatdate(usegmt=True)
    # Method, ten standard headers of which Date is the sixth, Range; then resource and query.
    text = f"GET\n\n\n\n\n\n{date}\n\n\n\n\n\n/{account}/jobs\napi-version:{API}"
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    mac = base64.b64encode(digest).decode()
    return ("GET", f"{account}.{REGION}.batch.localhost", f"/jobs?api-version={API}",
            {"Date": date, "Authorization": f"SharedKey {account}:{mac}"}, None)


REQUESTS = {"batch": jobs, "cosmos": data_plane_probes.cosmos, "storage": data_plane_probes.storage, "search": data_plane_probes.search,
            "cognitive_services": data_plane_probes.openai, "container_registry": data_plane_probes.registry}


class DataPlane:
    """Requests with keys, over one connection."""

    def __init__(self, port, ca_file):
        self._port = port
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=30, context=ssl.create_default_context(cafile=ca_file))

    def ask(self, word, account, key):
        """The status of a request that is made with the key of an account of that type."""
        try:
            return self._ask(word, account, key)
        except (http.client.HTTPException, OSError):
            self._connection.close()  # it was idle for long: once more, over a new one
            return self._ask(word, account, key)

    def _ask(self, word, account, key):
        method, host, path, headers, body = REQUESTS[word](account, key, self._port)
        self._connection.request(method, path, body, {"Host": host, **headers})
        reply = self._connection.getresponse()
        reply.read()
        return reply.status


class Watcher:
    """Reads one file all the while: each content of it becomes one sighting (e2e/consumer.py)."""

    def __init__(self, path, program):
        self._path = path
        self._program = program
        self._now = None
        self._had_key = False

    def act(self):
        key, read_at, had_at = read(self._path)
        if self._now is None or key != self._now["key"]:
            self.end()
            self._now = {"file": self._path, "key": key, "first": had_at, "reads": 0,
                         "seen_before": self._had_key}
        self._now["last"] = read_at
        self._now["reads"] += 1
        self._had_key = self._had_key or KEY.fullmatch(key) is not None
        self._program.at(time.time() + WATCHED_EVERY, self.act)

    def end(self):
        if self._now:
            self._program.write(self._now)


class Holder:
    """Reads, keeps the key for as long as its habit is, uses it, and reads again."""

    def __init__(self, word, account, path, habit, program):
        self._word, self._account, self._path, self._habit, self._program = word, account, path, habit, program
        self._held = None

    def act(self):
        if self._held:
            self._use()
        key, read_at, had_at = read(self._path)
        self._held = (key, read_at, had_at) if KEY.fullmatch(key) else None
        keep = HABITS[self._habit](self._program.dice) * self._program.overlap
        self._program.at(read_at + keep, self.act)

    def _use(self):
        key, read_at, had_at = self._held
        used_at = time.time()
        status = self._program.data_plane.ask(self._word, self._account, key)
        self._program.write({"habit": self._habit, "account": self._account, "file": self._path,
                             "key": key, "read_at": read_at, "had_at": had_at, "used_at": used_at,
                             "answered_at": time.time(), "status": status})


class Program:
    """What is to be done when, one thing at a time."""

    def __init__(self, arguments, output):
        self.overlap = arguments.overlap
        self.dice = random.Random(len(arguments.files))
        self.data_plane = DataPlane(arguments.port, arguments.ca_file)
        self._output = output
        self._due = []
        self._count = 0
        self._ending = False

    def at(self, when, action):
        self._count += 1
        heapq.heappush(self._due, (when, self._count, action))

    def write(self, record):
        self._output.write(json.dumps(record) + "\n")

    def stop(self, *_):
        self._ending = True

    def run(self):
        while not self._ending:
            when, _, action = self._due[0]
            wait = when - time.time()
            if wait > 0:
                time.sleep(min(wait, 0.2))
                continue
            heapq.heappop(self._due)
            action()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca-file", required=True)
    parser.add_argument("--overlap", type=float, required=True)
    parser.add_argument("files", nargs="+", metavar="TYPE:ACCOUNT=FILE")
    arguments = parser.parse_args()

    with pathlib.Path(arguments.output).open("w", encoding="utf-8") as output:
        program = Program(arguments, output)
        signal.signal(signal.SIGTERM, program.stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout.write(READY)
        sys.stdout.flush()
        watchers = []
        for account, path in (file.split("=", 1) for file in arguments.files):
            watchers.append(Watcher(path, program))
            program.at(0, watchers[-1].act)
            for habit in HABITS:
                program.at(0, Holder(*account.split(":"), path, habit, program).act)
        program.run()
        for watcher in watchers:
            watcher.end()


if __name__ == "__main__":
    main()
