/*
 * Turns the errors of libyaml into sentences that help the author of the file.
 */
#ifndef KEYROTATED_CONF_YAML_PROBLEM_H
#define KEYROTATED_CONF_YAML_PROBLEM_H

#include <stdbool.h>
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
 * What is wrong with a scalar of any type, or NULL: a line break or another control character,
 * excessive length, or the form of an account key, because people mail configuration files to each
 * other. The sentence does not repeat the text. `lines`: line breaks and tabs may stand there.
 */
const char *scalar_problem(const char *text, size_t length, bool lines);

#endif
