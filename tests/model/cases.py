"""What is searched: configurations of the model, and what is expected of each."""

import dataclasses

HOLDS = ""             # every promise has to hold
SEED = "without: "     # a rule of the protocol is taken out: the error has to be found
OUTAGE = "no_outage"


@dataclasses.dataclass(frozen=True)
class Case:
    kind: str
    name: str
    defines: str
    broken: str = ""     # the promise, or the claim, in which the error is expected
    large: bool = False  # worth optimizing

    @property
    def title(self):
        return self.kind + self.name

    @property
    def flags(self):
        return [f"-D{define}" for define in self.defines.split()]

    @property
    def is_claim(self):
        """Is it a claim about whole runs?"""
        return "CLAIM_" in self.defines


def holds(name, defines, large=False):
    return Case(HOLDS, name, defines, large=large)


def seed(name, defines, broken):
    """`name` begins with the number of the rule in the README, "Why it is safe"."""
    only = " OUTAGES_ONLY" if broken == OUTAGE else ""
    return Case(SEED, name, f"SEED_{defines}{only}", broken)


CASES = [
    holds("one target", "LATE_LOOKS=3 REMOTE_FIRST"),
    holds("two targets", "TARGETS=2 LATE_LOOKS=3"),
    holds("two targets, one unreadable", "TARGETS=2 LATE_LOOKS=3 UNREADABLE"),
    holds("looks that miss a target", "TARGETS=2 LATE_LOOKS=3 UNREAD_TARGETS"),
    holds("commands", "TARGETS=2 COMMANDS=2", large=True),
    holds("reloads", "TARGETS=2 RELOADS=2 VERIFY_MAY_BE_OFF", large=True),
    holds("commands, reloads", "TARGETS=2 COMMANDS=1 RELOADS=1 FAULTS=1", large=True),
    holds("somebody else", "FOREIGN=2 LATE_LOOKS=2", large=True),
    holds("somebody else, two targets", "TARGETS=2 FOREIGN=1 LATE_LOOKS=1", large=True),
    holds("somebody else, one unreadable", "TARGETS=2 FOREIGN=1 UNREADABLE FAULTS=1", large=True),
    holds("somebody else, commands", "FOREIGN=1 COMMANDS=1 REMOTE_FIRST VERIFY_MAY_BE_OFF",
          large=True),
    holds("completes: two targets", "TARGETS=2 LATE_LOOKS=3 CLAIM_COMPLETES"),
    holds("completes: reloads", "TARGETS=2 RELOADS=1 CLAIM_COMPLETES", large=True),
    holds("completes: commands", "COMMANDS=2 CLAIM_COMPLETES"),
    holds("completes: somebody else", "FOREIGN=2 CLAIM_COMPLETES", large=True),
    holds("two daemons", "DAEMONS=2 TARGETS=2 FAULTS=0"),
    holds("two daemons, crashes and losses", "DAEMONS=2 FAULTS=1", large=True),
    holds("two daemons: repaired", "DAEMONS=2 TARGETS=2 FAULTS=0 CLAIM_REPAIRED", large=True),
    holds("two daemons: peace", "DAEMONS=2 TARGETS=2 FAULTS=0 CLAIM_PEACE", large=True),
    holds("a change that is taken back", "FOREIGN=2 TAKES_BACK", large=True),
    holds("a look behind the one before", "FOREIGN=1 LATE_LOOKS=3", large=True),
    holds("the last look misses a target", "FOREIGN=1 UNREAD_TARGETS", large=True),

    holds("presumed", "PRESUMED LATE_LOOKS=3 REMOTE_FIRST"),
    holds("presumed, other keys", "PRESUMED FOREIGN=1 FOREIGN_KEYS_ONLY"),
    holds("completes: presumed", "PRESUMED CLAIM_COMPLETES"),

    holds("slow", "SLOW LATE_LOOKS=3 REMOTE_FIRST"),
    holds("slow, two targets", "SLOW TARGETS=2 LATE_LOOKS=3"),
    holds("slow, commands", "SLOW COMMANDS=1"),
    holds("slow, reloads", "SLOW TARGETS=2 RELOADS=1 FAULTS=1", large=True),
    holds("slow, somebody else", "SLOW FOREIGN=1 LATE_LOOKS=1 FAULTS=1", large=True),
    holds("slow, somebody else, commands", "SLOW FOREIGN=1 COMMANDS=1 FAULTS=0", large=True),
    holds("slow, somebody else twice", "SLOW FOREIGN=2 FAULTS=0", large=True),
    holds("completes: slow", "SLOW CLAIM_COMPLETES"),
    holds("mended: slow", "SLOW FOREIGN=1 FAULTS=1 RUNS_ON CLAIM_MENDED", large=True),

    seed("1 standby by parity in memory", "PARITY", OUTAGE),
    seed("1 no overlap", "NO_OVERLAP", OUTAGE),
    seed("1 a rule is believed", "RULE_IS_BELIEVED PRESUMED", OUTAGE),
    seed("1 a crash confirms", "CRASH_CONFIRMS PRESUMED", OUTAGE),
    seed("2 no look before the intent", "NO_LOOK SEED_OLD_LOOK", "a_fresh_look_before"),
    seed("2 an old look will do", "OLD_LOOK", "a_fresh_look_before"),
    seed("3 acts before the intent is durable", "ACTS_BEFORE_INTENT_IS_DURABLE",
         "durable_before_effect"),
    seed("4 repeats without a look", "REPEAT_WITHOUT_LOOK SEED_OLD_LOOK", "no_repeat_in_doubt"),
    seed("4 no unknown_wait", "NO_UNKNOWN_WAIT", OUTAGE),
    seed("4 polls before the URL is durable", "POLLS_BEFORE_DURABLE SLOW", "no_poll_before_durable"),
    seed("4 does not wait for the longest time", "NO_LONGEST_TIME SLOW", OUTAGE),
    seed("4 unknown_wait counts from the request", "WAITS_FROM_REQUEST SLOW", OUTAGE),
    seed("4 a poll that is not found is the end", "NOT_FOUND_IS_THE_END SLOW", OUTAGE),
    seed("4 judges the slot while it may change", "JUDGES_WHILE_IT_RUNS SLOW FOREIGN=1", OUTAGE),
    seed("4 a late look after the end will do", "NO_WAIT_AFTER_THE_END SLOW LATE_LOOKS=1",
         "no_repeat_in_doubt"),
    seed("4 what an answer lacks is unchanged", "MISSING_IS_UNCHANGED SLOW", "no_repeat_in_doubt"),
    seed("5 retries the other slot", "RETRY_OTHER_SLOT", OUTAGE),
    seed("5 no unknown_wait after a start", "NO_WAIT_AFTER_START", OUTAGE),
    seed("6 no freeze", "NO_FREEZE TARGETS=2 UNREADABLE", OUTAGE),
    seed("7 any acknowledgement counts", "ANY_ACKNOWLEDGEMENT TARGETS=2 UNREADABLE", OUTAGE),
    seed("7 acknowledged before delivery", "ACKNOWLEDGED_BEFORE_DELIVERY", OUTAGE),
    seed("8 a repair is no news", "REPAIR_IS_NO_NEWS SEED_BACK_IS_AS_BEFORE FOREIGN=1", OUTAGE),
    seed("8 a crash settles deliveries", "CRASH_SETTLES SEED_BACK_IS_AS_BEFORE FOREIGN=1", OUTAGE),
    seed("8 does not wait until settled", "NOT_SETTLED TARGETS=2", "settled_before_the_next"),
    seed("9 active moves first", "ACTIVE_FIRST", "active_moves_last"),
    seed("10 late looks are believed", "LATE_IS_BELIEVED LATE_LOOKS=3", OUTAGE),
    seed("11 a changed standby is ignored", "STANDBY_CHANGE_IS_IGNORED FOREIGN=1", OUTAGE),
    seed("11 two rotators fight", "FIGHT DAEMONS=2 FAULTS=0 CLAIM_PEACE", "peace"),
    seed("11 two rotators fight over targets", "FIGHT_OVER_TARGETS DAEMONS=2 FAULTS=0 CLAIM_PEACE",
         "peace"),
    seed("8 taken back is as before", "BACK_IS_AS_BEFORE FOREIGN=2 TAKES_BACK", OUTAGE),
    seed("10 a late look calms", "BACK_IS_AS_BEFORE FOREIGN=1 LATE_LOOKS=3", OUTAGE),
    seed("2 a look that misses a target will do", "UNREAD_TARGETS_WILL_DO FOREIGN=1 UNREAD_TARGETS",
         OUTAGE),
    seed("13 two actions at once", "TWO_ACTIONS COMMANDS=1", "one_action_at_a_time"),
    seed("16 repairs nothing while an operation runs",
         "BLIND_WHILE_IT_RUNS SLOW FOREIGN=1 FAULTS=1 RUNS_ON CLAIM_MENDED", "mended"),
    seed("16 gives a target up", "GIVES_UP CLAIM_COMPLETES", "nothing_stops_in_silence"),
]
