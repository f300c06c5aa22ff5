"""The designs that the field uses."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Design:
    """Convicted in random worlds, and in the scenario design-NAME, which keyrotated survives."""
    name: str  # as in design_*.c
    what: str  # it does
    oracle: str
    outage: str


DESIGNS = [
    Design("parity-in-memory",
           "alternates by a variable in memory that begins anew with each start",
           "no-outage",
           "after a restart the slot in use is regenerated"),
    Design("tag-with-default",
           "reads the active slot from a tag; primary where there is none",
           "no-outage",
           "the tag is lost, or somebody else rotated: the slot in use is regenerated"),
    Design("both-back-to-back",
           "regenerates both keys, then delivers one",
           "no-outage",
           "every rotation cuts off all programs until the delivery"),
    Design("publish-before-verify",
           "calls the new key active at once, and rotates again on schedule",
           "no-outage",
           "a target that could not be reached holds the key that is regenerated next"),
    Design("abort-and-start-over",
           "a failure aborts, and the next attempt takes the other slot",
           "no-outage",
           "the delivery fails, and the key that everybody still uses is regenerated"),
    Design("retry-on-timeout",
           "sends the request again when its answer is lost",
           "no-outage",
           "the first request lands last, on the key that was delivered"),
    Design("no-overlap",
           "regenerates the old key when all targets have the new one",
           "no-outage",
           "programs that have not read again since the delivery are cut off"),
    Design("fire-and-forget",
           "delivers to all targets at once, and ignores what fails",
           "no-outage",
           "a target that could not be reached holds the key that is regenerated next"),
    Design("ask-the-target",
           "the key that the first target does not hold is regenerated",
           "no-outage",
           "it dies between two targets, and then regenerates what the second one holds"),
    Design("rotate-at-start",
           "rotates whenever it is started",
           "no-outage",
           "two starts within the overlap regenerate what slow readers still hold"),
]
