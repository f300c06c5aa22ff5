#!/usr/bin/python3
"""Writes a bill of materials as SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/), in JSON: this project,
and the Debian packages whose libraries its programs are linked with, in the versions of this machine.

The same programs on the same machine give the same bytes: the time is that of SOURCE_DATE_EPOCH, or of
the changelog's last entry.
"""

import argparse
import datetime
import email.utils
import hashlib
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

NAMESPACE = "https://keyrotated.invalid/spdx"
CHANGELOG = pathlib.Path(__file__).parent / "changelog"


def output_of(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout


def linked_libraries(program):
    """Sonames that the program itself asks for, and the files of all that are loaded with it."""
    wanted = set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.+?)\]",
                            output_of("readelf", "--dynamic", program)))
    loaded = dict(re.findall(r"^\s*(\S+) => (/\S+)", output_of("ldd", program), re.M))
    return wanted, loaded


def owner_of(file):
    """The Debian package that a library belongs to: (name, version, architecture, source)."""
    path = pathlib.Path(file)
    candidates = {str(path), str(path.resolve())}
    # On a merged /usr, dpkg knows a file by the name that it was packed with.
    candidates |= {name.removeprefix("/usr") for name in candidates if name.startswith("/usr/")}
    candidates |= {f"/usr{name}" for name in candidates if not name.startswith("/usr/")}
    for candidate in sorted(candidates):
        found = subprocess.run(["dpkg-query", "--search", candidate], text=True,
                               capture_output=True, check=False).stdout
        if found:
            package = found.split(": ")[0]
            shown = output_of("dpkg-query", "--show", "--showformat",
                              "${binary:Package} ${Version} ${Architecture} ${source:Package}",
                              package).split()
            return (shown[0].split(":")[0], *shown[1:])
    raise SystemExit(f"{file} belongs to no Debian package: this bill is made of those alone")


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def debian_package(name, version, architecture, source):
    return {
        "name": name,
        "SPDXID": spdx_id(f"Package-{name}"),
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": f"https://tracker.debian.org/pkg/{source}",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{urllib.parse.quote(name, safe='')}@"
                                f"{urllib.parse.quote(version, safe='')}?arch={architecture}"}],
    }


def project(version):
    return {
        "name": "keyrotated",
        "SPDXID": "SPDXRef-Package-keyrotated",
        "versionInfo": version,
        "supplier": "Organization: keyrotated maintainers",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "MIT",
        "licenseDeclared": "MIT",
        "copyrightText": "Copyright (c) 2026 The keyrotated authors",
        "primaryPackagePurpose": "APPLICATION",
    }


def relationship(package, kind, other):
    return {"spdxElementId": package, "relationshipType": kind, "relatedSpdxElement": other}


def created():
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        last = re.search(r"^ -- .*>  (.+)$", CHANGELOG.read_text(encoding="utf-8"), re.M)
        epoch = email.utils.parsedate_to_datetime(last[1]).timestamp()
    moment = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def bill(version, programs):
    wanted, loaded = set(), {}
    for program in programs:
        directly, files = linked_libraries(program)
        wanted |= directly
        loaded.update(files)
    owners = {soname: owner_of(file) for soname, file in loaded.items()}
    direct = {owners[soname] for soname in wanted if soname in owners}

    root = project(version)
    packages = {owner: debian_package(*owner) for owner in sorted(set(owners.values()))}
    relations = [relationship("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    for owner, package in packages.items():
        # DEPENDS_ON: a library of a library.
        kind = "DYNAMIC_LINK" if owner in direct else "DEPENDS_ON"
        relations.append(relationship(root["SPDXID"], kind, package["SPDXID"]))

    content = {"packages": [root, *packages.values()], "relationships": relations}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"keyrotated-{version}",
        "documentNamespace": f"{NAMESPACE}/keyrotated-{version}-{digest[:32]}",
        "creationInfo": {"created": created(), "creators": ["Tool: keyrotated-make-sbom"]},
        **content,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("programs", nargs="+", metavar="PROGRAM")
    arguments = parser.parse_args()

    text = json.dumps(bill(arguments.version, arguments.programs), indent=2) + "\n"
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    print(arguments.output)


if __name__ == "__main__":
    main()
