/*
 * Prints the moves that the code's transition table allows, one "from to" a line, for the
 * comparison with those of the model.
 */
#include "core/position.h"

#include <stdio.h>

int main(void)
{
    for (int from = 0; from < POSITION_COUNT; from++)
        for (int to = 0; to < POSITION_COUNT; to++)
            if (position_move_allowed((enum position)from, (enum position)to))
                printf("%s %s\n", position_name((enum position)from),
                       position_name((enum position)to));
    return 0;
}
