/*
 * A growing list of texts of its own.
 */
#ifndef KEYROTATED_APP_TEXTS_H
#define KEYROTATED_APP_TEXTS_H

#include <stddef.h>

/* Zeroed is empty. */
struct texts {
    char **items;
    size_t count;
    size_t room;
};

/* Adds a copy. */
void texts_add(struct texts *texts, const char *text);
void texts_done(struct texts *texts);

#endif
