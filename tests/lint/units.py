#!/usr/bin/python3
"""Checks the systemd units: that systemd understands every line of them, with each of the example
drop-ins, too; that none is more exposed than MAX_EXPOSURE; that all have the same sandbox, and
no limit on what they log.

With --self-test it checks itself: units that are too open, misspelt or unlike the others are found.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MAX_EXPOSURE = 10  # tenths: `systemd-analyze security` shows it as 1.0
UNITS = pathlib.Path(__file__).parents[2] / "systemd"
# systemd checks that these exist.
PROGRAMS = re.compile(r"/usr/(s?bin/keyrotate(d|ctl)(?= )|local/lib/keyrotated-hook\b)")
# A consumer, which the examples name and which does not exist here.
CONSUMER = "[Service]\nExecStart=/bin/true\n"
# Where a service's sandbox begins and ends; directories are its own.
SANDBOX = re.compile(r"^UMask=.*?(?=^\[Install\]|\Z)", re.M | re.S)


def analyze(directory, *arguments):
    # The trailing colon adds systemd's own units.
    return subprocess.run(["systemd-analyze", *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                               "SYSTEMD_UNIT_PATH": f"{directory}:"})


def of_kind(units, *suffixes):
    return [unit for unit in sorted(units.iterdir()) if unit.suffix in suffixes]


def prepare(units, directory):
    """Copies with programs that are there, under names that can be loaded: of a template, an
    instance."""
    loadable = []
    examples = units / "examples"
    for unit in of_kind(units, ".service", ".timer") + of_kind(examples, ".service", ".path"):
        text = PROGRAMS.sub("/bin/true", unit.read_text(encoding="utf-8"))
        (directory / unit.name).write_text(text, encoding="utf-8")
        loadable.append(unit.name.replace("@.", "@instance."))
    (directory / "consumer.service").write_text(CONSUMER, encoding="utf-8")
    return loadable


def complaints_of_systemd(directory, units):
    done = analyze(directory, "verify", "--man=no", "--recursive-errors=no",
                   *(str(directory / unit) for unit in units))
    lines = done.stdout.splitlines()
    return lines or ([f"systemd-analyze verify: status {done.returncode}"] if done.returncode else [])


def check_syntax(units, directory):
    found = complaints_of_systemd(directory, prepare(units, directory))
    for example in of_kind(units / "examples", ".conf"):
        drop_in = directory / "keyrotated.service.d"
        drop_in.mkdir()
        shutil.copy(example, drop_in)
        found += [f"examples/{example.name}: {line}" for line
                  in complaints_of_systemd(directory, ["keyrotated.service"])]
        shutil.rmtree(drop_in)
    return found


def check_exposure(units, directory):
    found = []
    for unit in of_kind(units, ".service"):
        name = unit.name.replace("@.", "@instance.")
        copy = directory / name
        shutil.copy(unit, copy)
        done = analyze(directory, "security", "--offline=true", "--no-pager",
                       f"--threshold={MAX_EXPOSURE}", str(copy))
        said = next((line for line in done.stdout.splitlines() if "exposure level" in line), None)
        if done.returncode or said is None:
            found.append(f"{unit.name}: {said or done.stdout} (at most {MAX_EXPOSURE / 10})")
    return found


def check_same_sandbox(units):
    sandboxes = {unit.name: SANDBOX.search(unit.read_text(encoding="utf-8"))
                 for unit in of_kind(units, ".service")}
    texts = {name: match and match[0].strip() for name, match in sandboxes.items()}
    return [f"{name}: its sandbox is not that of keyrotated.service"
            for name, text in texts.items() if not text or text != texts["keyrotated.service"]]


def check_rate_limits(units):
    """journald's limit drops key.regenerated along with a flood of lines that matter less."""
    return [f"{unit.name}: LogRateLimitIntervalSec=0 is missing"
            for unit in of_kind(units, ".service")
            if "\nLogRateLimitIntervalSec=0\n" not in unit.read_text(encoding="utf-8")]


def check(units):
    with tempfile.TemporaryDirectory() as scratch:
        syntax, exposure = pathlib.Path(scratch, "syntax"), pathlib.Path(scratch, "exposure")
        syntax.mkdir()
        exposure.mkdir()
        return check_syntax(units, syntax) + check_exposure(units, exposure) + \
            check_same_sandbox(units) + check_rate_limits(units)


def self_test():
    """Each copy with one change is convicted, and because of that change."""
    changes = [("keyrotated.service", "PrivateUsers=yes", "PrivateUsers=no", "exposure level"),
               ("keyrotated@.service", "ProtectProc=invisible", "", "its sandbox"),
               ("keyrotated@.service", "LogRateLimitIntervalSec=0", "", "LogRateLimitIntervalSec"),
               ("keyrotated-once.service", "Type=oneshot", "Tpye=oneshot", "Tpye"),
               ("examples/client-secret.conf", "LoadCredential=", "LoadCredentials=",
                "examples/client-secret.conf")]
    for name, old, new, complaint in changes:
        with tempfile.TemporaryDirectory() as scratch:
            copies = pathlib.Path(scratch, "systemd")
            shutil.copytree(UNITS, copies)
            text = (copies / name).read_text(encoding="utf-8")
            assert f"\n{old}" in text, f"{name} has no {old}"
            (copies / name).write_text(text.replace(f"\n{old}", f"\n{new}"), encoding="utf-8")
            found = check(copies)
            assert any(complaint in line for line in found), f"{name}, {new or 'without ' + old}: {found}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--self-test", action="store_true")
    if parser.parse_args().self_test:
        self_test()
        return 0
    found = check(UNITS)
    print("".join(f"systemd/: {line}\n" for line in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
