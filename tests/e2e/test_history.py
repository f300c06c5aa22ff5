"""keyrotatectl history: what happened, when, and by whom."""

import csv
import io
import json
import re
import sqlite3

from patience import wait_until

DONE, NOT_DONE, REFUSED, UNREACHABLE, USAGE = 0, 1, 2, 3, 64
COLUMNS = 100


def history(site, *arguments):
    done = site.ctl("history", "--json", *arguments)
    assert done.returncode == DONE, done
    document = json.loads(done.stdout)
    assert [row["number"] for row in document["rows"]] == sorted({row["number"] for row in document["rows"]})
    return document["rows"]


def events(rows):
    return [row["event"] for row in rows]


def wait_for(site, event, *arguments):
    """The rows, once this one is among them: the journal may be a moment later than an answer."""
    wait_until(lambda: event in events(history(site, *arguments)), f"{event} in the history")
    return history(site, *arguments)


def test_a_rotation_by_command(site):
    """Everything that a rotation did, with who asked for it, in all forms; also after a restart."""
    site.policy(rotate_every="30d", overlap="1s", splay="1s")
    site.account("alpha")
    site.account("beta")
    daemon = site.start()
    site.wait_adopted("alpha", "beta")
    wait_until(lambda: site.ctl("rotate", "alpha", "--wait").returncode == DONE, "a rotation")
    rows = wait_for(site, "rotation.completed", "alpha")
    assert {row["account"] for row in rows} == {"alpha"}
    steps = [event for event in events(rows) if event in ("account.adopted", "rotation.started", "key.regenerated",
                                                          "key.delivered", "rotation.completed")]
    assert steps[0] == "account.adopted"
    assert steps[-4:] == ["rotation.started", "key.regenerated", "key.delivered", "rotation.completed"], steps
    started = next(row for row in rows if row["event"] == "rotation.started")
    assert started["trigger"] == "command" and re.match(r"uid \d+", started["actor"]), started
    of_rotation = [row for row in rows if row["cycle"] == started["cycle"] and row["number"] >= started["number"]]
    assert {row["correlation_id"] for row in of_rotation} == {started["correlation_id"]} != {None}
    delivered = next(row for row in of_rotation if row["event"] == "key.delivered")
    assert delivered["slot"] == started["slot"] and delivered["target"] and len(delivered["fingerprint"]) == 32

    assert next(row for row in of_rotation if row["event"] == "rotation.completed")["duration_ms"] > 0

    asked = [row for row in rows if row["event"] == "command.accepted"]
    assert asked and asked[-1]["actor"] == started["actor"] and asked[-1]["text"].startswith("rotate: "), rows
    assert asked[-1]["text"].count("{") == 0 and not asked[-1]["failed"]

    everything = history(site)
    assert {row["account"] for row in everything} == {"alpha", "beta"}
    assert [row for row in everything if row["account"] == "alpha"] == rows
    sheet = list(csv.DictReader(io.StringIO(site.ctl("history", "alpha", "--csv").stdout)))
    assert [(int(line["number"]), line["event"], line["actor"]) for line in sheet] == \
        [(row["number"], row["event"], row["actor"] or "") for row in rows]
    table = site.ctl("history", "alpha").stdout.splitlines()
    assert table[0].split() == ["TIME", "CYCLE", "EVENT", "SLOT", "BY", "FINGERPRINT", "DURATION"]
    assert max(map(len, table)) <= COLUMNS
    assert any(delivered["fingerprint"][:8] in line and " key.delivered " in line for line in table)

    assert history(site, "alpha", "--until", started["at"]) == \
        [row for row in rows if row["at"] < started["at"]]
    assert history(site, "alpha", "--since", started["at"]) == \
        [row for row in rows if row["at"] >= started["at"]]
    assert history(site, "--failed") == [row for row in everything if row["failed"]]
    whole = site.ctl("history", "--verify")
    assert whole.returncode == DONE
    assert re.fullmatch(r"\d+ rows of 2 accounts are as they were written\n", whole.stdout), whole

    daemon.stop()
    assert site.ctl("history").returncode == UNREACHABLE
    site.start()
    assert history(site, "alpha")[:len(rows)] == rows


def test_what_went_wrong(site):
    """A key that somebody deletes from its target is in the history, and so is the repair; the account can be asked
    for by its id after it has left the configuration."""
    site.policy(rotate_every="30d", overlap="5d", splay="1s")
    site.account("alpha")
    site.account("beta")
    site.start()
    site.wait_adopted("alpha", "beta")
    site.put("alpha", "nonsense")
    assert site.ctl("check", "alpha").returncode == DONE
    rows = wait_for(site, "drift.repaired", "alpha")
    failed = history(site, "--failed")
    assert "drift.detected" in events(failed) and "drift.repaired" not in events(failed)
    drift = next(row for row in failed if row["event"] == "drift.detected")
    assert drift["account"] == "alpha" and drift["reason"] == "target_changed"
    identity = site.status("alpha")["id"]

    site.forget("alpha")
    site.write()
    assert site.ctl("reload").returncode == DONE
    unknown = site.ctl("history", "alpha")
    assert unknown.returncode == USAGE and "alpha" in unknown.stderr
    assert history(site, identity)[:len(rows)] == rows


def test_a_refusal(site):
    """Who wanted it, and why it was not done. What only asks is not in the history."""
    site.policy(rotate_every="30d", overlap="5d", splay="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    assert site.ctl("hold", "alpha", "--for", "1h", "--reason", "a change").returncode == DONE
    answer = json.loads(site.ctl("--json", "rotate", "alpha").stdout)["results"][0]
    assert answer["outcome"] == "refused", answer
    refused = wait_for(site, "command.refused", "alpha", "--failed")[-1]
    assert refused["text"] == f"rotate: {answer['message']}" and re.match(r"uid \d+", refused["actor"]), refused
    assert site.ctl("rotate", "alpha", "--dry-run").returncode == REFUSED
    assert site.ctl("check", "alpha").returncode == DONE
    assert site.ctl("redeliver", "alpha").returncode == DONE

    def commands():
        return [row["text"].split(":")[0] for row in history(site, "alpha") if row["event"].startswith("command.")]

    wait_until(lambda: "redeliver" in commands(), "redeliver is in the history")
    assert commands() == ["rotate", "redeliver"]


def test_for_how_long_a_key_was_dead(site, azure):
    """Somebody else regenerates both keys, so that the file holds a dead one until it is repaired."""
    site.policy(rotate_every="30d", overlap="5d", splay="1s", check_every="10m")
    site.account("alpha")
    daemon = site.start()
    site.wait_adopted("alpha")
    daemon.stop()
    azure.regenerate("alpha", "Primary")
    azure.regenerate("alpha", "Secondary")
    site.start()
    rows = wait_for(site, "consumers.safe", "alpha")
    detected = next(row for row in rows if row["event"] == "drift.detected")
    safe = next(row for row in rows if row["event"] == "consumers.safe")
    assert safe["duration_ms"] > 0 and detected["at"] <= safe["at"], rows
    assert "DURATION" in site.ctl("history", "alpha").stdout.splitlines()[0]


def test_many_pages(site):
    """Rows of more than a page are one document, and one table."""
    site.config["history"] = {"keep": "3650d"}
    site.policy(rotate_every="30d", overlap="5d", splay="1s")
    site.account("alpha")
    daemon = site.start()
    site.wait_adopted("alpha")
    daemon.stop()
    database = sqlite3.connect(site.state / "journal.db")
    [(account, last)] = database.execute("SELECT account, max(id) FROM history")
    database.executemany("INSERT INTO history (id, account, at, event, cycle) VALUES (?, ?, ?, 'window.missed', 7)",
                         [(last + 1 + number, account, 1700000000000 + number) for number in range(1200)])
    database.commit()
    database.close()
    site.start()
    rows = history(site, "--until", "2024-01-01T00:00:00Z")
    assert len(rows) == 1200 and {row["cycle"] for row in rows} == {7}
    table = site.ctl("history", "--until", "2024-01-01T00:00:00Z").stdout.splitlines()
    assert len([line for line in table if line.startswith("TIME ")]) == 1
    assert len([line for line in table if " window.missed " in line]) == 1200

    verdict = site.ctl("history", "--verify")
    assert verdict.returncode == NOT_DONE
    assert f"/alpha: row {last + 1}: this row was added by somebody else\n" in verdict.stdout, verdict
    assert "of 1 of 1 accounts the history is not as it was written\n" in verdict.stdout, verdict
    document = json.loads(site.ctl("history", "alpha", "--verify", "--json").stdout)
    assert not document["whole"] and [chain["number"] for chain in document["chains"]] == [last + 1]
    assert len(document["chains"][0]["head"]) == 64


def test_what_is_older_is_forgotten(site):
    """Also of an account that has left the configuration; what is left is whole."""
    site.policy(rotate_every="30d", check_every="10m", splay="0s")
    site.account("alpha")
    site.account("beta")
    daemon = site.start()
    site.wait_adopted("alpha", "beta")
    wait_for(site, "key.delivered", "alpha")
    wait_for(site, "key.delivered", "beta")
    site.forget("beta")
    site.config["history"] = {"keep": "1s"}
    assert daemon.stop() == 0
    site.start()
    wait_until(lambda: not history(site), "all of it is old")
    checked = json.loads(site.ctl("history", "--verify", "--json").stdout)
    assert checked["whole"] and [chain["rows"] for chain in checked["chains"]] == [0, 0], checked
