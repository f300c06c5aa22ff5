"""`systemctl reload` returns when the reload is done, and with its result."""

import json

from patience import wait_until
from service import CONFIG, KEYS, UNIT


def test_a_good_reload_takes_effect_at_once(service, guest, azure):
    pid = service.main_pid
    mark = guest.journal_mark()
    service.config["targets"]["more"] = {"type": "file", "path": f"{KEYS}/{{account}}.more"}
    service.config["defaults"]["deliver_to"].append("more")
    service.write_config()
    guest.systemctl("reload", UNIT)
    assert service.log("config.loaded", mark), "it was read before the reload returned"
    assert service.is_active() and service.main_pid == pid
    wait_until(lambda: service.holds("more") == "Primary", "the new target has its key", pause=0.1)
    assert service.regenerated() == []
    service.rotate()


def test_a_bad_reload_is_an_error_and_changes_nothing(service, guest):
    pid = service.main_pid
    mark = guest.journal_mark()
    good = guest.path(CONFIG).read_text(encoding="utf-8")
    bad = json.loads(good)
    bad["policies"]["standard"]["overlap"] = "a while"
    bad["accounts"] = []
    guest.write(CONFIG, json.dumps(bad))
    refused = guest.systemctl("reload", UNIT, check=False)
    assert refused.returncode != 0, refused
    rejected = service.log("config.rejected", mark)
    assert any("overlap" in entry["MESSAGE"] for entry in rejected), rejected
    assert service.is_active() and service.main_pid == pid and service.restarts == 0
    assert service.account_status()["state"] == "ok", "the account is still under care"
    service.rotate()
    guest.write(CONFIG, good)
    guest.systemctl("reload", UNIT)


def test_what_a_bad_reload_objects_to_can_be_seen_from_the_unit(service, guest):
    guest.write(CONFIG, "version: 1\naccounts: {}\n")
    guest.systemctl("reload", UNIT, check=False)
    said = guest.output("journalctl", "--no-pager", f"--unit={UNIT}", "--lines=20")
    assert "accounts" in said and "keyrotatectl" in said, said
