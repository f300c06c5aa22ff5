"""What is in the image, and that it is the same bytes whoever builds it."""

import pathlib
import ssl
import subprocess

PROGRAMS = {"usr/sbin/keyrotated", "usr/bin/keyrotatectl"}
VOLUMES = {"var/lib/keyrotated": 0o700, "var/lib/keyrotated-keys": 0o711, "run/keyrotated": 0o755}
USER = 65532
MEBIBYTE = 1 << 20


def test_two_builds_are_the_same_bytes(image, second_image):
    assert image.read_bytes() == second_image.read_bytes()


def test_it_is_small(image, contents):
    assert image.stat().st_size < 16 * MEBIBYTE
    assert sum(member.size for member in contents.members.values()) < 40 * MEBIBYTE


def test_two_programs_and_no_shell(contents):
    libraries = ("usr/lib/",)
    programs = {name for name, member in contents.members.items()
                if member.isfile() and member.mode & 0o111 and not name.startswith(libraries)}
    assert programs == PROGRAMS
    loaders = {name for name, text in contents.texts.items()
               if name.startswith(libraries) and text.startswith(b"#!")}
    assert not loaders, "a script needs an interpreter"


def test_everything_is_roots_but_the_volumes(contents):
    for name, member in contents.members.items():
        owner = USER if name in VOLUMES else 0
        assert (member.uid, member.gid) == (owner, owner), name
        assert member.mode & 0o6000 == 0, f"{name} gives privileges"
        if not member.issym() and name != "tmp":
            assert member.mode & 0o022 == 0, f"others can write to {name}"
    assert {name: contents.members[name].mode for name in VOLUMES} == VOLUMES


def test_links_lead_somewhere(contents):
    """From /lib64 to the loader, from one name of a time zone to another."""
    def resolve(parts):
        done = []
        for part in parts:
            if part in ("", "."):
                continue
            if part == "..":
                done.pop()
                continue
            member = contents.members.get("/".join([*done, part]))
            if member is not None and member.issym():
                target = member.linkname.split("/")
                done = resolve(target if member.linkname.startswith("/") else [*done, *target])
            else:
                done.append(part)
        return done

    for name, member in contents.members.items():
        if member.issym():
            assert "/".join(resolve(name.split("/"))) in contents.members, name


def test_how_it_is_run(contents):
    how = contents.description["config"]
    assert how["User"] == f"{USER}:{USER}", "a number: Kubernetes cannot know whether a name is root's"
    assert how["Entrypoint"] == ["/usr/sbin/keyrotated"]
    assert how["StopSignal"] == "SIGTERM"
    assert set(how["Volumes"]) == {f"/{name}" for name in VOLUMES}
    assert "STATE_DIRECTORY=/var/lib/keyrotated/journal" in how["Env"]
    machine = subprocess.run(["dpkg", "--print-architecture"], text=True, capture_output=True,
                             check=True).stdout.strip()
    assert contents.description["architecture"] == {"armhf": "arm", "i386": "386"}.get(machine, machine)


def test_packages_and_licences_are_on_record(contents):
    """By the files that scanners of images without a package manager look for."""
    prefix = "var/lib/dpkg/status.d/"
    packages = {name.removeprefix(prefix) for name in contents.texts if name.startswith(prefix)}
    assert {"keyrotated", "libc6", "libcurl4", "libssl3", "tzdata", "ca-certificates"} <= packages
    for package in packages:
        assert contents.texts[f"usr/share/doc/{package}/copyright"], package
        status = contents.texts[prefix + package].decode()
        assert f"Package: {package}\n" in status and "\nVersion: " in status


def test_authorities_are_debians(contents):
    """Those of this machine, which a company or a proxy may have added to, are not."""
    bundle = contents.texts["etc/ssl/certs/ca-certificates.crt"]
    debians = {ssl.PEM_cert_to_DER_cert(file.read_text(encoding="ascii")) for file
               in pathlib.Path("/usr/share/ca-certificates/mozilla").glob("*.crt")}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=bundle.decode("ascii"))
    assert set(context.get_ca_certs(binary_form=True)) == debians
    assert len(debians) > 100
