#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_TOKEN_LIFETIME 3599
#define MAX_TOKEN_LIFETIME     864000

static const char usage[] =
    "usage: azuresim --dir DIR [--port N] [--imds-port N] [--seed N] [--token-lifetime SECONDS]\n";

static bool read_number(const char *name, const char *text, uint64_t maximum, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || *number > maximum) {
        fprintf(stderr, "azuresim: --%s: '%s' is not a number from 0 to %llu\n", name, text,
                (unsigned long long)maximum);
        return false;
    }
    return true;
}

bool options_parse(struct options *options, int argc, char **argv)
{
    static const struct option table[] = {
        {"dir", required_argument, NULL, 'd'},
        {"port", required_argument, NULL, 'p'},
        {"imds-port", required_argument, NULL, 'i'},
        {"seed", required_argument, NULL, 's'},
        {"token-lifetime", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    uint64_t port = 0, imds_port = 0, lifetime = DEFAULT_TOKEN_LIFETIME;
    bool valid = true;
    int option;

    *options = (struct options){.seed = 1};
    while (valid && (option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == 'd')
            options->dir = optarg;
        else if (option == 'p')
            valid = read_number("port", optarg, UINT16_MAX, &port);
        else if (option == 'i')
            valid = read_number("imds-port", optarg, UINT16_MAX, &imds_port);
        else if (option == 's')
            valid = read_number("seed", optarg, UINT64_MAX, &options->seed);
        else if (option == 't')
            valid = read_number("token-lifetime", optarg, MAX_TOKEN_LIFETIME, &lifetime);
        else
            valid = false;
    }
    if (!valid || !options->dir || optind != argc || lifetime == 0) {
        fputs(usage, stderr);
        return false;
    }
    options->port = (uint16_t)port;
    options->imds_port = (uint16_t)imds_port;
    options->token_lifetime = (unsigned)lifetime;
    return true;
}
