"""Managed identities outside of virtual machines: App Service, Container Apps, Azure Arc."""

import time

import pytest

from patience import wait_until
from platforms import ARC_DIRECTORY, AppService, ArcAgent
from stand_in import MANAGED_CLIENT

FOREIGN = "99999999-9999-9999-9999-999999999999"


def as_app_service_writes(epoch):
    return time.strftime("%m/%d/%Y %I:%M:%S %p +00:00", time.gmtime(epoch))


@pytest.fixture
def app_service(azure):
    server = AppService(azure)
    yield server
    server.end()


@pytest.fixture
def arc(azure, tmp_path, namespace):
    """The directory of the agent's keys is in its place in the namespace alone."""
    keys = tmp_path / "tokens"
    keys.mkdir(mode=0o750)
    namespace.run("mount", "-t", "tmpfs", "tmpfs", "/var/opt")
    namespace.run("mkdir", "-p", ARC_DIRECTORY)
    namespace.run("mount", "--bind", keys, ARC_DIRECTORY)
    server = ArcAgent(azure, keys)
    yield server
    server.end()


def vm(site, **settings):
    site.config["identities"] = {"vm": {"type": "managed_identity", **settings}}
    site.account("alpha")


@pytest.mark.parametrize("expires_on", [str, int, as_app_service_writes])
def test_app_service(site, azure, app_service, expires_on):
    """Found by its environment; the end of a token is understood however it is written, and it is renewed
    ahead of its end."""
    azure.settings(token_lifetime=4)
    app_service.expires_on = expires_on
    vm(site, client_id=MANAGED_CLIENT)
    site.start(environment=app_service.environment)
    wait_until(lambda: len(app_service.requests) >= 4, "tokens are renewed")
    site.wait_rotations("alpha", 1)
    assert all(query["client_id"] == MANAGED_CLIENT for query in app_service.requests)
    assert not site.log.lines(event="token.failed")
    assert app_service.header not in site.log.text()


def test_app_service_that_is_wrong(site, app_service):
    """Each with its cause and what to do about it."""
    vm(site, source="app_service", client_id=FOREIGN)
    daemon = site.start()
    failed = site.log.wait("token.failed")
    assert "needs IDENTITY_ENDPOINT in the daemon's environment" in failed["msg"]
    assert "start the daemon in the app itself" in failed["remedy"]
    daemon.stop()
    for environment, text, remedy in (
            ({**app_service.environment, "IDENTITY_HEADER": "stale"},
             "the identity endpoint of App Service gave no token: 401", "restart the app"),
            (app_service.environment, "No User Assigned Managed Identity found",
             f"assign the managed identity {FOREIGN} to this app"),
            ({**app_service.environment, "IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token"},
             "App Service cannot be reached", "start the daemon in the app itself"),
            ({**app_service.environment, "IDENTITY_ENDPOINT": "http://192.0.2.1/msi/token"},
             "would send tokens unencrypted", "as the platform sets it")):
        mark = site.log.mark()
        daemon = site.start(environment=environment)
        failed = site.log.wait("token.failed", since=mark)
        assert text in failed["msg"], failed
        assert remedy in failed["remedy"], failed
        daemon.stop()


def test_arc(site, azure, arc, namespace):
    """Challenged for every token, with a new file each time."""
    azure.settings(token_lifetime=4)
    vm(site, source="arc", endpoint=arc.url)
    daemon = site.start(wrapped=namespace.command)
    wait_until(lambda: len(arc.requests) >= 4, "a token is renewed")
    site.wait_rotations("alpha", 1)
    azure.settings(token_lifetime=3600)
    site.log.wait("token.acquired", since=site.log.mark())
    assert daemon.stop() == 0
    assert not list(arc.directory.iterdir()), "each key was used"
    assert not site.log.lines(event="token.failed")


def test_arc_is_found_by_its_agent(site, arc, namespace):
    namespace.run("mount", "-t", "tmpfs", "tmpfs", "/opt")
    namespace.run("mkdir", "-p", "/opt/azcmagent/bin")
    namespace.run("touch", "/opt/azcmagent/bin/himds")
    vm(site)
    site.start(wrapped=namespace.command,
               environment={"IDENTITY_ENDPOINT": f"{arc.url}/metadata/identity/oauth2/token",
                            "IMDS_ENDPOINT": arc.url})
    site.wait_rotations("alpha", 1)
    assert arc.requests


@pytest.mark.parametrize("realm, text", [
    ("/etc/shadow", "asks for the content of /etc/shadow, which is not a key in"),
    (f"{ARC_DIRECTORY}/../tokens/a.key", "is not a key in"),
    (f"{ARC_DIRECTORY}/link.key", "it is a symbolic link"),
    (f"{ARC_DIRECTORY}/large.key", "it is larger than a key"),
    (f"{ARC_DIRECTORY}/gone.key", "No such file or directory")])
def test_arc_that_asks_for_other_files(site, arc, namespace, realm, text):
    """What sits at the agent's port does not get what it asks for."""
    (arc.directory / "link.key").symlink_to("/etc/hostname")
    (arc.directory / "large.key").write_text("x" * 4097)
    arc.realm = realm
    vm(site, source="arc", endpoint=arc.url)
    site.start(wrapped=namespace.command)
    failed = site.log.wait("token.failed")
    assert text in failed["msg"] and "himds" in failed["remedy"]


def test_arc_must_say_for_which_identity_its_token_is(site, arc, namespace):
    arc.echoes = False
    vm(site, client_id=MANAGED_CLIENT)
    site.start(wrapped=namespace.command,
               environment={"IDENTITY_ENDPOINT": f"{arc.url}/metadata/identity/oauth2/token",
                            "IMDS_ENDPOINT": arc.url})
    failed = site.log.wait("token.failed")
    assert f"it has to be for {MANAGED_CLIENT}, and does not say" in failed["msg"]
    assert "take client_id, object_id and resource_id out" in failed["remedy"]


def test_arc_whose_agent_is_gone(site, arc, namespace):
    vm(site, source="arc", endpoint="http://127.0.0.1:9")
    site.start(wrapped=namespace.command)
    failed = site.log.wait("token.failed")
    assert "the Azure Arc agent cannot be reached" in failed["msg"]
    assert "systemctl start himdsd" in failed["remedy"]


def test_app_service_is_patient(site, app_service):
    """A platform that is restarted: no failure is reported."""
    app_service.answers = [(503, {}, {}), (429, {}, {"Retry-After": "1"})]
    vm(site)
    site.start(environment=app_service.environment)
    site.wait_rotations("alpha", 1)
    assert not site.log.lines(event="token.failed")
