#include "io/spawner/program_environment.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"

void program_environment_init(struct program_environment *environment)
{
    *environment = (struct program_environment){.count = 0};
    program_environment_add(environment, "PATH", PROGRAM_SEARCH_PATH);
    program_environment_add(environment, "LANG", "C.UTF-8");
}

void program_environment_done(struct program_environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        free((char *)environment->variables[i]);
    *environment = (struct program_environment){.count = 0};
}

void program_environment_add(struct program_environment *environment, const char *name,
                             const char *value)
{
    if (value && environment->count < PROGRAM_VARIABLES_MAX)
        environment->variables[environment->count++] = must(str_format("%s=%s", name, value));
}
