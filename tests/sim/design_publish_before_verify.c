/*
 * A pipeline that publishes what the regenerate answered. The new slot is the active one from then
 * on, and the next rotation comes when the calendar says so, whatever became of the delivery.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},
    {.kind = STEP_ASK_IF_NEW},
    {.kind = STEP_REGENERATE, .pause = 2 * MS_MINUTE},
    {.kind = STEP_TAG},
    {.kind = STEP_DELIVER, .failure = FAILURE_IGNORED, .retries = 5},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_publish_before_verify =
    FIELD_DESIGN("publish-before-verify",
                 "calls the new key active at once, delivers it with a few retries, and rotates "
                 "again on schedule");
