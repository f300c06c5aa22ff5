"""The target `azure_app_settings`: a setting of an app gets the key, and nothing else changes."""

import json

import pytest

from apps import CONTAINER, SITE, SLOT, Answer, Apps, error
from patience import wait_until


@pytest.fixture
def apps(site):
    server = Apps(site.azure)
    site.config["cloud"]["resource_manager"] = server.url
    yield server
    server.stop()


def aim(site, app=SITE, setting="BATCH_KEY", **more):
    """One target, whose rotations come by command only."""
    site.config["targets"] = {"app": {"type": "azure_app_settings", "app": app, "setting": setting,
                                      **more}}
    site.config["defaults"]["deliver_to"] = ["app"]
    site.policy(rotate_every="30d", overlap="100ms", check_every="1h")
    site.config["timing"].update(retry_initial="50ms", retry_max="100ms", unknown_wait="100ms")


def adopted(site, name="alpha"):
    site.account(name)
    site.start()
    site.log.wait("account.adopted", account=name)


def key(site, slot="Primary", name="alpha"):
    return site.azure.keys(name)[slot]


def rotate(site, name="alpha"):
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == 0, "it may rotate")
    return site.ctl("rotate", name, "--wait")


def value(apps, app=SITE, setting="BATCH_KEY"):
    return apps.settings[app.lower()].get(setting)


def delivered(site, apps, app=SITE, setting="BATCH_KEY"):
    wait_until(lambda: value(apps, app, setting) in site.azure.keys("alpha").values(),
               "the app has a live key")


def test_one_setting_changes_and_the_others_stay(site, apps):
    others = {"PATH_LIKE": 'C:\\x "y"\n', "EMPTY": "", "Ünïcode": "ä€😀"}
    apps.settings[SITE.lower()] = {**others, "batch_key": " "}
    aim(site)
    adopted(site)
    wait_until(lambda: value(apps, setting="batch_key") == key(site), "the app has the key")
    assert apps.settings[SITE.lower()] == {**others, "batch_key": key(site)}, "in its own spelling"
    assert rotate(site).returncode == 0
    assert apps.settings[SITE.lower()] == {**others, "batch_key": key(site, "Secondary")}
    writes = apps.count("write")
    assert site.ctl("redeliver", "alpha").returncode == 0
    assert site.ctl("check", "alpha").returncode == 0
    assert apps.count("write") == writes, "what is there already is not written again"
    assert not apps.tokens & {""}, "no request went without a token"
    told = site.run("--check").stdout
    assert f"azure_app_settings {SITE.lower()}/config/appsettings/batch_key (by identity ops; " \
        "a new key restarts the app)" in told


def test_a_slot_and_a_template(site, apps):
    aim(site, SLOT, "CONNECTION", value="name={name};key={key};url=https://{endpoint}")
    adopted(site)
    wait_until(lambda: value(apps, SLOT, "CONNECTION"), "the slot has it")
    assert value(apps, SLOT, "CONNECTION").startswith(f"name=alpha;key={key(site)};url=https://alpha.")
    assert apps.settings[SITE.lower()] == {}, "and the app itself does not"
    assert rotate(site).returncode == 0
    assert f"key={key(site, 'Secondary')};" in value(apps, SLOT, "CONNECTION")


def test_a_container_app_keeps_its_other_secrets_and_is_waited_for(site, apps):
    reference = {"name": "ref", "keyVaultUrl": "https://v.vault.azure.net/secrets/s",
                 "identity": "system"}
    apps.references = {"ref": reference}
    apps.settings[CONTAINER.lower()] = {"other": "1"}
    written = []
    apps.before["write"] = lambda app, body: written.append(body)
    apps.states = ["InProgress", "InProgress", "Succeeded"]
    aim(site, CONTAINER, "batch-key")
    adopted(site)
    delivered(site, apps, CONTAINER, "batch-key")
    site.log.wait("key.delivered", account="alpha")
    assert written[0] == {"properties": {"configuration": {"secrets": [
        {"name": "other", "value": "1"}, reference, {"name": "batch-key", "value": key(site)}]}}}
    assert apps.count("describe", CONTAINER) == 3 and not apps.states
    assert "running revisions keep the old key until they are restarted" in site.run("--check").stdout


def test_drift_is_repaired(site, apps):
    aim(site)
    adopted(site)
    delivered(site, apps)
    apps.settings[SITE.lower()]["BATCH_KEY"] = "somebody's"
    site.ctl("check", "alpha")
    wait_until(lambda: value(apps) == key(site), "the key is delivered again")


def test_two_accounts_write_one_app_one_after_the_other(site, apps):
    site.config["targets"] = {"app": {"type": "azure_app_settings", "app": SITE,
                                      "setting": "KEY_{account}"}}
    site.config["defaults"]["deliver_to"] = ["app"]
    site.policy(rotate_every="30d", check_every="1h")
    names = [f"acct{number}" for number in range(5)]
    for name in names:
        site.account(name)
    apps.after["list"] = lambda app, body: None
    site.start()
    wait_until(lambda: len(apps.settings[SITE.lower()]) == 5, "all keys are in the app")
    for name in names:
        site.log.wait("key.delivered", account=name)
        assert apps.settings[SITE.lower()][f"KEY_{name}"] == key(site, name=name)
    assert not site.log.lines(event="delivery.failed")
    # List, write, list again: nobody else comes between.
    flow = [operation for operation, _ in apps.requests]
    for place, operation in enumerate(flow):
        if operation == "write":
            assert flow[place - 1] == flow[place + 1] == "list"


# --- somebody else writes ---

def test_an_etag_keeps_what_somebody_else_wrote_meanwhile(site, apps):
    apps.etags = True
    aim(site)

    def meddle(app, body):
        if apps.count("list") == 2:  # the first one is the look's
            apps.settings[app]["OTHER"] = "theirs"
            apps.version += 1
    apps.after["list"] = meddle
    adopted(site)
    delivered(site, apps)
    assert value(apps, setting="OTHER") == "theirs"
    assert not site.log.lines(event="delivery.failed")


def test_without_an_etag_names_that_changed_are_reported(site, apps):
    apps.settings[SITE.lower()] = {"COLOUR": "red"}
    aim(site)

    def meddle(app, body):
        if apps.count("write") == 1:
            apps.settings[app].update(COLOUR="blue", MORE="x")
    apps.after["write"] = meddle
    adopted(site)
    line = site.log.wait("delivery.failed", account="alpha")
    assert "others became different from what was written back: COLOUR, MORE" in line["msg"]
    assert "see whether these have the values that they should have" in line["remedy"]
    site.log.wait("key.delivered", account="alpha")
    assert apps.settings[SITE.lower()] == {"COLOUR": "blue", "MORE": "x", "BATCH_KEY": key(site)}
    assert apps.count("write") == 1, "its own write is recognised"


def test_a_key_that_was_overwritten_is_written_again(site, apps):
    aim(site)

    def meddle(app, body):
        if apps.count("write") == 1:
            apps.settings[app] = {"OTHER": "theirs"}
    apps.after["write"] = meddle
    adopted(site)
    line = site.log.wait("delivery.failed", account="alpha")
    assert "somebody else has written the app's settings at the same time" in line["msg"]
    delivered(site, apps)
    assert value(apps, setting="OTHER") == "theirs"


def test_a_lost_answer_is_found_out_by_reading(site, apps):
    aim(site)
    apps.after["write"] = lambda app, body: Answer(raw=b"", cut=True)
    adopted(site)
    line = site.log.wait("delivery.failed", account="alpha")
    assert "Azure Resource Manager" in line["msg"] and key(site) not in json.dumps(line)
    site.log.wait("key.delivered", account="alpha")
    assert value(apps) == key(site) and apps.count("write") == 1


# --- ways of being wrong: each with its cause and what to do ---

REFERENCE = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)"
WAYS = {
    "denied to write": ("write", lambda *_: error(403, "AuthorizationFailed", "no right"),
                        "answered writing the app's settings with 403",
                        "--role \"Website Contributor\" --scope " + SITE),
    "missing": ("list", lambda *_: error(404, "ResourceNotFound", "gone"), "ResourceNotFound: gone",
                f"correct `app`: `az resource show --ids {SITE}`"),
    "token refused": ("list", lambda *_: error(401, "InvalidAuthenticationToken", "bad"),
                      "with 401 InvalidAuthenticationToken", "check cloud.audience"),
    "swap under way": ("write", lambda *_: Answer(409, {"Code": "Conflict", "Message": "in a swap",
                                                        "Details": [{"Message": "in a swap"}]}),
                       "with 409 Conflict: in a swap", "end it or reset it"),
    "redirected": ("list", lambda *_: Answer(307, raw=b"", headers={"Location": "https://x.test/y"}),
                   "with 307", "check what stands between this machine and Azure"),
    "huge": ("list", lambda *_: Answer(200, raw=b" " * 2_000_000), "Azure Resource Manager", ""),
    "cut": ("list", lambda *_: Answer(raw=b"", cut=True), "Azure Resource Manager", ""),
    "a reference": ("list", lambda *_: Answer(200, {"properties": {"BATCH_KEY": REFERENCE}}),
                    "the setting \"BATCH_KEY\" of " + SITE + " refers to a secret of Key Vault",
                    "a target of type key_vault"),
}


def test_ways_of_being_wrong_have_their_cause_and_remedy(site, apps):
    aim(site)
    adopted(site)
    delivered(site, apps)
    for way, (operation, answer, cause, remedy) in WAYS.items():
        start = site.log.mark()
        apps.before[operation] = answer  # first: the look after a delivery may come any time
        apps.settings[SITE.lower()]["BATCH_KEY"] = f"stale: {way}"
        site.ctl("redeliver", "alpha")
        wait_until(lambda: [line for line in site.log.lines(start)
                            if cause in line["msg"] and remedy in line.get("remedy", "")],
                   f"{way}: {cause} / {remedy}")
        apps.clear()
        wait_until(lambda: value(apps) == key(site) and site.status("alpha")["state"] == "ok",
                   f"{way}: over")
    everything = site.log.text()
    assert key(site) not in everything and "elsewhere" not in everything


def test_throttling_pauses_the_app_alone(site, apps):
    aim(site)
    adopted(site)
    delivered(site, apps)
    start = site.log.mark()
    apps.before["list"] = lambda *_: error(429, "TooManyRequests", "slow down",
                                           headers={"Retry-After": "1"})
    apps.settings[SITE.lower()]["BATCH_KEY"] = "stale"
    site.ctl("redeliver", "alpha")
    wait_until(lambda: [line for line in site.log.lines(start) if "429 TooManyRequests" in line["msg"]],
               "it is told")
    apps.clear()
    wait_until(lambda: value(apps) == key(site), "it goes on")


CONTAINER_WAYS = {
    "hidden": (lambda apps: apps.references.update(x={"name": "x"}),
               "the secret \"x\" of " + CONTAINER + " has no value", "give it a value, or remove it"),
    "a reference": (lambda apps: apps.references.update(
        x={"name": "batch-key", "keyVaultUrl": "https://v", "identity": "system"}),
                    "the secret \"batch-key\" of " + CONTAINER + " refers to a secret of Key Vault",
                    "key_vault"),
    "failed later": (lambda apps: apps.states.extend(["InProgress", "Failed"]),
                     "accepted and then failed: its provisioningState is Failed",
                     "az containerapp show --ids"),
}


def test_ways_in_which_a_container_app_is_wrong(site, apps):
    aim(site, CONTAINER, "batch-key")
    adopted(site)
    delivered(site, apps, CONTAINER, "batch-key")
    for way, (begin, cause, remedy) in CONTAINER_WAYS.items():
        start = site.log.mark()
        begin(apps)
        apps.settings[CONTAINER.lower()] = {} if "reference" in way else {"batch-key": f"stale {way}"}
        site.ctl("redeliver", "alpha")
        wait_until(lambda: [line for line in site.log.lines(start)
                            if cause in line["msg"] and remedy in line.get("remedy", "")],
                   f"{way}: {cause} / {remedy}")
        apps.clear()
        apps.references.clear()
        wait_until(lambda: value(apps, CONTAINER, "batch-key") == key(site)
                   and site.status("alpha")["state"] == "ok", f"{way}: over")


def test_an_app_that_hangs_delays_no_other_account(site, apps):
    aim(site)
    site.config["targets"]["file"] = {"type": "file", "path": f"{site.keys}/{{account}}"}
    site.account("bravo", deliver_to=["file"])
    apps.before["list"] = lambda *_: Answer(delay=60)
    site.account("alpha")
    site.start()
    site.wait_adopted("bravo")
    assert rotate(site, "bravo").returncode == 0
    assert site.holds("bravo") == "Secondary"
    assert apps.count("list") >= 1 and value(apps) is None
