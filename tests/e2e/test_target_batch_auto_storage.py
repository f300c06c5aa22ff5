"""The target `batch_auto_storage`: a Batch account is told to read its storage account's keys again."""

import json

import pytest

from apps import Answer, Apps, error
from patience import wait_until
from stand_in import resource_id
from ways import DENIED, FAILED, wait_told

FARM = resource_id("farm")


def add(site, name, **more):
    """A Storage account, whose keys Batch accounts copy."""
    site.azure.create(name, type="storage")
    site.config["accounts"].append({
        "id": resource_id(name, kind="Microsoft.Storage/storageAccounts"),
        "adopt_active": "primary", **more})


@pytest.fixture
def apps(site):
    server = Apps(site.azure)
    server.storage = {"storageAccountId": "/subscriptions/0/x", "authenticationMode": "StorageKeys"}
    server.before["describe_batch"] = lambda app, _: Answer(200, {"properties": {
        "autoStorage": server.storage}}) if app == FARM.lower() else None
    site.config["cloud"]["resource_manager"] = server.url
    site.config["targets"]["sync"] = {"type": "batch_auto_storage", "batch_account": FARM}
    site.config["defaults"]["deliver_to"] = ["file", "sync"]
    site.config["timing"].update(retry_initial="50ms", retry_max="100ms", unknown_wait="100ms")
    site.policy(rotate_every="30d", overlap="100ms", check_every="1h")
    add(site, "alpha")
    yield server
    server.stop()


def rotate(site):
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    return site.ctl("rotate", "alpha", "--wait")


def test_it_is_told_after_a_rotation_and_gets_no_key(site, apps):
    bodies = []
    apps.before["sync"] = lambda _, body: bodies.append(body)
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: apps.count("sync", FARM) == 1, "it is told at the adoption")
    assert rotate(site).returncode == 0
    assert apps.count("sync", FARM) == 2 and bodies == [None, None]
    held = site.holds("alpha")
    assert held == "Secondary", "and the file has the key"
    assert site.ctl("check", "alpha").returncode == 0
    assert apps.count("sync", FARM) == 2, "a look tells nobody"
    assert f"batch_auto_storage {FARM.lower()} (by identity ops; gets no key)" in site.run("--check").stdout


def test_a_lost_answer_is_repeated(site, apps):
    apps.after["sync"] = lambda *_: Answer(raw=b"", cut=True) if apps.count("sync", FARM) == 1 else None
    site.start()
    line = site.log.wait("delivery.failed", account="alpha")
    assert "Azure Resource Manager" in line["msg"]
    wait_until(lambda: [line for line in site.log.lines(event="key.delivered", account="alpha")
                        if "batch_auto_storage" in line["target"]], "it is told again")
    assert apps.count("sync", FARM) == 2


def odd(status, body=b"", **headers):
    return Answer(status, raw=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


ACTION = "Microsoft.Batch/batchAccounts/syncAutoStorageKeys/action: `az role assignment create"
MISSING = "correct `batch_account`: `az resource show --ids {farm}` has to find it"
BUSY = "none needed while another operation works on the Batch account: it is tried again. Where it lasts"
BETWEEN = "check what stands between this machine and Azure"
SYNC = "answered syncAutoStorageKeys with "
SEE = "see what the message says about the Batch account; `az resource show --ids {farm}` shows it"
PACE = "nothing: requests continue when Azure allows them"
STATUS = "it is tried again by itself; else see Azure's status page (https://azure.status.microsoft)"
AGAIN = "it is tried again by itself; else see whether `az resource show --ids {farm}` answers from"
BEHIND = "it is tried again by itself; else check what stands between this machine and Azure"
# What the Batch account answers; the reason, a part of the cause and of the remedy.
WAYS = {
    "denied": (error(403, "AuthorizationFailed", "no right"), DENIED, SYNC + "403 AuthorizationFailed", ACTION),
    "linked": (error(403, "LinkedAuthorizationFailed", "not to storage"), DENIED,
               "403 LinkedAuthorizationFailed: not to storage", ACTION),
    "locked": (error(409, "ScopeLocked", "locked"), DENIED, "409 ScopeLocked", "`az lock list --resource {farm}`"),
    "policy": (error(403, "RequestDisallowedByPolicy", "policy x"), DENIED, "RequestDisallowedByPolicy: policy x",
               "exempt the Batch account from the Azure Policy assignment that the message names"),
    "token": (error(401, "InvalidAuthenticationToken", "bad"), "token_failed", "401 InvalidAuthenticationToken",
              "check cloud.audience"),
    "tenant": (error(401, "InvalidAuthenticationTokenTenant", "wrong issuer"), "token_failed",
               "InvalidAuthenticationTokenTenant", "belongs to the tenant of the Batch account's subscription"),
    "missing": (error(404, "ResourceNotFound", "gone"), FAILED, "404 ResourceNotFound: gone", MISSING),
    "group": (error(404, "ResourceGroupNotFound", "gone"), FAILED, "404 ResourceGroupNotFound", MISSING),
    "account": (error(404, "AccountNotFound", "gone"), FAILED, "404 AccountNotFound: gone", MISSING),
    "busy": (error(409, "OperationInProgress", "busy"), FAILED, "409 OperationInProgress: busy", BUSY),
    "storage": (error(409, "StorageAccountDeleted", "no storage"), FAILED, "409 StorageAccountDeleted", BUSY),
    "changed": (error(412, "PreconditionFailed", "changed"), FAILED, "412 PreconditionFailed", BUSY),
    "bad": (error(400, "InvalidRequestBody", "no body"), FAILED, "400 InvalidRequestBody: no body", SEE),
    "nostorage": (error(400, "InvalidAutoStorageAccount", "none"), FAILED, "400 InvalidAutoStorageAccount", SEE),
    "throttled": (error(429, "TooManyRequests", "slow", headers={"Retry-After": "1"}), "throttled",
                  "429 TooManyRequests: slow", PACE),
    "serverbusy": (error(503, "ServerBusy", "busy", headers={"Retry-After": "1"}), "throttled",
                   "503 ServerBusy: busy", PACE),
    "broken": (error(500, "InternalServerError", "x"), FAILED, SYNC + "500 InternalServerError", STATUS),
    "unavailable": (error(503, "ServiceUnavailable", "x"), FAILED, "503 ServiceUnavailable", STATUS),
    "timeout": (error(504, "GatewayTimeout", "x"), FAILED, "504 GatewayTimeout", STATUS),
    "gateway": (odd(502, b"<html><title>Bad gateway</title>", Content_Type="text/html"), FAILED,
                SYNC + "502, without an error message of Azure's", BEHIND),
    "proxy": (odd(407), FAILED, SYNC + "407", BETWEEN),
    "hotel": (odd(511, b"<html><title>Log in</title>", Content_Type="text/html"), FAILED, SYNC + "511", BEHIND),
    "redirected": (odd(307, Location="https://x.test/"), FAILED, "with 307", BETWEEN),
    "moved": (odd(301, Location="http://x.test/"), FAILED, "with 301", BETWEEN),
    "teapot": (odd(418, b"short and stout"), FAILED, "with 418", BETWEEN),
    "garbage": (odd(400, b"\xff\x00{]"), FAILED, "with 400", BETWEEN),
    "lost": (Answer(raw=b"", cut=True), FAILED, "the answer was lost: ", AGAIN),
    "cut": (Answer(raw=b"{}", cut=True), FAILED, "broke before the whole answer had arrived", AGAIN),
    "huge": (odd(200, b" " * 2_000_000), FAILED, "is longer than 1048576 bytes", AGAIN),
    "tellstoken": (lambda token: error(400, "Bad", f"you sent {token}"), FAILED, "400 Bad: you sent ", SEE),
}


def test_ways_of_being_wrong(site, apps):
    """Each Batch account is wrong in a way of its own, all at the same time."""
    farms = {name: resource_id(f"farm{name}") for name in WAYS}
    lower = {farm.lower() for farm in farms.values()}
    answers = {farm.lower(): WAYS[name][0] for name, farm in farms.items()}

    def describe(app, _):
        return Answer(200, {"properties": {"autoStorage": apps.storage}}) if app in lower else None

    def sync(app, _):
        answer = answers.get(app)
        return answer(next(iter(apps.tokens))) if callable(answer) else answer

    apps.before.update(describe_batch=describe, sync=sync)
    ways = {}
    for name, (_, *way) in WAYS.items():
        site.config["targets"][name] = {"type": "batch_auto_storage", "batch_account": farms[name]}
        add(site, name, deliver_to=["file", name])
        ways[name] = [text.replace("{farm}", farms[name]) for text in way]
    site.start()
    site.wait_adopted("alpha")
    wait_told(site, ways)
    answers.clear()
    for name in WAYS:
        site.log.wait("key.delivered", account=name, target=f"batch_auto_storage {farms[name].lower()}")


@pytest.mark.parametrize("storage, cause", [
    (None, "has no auto-storage"),
    ({"authenticationMode": "BatchAccountManagedIdentity"}, "with its managed identity")])
def test_a_rotation_is_not_begun_where_it_would_be_told_in_vain(site, apps, storage, cause):
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: apps.count("sync", FARM) == 1, "it is told at the adoption")
    apps.storage = storage
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    site.ctl("rotate", "alpha")
    line = wait_until(lambda: [line for line in site.log.lines(account="alpha")
                               if cause in line["msg"]], cause)[0]
    assert "take this target out of `deliver_to`" in line["remedy"], json.dumps(line)
    assert not site.log.lines(event="key.regenerated")
