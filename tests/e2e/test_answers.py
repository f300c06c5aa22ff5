"""Azure's answers in the forms that Azure, its clones and proxies really send."""

import json

import pytest

from patience import stays_true, wait_until
from stand_in import CLIENT_SECRET
from truth import alternates

TAGS = {
    "half a pair": r'{"a":"\ud83d"}',
    "nul": r'{"a":"\u0000"}',
    "too large": '{"a":18446744073709551615}',
    "twice": '{"a":"1","a":"2"}',
    "no escape": r'{"a":"\x41"}',
}


@pytest.fixture
def calm(site):
    """Looks for drift often, and rotates only long after the test."""
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    return site


def test_what_nobody_reads_decides_nothing(site, azure):
    """Adopted and rotated whatever the tags hold, also behind a byte order mark."""
    names = {tags: "tags" + "".join(filter(str.isalnum, tags)) for tags in TAGS}
    for tags, name in names.items():
        site.account(name)
        azure.fault("member", op="get", account=name, code="tags", param=TAGS[tags])
    for op in ("get", "listKeys", "regenerateKeys"):
        site.account(f"bom{op.lower()}")
        azure.fault("bom", op=op, account=f"bom{op.lower()}")
    site.start()
    for name in (*names.values(), "bomget", "bomlistkeys", "bomregeneratekeys"):
        site.wait_rotations(name, 1)
        assert not site.log.lines(event="rotation.retrying", account=name)


def test_repaired_whatever_the_tags_hold(calm, azure):
    calm.account("alpha")
    azure.fault("member", op="get", account="alpha", code="tags", param=TAGS["half a pair"])
    calm.start()
    calm.wait_adopted("alpha")
    azure.regenerate("alpha", "Primary")
    calm.log.wait("drift.repaired", account="alpha")
    wait_until(lambda: calm.holds("alpha") == "Primary", "the live key is delivered")


def test_what_is_read_stands_once(site, azure):
    """Two equal keys are no answer; the remedy does not blame the network."""
    site.account("alpha")
    azure.fault("member", op="listKeys", account="alpha", code="primary",
                param='"AAAA","primary":"BBBB"')
    site.start()
    refused = site.log.wait("rotation.retrying", account="alpha")
    assert '"primary" occurs twice' in refused["msg"]
    assert "az resource show" in refused["remedy"]
    assert "proxy" not in refused["remedy"] and "firewall" not in refused["remedy"]
    stays_true(lambda: not azure.truth.regenerated("alpha"), 1, "nothing is regenerated")


def test_packed_answers(site, azure):
    site.account("alpha")
    azure.fault("gzip")
    azure.fault("gzip", face="entra")
    azure.fault("gzip", face="batch")
    site.start()
    site.wait_rotations("alpha", 2)
    assert alternates(azure.truth.regenerated("alpha"))


def test_redirects_of_looks_are_followed_once(site, azure):
    """Redirects to the same resource: looks follow them, and no key is regenerated because of them."""
    site.account("alpha")
    azure.fault("redirect", op="get")
    azure.fault("redirect", op="listKeys", status=308)
    site.start()
    site.wait_rotations("alpha", 1)
    statuses = [request["status"] for request in azure.truth.requests("listKeys", account="alpha")]
    assert statuses[:2] == [308, 200] and statuses.count(308) == statuses.count(200)
    assert not site.log.lines(event="rotation.retrying", account="alpha")


def test_redirects_elsewhere_are_refused(site, azure):
    """The message names the place without its query, and the token is not sent there."""
    site.account("alpha")
    azure.fault("redirect", op="listKeys", account="alpha",
                param="https://elsewhere.example/subscriptions/x?sig=hidden")
    site.start()
    refused = site.log.wait("rotation.retrying", account="alpha")
    assert "elsewhere.example/subscriptions/x, which is not followed" in refused["msg"]
    assert refused["http_status"] == 307 and "cloud.resource_manager" in refused["remedy"]
    assert "hidden" not in site.log.text()


@pytest.mark.parametrize("effect", [False, True])
def test_a_redirected_regenerate_is_not_followed(site, azure, effect):
    """A look finds out whether it took effect; the request is never redirected."""
    site.account("alpha")
    azure.fault("redirect", op="regenerateKeys", account="alpha", count=1, effect=effect)
    site.start()
    doubt = site.log.wait("rotation.retrying", account="alpha")
    assert doubt["http_status"] == 307 and "which is not followed" in doubt["msg"]
    site.wait_rotations("alpha", 1)
    assert azure.truth.regenerated("alpha")[0] == "Secondary"
    statuses = [request["status"]
                for request in azure.truth.requests("regenerateKeys", account="alpha")]
    assert statuses[0] == 307
    assert alternates(azure.truth.regenerated("alpha")[:2]) if effect else 200 in statuses


def test_a_redirected_token_request_is_not_followed(site, azure):
    site.account("alpha")
    azure.fault("redirect", face="entra", count=1)
    site.start()
    failed = site.log.wait("token.failed")
    assert failed["http_status"] == 307 and "/oauth2/v2.0/token, which is not followed" in failed["msg"]
    requests = azure.truth.requests("token", face="entra")
    assert requests[0]["status"] == 307
    site.wait_rotations("alpha", 1)


def test_the_page_of_a_gateway(site, azure):
    site.account("alpha")
    azure.fault("page", op="listKeys", account="alpha", status=403, param="Access Denied",
                headers={"Server": "squid/5.7"})
    site.start()
    refused = site.log.wait("rotation.retrying", account="alpha")
    assert refused["http_status"] == 403
    assert 'web page, "Access Denied"' in refused["msg"] and "squid/5.7" in refused["msg"]
    assert "proxy" in refused["remedy"]


def test_the_page_of_a_gateway_before_the_login(site, azure):
    site.account("alpha")
    azure.fault("page", face="entra", status=403, param="Access Denied")
    site.start()
    failed = site.log.wait("token.failed")
    assert failed["http_status"] == 403 and 'web page, "Access Denied"' in failed["msg"]
    assert "cloud.login" in failed["remedy"]


@pytest.mark.parametrize("body", [
    {"Error": {"Code": "AuthorizationFailed", "Message": "No."}},
    {"Code": "AuthorizationFailed", "Message": "No."},
    [{"code": "AuthorizationFailed", "message": "No."}],
    {"error": {"code": "Outer", "message": "No.",
               "details": {"code": "AuthorizationFailed", "message": "No."}}},
    {"error": "AuthorizationFailed", "message": "No."},
])
def test_errors_in_every_shape(site, azure, body):
    site.account("alpha")
    azure.fault("wrong_json", op="listKeys", account="alpha", param=json.dumps(body), status=403)
    site.start()
    refused = site.log.wait("rotation.retrying", account="alpha")
    assert refused["reason"] == "permission_denied" and refused["http_status"] == 403
    assert refused["error_code"] in ("AuthorizationFailed", "Outer") and "No." in refused["msg"]


@pytest.mark.parametrize("name, value", [
    ("expires_in", None), ("expires_in", '""'), ("expires_in", "3599.5"),
    ("expires_in", '"3599.0"'), ("expires_in", '"","expires_on":"2999-01-01T00:00:00Z"'),
    ("expires_in", '"","expires_on":"32503680000"'),
])
def test_tokens_in_every_form(site, azure, name, value):
    site.account("alpha")
    azure.fault("member", face="entra", code=name, **({"param": value} if value else {}))
    site.start()
    site.wait_rotations("alpha", 1)
    assert not site.log.lines(event="token.failed")


@pytest.mark.parametrize("content, problem", [
    (b"\xef\xbb\xbf" + CLIENT_SECRET.encode(), "byte order mark"),
    (CLIENT_SECRET.encode() + b" \n", "blanks"),
    (b'"' + CLIENT_SECRET.encode() + b'"\n', "quotes"),
    (b"AZURE_CLIENT_SECRET=" + CLIENT_SECRET.encode() + b"\n", "assignment"),
    (CLIENT_SECRET.encode("utf-16"), "UTF-16"),
])
def test_a_secret_with_something_around_it(site, azure, content, problem):
    """Named and refused before it is sent; the corrected secret is used without a reload."""
    site.account("alpha")
    path = site.directory / "client-secret"
    path.write_bytes(content)
    site.config["identities"]["ops"]["client_secret_file"] = str(path)
    site.start()
    failed = site.log.wait("token.failed")
    assert problem in failed["msg"] and str(path) in failed["msg"]
    assert not azure.truth.requests("token", face="entra")
    path.write_text(CLIENT_SECRET + "\n")
    site.wait_rotations("alpha", 1)
