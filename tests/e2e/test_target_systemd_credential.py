"""The target `systemd_credential`, with the real systemd-creds and a host secret of the test's own."""

import os
import subprocess

import pytest

from patience import wait_until

PROGRAM = "/usr/bin/systemd-creds"


class Credentials:
    def __init__(self, site):
        self.site = site
        self.secret = site.directory / "host-secret"
        self.file = site.directory / "alpha.cred"
        self.run("setup")

    def run(self, *arguments, **more):
        environment = {**os.environ, "SYSTEMD_CREDENTIAL_SECRET": str(self.secret)}
        return subprocess.run([PROGRAM, *arguments], capture_output=True, check=True,
                              env=environment, **more)

    def encrypt(self, text, name="batch-key"):
        done = self.run("encrypt", f"--name={name}", "--with-key=host", "-", "-",
                        input=text.encode())
        draft = self.file.with_suffix(".draft")
        draft.write_bytes(done.stdout)
        draft.rename(self.file)

    def slot(self):
        """Which live key a reader would get, or None."""
        try:
            done = self.run("decrypt", "--name=batch-key", self.file, "-")
        except subprocess.CalledProcessError:
            return None
        keys = self.site.azure.keys("alpha")
        return next((slot for slot, key in keys.items() if f"{key}\n" == done.stdout.decode()),
                    None)


@pytest.fixture
def credentials(site):
    site.policy(rotate_every="10m", overlap="300ms", check_every="500ms")
    made = Credentials(site)
    site.config["targets"]["creds"] = {
        "type": "systemd_credential", "name": "batch-key",
        "path": f"{site.directory}/{{account}}.cred", "host_secret_file": str(made.secret)}
    site.config["defaults"]["deliver_to"] = ["creds"]
    site.account("alpha")
    return made


def rotate(site):
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    assert site.ctl("rotate", "alpha", "--wait").returncode == 0


def test_a_reader_gets_each_key(site, credentials):
    site.start()
    wait_until(lambda: credentials.slot() == "Primary", "the first key is there")
    assert credentials.file.stat().st_mode & 0o777 == 0o600
    rotate(site)
    assert credentials.slot() == "Secondary"
    # The same key is not encrypted again: its reader would be restarted for nothing.
    before = credentials.file.stat()
    assert site.ctl("redeliver", "alpha").returncode == 0
    mark = site.log.mark()
    site.ctl("check", "alpha")
    wait_until(lambda: site.status("alpha")["state"] == "ok", "all is well")
    assert credentials.file.stat().st_ino == before.st_ino
    assert not site.log.lines(since=mark, event="drift.detected")
    assert not site.find_secrets([credentials.file])


def test_what_a_reader_cannot_use_is_repaired(site, credentials):
    site.start()
    wait_until(lambda: credentials.slot() == "Primary", "the first key is there")

    def repaired(what):
        wait_until(lambda: credentials.slot() == "Primary", f"{what} is repaired")

    credentials.file.write_text("this is no credential\n")
    repaired("garbage")
    credentials.encrypt(site.azure.keys("alpha")["Primary"] + "\n", name="another-name")
    repaired("a name that is not the reader's")
    credentials.encrypt("no key\n")
    repaired("another content")
    credentials.file.unlink()
    repaired("a missing file")
    assert len(site.log.lines(event="drift.repaired", account="alpha")) >= 1


def test_without_the_host_secret_nothing_is_rotated(site, credentials):
    site.start()
    wait_until(lambda: credentials.slot() == "Primary", "the first key is there")
    secret = credentials.secret.read_bytes()
    credentials.secret.unlink()
    credentials.secret.mkdir()
    wait_until(lambda: site.status("alpha")["state"] == "retrying", "it is noticed")
    said = site.ctl("status", "alpha").stdout
    assert "systemd-creds decrypt failed with exit status 1" in said
    assert "systemd-creds setup" in said and "do:" in said
    credentials.secret.rmdir()
    credentials.secret.write_bytes(secret)
    credentials.secret.chmod(0o400)
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is well again")
    rotate(site)
    assert credentials.slot() == "Secondary"
