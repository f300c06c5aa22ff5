#include "io/target/target_place.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "proto/failure.h"

enum { LOCATION_MAX = 64, PLACE_MAX = 64 * 1024 };

static const char LOCATION[] = "{location}";

bool target_place_takes(const char *location)
{
    size_t letters = 0;

    for (; *location != '\0'; location++) {
        if (isalnum((unsigned char)*location))
            letters++;
        else if (*location != ' ')
            return false;
    }
    return letters > 0 && letters <= LOCATION_MAX;
}

static void append_location(struct buf *out, const char *location)
{
    for (; *location != '\0'; location++) {
        if (*location != ' ')
            buf_append_char(out, (char)tolower((unsigned char)*location));
    }
}

char *target_place(const struct destination *destination, const char *location)
{
    const char *text = destination->place;
    struct buf expanded;
    const char *found;
    char *taken;

    if (location && !target_place_takes(location))
        location = NULL;
    buf_init(&expanded, PLACE_MAX);
    while (location && (found = strstr(text, LOCATION))) {
        buf_append(&expanded, text, (size_t)(found - text));
        append_location(&expanded, location);
        text = found + strlen(LOCATION);
    }
    buf_append_str(&expanded, text);
    taken = must(buf_take(&expanded));
    buf_done(&expanded);
    return taken;
}

void target_fail_unknown(const char *type, const char *place, const char *fact,
                         struct failure *failure)
{
    failure_set(failure, REASON_TARGET_FAILED, "%s%s%s: the account's %s is not known yet",
                type ? type : "", type ? " " : "", place, fact);
    failure_set_remedy(failure, "none needed: it is known as soon as Azure has answered");
}

bool target_place_check(const struct target_request *request, const char *what, const char *keys,
                        struct failure *failure)
{
    const struct destination *destination = request->destination;
    const char *type = destination->type->variant.name;

    if (!destination->needs_location ||
        (request->location && target_place_takes(request->location)))
        return true;
    if (!request->location) {
        target_fail_unknown(type, destination->place, "location", failure);
    } else {
        failure_set(failure, REASON_TARGET_FAILED, "%s %s: location \"%s\" cannot stand in %s",
                    type, destination->place, request->location, what);
        failure_set_remedy(failure, "take {location} out of the target's %s", keys);
    }
    return false;
}
