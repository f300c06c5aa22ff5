"""Applications that prove who they are by a certificate."""

import datetime
import json
import subprocess

import pytest

from certificates import openssl
from patience import wait_until
from stand_in import CLIENT, TENANT

PASSWORD = "correct horse battery staple"


class Pair:
    """A certificate with its RSA key, as files."""

    def __init__(self, directory, name, days=100):
        self.certificate, self.key = directory / f"{name}.crt", directory / f"{name}.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", days,
                "-keyout", self.key, "-out", self.certificate)

    def text(self):
        return self.certificate.read_text() + self.key.read_text()


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path, "first")


def replace(path, content):
    """As a careful person does: readers see the old file or the new one."""
    draft = path.with_suffix(".draft")
    draft.touch(0o600)
    draft.write_text(content)
    draft.rename(path)
    return path


def register(azure, certificate):
    azure.ask("POST", "clients", {"client_id": CLIENT, "certificate": certificate.read_text()})


def by_certificate(site, file, **settings):
    site.config["identities"] = {"ops": {"type": "client_certificate", "tenant_id": TENANT,
                                         "client_id": CLIENT, "client_certificate_file": str(file),
                                         **{name: value if isinstance(value, bool) else str(value)
                                            for name, value in settings.items()}}}
    if not site.config["accounts"]:
        site.account("alpha")


def tokens(site, since=0):
    return len(site.log.lines(since, event="token.acquired"))


def test_key_and_chain_in_one_file(site, azure, tmp_path, pair):
    """The stand-in checks signature, thumbprint, audience and times; tokens are renewed ahead of their end."""
    azure.settings(token_lifetime=4)
    register(azure, pair.certificate)
    by_certificate(site, replace(tmp_path / "ops.pem", pair.text()), send_certificate_chain=True)
    daemon = site.start()
    site.wait_rotations("alpha", 2)
    wait_until(lambda: tokens(site) >= 3, "tokens are renewed")
    assert daemon.stop() == 0
    assert not site.log.lines(event="token.failed") and not site.log.lines(event="credential.expiring")
    assert not site.find_secrets(site.all_files())
    lines = [line for line in pair.key.read_text().splitlines() if "-----" not in line]
    assert not any(line in site.log.text() for line in lines)


def test_an_application_that_knows_subject_and_issuer(site, azure, tmp_path):
    """Any certificate of theirs will do, and has to come with its chain."""
    root, middle, leaf = (tmp_path / name for name in ("root", "middle", "leaf"))
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-keyout")
    openssl(*request, f"{root}.key", "-x509", "-subj", "/CN=root", "-days", "9", "-out", f"{root}.crt")
    (tmp_path / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\n")
    for name, issuer, options in ((middle, root, ("-extfile", tmp_path / "ca.ext")), (leaf, middle, ())):
        openssl(*request, f"{name}.key", "-subj", f"/CN={name.name}", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key",
                "-CAcreateserial", "-days", "90", "-out", f"{name}.crt", *options)
    file = replace(tmp_path / "ops.pem", "".join(
        (tmp_path / name).read_text() for name in ("middle.crt", "leaf.key", "leaf.crt")))
    azure.ask("POST", "clients", {"client_id": CLIENT, "authority": (tmp_path / "root.crt").read_text(),
                                  "subject": "CN=leaf"})
    by_certificate(site, file)
    daemon = site.start()
    failed = site.log.wait("token.failed")
    assert failed["error_code"] == "AADSTS700027"
    assert "send_certificate_chain: true" in failed["remedy"]
    by_certificate(site, file, send_certificate_chain=True)
    site.write()
    daemon.reload()
    site.wait_rotations("alpha", 1)


def test_encrypted_key_in_a_file_of_its_own(site, azure, tmp_path, pair):
    register(azure, pair.certificate)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    openssl("pkcs8", "-topk8", "-in", pair.key, "-out", tmp_path / "encrypted.key", "-passout",
            f"pass:{PASSWORD}")
    by_certificate(site, pair.certificate, client_certificate_key_file=tmp_path / "encrypted.key",
                   client_certificate_password_file=tmp_path / "password")
    site.start()
    site.wait_rotations("alpha", 1)
    assert PASSWORD not in site.log.text()


def test_pkcs12(site, azure, tmp_path, pair):
    register(azure, pair.certificate)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    openssl("pkcs12", "-export", "-in", pair.certificate, "-inkey", pair.key, "-out", tmp_path / "ops.pfx",
            "-passout", f"pass:{PASSWORD}")
    by_certificate(site, tmp_path / "ops.pfx", client_certificate_password_file=tmp_path / "password")
    site.start()
    site.wait_rotations("alpha", 1)


@pytest.mark.parametrize("first", ["certificate", "key"])
def test_replaced_one_after_the_other(site, azure, tmp_path, pair, first):
    """Between the two files, and until the application knows the new certificate, the old pair serves."""
    azure.settings(token_lifetime=4)
    register(azure, pair.certificate)
    certificate = replace(tmp_path / "ops.crt", pair.certificate.read_text())
    key = replace(tmp_path / "ops.key", pair.key.read_text())
    by_certificate(site, certificate, client_certificate_key_file=key)
    site.start()
    site.wait_rotations("alpha", 1)
    second = Pair(tmp_path, "second")
    files = [(certificate, second.certificate), (key, second.key)]
    if first == "key":
        files.reverse()
    mark = site.log.mark()
    replace(files[0][0], files[0][1].read_text())
    told = site.log.wait("credential.expiring", since=mark)
    assert "goes on with the certificate CN=first" in told["msg"]
    assert "belongs to another certificate" in told["msg"] and "openssl pkey -pubout" in told["remedy"]
    replace(files[1][0], files[1][1].read_text())
    told = site.log.wait("credential.expiring", since=mark, error_code="AADSTS700027")
    assert "goes on with the certificate CN=first" in told["msg"]
    seen = tokens(site)
    register(azure, second.certificate)
    wait_until(lambda: tokens(site) >= seen + 2, "tokens are renewed")
    assert not site.log.lines(event="token.failed")
    wait_until(lambda: json.loads(site.ctl("--json", "status").stdout)["daemon"]["credential_problem"] is None,
               "the new certificate serves")
    assert "CN=second" in json.loads(site.ctl("--json", "status").stdout)["daemon"]["credential"]


def test_a_certificate_that_ends_soon(site, azure, tmp_path):
    """Told once for each of 30, 7 and 1 days ahead, and by status."""
    pair = Pair(tmp_path, "old", days=20)
    azure.settings(token_lifetime=2)
    register(azure, pair.certificate)
    by_certificate(site, replace(tmp_path / "ops.pem", pair.text()))
    site.start()
    told = site.log.wait("credential.expiring")
    wait_until(lambda: tokens(site) >= 3, "tokens are renewed")
    assert len(site.log.lines(event="credential.expiring")) == 1
    assert told["identity"] == "ops" and told["level"] == "notice"
    assert "the certificate CN=old (thumbprint " in told["msg"] and " ends in " in told["msg"]
    assert f"az ad app credential reset --id {CLIENT}" in told["remedy"]
    ends = datetime.datetime.fromisoformat(told["expires_at"].replace("Z", "+00:00"))
    left = ends - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=19) < left <= datetime.timedelta(days=20)
    status = json.loads(site.ctl("--json", "status").stdout)["daemon"]
    assert status["credential_identity"] == "ops" and status["credential_remedy"] == told["remedy"]
    assert status["credential_expires_at"][:19] == told["expires_at"][:19]
    shown = site.ctl("status").stdout
    assert "\nidentity ops: the certificate CN=old" in shown and "\n    do: make another certificate" in shown


def test_what_entra_refuses(site, azure, tmp_path, pair):
    """An application that knows another certificate, or none."""
    register(azure, Pair(tmp_path, "other").certificate)
    by_certificate(site, replace(tmp_path / "ops.pem", pair.text()))
    site.start()
    failed = site.log.wait("token.failed")
    assert failed["error_code"] == "AADSTS700027" and failed["http_status"] == 401
    thumbprint = subprocess.run(["openssl", "x509", "-in", pair.certificate, "-noout", "-fingerprint", "-sha1"],
                                check=True, capture_output=True, text=True).stdout
    thumbprint = thumbprint.partition("=")[2].strip().replace(":", "")
    assert f"add the certificate CN=first (thumbprint {thumbprint}) to the application" in failed["remedy"]
    assert f"az ad app credential reset --id {CLIENT} --cert @cert.pem --append" in failed["remedy"]
    site.log.wait("rotation.retrying", account="alpha")
    register(azure, pair.certificate)
    site.wait_rotations("alpha", 1)


def test_what_is_wrong_before_anything_is_sent(site, azure, tmp_path, pair):
    """Nothing asks on a terminal, and nothing is sent."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=ec",
            "-days", "2", "-keyout", tmp_path / "ec.key", "-out", tmp_path / "ec.crt")
    openssl("pkcs8", "-topk8", "-in", pair.key, "-out", tmp_path / "encrypted.key", "-passout", "pass:x")
    old = tmp_path / "ops.pem"
    for content, text, remedy in (
            ((tmp_path / "ec.crt").read_text() + (tmp_path / "ec.key").read_text(),
             "holds a key of type EC, and it has to be RSA", "rsa:3072"),
            (pair.certificate.read_text() + (tmp_path / "encrypted.key").read_text(),
             "holds an encrypted private key", "client_certificate_password_file"),
            (pair.certificate.read_text(), "holds no private key", "append the private key")):
        by_certificate(site, replace(old, content))
        mark = site.log.mark()
        daemon = site.start()
        failed = site.log.wait("token.failed", since=mark)
        assert text in failed["msg"] and remedy in failed["remedy"], failed
        daemon.stop()
    assert not [event for event in azure.truth.events("request") if event["op"] == "token"]


def test_check_says_where_the_certificate_is(site, tmp_path, pair):
    by_certificate(site, pair.certificate, client_certificate_key_file="ops-key", send_certificate_chain=True)
    site.write()
    checked = site.run("--check")
    assert checked.returncode == 0, checked.stderr
    assert (f"application {CLIENT} of tenant {TENANT}, certificate from {pair.certificate}, key from "
            "$CREDENTIALS_DIRECTORY/ops-key, read again for every token, sent with its chain") in checked.stdout
    assert "can read" not in checked.stdout + checked.stderr, "a certificate is no secret"


def test_credentials_that_the_unit_hands_over(site, azure, tmp_path, pair):
    """Names below $CREDENTIALS_DIRECTORY; remedies name the line of the unit instead of the copy."""
    register(azure, pair.certificate)
    replace(tmp_path / "ops.pem", pair.certificate.read_text())
    replace(tmp_path / "ops.key", pair.key.read_text())
    by_certificate(site, "ops.pem")
    daemon = site.start(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    failed = site.log.wait("token.failed")
    assert f"client_certificate_file {tmp_path}/ops.pem holds no private key" in failed["msg"]
    assert "`LoadCredential=ops.pem:` of the unit names (and restart the daemon" in failed["remedy"]
    daemon.stop()
    by_certificate(site, "ops.pem", client_certificate_key_file="ops.key")
    site.start(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    site.wait_rotations("alpha", 1)
