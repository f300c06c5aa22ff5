"""What is told of a campaign: a line per world, a table at the end, and a JUnit file."""

import xml.etree.ElementTree as ET
from collections import Counter

from trial import KINDS

# In the order in which an account goes through them.
_ORDER = ("starting", "adopt_wait", "adopt_look", "idle", "check_look", "confirm_wait",
          "preflight", "rotate_look", "intent", "regenerate", "doubt_wait", "doubt_look",
          "verify_look", "verify", "verify_wait", "deliver_look", "offer", "deliver",
          "deliver_wait")


def world_line(report):
    failures = sum(report.failures.values())
    parts = [f"{report.lives} lives", f"{report.rotations} rotations",
             f"{report.readings} readings"]
    parts += [f"{failures} failures"] if failures else []
    verdict = "FAIL" if report.wrong else "ok"
    return f"  {verdict:4}  {report.name:58} {', '.join(parts)}, {report.seconds:.1f} s"


def wrong_lines(report):
    shown = report.wrong[:12]
    lines = [f"        | {line}" for sentence in shown for line in sentence.splitlines()]
    if len(report.wrong) > len(shown):
        lines.append(f"        | and {len(report.wrong) - len(shown)} more")
    if report.evidence:
        lines.append(f"        | everything is kept in {report.evidence}")
    return lines


def kill_table(tally):
    """Rows: what the daemon was doing; columns: how it came to be killed."""
    positions = [position for position in _ORDER if tally.count(position=position)]
    positions += sorted(tally.positions() - set(_ORDER))
    rows = [[position, *(tally.count(kind, position) for kind in KINDS),
             tally.count(position=position)] for position in positions]
    rows.append(["all", *(tally.count(kind) for kind in KINDS), tally.count()])
    lines = [f"kill -9, {tally.count()} times; the rows say what was going on:"]
    lines += [f"  {'':14}{letter}  {kind}" for letter, kind in zip("abcdefgh", KINDS)]
    lines.append("  " + "".join(f"{word:>8}" for word in ("", *"abcdefgh"[:len(KINDS)], "all"))[2:])
    return lines + ["  " + f"{row[0]:<12}" + "".join(f"{count or '.':>8}" for count in row[1:])
                    for row in rows]


def failure_table(reports):
    counts = Counter()
    for report in reports:
        counts.update(report.failures)
    places = sorted({str(place) for place, _ in counts})
    lines = ["What failed, and what the daemon did:"]
    for place in places:
        outcomes = {outcome: count for (name, outcome), count in counts.items()
                    if str(name) == place}
        told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(outcomes.items()))
        lines.append(f"  {place}: {told}")
    return lines


def totals(reports, seconds):
    recoveries = [one for report in reports for one in report.recoveries]
    return [f"{sum(report.rotations for report in reports)} rotations completed; "
            f"{len(recoveries)} that a crash had cut short were completed by the next daemon, "
            f"the slowest {max(recoveries, default=0):.2f} s after its start.",
            f"{sum(report.readings for report in reports)} readings of key files, "
            f"{sum(report.uses for report in reports)} uses of keys: "
            f"{sum(report.dead for report in reports)} dead. "
            f"{sum(report.late for report in reports)} uses came too late to count; "
            f"{sum(report.lazy_refused for report in reports)} of users who read too seldom were "
            "refused, as they should be.",
            f"{sum(report.stops for report in reports)} times SIGSTOP; "
            f"{sum(report.lives for report in reports)} lives of the daemon in {len(reports)} "
            f"worlds, {seconds:.0f} s."]


def write_results(path, cases):
    """`cases`: (name, what failed or None, why it was skipped or None)."""
    failed = sum(failure is not None for _, failure, _ in cases)
    skipped = sum(reason is not None for _, _, reason in cases)
    suite = ET.Element("testsuite", name="crash", tests=str(len(cases)), failures=str(failed),
                       errors="0", skipped=str(skipped))
    for name, failure, reason in cases:
        case = ET.SubElement(suite, "testcase", classname="crash", name=name)
        if failure is not None:
            text = "".join(c if c.isprintable() or c == "\n" else "?" for c in failure)
            ET.SubElement(case, "failure").text = text
        if reason is not None:
            ET.SubElement(case, "skipped", message=reason)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path)
