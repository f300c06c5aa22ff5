"""keyrotated as an administrator sets it up in a machine: configuration, credential, drop-in, users.

    batch       a group; programs in it may read key files
    consumer    a user in it
    stranger    a user in no group of ours
    steward     a user in keyrotated-admin
"""

import json

from patience import TIMEOUT, wait_until
from stand_in import CLIENT, CLIENT_SECRET, TENANT, resource_id

UNIT = "keyrotated.service"
CONFIG = "/etc/keyrotated/keyrotated.yaml"
KEYS = "/var/lib/keyrotated-keys"
EXAMPLES = "/usr/share/doc/keyrotated/examples"

# Nothing is rotated but on command; and then without waiting for weeks.
POLICY = {"rotate_every": "30d", "overlap": "300ms", "splay": "0s", "check_every": "1h"}
TIMING = {"retry_initial": "200ms", "retry_max": "1s", "unknown_wait": "1s",
          "verify_timeout": "10s", "settle": "200ms"}

class Service:
    """One account; and every format of a key file, one of them for programs in a group, whose
    directory hands the group on. It runs in the unit as shipped: all that is added is the secret."""

    account = "alpha"

    def __init__(self, guest, azure):
        self.guest = guest
        self.azure = azure
        self.config = {
            "version": 1,
            "ca_file": "/etc/keyrotated/ca.pem",
            "log": {"level": "debug"},
            "cloud": {"resource_manager": azure.url, "login": azure.url,
                      "audience": "https://management.azure.com/"},
            "timing": dict(TIMING),
            "identities": {"ops": {"type": "client_secret", "tenant_id": TENANT,
                                   "client_id": CLIENT, "client_secret_file": "ops-secret"}},
            "policies": {"standard": dict(POLICY)},
            "targets": {
                "raw": {"type": "file", "path": f"{KEYS}/batch/{{account}}", "mode": "0640"},
                "env": {"type": "file", "path": f"{KEYS}/{{account}}.env", "format": "env"},
                "json": {"type": "file", "path": f"{KEYS}/{{account}}.json",
                         "format": "json"}},
            "defaults": {"deliver_to": ["raw", "env", "json"]},
            "accounts": [{"id": resource_id(self.account), "adopt_active": "primary"}],
        }

    # --- setting up ---

    def set_up(self):
        """All that the service needs, but not started. The account is made in Azure."""
        self.make_users()
        self.azure.create(self.account)
        ca = self.azure.ca_file.read_text(encoding="ascii")
        self.guest.write("/etc/keyrotated/ca.pem", ca)
        self.guest.write("/etc/keyrotated/ops-secret", CLIENT_SECRET + "\n", 0o600)
        self.use_example("client-secret.conf")
        # As key-groups.conf recommends.
        self.guest.run("install", "-d", "-o", "keyrotated", "-g", "batch", "-m", "2750",
                       f"{KEYS}/batch")
        self.write_config()

    def make_users(self):
        """As far as they are not there yet."""
        for command in (("groupadd", "--force", "batch"),
                        ("useradd", "--groups", "batch", "consumer"),
                        ("useradd", "stranger"),
                        ("useradd", "--groups", "keyrotated-admin", "steward")):
            self.guest.run(*command)

    def write_config(self):
        # JSON is YAML.
        self.guest.write(CONFIG, json.dumps(self.config, indent=2) + "\n")

    def use_example(self, name, unit=UNIT):
        """A drop-in that comes with the package."""
        directory = f"/etc/systemd/system/{unit}.d"
        self.guest.run("mkdir", "-p", directory)
        self.guest.run("cp", f"{EXAMPLES}/{name}", directory)
        self.guest.systemctl("daemon-reload")

    def drop_in(self, name, text):
        self.guest.write(f"/etc/systemd/system/{UNIT}.d/{name}.conf", text)
        self.guest.systemctl("daemon-reload")

    def start(self):
        """Enabled and started; returns when the account has its key in all targets."""
        self.guest.systemctl("enable", "--now", UNIT)
        return self.wait_well()

    # --- looking ---

    @property
    def main_pid(self):
        return int(self.guest.show(UNIT, "MainPID"))

    @property
    def restarts(self):
        return int(self.guest.show(UNIT, "NRestarts"))

    def state(self):
        return self.guest.show(UNIT, "ActiveState")

    def is_active(self):
        return self.state() == "active"

    def status_text(self):
        return self.guest.show(UNIT, "StatusText")

    def log(self, event=None, since=None, **fields):
        """What the service wrote to the journal."""
        if event:
            fields["KEYROTATED_EVENT"] = event
        return self.guest.journal(since, _SYSTEMD_UNIT=UNIT, **fields)

    def wait_log(self, event, since=None, timeout=TIMEOUT, **fields):
        """The first entry of that event."""
        return wait_until(lambda: self.log(event, since, **fields), f"{event} is logged", timeout,
                          pause=0.1)[0]

    def wait_active(self, timeout=TIMEOUT):
        wait_until(self.is_active, "the service is active", timeout, pause=0.1)

    def wait_well(self):
        """Until the account is adopted and nothing is under way."""
        self.wait_active()
        wait_until(lambda: self.account_status().get("state") == "ok" and self.holds("raw"),
                   f"{self.account} is well", pause=0.1)
        return self

    def account_status(self):
        answer = self.ctl("--json", "status", self.account)
        try:
            return json.loads(answer.stdout)["accounts"][0]
        except (ValueError, KeyError, IndexError):
            return {}

    def ctl(self, *arguments, user=None, **how):
        return self.guest.run("keyrotatectl", *arguments, user=user, check=False, **how)

    def path(self, target):
        """The file of that target."""
        return self.config["targets"][target]["path"].format(account=self.account)

    def holds(self, target):
        """The slot whose live key stands in that target ("Primary", "Secondary"), or None."""
        text = self.guest.read(self.path(target)) or ""
        return next((slot for slot, key in self.azure.keys(self.account).items() if key in text),
                    None)

    def regenerated(self):
        """The slots that Azure was really told to regenerate, in order."""
        return self.azure.truth.regenerated(self.account)

    # --- doing ---

    def rotate(self):
        """A rotation from beginning to end; every target then holds the same, new key."""
        before = len(self.regenerated())
        self.wait_allowed()
        answer = self.ctl("rotate", self.account, "--wait")
        assert answer.returncode == 0, f"rotate: {answer.returncode} {answer.stderr}"
        slots = self.regenerated()
        assert len(slots) == before + 1, slots
        self.wait_delivered(slots[-1])
        return slots[-1]

    def begin_rotation(self):
        self.wait_allowed()
        begun = self.ctl("rotate", self.account)
        assert begun.returncode == 0, begun

    def wait_allowed(self):
        """Not sooner than an overlap after the rotation before, and unknown_wait after a start."""
        wait_until(lambda: self.ctl("rotate", self.account, "--dry-run").returncode == 0,
                   "a rotation is allowed", pause=0.2)

    def wait_delivered(self, slot):
        """Until every target holds the key that lives in that slot."""
        wait_until(lambda: {self.holds(name) for name in self.config["targets"]} == {slot},
                   f"every target holds the {slot} key", pause=0.1)
