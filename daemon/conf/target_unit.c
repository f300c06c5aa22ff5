#include "conf/target_unit.h"

#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"

static const char SUFFIX[] = ".service";

enum { NAME_LENGTH_MAX = 255 };

bool target_unit_is_name(const char *text)
{
    const size_t length = strlen(text);
    const char *at = strchr(text, '@');

    if (length <= sizeof(SUFFIX) - 1 || length > NAME_LENGTH_MAX ||
        !str_equal(text + length - (sizeof(SUFFIX) - 1), SUFFIX))
        return false;
    if (at && (at == text || str_equal(at + 1, SUFFIX)))
        return false; /* no prefix, or no instance */
    return text[strspn(text,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789:-_.\\@")] == '\0';
}

static void describe(const struct destination *destination, struct buf *out)
{
    (void)buf_append_format(out, "unit %s (reloaded or restarted)", destination->place);
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    json_write_text(out, "unit", destination->place);
}

const struct target_type target_unit_type = {
    .variant = {.name = "unit"},
    .place_key = "unit",
    .place_is_shared = true,
    .is_unreadable = true,
    .describe = describe,
    .write = write_keys,
};
