"""Programs in the unit's full sandbox: of targets of type `exec`, the real systemd-creds and a unit that reads
its credential, and what stands for the Azure CLI."""

import json
import ssl
import time
import urllib.parse
import urllib.request

from patience import wait_until
from service import EXAMPLES, KEYS, UNIT, Service
from stand_in import CLIENT, CLIENT_SECRET, TENANT

SCRIPT = "/usr/local/libexec/tell-consumers"
CREDENTIAL = f"{KEYS}/alpha.cred"
READER = f"""[Service]
Type=exec
LoadCredentialEncrypted=batch-key:{CREDENTIAL}
DynamicUser=yes
RuntimeDirectory=consumer
ExecStart=/bin/sh -c 'cat $CREDENTIALS_DIRECTORY/batch-key >/run/consumer/key; exec sleep infinity'
"""


def test_a_program_runs_in_the_sandbox(service, guest):
    guest.write(SCRIPT, "#!/bin/sh\n"
                f"umask 077\nd={KEYS}/told\n[ -e $d ] || exit 75\n"
                "cat >$d/key\ngrep -E '^(Seccomp|NoNewPrivs|CapEff)' /proc/self/status >$d/status\n"
                "touch /etc/x 2>$d/refused && exit 1\n[ ! -e $d/hang ] || exec sleep 1000\n"
                "echo told\n", 0o755)
    service.config["targets"]["tell"] = {"type": "exec", "command": [SCRIPT, "{account}"]}
    service.config["defaults"]["deliver_to"] = ["raw", "tell"]
    service.write_config()
    guest.systemctl("reload", UNIT)
    wait_until(lambda: "not_yet" in json.dumps(service.account_status()), "it asks for time",
               pause=0.1)
    guest.run("install", "-d", "-o", "keyrotated", "-m", "0700", f"{KEYS}/told")
    service.wait_log("delivery.output", KEYROTATED_OUTPUT="told")
    service.wait_well()
    form = json.loads(guest.read(f"{KEYS}/told/key"))
    assert form["key"] == service.azure.keys("alpha")["Primary"]
    status = guest.read(f"{KEYS}/told/status")
    assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    assert "Read-only file system" in guest.read(f"{KEYS}/told/refused")

    # A stop ends what runs, and does not wait for it until systemd loses patience.
    guest.run("touch", f"{KEYS}/told/hang")
    service.begin_rotation()
    wait_until(lambda: "sleep" in guest.output("systemctl", "status", UNIT, "--no-pager"),
               "it hangs", pause=0.1)
    guest.systemctl("stop", UNIT)
    assert guest.show(UNIT, "Result") == "success"
    assert guest.run("pgrep", "-f", SCRIPT, check=False).returncode != 0


def test_a_unit_reads_its_credential(guest, azure):
    service = Service(guest, azure)
    service.set_up()
    guest.run("systemd-creds", "setup")
    service.use_example("systemd-credential.conf")
    service.config["targets"]["creds"] = {
        "type": "systemd_credential", "name": "batch-key", "path": f"{KEYS}/{{account}}.cred",
        "host_secret_file": "host-secret"}
    service.config["defaults"]["deliver_to"] = ["raw", "creds"]
    service.write_config()
    service.start()
    assert guest.output("stat", "-c", "%a %U", CREDENTIAL) == "600 keyrotated"

    # The reader, and what restarts it.
    guest.write("/etc/systemd/system/consumer@.service", READER)
    for name in ("consumer-restart@.path", "consumer-restart@.service",
                 "consumer-restart-due@.path", "consumer-restart-due@.service"):
        text = guest.output("cat", f"{EXAMPLES}/{name}")
        guest.write(f"/etc/systemd/system/{name}",
                    text.replace(f"{KEYS}/batch/%i", f"{KEYS}/%i.cred") + "\n")
    guest.systemctl("daemon-reload")
    guest.systemctl("start", "consumer@alpha.service")
    guest.systemctl("enable", "--now", "consumer-restart@alpha.path")

    def read():
        key = (guest.read("/run/consumer/key") or "").rstrip("\n")
        return next((slot for slot, live in azure.keys("alpha").items() if live == key), None)

    wait_until(lambda: read() == "Primary", "the reader has the first key", pause=0.1)
    service.begin_rotation()
    wait_until(lambda: read() == "Secondary", "the reader is restarted with the next one", pause=0.2)
    wait_until(lambda: service.account_status()["state"] == "ok", "all is well", pause=0.1)
    assert guest.failed_units() == ""


AZ = """#!/bin/sh
# What the Azure CLI needs of the sandbox: a directory that it may write.
set -e
[ "$*" = "account get-access-token --output json --resource https://management.azure.com/" ]
echo "$PWD $HOME" >>"$AZURE_CONFIG_DIR/versionCheck.json" || { echo "Read-only file system" >&2; exit 1; }
cat "$AZURE_CONFIG_DIR/answer"
"""
LOGIN = "/var/lib/keyrotated-azure"


def token_of(azure):
    """As an application gets it."""
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": CLIENT,
                                   "client_secret": CLIENT_SECRET,
                                   "scope": "https://management.azure.com//.default"})
    with urllib.request.urlopen(f"{azure.url}/{TENANT}/oauth2/v2.0/token", form.encode(),
                                context=ssl.create_default_context(cafile=azure.ca_file)) as reply:
        return json.load(reply)["access_token"]


def test_the_azure_cli_has_a_directory_for_its_login(guest, azure):
    """The example gives it one, and it is no place for programs."""
    service = Service(guest, azure)
    service.set_up()
    guest.write("/usr/local/bin/az", AZ, 0o755)
    service.config["identities"]["ops"] = {"type": "azure_cli", "config_dir": LOGIN}
    service.write_config()
    guest.run("install", "-d", "-o", "keyrotated", "-m", "0700", LOGIN)
    guest.systemctl("enable", "--now", UNIT)
    failed = service.wait_log("token.failed")
    assert "it cannot write its configuration" in failed["MESSAGE"], failed
    assert "azure-cli.conf" in failed["MESSAGE"], failed

    service.use_example("azure-cli.conf")
    guest.systemctl("restart", UNIT)
    answer = {"accessToken": token_of(azure), "tokenType": "Bearer", "expires_on": int(time.time()) + 3000}
    guest.run("tee", f"{LOGIN}/answer", user="keyrotated", stdin=json.dumps(answer))
    service.wait_well()
    assert service.rotate() == "Secondary"
    inside = ("nsenter", f"--target={service.main_pid}", "--mount", "--")
    guest.run(*inside, "cp", "/bin/true", f"{LOGIN}/program")
    assert guest.run(*inside, f"{LOGIN}/program", check=False).returncode != 0
