"""Identities with a client secret, and the ways in which they are wrong."""

import os
import time

from stand_in import TENANT
from wrong_identities import Way, add, answer, check, refuse, register, replaced, settings

SECRET = "Q7~x8Q~rJ9kd.P2mW_vT5nLs4gBzYc1HfUeA3o"


def content(data):
    """Of the file with the secret."""
    return lambda case: case.write("secret", data.replace("<>", SECRET) if isinstance(data, str) else data)


def expired(case):
    register(case, secret=SECRET, secret_expires=int(time.time()) - 60)


# Known to nobody.
OTHER = "99999999-9999-9999-9999-999999999999"
WAYS = {
    # the file
    "missing": Way(replaced("secret", lambda path: None), "No such file or directory", "write the secret's value"),
    "empty": Way(content(""), "it is empty", "write the secret's value, and nothing else"),
    "twolines": Way(content("<>\n<>\n"), "it is more than one line", "and nothing else"),
    "emptyline": Way(content("\n<>\n"), "it begins with an empty line", "and nothing else"),
    "quotes": Way(content('"<>"\n'), "the secret stands in quotes", "and nothing else"),
    "blanks": Way(content(" <>\n"), "it has blanks before or after the secret", "and nothing else"),
    "assignment": Way(content("AZURE_CLIENT_SECRET=<>\n"), "it is an assignment (NAME=value)",
                      "write the secret's value"),
    "mark": Way(content("\N{ZERO WIDTH NO-BREAK SPACE}<>\n"), "it starts with a byte order mark",
                "write the secret's value"),
    "utf16": Way(content(SECRET.encode("utf-16")), "it is UTF-16", "write the secret's value"),
    "nul": Way(content("<>\n\0"), "it holds a NUL byte", "write the secret's value"),
    "umlaut": Way(content("<>\N{LATIN SMALL LETTER U WITH DIAERESIS}\n"), "it holds a character that no secret has",
                  "write the secret's value"),
    "huge": Way(content("x" * 20000), "than 16384 bytes", "write the secret's value"),
    "directory": Way(replaced("secret", os.mkdir), "is not a regular file", "/secret.old`, then make"),
    "pipe": Way(replaced("secret", os.mkfifo), "is not a regular file", "/secret.old`, then make"),
    "loop": Way(replaced("secret", lambda path: path.symlink_to(path)), "Too many levels of symbolic links",
                "/secret.old`, then make"),
    "notloaded": Way(settings(client_secret_file="notloaded"), "there is no $CREDENTIALS_DIRECTORY",
                     "LoadCredential=notloaded:"),
    # the secret, the application, the tenant
    "wrong": Way(content("another~secret.of_nobody\n"), "because the client secret is wrong: 401 invalid_client",
                 "(not the secret's id) to /"),
    "itsid": Way(content("0c1f7f3a-8d0d-4b5e-9a55-1f1a0a7c2b11\n"), "it is the id of a secret, not its value",
              "it is shown only once"),
    "expired": Way(expired, "the client secret has expired", "az ad app credential reset --append --id"),
    "stranger": Way(settings(client_id=OTHER), "the application is not known in the tenant",
                    f"application {OTHER} is not known in tenant {TENANT}"),
    "tenant": Way(settings(tenant_id=OTHER), "the tenant is not known", f"tenant {OTHER} is not known at https://"),
    "disabled": Way(refuse(7000112, "unauthorized_client", 400), "the application is disabled",
                    "Enabled for users to sign-in"),
    "noprincipal": Way(refuse(7000229, "unauthorized_client", 400), "has no service principal in the tenant",
                       "az ad sp create --id"),
    "cloud": Way(refuse(90038, "invalid_request", 400), "the tenant is in another cloud", "set `cloud` to the one of"),
    "policy": Way(refuse(53003, "interaction_required", 400), "a conditional access policy forbids it",
                  "Service principal sign-ins"),
    "risk": Way(refuse(530034, "unauthorized_client", 400), "the application is disabled or at risk",
                "Risky workload identities"),
    "consent": Way(refuse(65001, "invalid_grant", 400), "nobody has consented", "admin-consent --id"),
    "audience": Way(refuse(500011, "invalid_resource", 400), "the audience is not known in the tenant",
                    "check cloud.audience"),
    "often": Way(refuse(50196, "invalid_client", 400), "the same request came too often", "other programs"),
    "unknown": Way(refuse(123456, "invalid_client", 400, "A new error."), "AADSTS123456: A new error.",
                   "https://login.microsoftonline.com/error?code=123456"),
    # the service, and what stands before it
    "throttled": Way(answer("throttle", delay_ms=3600000), "no token: 429", "other programs that ask for tokens of application",
                     reason="throttled"),
    "down": Way(answer("status", status=503, code="temporarily_unavailable"), "503 temporarily_unavailable", "see Azure's status page"),
    "gateway": Way(answer("page", status=502, param="Bad Gateway"), "it is a web page, \"Bad Gateway\"", "proxy, firewall"),
    "hotel": Way(answer("page", status=403, param="Log in"), "it is a web page, \"Log in\"", "proxy, firewall"),
    "elsewhere": Way(answer("redirect"), "which is not followed", "proxy, firewall"),
    "garbage": Way(answer("garbage"), "sent a token that cannot be used", "proxy, firewall"),
    "shape": Way(answer("wrong_json"), "its access_token is missing or malformed", "proxy, firewall"),
    "dpop": Way(answer("member", code="token_type", param='"DPoP"'), "its token_type is not Bearer", "proxy, firewall"),
    "forever": Way(answer("member", code="expires_in", param="0"), "its expires_in is not a positive number",
                   "proxy, firewall"),
    "inject": Way(answer("member", code="access_token", param='"a\\r\\nb"'), "its access_token is missing or malformed",
                  "proxy, firewall"),
    "oversized": Way(answer("oversized"), "longer than 65536 bytes", "proxy, firewall", reason="network"),
    "lost": Way(answer("lost_before"), "the answer was lost", "the proxy and ca_file on this machine", reason="network"),
    "cut": Way(answer("truncate"), "the answer was lost", "the proxy and ca_file on this machine", reason="network"),
}


def prepare(case):
    case.settings["client_id"] = case.client
    register(case, secret=SECRET)
    case.settings["client_secret_file"] = case.write("secret", SECRET + "\n")
    case.secrets += [SECRET, SECRET[:12]]


def test_forty_ways_of_being_wrong(site):
    cases = add(site, WAYS, {"type": "client_secret", "tenant_id": TENANT}, prepare)
    site.start()
    check(site, WAYS, cases)
