"""Identities by a federated token: a file that another issuer writes, exchanged for tokens."""

import subprocess

import pytest

from federation import ISSUER, WORKLOAD, Issuer
from patience import wait_until
from stand_in import TENANT


@pytest.fixture
def issuer(site, azure):
    issuer = Issuer(site.directory)
    issuer.register(azure, WORKLOAD)
    issuer.file = site.directory / "federated-token"
    site.config["identities"] = {"wi": {"type": "workload_identity", "tenant_id": TENANT,
                                        "client_id": WORKLOAD,
                                        "federated_token_file": str(issuer.file)}}
    site.account("alpha")
    return issuer


def replace(file, text):
    draft = file.with_name(".draft")
    draft.touch(0o600)
    draft.write_text(text)
    draft.rename(file)


def test_rotates_with_tokens_of_the_day(site, azure, issuer):
    """The file is read for every exchange, and nothing of it or of a token gets out."""
    azure.settings(token_lifetime=2)
    replace(issuer.file, issuer.token())
    daemon = site.start()
    site.wait_rotations("alpha", 1)
    replace(issuer.file, issuer.token(age=3900 - 360))
    tokens = len(azure.truth.tokens())
    wait_until(lambda: len(azure.truth.tokens()) >= tokens + 2, "further tokens")
    site.wait_rotations("alpha", 2)
    assert daemon.stop() == 0
    assert not site.find_secrets(site.all_files(), azure.truth.tokens())
    assert issuer.token().split(".")[0] not in site.log.text()


def test_environment_of_a_pod(site, azure, issuer):
    replace(issuer.file, issuer.token())
    site.config["identities"] = {"wi": {"type": "workload_identity"}}
    variables = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": WORKLOAD,
                 "AZURE_FEDERATED_TOKEN_FILE": str(issuer.file),
                 "AZURE_AUTHORITY_HOST": azure.url + "/"}
    site.start(environment=variables)
    site.wait_rotations("alpha", 1)


def test_without_the_environment(site, issuer):
    """The daemon starts all the same, and says what is missing."""
    site.config["identities"] = {"wi": {"type": "workload_identity", "tenant_id": TENANT,
                                        "client_id": WORKLOAD}}
    site.start()
    failed = site.log.wait("token.failed")
    assert "AZURE_FEDERATED_TOKEN_FILE is not set" in failed["msg"]
    assert "azure.workload.identity/use" in failed["remedy"]


@pytest.mark.parametrize("what, cause, remedy", [
    ({"iss": "https://else.example"}, "no federated credential has the issuer of the token",
     "issuer https://else.example"),
    ({"sub": "system:serviceaccount:ops:default"},
     "no federated credential has the subject of the token",
     "subject system:serviceaccount:ops:default"),
    ({"aud": ["https://kubernetes.default.svc"]},
     "no federated credential has the audience of the token",
     "audience https://kubernetes.default.svc"),
    ({"age": 7200}, "expired 1h ", "let what writes"),
    ({"age": -1000}, "is valid from", "clock"),
    ("forged", "the signature of the federated token was not accepted", ISSUER),
    ("not a token", "it is no JSON Web Token", "and nothing else"),
    ("", "it is empty", "let the platform write the token there"),
    (None, "No such file", "let the platform write the token there"),
])
def test_wrong(site, issuer, what, cause, remedy):
    """Each with its cause and its remedy; and it works as soon as it is put right."""
    if isinstance(what, dict):
        replace(issuer.file, issuer.token(**what))
    elif what == "forged":
        first, second, third = issuer.token().split(".")
        replace(issuer.file, ".".join((first, second, third[4:] + third[:4])))
    elif what is not None:
        replace(issuer.file, what)
    site.start()
    failed = site.log.wait("token.failed")
    assert cause in failed["msg"], failed
    assert remedy in failed["remedy"], failed
    assert "eyJ" not in site.log.text()
    replace(issuer.file, issuer.token())
    site.wait_rotations("alpha", 1)


def test_check_says_where_values_come_from(site, azure, issuer):
    site.config["identities"] = {"wi": {"type": "workload_identity", "client_id": WORKLOAD}}
    site.write()
    told = subprocess.run([site.build / "keyrotated", "-c", site.config_file, "--check"],
                          capture_output=True, text=True, check=False,
                          env={"AZURE_TENANT_ID": TENANT,
                               "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us"})
    assert f"application {WORKLOAD} of tenant {TENANT} (AZURE_TENANT_ID)" in told.stdout
    assert "has no federated_token_file, and neither is AZURE_FEDERATED_TOKEN_FILE set" in told.stderr
    assert "gets its tokens from https://login.microsoftonline.us (AZURE_AUTHORITY_HOST)" \
        in told.stderr
