"""The target `exec`: what programs get, what their answers mean, and all the ways in which one can be
wrong. The programs are short scripts."""

import json
import os
import pathlib
import signal
import time

import pytest

from patience import wait_until
from stand_in import RESOURCE_GROUP, SUBSCRIPTION, resource_id


class Programs:
    def __init__(self, site):
        self.site = site
        self.directory = site.directory / "programs"
        self.directory.mkdir()

    def write(self, name, text, mode=0o755):
        path = self.directory / name
        draft = self.directory / f".{name}.draft"
        draft.write_text(text)
        draft.chmod(mode)
        draft.rename(path)
        return path

    def script(self, name, body):
        return self.write(name, f"#!/bin/sh\nd={self.directory}\n{body}\n")

    def target(self, name, path, *arguments, **more):
        self.site.config["targets"][name] = {"type": "exec", "command": [str(path), *arguments],
                                             **more}
        return name

    def lines(self, name):
        try:
            return (self.directory / name).read_text().splitlines()
        except FileNotFoundError:
            return []


@pytest.fixture
def programs(site):
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    return Programs(site)


def rotate(site, name):
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == 0, "it may rotate")
    assert site.ctl("rotate", name, "--wait").returncode == 0


def failure(site, account, since=0, **fields):
    return site.log.wait("delivery.failed", since=since, account=account, **fields)


def keys_in(site, text):
    return [key for key in site.azure.truth.keys() if key in text]


def test_a_program_gets_the_key_on_its_standard_input_alone(site, programs):
    tell = programs.script(
        "tell", 'cat >$d/$1.json\nenv | sort >$d/$1.env\nls -l /proc/self/fd >$d/$1.fds\n'
        'tr "\\0" " " </proc/$$/cmdline >$d/$1.cmdline\necho "told $1"; echo "and warned" >&2')
    programs.target("tell", tell, "{account}", "$HOME; exit 1")
    site.config["defaults"]["deliver_to"] = ["file", "tell"]
    site.account("alpha")
    os.environ["KEYROTATED_TEST_SECRET"] = "not for programs"
    daemon = site.start()
    delivered = site.log.wait("key.delivered", account="alpha",
                              target=f"exec {tell} alpha '$HOME; exit 1'")
    assert delivered["slot"] == "primary"
    rotate(site, "alpha")

    form = json.loads("\n".join(programs.lines("alpha.json")))
    assert form["key"] == site.azure.keys("alpha")["Secondary"] and form["slot"] == "secondary"
    assert form["account"] == "alpha" and form["cycle"] == 1
    environment = dict(line.split("=", 1) for line in programs.lines("alpha.env"))
    for name in ("PWD", "_", "SHLVL", "OLDPWD"):  # the shell's own
        environment.pop(name, None)
    assert environment.pop("KEYROTATED_ENDPOINT") == form["account_endpoint"]
    assert environment == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
        "KEYROTATED_ACCOUNT": "alpha", "KEYROTATED_RESOURCE_ID": resource_id("alpha"),
        "KEYROTATED_RESOURCE_GROUP": RESOURCE_GROUP, "KEYROTATED_SUBSCRIPTION_ID": SUBSCRIPTION,
        "KEYROTATED_LOCATION": environment["KEYROTATED_LOCATION"],
        "KEYROTATED_SLOT": "secondary", "KEYROTATED_CYCLE": "1", "KEYROTATED_TARGET": "tell"}
    assert environment["KEYROTATED_LOCATION"]
    assert not keys_in(site, "\n".join(programs.lines("alpha.cmdline")))
    assert all(" pipe:" in line or "/proc/" in line or "alpha.fds" in line or line.startswith("total")
               for line in programs.lines("alpha.fds"))
    wrote = site.log.wait("delivery.output", account="alpha", cycle=1)
    assert wrote["output"] == "told alpha | and warned" and wrote["target"] == delivered["target"]

    # The filter of system calls is the daemon's alone, and its memory is not the spawner's.
    status = (pathlib.Path("/proc") / str(daemon.pid) / "task" / str(daemon.pid) / "children")
    spawner = int(status.read_text().split()[0])
    assert "Seccomp:\t0" in (pathlib.Path("/proc") / str(spawner) / "status").read_text()
    daemon.stop()
    wait_until(lambda: not pathlib.Path(f"/proc/{spawner}").exists(), "the spawner ends, too")


def test_75_is_no_failure_and_is_asked_again(site, programs):
    gate = programs.script("gate", 'echo asked >>$d/asked\n[ -e $d/open ] || { echo "not now" >&2; exit 75; }')
    programs.target("gate", gate)
    site.config["defaults"]["deliver_to"] = ["gate", "file"]
    site.account("alpha")
    site.start()
    wait_until(lambda: len(programs.lines("asked")) >= 3, "it is asked several times")
    status = site.status("alpha")
    assert status["state"] == "adopting" or status["reason"] == "not_yet", status
    (programs.directory / "open").touch()
    site.wait_adopted("alpha")


def test_failures_are_logged_without_the_key(site, programs):
    """Each has a cause and a remedy, and none stops the account beside it."""
    ways = {
        "exits": ('echo "no such tenant" >&2; exit 3', "failed with exit status 3: no such tenant"),
        "hangs": ("echo waiting for the lock >&2; sleep 1000",
                  "did not end within 2s, and was ended with all that it had started: waiting for the lock"),
        "prints-the-key": ("cat >&2; exit 1", "failed with exit status 1"),
        "prints-its-halves": ('cut -c1-300 | tr "," "\\n" | fold -w 30; exit 1',
                              "failed with exit status 1"),
    }
    for name, (body, _) in ways.items():
        programs.target(name, programs.script(name, body), timeout="2s")
    site.account("beside")
    site.account("alpha", deliver_to=["file", *({"target": name, "required": False}
                                                for name in ways)])
    site.start()
    site.wait_adopted("beside", "alpha")
    rotate(site, "beside")
    for name, (_, text) in ways.items():
        line = failure(site, "alpha", target=f"exec {programs.directory / name}")
        assert line["reason"] == "target_failed" and text in line["msg"], line
        assert line["remedy"]
    assert not keys_in(site, site.log.text())
    for name in ("prints-the-key", "prints-its-halves"):
        wrote = site.log.wait("delivery.output", target=f"exec {programs.directory / name}")
        assert "****************" in wrote["output"]
        for key in site.azure.truth.keys():
            assert not any(key[i:i + 12] in wrote["output"] for i in range(0, len(key) - 12, 4))


def test_a_hanging_program_delays_nobody(site, programs):
    hang = programs.script("hang", "echo $$ >>$d/pids\nsleep 1000")
    programs.target("hang", hang)
    site.account("alpha", deliver_to=["hang"])
    site.account("bravo")
    daemon = site.start()
    wait_until(lambda: programs.lines("pids"), "it hangs")
    site.wait_adopted("bravo")
    began = time.monotonic()
    rotate(site, "bravo")
    assert site.log.lines(event="rotation.completed", account="bravo")
    assert time.monotonic() - began < 20
    # A stop ends it.
    daemon.process.send_signal(signal.SIGTERM)
    site.log.wait("daemon.stopping")
    assert daemon.stop() == 0, "a second one ends the grace"
    pid = int(programs.lines("pids")[0])
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the program is ended")


def test_a_killed_daemon_takes_its_programs_along_and_delivers_again(site, programs):
    tell = programs.script("tell", 'echo $$ >>$d/pids\n[ -e $d/go ] || sleep 1000\ncat >$d/got')
    programs.target("tell", tell)
    site.config["defaults"]["deliver_to"] = ["tell"]
    site.account("alpha")
    site.stops_at_once = True
    daemon = site.start()
    wait_until(lambda: programs.lines("pids"), "it is run")
    daemon.kill()
    pid = int(programs.lines("pids")[0])
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the program is ended, too")
    (programs.directory / "go").touch()
    site.start()
    site.log.wait("key.delivered", account="alpha")
    assert json.loads("\n".join(programs.lines("got")))["key"] == site.azure.keys("alpha")["Primary"]


def test_without_the_spawner_only_programs_fail(site, programs):
    programs.target("tell", programs.script("tell", "exit 0"))
    site.account("alpha", deliver_to=["file", {"target": "tell", "required": False}])
    daemon = site.start()
    site.log.wait("key.delivered", account="alpha", target=f"exec {programs.directory}/tell")
    children = pathlib.Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    rotate(site, "alpha")
    line = failure(site, "alpha")
    assert "has been ended by signal 9 (SIGKILL)" in line["msg"]
    assert "systemctl restart keyrotated" in line["remedy"]
    assert site.held("alpha") == site.azure.keys("alpha")["Secondary"]


def test_check_warns_of_programs(site, programs):
    programs.target("tell", programs.write("tell", "#!/bin/sh\n", 0o757), "{account}")
    site.account("alpha", create=False, deliver_to=["tell"])
    site.account("bravo", create=False, deliver_to=["tell"])
    site.write()
    done = site.run("--check")
    tell = programs.directory / "tell"
    assert done.returncode == 0, done.stderr
    assert f"exec {tell} alpha (JSON on its standard input, for at most 1m)" in done.stdout
    assert f"every user can write to {tell} (mode 0757)" in done.stderr
    listed = json.loads(site.run("--check", "--json").stdout)["accounts"][0]["destinations"][0]
    assert listed == {"target": "tell", "type": "exec", "command": [str(tell), "alpha"],
                      "timeout_s": 60, "required": True}

    # The program is told for which account it works, so several accounts may share a command ...
    programs.target("tell", tell)
    site.write()
    assert site.run("--check").returncode == 0
    # ... and two targets of one account may not.
    programs.target("again", tell)
    site.config["accounts"][1]["deliver_to"] = ["tell", "again"]
    site.write()
    done = site.run("--check")
    assert done.returncode == 78 and "both write" in done.stderr


def test_the_first_wait_is_no_trouble(site, programs):
    """Nobody can read back what a program got: the keys are looked at twice before the first one."""
    programs.target("tell", programs.script("tell", "cat >/dev/null"))
    site.config["timing"]["unknown_wait"] = "10m"
    site.account("alpha", deliver_to=["tell"])
    site.start()
    wait_until(lambda: site.status("alpha").get("meaning"), "it waits")
    status = site.status("alpha")
    assert "as is usual for its type" in status["meaning"] and not status["reason"], status
    assert site.ctl("status").returncode == 0


def test_a_failure_in_the_first_wait_is_in_the_summary(site):
    held = site.directory / "elsewhere"
    held.mkdir()
    (held / "alpha").mkdir()
    site.config["targets"]["dir"] = {"type": "file", "path": str(held / "{account}")}
    site.config["timing"]["unknown_wait"] = "10m"
    site.account("alpha", deliver_to=["dir"])
    site.start()
    wait_until(lambda: site.status("alpha").get("meaning"), "it waits")
    status = site.status("alpha")
    assert status["state"] == "adopting" and status["reason"] == "target_failed", status
    summary = site.ctl("status")
    assert summary.returncode == 1, summary.stdout
    assert "alpha" in summary.stdout and "last failure" in summary.stdout, summary.stdout
    assert f"    do: {status['do']}" in summary.stdout, summary.stdout


def test_another_cause_of_a_failure_is_told(site, programs):
    """Each once, however often it fails for it; an id in the text makes no other cause."""
    site.config["timing"]["retry_max"] = "200ms"
    programs.target("tell", programs.script(
        "tell", 'cat >/dev/null\n. $d/how\necho "$words (request $(date +%N))" >&2\necho >>$d/runs\n'
        'exit $status'))
    site.config["defaults"]["deliver_to"] = ["file", "tell"]
    site.account("alpha")
    told = 0
    for status, words in ((1, "the disk is full"), (1, "the disk is read-only"),
                          (3, "the disk is read-only"), (1, "the disk is full")):
        mark = site.log.mark() if told else 0
        programs.write("how", f"words='{words}'; status={status}")
        if not told:
            site.start()
        line = failure(site, "alpha", since=mark)
        assert f"failed with exit status {status}: {words} (request " in line["msg"]
        assert line["error_code"] == f"exit_{status}"
        runs = len(programs.lines("runs"))
        wait_until(lambda: len(programs.lines("runs")) > runs + 3, "it runs again")
        told += 1
        assert len(site.log.lines(event="delivery.failed")) == told
