/*
 * What runs in a simulated world: keyrotated itself, or one of the designs that the field uses
 * (design_*.c), which the oracles have to convict.
 *
 * A design is a process: it begins with what the journal holds, uses io/loop/loop.h,
 * io/store/store.h, io/azure/azure.h and io/target/target.h, and can die at any moment.
 */
#ifndef KEYROTATED_TESTS_SIM_DESIGN_H
#define KEYROTATED_TESTS_SIM_DESIGN_H

#include "conf/config.h"
#include "io/azure/azure.h"
#include "io/server/control.h"
#include "io/loop/loop.h"
#include "io/store/store.h"

struct world;

struct design_parts {
    struct loop *loop;
    struct log *log;
    struct store *store;
    struct azure *azure;
    void (*faulted)(void *context, const char *what);
    void *context;
    struct config *config;
};

struct design {
    const char *name;
    const char *summary; /* what the field does, in a sentence */
    /* All return and take what start() returned. */
    void *(*start)(const struct design_parts *parts);
    void (*configure)(void *daemon, struct config *config);
    void (*clock_jumped)(void *daemon, duration_ms jump);
    void (*command)(void *daemon, const struct control_command *command,
                    struct control_request *request);
    /* Starts nothing new; stopped(context) from the loop when nothing is under way. */
    void (*stop)(void *daemon, void (*stopped)(void *context), void *context);
    void (*free)(void *daemon);
    bool finds; /* it knows of rules that find accounts */
    bool polls; /* it knows of regenerates that go on after their answer */
    /* For the oracles: does it hold a key of that account in memory while the account rests? NULL:
     * never asked. */
    bool (*holds_key)(const void *daemon, const char *account_name);
    /* Has that account nothing queued, nothing under way, and when will its timer fire
     * (TIME_NEVER: never)? */
    bool (*rests)(const void *daemon, const char *account_name, time_ms *ret_wake_at);
    /* Which of the numbers that it shows about all accounts is wrong; NULL: none is, or it is never
     * asked. */
    const char *(*miscounts)(const void *daemon);
};

extern const struct design design_keyrotated;

/* The field's. NULL-terminated. */
extern const struct design *const designs_of_the_field[];

#endif
