/* What the oracles remember. Included by oracle.h alone. */
#ifndef KEYROTATED_TESTS_SIM_ORACLE_STATE_H
#define KEYROTATED_TESTS_SIM_ORACLE_STATE_H

struct oracle_account {
    int nothing_yet;
};

struct oracle_world {
    int nothing_yet;
};

#endif
