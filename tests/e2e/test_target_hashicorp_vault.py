"""Keys delivered to HashiCorp Vault: KV engines of both versions, logins, and everything that can be
wrong with them, each with its cause and remedy, no secret in any message, no other account held up."""

import json
import socket

import pytest

from certificates import self_signed
from patience import stays_true, wait_until
from vault_server import Vault

ROLE_ID = "6b8a7c1e-role"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    return {"right": self_signed(directory, "right"),
            "stranger": self_signed(directory, "stranger"),
            "elsewhere": self_signed(directory, "elsewhere", "DNS:vault.example.org"),
            "expired": self_signed(directory, "expired", days=-1)}


@pytest.fixture
def serve(certificates, site):
    """Starts servers, and checks at the end that no secret of theirs is in a log."""
    made = []

    def new(certificate="right", **more):
        made.append(Vault(*(certificates[certificate] if certificate else (None, None)), **more))
        return made[-1]

    yield new
    for one in made:
        one.stop()
    known = [secret for one in made for secret in one.secrets()]
    assert not site.find_secrets(site.all_files(), known)


@pytest.fixture
def vault(serve):
    return serve()


def target_for(site, server, certificates=None, **more):
    """A target with a token that may do everything."""
    file = site.directory / f"token-{server.port}-{len(list(site.directory.iterdir()))}"
    file.touch(0o600)
    file.write_text(server.token(more.pop("capabilities", None)) + "\n")
    target = {"type": "hashicorp_vault", "address": server.url, "path": "batch/{account}",
              "auth": {"token_file": str(file)}, **more}
    if certificates:
        target["ca_file"] = str(certificates[0])
    return {name: value for name, value in target.items() if value is not None}


def use(site, server, certificates, **more):
    """One target for all accounts."""
    site.config["targets"] = {"vault": target_for(site, server, certificates["right"], **more)}
    site.config["defaults"]["deliver_to"] = ["vault"]


def live_slot(azure, name, data):
    """Which live key stands in the field `key`."""
    key = (data or {}).get("key")
    return next((slot for slot, live in azure.keys(name).items() if live == key), None)


def wait_delivered(azure, server, name, place=None):
    return wait_until(lambda: live_slot(azure, name, server.data(place or f"secret/batch/{name}")),
                      f"{name}'s key is delivered")


def test_rotations(site, azure, vault, certificates):
    """Every version holds the key of its time; nothing is written twice."""
    use(site, vault, certificates, keys={"key": "{key}", "which": "{slot}", "cycle": "{cycle}",
                                         "url": "https://{endpoint}/"})
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 2)
    site.daemons[0].stop()
    versions = [one["data"] for one in vault.versions("secret/batch/alpha")]
    completed = len(site.completed("alpha"))
    assert completed + 1 <= len(versions) <= completed + 2
    assert len({one["key"] for one in versions}) == len(versions), "a key was written twice"
    assert [one["which"] for one in versions[:3]] == ["primary", "secondary", "primary"]
    assert [int(one["cycle"]) for one in versions[1:3]] == [1, 2]
    assert {one["key"] for one in versions} <= azure.truth.keys()
    assert all(one["url"].startswith("https://") and one["url"].endswith("/") for one in versions)
    # Nothing goes to the server without its header, and the token goes along from the first.
    assert all(headers.get("X-Vault-Token") for _, _, headers in vault.requests)
    assert "delivery.failed" not in site.log.text()


def test_version_1_and_namespace(site, azure, serve, certificates):
    vault = serve(mounts={"team/kv": 1})
    use(site, vault, certificates, namespace="team", mount="kv", engine="kv1",
        keys={"key": "{key}"})
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    assert live_slot(azure, "alpha", vault.data("team/kv/batch/alpha"))
    assert vault.asked(r"GET /v1/kv/batch/alpha") and not vault.asked("/data/")
    assert all(headers["X-Vault-Namespace"] == "team" for _, _, headers in vault.requests)


def approle(site, text, **more):
    file = site.directory / "secret-id"
    file.touch(0o600)
    file.write_text(text + "\n")
    return {"approle": {"role_id": ROLE_ID, "secret_id_file": str(file), **more}}


def test_approle_logs_in_once_for_all(site, azure, vault, certificates):
    """One login serves all accounts; a token that is revoked is replaced without a failure."""
    names = [f"acct{i}" for i in range(6)]
    use(site, vault, certificates, auth=approle(site, vault.secret_id(ROLE_ID)))
    for name in names:
        site.account(name, rotate=False)
    site.start()
    for name in names:
        wait_delivered(azure, vault, name)
    assert vault.logins == 1
    vault.revoke_all()
    mark = len(vault.requests)
    wait_until(lambda: len(vault.requests) > mark + 3 * len(names), "all are looked at again")
    assert vault.logins == 2
    assert "delivery.failed" not in site.log.text() and "target_denied" not in site.log.text()


def test_wrapped_secret_id_is_unwrapped_once(site, azure, vault, certificates):
    """The wrapping token works once, so the secret id is kept for the next login."""
    vault.lease = 1
    wrapping_token = vault.wrap(vault.secret_id(ROLE_ID))
    use(site, vault, certificates, auth=approle(site, wrapping_token, wrapped=True))
    site.account("alpha", rotate=False)
    site.start()
    wait_delivered(azure, vault, "alpha")
    wait_until(lambda: vault.logins >= 2, "the token has run out, and another login follows")
    assert len(vault.asked("unwrap")) == 1
    assert "target_denied" not in site.log.text()


def test_service_account(site, azure, vault, certificates):
    file = site.directory / "pod-token"
    file.touch(0o600)
    file.write_text("eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl\n")
    vault.service_accounts["rotator"] = file.read_text().strip()
    use(site, vault, certificates,
        path="{location}/{account}",
        auth={"kubernetes": {"role": "rotator", "token_file": str(file)}})
    site.account("alpha", rotate=False)
    site.start()
    wait_delivered(azure, vault, "alpha", "secret/westeurope/alpha")


def test_lost_answer_is_recognised(site, azure, vault, certificates):
    """The write was carried out, and its answer lost: it is found, and not repeated."""
    use(site, vault, certificates)
    site.account("alpha", rotate=False)
    vault.fault("^POST /v1/secret/data/batch/alpha", count=1, act="lose")
    site.start()
    failed = site.log.wait("delivery.failed", account="alpha")
    assert "lost" in failed["msg"]
    site.log.wait("account.adopted", account="alpha")
    wait_until(lambda: site.status("alpha")["targets"][0]["satisfied"], "the delivery counts")
    assert len(vault.versions("secret/batch/alpha")) == 1


def test_another_writer_meanwhile(site, azure, vault, certificates):
    """Check-and-set shows the other write; it is looked at, and replaced knowingly."""
    use(site, vault, certificates)
    site.account("alpha", rotate=False)
    vault.fault("^POST /v1/secret/data/batch/alpha", count=1, act="interfere",
                place="secret/batch/alpha", data={"note": "me too"})
    site.start()
    wait_delivered(azure, vault, "alpha")
    assert [set(one["data"]) for one in vault.versions("secret/batch/alpha")] == [
        {"note"}, {"key", "slot", "cycle"}]
    asked = [method for method, _, _ in vault.asked("/v1/secret/data/batch/alpha")]
    assert "".join(one[0] for one in asked).rstrip("G").endswith("GPGP"), asked
    assert "delivery.failed" not in site.log.text()


def test_overwritten_at_once(site, azure, serve, certificates):
    """Version 1 takes every write, so that what stands there afterwards counts."""
    vault = serve()
    use(site, vault, certificates, mount="old", engine="kv1")
    site.account("alpha", rotate=False)
    vault.fault("^POST /v1/old/batch/alpha", count=1, act="overwrite", place="old/batch/alpha",
                data={"note": "me too"})
    site.start()
    failed = site.log.wait("delivery.failed", account="alpha")
    assert "old/batch/alpha was overwritten by somebody else right after the write" in failed["msg"]
    assert "find out who else writes it" in failed["remedy"]
    wait_delivered(azure, vault, "alpha", "old/batch/alpha")


def test_deleted_version_is_replaced(site, azure, vault, certificates):
    """A soft-deleted version has a number that the next write has to name."""
    use(site, vault, certificates)
    site.account("alpha", rotate=False)
    site.start()
    wait_delivered(azure, vault, "alpha")
    for number, member in enumerate(("deletes", "destroyed"), 2):
        with vault.lock:
            vault.objects["secret/batch/alpha"][-1][member] = 1
        site.ctl("check", "alpha")
        wait_delivered(azure, vault, "alpha")
        assert len(vault.versions("secret/batch/alpha")) == number


def test_versions_that_delete_themselves(site, azure, vault, certificates):
    """Reported with the command that helps; a delivery then writes a version that stays."""
    vault.delete_after["secret"] = 900
    site.policy(rotate_every="30d", overlap="1m")
    use(site, vault, certificates)
    site.account("alpha")
    site.start()
    wait_delivered(azure, vault, "alpha")
    warned = site.log.wait("drift.detected", reason="target_form_changed")
    assert "its version 1 deletes itself at 20" in warned["msg"]
    assert ("`vault kv metadata put -mount=secret -delete-version-after=0s batch/alpha`"
            in warned["remedy"] and " redeliver alpha`" in warned["remedy"])
    vault.delete_after.clear()
    assert site.ctl("redeliver", "alpha").returncode == 0
    wait_until(lambda: len(vault.versions("secret/batch/alpha")) == 2, "it is written again")
    mark = site.log.mark()
    site.ctl("check", "alpha")
    stays_true(lambda: not site.log.lines(mark, event="drift.detected"), 0.5, "nothing is wrong")


# --- being wrong ---

READ, WRITE = "^GET /v1/secret/data/batch/{}$", "^POST /v1/secret/data/batch/{}$"
HTML = {"Content-Type": "text/html"}

# Account: the request, what becomes of it, the cause and the remedy that are told.
WRONG = {
    "sealed": (READ, {"status": 503, "body": {"errors": ["Vault is sealed"]}},
               "with 503: Vault is sealed", "`vault operator unseal -address=https://127.0.0.1:"),
    "empty503": (READ, {"status": 503, "body": ""}, "with 503", "`vault status -address="),
    "standby": (READ, {"status": 307, "body": "",
                       "headers": {"Location": "https://10.0.0.1:8200/v1/secret/data/x?a=b"}},
                "redirects the request to https://10.0.0.1:8200/v1/secret/data/x, which is not followed",
                "set `address` to the active node"),
    "noleader": (READ, {"status": 500, "body": {"errors": [
        "local node not active but active cluster node not found"]}},
                 "active cluster node not found", "set `address` to the active node"),
    "uninitialized": (READ, {"status": 503, "body": {"errors": ["Vault is not initialized"]}},
                      "not initialized", "`vault operator init"),
    "quota": (READ, {"status": 429, "body": {"errors": [
        'request path "secret/data/batch/quota": rate limit quota exceeded']}},
              "rate limit quota exceeded", "sys/quotas/rate-limit"),
    "behind": (READ, {"status": 412, "body": {"errors": ["required index state not present"]}},
               "required index state not present", "catches up"),
    "internal": (WRITE, {"status": 500, "body": {"errors": ["1 error occurred:\n\t* disk\n\n"]}},
                 "answered the write of secret/batch/internal with 500: 1 error occurred: * disk",
                 "server's own log"),
    "upgrading": (WRITE, {"status": 400, "body": {"errors": [
        "Upgrading from non-versioned to versioned data. This backend will be unavailable"]}},
                  "Upgrading from non-versioned", "ends by itself"),
    "conflict": (WRITE, {"status": 400, "body": {"errors": [
        "check-and-set parameter did not match the current version"]}},
                 "check-and-set parameter did not match", "who else writes secret/batch/conflict"),
    "large": (WRITE, {"status": 413, "body": {"errors": ["http: request body too large"]}},
              "request body too large", "shorten the fields"),
    "unversioned": (WRITE, {"status": 204, "body": ""},
                    "as an engine of version 1 does", "`vault delete secret/data/batch/unversioned`"),
    "plain": (READ, {"status": 200, "body": {"data": {"key": "x"}}},
              "as an engine of version 1 does", "set `engine: kv1`"),
    "page": (READ, {"status": 200, "body": "<html><title>Welcome</title>", "headers": HTML},
             'it is a web page, "Welcome"', "check `address`"),
    "garbage": (READ, {"status": 200, "body": b"\xff\xfe{]"}, "with 200", "check `address`"),
    "empty": (READ, {"status": 200, "body": ""}, "with 200", "check `address`"),
    "emptywrite": (WRITE, {"status": 200, "body": {}}, "answered the write of secret/batch/emptywrite "
                   "with 200", "check `address`"),
    "odd": (READ, {"status": 418, "body": {"errors": ["short and stout"]}},
            "with 418: short and stout", "`vault kv get -mount=secret batch/odd`"),
    "huge": (READ, {"status": 200, "body": '{"data": "' + "x" * 1100000 + '"}'},
             "is longer than 1048576 bytes", "see the server's own log"),
    "cut": (READ, {"act": "cut"}, "before the whole answer had arrived", "server's own log"),
    "silent": (READ, {"act": "lose"}, "was lost: ", "server's own log"),
    "denied": (READ, {"status": 403, "body": {"errors": ["1 error occurred:\n\t* permission denied"]}},
               "with 403: 1 error occurred: * permission denied",
               'path "secret/data/batch/denied" { capabilities = ["create", "read", "update"] }'),
}


def watch(site, told):
    """Adds what `status` tells now: {account: {(cause, remedy)}}."""
    for account in json.loads(site.ctl("--json", "status", "--all").stdout)["accounts"]:
        if account["failure"]:
            pair = (account["failure"]["text"], account["do"] or "")
            told.setdefault(account["name"], set()).add(pair)
    return told


def wait_told(site, wrong):
    """Until each account was told its cause and remedy: {account: (cause, remedy)}."""
    told = {}

    def missing():
        watch(site, told)
        return {name: told.get(name) for name, (cause, remedy) in wrong.items()
                if not any(cause in text and remedy in do for text, do in told.get(name, ()))}

    try:
        wait_until(lambda: not missing(), "all are told")
    except AssertionError:
        assert missing() == {}


def test_twenty_ways_of_being_wrong(site, azure, vault, certificates):
    """Each with cause and remedy, and bravo rotates all the while."""
    use(site, vault, certificates)
    site.account("bravo")
    for name, (pattern, what, _, _) in WRONG.items():
        site.account(name)
        vault.fault(pattern.format(name), **what)
    site.start()
    wait_told(site, {name: told for name, (_, _, *told) in WRONG.items()})
    mark = site.log.mark()
    site.wait_rotations("bravo", 2, since=mark)
    assert not any(azure.truth.regenerated(name) for name in WRONG)
    assert site.status("bravo")["failure"] is None
    vault.clear_faults()
    for name in WRONG:
        site.log.wait("account.adopted", account=name)
        wait_delivered(azure, vault, name)


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def text_file(site, name, text):
    file = site.directory / name
    file.touch(0o600)
    file.write_text(text)
    return str(file)


def test_wrong_connections_and_tokens(site, azure, serve, vault, certificates):
    """Trust, names, tokens, logins: each account has a target of its own."""
    right = certificates["right"]
    strict = {"sys/capabilities-self": ["update"], "secret/data/batch/noupdate": ["read", "create"],
              "secret/data/batch/nocreate": ["read", "update"]}
    secret_id = text_file(site, "wrong-secret-id", "0f0f0f0f\n")

    def login(**how):
        return target_for(site, vault, right, auth=how)

    targets = {
        "unknownca": (target_for(site, serve("stranger"), right),
                      "is not accepted", "check `address` and `ca_file` of the target"),
        "wronghost": (target_for(site, serve("elsewhere"), certificates["elsewhere"]),
                      "is not accepted", "check `address` and `ca_file`"),
        "outofdate": (target_for(site, serve("expired"), certificates["expired"]),
                      "certificate has expired", "check `address` and `ca_file`"),
        "notls": (target_for(site, serve(None), right,
                             address=f"https://127.0.0.1:{serve(None).port}"),
                  "does not speak TLS at this port", "correct the port in `address`"),
        "nobody": ({**target_for(site, vault, right),
                    "address": f"https://127.0.0.1:{closed_port()}"},
                   "cannot connect to", "`vault status -address=https://127.0.0.1:"),
        "nocafile": (target_for(site, vault, ca_file="/nonexistent/ca.pem"),
                     "ca_file /nonexistent/ca.pem cannot be used",
                     "write the PEM certificates"),
        "notoken": (login(token_file="/nonexistent/token"),
                    "token_file /nonexistent/token cannot be used", "write the secret's value"),
        "quoted": (login(token_file=text_file(site, "quoted", '"hvs.abc"\n')),
                   "stands in quotes", "write the secret's value"),
        "badtoken": (login(token_file=text_file(site, "bad", "hvs.wrong\n")),
                     "with 403: permission denied; invalid token", "write a valid token to /"),
        "noread": (target_for(site, vault, right, capabilities={}),
                   "with 403: 1 error occurred: * permission denied",
                   'path "secret/data/batch/noread" { capabilities'),
        "noupdate": (target_for(site, vault, right, capabilities=strict),
                     "permission denied", 'path "secret/data/batch/noupdate" { capabilities'),
        "nocreate": (target_for(site, vault, right, capabilities=strict),
                     "answered the write of secret/batch/nocreate with 403",
                     'path "secret/data/batch/nocreate" { capabilities'),
        "nomount": (target_for(site, vault, right, mount="kv/team"),
                    "no handler for route", "`vault secrets enable -path=kv/team -version=2 kv`"),
        "nonamespace": (target_for(site, vault, right, namespace="team"),
                        "no handler for route", "`vault secrets enable -namespace=team "),
        "versioned": (target_for(site, vault, right, engine="kv1"),
                      "Invalid path for a versioned K/V", "set `engine: kv2`"),
        "approle": (login(approle={"role_id": ROLE_ID, "secret_id_file": secret_id}),
                    "the login at auth/approle with 400: invalid role or secret ID",
                    "write a new secret id to "),
        "wrapped": (login(approle={"role_id": ROLE_ID, "secret_id_file": secret_id,
                                   "wrapped": True}),
                    "wrapping token is not valid", "audit log who used it"),
        "podrole": (login(kubernetes={"role": "ghost", "token_file": secret_id}),
                    'invalid role name "ghost"', "`vault read auth/kubernetes/role/ghost`"),
        "method": (login(approle={"role_id": ROLE_ID, "secret_id_file": secret_id, "mount": "x"}),
                   "no handler for route", "`vault auth list"),
    }
    vault.write("secret/batch/noupdate", {"note": "deleted, but a version"})
    vault.versions("secret/batch/noupdate")[0]["destroyed"] = True
    site.config["targets"].update({name: target for name, (target, _, _) in targets.items()})
    for name in targets:
        site.account(name, deliver_to=[name])
    site.account("bravo")
    site.start()
    wait_told(site, {name: told for name, (_, *told) in targets.items()})
    site.wait_rotations("bravo", 2)
    assert not any(azure.truth.regenerated(name) for name in targets)


def test_probe_before_a_rotation(site, azure, vault, certificates):
    """What the token may no longer do is noticed before a key is regenerated."""
    allowed = {"sys/capabilities-self": ["update"], "secret/data/batch/alpha": ["read", "create"]}
    use(site, vault, certificates, capabilities=allowed)
    site.account("alpha")
    site.start()
    refused = site.log.wait("rotation.retrying", account="alpha")
    assert refused["reason"] == "target_denied"
    assert "the token may not update secret/batch/alpha" in refused["msg"]
    assert 'path "secret/data/batch/alpha" { capabilities = ["create", "read", "update"] }' in (
        refused["remedy"])
    assert not azure.truth.regenerated("alpha")
    allowed["secret/data/batch/alpha"].append("update")
    site.wait_rotations("alpha", 1)


def test_probe_asks_for_no_more_than_is_needed(site, azure, vault, certificates):
    """A token that may not ask about itself is tried by a read; an object that is there needs no
    `create`."""
    right = certificates["right"]
    site.config["targets"].update({
        "silent": target_for(site, vault, right, capabilities={
            "secret/data/batch/alpha": ["read", "create", "update"]}),
        "present": target_for(site, vault, right, capabilities={
            "sys/capabilities-self": ["update"], "secret/data/batch/bravo": ["read", "update"]})})
    site.account("alpha", deliver_to=["silent"])
    site.account("bravo", deliver_to=["present"])
    vault.write("secret/batch/bravo", {"key": azure.keys("bravo")["Primary"]})
    site.start()
    for name in ("alpha", "bravo"):
        site.wait_rotations(name, 1)
        assert not site.log.lines(event="rotation.retrying", account=name)


def test_probe_finds_the_wrong_engine(site, azure, vault, certificates):
    """The mount is made anew with the other version: no key goes there."""
    use(site, vault, certificates)
    site.account("alpha")
    site.start()
    wait_delivered(azure, vault, "alpha")
    with vault.lock:
        vault.mounts["secret"] = 1
        vault.objects["secret/data/batch/alpha"] = {"data": vault.objects.pop(
            "secret/batch/alpha")[-1]["data"]}
    refused = wait_until(lambda: [line for line in site.log.lines(account="alpha")
                                  if "KV engine of version 1" in line["msg"] or
                                  "engine of version 1 does" in line["msg"]], "it is noticed")[0]
    assert "set `engine: kv1`" in refused["remedy"]
    assert len(azure.truth.regenerated("alpha")) <= 1


def test_hanging_server_holds_up_nobody(site, azure, serve, certificates):
    """More accounts wait for a server that never answers than it may have requests; bravo, whose key
    goes to a file, is served all the while."""
    hanging = serve()
    site.config["targets"]["vault"] = target_for(site, hanging, certificates["right"])
    names = [f"hangs{i:02}" for i in range(20)]
    for name in names:
        site.account(name, deliver_to=["vault"])
    site.account("bravo")
    hanging.fault(".", act="hang")
    site.start()
    wait_until(lambda: len(hanging.requests) >= 16, "requests hang")
    mark = site.log.mark()
    site.wait_rotations("bravo", 2, since=mark)
    assert len(hanging.requests) == 16, "the others wait for their turn"
    assert not site.log.lines(event="rotation.retrying", account="bravo")


def test_redirect_is_not_followed(site, azure, serve, vault, certificates):
    """Neither with the token nor without it, and a login's secret stays here, too."""
    other = serve()
    use(site, vault, certificates, auth=approle(site, vault.secret_id(ROLE_ID)))
    vault.fault(".", status=307, body="", headers={"Location": f"{other.url}/v1/x"})
    site.account("alpha")
    site.start()
    wait_told(site, {"alpha": ("the login at auth/approle with 307; it redirects the request to",
                               "set `address` to the active node")})
    assert not other.requests
