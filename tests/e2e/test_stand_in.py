"""The stand-in as a program that people start by hand."""

import http.client
import json
import re
import ssl
import subprocess

import pytest

from stand_in import StandIn


def run(build, *arguments):
    return subprocess.run([build / "azuresim", *arguments], text=True, capture_output=True,
                          timeout=30, check=False)


def test_help_names_every_option(build):
    helped = run(build, "--help")
    assert helped.returncode == 0 and not helped.stderr
    options = re.findall(r"^  (--[a-z-]+)", helped.stdout, re.MULTILINE)
    assert options == ["--dir", "--port", "--imds-port", "--account", "--cloud", "--token-lifetime",
                       "--seed", "--record", "--help"]
    for option in options:
        assert "unrecognized" not in run(build, option).stderr, option


@pytest.mark.parametrize("arguments", [["--bogus"], ["--dir"], [], ["--dir", "x", "--port", "y"]])
def test_mistakes_are_shown_the_options(build, arguments):
    done = run(build, *arguments)
    assert done.returncode == 2 and "--account NAME" in done.stderr and not done.stdout


def test_an_account_that_cannot_be(build, tmp_path):
    done = run(build, "--dir", tmp_path / "azure", "--account", "no account")
    assert done.returncode == 1 and "--account no account: " in done.stderr


def get(azure, path, host):
    """(status, JSON) of a request to that host."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", azure.port, timeout=30, context=ssl.create_default_context(cafile=azure.ca_file))
    try:
        connection.request("GET", path, headers={"Host": host})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


@pytest.fixture
def recording(build, tmp_path):
    azure = StandIn(build / "azuresim", tmp_path / "azure", "--cloud", "AzureCloud", "--record")
    yield azure
    assert azure.stop() == 0


def test_exchanges_are_written_down(recording):
    path = "/subscriptions/x/providers/Microsoft.Batch/batchAccounts?api-version=2024-02-01"
    status, said = get(recording, path, "management.azure.com")
    assert status == 401
    recording.fault("lost_after", op="list")
    with pytest.raises(http.client.RemoteDisconnected):
        get(recording, path, "management.azure.com")
    first, second = recording.exchanges("list")
    assert (first["face"], first["method"], first["target"]) == ("arm", "GET", path)
    assert ["Host", "management.azure.com"] in first["headers"] and first["body"] is None
    assert first["reply"]["status"] == 401 and json.loads(first["reply"]["body"]) == said
    assert "WWW-Authenticate" in dict(first["reply"]["headers"])
    assert second["target"] == path and second["reply"] is None


def test_clouds_that_there_are(recording):
    """What clients ask for before they believe in a host where one logs in."""
    status, said = get(recording, "/common/discovery/instance?api-version=1.1", "login.microsoftonline.com")
    assert status == 200
    assert said["metadata"] == [{"preferred_network": "login.microsoftonline.com",
                                 "preferred_cache": "login.microsoftonline.com",
                                 "aliases": ["login.microsoftonline.com"]}]
    endpoint = said["tenant_discovery_endpoint"].removeprefix("https://login.microsoftonline.com")
    status, said = get(recording, endpoint, "login.microsoftonline.com")
    assert status == 200 and {"token_endpoint", "issuer", "jwks_uri"} <= set(said)
