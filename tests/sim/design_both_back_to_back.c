/*
 * A script for people who want to get rid of both old keys: it regenerates both, and delivers the
 * new primary.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},   {.kind = STEP_REGENERATE_BOTH, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY}, {.kind = STEP_DELIVER},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_both_back_to_back =
    FIELD_DESIGN("both-back-to-back",
                 "regenerates both keys one after the other, and then delivers the primary one");
