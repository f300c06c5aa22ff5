/*
 * Requests for admission, on a loop whose time the test moves.
 */
#ifndef KEYROTATED_TESTS_ADMISSION_FIXTURE_H
#define KEYROTATED_TESTS_ADMISSION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake_loop.h"
#include "io/access/admission.h"
#include "io/log/log_private.h"

enum { REQUESTS_MAX = 1000 };

static struct admission *admission;
static struct admission_request requests[REQUESTS_MAX];
static size_t order[REQUESTS_MAX]; /* of admission */
static size_t admitted_count, taken_back;
static struct admission_server servers[REQUESTS_MAX]; /* one a request */
static unsigned warnings, ends;
static struct log_troubles *troubles;
static char last_message[LOG_MESSAGE_MAX];

static void count_line(void *context, const struct log_line *line)
{
    (void)context;
    warnings += line->level == LEVEL_WARNING;
    ends += str_equal(line->event, "trouble.ended");
    str_copy(last_message, sizeof(last_message), line->message);
}

static void take_line(void *context, const struct log_line *line)
{
    (void)context;
    log_troubles_take(troubles, line);
}

static void take_end(void *context, time_ms now, const char *event, const char *subject, bool quiet)
{
    (void)context;
    log_troubles_end(troubles, now, event, subject, quiet);
}

static struct log test_log = {.level = LEVEL_INFO, .write = take_line, .ended = take_end};

static void on_admitted(struct admission_request *request)
{
    order[admitted_count++] = (size_t)(request - requests);
}

static void on_take_back(struct admission_request *request)
{
    (void)request;
    taken_back++;
}

static inline void start_request(size_t i)
{
    servers[i].silent = false;
    admission_request_init(&requests[i], on_admitted);
    requests[i].server = &servers[i];
    requests[i].provider = "Microsoft.Batch/batchAccounts";
    requests[i].take_back = on_take_back;
}

static inline void start(unsigned in_all, unsigned per_subscription)
{
    fake_loop_reset();
    admitted_count = taken_back = 0;
    warnings = ends = 0;
    troubles = log_troubles_new(count_line, NULL);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        start_request(i);
    admission = admission_new(&fake_loop, &test_log, fake_clock);
    admission_set_limits(admission, in_all, per_subscription);
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

static inline void stop(void)
{
    bool closed = false;

    for (size_t i = 0; i < REQUESTS_MAX; i++)
        admission_leave(&requests[i]);
    admission_close(admission, on_closed, &closed);
    fake_loop_run(0);
    assert_true(closed);
    log_troubles_free(troubles);
}

static inline void enter(size_t from, size_t to, const char *subscription, const char *identity,
                         enum admission_kind kind)
{
    for (size_t i = from; i < to; i++)
        admission_enter(admission, &requests[i], subscription, identity, kind);
}

static inline void leave(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        admission_leave(&requests[i]);
}

static inline void rank(size_t from, size_t to, enum admission_rank rank)
{
    for (size_t i = from; i < to; i++)
        requests[i].rank = rank;
}

#endif
