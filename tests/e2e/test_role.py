"""--print-role: the smallest role for a configuration, and that it is enough and no more."""

import json
import re
import subprocess

import pytest

from daemon import EXIT_CONFIG, EXIT_OK, EXIT_USAGE
from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION
from test_types import ROTATED, add
from two_key_types import TYPES

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
BATCH = ["Microsoft.Batch/batchAccounts/read", "Microsoft.Batch/batchAccounts/listkeys/action",
         "Microsoft.Batch/batchAccounts/regeneratekeys/action"]
APP = ("/subscriptions/00000000-0000-0000-0000-000000000003/resourceGroups/web/providers/"
       "Microsoft.Web/sites/shop")


def ask(site, *arguments):
    site.write()
    return subprocess.run([site.build / "keyrotated", "-c", site.config_file, "--print-role",
                           *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_the_role_of_batch_accounts_is_that_of_the_readme(site):
    site.account("alpha", create=False)
    assert site.role() == {
        "Name": "Batch Key Rotator", "IsCustom": True,
        "Description": "What keyrotated needs to rotate shared keys.", "Actions": BATCH,
        "NotActions": [], "DataActions": [], "NotDataActions": [], "AssignableScopes": [GROUP]}


def test_each_type_has_the_actions_of_its_requests(site):
    for name in ROTATED:
        add(site, name)
    role = site.role()
    actions = {action.lower() for action in role["Actions"]}
    for kind in TYPES:
        wanted = {f"{kind.name}/{re.sub('/(primary|secondary)$', '', suffix)}{'' if kind.whole else '/action'}".lower()
                  for suffix in kind.regenerate}
        assert kind.word not in ROTATED or wanted <= actions, kind.word
    assert role["Name"] == "Shared Key Rotator (ops)"
    assert not any("*" in action for action in actions), "no wildcard"


def test_targets_and_their_identities(site):
    site.account("alpha", create=False)
    site.config["cloud"] = "AzureCloud"
    site.config["identities"]["writer"] = {"type": "managed_identity"}
    site.config["targets"] |= {
        "vault": {"type": "key_vault", "vault": "https://contoso.vault.azure.net",
                  "secret_name": "{account}"},
        "app": {"type": "azure_app_settings", "app": APP, "setting": "KEY", "identity": "writer"}}
    site.config["defaults"] |= {"identity": "ops", "deliver_to": ["file", "vault", "app"]}
    said = ask(site)
    assert said.returncode == EXIT_USAGE and not said.stdout
    assert "choose one with --identity: ops, writer" in said.stderr

    said = ask(site, "--identity", "ops")
    assert said.returncode == EXIT_OK and json.loads(said.stdout)["Actions"] == BATCH
    assert 'the role "Key Vault Secrets Officer" besides, at the vault https://contoso' in said.stderr

    role = site.role("--identity", "writer")
    assert role["Actions"] == ["Microsoft.Web/sites/config/list/action",
                               "Microsoft.Web/sites/config/write"]
    assert role["AssignableScopes"] == [APP.split("/providers/")[0]]


@pytest.mark.parametrize("arguments, status, words", [
    (["--identity", "nobody"], EXIT_USAGE, "no identity is called nobody; "),
    (["gamma"], EXIT_USAGE, "no account is called gamma"),
    (["--accounts"], EXIT_USAGE, "--accounts wants the names"),
    (["--scope", "contoso"], EXIT_USAGE, "begins with '/', not contoso"),
    (["--check"], EXIT_USAGE, "either --check or --print-role"),
    (["--once"], EXIT_USAGE, "--print-role only print: give one of them"),
    (["--log-level", "debug"], EXIT_USAGE, "write no log: leave out"),
    (["--log-format", "json"], EXIT_USAGE, "write no log: leave out"),
    (["--timeout", "5m"], EXIT_USAGE, "--timeout goes with --once"),
    (["--json"], EXIT_USAGE, "--quiet and --json go with --check"),
    (["-c", "/nonexistent.yaml"], EXIT_CONFIG, "/nonexistent.yaml"),
])
def test_what_is_refused(site, arguments, status, words):
    site.account("alpha", create=False)
    said = ask(site, *arguments)
    assert said.returncode == status and words in said.stderr and not said.stdout


@pytest.mark.parametrize("arguments", [["--identity", "ops"], ["--scope", "/"], ["--accounts", "a"]])
def test_options_that_belong_to_it(site, arguments):
    said = subprocess.run([site.build / "keyrotated", *arguments], capture_output=True, text=True,
                          timeout=30, check=False)
    assert said.returncode == EXIT_USAGE and "--help" in said.stderr


def test_nothing_needs_a_role(site):
    """An identity that only writes to a vault, and a configuration without accounts: standard
    error says so, and nothing is piped into az."""
    site.account("alpha", create=False)
    site.config["identities"]["writer"] = {"type": "managed_identity"}
    site.config["defaults"]["identity"] = "ops"
    said = ask(site, "--identity", "writer")
    assert said.returncode == EXIT_OK and not said.stdout
    assert "identity writer needs no action of Resource Manager" in said.stderr

    site.config["accounts"].clear()
    said = ask(site)
    assert said.returncode == EXIT_OK and not said.stdout
    assert "no role to print; add accounts or rules to it" in said.stderr


def test_some_accounts_and_other_scopes(site):
    site.account("alpha", create=False)
    add(site, "storage")
    assert site.role("--accounts", "alpha")["Actions"] == BATCH
    assert site.role("storageacct")["Name"] == "Storage Key Rotator"
    scopes = ["/subscriptions/1", "/subscriptions/2"]
    assert site.role("--scope", scopes[0], "--scope", scopes[1])["AssignableScopes"] == scopes


def test_operations_stand_below_the_subscription(site):
    add(site, "event_grid_topic")
    role = site.role()
    assert "Microsoft.EventGrid/locations/operationsStatus/read" in role["Actions"]
    assert role["AssignableScopes"] == [f"/subscriptions/{SUBSCRIPTION}"]


@pytest.fixture
def slow(site, azure):
    """Regenerates that take half a second, of accounts that rotate when they are told to."""
    site.policy(rotate_every="30d", check_every="1h", overdue_after="1h")
    site.config["timing"] |= {"operation_wait": "5s", "list_wait": "1s"}
    azure.settings(operation_ms=500)
    return site


def polls_of_a_rotation(site, account):
    """Their statuses."""
    site.start()
    site.log.wait("key.delivered", account=account.here)
    wait_until(lambda: site.ctl("rotate", account.here).returncode == 0, "a rotation is accepted")
    site.wait_rotations(account.here, 1)
    assert len(site.azure.truth.requests("regenerateKeys", account=account.asked)) == 1
    return {asked["status"] for asked in site.azure.truth.requests("poll", account=account.asked)}


ASKED = [  # a type, where its operations tell how they go, and the right that this takes
    ("cosmos", "async", "Microsoft.DocumentDB/locations/operationsStatus/read"),
    ("redis_enterprise", "async", "Microsoft.Cache/locations/operationsStatus/read"),
    ("event_grid_topic", "async", "Microsoft.EventGrid/locations/operationsStatus/read"),
    ("event_grid_topic", "location", "Microsoft.EventGrid/locations/operationResults/read"),
    ("signalr", "async", "Microsoft.SignalRService/locations/operationStatuses/signalr/read"),
    ("signalr", "location", "Microsoft.SignalRService/locations/operationresults/signalr/read"),
    ("web_pubsub", "async", "Microsoft.SignalRService/locations/operationStatuses/webpubsub/read")]


@pytest.mark.parametrize("name, header, action", ASKED)
def test_operations_are_asked_about_with_the_role(slow, azure, name, header, action):
    account = add(slow, name)
    azure.settings(operation_headers=header)
    role = slow.role()
    assert action in role["Actions"]
    azure.allow_only(role["Actions"], scope=role["AssignableScopes"][0])
    assert polls_of_a_rotation(slow, account) <= {200, 202}
    assert slow.log.lines(event="operation.ended") and not slow.log.lines(event="operation.lost")


@pytest.mark.parametrize("name, header, action", ASKED[2:4])
def test_a_role_without_the_right_to_ask(slow, azure, name, header, action):
    """The action is named, and the longest time is waited out."""
    account = add(slow, name)
    azure.settings(operation_headers=header)
    azure.allow_only(one for one in slow.role()["Actions"] if one != action)
    assert polls_of_a_rotation(slow, account) == {403}
    denied = slow.log.wait("rotation.retrying", reason="permission_denied")
    assert "Microsoft.EventGrid/locations/operation" in denied["msg"] + denied["remedy"]
    assert not slow.log.lines(event="operation.ended")


@pytest.mark.parametrize("name, header", [("cosmos", "location"), ("ml_online_endpoint", "async")])
@pytest.mark.parametrize("rights", [0, 1])
def test_a_right_that_azure_does_not_document(slow, azure, name, header, rights):
    """No role can have it; either polls take none, or the longest time is waited out."""
    account = add(slow, name)
    azure.settings(operation_headers=header, operation_rights=rights)
    azure.allow_only(slow.role()["Actions"])
    assert polls_of_a_rotation(slow, account) <= ({403} if rights else {200, 202})
    assert bool(slow.log.lines(event="operation.ended")) == (not rights)


def discover(site, by, subscriptions):
    site.config["discover"] = [{"name": "found", "subscriptions": subscriptions, "by": by,
                                "adopt_active": "primary", "every": "1s", "policy": "quick",
                                "deliver_to": ["file"]}]


def test_a_rule_needs_its_subscriptions(site):
    site.account("alpha", create=False)
    discover(site, "resource_manager", [SUBSCRIPTION])
    role = site.role()
    assert role["AssignableScopes"] == [f"/subscriptions/{SUBSCRIPTION}"], "not its group besides"
    assert role["Actions"] == BATCH

    discover(site, "resource_manager", "all")
    said = ask(site)
    assert said.returncode == EXIT_USAGE and "rule found looks in all subscriptions" in said.stderr
    scope = "/providers/Microsoft.Management/managementGroups/contoso"
    role = site.role("--scope", scope)
    assert role["AssignableScopes"] == [scope]
    assert role["Actions"] == [*BATCH, "Microsoft.Resources/subscriptions/read"]
    assert site.role("alpha")["AssignableScopes"] == [GROUP], "rules find no account that is named"


@pytest.mark.parametrize("by", ["resource_manager", "resource_graph"])
def test_a_rule_works_with_its_role(site, azure, by):
    azure.create("alpha")
    discover(site, by, "all")
    site.policy(check_every="1h")
    azure.allow_only(site.role("--scope", f"/subscriptions/{SUBSCRIPTION}")["Actions"])
    site.start()
    found = site.log.wait("discovery.completed", accounts=1)
    assert found["by"] == by
    wait_until(lambda: site.held("alpha") in azure.keys("alpha").values(), "the key is delivered")
    assert not site.log.lines(event="discovery.degraded")


@pytest.mark.parametrize("missing", BATCH)
def test_none_of_its_actions_can_be_spared(site, azure, missing):
    """And the stand-in grants no action that the role lacks."""
    site.account("alpha")
    azure.allow_only(action for action in site.role()["Actions"] if action != missing)
    site.policy(check_every="1s")
    site.start()
    trouble = ("account.blocked", "rotation.retrying")
    wait_until(lambda: any(line.get("reason") == "permission_denied" for event in trouble
                           for line in site.log.lines(event=event)), "it is missed")
