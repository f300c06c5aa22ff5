/*
 * The engine: turns what the rotation machine wants into I/O, and what comes back into events.
 *
 * It holds one `engine_account` per configured account and carries out the effects of each step
 * strictly in order: the record is made durable, what happened is told, the action is started, the
 * timer is set. Events that arrive meanwhile queue. It decides nothing about keys: that is done in
 * core/rotation.h.
 */
#ifndef KEYROTATED_APP_ENGINE_H
#define KEYROTATED_APP_ENGINE_H

#include "base/log.h"
#include "conf/config.h"
#include "io/azure/azure.h"
#include "io/server/control.h"
#include "io/loop/loop.h"
#include "io/store/store.h"

struct engine;

/* What the engine works with; all borrowed, all must outlive it. */
struct engine_parts {
    struct loop *loop;
    struct log *log;
    struct store *store;
    struct azure *azure;
    const char *control_socket; /* where the daemon listens for as long as it runs */
    void (*faulted)(void *context, const char *what); /* an invariant is broken: stop, exit 70 */
    void *context;
};

struct engine *engine_new(const struct engine_parts *parts);
/* After engine_stop() has reported. */
void engine_free(struct engine *engine);

/* Reads the journal. Returns 0, or a negative errno value with err set. */
int engine_load(struct engine *engine, struct err *err);

/* Takes a configuration (and a reference to it): accounts that are new begin with what the journal
 * knows of them, those that stay are told, those that are gone are let go when their last action
 * has ended. Nothing rotates because of it. What places it leaves behind is
 * appended to `report` (NULL: nobody reads it), a line each. */
void engine_configure(struct engine *engine, struct config *config, struct buf *report);

/* What engine_configure() would change, in lines for a person; changes nothing. */
void engine_preview(const struct engine *engine, const struct config *config, struct buf *report);

/* The wall clock was set by `jump`. */
void engine_clock_jumped(struct engine *engine, duration_ms jump);

/* Starts nothing new from now on; stopped(context), from the loop, when nothing is under way. */
void engine_stop(struct engine *engine, void (*stopped)(void *context), void *context);

/* The grace is over: deliveries and other work on targets under way are given up as well. */
void engine_give_up(struct engine *engine);
/* After stopping: does a thread still hang in a target's file system? Then the engine must not be
 * freed, and the process has to leave with _exit(). */
bool engine_is_hung(const struct engine *engine);

/* --- for people --- */
enum { ENGINE_UNWELL_NAMED = 5 };
struct engine_totals {
    size_t accounts;
    size_t by_state[STATE_COUNT];
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

/* The status document about the accounts of `query`, as an answer to a question (see
 * proto/control_protocol.h). `daemon` is filled in here but for what only the daemon knows. */
int engine_status(struct engine *engine, const struct control_query *query, bool unwell_alone,
                  struct daemon_snapshot *daemon, struct buf *out, struct err *err);
/* The document of all holds, as far as they have not ended by time. Returns out->failed. */
int engine_write_holds(struct engine *engine, struct buf *out);

/* Carries out a command about accounts; answers through control_answer(). */
void engine_command(struct engine *engine, const struct control_command *command,
                    struct control_request *request);

/* For --once: is anything due or under way still (RETRYING counts), and did something stay undone?
 */
enum engine_progress { ENGINE_WORKING, ENGINE_DONE, ENGINE_STUCK };
enum engine_progress engine_progress(const struct engine *engine);
/* Logs what is not done of that, and why: a line for each cause, twenty causes at most. */
void engine_tell_undone(struct engine *engine);

#endif
