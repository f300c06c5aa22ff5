"""A place where keyrotated is set up for one test: configuration, state, keys, log."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from consumer import Consumer, judge
from daemon import Daemon, Log
from patience import TIMEOUT, wait_until
from stand_in import CLIENT, CLIENT_SECRET, TENANT, resource_id

# Seconds in the place of weeks. The daemon warns about each value, and uses it.
TIMING = {"retry_initial": "200ms", "retry_max": "1s", "unknown_wait": "1s", "list_wait": "1s",
          "verify_timeout": "3s", "settle": "500ms"}
POLICY = {"rotate_every": "2s", "overlap": "800ms", "splay": "0s", "check_every": "1500ms",
          "overdue_after": "10s"}
OVERLAP = 0.8


class Installation:
    def __init__(self, build, azure, log_name="keyrotated.log"):
        # Short, because the path of a socket may be 107 characters long and no longer.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="krd-"))
        self.build = build
        self.azure = azure
        self.log = Log(self.directory / log_name)
        self.state = self.directory / "state"
        self.keys = self.directory / "keys"
        self.socket = self.directory / "control.sock"
        self.config_file = self.directory / "keyrotated.yaml"
        self.secret_file = self.directory / "client-secret"
        self.keys.mkdir()
        self.secret_file.touch(0o600)
        self.secret_file.write_text(CLIENT_SECRET + "\n")
        self.daemons = []
        self.stops_at_once = False  # a test expects it
        self.consumers = []
        self.config = {
            "version": 1,
            "state_dir": str(self.state),
            "control_socket": str(self.socket),
            "ca_file": str(azure.ca_file),
            "log": {"format": "json", "level": "debug", "status_every": "1s"},
            "cloud": {"resource_manager": azure.url, "login": azure.url,
                      "audience": "https://management.azure.com/",
                      "maps": azure.url.replace("localhost", "maps.localhost"),
                      "direct_line": azure.url.replace("localhost", "directline.localhost")},
            "timing": dict(TIMING),
            "identities": {"ops": {"type": "client_secret", "tenant_id": TENANT,
                                   "client_id": CLIENT,
                                   "client_secret_file": str(self.secret_file)}},
            "policies": {"quick": dict(POLICY)},
            "targets": {"file": {"type": "file", "path": f"{self.keys}/{{account}}"}},
            "defaults": {"policy": "quick", "deliver_to": ["file"]},
            "accounts": [],
        }

    # --- configuration ---

    def account(self, name, create=True, active="primary", **more):
        """Configures an account, and creates it in Azure."""
        if create:
            self.azure.create(name)
        entry = {"id": resource_id(name), **more}
        if active:
            entry["adopt_active"] = active
        self.config["accounts"].append(entry)
        return name

    def forget(self, name):
        self.config["accounts"] = [entry for entry in self.config["accounts"]
                                   if entry["id"] != resource_id(name)]

    def policy(self, **changes):
        """Changes the policy that all accounts have. Where no rotation is to begin by itself,
        rotate_every is days: the first one begins anywhere between overlap and rotate_every."""
        assert not re.fullmatch(r"\d+[mh]", changes.get("rotate_every", "")), \
            "once in many runs, a rotation begins within the test: write seconds or days"
        self.config["policies"]["quick"].update(changes)

    def write(self):
        # JSON is YAML.
        self.config_file.write_text(json.dumps(self.config, indent=2) + "\n")

    def role(self, *arguments):
        """The role that --print-role prints."""
        self.write()
        printed = subprocess.run([self.build / "keyrotated", "-c", self.config_file, "--print-role",
                                  *arguments], capture_output=True, text=True, timeout=30,
                                 check=True)
        return json.loads(printed.stdout)

    # --- keys ---

    def file(self, name):
        return self.keys / name

    def held(self, name):
        """The text of the key file, or None."""
        try:
            return self.file(name).read_text().strip()
        except FileNotFoundError:
            return None

    def holds(self, name):
        """Which live key the file holds: "Primary", "Secondary", or None."""
        held = self.held(name)
        return next((slot for slot, key in self.azure.keys(name).items() if key == held), None)

    def put(self, name, text):
        """Somebody writes a key file (so that readers see the old text or the new one)."""
        draft = self.keys / f".{name}.draft"
        draft.write_text(text + "\n")
        draft.rename(self.file(name))

    # --- running ---

    def start(self, *arguments, **how):
        """Starts the daemon as configured, and waits until it is."""
        self.write()
        return self.launch(*arguments, **how).ready()

    def launch(self, *arguments, **how):
        """Starts it as the files say, and does not wait."""
        daemon = Daemon(self, *arguments, **how)
        self.daemons.append(daemon)
        return daemon

    def run(self, *arguments, timeout=TIMEOUT):
        """Runs keyrotated to its end, apart from the log."""
        return subprocess.run([self.build / "keyrotated", "-c", self.config_file, *arguments],
                              capture_output=True, text=True, timeout=timeout, check=False)

    def ctl(self, *arguments, timeout=TIMEOUT, **more):
        return subprocess.run([self.build / "keyrotatectl", "--socket", self.socket, *arguments],
                              capture_output=True, text=True, timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL, **more)

    def status(self, name):
        """What `status --json` says of one account."""
        answer = self.ctl("--json", "status", name)
        assert answer.stdout, f"keyrotatectl: {answer.returncode} {answer.stderr}"
        return json.loads(answer.stdout)["accounts"][0]

    def consumer(self, *names, every=0.0005):
        consumer = Consumer(self.directory, [self.file(name) for name in names], every)
        self.consumers.append(consumer)
        return consumer

    def verdict(self, consumer, overlap=OVERLAP, strangers=()):
        """Stops a consumer and judges it; returns what it saw."""
        self.consumers.remove(consumer)
        sightings = consumer.stop()
        wrong = judge(sightings, self.azure.truth, overlap, strangers)
        assert not wrong, "\n".join(wrong)
        return sightings

    # --- what happens to accounts ---

    def completed(self, name, since=0):
        return self.log.lines(since, event="rotation.completed", account=name)

    def wait_rotations(self, name, count, since=0, timeout=TIMEOUT):
        """Until so many rotations of the account were completed."""
        return wait_until(lambda: self.completed(name, since)[count - 1:],
                          f"{name} was rotated {count} times", timeout)[0]

    def wait_adopted(self, *names):
        """Until these accounts are adopted and their keys delivered."""
        for name in names:
            self.log.wait("account.adopted", account=name)
            wait_until(lambda: self.holds(name), f"the key file of {name} holds a live key")

    # --- the end ---

    def end(self):
        """Takes everything down; returns what was wrong with the end."""
        problems = []
        for consumer in self.consumers:
            consumer.kill()
        for daemon in self.daemons:
            if daemon.is_running():
                status = daemon.stop()
                if status != 0:
                    problems.append(f"keyrotated ended with {status} on SIGTERM")
        problems += self.find_reports() + self.find_secrets(self.all_files())
        return problems

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def find_reports(self):
        """What sanitizers and the loop complain about."""
        text = self.log.text()
        marks = ["AddressSanitizer", "LeakSanitizer", "runtime error:", "was left open"]
        if not self.stops_at_once:
            marks.append("stopping at once")
        return [f"the log says \"{mark}\"" for mark in marks if mark in text]

    def all_files(self):
        return [self.log.path, *(path for path in self.state.rglob("*") if path.is_file())]

    def find_secrets(self, files, more=()):
        """Secrets that stand where none may."""
        secrets = {CLIENT_SECRET, *self.azure.truth.tokens(), *more}
        forms = {secret.encode() for secret in secrets}
        for key in self.azure.truth.keys():
            forms |= {key.encode(), base64.b64decode(key.rpartition("@")[2])}  # IR@...@BASE64
        return [f"a secret stands in {path}" for path in files for content in [path.read_bytes()]
                if any(form in content for form in forms)]
