"""The target `systemd_credential`, with the real systemd-creds and a host secret of the test's own, and
ways of being wrong."""

import os
import subprocess

import pytest

from patience import wait_until
from ways import AS_SERVICE, DENIED, FAILED, Place, prepare, type_remedy, wait_told

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
    site.policy(rotate_every="30d", overlap="300ms", check_every="500ms")
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
    assert f"host_secret_file {credentials.secret} cannot be used: it is no regular file" in said
    assert "systemd-creds setup" in said and "do:" in said
    credentials.secret.rmdir()
    credentials.secret.write_bytes(secret)
    credentials.secret.chmod(0o400)
    wait_until(lambda: site.status("alpha")["state"] == "ok", "it is well again")
    rotate(site)
    assert credentials.slot() == "Secondary"


# --- ways of being wrong ---

def program(body):
    """What stands in the place of systemd-creds."""
    def write(at):
        path = at.directory / "creds"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        at.set(program=str(path))
    return write


def says(words, status=1):
    return program(f"echo '{words}' >&2; exit {status}")


def other_program(prepare_it):
    def write(at):
        path = at.directory / "creds"
        prepare_it(path)
        at.set(program=str(path))
    return write


def script(text, mode=0o755):
    def write(path):
        path.write_text(text)
        path.chmod(mode)
    return other_program(write)


def secret(prepare_it):
    """Another secret of the host."""
    def write(at):
        path = at.directory / "secret"
        prepare_it(at, path)
        at.set(host_secret_file=str(path))
    return write


def bytes_of(content, mode=0o400):
    def write(_, path):
        path.write_bytes(content)
        path.chmod(mode)
    return write


def of_stranger(at, path):
    path.write_bytes(b"x" * 4112)
    at.of_stranger(path, 0o400)


SETUP = "setup` as root, and see that {directory}/secret is a copy of /var/lib/systemd/credential.secret"
NO_SECRET = "{path}: host_secret_file {directory}/secret cannot be used: "
DETERMINE = "/usr/bin/systemd-creds encrypt failed with exit status 1: Failed to determine local " \
    "credential host secret: "
SEE = "see what `echo x | {directory}/creds encrypt --with-key=host --name=x - -` says"
ENCRYPT = "{directory}/creds encrypt "
SHORTEN = "shorten `path`: a name in it may have 255 bytes"
HEAD = "`head -n 1 {directory}/creds`"
WAYS = {
    "noprogram": (other_program(lambda path: None), FAILED,
                  "{directory}/creds cannot be started: there is no such file",
                  "install systemd 250 or later, or correct `program`"),
    "programdir": (other_program(lambda path: path.mkdir()), DENIED, "it is a directory",
                   "change the path to a program in {directory}/creds"),
    "mode": (script("#!/bin/sh\n", 0o644), DENIED, "may not execute it", "run `chmod a+x {directory}/creds`"),
    "interpreter": (script("#!/nowhere/sh\n"), FAILED, "its interpreter is missing",
                    "correct the first line of {directory}/creds (" + HEAD),
    "headless": (script("exit 0\n"), FAILED, "it is no program of this machine", "make `#!/bin/sh` its"),
    "programloop": (other_program(lambda path: path.symlink_to("creds")), FAILED, "its path is wrong",
                    "`namei -l {directory}/creds` takes apart"),
    "nosecret": (secret(lambda at, path: None), FAILED, NO_SECRET + "No such file", SETUP),
    "secretdir": (secret(lambda at, path: path.mkdir()), FAILED, NO_SECRET + "it is no regular file", SETUP),
    "secretpipe": (secret(lambda at, path: os.mkfifo(path)), FAILED,
                   NO_SECRET + "it is no regular file", SETUP),
    "secretloop": (secret(lambda at, path: path.symlink_to("secret")), FAILED,
                   NO_SECRET + "Too many levels of symbolic links", SETUP),
    "emptysecret": (secret(bytes_of(b"")), FAILED, DETERMINE + "Invalid argument", SETUP),
    "opensecret": (secret(bytes_of(b"x" * 4112, 0o644)), FAILED, DETERMINE + "Operation not permitted",
                   "run `chmod 400 {directory}/secret`, and let the daemon's user own it"),
    "theirsecret": (secret(of_stranger), DENIED, "Permission denied", SETUP),
    "uncredited": (lambda at: at.set(host_secret_file="hs"), FAILED,
                   "host_secret_file hs is relative, but there is no $CREDENTIALS_DIRECTORY",
                   "add `LoadCredential=hs:/var/lib/systemd/credential.secret` below"),
    "tpm": (lambda at: at.set(key="tpm2"), FAILED, "/usr/bin/systemd-creds encrypt failed with exit status 1: ",
            "set `key: host`"),
    "tpmlost": (says("Failed to unseal secret using TPM2: State not recoverable"), FAILED,
                ENCRYPT + "failed with exit status 1: Failed to unseal", "set `key: host`"),
    "oldversion": (says("Unknown command verb encrypt."), FAILED, "Unknown command verb encrypt.", SEE),
    "usage": (says("unrecognized option --with-key=host", 64), FAILED, ENCRYPT + "failed with exit status 64: ",
              SEE),
    "memory": (says("Failed to allocate memory: Cannot allocate memory"), FAILED, "allocate memory", SEE),
    "silent": (program("exit 1"), FAILED, ENCRYPT + "failed with exit status 1", SEE),
    "nothing": (program("cat >/dev/null"), FAILED, ENCRYPT + "wrote nothing", SEE),
    "large": (program("head -c 100000 /dev/zero"), FAILED, "more than 64 KiB", SEE),
    "flood": (program("exec yes"), FAILED, "wrote more than 8 MiB", SEE),
    "killed": (program("kill -KILL $$"), FAILED, "was ended by signal 9 (SIGKILL)", SEE),
    "tellskey": (program("cat >&2; exit 1"), FAILED, "failed with exit status 1: ****", SEE),
    "tellshalf": (program("cut -c5-45 >&2; exit 1"), FAILED, "failed with exit status 1: ****", SEE),
    "missing": (lambda at: at.below("missing", "key"), FAILED,
                "cannot open directory {directory}/missing/: No such file or directory",
                "`install -d -o root -g root -m 2750 {directory}/missing`"),
    "directory": (lambda at: at.path.mkdir(), FAILED, "{path} is not a regular file", "remove {path}, or set"),
    "pipe": (lambda at: os.mkfifo(at.path), FAILED, "{path} is not a regular file", "remove {path}, or set"),
    "socket": (Place.socket, FAILED, "{path} is not a regular file", "remove {path}, or set"),
    "belowfile": (Place.below_file, FAILED, "Not a directory", "a part of {directory}/file is a file"),
    "toolong": (lambda at: at.below("n" * 256), FAILED, "File name too long", SHORTEN),
    "readonly": (lambda at: at.namespace.mount_read_only(at.directory), DENIED, "Read-only file system",
                 "add `ReadWritePaths={directory}` below"),
    "noinodes": (lambda at: at.mount("nr_inodes=1"), FAILED, "No space left on device", "`df -i {directory}`"),
    "mountpoint": (Place.mount_point, FAILED, "cannot replace {path}: Device or resource busy",
                   "mount the directory {directory} instead"),
    "immutable": (Place.immutable_file, DENIED, "cannot replace {path}: Operation not permitted",
                  "run `chattr -i {path}`, which is immutable"),
    "closed": (lambda at: at.of_stranger(at.directory, 0o755), DENIED,
               "cannot create a file beside {path}: Permission denied", "leave {directory} as it is"),
    "theirs": (Place.unreadable, DENIED, "cannot open {path}: Permission denied",
               "redeliver {name}` replaces the file"),
}
# These are carried out as they stand there.
TYPED = ("mode", "missing", "immutable")


def test_ways_of_being_wrong(site, namespace, places):
    site.policy(rotate_every="30d", check_every="1h")
    made = Credentials(site)
    ways = {}
    for name, place, way in prepare(WAYS, site, namespace, places):
        site.config["targets"][name] = {
            "type": "systemd_credential", "name": "batch-key", "path": str(place.path),
            "host_secret_file": str(made.secret), **place.settings}
        site.account(name, deliver_to=[name])
        ways[name] = way
    site.account("well")
    site.start(wrapped=[*namespace.command, *AS_SERVICE])
    site.wait_adopted("well")
    remedies = wait_told(site, ways)
    halves = [key[4:45] for key in site.azure.truth.keys()]
    assert not site.find_secrets([site.directory / "shown", *site.all_files()], more=halves)
    for name in TYPED:
        if name in remedies:
            type_remedy(site, remedies[name])
