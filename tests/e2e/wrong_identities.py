"""Identities that are wrong, many in one daemon: an account for each, and one account that is well."""

import json
import pathlib
import uuid

from patience import wait_until
from stand_in import CLIENT_SECRET

FAILURE_TEXT_MAX = 400


class Way:
    """`make(case)` makes a good identity wrong. `cause` and `remedy`: what the daemon is to say."""

    def __init__(self, make, cause, remedy, reason="token_failed"):
        self.make, self.cause, self.remedy, self.reason = make, cause, remedy, reason


class Case:
    """One way in the making. `settings`: of the identity; `client`: an application or identity of its own."""

    def __init__(self, site, name, settings):
        self.site, self.azure, self.name = site, site.azure, name
        self.client = str(uuid.uuid4())
        self.directory = site.directory / "ways" / name
        self.directory.mkdir(parents=True)
        self.settings = dict(settings)
        self.secrets = []

    def write(self, name, content, secret=False):
        """A file that only its owner reads; returns its path."""
        path = self.directory / name
        path.touch(0o600)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if secret:
            self.secrets.append(content if isinstance(content, str) else content.decode())
        return str(path)

    def entra(self, kind, **more):
        """What Entra ID does when this application asks for a token."""
        self.azure.fault(kind, "token", "entra", self.client, **more)


def register(case, **properties):
    """Registers the application, or changes its registration."""
    case.azure.ask("POST", "clients", {"client_id": case.client, **properties})


def refuse(code, error="invalid_client", status=401, message="Sorry."):
    """Entra ID's answer with that AADSTS number."""
    return lambda case: case.entra("status", status=status, code=error, param=str(code), message=message)


def answer(kind, **more):
    """Entra ID's answer, spoilt."""
    return lambda case: case.entra(kind, **more)


def settings(**changed):
    return lambda case: case.settings.update(changed)


def both(*makes):
    """One after the other."""
    def put(case):
        for make in makes:
            make(case)
    return put


def replaced(name, make):
    """make(path) puts something else in the place of that file."""
    def replace(case):
        path = case.directory / name
        path.unlink()
        make(path)
    return replace


def add(site, ways, settings, prepare):
    """Configures all of them. `prepare(case)` makes an identity that works."""
    cases = []
    for name, way in ways.items():
        case = Case(site, name, settings)
        prepare(case)
        way.make(case)
        site.config["identities"][name] = case.settings
        site.account(name, identity=name)
        cases.append(case)
    site.account("well", identity="ops")
    return cases


def check(site, ways, cases):
    """Each is told with its cause and its remedy, both whole; none holds up the account that is well; and no
    secret stands anywhere."""
    for name, way in ways.items():
        told = {}

        def is_told():
            told.update(site.status(name))
            return (told["failure"] and told["reason"] == way.reason and way.cause in told["failure"]["text"]
                    and way.remedy in told["do"])
        try:
            wait_until(is_told, f"{name} says {way.cause}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}: {json.dumps(told, indent=1)}") from None
        for text in (told["failure"]["text"], told["do"]):
            assert len(text) < FAILURE_TEXT_MAX - 2 and not text.endswith("..."), f"it was cut: {text}"
    site.wait_rotations("well", 2)
    assert not site.log.lines(event="rotation.retrying", account="well")
    shown = pathlib.Path(site.directory / "shown")
    shown.write_text(site.ctl("--json", "status", "--all").stdout + site.ctl("status", "--all").stdout)
    secrets = [secret for case in cases for secret in case.secrets]
    assert not site.find_secrets([*site.all_files(), shown], [CLIENT_SECRET, *secrets])
