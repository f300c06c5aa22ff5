"""Tokens of the Azure CLI, and the ways in which it is wrong. A program in az's place says what az says."""

import datetime
import json
import os
import shlex

from stand_in import TENANT
from wrong_identities import Way, add, check

TOKEN = "eyJ0eXAiOiJKV1QifQ.eyJhIjoxfQ.c2lnbmF0dXJlX29mX3NvbWVib2R5"


def program(*lines, interpreter="/bin/sh"):
    """az is a program of these lines."""
    def put(case):
        os.chmod(case.write("az", "\n".join((f"#!{interpreter}", *lines, ""))), 0o700)
    return put


def complains(text, status=1):
    """az writes this to standard error, and fails."""
    return program(f"printf '%s\\n' {shlex.quote(text)} >&2", f"exit {status}")


def says(text):
    return program(f"printf '%s\\n' {shlex.quote(text)}")


def answers(**changed):
    """az gives a token, of which these members are others; None: missing."""
    members = {"accessToken": TOKEN, "tokenType": "Bearer", "tenant": TENANT, "expires_on": 4102444800, **changed}
    return says(json.dumps({name: value for name, value in members.items() if value is not None}))


def mode(bits):
    return lambda case: os.chmod(case.directory / "az", bits)


def missing(case):
    (case.directory / "az").unlink()


def no_program(case):
    case.write("az", "\0\1\2\3" * 16)


def directory(case):
    missing(case)
    (case.directory / "az").mkdir()


def refused(code, text):
    """By Entra ID."""
    return complains(f"ERROR: AADSTS{code}: {text}\nTrace ID: 0\nTo re-authenticate, please run:\naz login")


LOGIN = "sign in as the daemon's user: `sudo -u '#"
RUN = "account get-access-token"
YESTERDAY = datetime.datetime.now() - datetime.timedelta(days=1)
WAYS = {
    # who is signed in
    "nobody": Way(complains("ERROR: Please run 'az login' to setup account."), "because a login is needed", LOGIN),
    "nosubscription": Way(complains("ERROR: No subscription found. Run 'az account set'"), "a login is needed", LOGIN),
    "tooold": Way(refused(700082, "The refresh token has expired due to inactivity."), "the last one is too old", LOGIN),
    "revoked": Way(refused(50173, "The provided grant has expired due to it being revoked."), "the last one was revoked", LOGIN),
    "factor": Way(refused(50076, "Due to a configuration change made by your administrator, you must use multi-factor "
                          "authentication."), "with a second factor", LOGIN),
    "expired": Way(refused(7000222, "The provided client secret keys are expired."), "the client secret has expired", LOGIN),
    "wrong": Way(refused(7000215, "Invalid client secret provided."), "the client secret is wrong", LOGIN),
    "policy": Way(refused(53003, "Access has been blocked by Conditional Access policies."),
                  "a conditional access policy forbids it", "admit who is signed in from here"),
    "tenant": Way(complains("ERROR: AADSTS90002: Tenant 'x' not found. Check to make sure you have the correct tenant "
                            "ID."), "because the tenant is not known", "correct tenant_id"),
    # what az needs
    "extension": Way(complains("Unable to prompt for extension install confirmation as no tty available.", 2),
                     "it wants to install an extension", "extension add --name"),
    "denied": Way(complains("PermissionError: [Errno 13] Permission denied: '/var/lib/x/az.json'"),
                  "it cannot write its configuration", "as `config_dir` of the identity"),
    "readonly": Way(complains("OSError: [Errno 30] Read-only file system: '/root/.azure'"),
                    "it cannot write its configuration", "as `config_dir` of the identity"),
    "untrusted": Way(complains("HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded "
                               "with url: /x (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
                               "CERTIFICATE_VERIFY_FAILED] certificate verify failed')))"),
                     "it does not trust the server's certificate", "REQUESTS_CA_BUNDLE=/path/to/file"),
    "refused": Way(complains("HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded with "
                             "url: /x (Caused by NewConnectionError('[Errno 111] Connection refused'))"),
                   "it does not reach Azure", "HTTPS_PROXY=http://HOST:PORT", reason="network"),
    "nameless": Way(complains("urllib3.exceptions.NewConnectionError: Failed to resolve 'login.microsoftonline.com'"),
                    "it does not reach Azure", "HTTPS_PROXY=http://HOST:PORT", reason="network"),
    "broken": Way(complains("ModuleNotFoundError: No module named 'azure.cli'"), "it is not installed as a whole",
                  "install the Azure CLI again"),
    # the program
    "missing": Way(missing, "but there is no /", "apt-get install azure-cli"),
    "mode": Way(mode(0o600), "the daemon's user may not execute it", "chmod a+x"),
    "directory": Way(directory, "it is a directory", "change the path to a program in"),
    "interpreter": Way(program("exit 0", interpreter="/nowhere/python3"), "its interpreter is missing",
                       "correct the first line of"),
    "noprogram": Way(no_program, "it is no program of this machine", "was built for `uname -m`"),
    "crashes": Way(program("kill -SEGV $$"), "was ended by signal 11 (SIGSEGV)", "azure-cli.conf"),
    "killed": Way(program("kill -KILL $$"), "was ended by signal 9 (SIGKILL)", "azure-cli.conf"),
    "floods": Way(program("echo " + TOKEN, "exec head -c 9000000 /dev/zero"), "wrote more than 8 MiB", "and see what it writes"),
    "silent": Way(program("exit 3"), "gave no token (exit status 3)", RUN),
    "leaks": Way(complains(f"Traceback: token {TOKEN} is wrong"), "gave no token (exit status 1)", RUN),
    # what it answers
    "nothing": Way(program("exit 0"), "it is no JSON object", RUN),
    "text": Way(says("Hello"), "it is no JSON object", RUN),
    "list": Way(says("[]"), "it is no JSON object", RUN),
    "notoken": Way(answers(accessToken=None), "there is no accessToken in it", RUN),
    "inject": Way(answers(accessToken="a\r\nb"), "it is malformed", RUN),
    "dpop": Way(answers(tokenType="DPoP"), "its tokenType is not Bearer", RUN),
    "forever": Way(answers(expires_on=None), "it does not say when it expires", RUN),
    "notime": Way(answers(expires_on=None, expiresOn="soon"), "its expiresOn is no time", RUN),
    "nonumber": Way(answers(expires_on=-1), "its expires_on is no time", RUN),
    "past": Way(answers(expires_on=1), "it has expired", RUN),
    "pastlocal": Way(answers(expires_on=None, expiresOn=str(YESTERDAY)), "it has expired", RUN),
}


def test_thirty_ways_of_being_wrong(site):
    def prepare(case):
        answers()(case)
        case.settings["command"] = [str(case.directory / "az")]
        case.settings["config_dir"] = str(case.directory)
        case.secrets += TOKEN.split(".")[1:]

    cases = add(site, WAYS, {"type": "azure_cli"}, prepare)
    site.start()
    check(site, WAYS, cases)
