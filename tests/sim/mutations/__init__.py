"""What the oracles have to convict: the designs that the field uses, and keyrotated itself with one
of its rules taken out.

Every mutation replaces text that stands exactly once in its file, so that the list cannot grow old
unnoticed. Where a rule has a second line of defence (a check behind the check), the mutation takes
out both. What needs more to come together than chance brings about in some thousand years is played
in the scenario that is named.
"""

from . import always, delivering, finding, lasting, looking, pairs, regenerating
from .designs import DESIGNS

MUTATIONS = (regenerating.MUTATIONS + lasting.MUTATIONS + delivering.MUTATIONS + looking.MUTATIONS +
             always.MUTATIONS + finding.MUTATIONS + pairs.MUTATIONS)

__all__ = ["DESIGNS", "MUTATIONS"]
