"""Managed identities of a virtual machine, of App Service and of Azure Arc, and the ways in which they are
wrong."""

import os
import socket
import time
import uuid

import pytest

from platforms import ARC_DIRECTORY, AppService, ArcAgent, VirtualMachine
from stand_in import MANAGED_CLIENT, SUBSCRIPTION
from wrong_identities import Way, add, both, check, register, settings

RESOURCE = (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/e2e/providers/Microsoft.ManagedIdentity"
            "/userAssignedIdentities/nobody")
NOBODY = "99999999-9999-9999-9999-999999999999"
PATIENT = {"Retry-After": "3600"}  # longer than the daemon waits within one try


def say(status, error, description="Sorry.", headers=PATIENT):
    """The platform's answer."""
    def put(case):
        case.server.always = status, {"error": error, "error_description": description}, headers
    return put


def send(body, status=200, **headers):
    """Whatever else stands there."""
    def put(case):
        case.server.always = status, body, headers
    return put


def token(without=(), **changed):
    """A token, of which these members are others."""
    def put(case):
        members = {"access_token": "e30.e30.c2ln", "token_type": "Bearer", "expires_in": "3599",
                   "client_id": case.client, **changed}
        case.server.always = 200, {name: value for name, value in members.items() if name not in without}, {}
    return put


def selected(**selector):
    """By these settings alone."""
    def put(case):
        del case.settings["client_id"]
        case.settings.update(selector)
    return put


def nobody_listens(case):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        case.settings["endpoint"] = f"http://127.0.0.1:{closed.getsockname()[1]}"


STRANGER = "let nothing stand between this machine and http://127.0.0.1:"
PROXY = "stand between this machine and"
# What is wrong in the same ways wherever the token comes from.
ALIKE = {
    "throttled": Way(say(429, "throttled"), "gave no token: 429 throttled", "other programs here that ask", reason="throttled"),
    "down": Way(say(503, "unavailable"), "gave no token: 503 unavailable", "wait, it is asked again by itself"),
    "broken": Way(say(500, "internal_error"), "gave no token: 500 internal_error", "wait, it is asked again by itself"),
    "audience": Way(say(400, "invalid_resource", "AADSTS500011: The resource principal was not found."),
                    "AADSTS500011", "check cloud.audience"),
    "elsewhere": Way(send(b"", 302, Location="https://elsewhere.example/"), "which is not followed", STRANGER),
    "garbage": Way(send(b"\xff\xfe{"), "sent a token that cannot be used", STRANGER),
    "hotel": Way(send(b"<html><title>Log in</title>"), "it is a web page, \"Log in\"", STRANGER),
    "shape": Way(token(without=("access_token",)), "its access_token is missing or malformed", STRANGER),
    "inject": Way(token(access_token="a\r\nb"), "its access_token is missing or malformed", STRANGER),
    "dpop": Way(token(token_type="DPoP"), "its token_type is not Bearer", STRANGER),
    "zero": Way(token(expires_in="0"), "its expires_in is not a positive number", STRANGER),
    "soon": Way(token(without=("expires_in",), expires_on="soon"), "its expires_on is neither a number nor a date", STRANGER),
    "past": Way(token(without=("expires_in",), expires_on=str(int(time.time()) - 9000)),
                "it had expired when it was sent", STRANGER),
    "other": Way(token(client_id=NOBODY), "is for another identity", "client_id, object_id"),
    "huge": Way(send(b"{" + b" " * 70000), "is longer than 65536 bytes", STRANGER),
}


def nobody(remedy):
    return Way(nobody_listens, "cannot be reached: cannot connect to", remedy)


MACHINE = {
    **ALIKE,
    "nobody": nobody("run on an Azure virtual machine"),
    "client": Way(settings(client_id=NOBODY), "400 invalid_request: Identity not found",
                  f"assign the managed identity {NOBODY} to this virtual machine"),
    "object": Way(selected(object_id=NOBODY), "400 invalid_request: Identity not found",
                  f"assign the managed identity {NOBODY} to this virtual machine"),
    "resource": Way(selected(resource_id=RESOURCE), "400 invalid_request: Identity not found",
                    f"assign the managed identity {RESOURCE} to this virtual machine"),
    "off": Way(both(selected(), say(400, "invalid_request", "Identity not found")), "Identity not found",
               "az vm identity assign"),
    "several": Way(both(selected(), say(400, "invalid_request", "Multiple user assigned identities exist, please "
                                        "specify the clientId / resourceId of the identity in the token request")),
                   "Multiple user assigned identities exist", "`az vm identity show` lists them"),
    "forbidden": Way(say(403, "forbidden"), "403 forbidden", PROXY),
    "notfound": Way(say(404, "not_found"), "404 not_found", PROXY),
}
SERVICE = {
    **ALIKE,
    "nobody": nobody("start the daemon in the app itself"),
    "client": Way(settings(client_id=NOBODY), "No User Assigned Managed Identity found",
                  f"assign the managed identity {NOBODY} to this app"),
    "object": Way(selected(object_id=NOBODY), "No User Assigned Managed Identity found",
                  f"assign the managed identity {NOBODY} to this app"),
    "resource": Way(selected(resource_id=RESOURCE), "No User Assigned Managed Identity found",
                    f"assign the managed identity {RESOURCE} to this app"),
    "off": Way(both(selected(), send({"statusCode": 400, "message": "Unable to find an identity."}, 400)),
               "Unable to find an identity.", "turn on the system-assigned managed identity of this app"),
    "header": Way(lambda case: setattr(case.server, "header", "another"), "The header is not valid", "restart the app"),
    "forbidden": Way(say(403, "forbidden"), "403 forbidden", "restart the app"),
    "path": Way(lambda case: case.settings.update(endpoint=f"{case.server.url}/other"), "404", "correct `endpoint`"),
}


def asks_for(realm):
    return lambda case: setattr(case.server, "realm", realm)


def key_file(make):
    """The agent names a file that it did not write; make(path) does."""
    def put(case):
        path = case.server.directory / f"{case.name}.key"
        make(path)
        case.server.realm = f"{ARC_DIRECTORY}/{path.name}"
    return put


def challenge(**headers):
    return send({"error": "unauthorized_client"}, 401, **headers)


def of_somebody_else(path):
    path.write_text("x" * 64)
    os.chown(path, 12345, 12345)


NO_AGENT = "it should be himds, the agent's"
AGENT = {
    **{name: way for name, way in ALIKE.items() if name != "other"},  # none is selected
    "nobody": nobody("`systemctl start himdsd`"),
    "shadow": Way(asks_for("/etc/shadow"), "asks for the content of /etc/shadow, which is not a key in", NO_AGENT),
    "climbs": Way(asks_for(f"{ARC_DIRECTORY}/../tokens/a.key"), "is not a key in", NO_AGENT),
    "below": Way(asks_for(f"{ARC_DIRECTORY}/sub/a.key"), "is not a key in", NO_AGENT),
    "noname": Way(asks_for(f"{ARC_DIRECTORY}/.key"), "is not a key in", NO_AGENT),
    "suffix": Way(asks_for(f"{ARC_DIRECTORY}/a.pem"), "is not a key in", NO_AGENT),
    "gone": Way(asks_for(f"{ARC_DIRECTORY}/gone.key"), "No such file or directory", NO_AGENT),
    "link": Way(key_file(lambda path: path.symlink_to("/etc/hostname")), "it is a symbolic link", NO_AGENT),
    "large": Way(key_file(lambda path: path.write_text("x" * 4097)), "it is larger than a key", NO_AGENT),
    "nothing": Way(key_file(lambda path: path.write_text("\n")), "it holds no key", NO_AGENT),
    "lines": Way(key_file(lambda path: path.write_text("a\nb\n")), "it holds no key", NO_AGENT),
    "directory": Way(key_file(os.mkdir), "it is not a regular file", NO_AGENT),
    "pipe": Way(key_file(os.mkfifo), "it is not a regular file", NO_AGENT),
    "nochallenge": Way(challenge(), "named no key in", NO_AGENT),
    "scheme": Way(challenge(**{"WWW-Authenticate": "Bearer realm=x"}), "named no key in", NO_AGENT),
    "refused": Way(lambda case: setattr(case.server, "forgets", True), "gave no token: 401 unauthorized_client",
                   "it did not accept the key"),
    "disconnected": Way(say(404, "not_found"), "404 not_found", "`azcmagent connect`"),
}
if os.geteuid() == 0:
    AGENT["owner"] = Way(key_file(of_somebody_else), "it belongs to neither root nor the agent", NO_AGENT)


def run(site, ways, source, new_server, path="", **how):
    servers = []

    def prepare(case):
        case.server = new_server()
        servers.append(case.server)
        case.settings["endpoint"] = case.server.url + path
        if source == "arc":  # its agent knows one identity alone
            case.server.machine = case.client
        else:
            case.settings["client_id"] = case.client
        register(case, managed=True)

    cases = add(site, ways, {"type": "managed_identity", "source": source}, prepare)
    site.start(**how)
    check(site, ways, cases)
    for server in servers:
        server.end()


def test_twenty_ways_of_a_virtual_machine(site, azure):
    run(site, MACHINE, "imds", lambda: VirtualMachine(azure))


def test_twenty_ways_of_an_app(site, azure):
    header = uuid.uuid4().hex

    def new():
        server = AppService(azure)
        server.header = header
        return server
    run(site, SERVICE, "app_service", new, "/MSI/token/", environment={"IDENTITY_HEADER": header})
    assert header not in site.log.text()


def test_thirty_ways_of_azure_arc(site, azure, tmp_path, namespace):
    keys = tmp_path / "tokens"
    keys.mkdir(mode=0o750)
    namespace.run("mount", "-t", "tmpfs", "tmpfs", "/var/opt")
    namespace.run("mkdir", "-p", ARC_DIRECTORY)
    namespace.run("mount", "--bind", keys, ARC_DIRECTORY)
    run(site, AGENT, "arc", lambda: ArcAgent(azure, keys), wrapped=namespace.command)
