/*
 * Keeps secrets out of a parser that does not wipe its memory.
 *
 * Each long run of the characters that tokens and encoded keys consist of is replaced by a number,
 * before the parser sees the text, and put back in the values that the parser found. Such a run
 * stands for itself in YAML and JSON, and so does its replacement, so that the structure stays.
 */
#ifndef KEYROTATED_CONF_MASKED_TEXT_H
#define KEYROTATED_CONF_MASKED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct masked_run;

struct masked_text {
    const char *original; /* borrowed */
    struct masked_run *runs;
    size_t count;
    struct buf text; /* for the parser */
};

enum { MASKED_RUNS_MAX = 4096 };

/* Masks `original`, apart from the words in `plain` (NULL-terminated). 0, or -ENOMEM, or -EMSGSIZE
 * where there are too many runs. masked_text_done() in any case. */
int masked_text_init(struct masked_text *masked, const char *original, size_t length,
                     const char *const plain[]);
void masked_text_done(struct masked_text *masked);

/* Appends `text`, a piece of the masked text, as it was. 0, or the error of `out`. */
int masked_text_restore(const struct masked_text *masked, const char *text, struct buf *out);

/* Was `text`, a piece of the masked text, `expected`? */
bool masked_text_is(const struct masked_text *masked, const char *text, const char *expected);

#endif
