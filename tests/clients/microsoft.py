"""Microsoft's clients, each in its habits: they know nothing of a stand-in. Their names lead to one through a
proxy, and an authority of its own makes them believe it."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from installation import Installation
from proxy import Proxy
from stand_in import CLIENT, CLIENT_SECRET, RESOURCE_GROUP, SUBSCRIPTION, TENANT, StandIn

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
TIMEOUT_S = 120
MANAGEMENT = "https://management.azure.com/"
# What each of them is made for. They differ in nothing else that concerns us.
API_VERSIONS = {"az": "2022-10-01", "python": "2022-10-01", "javascript": "2023-11-01", "keyrotated": "2024-02-01"}


class Cloud:
    """A stand-in that is that cloud and writes down what is said, and a proxy that leads to it."""

    def __init__(self, build, name="AzureCloud"):
        self.name = name
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="krm-"))
        self.azure = StandIn(build / "azuresim", self.directory / "azure", "--cloud", name, "--record")
        self.proxy = Proxy(self.azure.port)
        self.site = Installation(build, self.azure)
        self.site.config["cloud"] = name
        self.site.config["proxy"] = self.proxy.url
        ca_file = str(self.azure.ca_file)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "LC_ALL": "C.UTF-8",
                            "HTTPS_PROXY": self.proxy.url, "NO_PROXY": "127.0.0.1",
                            "REQUESTS_CA_BUNDLE": ca_file, "NODE_EXTRA_CA_CERTS": ca_file}

    def end(self):
        problems = self.site.end()
        self.site.remove()
        self.proxy.end()
        status = self.azure.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        assert not problems and status == 0, (problems, status)


def by_secret(secret=CLIENT_SECRET):
    return {"kind": "secret", "tenant": TENANT, "client": CLIENT, "secret": secret,
            "subscription": SUBSCRIPTION, "group": RESOURCE_GROUP}


class Failed(Exception):
    """A client says that something is wrong."""


class Library:
    """A client that is a library, driven by a small program."""

    def __init__(self, cloud, identity=None, **environment):
        self.environment = {**cloud.environment, **environment}
        self.identity = identity or by_secret()

    def command(self, program):
        """How to start a program that uses the library."""
        raise NotImplementedError

    def ask(self, *jobs):
        """What it says to each job, in one process: {"answer"} or {"error", "code", "status", "message"}."""
        done = subprocess.run([*self.command(), *map(json.dumps, [self.identity, *jobs])], text=True,
                              env=self.environment, capture_output=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ask_one(self, *job):
        said, = self.ask(job)
        if "error" in said:
            raise Failed(f"{said.get('code')}: {said['message']}")
        return as_on_the_wire(said["answer"])

    def token(self):
        return self.ask_one("token", f"{MANAGEMENT}.default")

    def show(self, name):
        return self.ask_one("get", name)

    def list(self):
        return self.ask_one("list")

    def list_keys(self, name):
        return self.ask_one("listKeys", name)

    def regenerate(self, name, slot):
        return self.ask_one("regenerateKeys", name, slot)


class JavaScript(Library):
    name = "javascript"

    def __init__(self, cloud, identity=None, **environment):
        super().__init__(cloud, identity, **environment)
        self.directory = pathlib.Path(where("javascript")["directory"])

    def command(self, program="client.mjs"):
        node, = self.directory.glob("node_modules/node-linux-*/bin/node")
        # Modules are looked for beside the program.
        draft = self.directory / f"{program}.{os.getpid()}"
        shutil.copy(HERE / program, draft)
        return [node, draft.rename(self.directory / program)]


class Python(Library):
    name = "python"

    def command(self, program="client.py"):
        self.environment["PYTHONPATH"] = where("debian")["python_path"]
        return [PYTHON, HERE / program]


class Az:
    """The Azure CLI, logged in as the service principal of that credential."""

    name = "az"

    def __init__(self, cloud, credential=CLIENT_SECRET):
        self.program = where("debian")["az"]
        self.config_dir = cloud.directory / "az"
        self.environment = {**cloud.environment, "AZURE_CONFIG_DIR": str(self.config_dir),
                            "AZURE_CORE_COLLECT_TELEMETRY": "0"}
        if cloud.name != "AzureCloud":
            self.run("cloud", "set", "--name", cloud.name)
        self.logged_in = self.run("login", "--service-principal", "--username", CLIENT, "--password", credential,
                                  "--tenant", TENANT)

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--output", "json"], text=True, env=self.environment,
                              capture_output=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def show(self, name):
        return self.run("batch", "account", "show", "-g", RESOURCE_GROUP, "-n", name)

    def list(self):
        return self.run("batch", "account", "list")

    def list_keys(self, name):
        return self.run("batch", "account", "keys", "list", "-g", RESOURCE_GROUP, "-n", name)

    def regenerate(self, name, slot):
        return self.run("batch", "account", "keys", "renew", "-g", RESOURCE_GROUP, "-n", name, "--key-name",
                        slot.lower())


def where(kind):
    """Where install.py has put clients of that kind; the test is skipped where it could not."""
    file = pathlib.Path(os.environ["CLIENTS"]) / "clients.json"
    found = json.loads(file.read_text())[kind]
    if "missing" in found:
        pytest.skip(f"no {kind}: {found['missing']}")
    return found


def as_on_the_wire(value):
    """With names in the spelling that Azure has them in."""
    if isinstance(value, list):
        return [as_on_the_wire(one) for one in value]
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda found: found[1].upper(), name):
                one if name == "tags" else as_on_the_wire(one) for name, one in value.items()}
    return value
