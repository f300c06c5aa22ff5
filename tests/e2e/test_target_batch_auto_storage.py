"""The target `batch_auto_storage`: a Batch account is told to read its storage account's keys again."""

import json

import pytest

from apps import Answer, Apps, error
from patience import wait_until
from stand_in import resource_id

FARM = resource_id("farm")


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
    site.policy(rotate_every="10m", overlap="100ms", check_every="1h")
    site.account("alpha")
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


WAYS = {
    "denied": (error(403, "AuthorizationFailed", "no right"),
               "answered syncAutoStorageKeys with 403 AuthorizationFailed",
               "Microsoft.Batch/batchAccounts/syncAutoStorageKeys/action: `az role assignment create"),
    "missing": (error(404, "ResourceNotFound", "gone"), "404 ResourceNotFound: gone",
                f"correct `batch_account`: `az resource show --ids {FARM}`"),
    "busy": (error(409, "OperationInProgress", "busy"), "409 OperationInProgress: busy",
             "none needed while another operation works on the Batch account"),
    "redirected": (Answer(307, raw=b"", headers={"Location": "https://x.test/"}), "with 307", "proxy"),
}


def test_ways_of_being_wrong_have_their_cause_and_remedy(site, apps):
    site.start()
    site.wait_adopted("alpha")
    for way, (answer, cause, remedy) in WAYS.items():
        wait_until(lambda: site.status("alpha")["state"] == "ok", f"{way}: well before")
        start = site.log.mark()
        apps.before["sync"] = lambda *_, one=answer: one
        site.ctl("redeliver", "alpha")
        wait_until(lambda: [line for line in site.log.lines(start)
                            if cause in line["msg"] and remedy in line.get("remedy", "")],
                   f"{way}: {cause} / {remedy}")
        del apps.before["sync"]
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is over")


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
