/*
 * Adoption: finds out from a look which slot's key is in use.
 */
#ifndef KEYROTATED_CORE_ADOPTION_H
#define KEYROTATED_CORE_ADOPTION_H

#include "core/machine.h"

/* Adopts, or blocks for want of evidence. `again`: the account was adopted before. What a person
 * has to clear is not cleared by a look that nobody asked for: see adoption_ask(). */
enum position adoption_decide(struct machine *machine, const struct look *look,
                              const struct adoption_hint *hint, bool again);
/* The next look decides about the adoption: a start, a command or a configuration may have settled
 * what blocks it. */
void adoption_ask(struct record *record);
/* The journal contradicts the look: adopts anew from this look, or blocks as journal_behind. */
enum position adoption_decide_anew(struct machine *machine, const struct look *look);

#endif
