"""Keys in Azure Key Vault: what is written, when, and every way in which a vault can say no."""

import time

import pytest

from patience import wait_until
from stand_in import CLIENT_OBJECT, resource_id
from vault import AUDIENCE, Vault, deliver_to_vaults, requests

SECRETS = "Microsoft.KeyVault/vaults/secrets"


@pytest.fixture
def quiet(site):
    """An installation that delivers to vaults and rotates when it is told to."""
    deliver_to_vaults(site)
    site.policy(rotate_every="30d", overlap="500ms", check_every="400ms")
    return site


def rotate(site, name):
    """One rotation, as soon as the overlap permits it."""
    done = len(site.completed(name))
    wait_until(lambda: site.ctl("rotate", name, "--wait").returncode == 0, f"{name} is rotated")
    assert len(site.completed(name)) == done + 1


def delivered(site, name):
    return site.log.wait("key.delivered", account=name)


def versions(azure, vault):
    """Every value that was set, oldest first."""
    return [event["value"] for event in azure.truth.events("secret_set", vault=vault)]


def counts(azure, vault, op):
    return len(requests(azure, vault, op))


def test_what_a_rotation_writes(quiet, azure):
    """One version for each key, with the tags of the two-credential convention and a date; what
    others wrote beside it stays. The token never goes out unasked, nor a body without it."""
    vault = Vault(azure, "alpha")
    quiet.account("alpha")
    first = azure.keys("alpha")["Primary"]
    vault.put("alpha-key", first, tags={"team": "batch"}, contentType="text/plain")
    quiet.config["targets"]["vault"]["expires"] = "3d"
    mark = len(requests(azure, "alpha"))
    quiet.start()
    delivered(quiet, "alpha")
    assert vault.secret("alpha-key")["tags"]["CredentialId"] == "Primary"
    assert versions(azure, "alpha") == [first], "no version was made for a key that was there"

    rotate(quiet, "alpha")
    second = azure.keys("alpha")["Secondary"]
    secret = vault.secret("alpha-key")
    assert versions(azure, "alpha") == [first, second] and secret["value"] == second
    assert secret["tags"] == {"team": "batch", "CredentialId": "Secondary",
                              "ProviderAddress": resource_id("alpha"), "ValidityPeriodDays": "3",
                              "Cycle": "1"}
    assert secret["contentType"] == "text/plain"
    assert abs(secret["attributes"]["exp"] - time.time() - 3 * 86400) < 120

    looked = counts(azure, "alpha", "getSecret")
    assert quiet.ctl("redeliver", "alpha").returncode == 0
    wait_until(lambda: counts(azure, "alpha", "getSecret") > looked + 3, "it was looked at")
    assert versions(azure, "alpha") == [first, second] and counts(azure, "alpha",
                                                                  "updateSecret") == 1
    asked = requests(azure, "alpha")[mark:]
    ours = [one for one in asked if one.get("client_request_id")]
    assert [one["op"] for one in ours].count("challenge") == 1 and ours[0]["op"] == "challenge"
    assert not ours[0]["bearer"] and ours[0]["body_bytes"] == 0
    assert all(one["bearer"] for one in ours[1:])


def test_the_date_is_pushed_out_in_place(quiet, azure):
    """While the key stays in use its secret does not expire, and no version is made for that."""
    vault = Vault(azure, "alpha")
    quiet.account("alpha")
    quiet.config["targets"]["vault"].update(expires="10d", content_type="application/x-key")
    quiet.start()
    delivered(quiet, "alpha")
    vault.change("alpha-key", exp=int(time.time()) + 4 * 86400)

    def days_left():
        return (vault.secret("alpha-key")["attributes"]["exp"] - time.time()) / 86400
    wait_until(lambda: days_left() > 9.9, "the date is pushed out")
    vault.change("alpha-key", exp=int(time.time()) + 20 * 86400)
    looked = counts(azure, "alpha", "getSecret")
    wait_until(lambda: counts(azure, "alpha", "getSecret") > looked + 4, "it is looked at again")
    assert days_left() > 19, "a later date is somebody's choice"
    assert len(versions(azure, "alpha")) == 1
    assert vault.secret("alpha-key")["contentType"] == "application/x-key"


def test_a_date_that_cannot_be_pushed_out_is_told(quiet, azure):
    vault = Vault(azure, "alpha")
    quiet.account("alpha")
    quiet.config["targets"]["vault"]["expires"] = "10d"
    quiet.start()
    delivered(quiet, "alpha")
    vault.change("alpha-key", exp=int(time.time()) + 4 * 86400)
    azure.deny(f"{SECRETS}/update/action", "/alpha")
    vault.put("alpha-key", azure.keys("alpha")["Primary"],
              tags={"ProviderAddress": resource_id("alpha")},
              attributes={"exp": int(time.time()) + 4 * 86400})
    line = quiet.log.wait("drift.detected", account="alpha")
    assert "its date of expiry is near and cannot be pushed out" in line["msg"]
    assert "ForbiddenByRbac" in line["msg"]
    assert "Key Vault Secrets Officer" in line["remedy"]
    assert quiet.status("alpha")["targets"][0]["satisfied"]


def test_drift_is_seen_by_the_current_version(quiet, azure):
    """A version of somebody else's, and a deleted secret, are repaired; a dead key is at risk."""
    vault = Vault(azure, "alpha")
    quiet.account("alpha")
    quiet.start()
    delivered(quiet, "alpha")
    key = azure.keys("alpha")["Primary"]
    vault.put("alpha-key", "no key at all")
    quiet.log.wait("drift.repaired", account="alpha")
    wait_until(lambda: vault.secret("alpha-key")["value"] == key, "the key is there again")
    mark = quiet.log.mark()
    vault.delete("alpha-key")
    failed = quiet.log.wait("delivery.failed", since=mark, account="alpha")
    assert failed["error_code"] == "ObjectIsDeletedButRecoverable"
    assert "az keyvault secret recover --vault-name alpha --name alpha-key" in failed["remedy"]
    assert "recover_deleted: true" in failed["remedy"]

    quiet.config["targets"]["vault"]["recover_deleted"] = True
    quiet.write()
    quiet.daemons[-1].reload()
    wait_until(lambda: vault.secret("alpha-key"), "the secret is recovered")
    wait_until(lambda: vault.secret("alpha-key")["value"] == key, "it holds the key")
    assert azure.truth.events("secret_recovered", vault="alpha")


@pytest.mark.parametrize("wrong, said", [
    (lambda vault: vault.delete("alpha-key"), "is deleted but recoverable"),
    (lambda vault: vault.change("alpha-key", enabled=False), "403 SecretDisabled")])
def test_a_secret_that_takes_no_key_stops_a_rotation_before_it_begins(quiet, azure, wrong, said):
    vault = Vault(azure, "alpha")
    quiet.account("alpha")
    quiet.policy(check_every="1h")
    quiet.start()
    delivered(quiet, "alpha")
    wrong(vault)
    wait_until(lambda: quiet.ctl("rotate", "alpha").returncode == 0, "the overlap is over")
    refused = quiet.log.wait("rotation.retrying", account="alpha")
    assert said in refused["msg"]
    assert not azure.truth.regenerated("alpha")


def test_a_lost_answer_makes_no_second_version(quiet, azure):
    quiet.account("alpha")
    azure.fault("lost_after", face="keyvault", op="setSecret", account="alpha", count=1)
    quiet.start()
    failed = quiet.log.wait("delivery.failed", account="alpha")
    assert "the answer was lost" in failed["msg"]
    delivered(quiet, "alpha")
    assert len(versions(azure, "alpha")) == 1
    azure.fault("wrong_json", face="keyvault", op="setSecret", account="alpha", count=1)
    rotate(quiet, "alpha")
    assert len(versions(azure, "alpha")) == 2


def test_the_token_is_renewed_once(quiet, azure):
    """A token that the vault does not take any more is replaced, without a failure."""
    quiet.account("alpha")
    quiet.start()
    delivered(quiet, "alpha")
    azure.ask("DELETE", "tokens")
    rotate(quiet, "alpha")
    assert not quiet.log.lines(event="delivery.failed")


# The vault, what is wrong with it, and what must be said about it.
def say(status, code, message="No.", inner=None, op="getSecret"):
    return {"kind": "status", "op": op, "status": status, "code": code, "message": message,
            "param": inner}


OBJECT = f"Caller: appid=x;oid={CLIENT_OBJECT};iss=y"
WAYS = {
    "rbac": (say(403, "Forbidden", OBJECT, "ForbiddenByRbac"), "target_denied",
             "403 ForbiddenByRbac",
             f'az role assignment create --assignee {CLIENT_OBJECT} --role "Key Vault Secrets '
             'Officer" --scope "$(az keyvault show --name rbac --query id --output tsv)"'),
    "policy": (say(403, "Forbidden", OBJECT, "AccessDenied"), "target_denied", "403 AccessDenied",
               f"az keyvault set-policy --name policy --object-id {CLIENT_OBJECT} "
               "--secret-permissions get set recover"),
    "rbacset": (say(403, "Forbidden", "x", "ForbiddenByRbac", "setSecret"), "target_denied",
                "setting the secret with 403", "Secrets Officer"),
    "firewall": (say(403, "Forbidden", "Client address: 192.0.2.1", "ForbiddenByFirewall"),
                 "target_denied", "Client address: 192.0.2.1",
                 "az keyvault network-rule add --name firewall --ip-address"),
    "private": (say(403, "Forbidden", "x", "ForbiddenByConnection"), "target_denied",
                "ForbiddenByConnection", "private endpoint"),
    "azpolicy": (say(403, "Forbidden", "x", "ForbiddenByPolicy", "setSecret"), "target_denied",
                 "ForbiddenByPolicy", "Azure Policy"),
    "disabled": (say(403, "Forbidden", "Operation get is not allowed on a disabled secret.",
                     "SecretDisabled"), "target_denied", "SecretDisabled",
                 "az keyvault secret set-attributes --vault-name disabled --name disabled-key "
                 "--enabled true"),
    "deleted": (say(409, "Conflict", "x", "ObjectIsDeletedButRecoverable", "setSecret"),
                "target_failed", "409 ObjectIsDeletedButRecoverable", "recover_deleted: true"),
    "deleting": (say(409, "Conflict", "x", "ObjectIsBeingDeleted", "setSecret"), "target_failed",
                 "409 ObjectIsBeingDeleted", "by itself"),
    "recovering": (say(409, "Conflict", "x", "ObjectIsBeingRecovered", "setSecret"),
                   "target_failed", "409 ObjectIsBeingRecovered", "by itself"),
    "badname": (say(400, "BadParameter", "The name is invalid.", op="setSecret"), "target_failed",
                "400 BadParameter: The name is invalid.", "secret_name"),
    "tenant": (say(401, "Unauthorized", "AKV10032: Invalid issuer."), "target_denied",
               "401 Unauthorized: AKV10032", "identity of the vault's tenant"),
    "busy": ({"kind": "throttle", "op": "setSecret"}, "throttled", "429 TooManyRequests",
             "at the pace that it permits"),
    "broken": (say(500, "InternalServerError", "x"), "target_failed", "500 InternalServerError",
               "Azure's status page"),
    "gateway": ({"kind": "page", "op": "getSecret", "status": 502, "param": "Bad Gateway"},
                "target_failed", "502, without an error message of Azure's", "proxy, firewall"),
    "elsewhere": ({"kind": "redirect", "op": "getSecret"}, "target_failed",
                  "which is not followed", "proxy, firewall"),
    "elsewhereput": ({"kind": "redirect", "op": "setSecret"}, "target_failed",
                     "which is not followed", "proxy, firewall"),
    "garbage": ({"kind": "garbage", "effect": False, "op": "setSecret"}, "target_failed", "something unusable",
                "proxy, firewall"),
    "shape": ({"kind": "wrong_json", "effect": False, "op": "setSecret"}, "target_failed", "it has no `value`",
              "proxy, firewall"),
    "empty": ({"kind": "wrong_json", "effect": False, "op": "setSecret", "param": ""}, "target_failed",
              "something unusable", "proxy, firewall"),
    "other": ({"kind": "wrong_json", "effect": False, "op": "setSecret",
               "param": '{"value": "x", "id": "https://v/secrets/n/1"}'},
              "target_failed", "not what was sent", "proxy, firewall"),
    "huge": ({"kind": "oversized", "effect": False, "op": "setSecret"}, "target_failed", "longer than",
             "delivery goes on by itself"),
    "lost": ({"kind": "lost_before", "op": "setSecret"}, "target_failed", "the answer was lost",
             "delivery goes on by itself"),
    "cut": ({"kind": "truncate", "op": "getSecret", "effect": True, "count": 100000},
            "target_failed", "the answer was lost", "delivery goes on by itself"),
    "reset": ({"kind": "reset", "op": "getSecret"}, "target_failed", "the answer was lost",
              "delivery goes on by itself"),
    "nochallenge": ({"kind": "wrong_json", "op": "challenge"}, "target_failed",
                    "it is no Key Vault", "proxy, firewall"),
    "hotel": ({"kind": "page", "op": "challenge", "status": 511, "param": "Log in"},
              "target_failed", "511, without an error message of Azure's", "proxy, firewall"),
}


def test_twenty_ways_of_being_wrong(site, azure):
    """Each is told with its cause and its remedy, and none holds up the account that is well."""
    deliver_to_vaults(site)
    for name, (fault, *_) in WAYS.items():
        azure.fault(fault["kind"], face="keyvault", account=name,
                    **{key: value for key, value in fault.items() if key != "kind"})
        site.account(name)
    site.account("well")
    site.start()
    for name, (_, reason, text, remedy) in WAYS.items():
        told = {}

        def is_told():
            told.update(site.status(name))
            return told["failure"] and told["reason"] == reason and \
                text in told["failure"]["text"] and remedy in told["do"]
        try:
            wait_until(is_told, f"{name} says {text}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}: {told}") from None
    site.wait_rotations("well", 2)
    assert not site.log.lines(event="delivery.failed", account="well")


def test_vaults_that_cannot_be_reached(site, azure):
    """Names, certificates, connections: told apart."""
    site.config["cloud"]["key_vault_audience"] = AUDIENCE
    vaults = {
        "stranger": (f"https://a.b.vault.localhost:{azure.port}", "certificate"),
        "silent": ("https://silent.vault.localhost:1", "cannot connect"),
    }
    site.config["targets"] = {
        name: {"type": "key_vault", "vault": vault, "secret_name": "{account}"}
        for name, (vault, _) in vaults.items()}
    site.config["defaults"].pop("deliver_to")
    for name in vaults:
        site.account(name, deliver_to=[name])
    site.start()
    for name, (_, text) in vaults.items():
        line = site.log.wait("delivery.failed", account=name)
        assert line["reason"] == "target_failed" and text in line["msg"], line
        assert "privatelink.vaultcore.azure.net" in line["remedy"]
        assert not requests(azure, name)


def test_a_challenge_of_another_host_is_refused(site, azure):
    """No token is asked for, let alone sent."""
    resources = ["https://ault.localhost", "https://elsewhere.localhost", "https://localhost",
                 "https://vault.localhost/path", "http://vault.localhost"]
    names = {f"forged{number}": resource for number, resource in enumerate(resources)}
    deliver_to_vaults(site)
    for name, resource in names.items():
        site.account(name)
        azure.fault("delay", face="keyvault", op="challenge", account=name, delay_ms=0, headers={
            "WWW-Authenticate": f'Bearer authorization="{azure.url}/x", resource="{resource}"'})
    site.start()
    for name, resource in names.items():
        told = wait_until(lambda: (lambda one: one["reason"] == "target_denied" and one["do"] and one)(
            site.status(name)), f"{name} is refused")
        assert "gets no token" in told["failure"]["text"] and resource in told["failure"]["text"]
        assert "cloud.key_vault_audience" in told["do"]
        asked = requests(azure, name)
        assert {one["op"] for one in asked} == {"challenge"}
        assert not any(one["bearer"] or one["body_bytes"] for one in asked)
    assert not azure.truth.requests("token", face="entra")[1:], "one token, for Resource Manager"


def test_one_throttled_vault_waits_as_a_whole(site, azure):
    """Those who come later wait for their turn instead of being refused, and other vaults go on."""
    deliver_to_vaults(site)
    shared = f"https://shared.vault.localhost:{azure.port}"
    site.config["targets"]["shared"] = {"type": "key_vault", "vault": shared,
                                        "secret_name": "{account}"}
    for name in ("one", "two", "three"):
        site.account(name, deliver_to=["shared"])
    site.account("well")
    azure.fault("throttle", face="keyvault", account="shared", op="challenge", delay_ms=15000,
                count=1)
    site.start()
    delivered(site, "well")
    for name in ("one", "two", "three"):
        delivered(site, name)
    asked = requests(azure, "shared")
    refused = [one["t"] for one in asked if one["status"] == 429]
    later = [one["t"] for one in asked if one["t"] > refused[0] + 10]  # not what was under way
    assert len(refused) == 1 and min(later) >= refused[0] + 14.9


def test_a_vault_that_hangs_holds_up_nobody(site, azure):
    deliver_to_vaults(site)
    site.account("stuck")
    site.account("well")
    azure.fault("hang", face="keyvault", account="stuck", delay_ms=6000)
    site.start()
    site.wait_rotations("well", 2)
    assert not site.log.lines(event="delivery.failed", account="well")
    assert site.status("stuck")["state"] == "adopting", "its vault has not answered yet"
