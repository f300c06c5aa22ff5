#include "core/slot.h"

#include "base/str.h"

static const char *const slot_names[SLOT_COUNT] = {
    [SLOT_PRIMARY] = "primary",
    [SLOT_SECONDARY] = "secondary",
};

const char *slot_name(enum slot slot)
{
    return slot_names[slot];
}

bool slot_from_name(const char *name, enum slot *ret_slot)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!str_equal_nocase(name, slot_names[slot]))
            continue;
        *ret_slot = (enum slot)slot;
        return true;
    }
    return false;
}
