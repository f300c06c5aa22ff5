/*
 * A client library with retries: a request without an answer is sent again after a moment.
 * Everything around it is done with care.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK},
    {.kind = STEP_ASK_IF_NEW},
    {.kind = STEP_REGENERATE, .failure = FAILURE_RESENDS, .pause = 2 * MS_SECOND},
    {.kind = STEP_VERIFY},
    {.kind = STEP_DELIVER},
    {.kind = STEP_TAG},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_retry_on_timeout = FIELD_DESIGN(
    "retry-on-timeout", "a regenerate whose answer is lost is sent again after two seconds");
