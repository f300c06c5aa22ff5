"""What a process holds while it runs: memory, descriptors, threads. And whether that grows."""

import dataclasses
import pathlib
import statistics
import time

# A daemon at rest still moves by an allocator's page or two, and by a connection or a look-up.
MEMORY_SLACK_KB = 1024
DESCRIPTOR_SLACK = 8
THREAD_SLACK = 2


@dataclasses.dataclass
class Sample:
    at: float
    rss_kb: int
    private_kb: int  # written to by it, and shared with nobody: no other process changes that
    descriptors: int
    threads: int


def take(pid):
    process = pathlib.Path("/proc", str(pid))
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    rollup = (process / "smaps_rollup").read_text().split("\nPrivate_Dirty:", 1)[1]
    return Sample(time.monotonic(), int(status["VmRSS"].split()[0]), int(rollup.split()[0]),
                  len(list((process / "fd").iterdir())), int(status["Threads"]))


def warm(samples):
    """Without the first quarter, in which caches fill."""
    return samples[len(samples) // 4:]


def growth(samples, name):
    """The growth from the first third of the warm samples to the last one: of the median for
    memory, of the minimum for the others, because what comes and goes is no leak, and what leaks
    stays."""
    values = [getattr(sample, name) for sample in warm(samples)]
    third = max(len(values) // 3, 1)
    measure = statistics.median if name.endswith("_kb") else min
    return measure(values[-third:]) - measure(values[:third])


SLACK = {"rss_kb": MEMORY_SLACK_KB, "private_kb": MEMORY_SLACK_KB, "descriptors": DESCRIPTOR_SLACK,
         "threads": THREAD_SLACK}


def judge(samples):
    """Sentences that say what grows, or nothing."""
    if len(samples) < 12:
        return [f"{len(samples)} samples are too few to judge"]
    return [f"{name} grew by {growth(samples, name):g}, and {slack} would be nothing"
            for name, slack in SLACK.items() if growth(samples, name) > slack]


def table(samples):
    """Lines for people."""
    lines = [f"{'':12} {'at first':>9} {'warm':>9} {'at last':>9} {'least':>9} {'most':>9} {'growth':>9}"]
    for name in SLACK:
        values = [getattr(sample, name) for sample in samples]
        settled = [getattr(sample, name) for sample in warm(samples)]
        lines.append(f"{name:12} {values[0]:9,} {settled[0]:9,} {values[-1]:9,} {min(settled):9,}"
                     f" {max(settled):9,} {growth(samples, name):9,.0f}")
    return lines


def self_test():
    """Tests the judge: it notices a leak of each kind, and does not accuse a daemon that
    fluctuates. Returns its mistakes."""
    def world(leak="", a_sample=0.0):
        samples = []
        for i in range(120):
            values = {"rss_kb": 20000 + i % 7 * 40, "private_kb": 15000 + i % 5 * 40,
                      "descriptors": 20 + i % 9, "threads": 6 + i % 3}
            if leak:
                values[leak] += int(i * a_sample)
            samples.append(Sample(float(i), **values))
        return judge(samples)

    wrong = ["a daemon that only breathes was accused"] if world() else []
    for name, a_sample in (("rss_kb", 40), ("private_kb", 40), ("descriptors", 0.2), ("threads", 0.1)):
        if not world(name, a_sample):
            wrong.append(f"a leak of {name} was not seen")
    return wrong
