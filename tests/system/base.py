"""The Debian that machines boot: the release of this machine, from the mirrors of this machine.

Made once for each list of packages and kept in the build directory. Everything that keyrotated
depends on is in it, because a machine has no network to fetch it from.
"""

import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

# What a machine needs to be one; `passwd` and the like are essential.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "polkitd", "procps", "apt")

# What no test reads.
LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
# Packages that are installed later are to be whole.
FORGET_WHAT_IS_LEFT_OUT = 'rm "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap'


def make_base(build, depended_on):
    """The path of an archive. `depended_on`: packages that have to be there."""
    packages = sorted({*PACKAGES, *depended_on})
    release = _release()
    mirrors = _mirrors(release)
    recipe = repr((packages, release, mirrors, LEFT_OUT, FORGET_WHAT_IS_LEFT_OUT))
    archive = build / "system" / f"base-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    for older in archive.parent.glob("base-*.tar"):
        older.unlink()
    draft = archive.with_suffix(".draft.tar")
    try:
        _bootstrap(draft, release, mirrors, packages)
        draft.rename(archive)
    finally:
        draft.unlink(missing_ok=True)
    return archive


def _bootstrap(archive, release, mirrors, packages):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(_apt_settings())
        settings.flush()
        done = subprocess.run(
            ["mmdebstrap", "--mode=root", "--variant=apt", f"--include={','.join(packages)}",
             f"--aptopt={settings.name}",
             *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
             f"--customize-hook={FORGET_WHAT_IS_LEFT_OUT}", release, archive, "-"],
            input="\n".join(mirrors) + "\n", text=True, capture_output=True, timeout=1800,
            check=False)
    if done.returncode != 0:
        sys.exit(f"mmdebstrap could not make a Debian from {mirrors}: {done.stderr[-4000:]}")


def _release():
    """The programs are linked with the libraries of this release, and need the same ones."""
    text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r"^VERSION_CODENAME=(\w+)$", text, re.MULTILINE)
    if not found or "\nID=debian\n" not in text:
        sys.exit("the system tests need a released Debian: /etc/os-release names none")
    return found[1]


def _mirrors(release):
    """Lines for a sources.list, of what apt is set up with here."""
    wanted = {release, f"{release}-updates", f"{release}-security"}
    answer = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Identifier: Packages"], check=True, capture_output=True, text=True).stdout
    found = [line.split() for line in answer.splitlines()]
    lines = [f"deb {uri} {suite} {component}" for uri, suite, component in found
             if suite in wanted and component == "main"]
    if not lines:
        sys.exit(f"apt is not set up with a mirror of Debian's {release}: see sources.list(5)")
    return sorted(set(lines))


def _apt_settings():
    """How apt gets at its mirrors here: proxies, certificates, dates."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-Valid-Until",
              "Acquire::Check-Date", "Acquire::Retries")
    return subprocess.run(["apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', *wanted],
                          check=True, capture_output=True, text=True).stdout
