"""keyrotatectl status about some of the accounts: by pattern, by state, by policy."""

import json

import pytest

from patience import wait_until
from stand_in import RESOURCE_GROUP, resource_id

WELL, CRITICAL, USAGE = 0, 2, 64
COLUMNS = 100


@pytest.fixture
def fleet(site):
    """alpha, and bravo of policy `other`, are well; rg1 has two accounts that Azure does not know."""
    site.policy(rotate_every="10m", overlap="1s")
    site.config["policies"]["other"] = {**site.config["policies"]["quick"], "rotate_every": "20m"}
    site.account("alpha")
    site.account("bravo", policy="other")
    for name, policy in (("uno", "quick"), ("dos", "other")):
        site.config["accounts"].append({"id": resource_id(name, group="rg1"), "policy": policy,
                                        "adopt_active": "primary"})
    site.start()
    site.wait_adopted("alpha", "bravo")
    site.log.wait("account.blocked", account="uno")
    site.log.wait("account.blocked", account="dos")
    return site


def names(site, *arguments):
    done = site.ctl("--json", "status", *arguments)
    document = json.loads(done.stdout)
    return document["daemon"]["selected"], sorted(one["name"] for one in document["accounts"])


def test_patterns(fleet):
    """Of group/name, of names, of ids; what is not well of them, or all."""
    assert names(fleet, "rg1/*") == (2, ["dos", "uno"])
    assert names(fleet, "RG1/D*") == (1, ["dos"])
    assert names(fleet, "?lpha", "--all") == (1, ["alpha"])
    assert names(fleet, f"{RESOURCE_GROUP}/*") == (2, []), "what is well is not listed"
    assert names(fleet, f"{RESOURCE_GROUP}/*", "--all") == (2, ["alpha", "bravo"])
    assert names(fleet, "*", "uno") == (4, ["dos", "uno"])
    assert names(fleet, "/subscriptions/*/resourcegroups/RG1/*") == (2, ["dos", "uno"])
    shown = fleet.ctl("status", "rg1/*")
    assert shown.returncode == CRITICAL, shown
    first, _, grouped = shown.stdout.partition("\n")
    assert first == "2 of 4 accounts: 2 not well"
    assert "2 accounts: rg1/dos, rg1/uno: blocked: account_not_found" in grouped and "do: " in grouped
    well = fleet.ctl("status", f"{RESOURCE_GROUP}/*")
    assert (well.returncode, well.stdout) == (WELL, "2 of 4 accounts: all are well\n"), well
    table = fleet.ctl("status", f"{RESOURCE_GROUP}/*", "--all").stdout
    assert "/alpha" in table and "/bravo" in table and "uno" not in table
    assert max(map(len, table.splitlines())) <= COLUMNS
    plan = json.loads(fleet.ctl("--json", "plan", f"{RESOURCE_GROUP}/a*", "--until", "1h").stdout)
    assert {row["account"] for row in plan["rotations"]} == {"alpha"}
    unknown = fleet.ctl("status", "rg2/*")
    assert unknown.returncode == USAGE and "no account matches rg2/*" in unknown.stderr, unknown


def test_states_and_policies(fleet):
    """A state is that which status prints, and lists what is well, too; both can be combined."""
    assert names(fleet, "--state", "blocked") == (2, ["dos", "uno"])
    assert names(fleet, "--state", "ok") == (2, ["alpha", "bravo"])
    assert names(fleet, "--state", "frozen") == (0, [])
    assert names(fleet, "--policy", "other") == (2, ["dos"])
    assert names(fleet, "--policy", "other", "--all") == (2, ["bravo", "dos"])
    assert names(fleet, "--state", "ok", "--policy", "other") == (1, ["bravo"])
    assert names(fleet, "--state", "ok", "rg1/*") == (0, [])
    assert names(fleet, "alpha", "uno", "--state", "blocked") == (1, ["uno"])
    wells = fleet.ctl("status", "--state", "ok")
    assert wells.returncode == WELL and wells.stdout.startswith("2 of 4 accounts: all are well\n\nACCOUNT"), wells
    assert fleet.ctl("status", "--state", "blocked").returncode == CRITICAL
    none = fleet.ctl("status", "--state", "held")
    assert (none.returncode, none.stdout) == (WELL, "0 of 4 accounts: none matches\n"), none
    assert fleet.ctl("hold", "alpha", "--for", "1h", "--reason", "r").returncode == WELL
    wait_until(lambda: names(fleet, "--state", "held") == (1, ["alpha"]), "the hold shows")
    fleet.config["policies"]["other"]["rotate"] = False
    fleet.write()
    assert fleet.ctl("reload").returncode == WELL
    wait_until(lambda: names(fleet, "--state", "watched", f"{RESOURCE_GROUP}/*") == (1, ["bravo"]),
               "rotate: false shows")


def test_unknown_words_are_refused_with_the_nearest(fleet):
    for arguments, words in ((("--state", "blockd"), "there is no state blockd; did you mean blocked?"),
                             (("--state", "xyzzy"), "one of these was expected: adopting, ok, "),
                             (("--policy", "othr"), "there is no policy othr; did you mean other?"),
                             (("--policy", "xyzzy"), "one of these was expected: quick, other")):
        done = fleet.ctl("status", *arguments)
        assert done.returncode == USAGE and words in done.stderr, done
        assert not done.stdout


def test_help(site):
    """Without a daemon: of all commands, and of one."""
    whole = site.ctl("help")
    assert whole.returncode == WELL and whole.stdout == site.ctl("--help").stdout
    one = site.ctl("help", "hold")
    assert one.stdout.startswith("Usage: keyrotatectl ") and "--reason TEXT" in one.stdout
    assert "redeliver" not in one.stdout and "DURATION is written" in one.stdout
    wrong = site.ctl("help", "statsu")
    assert wrong.returncode == USAGE and "did you mean status?" in wrong.stderr
