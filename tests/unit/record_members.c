/*
 * Compiled to be told when `struct record` gets a member. Without gaps between the members its size
 * is the sum of theirs, so that none can hide in a gap.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/position.h"
#include "core/reason.h"
#include "core/slot.h"

#pragma pack(push, 1)
#include "core/record.h"
#pragma pack(pop)

/* Whoever adds a member has to store it (io/store/sqlite/record.c), and to give it a random value
 * and compare it in store_record_fixture.c; then these numbers change. */
#if __SIZEOF_POINTER__ == 8
_Static_assert(sizeof(struct target_record) == 84,
               "a member of a target is not stored, or not tested");
_Static_assert(sizeof(struct record) == 2121, "a member of a record is not stored, or not tested");
#endif
