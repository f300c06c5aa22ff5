/* The command line. */
#ifndef AZURESIM_OPTIONS_H
#define AZURESIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Where --account makes its account. */
#define OPTIONS_SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define OPTIONS_GROUP        "rg"

struct options {
    const char *dir;         /* where ca.pem, azuresim.json and truth.jsonl are written */
    uint16_t port;           /* of the HTTPS faces; 0: the kernel chooses */
    uint16_t imds_port;      /* 0: the kernel chooses */
    const char *account;     /* to be made at the start; NULL: none */
    uint64_t seed;           /* of the dice behind the faults' probabilities */
    unsigned token_lifetime; /* seconds */
    bool record;             /* whole exchanges, too: see record.h */
};

/* Reads the arguments; strings point into ARGV. Returns false where the program is to exit with
 * *RET_STATUS: they are wrong, which was said on stderr, or asked for help, which was printed. */
bool options_parse(struct options *options, int argc, char **argv, int *ret_status);

#endif
