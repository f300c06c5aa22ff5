#!/usr/bin/python3
"""Writes an OCI image (https://github.com/opencontainers/image-spec) as one archive: the two programs of
our Debian package, and the files of other Debian packages that they need, as this machine has them. There
is no shell in it and no package manager.

The same packages give the same bytes: files are sorted, and all times are that of SOURCE_DATE_EPOCH, or
of the changelog's last entry. A file that is not what its package has ends the build.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

from sbom import created, linked_libraries, output_of

# Nobody's on any Debian, and the same in every image, for volumes belong to it.
USER = 65532
PROGRAMS = {"usr/sbin/keyrotated", "usr/bin/keyrotatectl"}
DOCUMENTS = ("usr/share/doc/keyrotated/copyright",
             "usr/share/doc/keyrotated/examples/keyrotated.yaml")  # which a message names
# Where the daemon writes: directory and mode. Key files can be opened by their readers, not listed.
VOLUMES = {"var/lib/keyrotated": 0o700, "var/lib/keyrotated-keys": 0o711, "run/keyrotated": 0o755}
# A directory inside of the volume is the daemon's own, whoever the volume belongs to. Secrets are where
# container engines mount them.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin",
               "STATE_DIRECTORY": "/var/lib/keyrotated/journal",
               "RUNTIME_DIRECTORY": "/run/keyrotated",
               "CREDENTIALS_DIRECTORY": "/run/secrets"}
# Mount points of container engines, of tmpfs among them.
EMPTY = {"dev": 0o755, "proc": 0o755, "sys": 0o755, "tmp": 0o1777, "run": 0o755, "run/secrets": 0o755,
         "etc/keyrotated": 0o755, "etc/keyrotated/conf.d": 0o755}
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/:/usr/sbin/nologin\n"
                  f"keyrotated:x:{USER}:{USER}:keyrotated:/var/lib/keyrotated:/usr/sbin/nologin\n",
    "etc/group": f"root:x:0:\nkeyrotated-admin:x:{USER}:keyrotated\n",  # of the control socket
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}
ARCHITECTURES = {"armhf": "arm", "i386": "386", "ppc64el": "ppc64le", "mips64el": "mips64le"}


class Tree:
    """Files of an image by path (without the slash in front)."""

    def __init__(self):
        self.entries = {}
        self.packages = {}  # name: the package of dpkg's that a file is from

    def add(self, path, kind, mode=0o644, content=b"", target="", owner=0):
        for parent in list(pathlib.PurePosixPath(path).parents)[:-1]:
            self.entries.setdefault(str(parent), (tarfile.DIRTYPE, 0o755, b"", "", 0))
        self.entries[path] = (kind, mode, content, target, owner)

    def add_text(self, path, text):
        self.add(path, tarfile.REGTYPE, content=text.encode())

    def add_directory(self, path, mode, owner=0):
        self.add(path, tarfile.DIRTYPE, mode, owner=owner)

    def add_link(self, path, target):
        self.add(path, tarfile.SYMTYPE, 0o777, target=target)

    def add_from_machine(self, path):
        """A file of a Debian package that is installed here; where it is a link, what it leads to, too."""
        path = pathlib.Path(path)
        path = path.parent.resolve() / path.name  # /lib is a link
        inside = str(path).removeprefix("/")
        if path.is_symlink():
            target = os.readlink(path)
            self.add_link(inside, target)
            self.add_from_machine(path.parent / target)
        else:
            mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
            self.add(inside, tarfile.REGTYPE, mode, self.checked(path))

    def checked(self, path):
        """The content of a file of a package, which has to be what the package has."""
        content = path.read_bytes()
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        names = [name.removeprefix("/") for name in names_of(path)]
        owners = [package for package in self.packages.values()
                  if any(name in package.digests for name in names)]
        if not owners:
            sys.exit(f"{path} belongs to no Debian package: the image is made of those alone")
        if digest not in [owners[0].digests.get(name) for name in names]:
            sys.exit(f"{path} is not what Debian's package {owners[0].name} has: "
                     f"run apt-get install --reinstall {owners[0].name}")
        return content

    def package(self, name):
        if name not in self.packages:
            self.packages[name] = Package(name)
        return self.packages[name]

    def write(self, moment):
        """The tree as a tar archive."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path, (kind, mode, content, target, owner) in sorted(self.entries.items()):
                member = tarfile.TarInfo(path)
                member.type, member.mode, member.mtime = kind, mode, moment
                member.uid = member.gid = owner
                member.linkname, member.size = target, len(content)
                archive.addfile(member, io.BytesIO(content))
        return stream.getvalue()


def names_of(path):
    """Where /usr is merged, a package may have the file without it."""
    return [str(path), str(path).removeprefix("/usr")]


def owners_of(files):
    """The names of the Debian packages that these files are from."""
    names = [name for file in files for name in names_of(pathlib.Path(file).resolve())]
    # It fails where one of them is unknown, as one of the two names of a file always is.
    found = subprocess.run(["dpkg-query", "--search", *names], text=True, capture_output=True,
                           check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    return sorted(set(re.findall(r"^([a-z0-9][a-z0-9+.-]+)(?::\S+)?: /", found, re.M)))


class Package:
    """A Debian package that is installed on this machine."""

    def __init__(self, name):
        self.name = name
        sums = output_of("dpkg-query", "--control-path", name, "md5sums").strip()
        lines = pathlib.Path(sums).read_text(encoding="utf-8").splitlines()
        self.digests = {path: digest for digest, path in (line.split("  ", 1) for line in lines)}

    def files(self, pattern):
        return sorted(f"/{path}" for path in self.digests if re.fullmatch(pattern, path))


def add_own_package(tree, package):
    """The programs, and the libraries that they are linked with."""
    libraries = set()
    with tempfile.TemporaryDirectory() as unpacked:
        subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
        for path in sorted(PROGRAMS):
            file = pathlib.Path(unpacked, path)
            tree.add(path, tarfile.REGTYPE, 0o755, file.read_bytes())
            libraries |= loaded_files(file)
        for path in DOCUMENTS:
            tree.add(path, tarfile.REGTYPE, content=pathlib.Path(unpacked, path).read_bytes())
    tree.add_text("var/lib/dpkg/status.d/keyrotated", output_of("dpkg-deb", "--field", package))
    for name in owners_of(libraries):
        tree.package(name)
    for library in sorted(libraries):
        tree.add_from_machine(library)


def loaded_files(program):
    """Paths of the libraries and of the loader."""
    _, libraries = linked_libraries(program)
    interpreter = re.search(r"interpreter: (/[^\]]+)\]",
                            output_of("readelf", "--program-headers", "--wide", program))[1]
    # The C library loads it itself, to end a thread.
    unwinder = pathlib.Path(libraries["libc.so.6"]).with_name("libgcc_s.so.1")
    return {*libraries.values(), interpreter, str(unwinder)}


def add_authorities(tree):
    """Those that Debian has; no local ones of this machine."""
    package = tree.package("ca-certificates")
    bundle = b"".join(tree.checked(pathlib.Path(file))
                      for file in package.files(r"usr/share/ca-certificates/mozilla/.*\.crt"))
    tree.add("etc/ssl/certs/ca-certificates.crt", tarfile.REGTYPE, content=bundle)


def add_time_zones(tree):
    """By their names; not once more with leap seconds."""
    package = tree.package("tzdata")
    listed = output_of("dpkg-query", "--listfiles", package.name).splitlines()
    for file in sorted(listed):
        if re.match(r"/usr/share/zoneinfo/(?!posix/|right/|posixrules)", file) and \
                not (os.path.isdir(file) and not os.path.islink(file)):
            tree.add_from_machine(file)


def add_records(tree):
    """What scanners of images look for: the packages, their versions and licences."""
    names = sorted(tree.packages)
    for status in output_of("dpkg-query", "--status", *names).strip().split("\n\n"):
        name = re.search(r"^Package: (\S+)$", status, re.M)[1]
        tree.add_text(f"var/lib/dpkg/status.d/{name}", status + "\n")
    for name in names:
        notice = pathlib.Path("/usr/share/doc", name, "copyright").resolve()
        tree.add(f"usr/share/doc/{name}/copyright", tarfile.REGTYPE, content=notice.read_bytes())


def make_tree(package):
    tree = Tree()
    add_own_package(tree, package)
    add_authorities(tree)
    add_time_zones(tree)
    tree.package("base-files")
    tree.add_from_machine("/usr/lib/os-release")
    add_records(tree)
    tree.add_link("etc/os-release", "../usr/lib/os-release")
    for name in ("lib", "lib64"):
        if os.path.islink(f"/{name}"):
            tree.add_link(name, os.readlink(f"/{name}"))
    # Kubernetes mounts the pod's token below it.
    tree.add_link("var/run", "/run")
    for path, text in ACCOUNTS.items():
        tree.add_text(path, text)
    for path, mode in EMPTY.items():
        tree.add_directory(path, mode)
    for path, mode in VOLUMES.items():
        tree.add_directory(path, mode, USER)
    return tree


def description_of(version, debian_architecture, layer_digest, time):
    return {
        "created": time,
        "architecture": ARCHITECTURES.get(debian_architecture, debian_architecture),
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
            "Entrypoint": ["/usr/sbin/keyrotated"],
            "WorkingDir": "/",
            "Volumes": {f"/{path}": {} for path in VOLUMES},
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": "keyrotated",
                "org.opencontainers.image.description":
                    "rotates the shared keys of Azure resources without breaking consumers",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "MIT",
                "org.opencontainers.image.created": time},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created": time, "created_by": "debian/image.py"}],
    }


class Archive:
    """An image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md)."""

    def __init__(self):
        self.tree = Tree()

    def add_blob(self, content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        self.tree.add(f"blobs/sha256/{digest}", tarfile.REGTYPE, content=content)
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}",
                "size": len(content)}

    def add_json(self, document, media_type):
        return self.add_blob(json.dumps(document, indent=1).encode(), media_type)

    def finish(self, manifest, version):
        # By the one, registries know it; by the other, what loads it gives it a name.
        manifest["annotations"] = {"org.opencontainers.image.ref.name": version,
                                   "io.containerd.image.name": f"localhost/keyrotated:{version}"}
        self.tree.add_text("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}))
        self.tree.add_text("index.json", json.dumps(
            {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
             "manifests": [manifest]}, indent=1))


def image_of(package, time, moment):
    """The archive's bytes."""
    version = output_of("dpkg-deb", "--field", package, "Version").strip()
    debian_architecture = output_of("dpkg-deb", "--field", package, "Architecture").strip()
    layer = make_tree(package).write(moment)
    archive = Archive()
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": archive.add_json(
            description_of(version, debian_architecture, hashlib.sha256(layer).hexdigest(), time),
            "config.v1+json"),
        "layers": [archive.add_blob(gzip.compress(layer, mtime=0), "layer.v1.tar+gzip")]}
    archive.finish(archive.add_json(manifest, "manifest.v1+json"), version)
    return archive.tree.write(moment)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("package", metavar="DEB", help="the package that make deb builds")
    arguments = parser.parse_args()

    time = created()
    moment = int(subprocess.run(["date", "--date", time, "+%s"], check=True, text=True,
                                capture_output=True).stdout)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_bytes(image_of(arguments.package, time, moment))
    print(arguments.output)


if __name__ == "__main__":
    main()
