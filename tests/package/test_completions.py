"""The shells offer what --help lists: every command, every option, and nothing else."""

import re
import subprocess

import pytest
from conftest import ROOT, run

COMPLETIONS = ROOT / "config/completions"
GENERAL = {"--socket", "--json", "--version", "--help"}
OF_NO_ACCOUNT = {"reload", "ping", "identify", "help", "log-level"}

# Prints what bash would offer for the words that follow, of which the last is not finished.
BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
compopt() { :; }
"_$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh's completion works inside of its line editor alone. Outside, what the functions of that would be
# told is printed. $1: the file; then the words, of which the last is not finished.
ZSH = """
_arguments() {
    local argument
    for argument in "$@"; do
        [[ $argument == *--* || $argument == *:* ]] && print -r -- "$argument"
        [[ $argument == *:_keyrotatectl_accounts ]] && _keyrotatectl_accounts
    done
    [[ $1 == -C && ${#given} -gt 2 ]] || return
    state=arguments; words=(${given[2,-1]})
    [[ $socket ]] && opt_args[--socket]=$socket
    return 0
}
_describe() { print -rl -- "${(@P)2}" }
file=$1; shift; given=("$@")
source $file
[[ -z $ask ]] || $ask
"""


def help_of(build, program):
    return run(build / program, "--help")


@pytest.fixture(scope="session")
def commands(unpacked):
    """{command: its own options} of keyrotatectl."""
    text = help_of(unpacked / "usr/bin", "keyrotatectl")
    found = re.findall(r"^  ([a-z-]+) ?(.*)\n {10}", text, re.M)
    assert len(found) >= 7
    return {name: set(re.findall(r"--[a-z-]+", synopsis)) for name, synopsis in found}


def test_the_manual_describes_every_command_and_option(commands):
    manual = (ROOT / "man/keyrotatectl.1").read_text()
    for name, options in commands.items():
        described = "".join(re.findall(rf"^\.It Cm {name}\b(.*?)(?=^\.It Cm|^\.El)", manual, re.M | re.S))
        assert described, f"{name} has no entry"
        for option in options:
            assert f"Fl -{option[2:]}" in described, f"{name} {option} has no entry"


@pytest.fixture(scope="session")
def daemon_options(unpacked):
    text = help_of(unpacked / "usr/sbin", "keyrotated")
    return set(re.findall(r"^ {2,6}(?:(-[a-z]), )?(--[a-z-]+)", text, re.M))


@pytest.fixture(scope="session")
def fake_ctl(tmp_path_factory):
    """A keyrotatectl that answers for a daemon with two accounts."""
    directory = tmp_path_factory.mktemp("bin")
    program = directory / "keyrotatectl"
    accounts = ",".join(f'{{"id":"/subscriptions/0/{name}","name":"{name}","active":"primary",'
                        f'"targets":[{{"name":"file"}}]}}' for name in ("alpha", "beta"))
    program.write_text("#!/bin/sh\n"
                       '[ "$*" = "--json status --all" ] || '
                       '[ "$*" = "--socket /s --json status --all" ] || exit 3\n'
                       f"printf '%s\\n' '{{\"accounts\":[{accounts}]}}'\n", encoding="utf-8")
    program.chmod(0o755)
    return directory


def bash_offers(path, program, *words):
    done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", COMPLETIONS / f"{program}.bash",
                           program, *words], text=True, capture_output=True, check=True,
                          timeout=30, env={"PATH": f"{path}:/usr/bin:/bin"})
    assert not done.stderr, done.stderr
    return set(done.stdout.split())


def test_bash_offers_the_options_of_the_daemon(daemon_options, fake_ctl):
    listed = {option for pair in daemon_options for option in pair if option}
    assert bash_offers(fake_ctl, "keyrotated", "") == listed
    assert bash_offers(fake_ctl, "keyrotated", "--log-l") == {"--log-level"}


def test_bash_offers_values(unpacked, fake_ctl):
    text = help_of(unpacked / "usr/sbin", "keyrotated")
    for option in ("--log-format", "--log-level"):
        values = re.search(rf"{option} \S +(.*?) \(", text)[1]
        assert bash_offers(fake_ctl, "keyrotated", option, "") == \
            set(values.replace(",", "").replace(" or ", " ").split())
    assert bash_offers(fake_ctl, "keyrotatectl", "adopt", "alpha", "--active", "") == \
        {"primary", "secondary"}


def test_bash_offers_all_commands(commands, fake_ctl):
    assert bash_offers(fake_ctl, "keyrotatectl", "") == set(commands) | GENERAL
    assert bash_offers(fake_ctl, "keyrotatectl", "--socket", "/s", "re") == \
        {name for name in commands if name.startswith("re")}


def test_bash_offers_the_options_of_each_command(commands, fake_ctl):
    for command, options in commands.items():
        assert bash_offers(fake_ctl, "keyrotatectl", command, "--") == options, command
    assert bash_offers(fake_ctl, "keyrotatectl", "help", "") == set(commands)


def test_the_states_are_those_that_help_names(unpacked, fake_ctl):
    named = re.search(r"STATE is (.*?)\.\n", help_of(unpacked / "usr/bin", "keyrotatectl"), re.S)[1]
    states = set(re.sub(r"\(.*?\)| or |,", " ", named).split())
    assert bash_offers(fake_ctl, "keyrotatectl", "status", "--state", "") == states
    zsh = (COMPLETIONS / "_keyrotatectl").read_text(encoding="utf-8")
    assert set(re.search(r":state:\((.*?)\)", zsh)[1].split()) == states


def test_bash_offers_the_accounts_of_the_daemon(commands, fake_ctl):
    for command in commands.keys() - OF_NO_ACCOUNT:
        assert {"alpha", "beta"} <= bash_offers(fake_ctl, "keyrotatectl", command, ""), command
    assert {"alpha"} == bash_offers(fake_ctl, "keyrotatectl", "--socket", "/s", "rotate", "al")
    assert bash_offers(fake_ctl, "keyrotatectl", "reload", "") == {"--dry-run"}


def test_bash_offers_no_account_without_a_daemon():
    assert bash_offers("/nowhere", "keyrotatectl", "rotate", "") == \
        {"--wait", "--timeout", "--dry-run"}


# --- zsh ---

def zsh_is_told(path, program, *words, ask="", socket=""):
    done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", COMPLETIONS / f"_{program}", program,
                           *words], text=True, capture_output=True, check=False, timeout=30,
                          env={"PATH": f"{path}:/usr/bin:/bin", "ask": ask, "socket": socket})
    assert not done.stderr, done.stderr
    return done.stdout


def options_in(told):
    """Of specifications such as "(--until)--for[so long]:duration:"."""
    return set(re.findall(r"(--?[a-z-]+)\[", told))


def test_zsh_knows_what_they_complete():
    for program in ("keyrotated", "keyrotatectl"):
        text = (COMPLETIONS / f"_{program}").read_text(encoding="utf-8")
        assert text.startswith(f"#compdef {program}\n")


def test_zsh_offers_the_options_of_the_daemon(daemon_options, fake_ctl):
    listed = {option for pair in daemon_options for option in pair if option}
    assert options_in(zsh_is_told(fake_ctl, "keyrotated", "")) == listed


def test_zsh_offers_all_commands(commands, fake_ctl):
    assert options_in(zsh_is_told(fake_ctl, "keyrotatectl", "")) == GENERAL
    told = zsh_is_told(fake_ctl, "keyrotatectl", "", ask="_keyrotatectl_commands")
    assert set(re.findall(r"^([a-z-]+):[a-z]", told, re.M)) == set(commands)


def test_zsh_offers_the_options_of_each_command(commands, fake_ctl):
    for command, options in commands.items():
        told = zsh_is_told(fake_ctl, "keyrotatectl", command, "")
        assert options_in(told) - GENERAL == options, command
        assert ("_keyrotatectl_accounts" in told) == (command not in OF_NO_ACCOUNT), command


def test_zsh_offers_the_accounts_of_the_daemon(fake_ctl):
    told = zsh_is_told(fake_ctl, "keyrotatectl", "", ask="_keyrotatectl_accounts")
    assert told.splitlines()[-2:] == ["alpha", "beta"]


def test_zsh_asks_the_daemon_of_the_given_socket(fake_ctl):
    """Names of accounts are fetched while the words are completed, as zsh does it."""
    for socket, offered in (("/s", True), ("/t", False)):
        told = zsh_is_told(fake_ctl, "keyrotatectl", "rotate", "", socket=socket)
        assert ("alpha" in told.splitlines()) == offered
