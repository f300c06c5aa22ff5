/*
 * A function without a memory: the key that the first target holds is the active one, so the other
 * one is regenerated. It delivers until all targets have the new key, as long as it lives.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},
    {.kind = STEP_ASK_TARGETS},
    {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY},
    {.kind = STEP_DELIVER},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_ask_the_target = FIELD_DESIGN(
    "ask-the-target",
    "whatever key the first target holds is the one in use: the other one is regenerated");
