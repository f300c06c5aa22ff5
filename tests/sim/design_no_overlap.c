/*
 * A cron job that ends with the other key: once all targets have the new one, it regenerates the
 * old one to make it worthless.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},
    {.kind = STEP_ASK_IF_NEW},
    {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY},
    {.kind = STEP_DELIVER},
    {.kind = STEP_TAG},
    {.kind = STEP_REGENERATE_OLD, .pause = 2 * MS_MINUTE},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_no_overlap =
    FIELD_DESIGN("no-overlap", "regenerates the old key as soon as all targets have the new one");
