"""A proxy between the daemon and Azure, what it can refuse, and what never passes it."""

import socket
import threading
import time

import pytest

from certificates import Authority
from isolated_network import copy_all
from namespace import Namespace
from proxy import Proxy
from stand_in import MANAGED_CLIENT

USER, PASSWORD = "rotator", "s3cret: with a colon"
BATCH = "alpha.westeurope.batch.localhost"
EXIT_CONFIG = 78
NAME = "management.localhost."


@pytest.fixture
def through(site, azure):
    """Makes a proxy, and configures it."""
    made = []

    def start(**how):
        made.append(Proxy(azure.port, **how))
        site.config["proxy"] = made[-1].url
        return made[-1]

    yield start
    for one in made:
        one.end()


def log_in(site, proxy, password=PASSWORD):
    file = site.directory / "proxy-password"
    file.touch(0o600)
    file.write_text(password + "\n")
    site.config["proxy"] = {"url": proxy.url, "user": USER, "password_file": str(file)}
    return file


def test_a_rotation(site, through):
    """All requests pass it, and no names are resolved for it."""
    proxy = through()
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    assert proxy.hosts() == {"localhost", BATCH}


def test_user_and_password(site, through):
    """They are sent with each tunnel, and stand nowhere else."""
    proxy = through(user=USER, password=PASSWORD)
    log_in(site, proxy)
    site.account("alpha")
    site.write()
    checked = site.run("--check")
    assert f"{proxy.url} as {USER}\n" in checked.stdout and PASSWORD not in checked.stdout
    site.start()
    site.wait_rotations("alpha", 1)
    assert proxy.asked and not proxy.denied
    assert not site.find_secrets(site.all_files(), more=[PASSWORD])


def test_wrong_password(site, through):
    """Cause and remedy; what is corrected holds from the next reload."""
    proxy = through(user=USER, password=PASSWORD)
    file = log_in(site, proxy, "another")
    site.account("alpha")
    site.start()
    failed = site.log.wait("token.failed", reason="network")
    assert "did not take the user and the password" in failed["msg"]
    assert "status 407" in failed["msg"] and "proxy.password_file" in failed["msg"]
    assert "another" not in failed["msg"]
    file.write_text(PASSWORD + "\n")
    assert site.ctl("reload").returncode == 0
    site.wait_adopted("alpha")


def test_no_user(site, through):
    through(user=USER, password=PASSWORD)
    site.account("alpha")
    site.start()
    failed = site.log.wait("token.failed", reason="network")
    assert "wants a user and a password" in failed["msg"]
    assert "write proxy: {url, user, password_file}" in failed["msg"]


@pytest.mark.parametrize("offers, named", [
    ("Negotiate", "status 407, NTLM or Negotiate"), ("NTLM", "status 407, NTLM or Negotiate"),
    ('Digest realm="proxy", nonce="1", qop="auth"', "status 407, Digest"), ("Bearer", "status 407")])
def test_a_login_that_is_not_spoken(site, through, offers, named):
    proxy = through(user=USER, password=PASSWORD, offers=offers)
    log_in(site, proxy, "another")
    site.account("alpha")
    site.start()
    failed = site.log.wait("token.failed", reason="network")
    assert named in failed["msg"] and "no_proxy" in failed["msg"], failed


def test_password_file_is_missing(site, through):
    """The start is refused with the reason; a reload keeps what was in force."""
    proxy = through(user=USER, password=PASSWORD)
    file = log_in(site, proxy)
    file.unlink()
    site.account("alpha")
    site.write()
    assert site.launch().wait() == EXIT_CONFIG
    refused = site.log.wait("config.rejected")
    assert "proxy.password_file" in refused["msg"] and str(file) in refused["msg"]
    log_in(site, proxy)
    site.start()
    site.wait_adopted("alpha")
    file.unlink()
    assert site.ctl("reload").returncode == 1
    site.wait_rotations("alpha", 1)


def test_refused_host(site, through):
    """The data plane is not to be reached: the rotation goes on, and says why it was not verified."""
    through(refused={BATCH})
    site.policy(verify="auto")
    site.account("alpha")
    site.start()
    unverified = site.log.wait("key.unverified", account="alpha")
    assert unverified
    site.wait_rotations("alpha", 1)
    assert any(f"refused the tunnel to {BATCH}" in line["msg"] and "status 403" in line["msg"]
               for line in site.log.lines())


def trust(site, *files):
    bundle = site.directory / "bundle.pem"
    bundle.write_text("".join(file.read_text() for file in files))
    site.config["ca_file"] = str(bundle)


def test_proxy_with_tls(site, azure, through):
    """`ca_file` holds for it, too; without its authority, the message is about the proxy."""
    authority = Authority(site.directory / "ca")
    proxy = through(user=USER, password=PASSWORD, tls=authority.issue("proxy", "DNS:localhost"))
    log_in(site, proxy)
    site.account("alpha")
    site.start()
    failed = site.log.wait("token.failed", reason="network")
    assert "the certificate of the proxy is not accepted" in failed["msg"], failed
    trust(site, azure.ca_file, authority.certificate)
    site.write()
    assert site.ctl("reload").returncode == 0
    site.wait_rotations("alpha", 1)
    assert proxy.url.startswith("https://") and proxy.hosts() == {"localhost", BATCH}


def test_metadata_service(site, azure, through):
    """It is reached directly."""
    proxy = through()
    site.config["identities"] = {"vm": {"type": "managed_identity", "client_id": MANAGED_CLIENT,
                                        "endpoint": azure.imds_url}}
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    assert azure.truth.events("request", face="imds")
    assert azure.imds_url.rpartition("/")[2] not in proxy.asked
    assert proxy.hosts() == {"localhost"} or proxy.hosts() == {"localhost", BATCH}


ALL = {"localhost", "management.localhost", BATCH}


@pytest.mark.parametrize("no_proxy, passing", [
    (["management.localhost"], ALL - {"management.localhost"}),
    ([".batch.localhost"], ALL - {BATCH}),
    (["batch.localhost", "MANAGEMENT.localhost"], {"localhost"}),
    (["localhost"], set()),
    (["ocalhost", "nagement.localhost"], ALL),
    (["*"], set()),
    (["10.0.0.0/8"], ALL),
])
def test_no_proxy(site, azure, through, no_proxy, passing):
    """The rules are libcurl's: whole labels from the end, in any case."""
    proxy = through()
    site.config["cloud"]["resource_manager"] = f"https://management.localhost:{azure.port}"
    site.config["no_proxy"] = no_proxy
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    assert proxy.hosts() == passing


def test_addresses_in_no_proxy(site, azure, through):
    proxy = through()
    site.config["cloud"]["resource_manager"] = f"https://127.0.0.1:{azure.port}"
    site.config["no_proxy"] = ["127.0.0.0/8"]
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    assert proxy.hosts() == {"localhost", BATCH}


def test_variables_of_the_environment(site, build):
    """They are not consulted, and `--check` says so."""
    nowhere = {name: "http://127.0.0.1:1" for name in
               ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")}
    site.account("alpha")
    site.start(environment=nowhere)
    site.wait_rotations("alpha", 1)
    warned = [line for line in site.log.lines(event="config.loaded") if "proxy" in line["msg"]]
    assert warned and "are not consulted" in warned[0]["msg"]


# --- one name, several addresses ---

@pytest.fixture
def hosts(site):
    """A file of host names for the daemon alone."""
    namespace = Namespace()
    file = site.directory / "hosts"
    nsswitch = site.directory / "nsswitch.conf"
    nsswitch.write_text("hosts: files\n")

    def use(*lines):
        file.write_text("127.0.0.1 localhost\n" + "".join(line + "\n" for line in lines))
        namespace.replace_file("/etc/hosts", file)
        namespace.replace_file("/etc/nsswitch.conf", nsswitch)
        return namespace.command

    yield use
    namespace.end()


@pytest.fixture
def two_addresses(azure):
    """A port at which 127.0.0.1 lets nobody in, for the queue is full, and 127.0.0.2 leads to the
    stand-in. The C library sorts them in this order."""
    dead = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = dead.getsockname()[1]
    alive = socket.create_server(("127.0.0.2", port))
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))

    def lead():
        while True:
            try:
                client, _ = alive.accept()
                server = socket.create_connection(("127.0.0.1", azure.port))
            except OSError:
                return
            for pair in ((client, server), (server, client)):
                threading.Thread(target=copy_all, args=pair, daemon=True).start()

    threading.Thread(target=lead, daemon=True).start()
    yield port
    alive.shutdown(socket.SHUT_RDWR)
    for one in (dead, alive, *waiting):
        one.close()


@pytest.mark.long
def test_one_of_two_addresses_is_dead(site, hosts, two_addresses):
    """The other one is tried within the time for a connection: half of 15 s for each."""
    # With a dot at the end it is no name that libcurl knows by itself.
    site.config["cloud"]["resource_manager"] = f"https://{NAME}:{two_addresses}"
    site.account("alpha")
    started = time.monotonic()
    site.start(wrapped=hosts(f"127.0.0.1 {NAME}", f"127.0.0.2 {NAME}"))
    site.wait_adopted("alpha")
    took = time.monotonic() - started
    assert took > 5, "the dead address was tried"
    assert not site.log.lines(event="rotation.retrying"), "no request has failed"


def test_an_address_that_refuses(site, azure, hosts):
    """The other one is tried at once."""
    site.config["cloud"]["resource_manager"] = f"https://{NAME}:{azure.port}"
    site.account("alpha")
    site.start(wrapped=hosts(f"127.0.0.3 {NAME}", f"127.0.0.1 {NAME}"))
    site.wait_adopted("alpha")
    assert not site.log.lines(event="rotation.retrying")
    assert not site.log.lines(event="rotation.retrying")
