/*
 * A certificate authority for clients that need one and meet none: it has issued nothing, and its
 * key is gone. Tests run in the root of the tree.
 */
#ifndef KEYROTATED_TESTS_AUTHORITY_H
#define KEYROTATED_TESTS_AUTHORITY_H

#define TEST_AUTHORITY "tests/unit/authority.pem"

#endif
