"""`after`: what is told, without the key, once a target has it: units, programs and sockets."""

import json
import os

import pytest

import receivers
from bus import Bus, Unit
from patience import wait_until
from receivers import Program
from truth import alternates
from ways import AS_SERVICE, DENIED, FAILED, is_told, prepare, told_by_status, wait_told


@pytest.fixture
def bus(site):
    running = Bus(site.directory / "bus.sock")
    yield running
    running.stop()


def after(site, *hooks, target="file"):
    site.config["targets"][target]["after"] = list(hooks)


def script(site, name, body):
    path = site.directory / name
    path.write_text(f"#!/bin/sh\nd={site.directory}\n{body}\n")
    path.chmod(0o755)
    site.config["targets"][name] = {"type": "exec", "command": [str(path), "{account}"]}
    return path


def lines(site, name):
    path = site.directory / name
    return path.read_text().splitlines() if path.exists() else []


def rotate(site, name):
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == 0, "it may rotate")
    return site.ctl("rotate", name, "--wait")


def target_of(site, account, name):
    return next(target for target in site.status(account)["targets"] if target["name"] == name)


def test_a_program_is_told_without_the_key_and_in_order(site, azure):
    """Behind its own target, before the next one, in each rotation; its failure holds the rotation,
    and it alone is retried."""
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    script(site, "tell", 'cat >>$d/told\nenv | grep KEYROTATED_AFTER >>$d/after\n'
           'echo tell >>$d/order\ntest ! -e $d/broken')
    script(site, "last", 'cat >$d/given\necho last >>$d/order')
    after(site, {"target": "tell"})
    site.config["defaults"]["deliver_to"] = ["file", "last"]
    site.account("alpha")
    site.start()
    line = site.log.wait("key.delivered", account="alpha",
                         target=f"exec {site.directory}/tell alpha (after file)")
    assert line["slot"] == "primary"
    wait_until(lambda: lines(site, "order") == ["tell", "last"], "both are told")
    (site.directory / "broken").touch()
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    assert site.ctl("rotate", "alpha").returncode == 0
    site.log.wait("delivery.failed", account="alpha", reason="target_failed")
    assert target_of(site, "alpha", "tell")["satisfied"] is False
    assert target_of(site, "alpha", "file")["satisfied"] is True
    assert len(azure.truth.regenerated("alpha")) == 1
    site.daemons[-1].kill()
    (site.directory / "broken").unlink()
    written = len(site.log.lines(event="key.delivered", account="alpha"))
    site.start()
    site.wait_rotations("alpha", 1)
    assert lines(site, "order")[-1] == "last" and len(azure.truth.regenerated("alpha")) == 1
    again = site.log.lines(event="key.delivered", account="alpha")[written:]
    assert [line["target"].split(" ")[0] for line in again] == ["exec", "exec"]
    told = [json.loads(line) for line in lines(site, "told")]
    assert {form["slot"] for form in told} == {"primary", "secondary"}
    assert all("key" not in form and form["account"] == "alpha" for form in told)
    assert set(lines(site, "after")) == {"KEYROTATED_AFTER=file"}
    assert not any(key in "".join(lines(site, "told")) for key in azure.truth.keys())
    assert json.loads(lines(site, "given")[0])["key"] == azure.keys("alpha")["Secondary"]


def test_a_repair_tells_again(site, azure):
    """Somebody overwrites the file; its reader is told once it holds the key again."""
    site.policy(rotate_every="30d", check_every="1h")
    hook = Program(site.directory / "hook.sock")
    site.config["targets"]["hook"] = {"type": "socket", "path": str(site.directory / "hook.sock"),
                                      "owner": os.getuid()}
    after(site, {"target": "hook"})
    site.config["defaults"]["deliver_to"] = ["file"]
    site.account("alpha")
    site.start()
    wait_until(lambda: len(hook.forms) == 1, "the hook is told")
    assert "key" not in hook.forms[0] and hook.forms[0]["slot"] == "primary"
    site.put("alpha", "gibberish\n")
    wait_until(lambda: site.ctl("check", "alpha").returncode == 0, "it is checked")
    wait_until(lambda: len(hook.forms) == 2, "the hook is told again")
    assert site.holds("alpha") == "Primary"
    hook.stop()


def test_redeliver_tells_all_hooks_of_a_name(site, azure, bus):
    """One program is told after two files, and a unit after one: each by its name, nothing else."""
    bus.units["alpha.service"] = Unit()
    site.policy(rotate_every="30d", check_every="1h")
    script(site, "tell", "echo $KEYROTATED_AFTER >>$d/told")
    site.config["targets"]["other"] = {**site.config["targets"]["file"],
                                       "path": str(site.directory / "other-{account}")}
    after(site, {"target": "tell"}, {"unit": "{account}.service"})
    after(site, {"target": "tell"}, target="other")
    site.config["defaults"]["deliver_to"] = ["file", "other"]
    site.account("alpha")
    site.start(environment=bus.environment)
    site.log.wait("key.delivered", account="alpha", target="unit alpha.service (after file)")
    wait_until(lambda: lines(site, "told") == ["file", "other"], "both are told")
    assert site.ctl("redeliver", "alpha", "--target", "tell").returncode == 0
    wait_until(lambda: lines(site, "told") == ["file", "other"] * 2, "both are told again")
    assert len(bus.told) == 1
    assert site.ctl("redeliver", "alpha", "--target", "alpha.service").returncode == 0
    wait_until(lambda: len(bus.told) == 2, "the unit is told again")
    assert lines(site, "told") == ["file", "other"] * 2
    refused = site.ctl("redeliver", "alpha", "--target", "nowhere")
    assert "it has: file, tell, alpha.service, other" in refused.stderr, refused


def test_accounts_share_a_unit_and_a_restart(site, azure, bus):
    bus.units["reader.service"] = Unit(takes=1)
    site.policy(rotate_every="30d", check_every="1h")
    after(site, {"unit": "reader.service"})
    site.config["defaults"]["deliver_to"] = ["file"]
    names = [f"many{number}" for number in range(8)]
    for name in names:
        site.account(name)
    site.start(environment=bus.environment)
    for name in names:
        site.log.wait("key.delivered", account=name, target="unit reader.service (after file)")
    assert 1 <= len(bus.told) <= 2
    assert all(second[1] - first[1] >= 9.9 for first, second in zip(bus.told, bus.told[1:]))
    assert {unit for unit, _ in bus.told} == {"reader.service"}


TELLING = "unit {name}.service: "
SEE = "see what `systemctl status dbus.service` and `busctl --system status` say"
LOOK = "see what `systemctl status {name}.service` says"
RESET = ("see why (`journalctl -u {name}.service`), then `systemctl reset-failed {name}.service` and "
         "`systemctl start {name}.service`")


def refuses(error, cause=None, remedy=LOOK, reason=FAILED):
    unit = Unit()
    unit.refusal = error
    return unit, reason, cause or f"systemd answered with {error}: ", remedy


def fails(result, cause="it failed when it was told to take the new key ({result})"):
    return Unit(becomes="failed", result=result), FAILED, TELLING + cause.replace("{result}", result), RESET


WAYS = {
    "missing": (None, FAILED, "there is no such unit", "or install it (`systemctl cat {name}.service`)"),
    "failed": (Unit("failed", result="exit-code"), FAILED, "has failed, and so cannot be told (exit-code)",
               RESET),
    "exits": fails("exit-code"),
    "signalled": fails("signal"),
    "dumps": fails("core-dump"),
    "slow": fails("timeout"),
    "memory": fails("oom-kill"),
    "watched": fails("watchdog"),
    "limit": fails("start-limit-hit", "it failed when it was told to take the new key ({result}: it was "
                   "started too often within a short time)"),
    "protocol": fails("protocol"),
    "resources": fails("resources"),
    "denied": refuses("org.freedesktop.DBus.Error.AccessDenied", "(no polkit runs",
                      "apt install polkitd", DENIED),
    "asked": refuses("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                     "(polkit has no rule for it)", 'a.lookup("verb")=="reload-or-try-restart"', DENIED),
    "masked": refuses("org.freedesktop.systemd1.UnitMasked", "with UnitMasked",
                      "`systemctl unmask` the unit"),
    "vanished": refuses("org.freedesktop.systemd1.NoSuchUnit", "there is no such unit", "systemctl cat"),
    "other": refuses("org.freedesktop.systemd1.JobTypeNotApplicable"),
    "ends": refuses("org.freedesktop.systemd1.ShuttingDown"),
    "loads": refuses("org.freedesktop.systemd1.BadUnitSetting"),
    "depends": refuses("org.freedesktop.systemd1.OnlyByDependency"),
    "destroys": refuses("org.freedesktop.systemd1.TransactionIsDestructive"),
    "unanswered": refuses("org.freedesktop.DBus.Error.NoReply",
                          TELLING + "no answer came over the system bus: ", SEE),
    "absent": refuses("org.freedesktop.DBus.Error.ServiceUnknown",
                      TELLING + "there is no systemd at the system bus: ",
                      "take the unit out of `after` where another program starts services"),
    "limited": refuses("org.freedesktop.DBus.Error.LimitsExceeded"),
}


@pytest.mark.long
def test_ways_in_which_a_unit_is_wrong(site, azure, bus):
    site.policy(rotate_every="30d", check_every="1h")
    site.config["timing"]["retry_max"] = "300ms"
    site.config["defaults"]["deliver_to"] = ["file"]
    after(site, {"unit": "{account}.service"})
    ways = {}
    for name, (unit, *way) in WAYS.items():
        site.account(name)
        ways[name] = [text.replace("{name}", name) for text in way]
        if unit:
            bus.units[f"{name}.service"] = unit
    site.account("idle")
    bus.units["idle.service"] = Unit("inactive")
    daemon = site.start(environment=bus.environment)
    wait_told(site, ways)
    site.log.wait("key.delivered", account="idle", target="unit idle.service (after file)")
    assert not [unit for unit, _ in bus.told if unit == "idle.service"]
    bus.units["failed.service"] = Unit()
    site.log.wait("key.delivered", account="failed", target="unit failed.service (after file)")
    daemon.kill()  # a stop would wait for units that are to be told in ten seconds


BUS = "unit reader.service: the system bus "
START = "start it (`systemctl start dbus.socket`), or take the unit out of `after`"
ENDED = "unit reader.service: no answer came over the system bus: Connection terminated"
# What is done where the bus should be.
BUS_WAYS = {
    "nothing": (lambda at: None, FAILED, BUS + "cannot be reached: No such file or directory", START),
    "left behind": (receivers.left_behind, FAILED, BUS + "cannot be reached: Connection refused", START),
    "a file": (lambda at: at.there(), FAILED, BUS + "cannot be reached: Connection refused", START),
    "full": (receivers.full, FAILED, BUS + "does not accept connections at the moment, and its queue",
             "none needed where the bus is busy for a moment: the unit is told by itself"),
    "another's": (lambda at: (at.there(), at.of_stranger(at.path, 0o600)), DENIED,
                  BUS + "cannot be reached: Permission denied", SEE),
    "closes": (receivers.handles(lambda connection: None), FAILED, ENDED, SEE),
    "speaks": (receivers.handles(lambda connection: connection.sendall(b"220 mail ESMTP\r\n")), FAILED,
               ENDED, SEE),
    "refuses": (receivers.handles(lambda connection: connection.sendall(b"REJECTED\r\n")), FAILED,
                "unit reader.service: ", SEE),
}


@pytest.mark.long
def test_ways_in_which_the_bus_is_wrong(site, places):
    """A daemon for each, because a unit is told every ten seconds at most."""
    site.policy(rotate_every="30d", check_every="1h")
    after(site, {"unit": "reader.service"})
    site.config["defaults"]["deliver_to"] = ["file"]
    site.account("alpha")
    path = site.directory / "bus"
    environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}
    for name, place, way in prepare(BUS_WAYS, site, None, places, at=path):
        daemon = site.start(wrapped=AS_SERVICE, environment=environment)
        told = {}
        try:
            wait_until(lambda: is_told(told_by_status(site, told).get("alpha", ()), way), name)
        except AssertionError as failure:
            raise AssertionError(f"{failure}: {told}") from None
        daemon.kill()
        place.end()
        path.unlink(missing_ok=True)
    bus = Bus(path)
    bus.units["reader.service"] = Unit()
    site.start(environment=environment)
    site.log.wait("key.delivered", account="alpha", target="unit reader.service (after file)")
    bus.stop()


def test_a_unit_that_hangs_disturbs_nobody(site, azure, bus):
    bus.units["slow.service"] = Unit(takes=100000)
    site.policy(rotate_every="3s", overlap="300ms", check_every="1h")
    after(site, {"unit": "slow.service"})
    site.config["targets"]["other"] = {**site.config["targets"]["file"],
                                       "path": str(site.directory / "other-{account}")}
    del site.config["targets"]["other"]["after"]
    site.account("alpha", deliver_to=["file"])
    site.account("bravo", deliver_to=["other"])
    daemon = site.start(environment=bus.environment)
    wait_until(lambda: bus.told, "the unit is told")
    mark = site.log.mark()
    site.wait_rotations("bravo", 2, since=mark)
    assert alternates(azure.truth.regenerated("bravo"))
    daemon.stop()
    assert not site.log.lines(event="key.delivered", account="alpha",
                              target="unit slow.service (after file)")
