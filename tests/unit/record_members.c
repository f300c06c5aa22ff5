/*
 * Shows when `struct record` gets a member. Without gaps between the members its size is the sum of
 * theirs, and no member can hide in a gap: test_record_table.c compares it with the rows of the
 * record table.
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

#include "record_members.h"

const size_t record_members_size = offsetof(struct record, targets);
const size_t record_target_members_size = sizeof(struct target_record);
