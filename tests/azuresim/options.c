#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cloud.h"

#define DEFAULT_TOKEN_LIFETIME 3599
#define MAX_TOKEN_LIFETIME     864000
#define STATUS_USAGE           2

static const char usage[] =
    "Usage: azuresim --dir DIR [OPTION...]\n"
    "Serves a pretended Azure on 127.0.0.1 until SIGTERM or SIGINT, and forgets it then.\n"
    "\n"
    "  --dir DIR                 where ca.pem, azuresim.json and truth.jsonl are written\n"
    "  --port N                  of Entra ID, Resource Manager, Batch and Key Vault, by TLS\n"
    "                            (default 0: one that is free)\n"
    "  --imds-port N             of the metadata service, without TLS (default 0, likewise)\n"
    "  --account NAME            make a Batch account: /subscriptions/" OPTIONS_SUBSCRIPTION
    "/resourceGroups/" OPTIONS_GROUP
    "/providers/Microsoft.Batch/batchAccounts/NAME\n"
    "  --cloud NAME              answer to the names of AzureCloud, AzureChinaCloud,\n"
    "                            AzureUSGovernment or AzureStackHub\n"
    "  --token-lifetime SECONDS  of access tokens (default 3599)\n"
    "  --seed N                  of the dice behind the faults' probabilities (default 1)\n"
    "  --record                  write every request and answer, with keys and tokens, into\n"
    "                            DIR/exchanges.jsonl\n"
    "  --help                    print this\n"
    "\n"
    "tests/azuresim/README.md says what it can do besides.\n";

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

static bool read_cloud(const char *name)
{
    if (cloud_choose(name))
        return true;
    fprintf(stderr, "azuresim: --cloud: '%s' is none that it can be\n", name);
    return false;
}

static bool print_help(int *ret_status)
{
    fputs(usage, stdout);
    *ret_status = 0;
    return false;
}

bool options_parse(struct options *options, int argc, char **argv, int *ret_status)
{
    static const struct option table[] = {
        {"account", required_argument, NULL, 'a'},
        {"cloud", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"dir", required_argument, NULL, 'd'},
        {"port", required_argument, NULL, 'p'},
        {"imds-port", required_argument, NULL, 'i'},
        {"record", no_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},
        {"token-lifetime", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    uint64_t port = 0, imds_port = 0, lifetime = DEFAULT_TOKEN_LIFETIME;
    bool valid = true;
    int option;

    *ret_status = STATUS_USAGE;
    *options = (struct options){.seed = 1};
    while (valid && (option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == 'd')
            options->dir = optarg;
        else if (option == 'c')
            valid = read_cloud(optarg);
        else if (option == 'a')
            options->account = optarg;
        else if (option == 'p')
            valid = read_number("port", optarg, UINT16_MAX, &port);
        else if (option == 'i')
            valid = read_number("imds-port", optarg, UINT16_MAX, &imds_port);
        else if (option == 's')
            valid = read_number("seed", optarg, UINT64_MAX, &options->seed);
        else if (option == 't')
            valid = read_number("token-lifetime", optarg, MAX_TOKEN_LIFETIME, &lifetime);
        else if (option == 'r')
            options->record = true;
        else if (option == 'h')
            return print_help(ret_status);
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
