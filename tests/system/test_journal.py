"""What stands in systemd's journal: names and fields that people's filters rely on."""

import re

from service import UNIT
from stand_in import CLIENT_SECRET


def test_entries_carry_fields_and_a_message_id(service):
    service.rotate()
    entry = service.wait_log("rotation.completed")
    assert entry["SYSLOG_IDENTIFIER"] == "keyrotated"
    assert entry["PRIORITY"] == "5"
    assert entry["_SYSTEMD_UNIT"] == UNIT
    assert entry["_TRANSPORT"] == "journal"
    assert entry["KEYROTATED_ACCOUNT"] == service.account
    assert entry["KEYROTATED_SLOT"].lower() == "secondary"
    assert entry["KEYROTATED_CYCLE"] == "1"
    assert re.fullmatch(r"[0-9a-f]{32}", entry["MESSAGE_ID"])
    delivered = service.log("key.delivered", KEYROTATED_CYCLE="1")
    assert {one["KEYROTATED_TARGET"] for one in delivered} == \
        {f"file {service.path(target)}" for target in service.config["targets"]}, delivered
    assert len({one["MESSAGE_ID"] for one in delivered}) == 1


def test_every_message_id_that_is_used_is_explained_in_the_catalog(service, guest):
    service.rotate()
    guest.systemctl("reload", UNIT)
    guest.systemctl("restart", UNIT)
    service.wait_well()
    used = {entry["MESSAGE_ID"]: entry["KEYROTATED_EVENT"] for entry in service.log()
            if "KEYROTATED_EVENT" in entry and "MESSAGE_ID" in entry}
    assert {"daemon.started", "rotation.completed", "config.loaded"} <= set(used.values())
    explained = guest.output("journalctl", "--list-catalog")
    unexplained = {event for number, event in used.items() if number not in explained}
    assert not unexplained


def test_journalctl_x_explains_an_entry_in_words(service, guest):
    service.rotate()
    told = guest.output("journalctl", "--catalog", "--no-pager", f"--unit={UNIT}",
                        "KEYROTATED_EVENT=key.regenerated")
    assert "Subject: A key was regenerated" in told
    assert f"key of {service.account}, which was the standby key" in re.sub(r"\s+(░░ )?", " ", told)


def test_neither_keys_nor_secrets_stand_in_the_journal(service, guest, azure):
    service.rotate()
    text = guest.output("journalctl", "--output=export", "--all", "--no-pager")
    assert service.account in text and len(azure.truth.keys()) == 3
    for secret in (*azure.truth.keys(), CLIENT_SECRET):
        assert secret not in text
