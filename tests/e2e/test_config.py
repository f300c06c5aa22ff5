"""Configuration: --check, and reloading it while the daemon runs."""

import datetime
import json
import os
import pathlib
import re
import struct
import subprocess
import time

import pytest

from daemon import EXIT_CONFIG, EXIT_OK, EXIT_USAGE
from patience import stays_true, wait_until
from stand_in import resource_id
from truth import alternates

TEN_MISTAKES = """\
version: 1
log: {level: chatty}
timing: {retry_inital: 30s}
identities:
  ops: {type: client_secret, tenant_id: contoso.example, client_id: nobody, client_secret_file: s}
policies:
  quick: {max_key_age: 90}
  slow: {max_key_age: 30d, rotate_every: 20d}
targets:
  file: {type: file, path: "keys/{account}"}
  vault: {type: key_vault, vault: "https://contoso.vault.azure.net", secret_name: key, expires: no}
metrics: {listen: "localhost:9877"}
accounts:
  - name: alpha
    resource_group: rg
    subscription_id: 00000000-0000-0000-0000-000000000001
    policy: slwo
    deliver_to: file
"""
# line, column, where, and a word of what is said about it
MAIN_FILE_ERRORS = [
    (2, 14, "log.level", "chatty"),
    (3, 10, "timing.retry_inital", "retry_initial"),
    (5, 69, "identities.ops.client_id", "GUID"),
    (7, 24, "policies.quick.max_key_age", "duration"),
    (8, 42, "policies.slow.rotate_every", "largest rotate_every"),
    (10, 28, "targets.file.path", "absolute"),
    (11, 97, "targets.vault.expires", "duration"),
    (12, 19, "metrics.listen", "an address and port"),
    (17, 13, "accounts[0].policy", "did you mean slow"),
]
LATER_FILE = "policies:\n  quick: {max_key_age: 60d}\n"

MINIMUM = f"""\
version: 1
identities: {{vm: {{type: managed_identity}}}}
policies:   {{standard: {{max_key_age: 90d}}}}
targets:
  file: {{type: file, path: "/var/lib/keyrotated-keys/{{account}}", group: batch, mode: "0640"}}
accounts:
  - id: {resource_id("sampleacct")}
    adopt_active: primary          # the key that its consumers use today
"""


def check(build, directory, text, *arguments):
    file = directory / "keyrotated.yaml"
    file.write_text(text)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "RUNTIME_DIRECTORY")}
    return subprocess.run([build / "keyrotated", "-c", file, "--check", *arguments], text=True,
                          capture_output=True, timeout=60, check=False, env=environment)


def test_check_finds_ten_mistakes_in_one_run(build, tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "later.yaml").write_text(LATER_FILE)
    (tmp_path / "conf.d" / ".hidden.yaml").write_text("nonsense")
    result = check(build, tmp_path, TEN_MISTAKES)
    assert result.returncode == EXIT_CONFIG
    located = re.findall(r"^(\S+):(\d+):(\d+): (\S+): (.+)$", result.stderr, re.MULTILINE)
    assert len(located) == 10 == len(result.stderr.splitlines()), result.stderr
    said = {(int(line), int(column), where): text for file, line, column, where, text in located
            if file.endswith("keyrotated.yaml")}
    for line, column, where, word in MAIN_FILE_ERRORS:
        assert word in said[line, column, where]
    duplicate = next(one for one in located if one[0].endswith("conf.d/later.yaml"))
    assert duplicate[1] == "2" and duplicate[3] == "policies.quick"
    assert "keyrotated.yaml:7:" in duplicate[4], "both places are named"


def test_the_daemon_does_not_start_with_mistakes(build, tmp_path):
    file = tmp_path / "keyrotated.yaml"
    file.write_text(TEN_MISTAKES)
    result = subprocess.run([build / "keyrotated", "-c", file], text=True, capture_output=True,
                            timeout=60, check=False)
    assert result.returncode == EXIT_CONFIG and len(result.stderr.splitlines()) == 9

    result = subprocess.run([build / "keyrotated", "-c", file, "--log-format", "json"], text=True,
                            capture_output=True, timeout=10, check=False)
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert result.returncode == EXIT_CONFIG and len(events) == 9
    assert all((line["event"], line["level"]) == ("config.rejected", "error") for line in events)


def test_check_explains_the_minimal_file_in_words(build, tmp_path):
    result = check(build, tmp_path, MINIMUM)
    assert result.returncode == EXIT_OK and not result.stderr
    for words in ("account sampleacct", "vm: managed identity", "no key older than 90d",
                  "one rotation every 40d", "a replaced key works for at least 10d more",
                  "/var/lib/keyrotated-keys/sampleacct", "mode 0640, group batch",
                  "delivers the primary key (adopt_active)", "rotates nothing",
                  "between 10d and 40d"):
        assert words in result.stdout, words


def test_the_example_that_is_installed_shows_every_type_of_target(build, tmp_path):
    example = (pathlib.Path(__file__).parents[2] / "config" / "keyrotated.yaml").read_text()
    refused = check(build, tmp_path, MINIMUM.replace("type: file", "type: nonsense")).stderr
    types = re.search(r"type: .*?((?:\w+, )+\w+ or \w+)", refused)
    assert types, refused
    for name in re.split(", | or ", types[1]):
        assert f"type: {name}" in example, name


def test_check_accepts_the_example_that_is_installed(build, tmp_path):
    example = pathlib.Path(__file__).parents[2] / "config" / "keyrotated.yaml"
    result = check(build, tmp_path, example.read_text())
    assert result.returncode == EXIT_OK and not result.stderr, result.stderr
    assert "account sampleacct" in result.stdout


def test_without_a_file_the_example_is_named(build, tmp_path):
    result = subprocess.run([build / "keyrotated", "-c", tmp_path / "none.yaml", "--check"],
                            text=True, capture_output=True, timeout=60, check=False)
    assert result.returncode == EXIT_CONFIG
    assert "cannot open" in result.stderr and "/examples/keyrotated.yaml" in result.stderr


def test_without_any_authorities_the_start_is_refused(site, namespace):
    """No request would work, and the network would seem to be the cause."""
    site.account("alpha")
    del site.config["ca_file"]
    site.write()
    namespace.mount_small("/etc/ssl/certs", "64k")
    daemon = site.launch(wrapped=namespace.command)
    assert daemon.wait() == EXIT_CONFIG
    refused = site.log.wait("config.rejected")
    assert "install the package ca-certificates" in refused["msg"] and "ca_file" in refused["msg"]


TWO_ACCOUNTS = MINIMUM + f"""\
  - {{id: {resource_id("other")}, adopt_active: secondary}}
timing: {{settle: 1s}}
"""


def test_check_of_some_accounts(build, tmp_path):
    result = check(build, tmp_path, TWO_ACCOUNTS, "E2E/Other")
    assert result.returncode == EXIT_OK
    assert "account other" in result.stdout and "account sampleacct" not in result.stdout
    by_id = check(build, tmp_path, TWO_ACCOUNTS, "OTHER", resource_id("sampleacct"))
    assert by_id.stdout.index("account other") < by_id.stdout.index("account sampleacct")
    unknown = check(build, tmp_path, TWO_ACCOUNTS, "othre")
    assert unknown.returncode == EXIT_USAGE and "no account is called othre; did you mean other?" in unknown.stderr


def test_check_quietly(build, tmp_path):
    result = check(build, tmp_path, TWO_ACCOUNTS, "--quiet")
    assert result.returncode == EXIT_OK and not result.stdout
    assert "timing.settle: warning: is short" in result.stderr
    assert check(build, tmp_path, TEN_MISTAKES, "--quiet").returncode == EXIT_CONFIG


def test_check_for_programs(build, tmp_path):
    result = check(build, tmp_path, TWO_ACCOUNTS, "--json")
    said = json.loads(result.stdout)
    assert result.returncode == EXIT_OK and not result.stderr and said["ok"] is True
    assert said["errors"] == 0 and said["warnings"] == 1
    message = said["messages"][0]
    assert (message["key"], message["level"], message["line"]) == ("timing.settle", "warning", 10)
    account = next(one for one in said["accounts"] if one["name"] == "other")
    assert account["adopt_active"] == "secondary" and account["rotate_every_s"] == 40 * 86400
    assert account["destinations"][0]["path"] == "/var/lib/keyrotated-keys/other"

    result = check(build, tmp_path, TEN_MISTAKES, "--json")
    said = json.loads(result.stdout)
    assert result.returncode == EXIT_CONFIG and said["ok"] is False and said["accounts"] == []
    assert said["errors"] == 9 == len(said["messages"])


@pytest.mark.parametrize("arguments", [["--chekc"], ["--timeout", "soon"], ["--log-level", "loud"],
                                       ["unexpected"], ["--quiet"], ["--json"],
                                       ["--timeout", "5m"], ["--check", "--once"],
                                       ["--check", "--timeout", "5m"],
                                       ["--check", "--log-level", "debug"],
                                       ["--check", "--log-format", "json"],
                                       ["--check", "--quiet", "--json"]])
def test_usage(build, arguments):
    result = subprocess.run([build / "keyrotated", *arguments], text=True, capture_output=True,
                            timeout=60, check=False)
    assert result.returncode == EXIT_USAGE and "--help" in result.stderr


@pytest.mark.parametrize("arguments, says", [
    (["--chekc"], "keyrotated: there is no option --chekc; did you mean --check?"),
    (["--unlike"], "keyrotated: not known, ambiguous, or without a value: --unlike"),
    (["-c"], "keyrotated: a value is missing behind -c")])
def test_options_that_are_wrong(build, arguments, says):
    result = subprocess.run([build / "keyrotated", *arguments], text=True, capture_output=True,
                            timeout=60, check=False)
    assert result.returncode == EXIT_USAGE and result.stderr.splitlines()[0] == says


def test_words_of_options_as_in_the_configuration(build):
    """They are taken in any case."""
    result = subprocess.run([build / "keyrotated", "--log-level", "Debug", "--log-format", "JSON",
                             "--version"], text=True, capture_output=True, timeout=60, check=False)
    assert result.returncode == 0 and not result.stderr, result


def test_version_and_help(build):
    for program in ("keyrotated", "keyrotatectl"):
        for option in ("--version", "--help"):
            result = subprocess.run([build / program, option], text=True, capture_output=True,
                                    timeout=60, check=False)
            assert result.returncode == 0 and program in result.stdout, result


# --- reload ---

def reload_by_signal(site):
    since = site.daemons[-1].reload()
    return lambda: any(site.log.lines(since, event=event)
                       for event in ("config.rejected", "config.loaded"))


def test_sighup_with_a_good_and_a_bad_file(site, azure):
    """All or nothing: on an error the old configuration stays and the error is reported."""
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")

    site.config_file.write_text(TEN_MISTAKES)
    mark = site.log.mark()
    wait_until(reload_by_signal(site), "the reload is done")
    wait_until(lambda: len(site.log.lines(mark, event="config.rejected")) >= 9, "all mistakes are in the log")
    rejected = site.log.lines(mark, event="config.rejected")
    assert len(rejected) == 9 and all(line["level"] == "error" for line in rejected)
    assert any("keyrotated.yaml:8:42: policies.slow.rotate_every" in line["msg"]
               for line in rejected)
    site.wait_rotations("alpha", 1, since=mark)  # goes on as before
    complaint = json.loads(site.ctl("--json", "status").stdout)["daemon"]["config_error"]
    assert "keyrotated.yaml:2:14" in complaint

    site.account("bravo")
    site.write()
    mark = site.log.mark()
    wait_until(reload_by_signal(site), "the reload is done")
    assert not site.log.lines(mark, event="config.rejected")
    site.wait_adopted("bravo")
    site.wait_rotations("bravo", 1)
    assert json.loads(site.ctl("--json", "status").stdout)["daemon"]["config_error"] is None


def test_accounts_come_and_go_by_reload(site, azure):
    """A removed account stays unchanged. Added again, it continues where it was, and nothing
    rotates because of it."""
    site.account("alpha")
    site.account("bravo")
    site.start()
    site.wait_rotations("alpha", 1)
    consumer = site.consumer("alpha", "bravo")
    site.forget("alpha")
    site.write()
    assert site.ctl("reload").returncode == 0
    site.log.wait("account.removed", account="alpha")
    slots = azure.truth.regenerated("alpha")
    mark = site.log.mark()
    site.wait_rotations("bravo", 1, since=mark)
    stays_true(lambda: azure.truth.regenerated("alpha") == slots, 1, "alpha is left alone")
    assert site.ctl("status", "alpha").returncode == 64, "it is not known any more"

    site.account("alpha", create=False)
    site.write()
    mark = site.log.mark()
    assert site.ctl("reload").returncode == 0
    site.wait_rotations("alpha", 1, since=mark)
    assert not site.log.lines(mark, event="account.adopted", account="alpha"), "it was known"
    assert azure.truth.regenerated("alpha")[len(slots)] != slots[-1]
    site.verdict(consumer)


def test_account_comes_back_while_its_request_is_out(site, azure):
    """An account has one state machine: the new one begins when the old one has its answer."""
    azure.fault("delay", op="regenerateKeys", account="alpha", delay_ms=60000, count=1)
    site.account("alpha")
    site.start()
    wait_until(lambda: azure.truth.regenerated("alpha"), "the request is under way")
    site.forget("alpha")
    site.account("bravo")
    site.write()
    assert site.ctl("reload").returncode == 0
    site.account("alpha", create=False)
    site.write()
    mark = site.log.mark()
    assert site.ctl("reload").returncode == 0
    assert not site.log.lines(event="key.regenerated", account="alpha"), "no answer yet"
    azure.release()
    site.wait_rotations("alpha", 2, since=mark)
    assert not site.log.lines(mark, event="account.adopted", account="alpha"), "it was known"
    assert alternates(azure.truth.regenerated("alpha")), "the answer was not lost"


def test_removed_and_added_again_in_mid_rotation(site, azure):
    """The outcome of the request is found out; nothing is regenerated twice."""
    azure.fault("hang_after", op="regenerateKeys", account="alpha", count=1, delay_ms=60000)
    site.account("alpha")
    site.account("bravo")
    site.start()
    consumer = site.consumer("alpha")
    wait_until(lambda: azure.truth.regenerated("alpha"), "the request is under way")
    site.forget("alpha")
    site.write()
    assert site.ctl("reload").returncode == 0
    site.account("alpha", create=False)
    site.write()
    assert site.ctl("reload").returncode == 0
    azure.release()
    site.wait_rotations("alpha", 2)
    assert alternates(azure.truth.regenerated("alpha"))
    site.verdict(consumer)


def test_a_target_added_by_reload_is_owed_the_key(site, azure):
    site.policy(rotate_every="30d", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    site.config["targets"]["second"] = {"type": "file", "path": f"{site.keys}/{{account}}.2"}
    site.config["defaults"]["deliver_to"] = ["file", "second"]
    site.write()
    assert site.ctl("reload").returncode == 0
    second = site.keys / "alpha.2"
    wait_until(lambda: second.exists() and second.read_text().strip() == site.held("alpha"),
               "the second target has the key")


def test_reload_by_command_reports_the_result(site):
    site.account("alpha")
    site.start()
    good = site.ctl("reload")
    assert good.returncode == 0, good.stderr
    site.config_file.write_text(TEN_MISTAKES)
    bad = site.ctl("reload")
    assert bad.returncode == 1
    assert bad.stderr.count("keyrotated.yaml:") >= 9, bad.stderr
    result = json.loads(site.ctl("--json", "reload").stdout)["results"][0]
    assert result["outcome"] == "not_done" and "policies.slow.rotate_every" in result["report"]


def compiled_zone(hours):
    """A time zone that is `hours` ahead of UTC, as zic(8) would compile it (RFC 9636)."""
    header = b"TZif2" + bytes(15 + 3 * 4) + struct.pack(">3I", 0, 1, 4)
    data = struct.pack(">iBB", hours * 3600, 0, 0) + b"TST\0"
    return 2 * (header + data) + f"\n<TST>{-hours}\n".encode()


def hours_to_next(site, name):
    next_at = datetime.datetime.fromisoformat(site.status(name)["next_at"].replace("Z", "+00:00"))
    return (next_at - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600


def test_a_reload_takes_up_what_an_update_of_tzdata_changed(site, tmp_path):
    """Here it is 06:00, and the window is the morning; then clocks there are set by twelve hours."""
    hours = 6 - time.gmtime().tm_hour
    hours += 24 if hours < -11 else 0
    zone = tmp_path / "Place"
    zone.write_bytes(compiled_zone(hours))
    site.policy(window={"from": "00:00", "to": "12:00", "time_zone": "Place"})
    site.account("alpha")
    site.start(environment={"TZDIR": str(tmp_path)})
    site.wait_rotations("alpha", 1)

    zone.write_bytes(compiled_zone(hours - 12 if hours > 0 else hours + 12))
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: hours_to_next(site, "alpha") > 1, "the next rotation waits for the window")
    done = len(site.completed("alpha"))
    stays_true(lambda: len(site.completed("alpha")) == done, 3, "nothing rotates at 18:00")
