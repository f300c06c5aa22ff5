/*
 * A container that rotates and then sleeps until the next time: a start is a rotation. Everything
 * else is done with care.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},
    {.kind = STEP_ASK_IF_NEW},
    {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY},
    {.kind = STEP_DELIVER},
    {.kind = STEP_TAG},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true, .works_at_start = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_rotate_at_start =
    FIELD_DESIGN("rotate-at-start", "rotates at every start, and then whenever it is time");
