"""Microsoft's clients get tokens from the stand-in, by every way that the daemon has, too; and none where
they should not."""

import hashlib
import json
import time
import urllib.parse

import pytest

from certificates import openssl
from federation import AUDIENCE, ISSUER, SUBJECT, WORKLOAD, Issuer
from microsoft import Az, Failed, JavaScript, Python, by_secret
from platforms import AppService
from stand_in import CLIENT, MANAGED_CLIENT, TENANT

libraries = pytest.mark.parametrize("kind", [Python, JavaScript], ids=lambda kind: kind.name)


def certificate(azure, directory, name="own"):
    """A file with certificate and key, and the application knows it."""
    file = directory / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "90", "-keyout",
            directory / "key", "-out", directory / "crt")
    file.write_text((directory / "crt").read_text() + (directory / "key").read_text())
    azure.ask("POST", "clients", {"client_id": CLIENT, "remove_secret": "sim-client-secret",
                                  "certificate": (directory / "crt").read_text()})
    return file


def by_certificate(file, chain=False):
    return {**by_secret(), "kind": "certificate", "file": str(file), "chain": chain}


def is_handed_out(azure, said, lifetime=3599):
    """Is it one of the stand-in's, and does the client know when it ends?"""
    assert said["sha256"] in {hashlib.sha256(token.encode()).hexdigest() for token in azure.truth.tokens()}
    assert abs(said["expires"] / 1000 - time.time() - lifetime) < 120
    return True


@libraries
def test_secret(cloud, azure, kind):
    assert is_handed_out(azure, kind(cloud).token())
    with pytest.raises(Failed, match="AADSTS7000215"):
        kind(cloud, by_secret("wrong")).token()


@libraries
@pytest.mark.parametrize("chain", [False, True], ids=["certificate", "certificate-and-chain"])
def test_certificate(cloud, azure, tmp_path, kind, chain):
    own = certificate(azure, tmp_path)
    assert is_handed_out(azure, kind(cloud, by_certificate(own, chain)).token())
    certificate(azure, tmp_path, "successor")
    with pytest.raises(Failed, match="AADSTS700027"):
        kind(cloud, by_certificate(own, chain)).token()


@libraries
def test_workload_identity(cloud, azure, tmp_path, kind):
    issuer = Issuer(tmp_path)
    azure.ask("POST", "clients",
              {"client_id": WORKLOAD, "federated": {"issuer": ISSUER, "subject": SUBJECT, "audience": AUDIENCE,
                                                    "public_key": issuer.public_key}})
    file = tmp_path / "federated-token"
    file.write_text(issuer.token())
    identity = {**by_secret(), "kind": "workload", "client": WORKLOAD, "file": str(file)}
    environment = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": WORKLOAD, "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    assert is_handed_out(azure, kind(cloud, identity, **environment).token())
    file.write_text(issuer.token(sub="system:serviceaccount:ops:somebody-else"))
    with pytest.raises(Failed, match="AADSTS70021"):
        kind(cloud, identity, **environment).token()


def managed(kind, client=None):
    if not client:
        return {**by_secret(), "kind": "managed"}
    return {**by_secret(), "kind": "managed",
            "selector": {{"python": "client_id", "javascript": "clientId"}[kind.name]: client}}


@libraries
@pytest.mark.parametrize("client", [None, MANAGED_CLIENT], ids=["of-the-system", "of-a-user"])
def test_managed_identity_of_a_machine(cloud, azure, kind, client):
    said = kind(cloud, managed(kind, client), AZURE_POD_IDENTITY_AUTHORITY_HOST=azure.imds_url).token()
    assert is_handed_out(azure, said)
    exchange = azure.exchanges("token")[-1]
    assert exchange["face"] == "imds" and exchange["reply"]["status"] == 200
    assert (f"client_id={client}" in exchange["target"]) == bool(client)


@libraries
@pytest.mark.parametrize("client", [None, MANAGED_CLIENT], ids=["of-the-system", "of-a-user"])
def test_managed_identity_of_an_app(cloud, azure, kind, client):
    platform = AppService(azure)
    try:
        assert is_handed_out(azure, kind(cloud, managed(kind, client), **platform.environment).token())
        assert platform.requests[-1].get("client_id") == client
    finally:
        platform.end()


def test_claims_that_are_demanded(cloud, azure):
    """The challenge is understood, and the token that is asked for then will do. (Debian's library for Python
    sends the same token once more.)"""
    demanded = {"access_token": {"nbf": {"essential": True, "value": "1"}}}
    azure.create("alpha")
    azure.settings(demanded_claims=json.dumps(demanded))
    assert JavaScript(cloud).list_keys("alpha")["primary"] == azure.keys("alpha")["Primary"]
    assert [one["reply"]["status"] for one in azure.exchanges("listKeys")] == [401, 200]
    form = urllib.parse.parse_qs(azure.exchanges("token")[-1]["body"])
    asked = json.loads(form["claims"][0])["access_token"]
    assert asked["nbf"] == demanded["access_token"]["nbf"] and "xms_cc" in asked


def test_az_with_a_secret(cloud, azure):
    azure.create("alpha")  # so that there is a subscription
    az = Az(cloud)
    assert az.logged_in[0]["user"] == {"name": CLIENT, "type": "servicePrincipal"}
    said = az.run("account", "get-access-token", "--resource", "https://management.azure.com/")
    assert said["accessToken"] in azure.truth.tokens() and said["tokenType"] == "Bearer"
    assert said["tenant"] == TENANT


def test_az_with_a_certificate(cloud, azure, tmp_path):
    azure.create("alpha")
    own = certificate(azure, tmp_path)
    said = Az(cloud, str(own)).run("account", "get-access-token")
    assert said["accessToken"] in azure.truth.tokens()
    certificate(azure, tmp_path, "successor")
    with pytest.raises(Failed, match="AADSTS700027"):
        Az(cloud, str(own))


def test_az_with_a_wrong_secret(cloud):
    with pytest.raises(Failed, match="AADSTS7000215"):
        Az(cloud, "wrong")
