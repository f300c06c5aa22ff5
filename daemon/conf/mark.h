/*
 * A place in a file: line and column, as editors and compilers count them.
 */
#ifndef KEYROTATED_CONF_MARK_H
#define KEYROTATED_CONF_MARK_H

struct mark {
    const char *file;    /* its name as it was opened */
    unsigned file_order; /* files are read, and messages sorted, in this order */
    unsigned line;       /* from 1 */
    unsigned column;     /* from 1, in characters */
};

/* The order of the files; negative, 0 or positive. */
static inline int mark_compare(const struct mark *a, const struct mark *b)
{
    if (a->file_order != b->file_order)
        return a->file_order < b->file_order ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

#endif
