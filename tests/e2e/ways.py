"""Ways of being wrong: one account for each, at the same time, and one beside them that is well."""

import json
import os
import re
import subprocess

from patience import wait_until

WHOLE = 390  # bytes: a text that was cut has some more (daemon/core/look.h, FAILURE_TEXT_MAX)
# Of one event and reason; further ones count as one (daemon/io/log/log_private.h, LOG_CAUSES_MAX).
LOG_CAUSES = 8


def told_by_status(site, told):
    """Adds what `keyrotatectl status` says now: {account: {(reason, cause, remedy)}}."""
    for account in json.loads(site.ctl("--json", "status", "--all").stdout)["accounts"]:
        text = account["failure"]["text"] if account["failure"] else account["meaning"]
        if text and account["do"]:
            told.setdefault(account["name"], set()).add((account["reason"], text, account["do"]))
    return told


def names_of(line):
    """The accounts of a line: one, or several that are alike."""
    if "names" in line:
        return [name.partition("/")[2] for name in line["names"].split(" and ")[0].split(", ")]
    return [line["account"]] if "account" in line else []


def told_by_log(site):
    told = {}
    for line in site.log.lines():
        if line.get("remedy"):
            said = (line.get("reason"), line["msg"], line["remedy"])
            for name in names_of(line):
                told.setdefault(name, set()).add(said)
    return told


def is_told(told, way):
    """`way`: the reason, and a part of the cause and of the remedy."""
    return any(way[0] == reason and way[1] in cause and way[2] in remedy
               for reason, cause, remedy in told)


def is_whole(text):
    return len(text.encode()) < WHOLE and text.count("`") % 2 == 0


def wait_told(site, ways):
    """Until each account is told its way: {account: way}. Returns what is to be done about each.
    Neither status nor log nor journal name a key or a token."""
    told = {}

    def missing():
        told_by_status(site, told)
        return [name for name, way in ways.items() if not is_told(told.get(name, ()), way)]

    try:
        wait_until(lambda: not missing(), "all are told")
    except AssertionError as failure:
        raise AssertionError(f"{failure}: " + "\n".join(
            f"{name}: {ways[name]}\n    is {told.get(name)}" for name in missing())) from None

    def logged():
        said = told_by_log(site)
        return [name for name, way in ways.items() if is_told(said.get(name, ()), way)]

    wait_until(lambda: len(logged()) >= min(LOG_CAUSES, len(ways)), "the log tells as many as it may")
    remedies = {}
    for name, way in ways.items():
        remedies[name] = next(one[2] for one in told[name] if is_told([one], way))
        assert is_whole(remedies[name]), remedies[name]
    shown = site.directory / "shown"
    shown.write_text("\n".join(site.ctl(*command).stdout for command in (
        ["status", "--all"], ["--json", "status", "--all"], ["accounts"],
        *(["status", name] for name in ways))))
    secret = site.find_secrets([shown, *site.all_files()])
    assert not secret, secret
    return remedies


def type_remedy(site, remedy):
    """Carries out its first command as it stands there."""
    command = re.search(r"`([^`]*)`", remedy)[1]
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env={
        **os.environ, "PATH": f"{site.build}:{os.environ['PATH']}"})
    assert done.returncode == 0, (command, done)
