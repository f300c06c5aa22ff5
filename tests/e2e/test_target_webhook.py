"""The target `webhook`: signed messages, what receivers answer, and servers that are not trusted."""

import base64

import pytest

from certificates import Authority
from patience import stays_true, wait_until
from receivers import WebhookServer, pin_of, signature
from truth import alternates

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"and the one that replaces it ...").decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("receiver")


@pytest.fixture
def serve(certificate):
    servers = []

    def new(answer=200, certificate=certificate):
        servers.append(WebhookServer(*certificate, answer))
        return servers[-1]

    yield new
    for server in servers:
        server.stop()


@pytest.fixture
def hook(site, authority):
    """Configures a webhook as a target."""
    (site.directory / "hook-secret").write_text(SECRET + "\n")

    def new(name, server, **more):
        site.config["targets"][name] = {
            "type": "webhook", "url": f"{server.url}/keys", "timeout": "20s",
            "secret_file": str(site.directory / "hook-secret"), "ca_file": str(authority.certificate),
            **more}
        return name

    return new


def is_live(azure, message):
    slot = message.data["slot"].capitalize()
    return azure.keys(message.data["account"])[slot] == message.data["key"]


def is_signed(message, *secrets):
    return message.signatures == [signature(secret, message) for secret in secrets]


def test_each_key_is_told_once_and_signed(site, azure, serve, hook):
    """Two accounts with one receiver; a file comes first, so that both can be compared."""
    server = serve()
    site.config["defaults"]["deliver_to"] = ["file", hook("hook", server, include_key=True)]
    site.policy(rotate_every="30d", check_every="1h")
    for name in ("alpha", "bravo"):
        site.account(name)
    site.start()
    wait_until(lambda: len(server.messages) == 2, "both active keys are told")
    for name in ("alpha", "bravo"):
        wait_until(lambda name=name: site.ctl("rotate", name, "--dry-run").returncode == 0,
                   f"{name} may rotate")
        assert site.ctl("rotate", name, "--wait").returncode == 0
        first, second = server.of(name)
        assert first.data["slot"] == "primary" and second.data["slot"] == "secondary"
        assert is_live(azure, first) and is_live(azure, second)
        assert second.data["key"] == site.held(name)
        assert second.data["cycle"] == 1 and first.data["cycle"] == 0
        assert second.data["resource_id"].endswith(f"/{name}")
    for message in server.messages:
        assert is_signed(message, SECRET)
        assert message.path == "/keys" and message.body["type"] == "key.delivered"
        assert abs(int(message.timestamp) - message.at) < 60
        assert message.headers["Content-Type"] == "application/json"
    assert len({message.id for message in server.messages}) == 4
    assert SECRET not in site.log.text() and SECRET[6:] not in site.log.text()
    line = site.log.wait("key.delivered", account="alpha", target=f"webhook {server.url}/keys")
    assert line["slot"] == "primary"


def test_not_yet_holds_the_rotation_and_the_id_stays(site, azure, serve, hook):
    """Nothing is regenerated meanwhile; what came before is not delivered again. The receiver gets
    another secret in the meantime, and both sign while it changes."""
    server = serve()
    site.config["defaults"]["deliver_to"] = ["file", hook("hook", server)]
    site.config["timing"]["retry_max"] = "200ms"
    site.account("alpha")
    site.start()
    wait_until(lambda: server.messages, "the active key is told")
    server.answer = 202
    line = site.log.wait("delivery.failed", account="alpha")
    assert line["reason"] == "not_yet" and "asks for more time, with status 202" in line["msg"]
    wait_until(lambda: len(server.messages) >= 4, "it is told again")
    assert site.status("alpha")["reason"] == "not_yet"
    secret_file = site.directory / "hook-secret"
    secret_file.write_text(NEW_SECRET + "\n")
    wait_until(lambda: is_signed(server.messages[-1], NEW_SECRET), "the new secret signs")
    (site.directory / "old").write_text(SECRET)
    site.config["targets"]["hook"]["secret_file"] = [str(secret_file), str(site.directory / "old")]
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: is_signed(server.messages[-1], NEW_SECRET, SECRET), "both secrets sign")

    told = server.messages[1:]
    assert len({message.id for message in told}) == 1
    assert len({message.timestamp for message in told}) > 1, "each attempt is signed anew"
    assert all(message.data["slot"] == "secondary" and "key" not in message.data for message in told)
    assert azure.truth.regenerated("alpha") == ["Secondary"]
    assert len(site.log.lines(event="key.delivered", account="alpha", slot="secondary")) == 1

    server.answer = 204
    site.wait_rotations("alpha", 2)
    assert alternates(azure.truth.regenerated("alpha"))


REFUSALS = (
    (401, "target_denied", "answered with status 401", "secret_file"),
    (307, "target_failed", "answered with status 307", "redirects are not followed"),
    (410, "target_failed", "answered with status 410", "out of deliver_to"),
    (500, "target_failed", "answered with status 500", "receiver's log"),
)


def test_receivers_that_refuse(site, azure, serve, hook):
    """…are asked again, nothing is regenerated, and all goes on when they take the key."""
    servers = {f"after{answer}": serve() for answer, *_ in REFUSALS}
    for name, server in servers.items():
        hook(name, server, include_key=True)
        site.account(name, deliver_to=[name])
    site.start()
    for server in servers.values():
        wait_until(lambda server=server: server.messages, "the active key is told")
    for (answer, *_), server in zip(REFUSALS, servers.values()):
        server.answer = answer
    for (answer, reason, text, remedy), (name, server) in zip(REFUSALS, servers.items()):
        line = site.log.wait("delivery.failed", account=name)
        assert line["reason"] == reason and line["http_status"] == answer
        assert text in line["msg"] and remedy in line["remedy"]
        wait_until(lambda server=server: len(server.messages) >= 4, "it is told again")
        assert azure.truth.regenerated(name) == ["Secondary"]
        server.answer = 200
    for name in servers:
        site.wait_rotations(name, 1)


def test_servers_that_are_not_trusted_hear_nothing(site, authority, serve, hook, certificate,
                                                   tmp_path):
    stranger = Authority(tmp_path / "stranger", "stranger")
    good = serve()
    servers = {
        "unknown": serve(certificate=stranger.issue("unknown")),
        "expired": serve(certificate=authority.issue("expired", days=-1)),
        "misnamed": serve(certificate=authority.issue("misnamed", alternatives="DNS:other.test")),
        "unpinned": serve(),
    }
    words = {
        "unknown": ("is not accepted", "openssl s_client -connect"),
        "expired": ("is not accepted", "openssl s_client -connect"),
        "misnamed": ("is not accepted", "openssl s_client -connect"),
        "unpinned": ("is not the pinned one", "openssl s_client -connect"),
    }
    right_pin = pin_of(certificate[0])
    wrong_pin = pin_of(stranger.certificate)
    for name, server in servers.items():
        hook(name, server, include_key=True, pin=wrong_pin if name == "unpinned" else [])
        if name != "unpinned":
            del site.config["targets"][name]["pin"]
        site.account(name, deliver_to=[name])
    site.account("good", deliver_to=[hook("good", good, include_key=True,
                                             pin=[wrong_pin, right_pin])])
    site.start()
    site.wait_rotations("good", 1)
    for name, (text, remedy) in words.items():
        line = site.log.wait("delivery.failed", account=name)
        assert line["reason"] == "target_failed", line
        assert text in line["msg"] and remedy in line["remedy"], line
        assert servers[name].messages == []


def test_a_receiver_that_hangs_disturbs_nobody(site, azure, serve, hook):
    server = serve(answer=None)
    hook("hook", server, include_key=True)
    site.account("alpha", deliver_to=["hook"])
    site.account("bravo")
    site.start()
    wait_until(lambda: server.messages, "the receiver has got the key of alpha, and hangs")
    mark = site.log.mark()
    site.wait_rotations("bravo", 2, since=mark)
    assert alternates(azure.truth.regenerated("bravo"))
    assert not site.log.lines(event="rotation.retrying", account="bravo")
    stays_true(lambda: len(server.messages) == 1, 0.3, "one message is under way")


def test_what_is_told_holds_no_key(site, serve, hook):
    """One gets the key, one only hears of it; neither can be looked at."""
    server = serve()
    told, given = hook("told", server), hook("given", server, include_key=True)
    site.config["targets"][given]["url"] += "/given"
    site.config["defaults"]["deliver_to"] = ["file", told, given]
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: len(server.messages) == 2, "both hear of the active key")
    wait_until(lambda: all(target["satisfied"] for target in site.status("alpha")["targets"]),
               "and both have taken it")
    targets = {target["name"]: target for target in site.status("alpha")["targets"]}
    assert [targets[name]["gets"] for name in ("file", "told", "given")] == [
        "key", "notice", "key_unread"]
    assert targets["told"]["holds"] is None and targets["told"]["holds_fingerprint"] is None
    shown = site.ctl("status", "alpha").stdout
    assert "was told of the key, " in shown and "was given the key, " in shown, shown
    said = {line["target"]: line["msg"] for line in site.log.lines(event="key.delivered")}
    words = [message for target, message in said.items() if target.startswith("webhook")]
    assert any("has been told of the primary key" in text for text in words), words
    assert any("the primary key was given to webhook" in text for text in words), words
    assert not any("key is in webhook" in text for text in words), words
