/*
 * Checks and readers of single values, for each type of the schema.
 */
#ifndef KEYROTATED_CONF_VALUE_H
#define KEYROTATED_CONF_VALUE_H

#include <stdbool.h>

#include "conf/report.h"
#include "conf/schema.h"
#include "conf/yaml_tree.h"

enum { VALUE_SHOWN_MAX = 240, VALUE_EXPECTED_MAX = 1024 };

/* Is the scalar a legal value for the row? Reports errors, and warns about unwise values. */
bool value_check(struct report *report, const struct tree_node *node, const struct schema_key *key);

/* "a duration such as 90s, 12h or 30d", "primary or secondary": what the row wants, for a sentence.
 * Returns out. */
const char *value_expected(const struct schema_key *key, char out[VALUE_EXPECTED_MAX]);

/* Copies text for a message: cut at 79 bytes, the id of a resource at VALUE_SHOWN_MAX. Returns out.
 */
const char *value_shown(const char *text, char out[VALUE_SHOWN_MAX]);

/* "HH:MM" as minutes of the day; "24:00" is 1440. */
bool value_parse_clock(const char *text, int *ret_minute);

/* "Mon" … "Sun" in any case, long names too; 0 = Monday. */
bool value_parse_weekday(const char *text, int *ret_weekday);

/* "0640", as mode_t bits. */
bool value_parse_mode(const char *text, unsigned *ret_mode);

/* 8-4-4-4-12 hexadecimal digits. */
bool value_is_guid(const char *text);

/* A name that users give: letters, digits, '_', '-', '.', beginning with a letter or digit. */
bool value_is_name(const char *text);

#endif
