#include "io/access/identity_copy.h"

#include <stdlib.h>

#include "base/must.h"

struct identity identity_copy(const struct identity *identity)
{
    struct identity copy = {.name = must_dup(identity->name), .type = identity->type};

    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX; i++)
        copy.settings[i] = must_dup(identity->settings[i]);
    return copy;
}

void identity_copy_done(struct identity *copy)
{
    free((char *)copy->name);
    for (size_t i = 0; i < IDENTITY_SETTINGS_MAX; i++)
        free((char *)copy->settings[i]);
    *copy = (struct identity){.name = NULL};
}
