"""The manifests for Kubernetes: by kubectl's own types, and the container run as they say, with
volumes, tokens and probes as a node provides them."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
import yaml

from certificates import Authority
from conftest import ROOT
from kubernetes_server import Server
from patience import stays_true, wait_until
from stand_in import CLIENT, CLIENT_SECRET, TENANT, resource_id
from test_container import AUTHORITIES, POLICY, TIMING, USER

MANIFESTS = ROOT / "config/kubernetes"
TOKEN = "image-kubernetes-token-0123456789abcdefghijklmnop"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="module")
def objects():
    """{kind: object} of all manifests: there is one of each."""
    found = {}
    for name in ("deployment.yaml", "configuration.yaml", "target-role.yaml"):
        for document in yaml.safe_load_all((MANIFESTS / name).read_text(encoding="utf-8")):
            assert document["kind"] not in found
            found[document["kind"]] = document
    return found


# --- what they say ---

def as_kubectl_reads_it(document):
    """With everything that its types know, and nothing else. It changes the service account's name."""
    done = subprocess.run(["kubectl", "set", "serviceaccount", "--local", "--filename=-",
                           "--output=json", "keyrotated"], input=json.dumps(document), text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_contains(read, written, where=""):
    if isinstance(written, dict):
        for name, value in written.items():
            assert name in read, f"kubectl does not know {where}.{name}"
            assert_contains(read[name], value, f"{where}.{name}")
    elif isinstance(written, list):
        assert len(read) == len(written), where
        for number, value in enumerate(written):
            assert_contains(read[number], value, f"{where}[{number}]")
    else:
        assert read == written, where


def test_deployment_and_claim_have_fields_that_kubectl_knows(objects):
    """A claim has no template of pods: it is read as that of a StatefulSet."""
    claim = objects["PersistentVolumeClaim"]
    carrier = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "carrier"},
               "spec": {**{name: objects["Deployment"]["spec"][name]
                           for name in ("selector", "template")},
                        "serviceName": "carrier", "volumeClaimTemplates": [claim]}}
    for document in (objects["Deployment"], carrier):
        assert_contains(as_kubectl_reads_it(document), document)


def test_a_field_that_kubectl_does_not_know_is_found(objects):
    wrong = json.loads(json.dumps(objects["Deployment"]))
    wrong["spec"]["template"]["spec"]["securityContext"]["runAsNobody"] = True
    with pytest.raises(AssertionError, match="runAsNobody"):
        assert_contains(as_kubectl_reads_it(wrong), wrong)


def test_one_pod_at_a_time_without_privileges(objects):
    spec = objects["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert objects["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOncePod"]
    (container,) = spec["template"]["spec"]["containers"]
    pod = spec["template"]["spec"]["securityContext"]
    assert pod["runAsNonRoot"] and pod["runAsUser"] == pod["fsGroup"] == USER
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False,
                                            "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}


def test_manifests_name_each_other(objects):
    """And a Secret that the role is good for."""
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == set(volumes)
    assert volumes["configuration"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    assert volumes["journal"]["persistentVolumeClaim"]["claimName"] == \
        objects["PersistentVolumeClaim"]["metadata"]["name"]
    namespace = objects["Namespace"]["metadata"]["name"]
    for kind in ("ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "Deployment"):
        assert objects[kind]["metadata"]["namespace"] == namespace, kind
    (subject,) = objects["RoleBinding"]["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": pod["serviceAccountName"],
                       "namespace": namespace}
    assert pod["serviceAccountName"] == objects["ServiceAccount"]["metadata"]["name"]

    settings = configuration(objects)
    target = settings["targets"]["secret"]
    (account,) = settings["accounts"]
    secret = target["secret_name"].replace("{account}", account["id"].rsplit("/", 1)[1])
    assert objects["Role"]["rules"][0]["resourceNames"] == [secret]
    assert objects["Role"]["metadata"]["namespace"] == target["namespace"]


def configuration(objects):
    return yaml.safe_load(objects["ConfigMap"]["data"]["keyrotated.yaml"])


# --- what becomes of them ---

class Node:
    """What a node of Kubernetes makes of the manifests: directories, a token, a container."""

    def __init__(self, engine, azure, objects):
        self.engine = engine
        self.objects = objects
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="krn-"))
        self.directory.chmod(0o755)
        authority = Authority(self.directory / "authority")
        self.server = Server(authority.issue("server"))
        self.server.tokens[TOKEN] = "system:serviceaccount:keyrotated:keyrotated"
        pod = objects["Deployment"]["spec"]["template"]["spec"]
        self.pod, (self.container_spec,) = pod, pod["containers"]
        self.options = [f"--volume={azure.ca_file}:{AUTHORITIES}:ro",
                        "--read-only-tmpfs=false",
                        f"--user={pod['securityContext']['runAsUser']}",
                        "--env=KUBERNETES_SERVICE_HOST=127.0.0.1",
                        f"--env=KUBERNETES_SERVICE_PORT={self.server.port}"]
        self.options += [f"--env={one['name']}={one['value']}" for one in self.container_spec["env"]]
        self.project(ACCOUNT, {"token": TOKEN, "namespace": "keyrotated",
                               "ca.crt": authority.certificate.read_text()}, 0o640)
        self.settings = configuration(objects)
        self.settings.update(
            cloud={"resource_manager": azure.url, "login": azure.url,
                   "audience": "https://management.azure.com/"}, timing=TIMING,
            policies={"standard": POLICY},
            accounts=[{"id": resource_id("sampleacct"), "adopt_active": "primary"}])
        self.settings["identities"]["ops"].update(tenant_id=TENANT, client_id=CLIENT)
        self.container = None

    def project(self, where, files, mode):
        """A volume with files that change all at once, by a link."""
        volume = self.directory / f"volume{len(self.options)}"
        (volume / "..2026").mkdir(parents=True)
        (volume / "..data").symlink_to("..2026")
        for name, text in files.items():
            file = volume / "..2026" / name
            file.write_text(text)
            file.chmod(mode)
            os.chown(file, 0, self.pod["securityContext"]["fsGroup"])
            (volume / name).symlink_to(f"..data/{name}")
        self.options.append(f"--volume={volume}:{where}:ro")

    def write_to(self, where, mode):
        """An empty volume that root and the pod's group can write to."""
        volume = self.directory / f"volume{len(self.options)}"
        volume.mkdir()
        os.chown(volume, 0, self.pod["securityContext"]["fsGroup"])
        volume.chmod(mode)
        self.options.append(f"--volume={volume}:{where}")
        return volume

    def start(self):
        for mount in self.container_spec["volumeMounts"]:
            (volume,) = [one for one in self.pod["volumes"] if one["name"] == mount["name"]]
            where = mount["mountPath"]
            if "configMap" in volume:
                self.project(where, {"keyrotated.yaml": yaml.safe_dump(self.settings)}, 0o644)
            elif "secret" in volume:
                self.project(where, {"ops-secret": CLIENT_SECRET},
                             volume["secret"]["defaultMode"] | 0o040)
            elif "emptyDir" in volume:
                self.write_to(where, 0o2777)
            else:
                self.journal = self.write_to(where, 0o2775) / "journal"
        self.container = self.engine.create(*self.options)
        self.engine.podman("start", self.container)
        wait_until(lambda: self.probe("startupProbe").returncode == 0, "it has started", pause=0.2)

    def command_of(self, probe):
        return self.container_spec[probe]["exec"]["command"]

    def probe(self, name):
        return self.engine.exec(self.container, *self.command_of(name))

    def end(self):
        if self.container:
            print(self.engine.log(self.container)[-8000:])  # seen where a test fails
        self.engine.podman("rm", "--force", "--time=0", "--volumes", self.container, check=False)
        self.server.stop()
        shutil.rmtree(self.directory)


@pytest.fixture
def node(engine, azure, objects):
    azure.create("sampleacct")
    one = Node(engine, azure, objects)
    yield one
    one.end()


def test_it_runs_as_the_manifests_say(node, azure):
    node.start()

    def delivered():
        return azure.keys("sampleacct")["Secondary"] == node.server.data("sampleacct-key")

    wait_until(delivered, "a rotation reached the Secret", pause=0.1)
    for probe in ("readinessProbe", "livenessProbe"):
        assert node.probe(probe).returncode == 0
    assert node.journal.stat().st_uid == USER and node.journal.stat().st_mode & 0o077 == 0

    azure.delete("sampleacct")
    wait_until(lambda: node.engine.exec(node.container, "keyrotatectl", "status").returncode == 2,
               "the account is blocked", pause=0.2)
    assert node.probe("livenessProbe").returncode == 0, "a restart would not help"

    daemon = node.engine.state(node.container)["Pid"]
    os.kill(daemon, signal.SIGSTOP)
    asked = node.engine.start_exec(node.container, *node.command_of("livenessProbe"))
    stays_true(lambda: asked.poll() is None, 1, "a daemon that hangs gives no answer")
    os.kill(daemon, signal.SIGCONT)
    assert asked.wait(60) == 0

    node.engine.podman("stop", node.container,
                       f"--time={node.pod['terminationGracePeriodSeconds']}")
    assert node.engine.state(node.container)["ExitCode"] == 0


def test_configuration_of_the_map_is_accepted(engine, objects, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "keyrotated.yaml").write_text(objects["ConfigMap"]["data"]["keyrotated.yaml"])
    done = engine.run("--check", options=[f"--volume={tmp_path}:/etc/keyrotated:ro"])
    assert done.returncode == 0 and "account sampleacct" in done.stdout, done
