"""A real Prometheus reads what a daemon tells of itself, and raises the alert."""

import json
import subprocess
import urllib.parse
import urllib.request

import pytest

from dashboard import queries
from patience import wait_until
from stand_in import resource_id
from test_alerts import ALERTS


def ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.read().decode()


def rows(port, expression):
    document = json.loads(ask(port, "/api/v1/query?query=" + urllib.parse.quote(expression)))
    return document["data"]["result"]


def query(port, expression):
    """The values, by account."""
    return {row["metric"].get("account"): row["value"][1] for row in rows(port, expression)}


@pytest.fixture
def prometheus(site, prometheus_port, tmp_path):
    """With our alerts, which need not last before they fire."""
    rules = tmp_path / "alerts.yaml"
    rules.write_text("".join(line for line in ALERTS.read_text().splitlines(keepends=True)
                             if "        for: " not in line))
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "keyrotated", "static_configs": [
            {"targets": [f"127.0.0.1:{site.metrics_port}"]}]}]}))
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
             f"--web.listen-address=127.0.0.1:{prometheus_port}"], stdout=log, stderr=log)
    yield prometheus_port
    process.terminate()
    process.wait(60)


def ready(port):
    try:
        return "Ready" in ask(port, "/-/ready")
    except OSError:
        return False


def test_a_real_prometheus(site, prometheus):
    site.account("alpha")
    site.config["accounts"].append({"id": resource_id("nobody"), "policy": "quick",
                                    "adopt_active": "primary"})
    site.start()
    site.wait_adopted("alpha")
    site.log.wait("account.blocked", account="nobody")
    text = ask(site.metrics_port, "/metrics")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                             text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), checked

    wait_until(lambda: ready(prometheus), "Prometheus is ready")
    state = wait_until(lambda: query(prometheus, 'keyrotated_account_state{state="ok"}'), "it has read")
    assert state == {"alpha": "1"}
    assert set(query(prometheus, "keyrotated_account_state")) == {"alpha", "nobody"}
    wait_until(lambda: query(prometheus, 'ALERTS{alertname="KeyrotatedAccountBlocked",alertstate="firing"}'),
               "the alert fires")
    wait_until(lambda: site.ctl("rotate", "alpha", "--wait").returncode == 0, "alpha rotates")
    wait_until(lambda: query(prometheus, "time() - keyrotated_account_last_rotation_time_seconds < 60"),
               "the rotation shows")
    # The stand-in's credential is a secret, whose end nobody tells.
    for title, expression in queries():
        if title != "Credentials end in":
            wait_until(lambda: rows(prometheus, expression), f"{title} has something to show")
        else:
            assert rows(prometheus, expression) == []
