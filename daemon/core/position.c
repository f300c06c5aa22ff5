#include "core/position.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TO(name) (UINT32_C(1) << POSITION_##name)

struct position_description {
    const char *name;
    uint32_t successors; /* the allowed next positions, as bits */
    bool needs_keys;
    bool awaits_completion;
};

/* Every position may also be entered anew from itself by a restart; that is not a move. */
static const struct position_description positions[POSITION_COUNT] = {
    [POSITION_ADOPT_WAIT] = {.name = "adopt_wait", .successors = TO(ADOPT_LOOK)},
    [POSITION_ADOPT_LOOK] = {.name = "adopt_look",
                             .successors =
                                 TO(ADOPT_WAIT) | TO(DELIVER_INTENT) | TO(IDLE) | TO(DELIVER_WAIT),
                             .needs_keys = true,
                             .awaits_completion = true},
    [POSITION_IDLE] = {.name = "idle",
                       .successors =
                           TO(CHECK_LOOK) | TO(PREFLIGHT) | TO(DELIVER_LOOK) | TO(ADOPT_LOOK)},
    [POSITION_CHECK_LOOK] = {.name = "check_look",
                             .successors = TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) |
                                           TO(CONFIRM_WAIT) | TO(DELIVER_INTENT) |
                                           TO(DELIVER_WAIT) | TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
                             .needs_keys = true,
                             .awaits_completion = true},
    [POSITION_PROVE_TARGET] = {.name = "prove_target",
                               .successors = TO(PROVE_LIVE) | TO(CONFIRM_WAIT) | TO(ADOPT_LOOK),
                               .needs_keys = true,
                               .awaits_completion = true},
    [POSITION_PROVE_LIVE] = {.name = "prove_live",
                             .successors = TO(CHECK_LOOK) | TO(CONFIRM_WAIT) | TO(ADOPT_LOOK),
                             .needs_keys = true,
                             .awaits_completion = true},
    [POSITION_CONFIRM_WAIT] = {.name = "confirm_wait",
                               .successors = TO(CHECK_LOOK) | TO(DELIVER_LOOK) | TO(ADOPT_LOOK)},
    [POSITION_PREFLIGHT] = {.name = "preflight",
                            .successors = TO(ROTATE_LOOK) | TO(IDLE) | TO(ADOPT_LOOK),
                            .awaits_completion = true},
    [POSITION_ROTATE_LOOK] = {.name = "rotate_look",
                              .successors = TO(INTENT) | TO(IDLE) | TO(PROVE_TARGET) |
                                            TO(PROVE_LIVE) | TO(CONFIRM_WAIT) | TO(DELIVER_INTENT) |
                                            TO(DELIVER_WAIT) | TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
                              .needs_keys = true,
                              .awaits_completion = true},
    [POSITION_INTENT] = {.name = "intent",
                         .successors = TO(REGENERATE) | TO(DOUBT_LOOK) | TO(DOUBT_WAIT) | TO(IDLE),
                         .needs_keys = true},
    [POSITION_REGENERATE] = {.name = "regenerate",
                             .successors = TO(VERIFY) | TO(DELIVER_INTENT) | TO(DOUBT_WAIT) |
                                           TO(DELIVER_WAIT) | TO(IDLE),
                             .needs_keys = true,
                             .awaits_completion = true},
    [POSITION_DOUBT_WAIT] = {.name = "doubt_wait", .successors = TO(DOUBT_LOOK)},
    [POSITION_DOUBT_LOOK] = {.name = "doubt_look",
                             .successors = TO(DOUBT_WAIT) | TO(INTENT) | TO(VERIFY) |
                                           TO(DELIVER_INTENT) | TO(IDLE) | TO(PROVE_TARGET) |
                                           TO(PROVE_LIVE) | TO(CONFIRM_WAIT) | TO(DELIVER_WAIT) |
                                           TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
                             .needs_keys = true,
                             .awaits_completion = true},
    [POSITION_VERIFY_LOOK] = {.name = "verify_look",
                              .successors = TO(VERIFY) | TO(VERIFY_WAIT) | TO(DELIVER_INTENT) |
                                            TO(IDLE) | TO(DELIVER_WAIT) | TO(ADOPT_WAIT) |
                                            TO(ADOPT_LOOK),
                              .needs_keys = true,
                              .awaits_completion = true},
    [POSITION_VERIFY] = {.name = "verify",
                         .successors = TO(DELIVER_INTENT) | TO(VERIFY_WAIT) | TO(IDLE) |
                                       TO(DELIVER_WAIT) | TO(ADOPT_LOOK),
                         .needs_keys = true,
                         .awaits_completion = true},
    [POSITION_VERIFY_WAIT] = {.name = "verify_wait",
                              .successors = TO(VERIFY_LOOK) | TO(ADOPT_LOOK)},
    [POSITION_DELIVER_LOOK] = {.name = "deliver_look",
                               .successors = TO(DELIVER_INTENT) | TO(DELIVER_WAIT) | TO(VERIFY) |
                                             TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) |
                                             TO(CONFIRM_WAIT) | TO(VERIFY_WAIT) | TO(ADOPT_WAIT) |
                                             TO(ADOPT_LOOK),
                               .needs_keys = true,
                               .awaits_completion = true},
    [POSITION_DELIVER_INTENT] = {.name = "offer",
                                 .successors = TO(DELIVER) | TO(DELIVER_LOOK) | TO(DELIVER_WAIT) |
                                               TO(IDLE) | TO(ADOPT_LOOK),
                                 .needs_keys = true},
    [POSITION_DELIVER] = {.name = "deliver",
                          .successors =
                              TO(DELIVER_INTENT) | TO(DELIVER_WAIT) | TO(IDLE) | TO(ADOPT_LOOK),
                          .needs_keys = true,
                          .awaits_completion = true},
    [POSITION_DELIVER_WAIT] = {.name = "deliver_wait",
                               .successors = TO(DELIVER_LOOK) | TO(IDLE) | TO(ADOPT_LOOK)},
};

const char *position_name(enum position position)
{
    return position < POSITION_COUNT ? positions[position].name : "?";
}

bool position_from_name(const char *name, enum position *ret_position)
{
    for (int i = 0; i < POSITION_COUNT; i++) {
        if (strcmp(name, positions[i].name) == 0) {
            *ret_position = (enum position)i;
            return true;
        }
    }
    return false;
}

bool position_move_allowed(enum position from, enum position to)
{
    return from < POSITION_COUNT && to < POSITION_COUNT &&
           (positions[from].successors & (UINT32_C(1) << to)) != 0;
}

bool position_needs_keys(enum position position)
{
    return positions[position].needs_keys;
}

bool position_awaits_completion(enum position position)
{
    return positions[position].awaits_completion;
}
