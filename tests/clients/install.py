#!/usr/bin/python3
"""Puts Microsoft's clients into a directory, as the tests want them:

    install.py DIRECTORY

- for JavaScript: what package-lock.json names, from npm, with a Node of its own
- Azurite, likewise what azurite/package-lock.json names
- for Python, and az: Debian's azure-cli with what it needs, unpacked there and not installed; where it is
  installed already, that one

DIRECTORY/clients.json says where they are, and why one could not be had: {"javascript": {"directory"},
"azurite": {"directory"}, "debian": {"az", "python_path"}} or {…: {"missing": "why"}}. The tests of one that cannot be had, because no
registry can be reached, are skipped; any other failure is one of this program, too.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INSTALL_TIMEOUT_S = 600
NO_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|"
                        r"Could not resolve|Could not connect|Unable to connect|Connection timed out|"
                        r"Temporary failure resolving")


class Unreachable(Exception):
    """A registry is out of reach."""


def run(*command, **how):
    done = subprocess.run([*map(str, command)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False, timeout=INSTALL_TIMEOUT_S, **how)
    if done.returncode == 0:
        return done.stdout
    command = " ".join(map(str, command[:2]))
    unreachable = next((line for line in done.stdout.splitlines() if NO_NETWORK.search(line)), None)
    if unreachable:
        raise Unreachable(f"{command}: {unreachable}")
    raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout[-2000:]}")


def once(directory, described, install):
    """Installs into an empty directory, unless what is described like this is there already."""
    stamp = directory / "installed"
    if stamp.exists() and stamp.read_text() == described:
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    install()
    stamp.write_text(described)


def from_npm(directory, described):
    files = [described / "package.json", described / "package-lock.json"]

    def install():
        for file in files:
            shutil.copy(file, directory)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=directory)

    once(directory, hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest(), install)
    return {"directory": str(directory)}


def javascript(directory):
    return from_npm(directory, HERE)


def azurite(directory):
    return from_npm(directory, HERE / "azurite")


def needed_packages():
    """["name=version"]: what an installation of azure-cli would bring to this system."""
    command = ("apt-get", "install", "--simulate", "--no-install-recommends", "azure-cli")
    try:
        plan = run(*command)
    except RuntimeError:
        if os.geteuid() != 0:
            raise
        run("apt-get", "update", "-qq")
        plan = run(*command)
    return [f"{name}={version}" for name, version in re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", plan, re.M)]


def debian(directory):
    status = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", "azure-cli"], text=True,
                            capture_output=True, check=False).stdout
    if status == "installed":
        return {"az": "/usr/bin/az", "python_path": ""}
    root, python_path = directory / "root", directory / "root/usr/lib/python3/dist-packages"
    az = directory / "az"

    def install():
        packages = directory / "packages"
        packages.mkdir()
        run("apt-get", "download", "-qq", *needed_packages(), cwd=packages)
        for package in sorted(packages.glob("*.deb")):
            run("dpkg-deb", "--extract", package, root)
        shutil.rmtree(packages)
        az.write_text(f"#!/bin/sh\nexport PYTHONPATH='{python_path}' AZ_INSTALLER=DEB\n"
                      "exec /usr/bin/python3 -m azure.cli \"$@\"\n")
        az.chmod(0o755)
        for command in (("login",), ("batch", "account", "keys", "list")):  # so that they are compiled once
            run(az, *command, "--help", env={**os.environ, "AZURE_CONFIG_DIR": str(directory / "unused")})

    once(directory, "azure-cli", install)
    return {"az": str(az), "python_path": str(python_path)}


def attempt(name, install, directory):
    try:
        return install(directory)
    except Unreachable as error:
        print(f"{name}: no registry can be reached, so that its tests are skipped ({error})", flush=True)
        return {"missing": str(error)}


def main():
    directory = pathlib.Path(sys.argv[1]).resolve()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = {one.__name__: pool.submit(attempt, one.__name__, one, directory / one.__name__)
                 for one in (javascript, azurite, debian)}
        found = {name: one.result() for name, one in found.items()}
    (directory / "clients.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
