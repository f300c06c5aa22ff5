"""The image, run by podman and crun as the manual says: read-only, without privileges, READY told."""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import tempfile

import pytest

from conftest import ROOT
from patience import wait_until
from stand_in import CLIENT, CLIENT_SECRET, TENANT, resource_id

USER = 65532
CONFIGURATION_ERROR = 78
POLICY = {"rotate_every": "2s", "overlap": "800ms", "splay": "0s", "check_every": "1500ms",
         "overdue_after": "10s"}
TIMING = {"retry_initial": "200ms", "retry_max": "1s", "unknown_wait": "1s", "verify_timeout": "3s",
          "settle": "500ms"}
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


class Site:
    """A configuration, a secret and volumes on the host, and a container that has them."""

    def __init__(self, engine, azure):
        self.engine = engine
        self.azure = azure
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="krc-"))
        self.directory.chmod(0o755)
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(self.directory / "notify"))
        self.notified.settimeout(30)
        self._environment = {**os.environ, "NOTIFY_SOCKET": str(self.directory / "notify")}
        self.secret = self._name("secret")
        (self.directory / "secret").write_text(CLIENT_SECRET + "\n", encoding="ascii")
        engine.podman("secret", "create", self.secret, self.directory / "secret")
        azure.create("acct")
        self.configure(policies={"quick": POLICY})
        self.container = None

    def _name(self, kind):
        return f"{self.directory.name}-{kind}"

    def configure(self, **settings):
        etc = self.directory / "etc"
        etc.mkdir(exist_ok=True)
        (etc / "keyrotated.yaml").write_text(json.dumps({
            "version": 1,
            "cloud": {"resource_manager": self.azure.url, "login": self.azure.url,
                      "audience": "https://management.azure.com/"},
            "log": {"format": "json"},
            "timing": TIMING,
            "identities": {"ops": {"type": "client_secret", "tenant_id": TENANT, "client_id": CLIENT,
                                   "client_secret_file": "ops-secret"}},
            "targets": {"file": {"type": "file", "path": "/var/lib/keyrotated-keys/{account}"}},
            "accounts": [{"id": resource_id("acct"), "adopt_active": "primary"}],
            **settings}) + "\n", encoding="ascii")

    def recommended(self):
        """The options of README.md's command, with this site's own directories and names."""
        text = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
        words = shlex.split(re.search(r"^sudo podman run (.*) localhost/keyrotated:VERSION$", text,
                                      re.M)[1])
        assert words[:3] == ["--detach", "--name", "keyrotated"]
        own = [word.replace("/etc/keyrotated:/", f"{self.directory / 'etc'}:/", 1)
               .replace("ops-secret,", f"{self.secret},target=ops-secret,")
               .replace("keyrotated-journal:", f"{self._name('journal')}:")
               .replace("keyrotated-keys:", f"{self._name('keys')}:") for word in words[3:]]
        assert {"--read-only", "--cap-drop=all"} <= set(own) and len(set(own) - set(words)) == 4
        return [*own, f"--volume={self.azure.ca_file}:{AUTHORITIES}:ro"]

    def mounts(self):
        return [f"--volume={self.directory / 'etc'}:/etc/keyrotated:ro",
                # So the image's own place for authorities is where the daemon looks.
                f"--volume={self.azure.ca_file}:{AUTHORITIES}:ro",
                f"--secret={self.secret},target=ops-secret,uid={USER},mode=0400"]

    def start(self, *options):
        self.container = self.engine.create(*options, environment=self._environment)
        self.again()

    def again(self):
        """The same container once more."""
        self.engine.podman("start", self.container, env=self._environment)

    def wait_notice(self, line):
        """Until the daemon has sent it; returns the message."""
        while True:
            message = self.notified.recv(65536).decode()
            if line in message.splitlines():
                return message

    def held(self):
        """The key in the volume: "Primary", "Secondary", or None."""
        where = self.engine.podman("volume", "inspect", "--format={{.Mountpoint}}",
                                   self._name("keys")).stdout.strip()
        file = pathlib.Path(where, "acct")
        text = file.read_text(encoding="ascii").strip() if file.exists() else None
        return next((slot for slot, key in self.azure.keys("acct").items() if key == text), None)

    def account(self):
        done = self.engine.exec(self.container, "keyrotatectl", "--json", "status", "acct")
        return json.loads(done.stdout)["accounts"][0] if done.stdout else {}

    def wait_cycle(self, cycle):
        def reached():
            account = self.account()
            return account if account.get("cycle", 0) >= cycle and account["state"] == "ok" else None

        return wait_until(reached, f"rotation {cycle} is complete", pause=0.2)

    def remove(self):
        if self.container:
            print(self.engine.log(self.container)[-8000:])  # seen where a test fails
        self.engine.podman("rm", "--force", "--time=0", "--volumes", self.container, check=False)
        self.engine.podman("volume", "rm", "--force", self._name("journal"), self._name("keys"),
                           check=False)
        self.notified.close()
        shutil.rmtree(self.directory)


@pytest.fixture
def site(engine, azure):
    one = Site(engine, azure)
    yield one
    one.remove()


def process_status(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return re.search(rf"^{name}:\s*(.*)$", text, re.M)[1].split()


def test_it_rotates_stops_and_goes_on(site):
    site.start(*site.recommended())
    site.wait_notice("READY=1")
    pid = site.engine.state(site.container)["Pid"]
    assert set(process_status(pid, "Uid")) == set(process_status(pid, "Gid")) == {str(USER)}
    assert process_status(pid, "CapEff") == process_status(pid, "CapBnd") == ["0000000000000000"]
    assert process_status(pid, "NoNewPrivs") == ["1"]
    mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text(encoding="ascii").splitlines()
    (root,) = [line.split() for line in mounts if line.split()[4] == "/"]
    assert "ro" in root[5].split(",")

    first = site.wait_cycle(1)
    assert site.held() == first["active"].capitalize()
    assert site.engine.exec(site.container, "keyrotatectl", "status").returncode == 0
    assert site.engine.exec(site.container, "keyrotatectl", "ping").returncode == 0
    site.engine.podman("stop", site.container)
    assert site.engine.state(site.container)["ExitCode"] == 0

    site.again()
    site.wait_notice("READY=1")
    cycle = site.account()["cycle"]
    assert cycle >= first["cycle"], "the journal is that of before"
    site.wait_cycle(cycle + 1)
    os.kill(site.engine.state(site.container)["Pid"], signal.SIGKILL)
    wait_until(lambda: not site.engine.state(site.container)["Running"], "the container ended")

    site.again()
    site.wait_notice("READY=1")
    last = site.wait_cycle(cycle + 2)
    assert site.held() == last["active"].capitalize()
    said = site.engine.log(site.container)
    assert "keyrotated-admin" not in said, "nobody can make a group in the container"
    assert said.count('"event":"account.adopted"') == 1, "nobody adopts an account that is in the journal"
    for key in (*site.azure.keys("acct").values(), CLIENT_SECRET):
        assert key not in said


def test_a_volume_that_belongs_to_root_and_the_group(site):
    """As Kubernetes leaves it with fsGroup."""
    volume = site.directory / "volume"
    volume.mkdir()
    os.chown(volume, 0, USER)
    volume.chmod(0o2775)
    (site.directory / "keys").mkdir()
    site.start("--sdnotify=container", *site.mounts(), f"--volume={volume}:/var/lib/keyrotated",
               f"--volume={site.directory / 'keys'}:/var/lib/keyrotated-keys:U")
    site.wait_notice("READY=1")
    site.wait_cycle(1)
    journal = volume / "journal"
    assert journal.stat().st_uid == USER and journal.stat().st_mode & 0o077 == 0
    site.engine.podman("stop", "--time=30", site.container)

    # With the default of fsGroupChangePolicy, every mount opens all of it to the group.
    for path in (journal, *journal.iterdir()):
        os.chown(path, -1, USER)
        path.chmod(path.stat().st_mode | (0o2770 if path.is_dir() else 0o660))
    site.again()
    site.wait_notice("READY=1")
    assert journal.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in journal.iterdir())


def test_podman_makes_a_service_of_it(site):
    site.start(*site.recommended())
    unit = site.engine.podman("generate", "systemd", "--new", "--name", site.container).stdout
    assert "\nType=notify\nNotifyAccess=all\n" in unit and "--sdnotify=container" in unit
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.M)
    assert int(patience) > 30


def test_time_zones_are_there(site):
    zones = {"window": {"from": "22:00", "to": "23:00", "time_zone": "Europe/Berlin"}}
    site.configure(policies={"quick": {**POLICY, "rotate_every": "40d", "overlap": "10d", **zones}})
    done = site.engine.run("--check", options=site.mounts())
    assert done.returncode == 0 and "Europe/Berlin" in done.stdout, done


def test_without_a_configuration_it_says_what_is_missing(engine):
    done = engine.run()
    assert done.returncode == CONFIGURATION_ERROR
    assert "/etc/keyrotated/keyrotated.yaml" in done.stderr
    example = re.search(r"a copy of (\S+)", done.stderr)[1]
    assert engine.run("--config", example, "--check").returncode == 0, "the example that it names"


def test_there_is_no_shell(engine):
    done = engine.run(options=["--entrypoint=sh"])
    assert done.returncode == 127 and "not found" in done.stderr, done
