"""keyrotatectl config show: each value that an account lives by, and the file and line of it."""

import json
import pathlib
import re

from stand_in import RESOURCE_GROUP, resource_id

DONE, USAGE = 0, 64
COLUMNS = 100


def shown(site, name):
    done = site.ctl("--json", "config", "show", name)
    assert done.returncode == DONE, done
    document = json.loads(done.stdout)
    return document, {one["key"]: one for one in document["values"]}


def line_of(value):
    return pathlib.Path(value["file"]).read_text().splitlines()[value["line"] - 1]


def test_every_value_has_its_place(site):
    """Those of files stand where it is said; the others are defaults. A second file, and defaults, count."""
    site.account("alpha", policy="night", rotate=False)
    site.account("bravo")
    more = site.directory / "conf.d" / "more.yaml"
    more.parent.mkdir(mode=0o755)
    more.write_text("policies:\n  night:\n    rotate_every: 20m\n    overlap: 1m   # short\n"
                    "    window: {from: '01:00', to: '05:00', time_zone: UTC}\n")
    site.start()
    document, values = shown(site, "alpha")
    assert document["id"] == resource_id("alpha") and document["loaded_at"]
    for value in values.values():
        assert (value["file"] is None) == (value["from"] != "file"), value
        assert value["file"] is None or any(word in line_of(value) for word in
                                            (value["key"].split(".")[-1], value["value"])), value
    own = {key: (value["value"], value["from"]) for key, value in values.items()}
    assert own["policy"] == ("night", "file") and '"night"' in line_of(values["policy"])
    assert own["policy.overlap"] == ("1m", "file")
    assert (values["policy.overlap"]["file"], values["policy.overlap"]["line"]) == (str(more), 4)
    assert own["policy.window"] == ("{from: 01:00, to: 05:00, time_zone: UTC}", "file")
    assert own["policy.splay"] == ("2m", "default") and own["policy.on_drift"] == ("redeliver", "default")
    assert own["rotate"] == ("false", "file")
    assert own["identity"] == ("ops", "file") and own["identity.client_secret_file"][1] == "file"
    assert own["type"] == ("batch", "id") and own["adopt_active"] == ("primary", "file")
    assert own["deliver_to"] == ("[file]", "file")
    assert own["target.file"][0].startswith(f"file {site.file('alpha')}")
    assert own["target.file.path"][0] == f"{site.keys}/{{account}}"
    assert own["target.file.mode"] == ("0600", "default")
    assert own["api_version"][1] == own["limits.requests"][1] == "default"
    bravo = shown(site, f"{RESOURCE_GROUP}/bravo")[1]
    assert bravo["policy"]["value"] == "quick" and bravo["rotate"]["from"] == "default"
    assert bravo["policy.overlap"]["file"] == str(site.config_file)


def test_it_is_the_configuration_in_force(site):
    """A file that has changed counts from the reload on, and one that is refused does not."""
    site.account("alpha")
    site.start()
    before = shown(site, "alpha")[1]["policy.check_every"]
    site.policy(check_every="33m")
    site.write()
    assert shown(site, "alpha")[1]["policy.check_every"] == before
    assert site.ctl("reload").returncode == DONE
    assert shown(site, "alpha")[1]["policy.check_every"]["value"] == "33m"
    site.policy(check_every="soon")
    site.write()
    assert site.ctl("reload").returncode != DONE
    assert shown(site, "alpha")[1]["policy.check_every"]["value"] == "33m"


def test_text_and_refusals(site):
    site.account("alpha")
    site.start()
    done = site.ctl("config", "show", "alpha")
    lines = done.stdout.splitlines()
    assert done.returncode == DONE and lines[0].startswith(f"{RESOURCE_GROUP}/alpha, by the files that were read 20")
    assert lines[1] == f"in {site.directory}/"
    assert max(map(len, lines)) <= COLUMNS
    assert re.search(r"^policy\.overlap +keyrotated\.yaml:\d+ +\S+$", done.stdout, re.M), done.stdout
    assert re.search(r"^policy\.on_drift +default +redeliver$", done.stdout, re.M), done.stdout
    for arguments, words in ((["show", "nobody"], "no account nobody is configured"),
                             (["show"], "config show ACCOUNT was expected"), (["alpha"], "config show ACCOUNT"),
                             (["show", "a", "b"], "config show ACCOUNT was expected"),
                             (["show", "alpha", "--all"], "config has no option --all")):
        refused = site.ctl("config", *arguments)
        assert refused.returncode == USAGE and words in refused.stderr, refused
