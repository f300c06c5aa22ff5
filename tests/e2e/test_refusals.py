"""Azure says no: each refusal with its code, request id and remedy in the log, and no other account
disturbed."""

import json
import subprocess

import pytest

from patience import stays_true, wait_until
from stand_in import CLIENT, REGENERATE_ACTION, RESOURCE_GROUP, resource_id
from truth import alternates


@pytest.fixture
def pair(site, azure):
    """alpha will be refused something; bravo is to go on as if nothing had happened."""
    site.account("alpha")
    site.account("bravo")
    return site


def undisturbed(site, azure, rotations=2):
    mark = site.log.mark()
    site.wait_rotations("bravo", rotations, since=mark)
    assert alternates(azure.truth.regenerated("bravo"))
    assert not site.log.lines(event="rotation.retrying", account="bravo")
    assert not site.log.lines(event="account.blocked", account="bravo")


def identified(line):
    return line["request_id"] and line["client_request_id"] and line["correlation_id"]


def test_403_permission_denied(pair, azure):
    """The message names action, scope and principal; the daemon retries for ever."""
    azure.deny(REGENERATE_ACTION, resource_id("alpha"))
    pair.start()
    refused = pair.log.wait("rotation.retrying", account="alpha")
    assert refused["reason"] == "permission_denied"
    assert refused["http_status"] == 403 and refused["error_code"] == "AuthorizationFailed"
    assert identified(refused) and refused["retry_at"]
    assert CLIENT in refused["remedy"] and "/batchAccounts/alpha" in refused["remedy"]
    assert "regeneratekeys/action" in refused["remedy"].lower()
    undisturbed(pair, azure)
    assert not azure.truth.regenerated("alpha")
    azure.allow_all()
    pair.wait_rotations("alpha", 1)
    assert alternates(azure.truth.regenerated("alpha"))


def test_404_account_not_found(pair, azure):
    """Blocked; cleared by itself when the account is there again, even with other keys."""
    pair.start()
    pair.wait_adopted("alpha")
    azure.delete("alpha")
    blocked = pair.log.wait("account.blocked", account="alpha")
    assert blocked["reason"] == "account_not_found"
    assert blocked["http_status"] == 404 and blocked["error_code"] == "ResourceNotFound"
    assert identified(blocked) and blocked["remedy"]
    undisturbed(pair, azure)
    azure.create("alpha")
    pair.log.wait("account.unblocked", account="alpha")


def test_404_for_another_cause(site, azure):
    """What blocks it changes, and with it the remedy: that is said once, each time."""
    site.config["timing"]["retry_max"] = "300ms"
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    for code, account in (("ResourceGroupNotFound", None), ("SubscriptionNotFound", None),
                          ("ResourceGroupNotFound", None)):
        mark = site.log.mark()
        azure.clear_faults()
        azure.fault("status", op="listKeys", account=account, status=404, code=code, message="Gone.")
        line = site.log.wait("account.blocked", since=mark, account="alpha")
        assert line["error_code"] == code and line["reason"] == "account_not_found", line
        assert line["since"] and line["remedy"]
        asked = len(azure.truth.requests("listKeys"))
        wait_until(lambda: len(azure.truth.requests("listKeys")) > asked + 3, "it is tried again")
        assert len(site.log.lines(event="account.blocked", since=mark)) == 1


@pytest.mark.parametrize("op", ["listKeys", "regenerateKeys"])
def test_409_conflict(pair, azure, op):
    azure.fault("status", op=op, account="alpha", status=409, code="ScopeLocked",
                message="The scope cannot perform a write operation because of a lock.")
    pair.start()
    refused = pair.log.wait("rotation.retrying", account="alpha")
    assert refused["reason"] == "permission_denied" and "lock" in refused["remedy"]
    assert refused["http_status"] == 409 and refused["error_code"] == "ScopeLocked"
    assert identified(refused)
    undisturbed(pair, azure, rotations=1)
    assert not azure.truth.regenerated("alpha")
    azure.clear_faults()
    pair.wait_rotations("alpha", 1)


def test_429_throttled(site, azure):
    """The pause is kept in each form in which Azure asks for it, and only by the account that it is
    for, even within a subscription."""
    headers = {"seconds": 1.9, "date": 0.9, "retry-after-ms": 1.9, "x-ms-retry-after-ms": 1.9,
               "none": 0.1}
    names = {header: header.replace("-", "") for header in headers}
    site.account("bravo")
    for header, name in names.items():
        site.account(name)
        azure.fault("throttle", op="regenerateKeys", account=name, param=header, delay_ms=2000,
                    count=1)
    site.start()
    site.wait_rotations("bravo", 2)
    assert not site.log.lines(event="rotation.retrying", account="bravo")
    refused = site.log.wait("rotation.retrying")  # one line for all that fail together
    assert refused["reason"] == "throttled" and refused["remedy"]
    assert refused["http_status"] == 429 and refused["error_code"] == "TooManyRequests"
    assert "names" in refused or identified(refused)
    for header, wait in headers.items():
        name = names[header]
        site.wait_rotations(name, 1)
        first, second = azure.truth.requests("regenerateKeys", account=name)[:2]
        assert second["t"] - first["t"] >= wait, header
        assert azure.truth.regenerated(name)[0] == "Secondary"
    assert not site.log.lines(event="request.throttled"), "the subscription was not meant"


def test_server_errors_are_retried(site, azure):
    names = {status: f"answers{status}" for status in (408, 500, 502, 503, 504)}
    for status, name in names.items():
        site.account(name)
        azure.fault("status", op="get", account=name, status=status, code="InternalServerError",
                    message="Something went wrong.", count=3)
    site.start()
    for status, name in names.items():
        refused = site.log.wait("rotation.retrying", account=name)
        assert refused["http_status"] == status and refused["retry_at"] and identified(refused)
        site.wait_rotations(name, 1)


def test_key_refused_by_the_data_plane(pair, azure):
    """ARM says that the key is live, Batch refuses it: blocked, and nothing is delivered; the
    account recovers by itself."""
    azure.fault("status", face="batch", account="alpha", status=403, code="AuthenticationFailed",
                message="Server failed to authenticate the request.")
    pair.start()
    blocked = pair.log.wait("account.blocked", account="alpha", timeout=60)
    assert blocked["reason"] == "key_refused" and blocked["remedy"]
    assert azure.truth.regenerated("alpha") == ["Secondary"]
    stays_true(lambda: pair.holds("alpha") == "Primary", 1, "the refused key is not delivered")
    azure.clear_faults()
    pair.wait_rotations("alpha", 1)
    assert alternates(azure.truth.regenerated("alpha"))


def test_data_plane_unreachable_with_verify_auto_and_required(site, azure):
    """auto: goes on after verify_timeout, key.unverified; required: only with a proof."""
    site.config["timing"]["verify_timeout"] = "1500ms"
    site.config["policies"]["strict"] = {**site.config["policies"]["quick"], "verify": "required"}
    site.account("alpha")
    site.account("bravo", policy="strict")
    azure.fault("reset", face="batch")
    site.start()
    assert site.log.wait("key.unverified", account="alpha")
    site.wait_rotations("alpha", 1)
    assert not site.completed("bravo") and site.holds("bravo") == "Primary"
    azure.clear_faults()
    site.wait_rotations("bravo", 1)


def commands_in(text):
    """The commands of ours that a text tells people to type."""
    return [command for command in text.split("`")[1::2] if command.startswith("keyrotatectl ")]


def run(site, command):
    """As a person would who copies it into a shell."""
    return subprocess.run(["sh", "-c", f"PATH={site.build}:$PATH; {command}"], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)


def test_remedies_work_as_typed(site, azure):
    """Two accounts of one name, a socket of their own: what `do:` says can be typed as it stands."""
    site.config["targets"]["file"]["path"] = f"{site.keys}/{{resource_group}}-{{account}}"
    site.account("alpha", active=None)
    site.config["accounts"].append({
        **site.config["accounts"][0],
        "id": site.config["accounts"][0]["id"].replace("/resourceGroups/", "/resourceGroups/other-")})
    site.start()
    blocked = site.log.wait("account.blocked", account="alpha", reason="active_key_unknown")
    typed = commands_in(blocked["remedy"])
    assert len(typed) == 1 and f"--socket {site.socket} " in typed[0], typed
    assert "{account}" not in site.log.text()
    for one in json.loads(site.ctl("--json", "status", "--all").stdout)["accounts"]:
        for command in commands_in(one["do"]):
            done = run(site, command)
            assert f"{one['resource_group']}/alpha" in command
            assert done.returncode in (0, 1, 2) or "say --yes" in done.stderr, done
    answer = site.ctl("unblock", f"{RESOURCE_GROUP}/alpha")
    assert answer.returncode == 2
    adopt = run(site, commands_in(answer.stderr)[0] + " --yes")
    assert adopt.returncode == 0, adopt
    site.log.wait("account.adopted", account="alpha")


def test_denied_prints_the_small_role(pair, azure):
    azure.deny(REGENERATE_ACTION, resource_id("alpha"))
    pair.start()
    refused = pair.log.wait("rotation.retrying", account="alpha", reason="permission_denied")
    role = refused["remedy"].split("az role definition create --role-definition '", 1)[1]
    made = json.loads(role.split("'", 1)[0])
    assert made["Name"] == "Batch Key Rotator" and len(made["Actions"]) == 3
    assert made["AssignableScopes"] == [f"/subscriptions/{refused['subscription_id']}"]
    assert '--role "Batch Key Rotator" --scope /subscriptions/' in refused["remedy"]
