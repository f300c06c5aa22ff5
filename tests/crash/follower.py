"""Follows a daemon's log at debug level: what each account is doing, and what must not happen."""

import datetime
import json
import time

# Where the machine goes on after a restart (core/flow.c); all else goes on at "idle".
RESTARTED = {
    "adopt_wait": "adopt_wait", "adopt_look": "adopt_wait",
    "intent": "doubt_wait", "regenerate": "doubt_wait", "doubt_wait": "doubt_wait",
    "doubt_look": "doubt_wait",
    "verify_look": "verify_wait", "verify": "verify_wait", "verify_wait": "verify_wait",
    "deliver_look": "deliver_wait", "offer": "deliver_wait", "deliver": "deliver_wait",
    "deliver_wait": "deliver_wait",
}
# The same of an account whose regenerates go on after their answer.
RESTARTED_SLOW = {**RESTARTED, **dict.fromkeys(
    ("intent", "regenerate", "operation", "poll_wait", "poll", "doubt_wait", "doubt_look"), "poll_wait")}
# Positions in which a rotation is under way that a restart has to bring to its end.
UNDER_WAY = {name for name in RESTARTED_SLOW if not name.startswith("adopt")}
STARTING = "starting"

# Where only the daemon changes keys and files, these mean that it does not know its own actions.
NEVER = {"drift.detected", "account.blocked", "account.removed", "key.unverified",
         "config.rejected"}


class Follower:
    def __init__(self, path, accounts, restarted=RESTARTED):
        self._path = path
        self._offset = 0
        self._rest = b""
        self._started = 0.0
        self.accounts = accounts
        self.restarted = restarted
        self.tolerated = set()  # events, or "EVENT REASON", that are no errors here
        self.up = False         # the daemon has said that it is started
        self.positions = dict.fromkeys(accounts, "adopt_wait")
        self.moved_last = accounts[0]
        self.entered = {}         # how often each position was entered in this life
        self.completed = dict.fromkeys(accounts, 0)
        self.completed_last = None  # (account, when) in this life
        self.interrupted = set()  # accounts whose rotation was cut short by the end of a life
        self.recoveries = []      # seconds from a start until such a rotation was complete
        self.complaints = []
        self.events = {}          # how often each was logged in this life

    def begin(self):
        """A new daemon is about to be started."""
        self.poll()
        if self._rest:  # cut off in the middle of a line
            with self._path.open("ab") as log:
                log.write(b"\n")
            self._offset += 1
            self._rest = b""
        self.up = False
        self.events = {}
        self.entered = {}
        self.completed_last = None
        self._started = time.time()
        self.interrupted = {account for account, position in self.positions.items()
                            if position in UNDER_WAY}

    def poll(self):
        """Takes in what was logged since; true if there was something."""
        if self._path.stat().st_size == self._offset:
            return False
        with self._path.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        self._offset += len(text)
        *lines, self._rest = (self._rest + text).split(b"\n")
        for line in lines:
            self._take(line)
        return True

    def _take(self, text):
        try:
            line = json.loads(text)
            event = line["event"]
        except (ValueError, KeyError, TypeError):
            self.complaints.append(f"the daemon wrote: {text.decode(errors='replace')}")
            return
        self.events[event] = self.events.get(event, 0) + 1
        account = line.get("account")
        if event == "rotation.moved":
            position = line["msg"].split(" -> ")[1]
            self.positions[account] = position
            self.entered[position] = self.entered.get(position, 0) + 1
            self.moved_last = account
        elif event == "rotation.completed":
            self.completed[account] = self.completed.get(account, 0) + 1
            when = datetime.datetime.fromisoformat(line["time"])
            self.completed_last = (account, when.timestamp())
            if account in self.interrupted:
                self.interrupted.remove(account)
                self.recoveries.append(time.time() - self._started)
        elif event == "daemon.started":
            self.up = True
            self.positions = {account: self.restarted.get(position, "idle")
                              for account, position in self.positions.items()}
        names = {event, f"{event} {line.get('reason')}"}
        if not names & self.tolerated and (event in NEVER or line["level"] == "error"):
            self.complaints.append(f"{line['time']} {event}: {line['msg']}")

    def busiest(self):
        """What was going on: the position of the account that moved last, or of one that does
        something while that one is at rest."""
        if not self.up:
            return STARTING
        position = self.positions[self.moved_last]
        if position != "idle":
            return position
        return next((other for other in self.positions.values() if other != "idle"), position)
