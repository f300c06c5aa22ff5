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

#endif
