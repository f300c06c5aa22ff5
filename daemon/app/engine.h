/*
 * The engine: turns the actions of the rotation machine into I/O, and the results into events.
 *
 * It holds one `engine_account` per configured account (app/engine_account.h) and carries out what
 * waits for it (app/engine_step.h), a bounded number of accounts in each call from the loop. It
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
#include "io/store/store.h"

struct engine;

/* What the engine uses. All borrowed; all must outlive the engine. */
struct engine_parts {
    struct loop *loop;
    struct log *log;
    struct store *store;
    struct azure *azure;
    struct http *http; /* of targets that are servers */
    struct access *access;
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

#endif
