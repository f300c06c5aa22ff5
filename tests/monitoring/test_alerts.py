"""The alerting rules: promtool accepts them, each fires once in its case, and none where all is well."""

import json
import pathlib
import re
import subprocess

ALERTS = pathlib.Path(__file__).resolve().parents[2] / "config" / "prometheus" / "alerts.yaml"
NAMES = re.findall(r"- alert: (\w+)", ALERTS.read_text())
DAY = 86400

WELL = {
    "keyrotated_build_info": "1x600",
    "keyrotated_accounts_at_risk": "0x600",
    "keyrotated_accounts_overdue": "0x600",
    'keyrotated_accounts{state="blocked"}': "0x600",
    'keyrotated_accounts{state="retrying"}': "0x600",
    "keyrotated_journal_failing": "0x600",
    "keyrotated_config_refused": "0x600",
    "keyrotated_written_time_seconds": "0+60x600",
    'keyrotated_rule_listed_time_seconds{rule="all"}': "0+60x600",
    'keyrotated_credential_expiry_time_seconds{identity="main"}': "99999999x600",
    'keyrotated_http_requests_total{service="resource_manager",status="200"}': "0+10x600",
}

# What is different, when it is looked at, and the labels and the summary of the one alert that fires.
CASES = {
    "KeyrotatedConsumersAtRisk": (
        {"keyrotated_accounts_at_risk": "0x10 2x20"}, "20m", {"severity": "critical"},
        "2 accounts have a consumer whose key is dead or soon will be"),
    "KeyrotatedJournalFailing": (
        {"keyrotated_journal_failing": "1x20"}, "15m", {"severity": "critical"},
        "the journal of keyrotated cannot be written, and no key is regenerated"),
    "KeyrotatedGone": (
        {"keyrotated_build_info": "1x5 stale"}, "30m", {"severity": "critical"},
        "no keyrotated tells its metrics: no key is rotated, or nobody would know"),
    "KeyrotatedStale": (
        {"keyrotated_written_time_seconds": "0x600"}, "15m", {"severity": "critical"},
        "the metrics of keyrotated are 15m 0s old: nobody writes metrics.file any more"),
    "KeyrotatedAccountBlocked": (
        {'keyrotated_accounts{state="blocked"}': "3x60"}, "30m",
        {"severity": "warning", "state": "blocked"}, "3 accounts are blocked and wait for somebody"),
    "KeyrotatedRotationOverdue": (
        {"keyrotated_accounts_overdue": "1x60"}, "30m", {"severity": "warning"},
        "1 accounts should have been rotated and were not"),
    "KeyrotatedRetryingLong": (
        {'keyrotated_accounts{state="retrying"}': "4x600"}, "7h",
        {"severity": "warning", "state": "retrying"}, "4 accounts have been retried for hours"),
    "KeyrotatedConfigurationRefused": (
        {"keyrotated_config_refused": "1x60"}, "15m", {"severity": "warning"},
        "the last reload was refused, and an older configuration is in force"),
    "KeyrotatedCredentialEnds": (
        {'keyrotated_credential_expiry_time_seconds{identity="main"}': f"{7 * DAY}x600"}, "2h",
        {"severity": "warning", "identity": "main"},
        "the credential of the identity main ends in 6d 22h 0m 0s"),
    "KeyrotatedRuleNotListed": (
        {'keyrotated_rule_listed_time_seconds{rule="all"}': "60x600"}, "7h",
        {"severity": "warning", "rule": "all"},
        "the rule all has not listed its accounts for 6h 59m 0s"),
    "KeyrotatedThrottled": (
        {'keyrotated_http_requests_total{service="resource_manager",status="429"}': "0+10x600"}, "3h",
        {"severity": "warning", "service": "resource_manager"},
        "50% of the requests to resource_manager are refused as too many"),
}


def remedy(name):
    text = ALERTS.read_text().split(f"- alert: {name}\n")[1]
    return re.search(r'remedy: "(.*)"', text).group(1)


def promtool_test(series, at, wanted):
    """`wanted`: alerts by name."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": wanted.get(name, [])}
                            for name in NAMES],
    }


def test_rules_are_accepted():
    done = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0 and f"{len(NAMES)} rules found" in done.stdout, done


def test_each_fires_in_its_case(tmp_path):
    """And no other one does, in each of the cases."""
    assert sorted(CASES) == sorted(NAMES)
    tests = [promtool_test(WELL, "10h", {})]
    for name, (changes, at, labels, summary) in CASES.items():
        series = {**WELL, **changes}
        wanted = [{"exp_labels": labels,
                   "exp_annotations": {"summary": summary, "remedy": remedy(name)}}]
        tests.append(promtool_test(series, at, {name: wanted}))
    file = tmp_path / "alerts_test.yaml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m",
                                "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
