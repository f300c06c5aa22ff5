/* Commands of Redis' protocol (redis.io/docs/reference/protocol-spec): an array of bulk strings, or
 * words on one line. */
#ifndef AZURESIM_RESP_H
#define AZURESIM_RESP_H

#include <stdbool.h>
#include <stddef.h>

#define RESP_MAX_LENGTH 4096
#define RESP_MAX_WORDS  8

struct resp_command {
    char *words[RESP_MAX_WORDS];
    size_t count;
    size_t length; /* bytes that it took */
};

enum resp_state { RESP_WHOLE, RESP_MORE, RESP_WRONG };

/* Reads the command at the beginning of LENGTH BYTES; resp_done() is due where it is whole. */
enum resp_state resp_parse(const char *bytes, size_t length, struct resp_command *command);

void resp_done(struct resp_command *command);

#endif
