/*
 * A script that keeps the name of the active slot in a tag of the account. Where the tag is missing
 * it takes the default, and what the tag says it never compares with the targets.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},   {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY}, {.kind = STEP_DELIVER},
    {.kind = STEP_TAG},    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_tag_with_default =
    FIELD_DESIGN("tag-with-default",
                 "the active slot is read from a tag, is primary where the tag is missing, and is "
                 "never doubted");
