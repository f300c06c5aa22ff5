"""The bill of materials is what SPDX 2.3 asks for, and true."""

import json
import re

import pytest
from conftest import ROOT, run

SBOM = ROOT / "debian/sbom.py"
DOCUMENT_FIELDS = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
                   "creationInfo", "packages", "relationships"}
# The specification's, and those without which a reader could do little.
PACKAGE_FIELDS = {"name", "SPDXID", "versionInfo", "supplier", "downloadLocation",
                  "filesAnalyzed", "licenseConcluded", "licenseDeclared", "copyrightText"}
KINDS = {"DESCRIBES", "DYNAMIC_LINK", "DEPENDS_ON"}
ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
URI = re.compile(r"[a-z]+://[^\s#]+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
AGENT = re.compile(r"(Person|Organization|Tool): \S.*")
PURL = re.compile(r"pkg:deb/debian/[a-z0-9.%A-F-]+@[A-Za-z0-9.~%-]+\?arch=[a-z0-9]+")


def make(output, unpacked, version):
    run("python3", SBOM, "--version", version, "--output", output,
        unpacked / "usr/sbin/keyrotated", unpacked / "usr/bin/keyrotatectl")
    return output.read_bytes()


@pytest.fixture(scope="module")
def bill(unpacked, version, tmp_path_factory):
    return json.loads(make(tmp_path_factory.mktemp("sbom") / "bill.json", unpacked, version))


def test_document(bill, version):
    assert set(bill) == DOCUMENT_FIELDS
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0"
    assert bill["SPDXID"] == "SPDXRef-DOCUMENT" and version in bill["name"]
    assert URI.fullmatch(bill["documentNamespace"])
    assert INSTANT.fullmatch(bill["creationInfo"]["created"])
    assert bill["creationInfo"]["creators"]
    assert all(AGENT.fullmatch(creator) for creator in bill["creationInfo"]["creators"])


def test_packages(bill):
    for package in bill["packages"]:
        assert PACKAGE_FIELDS <= set(package), package
        assert ID.fullmatch(package["SPDXID"]) and AGENT.fullmatch(package["supplier"])
        assert package["filesAnalyzed"] is False
        assert package["downloadLocation"] == "NOASSERTION" or URI.fullmatch(
            package["downloadLocation"])
        for reference in package.get("externalRefs", []):
            assert reference["referenceCategory"] == "PACKAGE-MANAGER"
            assert reference["referenceType"] == "purl"
            assert PURL.fullmatch(reference["referenceLocator"]), reference
    ids = [package["SPDXID"] for package in bill["packages"]]
    assert len(ids) == len(set(ids))


def test_relationships_lead_somewhere(bill):
    ids = {bill["SPDXID"], *(package["SPDXID"] for package in bill["packages"])}
    reached = set()
    for relationship in bill["relationships"]:
        assert set(relationship) == {"spdxElementId", "relationshipType", "relatedSpdxElement"}
        assert relationship["relationshipType"] in KINDS
        assert {relationship["spdxElementId"], relationship["relatedSpdxElement"]} <= ids
        reached.add(relationship["relatedSpdxElement"])
    assert reached == ids - {bill["SPDXID"]}, "every package is there for a reason"


def test_it_names_what_the_package_depends_on(bill, package):
    """Whatever dpkg-shlibdeps found, in the version of this machine."""
    depended_on = run("dpkg-deb", "--field", package, "Depends")
    names = set(re.findall(r"\b(lib[a-z0-9.-]+) \(>=", depended_on))
    linked = {relationship["relatedSpdxElement"] for relationship in bill["relationships"]
              if relationship["relationshipType"] == "DYNAMIC_LINK"}
    listed = {package["name"]: package for package in bill["packages"]
              if package["SPDXID"] in linked}
    assert names == set(listed)
    for name, package_of_bill in listed.items():
        installed = run("dpkg-query", "--show", "--showformat=${Version}\n", name).split()
        assert package_of_bill["versionInfo"] in installed


def test_the_same_programs_make_the_same_bill(unpacked, version, tmp_path):
    assert make(tmp_path / "1", unpacked, version) == make(tmp_path / "2", unpacked, version)
