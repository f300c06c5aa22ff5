/*
 * For tests of the journal: a private directory, a log that is counted, a loop, and records full of
 * random values.
 */
#ifndef KEYROTATED_TESTS_STORE_FIXTURE_H
#define KEYROTATED_TESTS_STORE_FIXTURE_H

#include "base/log.h"
#include "core/record.h"
#include "io/log/log_private.h"
#include "io/loop/loop.h"
#include "io/store/store.h"

enum { FIXTURE_PATH_MAX = 256 };

struct store_fixture {
    char directory[FIXTURE_PATH_MAX]; /* 0700, empty at first */
    char database[FIXTURE_PATH_MAX];  /* journal.db in it */
    struct loop *loop;
    struct log log; /* as the daemon's: trouble that lasts is told once */
    struct log_troubles *troubles;
    unsigned failures_logged;   /* journal.failed as an error */
    unsigned recoveries_logged; /* journal.failed as a notice */
    char last_remedy[512];
    struct store *store;
    size_t saves_awaited;
    bool closed;
};

void store_fixture_set_up(struct store_fixture *fixture);
/* Closes the store where it is open, and removes the directory. */
void store_fixture_tear_down(struct store_fixture *fixture);

/* Opens; the result must be this one. */
void store_fixture_open(struct store_fixture *fixture, enum store_open_result expected);
/* Opens; the result must be this refusal, with this text in its message. */
void store_fixture_open_refused(struct store_fixture *fixture, enum store_open_result expected,
                                const char *message_part);
void store_fixture_close(struct store_fixture *fixture);

/* Saves, and counts it among those that store_fixture_await_saves() waits for. */
void store_fixture_save(struct store_fixture *fixture, const char *account_key,
                        const struct record *record, const struct history_row *rows,
                        size_t row_count);
void store_fixture_await_saves(struct store_fixture *fixture);
/* Runs the loop until *condition, or fails after 20 s. */
void store_fixture_run_until(struct store_fixture *fixture,
                             bool (*condition)(struct store_fixture *));
/* Runs the loop for so long. */
void store_fixture_run_for(struct store_fixture *fixture, duration_ms duration);

/* Runs SQL on the database from outside, while the store is closed. */
void store_fixture_sql(struct store_fixture *fixture, const char *sql);
int store_fixture_sql_int(struct store_fixture *fixture, const char *sql);

/* Every member gets a random value that it may have. The same seed gives the same record. */
void record_randomize(struct record *record, uint64_t seed);
void assert_records_equal(const struct record *a, const struct record *b);

/* Turns a closed journal into one of version 3; one without holds into one of version 2. */
void store_fixture_back_to_version_8(struct store_fixture *fixture);
void store_fixture_back_to_version_7(struct store_fixture *fixture);
void store_fixture_back_to_version_6(struct store_fixture *fixture);
void store_fixture_back_to_version_5(struct store_fixture *fixture);
void store_fixture_back_to_version_4(struct store_fixture *fixture);
void store_fixture_back_to_version_3(struct store_fixture *fixture);
void store_fixture_back_to_version_2(struct store_fixture *fixture);

#endif
