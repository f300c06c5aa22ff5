"""The target `file`: templates, from the configuration to the file, directories of everybody, and ways
of being wrong."""

import os
import socket
import stat
import subprocess

import pytest

from patience import wait_until
from ways import type_remedy, wait_told


def test_a_template_is_filled_in_and_delivered_again_when_it_changes(site):
    template = site.directory / "keys.ini"
    template.write_text("[{name}]\nkey = {key}\n")
    site.config["targets"]["file"].update(format="template", template_file=str(template))
    site.policy(rotate_every="10m", check_every="1h")
    site.account("alpha")
    site.start()
    key = site.azure.keys("alpha")["Primary"]
    wait_until(lambda: site.held("alpha") == f"[alpha]\nkey = {key}", "the template is filled in")

    template.write_text("{{\"key\": \"{key}\", \"slot\": \"{slot}\"}}\n")
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: site.held("alpha") == f'{{"key": "{key}", "slot": "primary"}}',
               "the changed template is delivered")
    template.write_text("{kye}")
    said = site.ctl("reload")
    assert said.returncode == 1
    assert "unknown placeholder {kye}; did you mean {key}?" in said.stdout + said.stderr


def test_a_directory_of_everybody_gets_no_key_until_it_is_closed(site):
    site.policy(rotate_every="10m", check_every="1h")
    site.account("alpha")
    site.keys.chmod(0o777)
    site.start()
    line = site.log.wait("delivery.failed", account="alpha")
    assert f"everybody may write to {site.keys}" in line["msg"]
    assert f"`chmod o-w {site.keys}`" in line["remedy"]
    assert not site.file("alpha").exists()
    site.keys.chmod(0o700)
    wait_until(lambda: site.file("alpha").exists(), "the key is delivered")
    assert stat.S_IMODE(site.file("alpha").stat().st_mode) == 0o600


# --- ways of being wrong ---

STRANGER = 12345  # a uid that is nobody's
# The daemon is root here, and may what the service may.
AS_SERVICE = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]


class Place:
    """A directory with the path of a target of its own. What the machine does not permit raises
    Unavailable."""

    def __init__(self, site, namespace, name):
        self.namespace = namespace
        self.directory = site.directory / "ways" / name
        self.directory.mkdir(parents=True)
        self.path = self.directory / "key"
        self.settings = {}
        self.undo = []

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
        self.undo.append(["chattr", f"-{letter}", path])

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


class Unavailable(Exception):
    pass


FAILED, DENIED, UNKNOWN = "target_failed", "target_denied", "target_holds_unknown_key"
FOREIGN = (UNKNOWN, "a target holds a key that is neither of the account's two",
           "adopt {name} --active primary` (or secondary) overwrites it")
ROUND = "`namei -l {directory}/round` shows, or set another `path`"
SHORTEN = "shorten `path`: a name in it may have 255 bytes, and the last one 243"
ELSEWHERE = "leave {directory} as it is, make a directory for keys, `install -d -o root -g GROUP -m 2750 "

# What is done to the place; the reason, a part of the cause and of the remedy.
WAYS = {
    "directory": (lambda at: at.path.mkdir(), FAILED, "{path} is a directory, not a file",
                  "set `path` to a file in it, or remove the directory {path}"),
    "pipe": (lambda at: os.mkfifo(at.path), FAILED, "is a device, a socket or a pipe",
             "remove {path}, or set another `path`"),
    "socket": (Place.socket, FAILED, "is not a regular file", "remove {path}, or set another `path`"),
    "device": (Place.device, FAILED, "is not a regular file", "remove {path}, or set another `path`"),
    "link": (Place.link, FAILED, "is a symbolic link (to other)",
             "set `path` to the file that the link leads to, or remove the link {path}"),
    "dangling": (lambda at: at.link("nowhere"), FAILED, "is a symbolic link (to nowhere)",
                 "remove the link {path}, which leads to no file"),
    "loop": (lambda at: at.link("key"), FAILED, "is a symbolic link (to key)",
             "remove the link {path}, which leads to no file"),
    "loopabove": (Place.loop_above, FAILED, "Too many levels of symbolic links",
                  "correct the link that leads back to itself, which " + ROUND),
    "missing": (lambda at: at.below("missing", "key"), FAILED,
                "cannot open directory {directory}/missing/: No such file or directory",
                "`install -d -o root -g GROUP -m 2750 {directory}/missing` with the group"),
    "belowfile": (Place.below_file, FAILED, "Not a directory",
                  "correct `path`: a part of {directory}/file is a file"),
    "noroombeside": (lambda at: at.below("n" * 244), FAILED, "File name too long", SHORTEN),
    "toolong": (lambda at: at.below("n" * 256), FAILED, "File name too long", SHORTEN),
    "toodeep": (lambda at: at.below(*["n" * 250] * 16), FAILED, "cannot open directory {directory}/nnn",
                "see the target's message in"),
    "readonly": (lambda at: at.namespace.mount_read_only(at.directory), DENIED,
                 "cannot create a file beside {path}: Read-only file system",
                 "`systemctl edit keyrotated`, add `ReadWritePaths={directory}` below"),
    "full": (Place.full, FAILED, "cannot write {path}: No space left", "`df -h {directory}`"),
    "noinodes": (lambda at: at.mount("nr_inodes=1"), FAILED,
                 "cannot create a file beside {path}: No space left", "`df -i {directory}`"),
    "mountpoint": (Place.mount_point, FAILED, "cannot replace {path}: Device or resource busy",
                   "mount the directory {directory} instead of the single file"),
    "immutable": (Place.immutable_file, DENIED, "cannot replace {path}: Operation not permitted",
                  "run `chattr -i {path}`, which is immutable, or"),
    "immutabledir": (lambda at: at.mark(at.directory, "i"), DENIED,
                     "cannot create a file beside {path}: Operation not permitted",
                     "run `chattr -i {directory}`, which is immutable, or"),
    "appended": (Place.appended, DENIED, "cannot replace {path}: Operation not permitted",
                 "run `chattr -a {path}`, which is for appending alone, or"),
    "everybody": (lambda at: at.directory.chmod(0o777), FAILED, "everybody may write to {directory}, so",
                  "`chmod o-w {directory}`, or"),
    "closed": (lambda at: at.of_stranger(at.directory, 0o700), DENIED,
               "cannot look at {path}: Permission denied", ELSEWHERE),
    "unwritable": (lambda at: at.of_stranger(at.directory, 0o755), DENIED,
                   "cannot create a file beside {path}: Permission denied", ELSEWHERE),
    "closedabove": (Place.closed_above, DENIED, "cannot look at {path}: Permission denied",
                    "let user root pass the directories above: `namei -l {directory}/inner` shows"),
    "unreadable": (Place.unreadable, DENIED, "cannot open {path}: Permission denied",
                   "redeliver {name}` replaces the file with one that user root owns"),
    "sticky": (Place.sticky, DENIED, "cannot replace {path}: Operation not permitted",
               "run `chown root {path}`: the directory is sticky"),
    "nogroup": (lambda at: at.set(group="no-such-group"), FAILED, "there is no group \"no-such-group\"",
                "create it, `groupadd --system no-such-group`, or correct `group`"),
    "noowner": (lambda at: at.set(owner="no-such-user"), FAILED, "there is no user \"no-such-user\"",
                "create it, `useradd --system no-such-user`, or correct `owner`"),
    "group": (lambda at: at.set_as_service(group="daemon"), DENIED, "may not be given to group \"daemon\"",
              "`install -d -o root -g daemon -m 2750 /var/lib/keyrotated-keys/{name}`; or run"),
    "owner": (lambda at: at.set_as_service(owner="daemon"), DENIED, "may not be given to user \"daemon\"",
              "or use a `group` in the place of `owner: daemon`"),
    "huge": (lambda at: at.there("x" * 1100000), *FOREIGN),
    "foreign": (lambda at: at.there("somebody's\n"), *FOREIGN),
}
# These are carried out as they stand there.
TYPED = ("immutable", "immutabledir", "appended", "everybody", "unreadable", "sticky")


@pytest.fixture
def places(site, namespace):
    made = {}
    yield made
    for place in made.values():
        for command in place.undo:
            subprocess.run(command, check=True)


def test_ways_of_being_wrong(site, namespace, places):
    site.policy(rotate_every="10m", check_every="1h")
    ways = {}
    for name, (prepare, *way) in WAYS.items():
        places[name] = place = Place(site, namespace, name)
        try:
            prepare(place)
        except Unavailable:
            print(f"{name}: not on this machine")
            continue
        site.config["targets"][name] = {"type": "file", "path": str(place.path), **place.settings}
        site.account(name, deliver_to=[name])
        ways[name] = [text.format(path=place.path, directory=place.directory, name=name) for text in way]
    site.account("well")
    as_service = AS_SERVICE if os.geteuid() == 0 else []
    site.start(wrapped=[*namespace.command, *as_service])
    site.wait_adopted("well")
    remedies = wait_told(site, ways)
    for name in TYPED:
        if name in remedies:
            type_remedy(site, remedies[name])
            site.log.wait("key.delivered", account=name)
