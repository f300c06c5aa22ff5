/*
 * What is wrong with a YAML text, in words that help the person who wrote it.
 */
#ifndef KEYROTATED_CONF_YAML_PROBLEM_H
#define KEYROTATED_CONF_YAML_PROBLEM_H

#include <stddef.h>

#include <yaml.h>

#include "conf/arena.h"
#include "conf/mark.h"

/*
 * The parser has failed on `text`. Returns the sentence, and the most useful place in *mark (its
 * file is kept): where a quote or bracket was opened, rather than the end of the file.
 */
const char *yaml_problem(const yaml_parser_t *parser, const char *text, size_t length,
                         struct arena *arena, struct mark *mark);

/*
 * What is wrong with a scalar whatever it stands for, or NULL: line breaks and other control
 * characters, an excessive length, or the look of an account key, which must never be in a file
 * that people mail to each other. The text itself is not repeated.
 */
const char *scalar_problem(const char *text, size_t length);

#endif
