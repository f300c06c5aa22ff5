/*
 * The engine: turns the actions of the rotation machine into I/O, and the results into events.
 *
 * It holds one `engine_account` per configured account (app/engine_account.h) and carries out what
 * waits for it (app/engine_private.h), a bounded number of accounts in each call from the loop. It
 * decides nothing about keys: that is done in core/rotation.h.
 */
#ifndef KEYROTATED_APP_ENGINE_H
#define KEYROTATED_APP_ENGINE_H

#include "base/log.h"
#include "conf/config.h"
#include "io/access/access.h"
#include "io/azure/azure.h"
#include "io/http/http.h"
#include "io/loop/loop.h"
#include "io/server/control.h"
#include "io/spawner/spawner.h"
#include "io/store/store.h"
#include "proto/metrics.h"

struct engine;

/* What the engine uses. All borrowed; all must outlive the engine. */
struct engine_parts {
    struct loop *loop;
    struct log *log;
    struct store *store;
    struct azure *azure;
    struct http *http; /* of targets that are servers */
    struct access *access;
    struct spawner *spawner;           /* NULL: no programs can be started */
    const char *credentials_directory; /* NULL: none */
    const char *control_socket;        /* where the daemon listens for as long as it runs */
    void (*faulted)(void *context, const char *what); /* an invariant is broken: stop, exit 70 */
    void *context;
};

struct engine *engine_new(const struct engine_parts *parts);
/* After engine_stop() has reported. */
void engine_free(struct engine *engine);

/* Reads the journal. Returns 0, or a negative errno value with err set. */
int engine_load(struct engine *engine, struct err *err);

/* Takes a configuration (and a reference to it): new accounts begin with their record in the
 * journal, remaining ones get an event, removed ones are freed when their last action has ended.
 * This never starts a rotation. The places that no longer get keys are appended to `report` (may be
 * NULL), a line each. */
void engine_configure(struct engine *engine, struct config *config, struct buf *report);

/* Why accounts leave with the next engine_configure(), for the log; the others are no longer in the
 * configuration. Borrowed until then. */
struct engine_farewell {
    const char *key;  /* of the account */
    const char *text; /* what is said of it: "no longer exists in Azure" */
};
void engine_expect_farewells(struct engine *engine, const struct engine_farewell *farewells,
                             size_t count);

/* What engine_configure() would change, in lines for a person; changes nothing. */
void engine_preview(const struct engine *engine, const struct config *config, struct buf *report);

/* The wall clock was set by `jump`. */
void engine_clock_jumped(struct engine *engine, duration_ms jump);

/* Starts nothing new from now on; stopped(context), from the loop, when nothing is under way. */
void engine_stop(struct engine *engine, void (*stopped)(void *context), void *context);

/* The grace is over: abandons deliveries and other work on targets, too. */
void engine_give_up(struct engine *engine);
/* After stopping: does a thread still hang in a target's file system? Then the engine must not be
 * freed, and the process has to leave with _exit(). */
bool engine_is_hung(const struct engine *engine);

/* --- for operators --- */

/* Carries out a command about accounts; answers through control_answer(). */
void engine_command(struct engine *engine, const struct control_command *command,
                    struct control_request *request);

/* The status document about the accounts of `query`, as an answer to a question (see
 * proto/control_protocol.h). `daemon` is filled in here but for what only the daemon knows. */
int engine_status(struct engine *engine, const struct control_query *query, bool unwell_alone,
                  struct daemon_snapshot *daemon, struct buf *out, struct err *err);

/* What the engine knows of the daemon. */
void engine_fill_daemon(const struct engine *engine, struct daemon_snapshot *daemon);

/* Fills in what metrics tell of accounts: of all where there are `limit` at most, else of so many
 * that are not well. *ret_accounts is to be freed; its texts are borrowed until the configuration
 * changes. `events` has METRICS_EVENTS_MAX rows. */
void engine_metrics(const struct engine *engine, size_t limit, struct metrics *metrics,
                    struct metrics_event *events, struct metrics_account **ret_accounts);

/* The key of the account that a person calls so; borrowed. NULL, with err set: there is none
 * (-ENOENT), or several (-ENOTUNIQ). */
const char *engine_account_key(const struct engine *engine, const char *typed, struct err *err);

/* A page of the plan document (proto/control_plan.h), as an answer to a question. -EINVAL: the end
 * lies in the past, or too far ahead. */
int engine_plan(struct engine *engine, const struct control_query *query, struct buf *out,
                struct err *err);

/* Answers with a page of the history document (proto/control_history.h) when the journal has been
 * read, through control_answer_question(). */
void engine_history(const struct engine *engine, const struct control_query *query,
                    struct control_request *request);

/* The same for the document that says whether the history is whole (proto/control_chain.h). */
void engine_history_chains(const struct engine *engine, const struct control_query *query,
                           struct control_request *request);

/* The document that says whose keys have these fingerprints (proto/control_identify.h). Returns
 * out->failed. */
int engine_identify(const struct engine *engine, const struct control_query *query,
                    struct buf *out);

/* The document of all holds, as far as they have not ended by time. Returns out->failed. */
int engine_hold_write(struct engine *engine, struct buf *out);

/* Counts of all accounts by state, in constant time. */
enum { ENGINE_UNWELL_NAMED = 5 };
struct engine_totals {
    size_t accounts;
    size_t by_state[STATE_COUNT];
    size_t watched; /* held by `rotate: false` */
    size_t frozen;  /* held by a freeze */
    size_t overdue;
    size_t at_risk;
    time_ms oldest_key_born; /* TIME_NEVER: none known */
    const char *oldest_key_account;
    time_ms next_at; /* TIME_NEVER: none planned */
    const char *next_account;
    size_t unwell; /* blocked, overdue, at risk, retried or held by an operator */
    const struct account *unwell_named[ENGINE_UNWELL_NAMED]; /* some of them, the worst first */
};
void engine_totals(const struct engine *engine, struct engine_totals *totals);

/* --- for --once --- */

/* Is anything due or under way still (RETRYING counts), and did something stay undone? */
enum engine_progress { ENGINE_WORKING, ENGINE_DONE, ENGINE_STUCK };
enum engine_progress engine_progress(const struct engine *engine);

/* Logs unfinished accounts: a line for each cause, twenty causes at most. */
void engine_log_undone(struct engine *engine);

#endif
