/*
 * A cron job that sends the new key to all targets at once, and ends. The answers of targets only
 * go to a log.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},
    {.kind = STEP_ASK_IF_NEW},
    {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_VERIFY},
    {.kind = STEP_DELIVER, .failure = FAILURE_IGNORED},
    {.kind = STEP_TAG},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_fire_and_forget = FIELD_DESIGN(
    "fire-and-forget", "delivers to all targets at once, and takes no notice of those that fail");
