"""Every cloud: one whole rotation against a stand-in that answers to that cloud's names alone, with its
audiences, its data plane and its vaults; and no request leaves for any other host."""

import pathlib
import shutil
import tempfile

import pytest

from installation import Installation
from isolated_network import IsolatedNetwork
from patience import wait_until
from proxy import Proxy
from stand_in import StandIn

CLOUDS = {
    "AzureCloud": {
        "location": "westeurope", "arm": "management.azure.com",
        "login": "login.microsoftonline.com", "batch": "batch.azure.com", "vault": "vault.azure.net"},
    "AzureChinaCloud": {
        "location": "chinanorth", "arm": "management.chinacloudapi.cn",
        "login": "login.chinacloudapi.cn", "batch": "batch.chinacloudapi.cn",
        "vault": "vault.azure.cn"},
    "AzureUSGovernment": {
        "location": "usgovvirginia", "arm": "management.usgovcloudapi.net",
        "login": "login.microsoftonline.us", "batch": "batch.usgovcloudapi.net",
        "vault": "vault.usgovcloudapi.net"},
    "AzureStackHub": {
        "location": "westeurope", "arm": "management.local.azurestack.external",
        "login": "adfs.local.azurestack.external", "batch": "batch.local.azurestack.external",
        "vault": "vault.local.azurestack.external"},
}
STACK = {"resource_manager": "https://management.local.azurestack.external",
         "login": "https://adfs.local.azurestack.external/adfs",
         "audience": "https://management.adfs.azurestack.local/8f3b1c9e-6d0a-4f0e-9b6c-2f4a0c1d7e55",
         "key_vault_audience": "https://vault.local.azurestack.external"}


class Cloud:
    """A stand-in that is one cloud, a proxy that leads every name to it, and an installation."""

    def __init__(self, build, name):
        self.names = CLOUDS[name]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="kra-"))
        self.azure = StandIn(build / "azuresim", self.directory / "azure", "--cloud", name)
        self.proxy = Proxy(self.azure.port)
        self.site = Installation(build, self.azure)
        self.site.config["cloud"] = STACK if name == "AzureStackHub" else name
        self.site.config["proxy"] = self.proxy.url
        if name == "AzureStackHub":
            self.site.config["identities"]["ops"]["tenant_id"] = "adfs"

    def account(self, name):
        self.azure.create(name, location=self.names["location"])
        return self.site.account(name, create=False)

    def end(self):
        problems = self.site.end()
        self.site.remove()
        self.proxy.end()
        status = self.azure.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        assert not problems and status == 0, (problems, status)


@pytest.fixture
def cloud(build, request):
    made = Cloud(build, request.param)
    request.node.installations = [made.site]
    yield made
    made.end()


every_cloud = pytest.mark.parametrize("cloud", CLOUDS, indirect=True)


@every_cloud
def test_rotation(cloud):
    """The stand-in knows its own audiences alone, and answers to its own names alone."""
    site, names = cloud.site, cloud.names
    site.config["targets"]["vault"] = {"type": "key_vault", "secret_name": "key",
                                       "vault": f"https://contoso.{names['vault']}"}
    site.config["targets"]["env"] = {"type": "file", "format": "env",
                                     "path": f"{site.keys}/{{account}}.env"}
    site.config["defaults"]["deliver_to"] = ["file", "env", "vault"]
    cloud.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    data_plane = f"alpha.{names['location']}.{names['batch']}"
    assert f"AZURE_BATCH_ENDPOINT=https://{data_plane}\n" in site.file("alpha.env").read_text()
    verified = site.log.wait("key.verified", account="alpha")
    assert verified, "the new key was tried at the data plane"
    last = wait_until(lambda: cloud.azure.truth.events("secret_set"), "the vault has the key")[-1]
    assert last["vault"] == "contoso"
    assert last["value"] in cloud.azure.truth.keys()
    assert cloud.proxy.hosts() == {names["arm"], names["login"], data_plane,
                                   f"contoso.{names['vault']}"}
    assert {place.rpartition(":")[2] for place in cloud.proxy.asked} == {"443"}


@pytest.fixture
def network(cloud):
    """A network in which every name is this cloud's stand-in at port 443."""
    network = IsolatedNetwork(443, cloud.azure.port)
    network.answering = True
    resolv_conf = cloud.directory / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
    nsswitch = cloud.directory / "nsswitch.conf"
    nsswitch.write_text("hosts: dns\n")
    network.namespace.replace_file("/etc/resolv.conf", resolv_conf)
    network.namespace.replace_file("/etc/nsswitch.conf", nsswitch)
    yield network
    network.end()


@every_cloud
def test_no_other_name_is_asked_for(cloud, network):
    """Without a proxy, with all names resolved to loopback."""
    del cloud.site.config["proxy"]
    cloud.account("alpha")
    cloud.site.start(wrapped=network.namespace.command)
    cloud.site.wait_rotations("alpha", 1)
    names = cloud.names
    assert network.names == {names["arm"], names["login"],
                             f"alpha.{names['location']}.{names['batch']}"}


@pytest.mark.parametrize("cloud", ["AzureChinaCloud"], indirect=True)
def test_vault_of_another_cloud(cloud):
    """A vault of the public cloud takes no token of this one: the configuration is refused."""
    cloud.site.account("alpha", create=False)
    cloud.site.config["targets"]["vault"] = {"type": "key_vault", "secret_name": "key",
                                             "vault": "https://contoso.vault.azure.net"}
    cloud.site.config["defaults"]["deliver_to"] = ["file", "vault"]
    cloud.site.write()
    checked = cloud.site.run("--check")
    assert checked.returncode == 78
    assert "is no vault of AzureChinaCloud" in checked.stderr
    assert "https://NAME.vault.azure.cn" in checked.stderr


@pytest.mark.parametrize("cloud", ["AzureChinaCloud"], indirect=True)
def test_wrong_cloud(cloud):
    """The public cloud's names lead to a certificate that is none of theirs. Nothing is sent there,
    and the message says which host, and what to check."""
    cloud.site.config["cloud"] = "AzureCloud"
    cloud.account("alpha")
    cloud.site.start()
    failed = cloud.site.log.wait("token.failed")
    assert "login.microsoftonline.com" in failed["msg"] and "certificate" in failed["msg"]
    assert not cloud.azure.truth.tokens()


# --- discovery ---

def discovers(cloud):
    cloud.site.config["cloud"] = {"resource_manager": STACK["resource_manager"], "discover": True}
    return cloud.site


stack_hub = pytest.mark.parametrize("cloud", ["AzureStackHub"], indirect=True)


@stack_hub
def test_discovery(cloud):
    """The cloud says where its tokens come from; the next start needs no answer to know it."""
    site = discovers(cloud)
    site.config["targets"]["vault"] = {"type": "key_vault", "secret_name": "key",
                                       "vault": f"https://contoso.{cloud.names['vault']}"}
    site.config["defaults"]["deliver_to"] = ["file", "vault"]
    cloud.account("alpha")
    site.write()
    checked = site.run("--check")
    assert checked.returncode == 0 and "login (the cloud will be asked)" in checked.stdout
    daemon = site.start()
    found = site.log.wait("cloud.discovered")
    assert STACK["login"] in found["msg"] and STACK["audience"] in found["msg"]
    assert found["vaults"] == STACK["key_vault_audience"]
    site.wait_rotations("alpha", 1)
    assert not site.log.lines(event="token.failed"), "nothing was asked for too early"
    assert cloud.proxy.hosts() <= {cloud.names[part] for part in ("arm", "login")} | {
        f"contoso.{cloud.names['vault']}", f"alpha.westeurope.{cloud.names['batch']}"}

    assert daemon.stop() == 0
    assert (site.state / "cloud.json").stat().st_mode & 0o777 == 0o600
    assert f"login {STACK['login']}" in site.run("--check").stdout
    cloud.azure.fault("status", face="metadata", status=503)
    since = site.log.mark()
    site.start()
    failed = site.log.wait("cloud.failed", since=since)
    assert "status 503; what it said before stays in force" in failed["msg"]
    assert failed["level"] == "warning"
    site.wait_rotations("alpha", 1, since=since)
    cloud.azure.clear_faults()
    site.log.wait("trouble.ended", since=since, ended="cloud.failed")
    assert not site.log.lines(since, event="cloud.discovered"), "it is what is in force already"


@stack_hub
def test_discovery_in_older_forms(cloud):
    """A list of clouds, and an object without URLs."""
    cloud.azure.fault("status", face="metadata", status=400, count=1)
    site = discovers(cloud)
    cloud.account("alpha")
    daemon = site.start()
    site.wait_adopted("alpha")
    assert daemon.stop() == 0
    (site.state / "cloud.json").unlink()
    cloud.azure.fault("status", face="metadata", status=404, count=2)
    since = site.log.mark()
    site.start()
    found = site.log.wait("cloud.discovered", since=since)
    assert STACK["login"] in found["msg"] and "vaults" not in found
    asked = cloud.azure.truth.events("request", face="metadata")
    assert [one["status"] for one in asked] == [400, 200, 404, 404, 200]


@pytest.mark.parametrize("answer, says", [
    ('[]', "describes other clouds than its own"),
    ('{"resourceManager": "https://management.azure.com/"}', "other clouds than its own: https://m"),
    ('{"authentication": {"audiences": ["x"]}}', "without a usable authentication.loginEndpoint"),
    ('{"authentication": {"loginEndpoint": "https://l.example"}}', "authentication.audiences"),
    ('{"authentication": {"loginEndpoint": "http://l.example", "audiences": ["x"]}}', "unencrypted"),
    ('{"authentication": {"loginEndpoint": "https://a:b@l.example", "audiences": ["x"]}}', "user name"),
    ('<html>', "no JSON"),
])
@stack_hub
def test_wrong_answers(cloud, answer, says):
    """The cause and the remedy; no token is asked for; and the accounts say what they wait for."""
    cloud.azure.fault("wrong_json", face="metadata", param=answer)
    site = discovers(cloud)
    cloud.account("alpha")
    site.start()
    failed = site.log.wait("cloud.failed")
    assert says in failed["msg"] and "cloud." in failed["remedy"], failed
    assert failed["level"] == "error"
    waits = site.log.wait("rotation.retrying", account="alpha")
    assert waits["reason"] == "token_failed" and "cloud.failed" in waits["remedy"]
    assert not cloud.azure.truth.tokens()
    cloud.azure.clear_faults()
    site.wait_adopted("alpha")


@stack_hub
def test_discovery_and_once(cloud):
    """A single run waits for the answer, too."""
    site = discovers(cloud)
    cloud.account("alpha")
    site.write()
    done = site.run("--once", "--timeout", "20s")
    assert done.returncode == 0, done.stderr
    assert site.holds("alpha")
