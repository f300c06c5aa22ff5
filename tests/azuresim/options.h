/* The command line. */
#ifndef AZURESIM_OPTIONS_H
#define AZURESIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *dir;         /* where ca.pem, azuresim.json and truth.jsonl are written */
    uint16_t port;           /* of the HTTPS faces; 0: the kernel chooses */
    uint16_t imds_port;      /* 0: the kernel chooses */
    uint64_t seed;           /* of the dice behind the faults' probabilities */
    unsigned token_lifetime; /* seconds */
};

/* Reads the arguments; strings point into ARGV. Complains on stderr and returns false where they
 * are wrong. */
bool options_parse(struct options *options, int argc, char **argv);

#endif
