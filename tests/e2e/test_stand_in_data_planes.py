"""The stand-in's data planes: a good key opens, an old one, another one and none do not."""

import json
import socket
import urllib.parse

import pytest

import data_plane_probes
from data_plane_probes import PROBES
from test_stand_in_types import azure  # noqa: F401
from two_key_types import TYPES, at

OTHER = "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyb3RoZXI="


def knock(azure, request):
    return data_plane_probes.knock(azure.stand_in, request)


def make(azure, word, **more):
    return azure.resource(next(kind for kind in TYPES if kind.word == word), **more)


def request_with(azure, resource, request, key, slot):
    more = ()
    if request is data_plane_probes.app_configuration:
        listed = resource.ask("POST", "listKeys")[2]
        more = (at(listed, f"value[name={('Primary', 'Secondary')[slot]}].id"),)
    return request(resource.name, key, azure.stand_in.port, *more)


def each():
    return pytest.mark.parametrize(("word", "request_of", "good", "wrong", "off"), PROBES,
                                   ids=[f"{row[0]}-{row[1].__name__}" for row in PROBES])


@each()
def test_keys_open_and_close(azure, word, request_of, good, wrong, off):  # noqa: F811
    resource = make(azure, word, operation_ms=0)

    def status(key, slot):
        return knock(azure, request_with(azure, resource, request_of, key, slot))[0]

    first = resource.live()
    assert [status(first[slot], slot) for slot in (0, 1)] == [good, good]
    assert status(OTHER, 0) == wrong
    assert resource.regenerate(1)[0] < 300
    second = resource.live()
    assert [status(first[0], 0), status(first[1], 1), status(second[1], 1)] == [good, wrong, good]
    probes = azure.stand_in.ask(
        "GET", f"accounts/{urllib.parse.quote(resource.name, safe='')}")["counters"]["probe"]
    assert probes == 4
    method, host, path, _, body = request_with(azure, resource, request_of, first[0], 0)
    assert knock(azure, (method, host, path, {"Content-Length": "0"} if method == "POST" else {},
                         body))[0] in (401, 403)
    if off is not None:
        resource.change(keys_off=True)
        assert status(first[0], 0) == off


def test_a_new_key_takes_time_to_be_known(azure):  # noqa: F811
    resource = make(azure, "search", propagation_ms=3600000)
    old = resource.live()
    resource.regenerate(0)
    new = resource.live()
    assert knock(azure, data_plane_probes.search(resource.name, old[0], 0))[0] == 200
    assert knock(azure, data_plane_probes.search(resource.name, new[0], 0))[0] == 403


def test_the_key_of_a_running_operation_is_the_old_one(azure):  # noqa: F811
    resource = make(azure, "cosmos", operation_ms=3600000)
    old = resource.live()
    assert resource.regenerate(0)[0] == 202
    assert knock(azure, data_plane_probes.cosmos(resource.name, old[0], 0))[0] == 200


def test_what_a_wrong_signature_is_told(azure):  # noqa: F811
    storage, cosmos = make(azure, "storage"), make(azure, "cosmos")
    status, text = knock(azure, data_plane_probes.storage(storage.name, OTHER, 0))
    assert status == 403 and "<Code>AuthenticationFailed</Code>" in text
    storage.change(keys_off=True)
    status, text = knock(azure, data_plane_probes.storage(storage.name, storage.live()[0], 0))
    assert status == 403 and "<Code>KeyBasedAuthenticationNotPermitted</Code>" in text
    cosmos.change(keys_off=True)
    status, text = knock(azure, data_plane_probes.cosmos(cosmos.name, cosmos.live()[0], 0))
    assert status == 401 and "Local Authorization is disabled" in text
    azure.stand_in.fault("status", "probe", face="data", account=storage.name, status=403,
                         code="AuthorizationFailure", message="This request is not authorized.")
    status, text = knock(azure, data_plane_probes.storage(storage.name, storage.live()[0], 0))
    azure.stand_in.clear_faults()
    assert status == 403 and "<Code>AuthorizationFailure</Code>" in text


def test_a_rule_that_may_only_send_is_told_so(azure):  # noqa: F811
    rule = make(azure, "service_bus", properties={"rights": ["Send"]})
    status, text = knock(azure, data_plane_probes.bus(rule.name, rule.live()[0], 0))
    assert status == 401 and "SubCode=40103" not in text
    status, text = knock(azure, data_plane_probes.bus(rule.name, OTHER, 0))
    assert status == 401 and "SubCode=40103" in text


def test_a_rule_of_one_queue_opens_no_other(azure):  # noqa: F811
    rule = make(azure, "service_bus_queue")
    name, key = rule.name, rule.live()[0]
    namespace, _, last = name.split("/")
    assert knock(azure, data_plane_probes.entity(name, key, 0))[0] == 200
    assert knock(azure, data_plane_probes.entity(f"{namespace}/another/{last}", key, 0))[0] == 401
    method, host, _, headers, body = data_plane_probes.entity(name, key, 0)
    assert knock(azure, (method, host, "/another?api-version=2021-05", headers, body))[0] == 401


def test_old_dates_are_refused(azure, monkeypatch):  # noqa: F811
    resource = make(azure, "storage")
    store = make(azure, "communication")
    monkeypatch.setattr(data_plane_probes, "formatdate",
                        lambda usegmt: "Sun, 06 Nov 1994 08:49:37 GMT")
    assert knock(azure, data_plane_probes.storage(resource.name, resource.live()[0], 0))[0] == 403
    assert knock(azure, data_plane_probes.communication(
        store.name, store.live()[0], azure.stand_in.port))[0] == 401


def test_ids_of_keys_may_change_with_them(azure):  # noqa: F811
    store = make(azure, "app_configuration")
    place = "value[name=Primary].id"
    before = at(store.ask("POST", "listKeys")[2], place)
    store.regenerate(0)
    assert at(store.ask("POST", "listKeys")[2], place) == before
    azure.stand_in.settings(key_ids_change=1)
    try:
        store.regenerate(0)
        after = at(store.ask("POST", "listKeys")[2], place)
    finally:
        azure.stand_in.settings(key_ids_change=0)
    assert after != before


def redis(azure, host, *words):  # noqa: F811
    """What a cache says to one command."""
    port = json.loads((azure.stand_in.directory / "azuresim.json").read_text())["redis_port"]
    command = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    with socket.create_connection(("127.0.0.1", port), 30) as plain, \
            azure.stand_in.tls.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(command.encode())
        return connection.recv(1000).decode()


@pytest.mark.parametrize("word", ["redis", "redis_enterprise"])
def test_caches(azure, word):  # noqa: F811
    cache = make(azure, word, operation_ms=0)
    host = f"{cache.name.split('/')[0]}.redis.localhost"
    old = cache.live()
    assert [redis(azure, host, "AUTH", key) for key in old] == ["+OK\r\n"] * 2
    assert redis(azure, host, "AUTH", "default", old[0]) == "+OK\r\n"
    assert redis(azure, host, "AUTH", OTHER).startswith("-WRONGPASS ")
    assert redis(azure, host, "PING").startswith("-NOAUTH ")
    assert redis(azure, "other.redis.localhost", "AUTH", old[0]).startswith("-WRONGPASS ")
    cache.regenerate(0)
    assert redis(azure, host, "AUTH", old[0]).startswith("-WRONGPASS ")
    assert redis(azure, host, "AUTH", cache.live()[0]) == "+OK\r\n"
    azure.stand_in.fault("lost_before", "probe", face="data", account=host.split(".")[0], count=1)
    assert redis(azure, host, "AUTH", old[1]) == ""
    cache.change(keys_off=True)
    assert redis(azure, host, "AUTH", old[1]).startswith("-WRONGPASS ")
    _, _, described = cache.ask("GET")
    told = described["properties"].get("sslPort") or described["properties"]["port"]
    assert told == json.loads((azure.stand_in.directory / "azuresim.json").read_text())["redis_port"]


def test_a_cache_takes_words_on_a_line_and_in_pieces(azure):  # noqa: F811
    cache = make(azure, "redis")
    port = json.loads((azure.stand_in.directory / "azuresim.json").read_text())["redis_port"]
    with socket.create_connection(("127.0.0.1", port), 30) as plain, azure.stand_in.tls.wrap_socket(
            plain, server_hostname=f"{cache.name}.redis.localhost") as connection:
        for piece in ("AU", "TH ", cache.live()[1], "\r\nPING\r\n", "QUIT\r\n"):
            connection.sendall(piece.encode())
        said = ""
        while piece := connection.recv(1000).decode():
            said += piece
    assert said == "+OK\r\n+PONG\r\n+OK\r\n"
