"""Targets of type kubernetes_secret: what is applied, and twenty ways of being wrong."""

import json
import pathlib
import shutil
import tempfile

import pytest

from certificates import Authority
from kubernetes_server import Server, kubeconfig
from patience import wait_until

TOKEN = "e2e-kubernetes-token-0123456789abcdefghijklmnop"
USER = "system:serviceaccount:ops:keyrotated"


@pytest.fixture(scope="module")
def authority():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="krk-"))
    yield Authority(directory)
    shutil.rmtree(directory)


@pytest.fixture
def cluster(authority):
    server = Server(authority.issue("server"), clients=authority.certificate)
    server.tokens[TOKEN] = USER
    server.authority = authority
    yield server
    server.stop()


@pytest.fixture
def site_with(site, cluster):
    """Rotates on command; the key goes to a Secret alone, and to a file after it."""
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    site.kubeconfig = site.directory / "kubeconfig"
    write(site.kubeconfig, kubeconfig(cluster.url, cluster.authority.certificate, {"token": TOKEN}))
    site.config["targets"]["secret"] = target(site)
    site.config["defaults"]["deliver_to"] = ["secret", "file"]
    return site


def write(path, document):
    path.write_text(json.dumps(document))
    path.chmod(0o600)


def target(site, **more):
    return {"type": "kubernetes_secret", "namespace": "batch", "secret_name": "{account}",
            "kubeconfig": str(site.kubeconfig), **more}


def rotate(site, name):
    wait_until(lambda: site.ctl("rotate", name, "--dry-run").returncode == 0, "it may rotate")
    done = site.ctl("rotate", name, "--wait")
    assert done.returncode == 0, done.stdout + done.stderr


# --- what is applied ---

def test_a_rotation_reaches_the_secret_and_leaves_what_others_keep_there(site_with, cluster):
    site = site_with
    site.config["targets"]["secret"].update(
        keys={"key": "{key}", "settings": "{name};https://{endpoint};{key};{cycle}"},
        labels={"app": "{account}"}, annotations={"reloader.stakater.com/match": "true"})
    cluster.edit("alpha", {"theirs": "not ours", ("metadata", "labels", "team"): "red"})
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    rotate(site, "alpha")

    key = site.azure.keys("alpha")["Secondary"]
    assert cluster.data("alpha") == key == site.held("alpha")
    assert cluster.data("alpha", "settings").startswith("alpha;https://")
    assert cluster.data("alpha", "settings").endswith(f";{key};1")
    assert cluster.data("alpha", "theirs") == "not ours"
    shown = cluster.secret("alpha")
    assert shown["type"] == "Opaque"
    assert shown["metadata"]["labels"] == {"app": "alpha", "team": "red"}
    annotations = shown["metadata"]["annotations"]
    assert annotations["reloader.stakater.com/match"] == "true"
    assert annotations["keyrotated/slot"] == "secondary" and annotations["keyrotated/cycle"] == "1"

    for one in cluster.sent("alpha", "PATCH"):
        assert one["query"]["fieldManager"] == ["keyrotated"] and one["query"]["force"] == ["false"]
    dry = cluster.sent("alpha", "PATCH", dry_run=True)
    assert dry, "the preflight is a dry run"
    keys = set(site.azure.truth.keys())
    assert not any(key in one["body"] for one in dry for key in keys)
    assert all(one["authorization"] == f"Bearer {TOKEN}" for one in cluster.requests)


def test_what_stands_there_already_is_not_written_again(site_with, cluster):
    site = site_with
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: cluster.data("alpha"), "it is delivered")
    writes = len(cluster.sent("alpha", "PATCH", dry_run=False))
    version = cluster.secret("alpha")["metadata"]["resourceVersion"]
    reads = len(cluster.sent("alpha", "GET"))
    assert site.ctl("redeliver", "alpha").returncode == 0
    wait_until(lambda: len(cluster.sent("alpha", "GET")) > reads and
               site.status("alpha")["state"] == "ok", "it was looked at again")
    assert len(cluster.sent("alpha", "PATCH", dry_run=False)) == writes
    assert cluster.secret("alpha")["metadata"]["resourceVersion"] == version


def test_a_key_that_is_taken_out_of_the_configuration_leaves_the_secret(site_with, cluster):
    site = site_with
    site.config["targets"]["secret"]["keys"] = {"old": "{key}", "new": "{key}"}
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: cluster.data("alpha", "old"), "it is delivered")
    site.config["targets"]["secret"]["keys"] = {"new": "{key}"}
    site.write()
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: cluster.data("alpha", "old") is None, "what is left out is gone")
    assert cluster.data("alpha", "new") == site.held("alpha")


def test_drift_is_repaired_and_the_typed_remedy_ends_a_conflict(site_with, cluster):
    site = site_with
    site.policy(check_every="300ms")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    wait_until(lambda: cluster.data("alpha"), "it is delivered")
    cluster.edit("alpha", {"key": None})
    wait_until(lambda: cluster.data("alpha") == site.held("alpha"), "what was removed is back")

    cluster.edit("alpha", {"key": "somebody else's"}, manager="helm")
    failed = site.log.wait("delivery.failed", account="alpha")
    assert 'conflict with "helm" using v1: .data.key' in failed["msg"]
    assert "kubectl -n batch patch secret alpha --type=json " \
           """-p '[{"op":"remove","path":"/data/key"}]'""" in failed["remedy"]
    cluster.edit("alpha", {"key": None})  # what that command does
    wait_until(lambda: cluster.data("alpha") == site.held("alpha"), "it is ours again")


def test_a_token_that_was_replaced_is_read_anew(site_with, cluster):
    site = site_with
    file = site.directory / "token"
    site.config["targets"]["secret"] = {
        "type": "kubernetes_secret", "namespace": "batch", "secret_name": "{account}",
        "server": cluster.url + "/", "ca_file": str(cluster.authority.certificate),
        "token_file": str(file)}
    file.write_text(TOKEN + "\n")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    with cluster.lock:
        cluster.tokens = {TOKEN + "-2": USER}
    file.write_text(TOKEN + "-2\n")
    rotate(site, "alpha")
    assert cluster.data("alpha") == site.held("alpha")
    assert not site.log.lines(event="delivery.failed")


def test_a_pod_uses_its_service_account(site_with, cluster, namespace):
    site = site_with
    account = site.directory / "serviceaccount"
    account.mkdir()
    (account / "token").write_text(TOKEN)
    (account / "ca.crt").write_bytes(cluster.authority.certificate.read_bytes())
    mounted = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
    namespace.run("mount", "-t", "tmpfs", "tmpfs", "/run")
    namespace.run("mkdir", "-p", mounted)
    namespace.run("mount", "--bind", account, mounted)
    del site.config["targets"]["secret"]["kubeconfig"]
    site.config["proxy"] = "http://127.0.0.1:9"  # for Azure; the cluster's own address needs none
    site.config["no_proxy"] = ["localhost"]
    site.account("alpha")
    site.start(wrapped=namespace.command, environment={
        "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port)})
    site.wait_adopted("alpha")
    wait_until(lambda: cluster.data("alpha") == site.held("alpha"), "it is delivered")


def test_a_client_certificate_and_another_server_name(site_with, cluster, authority):
    site = site_with
    certificate, key = authority.issue("robot", "DNS:robot")
    server = Server(authority.issue("api.test", "DNS:api.test"), clients=authority.certificate)
    try:
        document = kubeconfig(server.url, None, {"client-certificate": certificate.name,
                                                 "client-key": key.name},
                              **{"certificate-authority": authority.certificate.name,
                                 "tls-server-name": "api.test"})
        for path in (certificate, key, authority.certificate):
            shutil.copy(path, site.directory)
        write(site.kubeconfig, document)
        site.account("alpha")
        site.start()
        site.wait_adopted("alpha")
        wait_until(lambda: server.data("alpha") == site.held("alpha"), "it is delivered")
        assert {(one["user"], one["authorization"]) for one in server.requests} == {("robot", None)}
    finally:
        server.stop()


def test_lost_answers_and_races_end_well(site_with, cluster):
    site = site_with
    race = json.dumps({"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409,
                       "message": "the object has been modified", "details": {"kind": "secrets"}})
    for name in ("race", "lost", "nodry"):
        site.account(name)
    cluster.fault("race", "answer", status=409, body=race, method="PATCH", times=2)
    cluster.fault("lost", "cut", method="PATCH", times=1)
    cluster.no_dry_run.add("nodry")
    site.start()
    site.wait_adopted("race", "lost", "nodry")
    for name in ("race", "lost", "nodry"):
        wait_until(lambda: site.status(name)["state"] == "ok", f"{name} is delivered")
        assert cluster.data(name) == site.held(name)
    assert not site.log.lines(event="delivery.failed", account="race")
    failed = site.log.lines(event="delivery.failed", account="lost")
    assert len(failed) == 1 and "the answer was lost" in failed[0]["msg"]
    assert len(cluster.sent("lost", "PATCH")) == 1, "its own write is recognised"
    rotate(site, "nodry")


# --- being wrong ---

STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}


def status(code, reason, message, **details):
    return {"status": code, "method": "PATCH",
            "body": json.dumps({**STATUS, "code": code, "reason": reason, "message": message,
                                "details": details})}


# account: what the server does, the reason, a part of what is said, a part of what is to be done
ANSWERS = {
    "quota": (status(403, "Forbidden", 'secrets "quota" is forbidden: exceeded quota: few'),
              "target_denied", "exceeded quota: few", "rule of admission that the message names"),
    "ending": (status(403, "Forbidden", "unable to create new content in namespace batch because it "
                      "is being terminated", causes=[{"reason": "NamespaceTerminating"}]),
               "target_denied", "is being terminated", "wait until the namespace is gone"),
    "nopage": ({"status": 404, "body": "404 page not found\n"},
               "target_failed", "with 404", "correct the cluster of context test"),
    "toolarge": (status(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
                 "target_failed", "limit is 3145728", "another `secret_name`"),
    "etcdlarge": (status(500, "InternalError", "etcdserver: request is too large"),
                  "target_failed", "etcdserver", "another `secret_name`"),
    "toomany": ({"status": 429, "body": "Too many requests, please try again later.\n",
                 "headers": {"Retry-After": "1"}, "method": "PATCH"},
                "target_failed", "with 429", "none needed"),
    "toomany2": (status(429, "TooManyRequests", "the server has received too many requests",
                        retryAfterSeconds=1),
                 "target_failed", "429 TooManyRequests", "none needed"),
    "internal": (status(500, "InternalError", "Internal error occurred: etcd is unhappy"),
                 "target_failed", "etcd is unhappy", "/readyz?verbose"),
    "balancer": ({"status": 503, "body": "<html><title>No backend</title></html>",
                  "headers": {"Content-Type": "text/html"}, "method": "PATCH"},
                 "target_failed", "No backend", "/readyz?verbose"),
    "timeout": (status(504, "Timeout", "Timeout: request did not complete within requested timeout"),
                "target_failed", "504 Timeout", "/readyz?verbose"),
    "badmedia": (status(415, "UnsupportedMediaType", "the body was in an unknown format"),
                 "target_failed", "415 UnsupportedMediaType", "change what the message names"),
    "gateway": ({"status": 200, "body": "<html><title>Sign in</title></html>"},
                "target_failed", "answered the request for Secret batch/gateway with 200 and",
                "so that it names a Kubernetes API server"),
    "emptyget": ({"status": 200, "body": ""}, "target_failed", "with 200 and an empty body",
                 "so that it names a Kubernetes API server"),
    "emptyput": ({"status": 200, "body": "", "method": "PATCH"}, "target_failed",
                 "answered the apply of Secret batch/emptyput with 200 and an empty body",
                 "so that it names a Kubernetes API server"),
    "another": ({"status": 200, "body": json.dumps(
                     {"kind": "Secret", "metadata": {"name": "other", "namespace": "batch"}})},
                "target_failed", "something else than that Secret", "a Kubernetes API server"),
    "redirect": ({"status": 307, "body": "", "headers": {"Location": "https://127.0.0.1:1/x"}},
                 "target_failed", "with 307", "correct the cluster of context test"),
    "huge": ({"status": 200, "body": "x" * (4 << 20)}, "target_failed",
             "is longer than 3145728 bytes", "check whether the API server runs"),
}


def prepare_answers(site, cluster):
    for name, (fault, *said) in ANSWERS.items():
        cluster.fault(name, "answer", **fault)
        yield name, said


def prepare_objects(site, cluster):
    cluster.denied["nopatch", "patch"] = True
    cluster.denied["nocreate", "create"] = True
    cluster.denied["noget", "get"] = True
    for name, verb in (("nopatch", "patch"), ("nocreate", "create"), ("noget", "get")):
        yield name, ["target_denied", f'User "{USER}" cannot {verb} resource "secrets"',
                     f"kubectl -n batch create role keyrotated-{name} --verb=get,patch,create "
                     f"--resource=secrets --resource-name={name} && kubectl -n batch create "
                     f"rolebinding keyrotated-{name} --role=keyrotated-{name} --user={USER}"]
    cluster.edit("frozen", {"x": "y", ("immutable",): True})
    yield "frozen", ["target_failed", "immutable", "kubectl -n batch delete secret frozen"]
    cluster.edit("tlstype", {("type",): "kubernetes.io/tls"})
    cluster.make("tlstype").managers.clear()
    yield "tlstype", ["target_failed", "field is immutable", "kubectl -n batch delete secret tlstype"]
    cluster.edit("theirtype", {("type",): "kubernetes.io/tls"}, manager="cert-manager")
    yield "theirtype", ["target_failed", 'conflict with "cert-manager" using v1: .type',
                        "kubectl -n batch delete secret theirtype"]
    cluster.edit("labelled", {("metadata", "labels", "app"): "theirs"}, manager="kustomize")
    yield "labelled", ["target_failed", 'conflict with "kustomize"', "`labels` or `annotations`"]
    cluster.fault("closes", "close", method="PATCH")
    cluster.fault("cuts", "cut", method="GET")
    yield "closes", ["target_failed", "the answer was lost", "check whether the API server runs"]
    yield "cuts", ["target_failed", "the answer was lost", "check whether the API server runs"]


def prepare_places(site, cluster, servers, authority):
    """Each with a target of its own: returns the changes to it."""
    def own(name, document=None, **more):
        path = site.directory / f"kubeconfig-{name}"
        if document is not None:
            write(path, document)
        site.config["targets"][name] = target(site, **{"kubeconfig": str(path), **more})

    good = authority.certificate
    stranger = Authority(site.directory / "stranger", "stranger")
    token = {"token": TOKEN}
    own("nospace", namespace="nowhere", kubeconfig=str(site.kubeconfig))
    yield "nospace", ["target_failed", 'namespaces "nowhere" not found',
                      "kubectl create namespace nowhere"]
    own("badtoken", kubeconfig(cluster.url, good, {"token": "not-that-token"}))
    yield "badtoken", ["target_denied", "401 Unauthorized", "renew the credential of user u"]
    own("unknownca", kubeconfig(cluster.url, stranger.certificate, token))
    yield "unknownca", ["target_failed", "is not accepted", "the certificates that its"]
    servers.append(Server(authority.issue("expired", days=-1)))
    own("expired", kubeconfig(servers[-1].url, good, token))
    yield "expired", ["target_failed", "expired", "the certificates that its"]
    servers.append(Server(authority.issue("elsewhere", "DNS:elsewhere.test")))
    own("wronghost", kubeconfig(servers[-1].url, good, token))
    yield "wronghost", ["target_failed", "is not accepted", "the certificates that its"]
    own("nobody", kubeconfig("https://127.0.0.1:1", good, token))
    yield "nobody", ["target_failed", "cannot be reached", "check whether the API server runs"]
    own("nofile")
    yield "nofile", ["target_failed", "No such file", f"put the kubeconfig at {site.directory}"]
    own("plugin", kubeconfig(cluster.url, good, {"exec": {"command": "aws"}}))
    yield "plugin", ["target_failed", 'user "u" has exec, which is not supported', "correct the kube"]
    own("noca", kubeconfig(cluster.url, None, token, **{"certificate-authority": "missing.pem"}))
    yield "noca", ["target_failed", "missing.pem", "authorities that sign the API server's to "
                   f"{site.directory}/missing.pem, readable for the daemon, or correct the cluster"]
    # It counts as none for libcurl, which would accept each authority of the system.
    empty = site.directory / "empty.pem"
    empty.touch(0o600)
    own("emptyca", kubeconfig(cluster.url, None, token, **{"certificate-authority": str(empty)}))
    yield "emptyca", ["target_failed", f"{empty} cannot be used: it is empty",
                      f"authorities that sign the API server's to {empty}"]
    write(site.directory / "text.pem", "no certificate")
    own("textca", kubeconfig(cluster.url, None, token, **{"certificate-authority": "text.pem"}))
    yield "textca", ["target_failed", "it holds no PEM text of that kind",
                     "correct the cluster of context test"]
    own("serverca", server=cluster.url, token_file=str(site.directory / "servertoken"),
        ca_file=str(empty))
    del site.config["targets"]["serverca"]["kubeconfig"]
    (site.directory / "servertoken").touch(0o600)
    (site.directory / "servertoken").write_text(TOKEN)
    yield "serverca", ["target_failed", f"{empty} cannot be used: it is empty",
                       "or correct `server` and `ca_file` of the target"]
    certificate, key = authority.issue("locked", "DNS:locked")
    key.write_text(key.read_text().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"))
    own("locked", kubeconfig(cluster.url, good, {"client-certificate": str(certificate),
                                                 "client-key": str(key)}))
    yield "locked", ["target_failed", "it is encrypted", "renew the credential"]
    own("nopod")
    del site.config["targets"]["nopod"]["kubeconfig"]
    yield "nopod", ["target_failed", "KUBERNETES_SERVICE_HOST", "give `kubeconfig`, or `server`"]


def test_every_way_of_being_wrong_is_told_with_its_remedy(site_with, cluster, authority):
    site = site_with
    site.config["targets"]["secret"]["labels"] = {"app": "{account}"}
    servers = []
    ways = {**dict(prepare_answers(site, cluster)), **dict(prepare_objects(site, cluster))}
    placed = dict(prepare_places(site, cluster, servers, authority))
    for name in ways:
        site.account(name)
    for name in placed:
        site.account(name, deliver_to=[name, "file"])
    ways.update(placed)
    try:
        site.start()
        wrong = []
        for name, (reason, text, remedy) in ways.items():
            shown = wait_until(lambda: (lambda one: one["failure"] and one["do"] and one)(site.status(name)),
                               f"{name} has failed")
            if shown["reason"] != reason or text not in shown["failure"]["text"] or \
                    remedy not in shown["do"]:
                wrong.append(f"{name}: {shown['reason']}: {shown['failure']['text']}; "
                             f"{shown['do']}")
        assert not wrong, "\n".join(wrong)
        assert len(ways) >= 30

        # None of them was given anything beyond its own request, and nothing was said of secrets.
        assert not any(server.sent("expired") + server.sent("wronghost") for server in servers)
        assert not site.find_secrets([site.log.path], more=[TOKEN, *site.azure.truth.keys()])

        cluster.clear_faults()
        for name in [*ANSWERS, "nopatch", "nocreate", "noget", "closes", "cuts"]:
            wait_until(lambda: cluster.data(name) and cluster.data(name) == site.held(name),
                       f"{name} is delivered")
    finally:
        for server in servers:
            server.stop()


def test_a_server_that_hangs_delays_nobody_else(site_with, cluster):
    site = site_with
    for name in ("hangs", "other"):
        site.account(name)
    site.start()
    site.wait_adopted("hangs", "other")
    wait_until(lambda: cluster.data("hangs") and cluster.data("other"), "both are delivered")
    cluster.fault("hangs", "hang")
    site.ctl("rotate", "hangs")
    wait_until(lambda: cluster.sent("hangs")[-1]["method"] == "PATCH" or
               len(cluster.sent("hangs")) > 2, "it hangs")
    for _ in range(2):
        rotate(site, "other")
    assert not site.log.lines(event="rotation.completed", account="hangs")
    assert not site.log.lines(event="delivery.failed"), "it hangs still"


def test_what_is_taken_away_during_the_preflight_is_not_waited_for(site_with, cluster):
    """Its failure is about nobody's target any more, the one that has its number now included."""
    site = site_with
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    cluster.fault("alpha", "hang", method="PATCH")
    wait_until(lambda: site.ctl("rotate", "alpha", "--dry-run").returncode == 0, "it may rotate")
    assert site.ctl("rotate", "alpha").returncode == 0
    wait_until(lambda: cluster.sent("alpha", "PATCH", dry_run=True), "it hangs")
    mark = site.log.mark()
    site.config["defaults"]["deliver_to"] = ["file"]
    site.write()
    assert site.ctl("reload").returncode == 0
    cluster.stopping.set()  # the connection is closed
    site.log.wait("rotation.completed", since=mark, account="alpha")
    told = [line for line in site.log.lines(mark, account="alpha")
            if line["level"] in ("warning", "error")]
    assert [line["event"] for line in told] == ["target.abandoned"], told
