"""Ways of being wrong: one account for each, at the same time, and one beside them that is well."""

import json
import os
import re
import socket
import subprocess

from patience import wait_until

FAILED, DENIED = "target_failed", "target_denied"
STRANGER = 12345  # a uid that is nobody's
# A daemon that is root may what the service may.
AS_SERVICE = [] if os.geteuid() != 0 else [
    "setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]


class Unavailable(Exception):
    pass


class Place:
    """A directory with the path of a target of its own. What the machine does not permit raises
    Unavailable."""

    def __init__(self, site, namespace, name):
        self.namespace = namespace
        self.directory = site.directory / "ways" / name
        self.directory.mkdir(parents=True)
        self.path = self.directory / "key"
        self.settings = {}
        self.ends = []  # functions

    def end(self):
        while self.ends:
            self.ends.pop(0)()

    def there(self, text="", mode=0o600):
        self.path.write_text(text)
        self.path.chmod(mode)

    def socket(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))

    def device(self):
        self.there()
        self.namespace.replace_file(self.path, "/dev/null")

    def link(self, to="other"):
        (self.directory / "other").write_text("")
        self.path.symlink_to(to)

    def below(self, *parts):
        self.path = self.directory.joinpath(*parts)

    def loop_above(self):
        (self.directory / "round").symlink_to("round")
        self.below("round", "key")

    def below_file(self):
        (self.directory / "file").write_text("")
        self.below("file", "key")

    def mount(self, options):
        self.namespace.run("mount", "-t", "tmpfs", "-o", f"{options},mode=0700", "tmpfs", self.directory)

    def full(self):
        self.mount("size=4k")
        self.namespace.run("sh", "-c", f"head -c 4096 /dev/zero >{self.directory}/filler")

    def mount_point(self):
        self.there()
        (self.directory / "other").write_text("")
        self.namespace.replace_file(self.path, self.directory / "other")

    def mark(self, path, letter):
        if subprocess.run(["chattr", f"+{letter}", path], capture_output=True, check=False).returncode:
            raise Unavailable
        self.ends.append(lambda: subprocess.run(["chattr", f"-{letter}", path], check=True))

    def immutable_file(self):
        self.there()
        self.mark(self.path, "i")

    def appended(self):
        self.there()
        self.mark(self.path, "a")

    def of_stranger(self, path, mode):
        if os.geteuid() != 0:
            raise Unavailable
        os.chown(path, STRANGER, STRANGER)
        path.chmod(mode)

    def closed_above(self):
        (self.directory / "inner").mkdir()
        self.below("inner", "key")
        self.of_stranger(self.directory, 0o700)

    def unreadable(self):
        self.there()
        self.of_stranger(self.path, 0o600)

    def sticky(self):
        self.unreadable()
        self.path.chmod(0o644)
        self.of_stranger(self.directory, 0o1777)

    def set(self, **settings):
        self.settings = settings

    def set_as_service(self, **settings):
        if os.geteuid() != 0:
            raise Unavailable
        self.set(**settings)


def prepare(ways, site, namespace, places, at=None, **words):
    """Yields name, place and way of each that this machine permits. `ways`: by name what is done to the
    place, and the reason and parts of the cause and of the remedy, with {path} and the like, and `words`.
    `places` is filled, for whoever cleans up. `at`: one path for all."""
    for name, (do, *way) in ways.items():
        places[name] = place = Place(site, namespace, name)
        place.path = at or place.path
        try:
            do(place)
        except Unavailable:
            print(f"{name}: not on this machine")
            continue
        yield name, place, [text.format(path=place.path, directory=place.directory, name=name, **words)
                            for text in way]


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


def is_whole(remedy):
    """One that was too long would end in the middle of a command."""
    return remedy.count("`") % 2 == 0


def last_lines_of(site, name):
    return "\n".join(f"    {line}" for line in site.log.lines() if name in names_of(line))[-2000:]


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
            f"{name}: {ways[name]}\n    is {told.get(name)}\n{last_lines_of(site, name)}"
            for name in missing())) from None

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
