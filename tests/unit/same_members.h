/*
 * For tests of what is written and read back: `got` and `expected` are pointers to two structures
 * of one type.
 */
#ifndef KEYROTATED_TESTS_SAME_MEMBERS_H
#define KEYROTATED_TESTS_SAME_MEMBERS_H

#define SAME_TEXT(member)                                                                          \
    do {                                                                                           \
        if (expected->member)                                                                      \
            assert_string_equal(got->member, expected->member);                                    \
        else                                                                                       \
            assert_null(got->member);                                                              \
    } while (0)
#define SAME(member) assert_true(got->member == expected->member)

#endif
