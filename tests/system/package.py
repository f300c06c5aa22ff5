"""The Debian package: as a file, and in a machine."""

import re
import shutil
import subprocess

NAME = "keyrotated"


def field(package, name):
    return subprocess.run(["dpkg-deb", "--field", package, name], check=True, text=True,
                          capture_output=True).stdout.strip()


def find_package(directory):
    found = sorted(directory.glob(f"{NAME}_*.deb"))
    assert len(found) == 1, f"one package expected in {directory}, found {found}"
    return found[0]


def depended_on(package):
    """Names of packages that have to be there before this one can be installed."""
    alternatives = (field(package, "Pre-Depends") + "," + field(package, "Depends")).split(",")
    first = [one.split("|")[0] for one in alternatives if one.strip()]
    return [re.sub(r"\(.*?\)|:any", "", one).strip() for one in first]


class Package:
    def __init__(self, directory):
        self.file = find_package(directory)
        self.version = field(self.file, "Version")

    def install(self, guest):
        """Or upgrade to it. Returns what apt said."""
        inside = f"/var/tmp/{self.file.name}"
        shutil.copyfile(self.file, guest.path(inside))
        # Configuration files that were changed are kept, as an administrator would.
        return guest.run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends",
                         "-o", "Dpkg::Options::=--force-confold", inside, timeout=900)


def installed_version(guest):
    """None where it is not."""
    shown = guest.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", NAME,
                      check=False).stdout.split()
    return shown[1] if shown[:1] == ["installed"] else None


def remove(guest):
    guest.run("apt-get", "remove", "--yes", "--quiet", NAME, timeout=900)


def purge(guest):
    guest.run("apt-get", "purge", "--yes", "--quiet", NAME, timeout=900)
