/*
 * The sum of the sizes of all members that stand before `targets` in struct record, and of all of
 * struct target_record.
 */
#ifndef KEYROTATED_TESTS_RECORD_MEMBERS_H
#define KEYROTATED_TESTS_RECORD_MEMBERS_H

#include <stddef.h>

extern const size_t record_members_size, record_target_members_size;

#endif
