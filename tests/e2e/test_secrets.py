"""No key, token or secret anywhere but in the targets."""

import http.server
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from patience import wait_until
from stand_in import CLIENT_SECRET, MANAGED_CLIENT


class MetadataService(http.server.BaseHTTPRequestHandler):
    """Passes requests on to the stand-in's metadata service, and remembers the tokens."""

    upstream = ""
    tokens = None

    def do_GET(self):
        request = urllib.request.Request(self.upstream + self.path,
                                         headers={"Metadata": self.headers.get("Metadata", "")})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                status, body = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        self.tokens.update(re.findall(r'"access_token" *: *"([^"]+)"', body.decode()))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def metadata_service(azure):
    handler = type("Handler", (MetadataService,), {"upstream": azure.imds_url, "tokens": set()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    server.request_queue_size = 128
    server.server_bind()
    server.server_activate()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.tokens = handler.tokens
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def test_managed_identity(site, azure, metadata_service):
    """Rotates with a token of the metadata service; the token is nowhere to be found."""
    site.config["identities"] = {"vm": {"type": "managed_identity",
                                        "endpoint": metadata_service.url}}
    site.account("alpha")
    daemon = site.start()
    site.wait_rotations("alpha", 2)
    tokens = metadata_service.tokens
    assert tokens and all(len(token) > 30 for token in tokens)
    process = pathlib.Path("/proc") / str(daemon.pid)
    for name in ("cmdline", "environ"):
        content = read_as_root(process / name)
        assert not any(token.encode() in content for token in tokens)
    assert daemon.stop() == 0
    assert not site.find_secrets(site.all_files(), tokens)
    assert len(tokens) <= 2, "tokens are kept until they age (one per audience)"


def test_user_assigned_managed_identity(site, azure):
    site.config["identities"] = {"vm": {"type": "managed_identity", "client_id": MANAGED_CLIENT,
                                        "endpoint": azure.imds_url}}
    site.account("alpha")
    site.start()
    site.wait_rotations("alpha", 1)
    site.config["identities"]["vm"]["client_id"] = "99999999-9999-9999-9999-999999999999"
    site.daemons[-1].stop()
    mark = site.log.mark()
    site.start()
    failed = site.log.wait("token.failed", since=mark)
    assert failed["http_status"] == 400 and failed["remedy"]


def read_as_root(path):
    """Empty if the test may not read it either."""
    try:
        return path.read_bytes()
    except PermissionError:
        return b""


NOBODY = 65534


def run_as_nobody(site):
    """Hands everything over to an ordinary user, and returns what starts a program as that user.
    Where the tests do not run as root, the user who runs them is as good."""
    if os.geteuid() != 0:
        return ()
    shutil.copy(site.azure.ca_file, site.directory / "ca.pem")
    shutil.copy(site.build / "keyrotated", site.directory / "keyrotated")
    site.config["ca_file"] = str(site.directory / "ca.pem")
    site.build = site.directory
    for path in (site.directory, *site.directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def test_process_keeps_its_memory_to_itself(site):
    """Not dumpable: /proc/PID belongs to root whoever runs the process (proc(5)), so that nobody
    else of that user reads its memory or attaches to it; and no core is written."""
    site.account("alpha")
    as_nobody = run_as_nobody(site)
    daemon = site.start(wrapped=as_nobody)
    site.wait_rotations("alpha", 1)
    process = pathlib.Path("/proc") / str(daemon.pid)
    status = (process / "status").read_text()
    assert not re.search(r"^Uid:\t0\t", status, re.MULTILINE)
    assert (process / "environ").stat().st_uid == 0
    with subprocess.Popen([*as_nobody, "sleep", "60"]) as ordinary:
        wait_until(lambda: pathlib.Path(f"/proc/{ordinary.pid}/comm").read_text() == "sleep\n",
                   "an ordinary process of that user runs")
        assert pathlib.Path(f"/proc/{ordinary.pid}/environ").stat().st_uid != 0
        ordinary.kill()
    assert re.search(r"^Max core file size +0 +0 ", (process / "limits").read_text(), re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    for name in ("cmdline", "environ"):
        content = read_as_root(process / name)
        assert CLIENT_SECRET.encode() not in content
        assert not any(key.encode() in content for key in site.azure.truth.keys())


def test_no_core_dump_when_it_crashes(site):
    """Although the parent process allows core files."""
    limit = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (limit[1], limit[1]))
    try:
        site.account("alpha")
        daemon = site.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limit)
    site.wait_rotations("alpha", 1)
    daemon.process.send_signal(signal.SIGABRT)
    _, status, _ = os.wait4(daemon.pid, 0)
    daemon.process.returncode = -os.WTERMSIG(status)
    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status)


def test_neither_log_nor_journal_nor_socket_hold_a_secret(site, azure):
    """At debug level, through failures of every kind; and nothing that looks like a key."""
    for name in ("alpha", "bravo"):
        site.account(name)
    site.config["targets"]["file"]["format"] = "json"
    azure.settings(weather={"probability": 0.25, "delay_ms": 300})
    daemon = site.start()
    for name in ("alpha", "bravo"):
        site.wait_rotations(name, 1, timeout=90)
    azure.fault("status", face="entra", op="token", param="7000215", status=401)
    azure.ask("DELETE", "tokens")
    site.log.wait("token.failed")
    shown = site.ctl("--json", "status", "--all").stdout + site.ctl("status", "--all").stdout
    assert daemon.stop() == 0
    wait_until(lambda: azure.truth.keys(), "keys are known")
    assert not any(key in shown for key in azure.truth.keys())
    assert not site.find_secrets(site.all_files())
    # Tokens and keys are long runs of these characters; nothing else in a log line is.
    suspicious = [run for run in re.findall(r"[A-Za-z0-9_+=-]{41,}", site.log.text() + shown)
                  if not re.fullmatch(r"[0-9a-f-]+", run)]
    assert not suspicious, suspicious
