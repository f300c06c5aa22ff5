/*
 * A service that alternates between the two slots. It keeps the slot in use in memory, and begins
 * with the first slot after every start.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},   {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY}, {.kind = STEP_DELIVER},
    {.kind = STEP_TAG},    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_parity_in_memory = FIELD_DESIGN(
    "parity-in-memory",
    "the slot alternates by a variable in memory, which begins with the first one at every start");
