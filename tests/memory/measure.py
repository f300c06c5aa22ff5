#!/usr/bin/python3
"""Is any byte of a key, token or client secret left in the daemon's memory?

The real daemon rotates the keys of accounts with every kind of target and identity, hooks and
notifications against the Azure stand-in, through errors of every sort, until each account was rotated
often enough. When all of them have come to rest its memory is read and searched for pieces of every key
that ever was, every token that was handed out, the client secret, the key of a certificate and its
password, federated tokens, the keys by which Azure Arc challenges, and the secret that signs what a
webhook gets. None may be there: of the programs, `keyrotated` has to pass, and `keyrotated-unwiped`, which
is the same without the measures, has to be convicted of each kind. Without that, a search that finds
nothing would prove nothing.

Needs root, for the daemon does not let anybody else read its memory.
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import memory  # noqa: E402
from apps import CONTAINER, SITE, Answer, Apps  # noqa: E402
from az import write_az  # noqa: E402
from certificates import Authority, openssl, self_signed  # noqa: E402
from federation import Issuer  # noqa: E402
from installation import Installation  # noqa: E402
from kubernetes_server import Server, kubeconfig  # noqa: E402
from namespace import Namespace  # noqa: E402
from patience import wait_until  # noqa: E402
from platforms import ARC_DIRECTORY, ArcAgent  # noqa: E402
from receivers import DELIVERED, Program, WebhookServer  # noqa: E402
from stand_in import CLIENT, MANAGED_CLIENT, TENANT, StandIn  # noqa: E402
from test_types import add  # noqa: E402
import vault_server  # noqa: E402

ROTATIONS = 8
ROTATIONS_UNWIPED = 3  # it leaves traces from the first one on
FORMATS = ("raw", "env", "json")
IDENTITIES = ("ops", "vm", "cert")
LIGHT_IDENTITIES = ("wi", "arc", "cli")  # the keys of their accounts go to one target only
# Such as Entra ID makes them. The dots and tildes stand for themselves in a form, the others do not.
CLUSTER_TOKEN = "x7Lk2MvQe9.Rt5YbN0_wZc3Hd8Jf1-GsPa6UiOo4KtXq"
CLIENT_SECRET = "kPq8Q~w3Zr.7XtNc/V5+fGh2=LsDmYb9AoEuTj4x"
CERTIFIED_CLIENT = "66666666-6666-6666-6666-666666666666"
FEDERATED_CLIENT = "77777777-7777-7777-7777-777777777777"
KEY_PASSWORD = base64.b64encode(os.urandom(24)).decode()
WEBHOOK_SECRET = "whsec_" + base64.b64encode(os.urandom(32)).decode()
FAULTS = (("lost_after", "listKeys"), ("lost_after", "regenerateKeys"), ("truncate", "listKeys"),
          ("truncate", "regenerateKeys"), ("delay", "regenerateKeys"), ("status", "listKeys"),
          ("wrong_json", "listKeys"))
VAULT_FAULTS = (("lost_after", "setSecret"), ("truncate", "setSecret"), ("truncate", "getSecret"),
                ("wrong_json", "setSecret"), ("throttle", "setSecret"), ("status", "getSecret"))
KV_FAULTS = (("POST .*/data/", "lose"), ("GET .*/data/", "cut"), ("/login", "cut"), ("POST .*/data/", "cut"))
KINDS = ("key", "short key", "hexadecimal key", "alphanumeric key", "token", "client secret", "federated token",
         "challenge")
# Their keys go into files, and to the data plane in as many ways: as they are, signed with, at the end of AUTH.
TYPES = ("storage", "cognitive_services", "redis", "search", "container_registry", "service_bus")


class Measurement:
    """One program's run."""

    def __init__(self, build, program, rotations):
        self.rotations = rotations
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="krm-"))
        programs = self.directory / "programs"
        programs.mkdir()
        shutil.copy(build / program, programs / "keyrotated")
        shutil.copy(build / "keyrotatectl", programs / "keyrotatectl")
        self.azure = StandIn(build / "azuresim", self.directory / "azure")
        self.site = Installation(programs, self.azure)
        self.kv = vault_server.Vault(*self_signed(self.directory, "kv"))
        self.authority = Authority(self.directory / "authority")
        self.cluster = Server(self.authority.issue("server"))
        self.cluster.tokens[CLUSTER_TOKEN] = "keyrotated"
        self.apps = Apps(self.azure, tls=self.authority.issue("apps"))
        self.trusted = self.directory / "trusted.pem"
        self.trusted.write_bytes(self.authority.certificate.read_bytes() + self.azure.ca_file.read_bytes())
        self.namespace = Namespace()
        self.agent = ArcAgent(self.azure, self.directory / "arc")
        self.names = []
        self.receivers = []

    def configure(self):
        site, azure = self.site, self.azure
        azure.settings(token_lifetime=6)
        azure.ask("POST", "clients", {"client_id": CLIENT, "secret": CLIENT_SECRET})
        site.secret_file.write_text(CLIENT_SECRET + "\n")
        site.config["identities"]["vm"] = {"type": "managed_identity", "client_id": MANAGED_CLIENT,
                                           "endpoint": azure.imds_url}
        self.add_certificate()
        self.add_federation()
        self.add_agent()
        self.add_cli()
        site.policy(rotate_every="1200ms", overlap="400ms", check_every="700ms")
        site.config["targets"] = {
            form: {"type": "file", "format": form, "path": f"{site.keys}/{{account}}.{form}"}
            for form in FORMATS}
        site.config["cloud"]["key_vault_audience"] = "https://vault.localhost"
        site.config["targets"]["vault"] = {
            "type": "key_vault", "vault": f"https://contoso.vault.localhost:{azure.port}",
            "secret_name": "{account}"}
        self.add_kv("kv", self.kv.secret_id("role"))
        self.add_kv("wrapped", self.kv.wrap(self.kv.secret_id("role")), wrapped=True)
        file = self.directory / "kubeconfig"
        file.write_text(json.dumps(kubeconfig(self.cluster.url, self.authority.certificate,
                                              {"token": CLUSTER_TOKEN})))
        site.config["targets"]["cluster"] = {
            "type": "kubernetes_secret", "namespace": "batch", "secret_name": "{account}",
            "kubeconfig": str(file)}
        self.add_programs()
        self.add_receivers()
        site.config["defaults"]["deliver_to"] = list(site.config["targets"])
        self.add_apps()
        self.add_hooks()
        for identity in IDENTITIES:
            self.names.append(site.account(f"with{identity}", identity=identity))
        for identity in LIGHT_IDENTITIES:
            self.names.append(site.account(f"with{identity}", identity=identity, deliver_to=["json"]))
        for name in TYPES:
            self.names.append(add(site, name).here)
            site.config["accounts"][-1].update(identity="ops", deliver_to=["json", "env"])
        # One is enough, because the writes to an app come one after the other.
        site.config["accounts"][0]["deliver_to"] = [*site.config["defaults"]["deliver_to"], "site",
                                                    "container"]

    def add_certificate(self):
        """An application with a certificate, whose key is encrypted in a file of its own."""
        directory = self.directory
        self.key = directory / "plain.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=cert", "-days", "100", "-keyout",
                self.key, "-out", directory / "cert.pem")
        openssl("pkcs8", "-topk8", "-in", self.key, "-out", directory / "encrypted.key", "-passout",
                f"pass:{KEY_PASSWORD}")
        (directory / "key-password").write_text(KEY_PASSWORD + "\n")
        self.azure.ask("POST", "clients", {"client_id": CERTIFIED_CLIENT,
                                           "certificate": (directory / "cert.pem").read_text()})
        self.site.config["identities"]["cert"] = {
            "type": "client_certificate", "tenant_id": TENANT, "client_id": CERTIFIED_CLIENT,
            "client_certificate_file": str(directory / "cert.pem"),
            "client_certificate_key_file": str(directory / "encrypted.key"),
            "client_certificate_password_file": str(directory / "key-password")}

    def add_federation(self):
        """An application with a federated credential, whose token is renewed now and then."""
        self.issuer = Issuer(self.directory)
        self.issuer.register(self.azure, FEDERATED_CLIENT)
        self.federated_tokens = []
        self.renew_federated_token()
        self.site.config["identities"]["wi"] = {
            "type": "workload_identity", "tenant_id": TENANT, "client_id": FEDERATED_CLIENT,
            "federated_token_file": str(self.directory / "federated-token")}

    def renew_federated_token(self):
        self.federated_tokens.append(self.issuer.token(jti=os.urandom(16).hex()))
        draft = self.directory / "federated-token.draft"
        draft.touch(0o600)
        draft.write_text(self.federated_tokens[-1])
        draft.rename(self.directory / "federated-token")

    def add_agent(self):
        """Azure Arc's, which challenges for each token."""
        self.agent.directory.mkdir(mode=0o750)
        for command in (("mount", "-t", "tmpfs", "tmpfs", "/var/opt"), ("mkdir", "-p", ARC_DIRECTORY),
                        ("mount", "--bind", self.agent.directory, ARC_DIRECTORY)):
            self.namespace.run(*command)
        self.site.config["identities"]["arc"] = {"type": "managed_identity", "source": "arc", "endpoint": self.agent.url}

    def add_cli(self):
        """The Azure CLI, or what looks like it."""
        self.site.config["identities"]["cli"] = {
            "type": "azure_cli", "command": write_az(self.directory / "az", self.azure, CLIENT, CLIENT_SECRET),
            "config_dir": str(self.directory)}

    def add_apps(self):
        """Apps that hold other secrets than ours."""
        self.site.config["ca_file"] = str(self.trusted)
        self.site.config["cloud"]["resource_manager"] = self.apps.url
        self.site.config["targets"]["site"] = {
            "type": "azure_app_settings", "app": SITE, "setting": "KEY_{account}"}
        self.site.config["targets"]["container"] = {
            "type": "azure_app_settings", "app": CONTAINER, "setting": "{account}"}
        self.others = [base64.b64encode(os.urandom(64)).decode() for _ in range(2)]
        for app, other in zip((SITE, CONTAINER), self.others):
            self.apps.settings[app.lower()] = {"other": other}
        lost = [Answer(raw=b"", cut=True), Answer(raw=b"{\"properties\":", cut=True)]
        self.apps.after["write"] = lambda *_: lost.pop() if self.apps.count("write") > 3 and lost else None

    def add_kv(self, name, text, **how):
        """A target in HashiCorp Vault, with a login by AppRole."""
        file = self.site.directory / f"{name}-secret"
        file.touch(0o600)
        file.write_text(text + "\n")
        self.site.config["targets"][name] = {
            "type": "hashicorp_vault", "address": self.kv.url, "path": f"{name}/{{account}}",
            "ca_file": str(self.directory / "kv.pem"),
            "auth": {"approle": {"role_id": "role", "secret_id_file": str(file), **how}}}

    def add_programs(self):
        """One that hands the key back, and one that encrypts it."""
        secret = self.directory / "host-secret"
        subprocess.run(["/usr/bin/systemd-creds", "setup"], check=True, capture_output=True,
                       env={"SYSTEMD_CREDENTIAL_SECRET": str(secret)})
        self.site.config["targets"]["echo"] = {
            "type": "exec", "command": ["/bin/sh", "-c", "tee /dev/stderr"]}
        self.site.config["targets"]["creds"] = {
            "type": "systemd_credential", "name": "{account}", "host_secret_file": str(secret),
            "path": f"{self.site.keys}/{{account}}.cred"}

    def add_receivers(self):
        """A webhook, and a program behind a socket."""
        targets, directory = self.site.config["targets"], self.site.directory
        server = WebhookServer(*self.authority.issue("receiver"))
        self.receivers += [server, Program(directory / "hook.sock")]
        (directory / "hook-secret").write_text(WEBHOOK_SECRET + "\n")
        targets["hook"] = {"type": "webhook", "url": server.url, "include_key": True,
                           "ca_file": str(self.authority.certificate),
                           "secret_file": str(directory / "hook-secret")}
        targets["program"] = {"type": "socket", "path": str(directory / "hook.sock")}

    def add_hooks(self):
        """Who is told of keys and of accounts, without a key: they keep what they get, and fail now and then."""
        targets, directory = self.site.config["targets"], self.site.directory
        self.told = directory / "told"
        self.notices = Program(directory / "notice.sock",
                               lambda form: '{"result":"failed","message":"busy"}\n'
                               if len(self.notices.forms) % 7 == 3 else DELIVERED)
        self.pager = WebhookServer(*self.authority.issue("pager"))
        self.receivers += [self.notices, self.pager]
        targets["tell"] = {"type": "exec", "command": ["/bin/sh", "-c", f"tee -a {self.told}"]}
        targets["notice"] = {"type": "socket", "path": str(directory / "notice.sock")}
        targets["pager"] = {**targets["hook"], "url": self.pager.url}
        targets["raw"]["after"] = [{"target": "tell"}, {"target": "notice"}]
        self.site.config["notify"] = [
            {"target": name, "events": ["blocked", "overdue", "at_risk", "recovered", "upcoming", "completed"]}
            for name in ("tell", "notice", "pager")]

    def wrongly_told(self):
        """What is wrong with what they got, or ""."""
        got = {"a program": self.told.read_text(), "a socket": json.dumps(self.notices.forms),
               "a webhook": "".join(message.bytes.decode() for message in self.pager.messages)}
        keys = [birth["key"] for birth in self.azure.truth.events("birth")]
        return "; ".join(
            [f"{who} was told of no {what}" for who, text in got.items()
             for what in ("rotation.completed", *(["slot"] if who != "a webhook" else []))
             if what not in text] +
            [f"{who} got a key" for who, text in got.items() if any(key in text for key in keys)])

    def rotate(self):
        """Until all accounts were rotated often enough, with a fault now and then."""
        for number, (fault, op) in enumerate(FAULTS):
            self.azure.fault(fault, op, count=2, after=6 + 5 * number, delay_ms=300)
        for number, (fault, op) in enumerate(VAULT_FAULTS):
            self.azure.fault(fault, op, "keyvault", count=2, after=3 + 5 * number, delay_ms=300)
        for pattern, act in KV_FAULTS:
            self.kv.fault(pattern, count=1, act=act)
        self.site.wait_rotations(self.names[0], 3, timeout=600)
        self.kv.revoke_all()
        self.renew_federated_token()
        self.azure.regenerate(self.names[0], "Primary")
        self.azure.ask("DELETE", "tokens")
        for name in self.names:
            self.site.wait_rotations(name, self.rotations, timeout=240)

    def rest(self):
        """Until nothing happens any more. Connections stay open for a minute, tokens stay good."""
        site = self.site
        self.azure.clear_faults()
        self.azure.settings(token_lifetime=3600)
        self.azure.ask("DELETE", "tokens")
        since = max(len(site.completed(name)) for name in self.names) + 1
        site.wait_rotations(self.names[0], since, timeout=600)
        site.policy(rotate_every="30d", overlap="7d", check_every="1d", overdue_after="1d")
        site.write()
        site.daemons[-1].reload()
        wait_until(lambda: all(site.status(name)["state"] == "ok" for name in self.names),
                   "all accounts are well", timeout=600)
        wait_until(self.is_quiet, "all is quiet", timeout=600, pause=0.5)

    def is_quiet(self):
        before = self.azure.truth.events("request")
        time.sleep(2)
        return len(self.azure.truth.events("request")) == len(before)

    def secrets(self):
        truth = self.azure.truth
        births = truth.events("birth")
        keys = [memory.key(f"{birth['account']}/{birth['slot']} #{number}", birth["key"], memory.shape(birth["key"]))
                for number, birth in enumerate(births)]
        tokens = [memory.plain("token", f"#{number}", token)
                  for number, token in enumerate(sorted(truth.tokens()))]
        tokens.append(memory.plain("token", "of the cluster", CLUSTER_TOKEN))
        # Their headers are the same everywhere.
        tokens += [memory.plain("federated token", f"#{number}", token.partition(".")[2])
                   for number, token in enumerate(self.federated_tokens)]
        tokens += [memory.plain("challenge", f"of Azure Arc #{number}", key) for number, key in enumerate(self.agent.ever)]
        keys += [memory.key(f"of an app #{number}", other) for number, other in enumerate(self.others)]
        return [*keys, *tokens, memory.plain("client secret", "of ops", CLIENT_SECRET),
                memory.private_key("of cert", self.key), memory.plain("client secret", "key's password", KEY_PASSWORD),
                memory.key("of hook", WEBHOOK_SECRET.removeprefix("whsec_"), "client secret"),
                *(memory.plain("token" if secret.startswith("hvs.") else "client secret",
                               f"of the KV engine #{number}", secret)
                  for number, secret in enumerate(self.kv.ever))]

    def run(self, enough):
        """(hits, secrets, bytes looked at, are secrets locked into memory?, what is wrong with what was told)"""
        self.configure()
        daemon = self.site.start(wrapped=self.namespace.command)
        self.rotate()
        self.rest()
        secrets = self.secrets()
        hits, looked_at = memory.find(daemon.pid, secrets, enough)
        children = pathlib.Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text()
        for child in children.split():  # the process that starts programs
            found, more = memory.find(int(child), secrets)
            hits, looked_at = hits + found, looked_at + more
        mappings = memory.secret_mappings(daemon.pid)
        return (hits, secrets, looked_at, mappings and all("lo" in flags for flags in mappings),
                self.wrongly_told())

    def end(self):
        """What went wrong besides."""
        problems = self.site.end()
        self.kv.stop()
        self.agent.end()
        self.namespace.end()
        self.apps.stop()
        for receiver in self.receivers:
            receiver.stop()
        status = self.azure.stop()
        if status != 0:
            problems.append(f"azuresim ended with {status}")
        self.site.remove()
        self.cluster.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        return problems


def measure(build, program, rotations, enough):
    measurement = Measurement(build, program, rotations)
    try:
        return *measurement.run(enough), measurement.end()
    except BaseException:
        print(measurement.site.log.tail(), file=sys.stderr)
        measurement.end()
        raise


def judge(build, program, must_hit):
    """[(case, problem or "")]"""
    hits, secrets, looked_at, locked, wrongly_told, problems = measure(
        build, program, ROTATIONS_UNWIPED if must_hit else ROTATIONS, KINDS if must_hit else ())
    found = {kind: [hit for hit in hits if hit.secret.kind == kind] for kind in KINDS}
    there = {kind: sum(secret.kind == kind for secret in secrets) for kind in KINDS}
    print(f"  {program}: {looked_at >> 10} KiB searched for "
          f"{', '.join(f'{there[kind]} {kind}s' for kind in KINDS)}: {len(hits)} hits "
          f"({', '.join(f'{len(found[kind])} of a {kind}' for kind in KINDS)})", flush=True)
    assert all(there.values()), there
    for hit in hits[:0 if must_hit else 40]:
        print(f"    {hit}")
    cases = [(f"{program}: it ends well", "; ".join(problems)),
             (f"{program}: hooks and notifications come without keys", wrongly_told),
             (f"{program}: secrets stay out of swap and core files",
              "" if locked else "their pages are not locked, or part of core files")]
    for kind in KINDS:
        if must_hit:
            cases.append((f"{program}: traces of a {kind} are found",
                          "" if found[kind] else "nothing was found: the search proves nothing"))
        else:
            cases.append((f"{program}: no trace of a {kind}", "; ".join(map(str, found[kind]))))
    return cases


def write_results(path, cases):
    bad = sum(1 for _, problem in cases if problem)
    suite = ET.Element("testsuite", name="memory", tests=str(len(cases)), failures=str(bad),
                       errors="0", skipped="0")
    for name, problem in cases:
        case = ET.SubElement(suite, "testcase", classname="memory", name=name)
        if problem:
            ET.SubElement(case, "failure").text = problem
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--only", metavar="PROGRAM")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("Reading the daemon's memory needs root: run it with sudo")
    cases = []
    for program, must_hit in (("keyrotated", False), ("keyrotated-unwiped", True)):
        if arguments.only in (None, program):
            cases += judge(arguments.build.resolve(), program, must_hit)
    if arguments.results:
        write_results(arguments.results, cases)
    failed = [(name, problem) for name, problem in cases if problem]
    for name, problem in failed:
        print(f"  FAIL  {name}: {problem[:2000]}")
    print(f"{len(cases) - len(failed)} passed, {len(failed)} failed (memory)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
