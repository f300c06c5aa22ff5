#include "io/target/target.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "io/target/target_type.h"

enum { PLACE_MAX = 16 * 1024, IDENTITY_MAX = PLACE_MAX + 1024 };

static const char LOCATION[] = "{location}";

static const struct target_type_operations *const types[] = {
    [TARGET_FILE] = &target_file_operations,
};

static const struct target_type_operations *type_of(const struct destination *destination)
{
    return types[destination->type];
}

bool target_location_ok(const char *location)
{
    size_t letters = 0;

    for (; *location != '\0'; location++) {
        if (isalnum((unsigned char)*location))
            letters++;
        else if (*location != ' ')
            return false;
    }
    return letters > 0;
}

static void append_location(struct buf *out, const char *location)
{
    for (; *location != '\0'; location++) {
        if (*location != ' ')
            buf_append_char(out, (char)tolower((unsigned char)*location));
    }
}

char *target_expand_location(const char *text, const char *location)
{
    struct buf expanded;
    const char *found;
    char *taken;

    buf_init(&expanded, PLACE_MAX);
    while (location && (found = strstr(text, LOCATION))) {
        buf_append(&expanded, text, (size_t)(found - text));
        append_location(&expanded, location);
        text = found + strlen(LOCATION);
    }
    buf_append_str(&expanded, text);
    taken = buf_take(&expanded);
    buf_done(&expanded);
    return taken;
}

struct target_id target_identify(const struct destination *destination, const char *location)
{
    const struct target_type_operations *type = type_of(destination);
    char *place = type->place(destination, NULL);
    struct target_id id = {{0}};
    uint8_t hash[SHA256_LENGTH];
    struct buf identity;

    (void)location;
    buf_init(&identity, IDENTITY_MAX);
    /* NUL stands in none of the parts, so that no two lists of parts look alike. */
    buf_append(&identity, type->name, strlen(type->name) + 1);
    if (place)
        buf_append(&identity, place, strlen(place) + 1);
    type->append_form(destination, &identity);
    if (place && identity.failed == 0 && crypto_sha256(identity.data, identity.length, hash) == 0)
        memcpy(id.bytes, hash, sizeof(id.bytes));
    buf_done(&identity);
    free(place);
    return id;
}

void target_describe(const struct destination *destination, const char *location, char *out,
                     size_t size)
{
    const struct target_type_operations *type = type_of(destination);
    char *place = type->place(destination, location);

    (void)snprintf(out, size, "%s %s", type->name, place ? place : destination->name);
    if (size > 0)
        out[utf8_whole(out, strlen(out))] = '\0';
    free(place);
}

bool target_is_readable(const struct destination *destination)
{
    return type_of(destination)->readable;
}

bool target_settles_at_once(const struct destination *destination)
{
    return type_of(destination)->settles_at_once;
}

void target_probe(struct target_world *world, const struct destination *destination,
                  const char *location, target_done *done, void *context)
{
    type_of(destination)->start(world, destination, location, TARGET_PROBE, NULL, done, context);
}

void target_read(struct target_world *world, const struct destination *destination,
                 const char *location, bool set_form, target_done *done, void *context)
{
    const enum target_action action = set_form ? TARGET_READ_AND_SET_FORM : TARGET_READ;

    type_of(destination)->start(world, destination, location, action, NULL, done, context);
}

void target_deliver(struct target_world *world, const struct destination *destination,
                    const struct delivery *delivery, target_done *done, void *context)
{
    type_of(destination)
        ->start(world, destination, delivery->location, TARGET_DELIVER, delivery, done, context);
}
