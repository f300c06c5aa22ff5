"""The stand-in as a program that people start by hand."""

import re
import subprocess

import pytest


def run(build, *arguments):
    return subprocess.run([build / "azuresim", *arguments], text=True, capture_output=True,
                          timeout=30, check=False)


def test_help_names_every_option(build):
    helped = run(build, "--help")
    assert helped.returncode == 0 and not helped.stderr
    options = re.findall(r"^  (--[a-z-]+)", helped.stdout, re.MULTILINE)
    assert options == ["--dir", "--port", "--imds-port", "--account", "--cloud", "--token-lifetime",
                       "--seed", "--help"]
    for option in options:
        assert "unrecognized" not in run(build, option).stderr, option


@pytest.mark.parametrize("arguments", [["--bogus"], ["--dir"], [], ["--dir", "x", "--port", "y"]])
def test_mistakes_are_shown_the_options(build, arguments):
    done = run(build, *arguments)
    assert done.returncode == 2 and "--account NAME" in done.stderr and not done.stdout


def test_an_account_that_cannot_be(build, tmp_path):
    done = run(build, "--dir", tmp_path / "azure", "--account", "no account")
    assert done.returncode == 1 and "--account no account: " in done.stderr
