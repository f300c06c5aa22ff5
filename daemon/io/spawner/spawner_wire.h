/*
 * The messages between the daemon and its spawner. Both are one program, so the structures
 * themselves are sent, one message in each packet.
 */
#ifndef KEYROTATED_IO_SPAWNER_SPAWNER_WIRE_H
#define KEYROTATED_IO_SPAWNER_SPAWNER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/spawner/program.h"

enum spawner_verb { SPAWNER_VERB_START = 1, SPAWNER_VERB_KILL };

/* In this order: standard input, output, error. */
enum { SPAWNER_DESCRIPTORS = 3 };

/* To the spawner. A start is followed by the arguments and the variables, each ended by NUL, and
 * comes with the descriptors. */
struct spawner_order {
    uint32_t verb;
    uint32_t argument_count;
    uint32_t variable_count;
    uint32_t unused;
    uint64_t id;
};

enum { SPAWNER_ORDER_MAX = sizeof(struct spawner_order) + PROGRAM_TEXT_MAX };

/* From the spawner: a program has ended. */
struct spawner_report {
    uint64_t id;
    uint32_t end; /* enum program_end: EXITED, SIGNALED or NOT_STARTED */
    int32_t code;
};

/* Appends the message that starts a program. Returns 0, or -E2BIG where it has too many or too long
 * arguments or variables, or the error of the buffer. */
int spawner_wire_start(struct buf *out, uint64_t id, const char *const *arguments,
                       const char *const *environment);

/* The arguments and variables of a start, as pointers into the message. */
struct spawner_words {
    char *arguments[PROGRAM_WORDS_MAX + 1];
    char *variables[PROGRAM_WORDS_MAX + 1];
};

/* Returns false when the message is no complete start. */
bool spawner_wire_read(char *message, size_t length, struct spawner_words *words);

#endif
