"""What a mutation is, and the second lines of defence that some have to pass."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    rule: int | str  # of README.md, "Why it is safe"; "product": its first sentence
    what: str  # is taken out
    oracle: str  # convicts it
    outage: str  # what happens then
    edits: tuple  # of (file below daemon/, text, replacement)
    scenario: str  # in which it is convicted; "": in random worlds


def mutation(name, rule, what, oracle, outage, *edits, scenario=""):
    return Mutation(name, rule, what, oracle, outage, edits, scenario)


# A request that leaves is checked once more.
REGENERATE_CHECKS_SLOT = ("core/rotation.c", """
        record->intent.slot != slot_other(record->active) ||""", "")
# Every record is checked, too.
RECORD_CHECKS_SLOT = ("core/rotation_check.c", """
    if (intent->open && intent->slot == record->active)
        return "an intent to regenerate the active slot";""", "")
# A target that is acknowledged for the first time begins an overlap.
ACKNOWLEDGING_TELLS = ("core/delivery.c", """\
    if (target->required && !known_to_hold_it)
""", """\
    if (false)
""")
# A target that is seen to hold the idle key begins an overlap, too.
SEEN_IN_USE_TELLS = ("core/drift.c", """\
        unconfirmed->standby_in_use = true;
        record_begin_overlap(record, machine->now);
""", "")
# An unexpected change that is gone begins an overlap, too.
SURPRISE_GONE_TELLS = ("core/drift.c", """\
    if (verdict.kind != VERDICT_LATE && was_about_standby(record) &&
        !is_same_drift(&record->unconfirmed, look))
        record_begin_overlap(record, machine->now);
""", "")
# Nothing is regenerated right after a start.
START_WAITS = ("core/interlock.c",
               "time_add(context->daemon_started_at, context->timing->unknown_wait)",
               "context->daemon_started_at")
