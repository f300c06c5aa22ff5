#include "app/circle.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"

bool circle_closes(struct circle *circle, const char *text)
{
    if (circle->old && str_equal(circle->old, text))
        return true;
    circle->steps++;
    if ((circle->steps & (circle->steps - 1)) == 0) {
        free(circle->old);
        circle->old = must_dup(text);
    }
    return false;
}

void circle_done(struct circle *circle)
{
    free(circle->old);
    *circle = (struct circle){.steps = 0};
}
