#ifndef KEYROTATED_APP_CIRCLE_H
#define KEYROTATED_APP_CIRCLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does a chain of texts (links from page to page) come back to one that it had before?
 * The texts number 1, 2, 4, 8 … are remembered, one at a time. Every circle comes back to one of
 * them, at the latest when the chain is as long as three times its beginning and the circle.
 */
struct circle {
    size_t steps;
    char *old; /* owned; NULL: none */
};

/* Takes the next text of the chain. True: it was there before. */
bool circle_closes(struct circle *circle, const char *text);

/* Makes it empty, for another chain. */
void circle_done(struct circle *circle);

#endif
