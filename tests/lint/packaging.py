#!/usr/bin/python3
"""Checks what the Makefile and debian/ both say: the version, and the libraries that a build needs, with
their oldest versions; and the version that the manifest for Kubernetes names.
"""

import email.utils
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
# Where Debian's name is not pkg-config's with lib and -dev around it.
DEBIAN_NAMES = {"libuv": "libuv1-dev", "libcurl": "libcurl4-openssl-dev", "json-c": "libjson-c-dev",
                "yaml-0.1": "libyaml-dev", "sqlite3": "libsqlite3-dev", "libcrypto": "libssl-dev",
                "libssl": "libssl-dev"}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def variable(makefile, name):
    found = re.search(rf"^{name} := ((?:.*\\\n)*.*)$", makefile, re.M)
    return found[1].replace("\\\n", " ").split() if found else []


def check_version(makefile, changelog):
    written = variable(makefile, "VERSION")
    newest = re.match(r"keyrotated \((\S+)\) ", changelog)
    trailer = re.search(r"^ -- .+ <.+>  (.+)$", changelog, re.M)
    if not newest or written != [newest[1]]:
        yield (f"VERSION in the Makefile is {' '.join(written)}, in debian/changelog "
               f"{newest and newest[1]}: change the other one, too")
    if not trailer or not email.utils.parsedate_tz(trailer[1]):
        yield "debian/changelog: the newest entry has no date, or none in RFC 5322's form"


def check_manifest(makefile, manifest):
    version = variable(makefile, "VERSION")
    named = re.findall(r"/keyrotated:([0-9][0-9.]*)", manifest)
    if not named or set(named) != set(version):
        yield (f"config/kubernetes/deployment.yaml names the image's version {named}, "
               f"the Makefile {version}")


def check_libraries(makefile, control):
    wanted = set()
    for package in variable(makefile, "PACKAGES") + variable(makefile, "TEST_PACKAGES"):
        name, version = package.split(">=")
        prefix = "" if name.startswith("lib") else "lib"
        wanted.add((DEBIAN_NAMES.get(name, f"{prefix}{name}-dev"), version))
    field = re.search(r"^Build-Depends:(.*?)(?=^\S)", control, re.M | re.S)[1]
    listed = set(re.findall(r"^ *(lib\S+-dev) \(>= (\S+)\)", field, re.M))
    for name, version in sorted(wanted - listed):
        yield f"debian/control: Build-Depends lacks {name} (>= {version}), which the Makefile asks for"
    for name, version in sorted(listed - wanted):
        yield f"debian/control: Build-Depends has {name} (>= {version}), which the Makefile does not"
    for name in sorted({name for name, _ in wanted} - set(variable(makefile, "DEBIAN_PACKAGES"))):
        yield f"Makefile: DEBIAN_PACKAGES lacks {name}"


def main():
    makefile = read("Makefile")
    found = [*check_version(makefile, read("debian/changelog")),
             *check_manifest(makefile, read("config/kubernetes/deployment.yaml")),
             *check_libraries(makefile, read("debian/control"))]
    print("".join(f"{line}\n" for line in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
