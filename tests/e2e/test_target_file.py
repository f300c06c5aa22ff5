"""The target `file`: templates, from the configuration to the file, directories of everybody, and ways
of being wrong."""

import os
import stat

from patience import wait_until
from ways import AS_SERVICE, DENIED, FAILED, Place, is_told, prepare, told_by_status, type_remedy, wait_told


def test_a_template_is_filled_in_and_delivered_again_when_it_changes(site):
    template = site.directory / "keys.ini"
    template.write_text("[{name}]\nkey = {key}\n")
    site.config["targets"]["file"].update(format="template", template_file=str(template))
    site.policy(rotate_every="30d", check_every="1h")
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
    site.policy(rotate_every="30d", check_every="1h")
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

UNKNOWN = "target_holds_unknown_key"
FOREIGN = (UNKNOWN, "a target holds a key that is neither of the account's two",
           "adopt {name} --active primary` (or secondary) overwrites it")
ROUND = "`namei -l {directory}/round` shows, or set another `path`"
SHORTEN = "shorten `path`: a name in it may have 255 bytes, and the last one 243"
ELSEWHERE = "leave {directory} as it is, make a directory for keys, `install -d -o root -g GROUP -m 2750 "

# What is done to the place; the reason, a part of the cause and of the remedy.
WAYS = {
    "directory": (lambda at: at.path.mkdir(), FAILED, "{path} is a directory, not a file",
                  "set `path` to a file in it, or remove the directory {path}"),
    "pipe": (lambda at: os.mkfifo(at.path), FAILED, "is not a regular file",
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
UNREADABLE = {
    "unreadable": (Place.unreadable, DENIED, "cannot open {path}: Permission denied",
                   "redeliver {name}` replaces the file with one that user root owns"),
}
# These are carried out as they stand there.
TYPED = ("immutable", "immutabledir", "appended", "everybody", "sticky")


def test_ways_of_being_wrong(site, namespace, places):
    site.policy(rotate_every="30d", check_every="1h")
    ways = {}
    for name, place, way in prepare(WAYS, site, namespace, places):
        site.config["targets"][name] = {"type": "file", "path": str(place.path), **place.settings}
        site.account(name, deliver_to=[name])
        ways[name] = way
    site.account("well")
    site.start(wrapped=[*namespace.command, *AS_SERVICE])
    site.wait_adopted("well")
    remedies = wait_told(site, ways)
    for name in TYPED:
        if name in remedies:
            type_remedy(site, remedies[name])
            site.log.wait("key.delivered", account=name)


def test_a_file_that_cannot_be_read(site, azure, namespace, places):
    """It is told until a delivery replaces the file: here between two looks of the adoption."""
    (name, place, way), = prepare(UNREADABLE, site, namespace, places)
    site.config["targets"][name] = {"type": "file", "path": str(place.path)}
    site.account(name, deliver_to=[name])
    azure.fault("delay", op="listKeys", account=name, after=1, count=1, delay_ms=25000)
    site.start(wrapped=[*namespace.command, *AS_SERVICE])
    told = {}
    wait_until(lambda: is_told(told_by_status(site, told).get(name, ()), way), "status tells it")
    wait_until(lambda: len(azure.truth.requests("listKeys", account=name)) == 2, "it looks again")
    azure.release()
    site.log.wait("account.adopted", account=name)
    type_remedy(site, next(remedy for *_, remedy in told[name] if "redeliver" in remedy))
    site.log.wait("key.delivered", account=name)
