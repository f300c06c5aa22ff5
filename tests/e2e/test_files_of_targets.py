"""The files that targets need while they work: none is opened on the loop, and one that hangs fails
its own target alone."""

import base64
import json
import os
import re
import subprocess

import pytest

import kubernetes_server
from patience import wait_until
from test_targets_together import CLUSTER_TOKEN, ORDER, Everything
from vault import AUDIENCE

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()


class Watch:
    """What watched_files.c is told, and tells."""

    def __init__(self, site):
        self.library = site.build / "watched_files.so"
        if "asan" in site.build.name:
            pytest.skip("the sanitizer has functions of its own for files")
        self.log = site.directory / "watched"
        self.hang = site.directory / "hang"
        self.environment = {"LD_PRELOAD": str(self.library), "WATCHED_LOG": str(self.log),
                            "WATCHED_HANG": str(self.hang)}

    def begin(self):
        self.log.write_text("")

    def end(self):
        lines = self.log.read_text().splitlines()
        self.log.unlink()
        return lines


@pytest.fixture
def watch(site):
    made = Watch(site)
    yield made
    made.hang.unlink(missing_ok=True)


@pytest.fixture
def everything(site, tmp_path):
    made = Everything(site, tmp_path)
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    site.config["cloud"].update(key_vault_audience=AUDIENCE, resource_manager=made.apps.url)
    site.config["targets"] = made.targets
    site.config["defaults"]["deliver_to"] = ORDER
    site.account("alpha")
    yield made
    made.stop()


def test_nothing_is_opened_on_the_loop(site, azure, everything, watch):
    """A whole rotation, with preflight, through targets of every kind."""
    watch.begin()
    site.start(environment=watch.environment)
    wait_until(lambda: site.status("alpha")["state"] == "ok", "all targets have the first key")
    assert str(site.config_file) in " ".join(watch.end()), "what is opened at the start is seen"
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    watch.begin()
    assert site.ctl("rotate", "alpha", "--wait").returncode == 0
    # The log names the user who gives a command, and libcurl reads the daemon's own authorities again,
    # once a minute at the most.
    others = ("/etc/passwd", str(azure.ca_file))
    opened = [line for line in watch.end() if not line.endswith(others)]
    assert set(everything.holds().values()) == {azure.keys("alpha")["Secondary"]}
    assert not opened, "\n".join(opened)


@pytest.fixture
def readers(site, everything):
    """An account for each target that reads a secret, all of them in one directory; `alpha` has a file
    alone, and rotates."""
    directory = site.directory / "hangs"
    directory.mkdir()
    for name, text in (("hook", SECRET), ("cluster", CLUSTER_TOKEN), ("kv", everything.kv.token())):
        path = directory / name
        path.touch(0o600)
        path.write_text(text + "\n")
    targets = site.config["targets"]
    targets["hook"].update(secret_file=str(directory / "hook"), timeout="1s")
    targets["cluster"]["secret_name"] = "{account}"
    (site.directory / "kubeconfig").write_text(json.dumps(kubernetes_server.kubeconfig(
        everything.cluster.url, everything.authority.certificate,
        {"tokenFile": str(directory / "cluster")})))
    targets["kv"].update(path="{account}", auth={"token_file": str(directory / "kv")})
    site.config["defaults"]["deliver_to"] = ["file"]
    site.policy(rotate_every="1s", overlap="300ms")
    site.config["timing"].update(settle="100ms")
    site.config["policies"]["calm"] = {"rotate_every": "30d", "check_every": "1h"}
    for name, target in (("bravo", "hook"), ("charlie", "cluster"), ("delta", "kv")):
        site.account(name, policy="calm", deliver_to=[target])
    return directory


def failures(site, account):
    return [line["msg"] + " " + line.get("remedy", "") for line in site.log.lines(account=account)
            if line["level"] in ("warning", "error")]


def test_a_secret_that_hangs_fails_its_target_alone(site, azure, readers, watch):
    site.start(environment=watch.environment)
    for name in ("bravo", "charlie", "delta"):
        site.log.wait("key.delivered", account=name)
    watch.hang.touch()
    mark = site.log.mark()
    for name in ("bravo", "charlie", "delta"):
        assert site.ctl("redeliver", name).returncode == 0
    for count in (1, 2, 3):
        site.wait_rotations("alpha", count, since=mark)
    [said] = wait_until(lambda: failures(site, "bravo"), "the webhook's time is up")[:1]
    assert f"reading secret_file {readers / 'hook'} has not returned within 6s" in said, said
    assert f"check whether `ls {readers}/` answers" in said, said
    site.wait_rotations("alpha", 4, since=mark)
    assert {line["account"] for line in site.log.lines(mark, event="key.delivered")} == {"alpha"}
    watch.hang.unlink()
    for name in ("bravo", "charlie", "delta"):
        site.log.wait("key.delivered", since=mark, account=name)


def test_a_pipe_is_refused_by_name(site, azure, readers):
    """Nobody will ever write to it. The remedy is carried out as it stands there: to write the secret
    into the pipe would wait for ever."""
    secrets = {}
    for path in sorted(readers.iterdir()):
        secrets[path.name] = path.read_text()
        path.unlink()
        os.mkfifo(path, 0o600)
    site.start()
    for account, name in (("bravo", "hook"), ("charlie", "cluster"), ("delta", "kv")):
        [said] = wait_until(lambda account=account: failures(site, account), "it is refused")[:1]
        path = str(readers / name)
        assert f"{path} cannot be used: {path} is not a regular file" in said, said
        command = re.search(r" run `(mv [^`]*)`, then make ", said)
        assert command, said
        subprocess.run(command[1], shell=True, check=True)
        (readers / name).touch(0o600)
        (readers / name).write_text(secrets[name])
        site.log.wait("key.delivered", account=account)
    site.wait_rotations("alpha", 1)


def test_a_missing_program_is_looked_at_on_a_thread(site, azure, watch):
    script = site.directory / "tell"
    script.write_text("#!/bin/sh\ncat >/dev/null\n")
    script.chmod(0o755)
    site.config["targets"]["tell"] = {"type": "exec", "command": [str(script)]}
    site.config["defaults"]["deliver_to"] = ["tell", "file"]
    site.account("alpha")
    site.start(environment=watch.environment)
    site.log.wait("key.delivered", account="alpha", target=f"exec {script}")
    script.unlink()
    watch.begin()
    assert site.ctl("redeliver", "alpha", "--target", "tell").returncode == 0
    said = site.log.wait("delivery.failed", account="alpha")
    assert "there is no such file" in said["msg"] and f"install {script}" in said["remedy"], said
    assert not [line for line in watch.end() if str(script) in line]


def test_a_missing_systemd_creds_is_looked_at_on_a_thread(site, azure, watch):
    program, secret = site.directory / "creds", site.directory / "secret"
    program.write_text('#!/bin/sh\nexec systemd-creds "$@"\n')
    program.chmod(0o755)
    subprocess.run(["systemd-creds", "setup"], check=True, capture_output=True,
                   env={**os.environ, "SYSTEMD_CREDENTIAL_SECRET": str(secret)})
    site.config["targets"]["creds"] = {
        "type": "systemd_credential", "name": "key", "path": str(site.directory / "alpha.cred"),
        "host_secret_file": str(secret), "program": str(program)}
    site.config["defaults"]["deliver_to"] = ["creds", "file"]
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha")
    site.start(environment=watch.environment)
    site.log.wait("key.delivered", account="alpha",
                  target=f"systemd_credential {site.directory}/alpha.cred")
    program.unlink()
    watch.begin()
    assert site.ctl("redeliver", "alpha", "--target", "creds").returncode == 0
    said = site.log.wait("delivery.failed", account="alpha")
    assert "there is no such file" in said["msg"] and "install systemd 250" in said["remedy"], said
    assert not [line for line in watch.end() if str(site.directory) in line]


def test_credentials_that_hang_make_room_for_others(site, azure, watch):
    """More of them than run at a time, all by one program."""
    (site.directory / "hangs").mkdir()
    secret = site.directory / "secret"
    subprocess.run(["systemd-creds", "setup"], check=True, capture_output=True,
                   env={**os.environ, "SYSTEMD_CREDENTIAL_SECRET": str(secret)})
    for name, directory in (("dead", "hangs/"), ("creds", "")):
        site.config["targets"][name] = {
            "type": "systemd_credential", "name": "key", "host_secret_file": str(secret),
            "path": f"{site.directory}/{directory}{{account}}.cred"}
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha", deliver_to=["creds"])
    dead = [site.account(f"dead{number}", deliver_to=["dead"]) for number in range(18)]
    site.start(environment=watch.environment)
    for name in (*dead, "alpha"):
        site.log.wait("key.delivered", account=name)
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    watch.hang.touch()
    for name in dead:
        assert site.ctl("redeliver", name).returncode == 0
    assert site.ctl("rotate", "alpha", "--wait").returncode == 0
    assert not any(site.status(name)["failure"] for name in dead), "none is given up yet"
    watch.hang.unlink()
