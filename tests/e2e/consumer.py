"""A consumer of key files, and how it is judged.

Run as a program, it reads files again and again, as software that uses the accounts would, and
writes down which key stood in which file when. In a test, Consumer starts that program, and
judge() holds what it wrote against the stand-in's truth log.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from patience import wait_until

# Times come from two processes, and the daemon counts in milliseconds.
TOLERANCE = 0.03


def looked_file(output):
    """Its time says from when on all files were looked at."""
    return pathlib.Path(f"{output}.looked")


class Consumer:
    """Reads files all the while, every `every` seconds (0.0005: as good as continuously)."""

    def __init__(self, directory, files, every=0.0005):
        self.output = directory / f"consumer-{time.monotonic_ns()}.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--output", self.output, "--every", str(every), *files])

    def wait_looked(self):
        """Until it has looked at all files once more, from now on."""
        looked, since = looked_file(self.output), time.time()
        wait_until(lambda: looked.exists() and looked.stat().st_mtime > since, "the consumer looks")

    def stop(self):
        """Ends it, and returns what it saw."""
        wait_until(looked_file(self.output).exists, "the consumer begins")  # or it dies of the signal
        self.process.terminate()
        assert self.process.wait(30) == 0, "the consumer failed"
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def kill(self):
        self.process.kill()
        self.process.wait()


def judge(sightings, truth, overlap, strangers=()):
    """What is wrong with what a consumer saw: sentences, or nothing.

    A key that was read at some moment may be used until the consumer reads again, which it does
    within `overlap`: so it must live when it is read, and for an overlap more. Keys that somebody
    else killed do not count. `strangers`: texts that the test wrote into files.
    """
    lives = truth.lives()
    wrong = []
    for seen in sightings:
        life = lives.get(seen["key"])
        if seen["key"] in strangers or (seen["key"] == "" and not seen["seen_before"]):
            continue
        if life is None:
            wrong.append(f"{seen['file']} held {seen['key']!r}, which never was a key")
            continue
        if seen["first"] < life.born - TOLERANCE:
            early = life.born - seen["first"]
            wrong.append(f"{seen['file']} held the {life.slot} key {early:.3f} s before Azure "
                         "accepted it")
        if life.died < seen["last"] + overlap - TOLERANCE and life.died_by == "arm":
            left = life.died - seen["last"]
            wrong.append(f"{seen['file']} was seen to hold the {life.slot} key at "
                         f"{seen['last']:.3f}, and it died {left:+.3f} s from then")
    return wrong


# --- the program -------------------------------------------------------------------------------

LOOKED_EVERY = 0.05

KEY = re.compile(r"[A-Za-z0-9+/]{86}==")


class Watched:
    """One file: what stands in it now, and since when."""

    def __init__(self, path):
        self.path = path
        self.now = None
        self.had_key = False

    def look(self, output):
        opened = time.time()
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                opened = time.time()
                text = file.read()
        except FileNotFoundError:
            text = ""
        found = KEY.search(text)
        key = found.group() if found else text.strip()
        if self.now is None or key != self.now["key"]:
            self.write(output)
            self.now = {"file": self.path, "key": key, "first": opened, "reads": 0,
                        "seen_before": self.had_key}
        self.now["last"] = opened
        self.now["reads"] += 1
        self.had_key = self.had_key or bool(found)

    def write(self, output):
        if self.now:
            output.write(json.dumps(self.now) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", required=True)
    parser.add_argument("--every", type=float, required=True)
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()

    going_on = True

    def stop(*_):
        nonlocal going_on
        going_on = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    files = [Watched(path) for path in arguments.files]
    looked, told = looked_file(arguments.output), 0
    looked.touch()
    os.utime(looked, (0, 0))
    with open(arguments.output, "w", encoding="utf-8") as output:
        while going_on:
            began = time.time()
            for file in files:
                file.look(output)
            if not 0 <= began - told < LOOKED_EVERY:
                os.utime(looked, (began, began))
                told = began
            time.sleep(arguments.every)
        for file in files:
            file.write(output)


if __name__ == "__main__":
    main()
