"""What fail_calls.c can be told: which system call of the daemon fails, or is its last."""

import pathlib
from dataclasses import dataclass

JOURNAL, KEYS = "journal", "keys"

ANY = "any"
WRITES = "write,pwrite"
CHANGES = "open,write,pwrite,fsync,fdatasync,ftruncate,fchmod,rename,unlink"


@dataclass(frozen=True)
class CallPlan:
    """The `at`-th of the `calls` (ANY, or names with commas) on the `place` goes wrong as `how`
    says; where `lasts`, all after it do so too, until repair()."""

    place: str
    calls: str
    at: int
    how: str
    lasts: bool = False


class FailingCalls:
    """A plan, for one life of the daemon of a world."""

    def __init__(self, library, world, plan):
        self._report = world.directory / "call"
        self._report.unlink(missing_ok=True)
        self._broken = world.directory / "broken"
        directory = {JOURNAL: world.site.state, KEYS: world.site.keys}[plan.place]
        self.environment = {
            # The sanitizers' own library wants to come first, which is not necessary.
            "ASAN_OPTIONS": "verify_asan_link_order=0",
            "LD_PRELOAD": str(library), "FAIL_BELOW": str(directory), "FAIL_CALLS": plan.calls,
            "FAIL_AT": str(plan.at), "FAIL_HOW": plan.how, "FAIL_REPORT": str(self._report)}
        if plan.lasts:
            self._broken.touch()
            self.environment["FAIL_WHILE"] = str(self._broken)

    def reached(self):
        """Which call it was ("fdatasync journal.db-journal"), or None."""
        try:
            number_call_path = self._report.read_text().split()
        except FileNotFoundError:
            return None
        if len(number_call_path) != 3:
            return None  # it is being written
        return f"{number_call_path[1]} {pathlib.Path(number_call_path[2]).name}"

    def repair(self):
        self._broken.unlink(missing_ok=True)
