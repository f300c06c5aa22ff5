#include "zone_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct writer {
    unsigned char *out;
    size_t length;
};

static void put(struct writer *writer, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;)
        writer->out[writer->length++] = (unsigned char)(number >> (8 * i));
}

static void put_header(struct writer *writer, size_t changes)
{
    memcpy(writer->out + writer->length, "TZif3", 5);
    memset(writer->out + writer->length + 5, 0, 15);
    writer->length += 20;
    for (int i = 0; i < 3; i++)
        put(writer, 0, 4); /* marks, and leap seconds */
    put(writer, changes, 4);
    put(writer, changes + 1, 4); /* a type for each, and the first */
    put(writer, 4, 4);
}

static void put_types(struct writer *writer, const struct zone_file *zone, size_t changes)
{
    for (size_t i = 0; i < changes; i++)
        put(writer, i + 1, 1);
    put(writer, (uint32_t)zone->first_offset, 4);
    put(writer, 0, 2);
    for (size_t i = 0; i < changes; i++) {
        put(writer, (uint32_t)zone->changes[i].offset, 4);
        put(writer, 0, 2);
    }
    memcpy(writer->out + writer->length, "TST", 4);
    writer->length += 4;
}

size_t zone_file_make(const struct zone_file *zone, unsigned char *out)
{
    struct writer writer = {.out = out};

    put_header(&writer, 0);
    put_types(&writer, zone, 0);
    put_header(&writer, zone->change_count);
    for (size_t i = 0; i < zone->change_count; i++)
        put(&writer, (uint64_t)zone->changes[i].at, 8);
    put_types(&writer, zone, zone->change_count);
    writer.length += (size_t)snprintf((char *)out + writer.length, ZONE_FILE_MAX - writer.length,
                                      "\n%s\n", zone->rule);
    return writer.length;
}

void zone_file_write(const struct zone_file *zone, const char *path)
{
    unsigned char bytes[ZONE_FILE_MAX];
    size_t length = zone_file_make(zone, bytes);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}
