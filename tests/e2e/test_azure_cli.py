"""Tokens of the Azure CLI: a program in az's place says what az says."""

import json
import os
import time

import pytest

from stand_in import CLIENT, CLIENT_SECRET, TENANT

AZ = """#!/usr/bin/python3
import datetime, json, os, pathlib, ssl, sys, time, urllib.parse, urllib.request
here = pathlib.Path(os.environ["AZURE_CONFIG_DIR"])
told = json.loads((here / "told.json").read_text())
with (here / "calls").open("a") as calls:
    print(json.dumps({"arguments": sys.argv[1:], "environment": sorted(os.environ),
                      "directory": os.getcwd(), "input": sys.stdin.read()}), file=calls)
if "output" in told or "errors" in told:
    print(told.get("output", ""), end="")
    print(told.get("errors", ""), end="", file=sys.stderr)
    sys.exit(told.get("status", 0))
scope = sys.argv[sys.argv.index("--resource") + 1] + "/.default"
form = {"grant_type": "client_credentials", "client_id": told["client"],
        "client_secret": told["secret"], "scope": scope}
with urllib.request.urlopen(told["url"] + "/" + told["tenant"] + "/oauth2/v2.0/token",
                            urllib.parse.urlencode(form).encode(),
                            context=ssl.create_default_context(cafile=told["ca"])) as reply:
    answer = json.load(reply)
at = time.time() + answer["expires_in"]
said = {"accessToken": answer["access_token"], "tokenType": "Bearer", "tenant": told["tenant"],
        "subscription": "0", "expiresOn": str(datetime.datetime.fromtimestamp(at))}
if not told.get("old"):
    said["expires_on"] = int(at)
print(json.dumps(said, indent=2))
"""


class Cli:
    def __init__(self, site):
        self.directory = site.directory / "azure"
        self.directory.mkdir(mode=0o700)
        self.program = site.directory / "az"
        self.program.write_text(AZ)
        self.program.chmod(0o755)
        self.signed_in = {"url": site.azure.url, "ca": str(site.azure.ca_file), "tenant": TENANT,
                          "client": CLIENT, "secret": CLIENT_SECRET}

    def tell(self, **told):
        draft = self.directory / "draft"
        draft.write_text(json.dumps(told))
        draft.rename(self.directory / "told.json")

    def sign_in(self, **more):
        self.tell(**self.signed_in, **more)

    def calls(self):
        return [json.loads(line) for line in (self.directory / "calls").read_text().splitlines()]


@pytest.fixture
def cli(site):
    cli = Cli(site)
    site.config["identities"] = {"me": {"type": "azure_cli", "command": [str(cli.program)],
                                        "config_dir": str(cli.directory)}}
    site.account("alpha")
    return cli


def test_rotates(site, azure, cli):
    cli.sign_in()
    site.config["identities"]["me"]["tenant_id"] = TENANT
    site.config["identities"]["me"]["command"] = [str(cli.program), "--only-show-errors"]
    daemon = site.start(environment={"SECRET_OF_THE_DAEMON": "x", "TZ": "UTC0"})
    site.wait_rotations("alpha", 1)
    assert daemon.stop() == 0
    call = cli.calls()[0]
    assert call["arguments"] == ["--only-show-errors", "account", "get-access-token", "--output",
                                 "json", "--resource", "https://management.azure.com/",
                                 "--tenant", TENANT]
    assert call["directory"] == "/" and call["input"] == ""
    assert "SECRET_OF_THE_DAEMON" not in call["environment"]
    assert {"HOME", "TZ", "PATH", "AZURE_CONFIG_DIR"} <= set(call["environment"])
    assert len(cli.calls()) <= 2, "tokens are kept until they age"
    assert not site.find_secrets(site.all_files(), azure.truth.tokens())


@pytest.mark.parametrize("zone", ["UTC0", "IST-5:30", "EST5"])
def test_local_time_of_an_old_version(site, cli, zone):
    """Without expires_on: the local time counts in the zone that az has, too."""
    cli.sign_in(old=True)
    site.start(environment={"TZ": zone})
    acquired = site.log.wait("token.acquired")
    assert "good for 1h" in acquired["msg"] or "good for 59m" in acquired["msg"], acquired
    site.wait_rotations("alpha", 1)


def test_goes_on_when_az_does(site, cli):
    """What is put right works by itself."""
    cli.tell(errors="ERROR: Please run 'az login' to setup account.\n", status=1)
    site.start()
    site.log.wait("token.failed")
    cli.program.rename(cli.program.with_name("moved"))
    failed = site.log.wait("token.failed", since=site.log.mark())
    assert f"there is no {cli.program}" in failed["msg"], failed
    cli.sign_in()
    cli.program.with_name("moved").rename(cli.program)
    site.wait_rotations("alpha", 1)


def test_stops_while_it_runs(site, cli):
    """The daemon does not wait for az, and leaves none behind."""
    cli.program.write_text("#!/bin/sh\necho $$ > \"$AZURE_CONFIG_DIR/pid\"\nexec sleep 600\n")
    daemon = site.start()
    deadline = time.monotonic() + 20
    while not (cli.directory / "pid").exists() or not (cli.directory / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int((cli.directory / "pid").read_text())
    assert daemon.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
