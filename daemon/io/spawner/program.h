/*
 * One run of a program: without a shell, with bytes on its standard input, its output collected.
 *
 * The program gets a session and process group of its own, the working directory /, the default
 * signals, no descriptors but the three standard ones, and only the environment that is given. When
 * it ends, or is ended, the rest of its process group is killed: a process that is to outlive it
 * needs a session of its own (setsid(2)).
 */
#ifndef KEYROTATED_IO_SPAWNER_PROGRAM_H
#define KEYROTATED_IO_SPAWNER_PROGRAM_H

#include "base/buf.h"
#include "io/spawner/spawner.h"

enum {
    PROGRAM_OUTPUT_MAX = 64 * 1024,  /* kept of standard output, and of standard error */
    PROGRAM_FLOOD = 8 * 1024 * 1024, /* a program that writes more is ended */
    PROGRAM_INPUT_MAX = 64 * 1024,
    PROGRAM_WORDS_MAX = 256,     /* arguments, and variables */
    PROGRAM_TEXT_MAX = 64 * 1024 /* bytes of all arguments and variables */
};

enum program_end {
    PROGRAM_EXITED,      /* code: the exit status */
    PROGRAM_SIGNALED,    /* code: the signal */
    PROGRAM_NOT_STARTED, /* code: a positive errno value */
    PROGRAM_NO_ROOM,     /* others have run for `room_wait`, or it was ended before its turn */
    PROGRAM_LOST,        /* the spawner has died: nobody knows what became of the program */
    PROGRAM_NO_SPAWNER   /* nothing was started: see spawner_problem() */
};

/* Where so many run that it has to wait for its turn, it waits at most for so long. */
#define PROGRAM_ROOM_WAIT (30 * MS_SECOND)

struct program_result {
    enum program_end end;
    int code;
    duration_ms timed_out;    /* it was ended because this time was up; 0: it was not */
    bool flooded;             /* it was ended because it wrote too much */
    bool output_cut;          /* `output` is only the last part */
    const struct buf *output; /* standard output; may hold secrets */
    const struct buf *errors; /* standard error, likewise */
};

struct program;
typedef void program_done(void *context, const struct program_result *result);

/* All borrowed until program_start() returns. */
struct program_request {
    const char *const *arguments;   /* ends with NULL; [0] is an absolute path */
    const char *const *environment; /* ends with NULL; "NAME=value" */
    const void *input;              /* for its standard input, which is closed after that */
    size_t input_length;            /* at most PROGRAM_INPUT_MAX */
    duration_ms timeout;            /* the group is ended after it, from its start on; 0: never */
    duration_ms room_wait;          /* 0: PROGRAM_ROOM_WAIT */
    bool uses_reserve; /* those that hang cannot keep it from its turn: see spawner.h */
};

/* Starts it, and calls done(context, result) once, from the loop, when it has ended. The result is
 * valid during that call; the handle is valid until then. The spawner may be NULL. */
struct program *program_start(struct spawner *spawner, struct loop *loop,
                              const struct program_request *request, program_done *done,
                              void *context);

/* Ends the process group: SIGTERM, and SIGKILL two seconds later. done() follows. */
void program_kill(struct program *program);

#endif
