"""Accounts of every type: found by their ids, adopted, rotated, verified, delivered."""

import collections
import json
import re
import subprocess
import urllib.parse

import pytest

import data_plane_probes
from stand_in import RESOURCE_GROUP, SUBSCRIPTION
from two_key_types import TYPES
from patience import TIMEOUT, wait_until

# What the daemon rotates, and the request that proves a key; None: there is none.
ROTATED = {
    "batch": "pools", "storage": "comp=list", "cognitive_services": "issueToken", "redis": "AUTH",
    "search": "servicestats", "maps": "copyright", "event_grid_domain": "events",
    "event_grid_topic": "events", "event_grid_partner_namespace": "events", "container_registry": "v2", "fluid_relay": None,
    "service_bus": "Queues", "service_bus_queue": "queue", "service_bus_topic": "topic",
    "event_hubs": "EventHubs", "event_hub": "hub", "relay": "nothing",
    "relay_hybrid_connection": None, "relay_wcf": None, "notification_hubs": "registrations",
    "notification_hub": "registrations", "automation": None, "communication": "phoneNumbers",
    "data_factory_runtime": None, "synapse_runtime": None, "data_migration": None,
    "apim_subscription": None, "apim_workspace_subscription": None, "apim_tenant": None,
    "apim_gateway": None, "spring": None, "ml_endpoint": None, "quantum": None,
    "app_configuration": "keys", "bot_channel": "generate", "cosmos": "dbs", "redis_enterprise": None,
    "signalr": "connections", "web_pubsub": "connections", "event_grid_namespace": "publish",
    "event_grid_namespace_topic": "publish", "ml_online_endpoint": "swagger", "ml_serverless_endpoint": "info",
    "iot_hub": "statistics", "device_provisioning": "enrollmentGroups",
}
BELOW = {"apim_tenant": ["access"], "bot_channel": ["DirectLineChannel", "main"], "iot_hub": ["service"],
         "device_provisioning": ["owner"]}  # names that are not free
Account = collections.namedtuple("Account", "there here asked file")
ENVIRONMENT = {
    "batch": {"AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY", "AZURE_BATCH_ENDPOINT"},
    "storage": {"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_BLOB_ENDPOINT"},
    "cognitive_services": {"AZURE_AI_SERVICES_NAME", "AZURE_AI_SERVICES_KEY", "AZURE_AI_SERVICES_ENDPOINT",
                           "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"},
    "redis": {"AZURE_REDIS_NAME", "AZURE_REDIS_KEY", "AZURE_REDIS_HOST"},
    "app_configuration": {"AZURE_APPCONFIG_NAME", "AZURE_APPCONFIG_SECRET", "AZURE_APPCONFIG_ID",
                          "AZURE_APPCONFIG_ENDPOINT"},
    "maps": {"AZURE_MAPS_ACCOUNT", "AZURE_MAPS_SUBSCRIPTION_KEY"},
}


def add(site, name, subscription=SUBSCRIPTION):
    """Configures an account of that type, by its parts, and creates it in Azure. Returns its name
    there, the daemon's, that of the resource which is asked for its keys, and that of its file."""
    key_type = next(one for one in TYPES if one.word == name)
    outermost = re.sub("[^a-z]", "", name) + "acct"
    names = [outermost, *BELOW.get(name, ("orders", "rule")[3 - key_type.name.count("/"):])]
    site.azure.create("/".join(names), type=name, subscription_id=subscription)
    site.config["accounts"].append({
        "type": name, "name": outermost, "resource_group": RESOURCE_GROUP,
        "subscription_id": subscription, "adopt_active": "primary",
        **({"path": "/".join(names[1:])} if names[1:] else {})})
    here = "-".join(names)
    return Account("%2F".join(names), here, "/".join(names[:-1] if key_type.inside else names),
                   here.lower())


def test_a_site_whose_name_has_blanks(site, azure):
    """It stands in the body of requests, and in no path of one; in names here '-' stands for a blank."""
    name = "botacct/DirectLineChannel/Default Site"
    here = "botacct-DirectLineChannel-Default-Site"
    azure.create(name, type="bot_channel")
    site.config["accounts"].append({
        "type": "bot_channel", "name": "botacct", "path": "DirectLineChannel/Default Site",
        "resource_group": RESOURCE_GROUP, "subscription_id": SUBSCRIPTION, "adopt_active": "primary"})
    site.start()
    wait_until(lambda: len(site.log.lines(event="rotation.completed", account=here)) >= 2,
               "it rotates twice")
    there = urllib.parse.quote(name, safe="")
    wait_until(lambda: site.held(here.lower()) in azure.keys(there).values(), "the file holds a live key")


SLOW = {one.word for one in TYPES if one.headers}  # the regenerate goes on after its answer


def add_all(site, names=ROTATED):
    """An account of each type: {type: account}. Four subscriptions share them, because Azure lets an identity list
    and regenerate ten times a second in each, and the daemon asks for no more: all of them in one subscription would
    wait for their turns, those of one provider for each other's."""
    return {name: add(site, name, f"{SUBSCRIPTION[:-1]}{1 + number % 4}") for number, name in enumerate(names)}


def count_of(site, event):
    """How often that was logged of each account."""
    return collections.Counter(line["account"] for line in site.log.lines(event=event))


def rotated_twice(site):
    return {name for name, count in count_of(site, "rotation.completed").items() if count >= 2}


def test_each_type_rotates(site, azure):
    """With no more rights than those of the role that the daemon prints."""
    accounts = add_all(site)
    azure.allow_only(site.role()["Actions"])
    site.policy(rotate_every="4s", check_every="4s")
    site.start()
    wait_until(lambda: rotated_twice(site) >= {account.here for account in accounts.values()},
               "each type rotates twice", 2 * TIMEOUT, pause=0.5)
    verifications = count_of(site, "key.verified")
    for name, account in accounts.items():
        births = azure.ask("GET", f"accounts/{account.there}")["counters"]
        assert births["regenerate_primary"] >= 1 and births["regenerate_secondary"] >= 1
        wait_until(lambda: site.held(account.file) in azure.keys(account.there).values(),
                   f"{name}: the file holds a live key")
        assert bool(verifications[account.here]) == bool(ROTATED[name]), name
    assert not site.log.lines(event="consumers.at_risk")


def test_answers_of_each_type_are_lost(site, azure):
    """One before its effect, and that of the repetition after it."""
    site.policy(rotate_every="30d", check_every="1h")
    site.config["timing"] |= {"operation_wait": "2s", "list_wait": "1s"}
    accounts = list(add_all(site).values())
    azure.settings(operation_ms=300)
    for account in accounts:
        for fault in ("lost_before", "lost_after"):
            azure.fault(fault, op="regenerateKeys", account=account.asked, count=1)
    site.start()
    for account in accounts:
        wait_until(lambda: site.ctl("rotate", account.here).returncode == 0, f"{account.here}: a rotation is accepted")
    wait_until(lambda: len(count_of(site, "rotation.completed")) == len(accounts), "all rotate", 2 * TIMEOUT,
               pause=0.5)
    for account in accounts:
        completed = site.wait_rotations(account.here, 1)
        assert completed["cycle"] == 1 and completed["slot"] == "secondary"
        assert azure.truth.regenerated(named(account)) == ["Secondary"]
        first, second = azure.truth.requests("regenerateKeys", account=account.asked)
        assert (first["fault"], second["fault"]) == ("lost_before", "lost_after")
        looks = [one["t"] for one in azure.truth.requests("listKeys", account=account.asked)]
        assert any(first["t"] < look < second["t"] for look in looks), "a look precedes the repetition"
        assert site.held(account.file) == azure.keys(account.there)["Secondary"]
    assert not azure.truth.requests("poll"), "nobody was told where to ask"
    assert not site.log.lines(event="consumers.at_risk")


def test_a_provider_that_throttles_stops_no_other(site, azure):
    """A pause that one account is asked for binds that one; a limit that the provider says is used up, all of its
    accounts in the subscription, which are asked about again within a minute."""
    site.policy(rotate_every="30d", check_every="1h")
    batch, storage = add(site, "batch"), add(site, "storage")
    site.azure.create("second", type="storage")
    site.config["accounts"].append({**site.config["accounts"][1], "name": "second"})
    site.start()
    for name in (batch.here, storage.here, "second"):
        site.wait_adopted(name)
    azure.fault("status", op="listKeys", account=storage.there, status=429, code="TooManyRequests", count=1,
                headers={"Retry-After": "600"})
    assert site.ctl("check", storage.here).returncode == 0
    wait_until(lambda: site.status(storage.here)["reason"] == "throttled", "it keeps the pause")
    assert looks_again(site, azure, "second") and looks_again(site, azure, batch.here)
    assert not site.log.lines(event="request.throttled")
    azure.fault("status", op="listKeys", account="second", status=429, code="TooManyRequests", count=1,
                headers={"Retry-After": "20", "x-ms-ratelimit-remaining-subscription-resource-requests": "0"})
    assert site.ctl("check", "second").returncode == 0
    line = site.log.wait("request.throttled")
    assert line["provider"] == "Microsoft.Storage" and "writes of Microsoft.Storage in subscription" in line["msg"]
    assert looks_again(site, azure, batch.here)
    asked = site.ctl("check", storage.here)
    assert "asked for a pause" in asked.stdout, asked
    before = len(azure.truth.requests("listKeys", account="second"))
    wait_until(lambda: len(azure.truth.requests("listKeys", account="second")) > before, "it is asked about again")
    wait_until(lambda: site.status("second")["state"] == "ok", "it waits no more")


def looks_again(site, azure, name):
    """Whether a check that somebody wants is made at once."""
    before = len(azure.truth.requests("listKeys", account=name))
    checked = site.ctl("check", name)
    assert checked.returncode == 0 and "asked for a pause" not in checked.stdout, checked
    wait_until(lambda: len(azure.truth.requests("listKeys", account=name)) > before, f"{name} is looked at")
    return True


def named(account):
    """What it is called in the truth log."""
    return account.there.replace("%2F", "/")


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_the_environment_file_has_the_names_of_its_tools(site, name):
    account = add(site, name)
    site.config["targets"]["file"]["format"] = "env"
    site.policy(rotate_every="30d", check_every="1h")
    site.start()
    site.log.wait("key.delivered", account=account.here)
    assert {line.split("=")[0] for line in site.held(account.file).splitlines()} == ENVIRONMENT[name]


CONNECTIONS = {"storage": "AZURE_STORAGE_CONNECTION_STRING",
               "service_bus_queue": "AZURE_SERVICEBUS_CONNECTIONSTRING",
               "redis": "AZURE_REDIS_CONNECTIONSTRING",
               "communication": "AZURE_COMMUNICATION_CONNECTION_STRING"}


def test_the_environment_file_with_the_connection_string(site, azure):
    """A shell takes it as it is, and the daemon finds its keys there again."""
    accounts = {name: add(site, name) for name in CONNECTIONS}
    site.config["targets"]["file"]["format"] = "env_connection_string"
    site.start()
    for account in accounts.values():
        wait_until(lambda: len(site.log.lines(event="rotation.completed", account=account.here)) >= 2,
                   f"{account.here} rotates twice")

    def told(name):
        script = f'. "{site.file(accounts[name].here)}"; echo "${CONNECTIONS[name]}"'
        return subprocess.run(["sh", "-euc", script], capture_output=True, text=True, timeout=30,
                              check=True).stdout

    for name, account in accounts.items():
        assert len(re.split("[;,]", told(name))) > 1
        wait_until(lambda: any(key in told(name) for key in azure.keys(account.there).values()),
                   f"{name}: the connection string has a live key")
    assert not site.log.lines(event="drift.detected")


def test_the_json_form_has_the_connection_string(site, azure):
    account = add(site, "storage")
    site.config["targets"]["file"]["format"] = "json"
    site.policy(rotate_every="30d", check_every="1h")
    site.start()
    site.log.wait("key.delivered", account=account.here)
    form = json.loads(site.held(account.file))
    assert f"AccountName={account.there};AccountKey={azure.keys(account.there)['Primary']};" in form["connection_string"]


@pytest.mark.parametrize("pair", ["read_write", "read_only"])
def test_ids_of_keys_are_delivered_with_them(site, azure, pair):
    """Each key of App Configuration has an id, and may get another when it is regenerated."""
    azure.settings(key_ids_change=1)
    account = add(site, "app_configuration")
    if pair == "read_only":
        site.config["accounts"][0]["pair"] = pair
        account = account._replace(here=f"{account.here}-read-only", file=f"{account.file}-read-only")
    site.config["targets"]["file"]["format"] = "json"
    site.policy(rotate_every="30d", check_every="1h")
    site.start()
    site.log.wait("key.delivered", account=account.here)
    before = json.loads(site.held(account.file))
    wait_until(lambda: site.ctl("rotate", account.here).returncode == 0, "a rotation is accepted")
    site.wait_rotations(account.here, 1)
    form = json.loads(site.held(account.file))
    assert form["key"] == azure.pair(account.there, pair)["Secondary"]
    assert form["key_id"] != before["key_id"]
    assert form["connection_string"] == \
        f"Endpoint=https://{form['account_endpoint']};Id={form['key_id']};Secret={form['key']}"
    port = int(form["account_endpoint"].rpartition(":")[2])
    for opened, key_id in ((200, form["key_id"]), (401, before["key_id"])):
        request = data_plane_probes.app_configuration(account.there, form["key"], port, key_id)
        assert data_plane_probes.knock(azure, request)[0] == opened


def test_keys_that_are_off(site, azure):
    """Not all types have such a switch."""
    accounts = add_all(site, [one.word for one in TYPES if one.word in ROTATED and one.off]).values()
    for account in accounts:
        azure.change(account.there, keys_off=True)
    site.policy(check_every="1s")
    site.start()
    for account in accounts:
        wait_until(lambda: site.status(account.here)["reason"] == "shared_key_disabled",
                   f"{account.here} is blocked")
    for account in accounts:
        azure.change(account.there, keys_off=False)
    for account in accounts:
        site.log.wait("rotation.completed", account=account.here)
    assert not site.log.lines(event="consumers.at_risk")


def test_what_is_understood_is_said(site, build):
    """--check says of each type what it means, once, however many accounts it has."""
    for name in ROTATED:
        add(site, name)
    site.account("another", create=False)
    site.write()

    def check(*arguments):
        return subprocess.run([build / "keyrotated", "--check", "-c", site.config_file, *arguments],
                              capture_output=True, text=True, timeout=30, check=True).stdout

    checked = check()
    for name in ROTATED:
        full = next(one.name + one.inside for one in TYPES if one.word == name)
        assert re.search(rf"  type +{name} \((.*)\)\n", checked)[1].lower() == full.lower()
    assert checked.count("no request is known that proves a key of this type") == \
        2 * sum(not verified for verified in ROTATED.values()), "of the account, and of the type"
    words = dict(re.findall(r"^type (\w+)(?:, pair (?:key|read_write))?\n((?:  .*\n)*)", checked, re.M))
    assert set(words) == set(ROTATED) and checked.count("\ntype ") == len(ROTATED)
    for name, said in words.items():
        assert all(len(line) <= 100 for line in said.splitlines()), said
        assert all(line[16] == " " for line in said.splitlines() if line[17:] and line[2] != " "), said
        assert re.search(r"^  a key may +\w", said, re.M), name
        assert ("verify is      not possible" in said) == (not ROTATED[name]), name
        assert len(re.findall(r"^    Microsoft\.\S+$", said, re.M)) >= 2, name
    assert "every shared access signature that was made with the key" in words["storage"]
    assert re.findall(r"^type (\w+)$", check("another"), re.M) == ["batch"]

    told = json.loads(check("--json"))
    assert {one["name"] for one in told["types"]} == set(ROTATED)
    storage = next(one for one in told["types"] if one["name"] == "storage")
    assert storage["type"] == "Microsoft.Storage/storageAccounts" and len(storage["actions"]) == 3
    assert storage["verified_by"] and storage["dies"] and storage["grants"]
    assert {one["type"] for one in told["accounts"]} == set(ROTATED)
    assert [one["name"] for one in json.loads(check("--json", "another"))["types"]] == ["batch"]
