/*
 * Compiled time zones (RFC 9636) of a test's own making.
 */
#ifndef KEYROTATED_TESTS_ZONE_FILE_H
#define KEYROTATED_TESTS_ZONE_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { ZONE_FILE_MAX = 4096 };

struct zone_change {
    int64_t at; /* seconds since 1970 */
    int32_t offset;
};

struct zone_file {
    int32_t first_offset;
    const struct zone_change *changes;
    size_t change_count;
    const char *rule; /* of the last line */
};

/* Writes the file to `out` (ZONE_FILE_MAX bytes); returns its length. */
size_t zone_file_make(const struct zone_file *zone, unsigned char *out);

/* The same at a path. */
void zone_file_write(const struct zone_file *zone, const char *path);

#endif
