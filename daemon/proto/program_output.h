/*
 * What a program wrote, for a log line or a message: on one line, without control characters, and
 * without keys.
 */
#ifndef KEYROTATED_PROTO_PROGRAM_OUTPUT_H
#define KEYROTATED_PROTO_PROGRAM_OUTPUT_H

#include <stddef.h>

#include "base/secret.h"

/* A run of at least so many characters of the key is redacted. */
enum { PROGRAM_OUTPUT_RUN_MIN = 8 };

/*
 * Writes the last part of `bytes` that fits, its lines joined by " | ", and blank lines left out.
 * Every part of `key` (NULL: none), and everything else that looks like a key, becomes asterisks. A
 * text whose beginning is missing begins with "... ". Returns `out`, which holds "" where the
 * program wrote nothing.
 */
const char *program_output_text(const char *bytes, size_t length, const struct secret *key,
                                char *out, size_t size);

/* The same for the last line that is not blank. */
const char *program_output_last_line(const char *bytes, size_t length, const struct secret *key,
                                     char *out, size_t size);

/* Replaces, in place, every part of `key` (NULL: none) in up to 4 KiB of text. For what somebody
 * says who was given the key, and may show it cut or escaped. */
void program_output_redact(char *text, const struct secret *key);

#endif
