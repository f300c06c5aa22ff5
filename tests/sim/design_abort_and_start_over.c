/*
 * A workflow whose every failure ends it. It is started again an hour later, from the beginning,
 * and chooses the slot that is not the last one regenerated.
 */
#include "design_common.h"

static const struct step steps[] = {
    {.kind = STEP_LOOK, .failure = FAILURE_ABORTS},
    {.kind = STEP_ASK_IF_NEW, .failure = FAILURE_ABORTS},
    {.kind = STEP_REGENERATE, .failure = FAILURE_ABORTS},
    {.kind = STEP_TAG},
    {.kind = STEP_VERIFY, .failure = FAILURE_ABORTS, .retries = 3},
    {.kind = STEP_DELIVER, .failure = FAILURE_ABORTS, .retries = 3},
    {.kind = STEP_END},
};
static const struct recipe recipe = {.steps = steps, .keeps_tag = true};

static void *start(const struct design_parts *parts)
{
    return field_start(parts, &recipe);
}

const struct design design_abort_and_start_over =
    FIELD_DESIGN("abort-and-start-over",
                 "a failure aborts the rotation, and the next attempt chooses the other slot anew");
