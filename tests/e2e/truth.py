"""The stand-in's truth log: every key with its birth and death, and every request."""

import json
from dataclasses import dataclass


@dataclass
class Life:
    """One key. Times are epoch seconds by which the data plane knows it."""

    account: str
    slot: str
    born: float
    born_by: str
    died: float = float("inf")
    died_by: str = ""


class Truth:
    def __init__(self, path):
        self._path = path
        self._read = 0
        self._events = []

    def events(self, event=None, **members):
        """All events of that kind whose members have these values."""
        self._follow()
        wanted = {**members, **({"event": event} if event else {})}
        return [e for e in self._events if all(e.get(k) == v for k, v in wanted.items())]

    def _follow(self):
        with self._path.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        whole = text[:text.rfind(b"\n") + 1]
        self._read += len(whole)
        self._events += [json.loads(line) for line in whole.splitlines()]

    def lives(self):
        """{key text: Life}"""
        lives = {}
        for event in self.events():
            if event["event"] == "birth":
                lives[event["key"]] = Life(event["account"], event["slot"],
                                           event.get("effective_at", event["t"]), event["by"])
            elif event["event"] == "death" and event["key"] in lives:
                life = lives[event["key"]]
                life.died = event.get("effective_at", event["t"])
                life.died_by = event["by"]
        return lives

    def keys(self):
        """The text of every key that ever was."""
        return {event["key"] for event in self.events("birth")}

    def tokens(self):
        """The text of every access token that was ever handed out."""
        return {event["token"] for event in self.events("token")}

    def regenerated(self, account, by="arm"):
        """The slots that were regenerated, in order: ["Secondary", "Primary", …]."""
        return [event["slot"] for event in self.events("birth", account=account, by=by)]

    def regeneration_times(self, account, by="arm"):
        return [event["t"] for event in self.events("birth", account=account, by=by)]

    def requests(self, op, account=None, face="arm"):
        members = {"account": account} if account else {}
        return self.events("request", face=face, op=op, **members)


def alternates(slots, first="Secondary"):
    """Is it strictly Secondary, Primary, Secondary, … ?"""
    second = {"Primary": "Secondary", "Secondary": "Primary"}[first]
    return all(slot == (second if i % 2 else first) for i, slot in enumerate(slots))
