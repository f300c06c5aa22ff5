"""The daemon with tokens of the real Azure CLI."""

import re

import pytest

from microsoft import Az, where
from stand_in import CLIENT, CLIENT_SECRET, TENANT


@pytest.fixture
def by_az(cloud, site):
    """The daemon is to use az; what it is started with, for az to find the stand-in."""
    site.config["identities"] = {"me": {"type": "azure_cli", "command": [where("debian")["az"]],
                                        "config_dir": str(cloud.directory / "az")}}
    site.account("alpha")
    return {name: value for name, value in cloud.environment.items() if name not in ("PATH", "NODE_EXTRA_CA_CERTS")}


def test_rotates(cloud, azure, site, by_az):
    """Who has logged in once lets the daemon rotate; what az says is kept from the log."""
    Az(cloud)
    assert (cloud.directory / "az/service_principal_entries.json").stat().st_mode & 0o077 == 0
    site.config["identities"]["me"]["tenant_id"] = TENANT
    daemon = site.start(environment=by_az)
    site.wait_rotations("alpha", 2)
    acquired = site.log.lines(event="token.acquired")
    assert len(acquired) == 1 and re.search(r"good for 5\dm", acquired[0]["msg"]), acquired
    assert daemon.stop() == 0
    asked = azure.exchanges("regenerateKeys")
    tokens = {dict(one["headers"])["Authorization"].removeprefix("Bearer ") for one in asked}
    assert len(asked) == 2 and tokens <= azure.truth.tokens()
    assert {dict(one["headers"])["User-Agent"].split("/")[0] for one in asked} == {"keyrotated"}


def test_nobody_has_logged_in(cloud, azure, site, by_az):
    """The remedy helps as it is typed."""
    site.start(environment=by_az)
    failed = site.log.wait("token.failed")
    assert "a login is needed" in failed["msg"] and "az login" in failed["remedy"], failed
    Az(cloud)
    site.wait_rotations("alpha", 1)


def test_its_secret_was_withdrawn(cloud, azure, site, by_az):
    """az says that somebody has to log in, and as whom it was refused; so does the daemon."""
    az = Az(cloud)
    azure.ask("POST", "clients", {"client_id": CLIENT, "remove_secret": CLIENT_SECRET})
    site.start(environment=by_az)
    failed = site.log.wait("token.failed")
    assert "a login is needed: the client secret is wrong" in failed["msg"], failed
    assert f"AZURE_CONFIG_DIR={az.config_dir} {az.program} login --service-principal" in failed["remedy"], failed
    azure.ask("POST", "clients", {"client_id": CLIENT, "secret": CLIENT_SECRET})
    site.wait_rotations("alpha", 1)


@pytest.mark.parametrize("cloud", ["AzureChinaCloud"], indirect=True)
def test_in_another_cloud(cloud, site, by_az):
    """The token of the login is used; for the next one, az asks the public cloud, and says so where it cannot."""
    cloud.proxy.refused.add("login.microsoftonline.com")
    az = Az(cloud)
    daemon = site.start(environment=by_az)
    site.wait_rotations("alpha", 1)
    assert daemon.stop() == 0
    (az.config_dir / "msal_token_cache.json").unlink()
    site.start(environment=by_az)
    failed = site.log.wait("token.failed")
    assert "it does not reach Azure" in failed["msg"], failed
    assert failed["reason"] == "network" and "let this machine reach the login endpoint" in failed["remedy"], failed
