"""Identities with a certificate, and the ways in which they are wrong."""

import base64
import os
import pathlib
import tempfile

import pytest

from certificates import openssl
from stand_in import TENANT
from wrong_identities import Way, add, answer, both, check, refuse, register, replaced, settings

PASSWORD = "correct horse battery staple"
OTHER = "99999999-9999-9999-9999-999999999999"  # known to nobody


class Stock:
    """Certificates and keys, made once."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        for name, *key in (("good", "rsa:2048"), ("other", "rsa:2048"), ("short", "rsa:1024"),
                           ("ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
            openssl("req", "-x509", "-newkey", *key, "-nodes", "-subj", f"/CN={name}", "-days", 90,
                    "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.pem"))
        openssl("req", "-new", "-key", self.path("good.key"), "-subj", "/CN=good", "-out", self.path("good.csr"))
        openssl("pkcs8", "-topk8", "-in", self.path("good.key"), "-passout", f"pass:{PASSWORD}", "-out",
                self.path("encrypted.key"))
        openssl("pkey", "-in", self.path("good.key"), "-pubout", "-out", self.path("public.key"))
        bundle = ("pkcs12", "-export", "-in", self.path("good.pem"), "-inkey", self.path("good.key"), "-passout",
                  f"pass:{PASSWORD}")
        openssl(*bundle, "-out", self.path("good.pfx"))
        openssl(*bundle, "-legacy", "-out", self.path("old.pfx"))
        openssl("pkcs12", "-export", "-in", self.path("good.pem"), "-nokeys", "-passout", "pass:", "-out",
                self.path("nokey.pfx"))
        self.valid("past", "20200101000000Z", "20210101000000Z")
        self.valid("future", "20990101000000Z", "20991231000000Z")

    def valid(self, name, begin, end):
        """A certificate of the good key for that time."""
        settings = self.path("ca.conf")
        settings.write_text(f"[ca]\ndefault_ca=all\n[all]\ndatabase={self.path('index')}\nserial={self.path('serial')}\n"
                            f"new_certs_dir={self.directory}\ndefault_md=sha256\npolicy=any\n[any]\n"
                            "commonName=supplied\n")
        self.path("index").write_text("")
        self.path("serial").write_text("01\n")
        openssl("ca", "-batch", "-notext", "-config", settings, "-selfsign", "-keyfile", self.path("good.key"), "-in",
                self.path("good.csr"), "-startdate", begin, "-enddate", end, "-out", self.path(f"{name}.pem"))

    def path(self, name):
        return self.directory / name

    def bytes(self, *names):
        return b"".join(self.path(name).read_bytes() for name in names)

    def secrets(self):
        lines = (line for name in ("good.key", "encrypted.key") for line in self.path(name).read_text().splitlines())
        return [PASSWORD, *(line for line in lines if "-----" not in line)]


@pytest.fixture(scope="module")
def stock():
    with tempfile.TemporaryDirectory(prefix="krc-") as directory:
        yield Stock(directory)


def holds(*names):
    """What the one file holds."""
    return lambda case: case.write("pair", case.stock.bytes(*names))


def key(*names, more=b""):
    """What the file of the key holds."""
    def put(case):
        case.settings["client_certificate_key_file"] = case.write("key", case.stock.bytes(*names) + more)
    return put


def password(text):
    """What the file of the password holds; None: there is none."""
    def put(case):
        path = case.settings["client_certificate_password_file"] = case.write("password", text or "")
        if text is None:
            os.unlink(path)
    return put


def base64_text(case):
    case.write("pair", base64.encodebytes(case.stock.bytes("good.pfx")))


def damaged(case):
    """A certificate whose bytes are cut."""
    lines = case.stock.bytes("good.pem").split(b"\n")
    case.write("pair", b"\n".join(lines[:-5] + lines[-2:]) + case.stock.bytes("good.key"))


def half(case):
    case.write("pair", case.stock.bytes("good.key", "good.pem")[:-200])


def of_another(case):
    """The application knows another certificate."""
    register(case, certificate=case.stock.path("other.pem").read_text())


def of_an_issuer(case):
    """The application knows subject and issuer."""
    register(case, authority=case.stock.path("good.pem").read_text(), subject="CN=good")


SENT = "`openssl req -x509 -newkey rsa:3072"
WAYS = {
    # the files
    "missing": Way(replaced("pair", lambda path: None), "No such file or directory", "PEM or PKCS#12"),
    "directory": Way(replaced("pair", os.mkdir), "is not a regular file", "/pair.old`, then make"),
    "pipe": Way(replaced("pair", os.mkfifo), "is not a regular file", "/pair.old`, then make"),
    "huge": Way(lambda case: case.write("pair", "x" * 140000), "is larger than 131072 bytes", "PEM or PKCS#12"),
    "empty": Way(holds(), "is empty", "as PEM, one after the other, or as PKCS#12"),
    "text": Way(lambda case: case.write("pair", "none\n"), "is neither PEM nor PKCS#12", "as PEM, one after the other"),
    "base64": Way(base64_text, "but the base64 text of one", "`base64 -d` makes it of its text"),
    "keymissing": Way(both(key(), lambda case: (case.directory / "key").unlink()), "client_certificate_key_file",
                      "PEM or PKCS#12"),
    "notloaded": Way(settings(client_certificate_file="notloaded"), "there is no $CREDENTIALS_DIRECTORY",
                     "LoadCredential=notloaded:"),
    # what they hold
    "nokey": Way(holds("good.pem"), "holds no private key", "append the private key to"),
    "publickey": Way(holds("good.pem", "public.key"), "holds no private key, but a block \"PUBLIC KEY\"",
                     "append the private key to"),
    "nocert": Way(holds("good.key"), "holds no certificate", "in PEM (BEGIN CERTIFICATE)"),
    "request": Way(holds("good.key", "good.csr"), "holds no certificate, but a block \"CERTIFICATE REQUEST\"",
                   "in PEM (BEGIN CERTIFICATE)"),
    "twokeys": Way(holds("good.key", "good.pem", "other.key"), "holds more than one private key",
                   "leave one private key in"),
    "mismatch": Way(holds("good.pem", "other.key"), "holds a private key that belongs to another certificate",
                    "`openssl pkey -pubout -in"),
    "mismatchfile": Way(key("other.key"), "/key holds a private key that belongs to another certificate",
                        "`openssl pkey -pubout -in"),
    "ecdsa": Way(holds("ec.pem", "ec.key"), "holds a key of type EC, and it has to be RSA", SENT),
    "short": Way(holds("short.pem", "short.key"), "holds an RSA key of 1024 bits", SENT),
    "damaged": Way(damaged, "holds a damaged", "as PEM, one after the other"),
    "half": Way(half, "holds a damaged", "as PEM, one after the other"),
    "emptykey": Way(key(), "key is empty", "as PEM, one after the other"),
    "nokeypfx": Way(holds("nokey.pfx"), "holds no private key", "append the private key to"),
    # passwords
    "nopassword": Way(holds("good.pem", "encrypted.key"), "holds an encrypted private key",
                      "set `client_certificate_password_file` of the identity"),
    "pfxnopassword": Way(holds("good.pfx"), "is encrypted", "set `client_certificate_password_file` of the identity"),
    "badpassword": Way(both(holds("good.pem", "encrypted.key"), password("wrong\n")),
                       "is encrypted with another password", "write the password of"),
    "pfxpassword": Way(both(holds("good.pfx"), password("wrong\n")), "is encrypted with another password",
                       "write the password of"),
    "twolines": Way(both(holds("good.pfx"), password(f"{PASSWORD}\n{PASSWORD}\n")), "it is more than one line",
                    "nothing else"),
    "lostpassword": Way(both(holds("good.pfx"), password(None)), "No such file or directory", "nothing else"),
    "oldpfx": Way(both(holds("old.pfx"), password(PASSWORD)), "is encrypted in an old way that OpenSSL 3 leaves out",
                  "openssl pkcs12 -legacy -in"),
    # its time
    "past": Way(holds("past.pem", "good.key"), "the certificate CN=good expired at 2021-01-01",
                "make another certificate"),
    "future": Way(holds("future.pem", "good.key"), "the certificate CN=good is not valid before 2099-01-01",
                  "see that the clock is right"),
    # the application and its tenant
    "unknown": Way(of_another, "the signature of the assertion was not accepted",
                   "add the certificate CN=good (thumbprint "),
    "issuer": Way(of_an_issuer, "the signature of the assertion was not accepted", "`send_certificate_chain: true`"),
    "stranger": Way(settings(client_id=OTHER), "the application is not known in the tenant",
                    f"application {OTHER} is not known in tenant {TENANT}"),
    "tenant": Way(settings(tenant_id=OTHER), "the tenant is not known", f"tenant {OTHER} is not known at https://"),
    "clock": Way(refuse(700024), "the assertion is not valid at this time", "`timedatectl set-ntp true`"),
    "clientid": Way(refuse(700021), "the assertion is of another application", "check client_id"),
    "policy": Way(refuse(53003, "interaction_required", 400), "a conditional access policy forbids it",
                  "Service principal sign-ins"),
    # the service
    "throttled": Way(answer("throttle", delay_ms=3600000), "no token: 429",
                     "other programs that ask for tokens of application", reason="throttled"),
    "down": Way(answer("status", status=503, code="temporarily_unavailable"), "503 temporarily_unavailable",
                "see Azure's status page"),
    "garbage": Way(answer("garbage"), "sent a token that cannot be used", "proxy, firewall"),
    "lost": Way(answer("lost_before"), "the answer was lost", "the proxy and ca_file on this machine",
                reason="network"),
}


def test_forty_ways_of_being_wrong(site, stock):
    def prepare(case):
        case.stock = stock
        case.secrets += stock.secrets()
        case.settings["client_id"] = case.client
        register(case, certificate=stock.path("good.pem").read_text())
        case.settings["client_certificate_file"] = case.write("pair", stock.bytes("good.key", "good.pem"))

    cases = add(site, WAYS, {"type": "client_certificate", "tenant_id": TENANT}, prepare)
    site.start()
    check(site, WAYS, cases)
