"""Workload identities, and the ways in which they are wrong."""

import json
import os
import socket
import ssl
import threading

import pytest

from certificates import self_signed
from federation import AUDIENCE, ISSUER, SUBJECT, Issuer, encode
from stand_in import TENANT
from wrong_identities import Way, add, answer, both, check, refuse, replaced, settings

OTHER = "99999999-9999-9999-9999-999999999999"  # known to nobody
NOBODY = "application 99999999-9999-9999-9999-999999999999"


class Strangers:
    """What may stand at the address of Entra ID: a server with a certificate of its own making, one without TLS,
    and nobody."""

    def __init__(self, directory):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self_signed(directory, "stranger", "DNS:localhost"))
        self._listeners = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
        self.forger, self.plain = (f"https://localhost:{one.getsockname()[1]}" for one in self._listeners)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            self.nobody = f"https://localhost:{closed.getsockname()[1]}"
        for listener, tls in zip(self._listeners, (context, None)):
            threading.Thread(target=self._serve, args=(listener, tls), daemon=True).start()

    def end(self):
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    @staticmethod
    def _serve(listener, tls):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                with client:
                    if tls:
                        tls.wrap_socket(client, server_side=True)
                    else:
                        client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                        client.recv(4096)
            except OSError:
                pass


@pytest.fixture
def strangers(tmp_path):
    some = Strangers(tmp_path)
    yield some
    some.end()


def claims(age=0, **changed):
    """A token of the issuer's with these claims."""
    return lambda case: case.write("token", case.issuer.token(age, **changed), secret=True)


def content(data):
    return lambda case: case.write("token", data)


def edited(edit):
    """The three parts of a good token, edited."""
    return lambda case: case.write("token", edit(*case.issuer.token().split(".")))


def at(who):
    return lambda case: case.settings.update(authority_host=getattr(case.strangers, who))


def without(*names):
    def leave_out(case):
        for name in names:
            case.settings.pop(name)
    return leave_out


def part(claims_of_it):
    return encode(json.dumps(claims_of_it).encode()).decode()


NETWORK = "the firewall, the proxy and ca_file on this machine"
PLATFORM = "let the platform write the token there"
FEDERATE = f"with exactly the issuer {ISSUER}, the subject {SUBJECT} and the audience {AUDIENCE}"
WAYS = {
    # the file
    "missing": Way(replaced("token", lambda path: None), "No such file or directory", PLATFORM),
    "empty": Way(content(""), "it is empty", PLATFORM),
    "twolines": Way(edited(lambda *three: ".".join(three) + "\nx\n"), "it is more than one line", PLATFORM),
    "quotes": Way(edited(lambda *three: f'"{".".join(three)}"'), "stands in quotes", PLATFORM),
    "directory": Way(replaced("token", os.mkdir), "is not a regular file", "/token.old`, then make"),
    "pipe": Way(replaced("token", os.mkfifo), "is not a regular file", "/token.old`, then make"),
    "huge": Way(content("e" * 20000), "is larger than 16384 bytes", PLATFORM),
    "notoken": Way(content("secret"), "it is no JSON Web Token", "as its issuer made it, and nothing else"),
    "twoparts": Way(edited(lambda head, body, sign: f"{head}.{body}"), "it is no JSON Web Token",
                    "as its issuer made it"),
    "fourparts": Way(edited(lambda head, body, sign: f"{head}.{body}.{sign}.{sign}"), "it is no JSON Web Token",
                     "as its issuer made it"),
    "nobase64": Way(edited(lambda head, body, sign: f"{head}.%%%%.{sign}"), "it is no JSON Web Token",
                    "as its issuer made it"),
    "noobject": Way(edited(lambda head, body, sign: f"{head}.{part([1])}.{sign}"), "it is no JSON Web Token",
                    "as its issuer made it"),
    # its time
    "old": Way(claims(age=7200), "expired 1h ", "not for one that is mounted with subPath"),
    "early": Way(claims(age=-1000), "is valid from", "set this machine's clock"),
    "stale": Way(refuse(700024), "the assertion is not valid at this time", "let what writes the federated token"),
    # the federated credential
    "issuer": Way(claims(iss="https://else.example"), "no federated credential has the issuer",
                  "issuer https://else.example"),
    "subject": Way(claims(sub="system:serviceaccount:ops:default"), "no federated credential has the subject",
                   "subject system:serviceaccount:ops:default"),
    "audience": Way(claims(aud=["https://kubernetes.default.svc"]), "no federated credential has the audience",
                    "audience https://kubernetes.default.svc"),
    "nomatch": Way(refuse(70021, "invalid_request", 400), "no federated credential matches the token", FEDERATE),
    "forged": Way(edited(lambda head, body, sign: f"{head}.{body}.{sign[4:]}{sign[:4]}"),
                  "the signature of the federated token was not accepted", f"check that {ISSUER} publishes the key"),
    "unreadable": Way(refuse(501661, "invalid_request", 400), "Entra ID cannot read the keys of the token's issuer",
                      f"make {ISSUER}/.well-known/openid-configuration readable"),
    "ofentra": Way(refuse(700222, "invalid_request", 400), "was issued by Entra ID itself",
                   "use a token of another issuer"),
    # the application and its tenant
    "stranger": Way(settings(client_id=OTHER), "the application is not known in the tenant",
                    f"{NOBODY} is not known in tenant {TENANT}"),
    "tenant": Way(settings(tenant_id=OTHER), "the tenant is not known", f"tenant {OTHER} is not known at https://"),
    "policy": Way(refuse(53003, "interaction_required", 400), "a conditional access policy forbids it",
                  "Service principal sign-ins"),
    # what the platform did not set
    "nofile": Way(without("federated_token_file"), "AZURE_FEDERATED_TOKEN_FILE is not set", "azure.workload.identity/use"),
    "noclient": Way(without("client_id"), "AZURE_CLIENT_ID is not set", "azure.workload.identity/client-id"),
    "notenant": Way(without("tenant_id"), "AZURE_TENANT_ID is not set", "azure.workload.identity/use"),
    # who is asked
    "nobody": Way(at("nobody"), "Microsoft Entra ID cannot be reached: cannot connect to localhost", NETWORK,
                  reason="network"),
    "forger": Way(at("forger"), "certificate of localhost", NETWORK, reason="network"),
    "elsewhere": Way(both(settings(tenant_id=OTHER), lambda case: case.settings.update(authority_host=case.azure.url)),
                     "the tenant is not known", "check tenant_id and authority_host: tenant"),
    "plain": Way(at("plain"), "does not speak TLS at this port", NETWORK, reason="network"),
    # the service
    "throttled": Way(answer("throttle", delay_ms=3600000), "no token: 429",
                     "other programs that ask for tokens of application", reason="throttled"),
    "down": Way(answer("page", status=503), "503 without an explanation", "see Azure's status page"),
    "hotel": Way(answer("page", status=403, param="Log in"), "it is a web page, \"Log in\"", "proxy, firewall"),
    "shape": Way(answer("wrong_json"), "its access_token is missing or malformed", "proxy, firewall"),
    "lost": Way(answer("lost_before"), "the answer was lost", NETWORK,
                reason="network"),
}


def test_thirty_ways_of_being_wrong(site, strangers):
    issuer = Issuer(site.directory)
    good = issuer.token()

    def prepare(case):
        case.issuer, case.strangers = issuer, strangers
        issuer.register(case.azure, case.client)
        case.settings["client_id"] = case.client
        case.settings["federated_token_file"] = case.write("token", good, secret=True)
        case.secrets += good.split(".")[1:]

    cases = add(site, WAYS, {"type": "workload_identity", "tenant_id": TENANT}, prepare)
    site.start()
    check(site, WAYS, cases)
