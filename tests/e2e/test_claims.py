"""Claims challenges: a service refuses a good token, and says what the next one must carry."""

import json

import pytest

from patience import wait_until
from stand_in import MANAGED_CLIENT

CLAIMS = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1702682181"}}})


def refusals(azure, *ops, face="arm"):
    return [event for op in ops for event in azure.truth.requests(op, face=face)
            if event["status"] == 401]


def test_answered_at_once(site, azure):
    """One token with the claims, and one repeat; the rotation does not fail, and the token serves
    all accounts."""
    site.account("alpha")
    site.account("beta")
    site.start()
    site.wait_rotations("alpha", 1)
    mark = site.log.mark()
    tokens = len(azure.truth.tokens())
    azure.settings(demanded_claims=CLAIMS)
    done = len(azure.truth.regenerated("alpha"))
    wait_until(lambda: len(azure.truth.regenerated("alpha")) >= done + 2, "further rotations")
    assert len(azure.truth.tokens()) == tokens + 1
    assert 1 <= len(refusals(azure, "listKeys", "get", "regenerateKeys")) <= 8
    assert not site.log.lines(since=mark, event="rotation.retrying")
    assert not site.log.lines(since=mark, event="token.failed")


def test_vault(site, azure):
    site.config["cloud"]["key_vault_audience"] = "https://vault.localhost"
    site.config["targets"]["vault"] = {
        "type": "key_vault", "vault": f"https://claims.vault.localhost:{azure.port}",
        "secret_name": "{account}-key"}
    site.config["defaults"]["deliver_to"] = ["vault"]
    azure.settings(demanded_claims=CLAIMS)
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    assert any(event["status"] == 401 and event["bearer"]
               for op in ("getSecret", "setSecret") for event in
               azure.truth.requests(op, face="keyvault"))


@pytest.mark.parametrize("kind", ["managed_identity", "client_secret"])
def test_never_a_loop(site, azure, kind):
    """What no token meets is refused, reported with a remedy, and tried again at the usual pace."""
    if kind == "managed_identity":
        site.config["identities"] = {"vm": {"type": kind, "client_id": MANAGED_CLIENT,
                                            "endpoint": azure.imds_url}}
        azure.settings(demanded_claims=CLAIMS)
    else:
        azure.fault("status", op="any", face="arm", status=401, headers={
            "WWW-Authenticate": 'Bearer error="insufficient_claims", claims="e30"'})
    site.account("alpha")
    site.start()
    told = site.log.wait("rotation.retrying")
    if kind == "managed_identity":
        assert "claims, which a token of that kind cannot carry" in told["remedy"], told
    else:
        assert "Service principal sign-ins" in told["remedy"], told
    count = len(azure.truth.tokens())
    assert count <= 4, "one token, and one more for each of a few attempts"
    azure.clear_faults()
    azure.settings(demanded_claims="")
    site.wait_rotations("alpha", 1)
