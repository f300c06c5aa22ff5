"""Adoption: the active slot is found out from evidence, or a person is asked. It never regenerates
anything."""

import base64

from patience import stays_true, wait_until

KEY_OF_NOBODY = base64.b64encode(bytes(range(64))).decode()


def test_adoption_table(site, azure):
    """One account per line of the table, all at once."""
    site.policy(rotate_every="30d", check_every="1s")
    site.config["targets"]["second"] = {"type": "file", "path": f"{site.keys}/{{account}}.second",
                                        "format": "env"}

    def put(name, slot, suffix="", around="{}"):
        key = azure.keys(name)[slot] if slot in ("Primary", "Secondary") else slot
        (site.keys / (name + suffix)).write_text(around.format(key) + "\n")

    site.account("agrees", active="secondary")
    put("agrees", "Secondary")
    site.account("evidencealone", active=None)
    put("evidencealone", "Secondary")
    site.account("otherformat", active=None)  # bytes that contain a live key count
    put("otherformat", "Secondary", around='{{"some": "json", "of": ["theirs", "{}"]}}')
    site.account("toldbyconfig", active="secondary")
    site.account("silent", active=None)
    site.account("contradiction", active="secondary")
    put("contradiction", "Primary")
    site.account("unknownkey", active="primary")
    put("unknownkey", KEY_OF_NOBODY)
    site.account("nokey", active="primary")
    put("nokey", "hello")
    site.account("toolarge", active="primary")  # for a key: a wrong `path` may lead to a database
    put("toolarge", "hello " * 200000)
    site.account("disagreement", active=None, deliver_to=["file", "second"])
    put("disagreement", "Primary")
    put("disagreement", "Secondary", suffix=".second")
    site.account("oneempty", active=None, deliver_to=["file", "second"])
    put("oneempty", "Primary")

    expected = {"agrees": "secondary", "evidencealone": "secondary", "otherformat": "secondary",
                "toldbyconfig": "secondary", "oneempty": "primary"}
    blocked = {"silent": "active_key_unknown", "contradiction": "targets_disagree",
               "unknownkey": "target_holds_unknown_key", "nokey": "target_holds_unknown_key",
               "toolarge": "target_holds_unknown_key",
               "disagreement": "targets_disagree"}
    before = {name: site.held(name) for name in blocked}
    site.start()

    for name, slot in expected.items():
        assert site.log.wait("account.adopted", account=name)["slot"] == slot
        wait_until(lambda name=name, slot=slot: site.holds(name) == slot.capitalize(),
                   f"{name} holds its {slot} key")
    for name, reason in blocked.items():
        line = site.log.wait("account.blocked", account=name)
        assert line["reason"] == reason and "keyrotatectl" in line["remedy"], line
    unknown = site.log.lines(event="account.blocked", account="unknownkey")[0]
    assert "target" in unknown or unknown["alike"] >= 2
    assert azure.keys("oneempty")["Primary"] in (site.keys / "oneempty.second").read_text()

    stays_true(lambda: {name: site.held(name) for name in blocked} == before, 1.5,
               "nothing is delivered to a blocked account")
    assert not azure.truth.requests("regenerateKeys")


def test_status_shows_the_fingerprints_to_compare(site, azure):
    """Of the live keys, also before the adoption, and of what each target holds."""
    site.config["targets"]["second"] = {"type": "file", "path": f"{site.keys}/{{account}}.second"}
    site.account("torn", active=None, deliver_to=["file", "second"])
    site.put("torn", azure.keys("torn")["Secondary"])
    site.put("torn.second", KEY_OF_NOBODY)
    site.start()
    site.log.wait("account.blocked", account="torn")
    seen = site.status("torn")
    live = [seen["keys"][slot]["fingerprint"][:8] for slot in ("primary", "secondary")]
    held = [target["holds_fingerprint"] for target in seen["targets"]]
    assert held[0] == live[1] and held[1] not in live
    shown = site.ctl("status", "torn").stdout
    for fingerprint in (*live, *held):
        assert f"fingerprint {fingerprint}" in shown


def test_adopt_settles_it(site, azure):
    """`adopt` says which key is in use; the account's targets are overwritten with that one."""
    site.policy(rotate_every="30d", check_every="1s")
    site.account("silent", active=None)
    site.account("unknownkey", active="primary")
    site.put("unknownkey", KEY_OF_NOBODY)
    site.account("contradiction", active="secondary")
    site.put("contradiction", azure.keys("contradiction")["Primary"])
    site.start()
    for name, slot in (("silent", "Secondary"), ("unknownkey", "Primary"),
                       ("contradiction", "Secondary")):
        site.log.wait("account.blocked", account=name)
        told = site.ctl("adopt", name, "--active", slot.lower(), "--yes")
        assert told.returncode == 0, told.stderr
        line = site.log.wait("account.adopted", account=name)
        assert line["slot"] == slot.lower()
        wait_until(lambda name=name, slot=slot: site.holds(name) == slot, f"{name} holds {slot}")
        assert site.log.wait("operator.command", account=name)["actor"]
    site.log.wait("account.unblocked", account="silent")
    assert not azure.truth.requests("regenerateKeys")


def test_adopt_says_what_a_target_holds_already(site):
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: site.status("alpha")["targets"][0]["holds"], "it is looked at")
    same = site.ctl("adopt", "alpha", "--active", "primary").stderr
    assert "which already holds it" in same and "overwrites" not in same, same
    assert "adopt decides which key is regenerated next: say --yes" in same
    other = site.ctl("adopt", "alpha", "--active", "secondary").stderr
    assert "overwriting the primary key" in other
    assert "adopt overwrites what targets hold: say --yes" in other
    listed = site.directory / "list"
    listed.write_text("alpha primary\n")
    same = site.ctl("adopt", "--file", listed).stderr
    assert "active one; nothing is overwritten" in same and "overwrites" not in same, same
    listed.write_text("alpha secondary\n")
    other = site.ctl("adopt", "--file", listed).stderr
    assert f"and overwrites the primary key in file {site.file('alpha')}\n" in other, other


def test_a_blocked_adoption_resolves_when_the_evidence_changes(site, azure):
    site.policy(rotate_every="30d", check_every="1s")
    site.account("alpha", active=None)
    site.start()
    site.log.wait("account.blocked", account="alpha")
    site.config["accounts"][0]["adopt_active"] = "secondary"
    site.write()
    site.daemons[-1].reload()
    wait_until(lambda: site.holds("alpha") == "Secondary", "the key is delivered")


def test_rotate_false_adopts_and_watches(site, azure):
    """Adopt, deliver, watch, never regenerate."""
    site.account("alpha", rotate=False)
    site.start()
    site.wait_adopted("alpha")
    site.put("alpha", "overwritten")
    site.log.wait("drift.repaired", account="alpha")
    assert site.holds("alpha") == "Primary"
    refused = site.ctl("rotate", "alpha")
    assert refused.returncode == 2 and "rotate: false" in refused.stdout + refused.stderr
    assert not azure.truth.requests("regenerateKeys")


def test_adopt_active_that_is_edited_later_changes_nothing(site, azure):
    """A changed adopt_active is warned about, with the command that was meant, at a reload and at a
    start."""
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    assert "adopt_active" not in site.ctl("reload").stdout, "nothing was edited"

    site.config["accounts"][0]["adopt_active"] = "secondary"
    site.write()
    command = f"`keyrotatectl --socket {site.socket} adopt alpha --active secondary`"
    said = site.ctl("reload", "--dry-run")
    assert command in said.stdout + said.stderr
    mark = site.log.mark()
    said = site.ctl("reload")
    assert said.returncode == 0 and command in said.stdout + said.stderr, said
    warned = site.log.wait("config.loaded", since=mark, level="warning", account="alpha")
    assert command in warned["msg"] and "its primary key is the active one" in warned["msg"]
    assert site.holds("alpha") == "Primary"
    said = site.ctl("reload")
    assert command not in said.stdout + said.stderr, "told once"

    site.daemons[-1].stop()
    mark = site.log.mark()
    site.launch().ready()
    site.log.wait("config.loaded", since=mark, level="warning", account="alpha")
    answer = site.ctl(*command.strip("`").split()[3:], "--yes")
    assert answer.returncode == 0, answer.stderr
    wait_until(lambda: site.holds("alpha") == "Secondary", "the command has done it")
    assert azure.truth.regenerated("alpha") == []
