"""Places that a change of the configuration leaves behind."""

import pytest

from patience import wait_until


@pytest.fixture
def site_with_two(site):
    """Rotates on command only."""
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    site.config["targets"]["second"] = {"type": "file",
                                        "path": f"{site.directory}/second-{{account}}"}
    site.config["defaults"]["deliver_to"] = ["file", "second"]
    site.account("alpha")
    site.account("bravo")
    site.start()
    site.wait_adopted("alpha", "bravo")
    wait_until(lambda: site.held("alpha") and site.held("bravo"), "the keys are delivered")
    return site


def abandoned(site, name="alpha"):
    return [place["destination"] for place in site.status(name)["abandoned"]]


def rotate(site, name):
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == 0, "it may rotate")
    assert site.ctl("rotate", name, "--wait").returncode == 0


def move(site):
    """The file target of all accounts gets another path."""
    site.config["targets"]["file"]["path"] = f"{site.directory}/moved-{{account}}"
    site.write()


def test_a_moved_target_is_reported_until_a_rotation_has_completed(site_with_two):
    site = site_with_two
    old = f"file {site.file('alpha')}"
    move(site)

    said = site.ctl("reload", "--dry-run")
    assert said.returncode == 0 and f"{old} would no longer get keys" in said.stdout
    assert "nothing was changed" in said.stdout
    assert abandoned(site) == [] and not site.log.lines(event="target.abandoned")

    said = site.ctl("reload")
    assert said.returncode == 0 and f"{old} no longer gets keys" in said.stdout
    site.log.wait("target.abandoned", account="alpha")
    told = site.log.lines(event="target.abandoned", account="alpha")
    assert [line["target"] for line in told] == [old] and told[0]["remedy"]
    assert abandoned(site) == [old]
    assert f"abandoned" in site.ctl("status", "alpha").stdout
    assert old in site.ctl("status", "alpha").stdout

    site.ctl("reload")
    assert len(site.log.lines(event="target.abandoned", account="alpha")) == 1, "it is told once"
    rotate(site, "alpha")
    wait_until(lambda: abandoned(site) == [], "it is over with the rotation")
    assert abandoned(site, "bravo"), "and only for that account"


def test_a_start_finds_what_a_stopped_daemon_was_not_told(site_with_two):
    site = site_with_two
    site.daemons[-1].stop()
    move(site)
    site.start()
    told = site.log.wait("target.abandoned", account="alpha")
    assert told["target"] == f"file {site.file('alpha')}"
    site.daemons[-1].stop()
    site.start()
    assert abandoned(site) == [told["target"]], "a restart remembers it"
    assert len(site.log.lines(event="target.abandoned", account="alpha")) == 1

    site.daemons[-1].stop()
    site.config["targets"]["file"]["path"] = f"{site.keys}/{{account}}"
    site.start()
    wait_until(lambda: abandoned(site) == [f"file {site.directory}/moved-alpha"],
               "what is delivered to again is no longer abandoned, the place between is")


def test_another_form_of_the_same_place_is_not_abandoned(site_with_two):
    site = site_with_two
    site.config["targets"]["file"]["format"] = "json"
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: "resource_id" in (site.held("alpha") or ""), "the new form is delivered")
    assert abandoned(site) == [] and not site.log.lines(event="target.abandoned")


def test_an_account_that_leaves_abandons_nothing_until_it_comes_back_elsewhere(site_with_two):
    site = site_with_two
    entry = next(entry for entry in site.config["accounts"] if entry["id"].endswith("/alpha"))
    site.forget("alpha")
    site.write()
    said = site.ctl("reload", "--dry-run").stdout
    assert "alpha: would be removed" in said
    assert site.ctl("reload").returncode == 0
    assert not site.log.lines(event="target.abandoned")
    site.config["accounts"].append({**entry, "deliver_to": ["second"]})
    site.write()
    assert "alpha: would be added" in site.ctl("reload", "--dry-run").stdout
    assert site.ctl("reload").returncode == 0
    assert site.log.wait("target.abandoned", account="alpha")["target"] == \
        f"file {site.file('alpha')}"


def test_a_dry_run_tells_policies_and_what_needs_a_restart(site_with_two):
    site = site_with_two
    site.policy(rotate_every="20d", overlap="300ms", check_every="1h")
    site.config["state_dir"] = f"{site.directory}/elsewhere"
    site.write()
    said = site.ctl("reload", "--dry-run")
    assert said.returncode == 0 and "state_dir: warning: restart needed" in said.stdout, said
    assert "policy quick: would have rotate_every 20d instead of 30d" in said.stdout
    assert site.ctl("reload").returncode == 0
    said = site.ctl("reload", "--dry-run")
    assert said.returncode == 0 and "state_dir: warning: restart needed" in said.stdout, said
    assert "policy quick" not in said.stdout


def test_a_dry_run_refuses_what_a_reload_would(site_with_two):
    site = site_with_two
    site.config["targets"]["file"]["path"] = "relative"
    site.write()
    said = site.ctl("reload", "--dry-run")
    assert said.returncode == 1 and "nothing was changed" in said.stdout + said.stderr
    assert "targets.file.path" in said.stdout + said.stderr
    assert not site.log.lines(event="config.rejected")
    assert site.ctl("status").returncode == 0
