"""The request by which the daemon proves a key of a Storage account, at a real server: Azurite, which signs as
Storage does. Accounts and keys are still the stand-in's; that of the test tells where Azurite is."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from certificates import Authority
from installation import Installation
from microsoft import where
from patience import stays_true, wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION, StandIn

HOST = "alphastore.blob.localhost"


class Azurite:
    """One account, with two keys that it has from its start to its end."""

    def __init__(self, directory):
        self.node, = pathlib.Path(where("javascript")["directory"]).glob("node_modules/node-linux-*/bin/node")
        self.program = pathlib.Path(where("azurite")["directory"]) / "node_modules/azurite/dist/src/blob/main.js"
        self.directory = directory
        self.authority = Authority(directory / "authority")
        self.certificate, self.key = self.authority.issue("azurite", f"DNS:{HOST}")
        self.log = directory / "azurite.log"
        self.port = 0
        self.process = None

    def start(self, keys):
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [self.node, self.program, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--cert",
                 self.certificate, "--key", self.key, "--inMemoryPersistence", "--disableTelemetry"],
                env={**os.environ, "AZURITE_ACCOUNTS": f"alphastore:{keys['Primary']}:{keys['Secondary']}"},
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.directory)

        def listens():
            assert self.process.poll() is None, self.log.read_text()
            return re.search(r"listens on https://127\.0\.0\.1:(\d+)", self.log.read_text()[before:])

        self.port = int(wait_until(listens, "Azurite listens")[1])

    def asked(self):
        """The answers to what the daemon asked: [(request, status)]."""
        return re.findall(r'"(GET /\?comp=list\S*) HTTP/1\.1" (\d+)', self.log.read_text())

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)


@pytest.fixture
def azurite():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kra-"))
    made = Azurite(directory)
    yield made
    made.stop()
    shutil.rmtree(directory)


@pytest.fixture
def azure(build):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="kra-"))
    made = StandIn(build / "azuresim", directory / "azure")
    yield made
    assert made.stop() == 0
    shutil.rmtree(directory)


@pytest.fixture
def site(build, azure, azurite):
    made = Installation(build, azure)
    trusted = made.directory / "trusted.pem"
    trusted.write_text(azure.ca_file.read_text() + azurite.authority.certificate.read_text())
    made.config["ca_file"] = str(trusted)
    yield made
    problems = made.end()
    made.remove()
    assert not problems, problems


def test_keys_of_storage(site, azure, azurite):
    azure.create("alphastore", type="storage")
    azurite.start(azure.keys("alphastore"))
    azure.change("alphastore", properties={"primaryEndpoints": {"blob": f"https://{HOST}:{azurite.port}/"}})
    site.config["accounts"].append({"type": "storage", "name": "alphastore", "resource_group": RESOURCE_GROUP,
                                    "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})
    site.policy(verify="required", rotate_every="10s")
    site.start()
    old = azure.keys("alphastore")["Primary"]

    blocked = site.log.wait("account.blocked", account="alphastore")
    assert blocked["reason"] == "key_refused", "Azurite does not know the new key, and takes the old one"
    stays_true(lambda: site.held("alphastore") == old, 1, "the refused key is not delivered")

    azurite.stop()
    new = azure.keys("alphastore")
    azurite.start(new)
    site.log.wait("key.verified", account="alphastore")
    wait_until(lambda: site.held("alphastore") == new["Secondary"], "the accepted key is delivered")
    assert {"200", "403"} == {status for _, status in azurite.asked()}
