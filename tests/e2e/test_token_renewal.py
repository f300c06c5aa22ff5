"""Tokens of every kind of identity are renewed ahead of their end, without a gap."""

import pathlib
import uuid

import pytest

from az import write_az
from certificates import openssl
from federation import Issuer
from patience import wait_until
from platforms import ARC_DIRECTORY, AppService, ArcAgent
from stand_in import CLIENT_SECRET, TENANT

LIFETIME = 16


class Kinds:
    """`identities`: of each kind one, with a client of its own."""

    def __init__(self, site, arc, app_service):
        self.site, self.azure = site, site.azure
        self.directory = pathlib.Path(site.directory)
        self.clients = {}
        self.identities = {
            "secret": self.secret(), "certificate": self.certificate(), "federated": self.federated(),
            "machine": self.managed("machine", endpoint=self.azure.imds_url),
            "app": self.managed("app", source="app_service", endpoint=f"{app_service.url}/MSI/token"),
            "arc": {"type": "managed_identity", "source": "arc", "endpoint": arc.url}, "cli": self.cli()}
        arc.machine = self.client("arc", managed=True)

    def client(self, name, **properties):
        self.clients[name] = str(uuid.uuid4())
        self.azure.ask("POST", "clients", {"client_id": self.clients[name], **properties})
        return self.clients[name]

    def file(self, name, text):
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text)
        return str(path)

    def secret(self):
        return {"type": "client_secret", "tenant_id": TENANT,
                "client_id": self.client("secret", secret=CLIENT_SECRET),
                "client_secret_file": str(self.site.secret_file)}

    def certificate(self):
        key, certificate = self.directory / "own.key", self.directory / "own.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own", "-days", "90", "-keyout", key,
                "-out", certificate)
        return {"type": "client_certificate", "tenant_id": TENANT,
                "client_id": self.client("certificate", certificate=certificate.read_text()),
                "client_certificate_file": str(certificate), "client_certificate_key_file": str(key)}

    def federated(self):
        issuer = Issuer(self.directory)
        client = self.client("federated")
        issuer.register(self.azure, client)
        return {"type": "workload_identity", "tenant_id": TENANT, "client_id": client,
                "federated_token_file": self.file("federated-token", issuer.token())}

    def managed(self, name, **settings):
        return {"type": "managed_identity", "client_id": self.client(name, managed=True), **settings}

    def cli(self):
        client = self.client("cli", secret=CLIENT_SECRET)
        return {"type": "azure_cli", "config_dir": str(self.directory),
                "command": write_az(self.directory / "az", self.azure, client, CLIENT_SECRET)}


@pytest.fixture
def kinds(site, azure, tmp_path, namespace):
    keys = tmp_path / "tokens"
    keys.mkdir(mode=0o750)
    namespace.run("mount", "-t", "tmpfs", "tmpfs", "/var/opt")
    namespace.run("mkdir", "-p", ARC_DIRECTORY)
    namespace.run("mount", "--bind", keys, ARC_DIRECTORY)
    platforms = ArcAgent(azure, keys), AppService(azure)
    kinds = Kinds(site, *platforms)
    kinds.header = platforms[1].environment["IDENTITY_HEADER"]
    yield kinds
    for platform in platforms:
        platform.end()


def test_each_kind_renews_its_token_ahead_of_its_end(site, azure, kinds, namespace):
    """…while the old one serves: nobody waits for a token, even where it takes a while, and none that has ended is
    ever sent."""
    azure.settings(token_lifetime=LIFETIME)
    azure.fault("delay", "token", "entra", delay_ms=1000)
    azure.fault("delay", "token", "imds", delay_ms=1000)
    site.config["identities"] = kinds.identities
    site.policy(check_every="500ms")
    for name in kinds.identities:
        site.account(name, identity=name)
    site.start(wrapped=namespace.command, environment={"IDENTITY_HEADER": kinds.header})

    def births(name):
        return [event["t"] for event in azure.truth.events("token") if event["client_id"] == kinds.clients[name]]

    for name in kinds.identities:
        wait_until(lambda name=name: len(births(name)) >= 2, f"the token of {name} is renewed")
    for name in kinds.identities:
        times = births(name)
        assert all(later - earlier < LIFETIME for earlier, later in zip(times, times[1:])), (name, times)
        site.wait_rotations(name, 2)
    assert not [event for event in azure.truth.events("request") if event["status"] == 401 and event["face"] == "arm"]
    assert not site.log.lines(event="token.failed")
    assert not site.log.lines(event="rotation.retrying")
