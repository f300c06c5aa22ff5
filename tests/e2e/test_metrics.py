"""Metrics for Prometheus: at an address, and in a file."""

import http.client
import pathlib
import re
import socket
import time

import pytest

from daemon import EXIT_OK
from patience import wait_until
from stand_in import resource_id


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def watched(site, port):
    site.policy(rotate_every="30d", overlap="300ms", check_every="1h")
    site.config["metrics"] = {"listen": f"127.0.0.1:{port}"}
    site.account("alpha")
    return site


def ask(port, path="/metrics", method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={"Host": host or f"127.0.0.1:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def samples(text):
    """By family and labels. Each series once, and the samples of a family together."""
    found, heads, family = {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in heads, f"{family} has two heads"
            heads.add(family)
        elif not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name = series.split("{")[0]
            assert re.sub(r"_(bucket|sum|count)$", "", name) == family or name == family, line
            assert series not in found, f"{series} is there twice"
            found[series] = float(value)
    return found


def scrape(port):
    status, text, headers = ask(port)
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), status
    return samples(text)


def of_account(found, name, account, **labels):
    return [value for series, value in found.items()
            if series.startswith(f"keyrotated_{name}{{account=\"{account}\"")
            and all(f'{label}="{wanted}"' in series for label, wanted in labels.items())]


def test_what_a_rotation_leaves(watched, azure, port):
    """Totals, the account's own instants, and what was asked of whom."""
    began = time.time()
    watched.start()
    watched.wait_adopted("alpha")
    wait_until(lambda: watched.ctl("rotate", "alpha", "--wait").returncode == 0, "alpha rotates")
    found = scrape(port)
    assert found['keyrotated_accounts{state="ok"}'] == 1 and found["keyrotated_accounts_unwell"] == 0
    assert found['keyrotated_events_total{event="key.regenerated"}'] == 1
    assert found['keyrotated_events_total{event="rotation.completed"}'] == 1
    assert found['keyrotated_events_total{event="consumers.at_risk"}'] == 0
    assert found['keyrotated_http_requests_total{service="resource_manager",status="200"}'] >= 3
    assert found['keyrotated_http_requests_total{service="entra",status="200"}'] >= 1
    assert found['keyrotated_http_request_duration_seconds_count{service="entra"}'] >= 1
    assert found["keyrotated_journal_commit_duration_seconds_count"] >= 3
    assert found["keyrotated_journal_failing"] == 0
    rotated, = of_account(found, "account_last_rotation_time_seconds", "alpha")
    due, = of_account(found, "account_next_rotation_time_seconds", "alpha")
    assert began - 1 <= rotated <= time.time() + 1 < due <= time.time() + 31 * 86400
    born = of_account(found, "account_key_time_seconds", "alpha", slot="secondary")
    assert len(born) == 1 and began - 1 <= born[0] <= rotated
    assert of_account(found, "account_state", "alpha", state="ok") == [1]
    assert of_account(found, "account_targets", "alpha", result="delivered") == [1]
    assert of_account(found, "account_overdue", "alpha") == [0]
    key = azure.keys("alpha")
    assert not any(one in ask(port)[1] for one in key.values()), "no key in a metric"


def test_trouble_shows(watched, azure, port):
    watched.config["accounts"].append({"id": resource_id("nobody"), "policy": "quick",
                                       "adopt_active": "primary"})
    watched.start()
    watched.wait_adopted("alpha")
    watched.log.wait("account.blocked", account="nobody")
    assert watched.ctl("hold", "alpha", "--for", "2h", "--reason", "a release").returncode == 0
    found = scrape(port)
    assert found['keyrotated_accounts{state="blocked"}'] == 1
    assert of_account(found, "account_state", "nobody", state="blocked",
                      reason="account_not_found") == [1]
    end, = of_account(found, "account_hold_end_time_seconds", "alpha")
    assert 7100 < end - time.time() < 7300


def test_same_names_are_told_apart(watched, port):
    """Two accounts of one name: no series is there twice, which samples() sees to."""
    watched.config["targets"]["file"]["path"] = f"{watched.keys}/{{resource_group}}-{{account}}"
    watched.config["accounts"].append({"id": resource_id("alpha", group="other"), "policy": "quick",
                                       "adopt_active": "primary"})
    watched.start()
    watched.log.wait("account.adopted", account="alpha")
    wait_until(lambda: len(of_account(scrape(port), "account_state", "alpha")) == 2, "both are there")


def test_only_some_have_metrics_of_their_own(watched, port):
    """Above the limit it is those that are not well; the totals are of all."""
    watched.config["metrics"]["accounts"] = 1
    watched.config["accounts"].append({"id": resource_id("nobody"), "policy": "quick",
                                       "adopt_active": "primary"})
    watched.start()
    watched.wait_adopted("alpha")
    watched.log.wait("account.blocked", account="nobody")
    found = scrape(port)
    assert found["keyrotated_accounts_listed"] == 1
    assert not of_account(found, "account_state", "alpha")
    assert of_account(found, "account_state", "nobody") == [1]


def test_what_else_is_asked(watched, port):
    watched.start()
    watched.wait_adopted("alpha")
    assert ask(port, "/healthz")[:2] == (200, "ok\n")
    assert ask(port, "/readyz")[:2] == (200, "ok\n")
    status, text, _ = ask(port, "/metric")
    assert status == 404 and "/metrics" in text
    status, _, headers = ask(port, method="POST")
    assert status == 405 and headers["Allow"] == "GET, HEAD"
    assert ask(port, method="HEAD")[:2] == (200, "")
    assert ask(port, "/metrics?x=1")[0] == 200
    for host in f"localhost:{port}", f"[::1]:{port}", "LOCALHOST":
        assert ask(port, host=host)[0] == 200, host
    for host in f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.", "x" * 300:
        assert ask(port, host=host)[0] == 403, "a page by a name of its own reads nothing"
    assert ask(port, "/" + "a" * 100000)[0] in (414, 431)


def test_a_port_that_is_taken(watched, port):
    """Rotation goes on, and the metrics come once the port is free."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        watched.start()
        line = watched.log.wait("metrics.failed")
        assert "Address already in use" in line["msg"] and "metrics.listen" in line["remedy"]
        watched.wait_adopted("alpha")
        wait_until(lambda: watched.ctl("rotate", "alpha", "--wait").returncode == 0, "alpha rotates")
    assert watched.ctl("reload").returncode == 0  # or a moment later by itself
    wait_until(lambda: not refused(port), "it listens")
    assert scrape(port)['keyrotated_events_total{event="rotation.completed"}'] == 1


def refused(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def test_a_reload_moves_it(watched, port):
    watched.start()
    watched.wait_adopted("alpha")
    assert not refused(port)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        other = one.getsockname()[1]
    watched.config["metrics"]["listen"] = f"127.0.0.1:{other}"
    watched.write()
    assert watched.ctl("reload").returncode == 0
    wait_until(lambda: not refused(other), "it listens at the other port")
    wait_until(lambda: refused(port), "it does not at the one before")
    del watched.config["metrics"]
    watched.write()
    assert watched.ctl("reload").returncode == 0
    wait_until(lambda: refused(other), "it listens nowhere")


def test_a_file_for_the_collector(site):
    """Also of a single run."""
    file = site.directory / "textfile" / "keyrotated.prom"
    site.config["metrics"] = {"file": str(file)}
    site.policy(rotate_every="30d", check_every="1h")
    site.account("alpha")
    daemon = site.start()
    line = site.log.wait("metrics.failed")
    assert "textfile" in line["msg"] and "metrics.file" in line["remedy"], line
    site.wait_adopted("alpha")
    assert daemon.stop() == EXIT_OK
    file.parent.mkdir()
    assert site.run("--once", "--timeout", "60s").returncode == EXIT_OK
    found = samples(file.read_text())
    assert found['keyrotated_accounts{state="ok"}'] == 1
    assert file.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in file.parent.iterdir()] == ["keyrotated.prom"]


def test_the_page_lists_them(watched, port):
    """keyrotated(8) has each family, with the words that Prometheus shows, and no other."""
    watched.start()
    watched.wait_adopted("alpha")
    told = re.findall(r"^# HELP (keyrotated_\w+) ", ask(port)[1], re.MULTILINE)
    page = (pathlib.Path(__file__).resolve().parents[2] / "man" / "keyrotated.8").read_text()
    assert re.findall(r"^\.It Ic (keyrotated_\w+)$", page, re.MULTILINE) == told
