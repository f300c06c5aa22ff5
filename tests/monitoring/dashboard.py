"""The panels of the dashboard, and their queries."""

import json
import pathlib

DASHBOARD = pathlib.Path(__file__).resolve().parents[2] / "config" / "grafana" / "keyrotated.json"


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def queries():
    """Title and query of each, as Prometheus gets it."""
    return [(panel["title"], target["expr"].replace("$__rate_interval", "1m"))
            for panel in panels() for target in panel["targets"]]
