#include "app/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: keyrotated [OPTION...]\n"
    "       keyrotated --check [--quiet | --json] [ACCOUNT...]\n"
    "Rotates the shared keys of Azure Batch accounts without breaking a consumer.\n"
    "\n"
    "  -c, --config FILE      the configuration (default " KEYROTATED_SYSCONFDIR
    "/keyrotated/keyrotated.yaml)\n"
    "      --check            check and explain the configuration, exit\n"
    "      --quiet            with --check: print only mistakes and warnings\n"
    "      --json             with --check: print the explanation as JSON\n"
    "      --once             do what is due, wait until it is done, exit (for cron and pods)\n"
    "      --timeout DURATION how long --once waits at most (default 10m)\n"
    "      --log-format F     auto, journal, logfmt or json (default: as configured)\n"
    "      --log-level L      error, warning, notice, info or debug (default: as configured)\n"
    "      --version          print the version\n"
    "      --help             print this\n"
    "\n"
    "Exit status: 0 all is well; 64 usage; 69 something stayed undone (--once); 70 internal "
    "error;\n"
    "73 the journal cannot be written or is newer; 75 another process holds the journal;\n"
    "78 the configuration is wrong, or asks for what the machine lacks.\n"
    "\n"
    "See keyrotated(8) and keyrotated.yaml(5).\n";

enum {
    OPTION_CHECK = 256,
    OPTION_QUIET,
    OPTION_JSON,
    OPTION_ONCE,
    OPTION_TIMEOUT,
    OPTION_FORMAT,
    OPTION_LEVEL,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"json", no_argument, NULL, OPTION_JSON},
    {"once", no_argument, NULL, OPTION_ONCE},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"log-format", required_argument, NULL, OPTION_FORMAT},
    {"log-level", required_argument, NULL, OPTION_LEVEL},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static bool log_format_from_name(const char *name, enum log_format *ret_format)
{
    static const char *const names[] = {
        [LOG_FORMAT_AUTO] = "auto",
        [LOG_FORMAT_JOURNAL] = "journal",
        [LOG_FORMAT_LOGFMT] = "logfmt",
        [LOG_FORMAT_JSON] = "json",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_format = (enum log_format)i;
            return true;
        }
    }
    return false;
}

static bool mistake(int *ret_status, const char *what, const char *value)
{
    fprintf(stderr, "keyrotated: %s%s\nTry 'keyrotated --help'.\n", what, value);
    *ret_status = STATUS_USAGE;
    return false;
}

/* One option. False: exit with *ret_status. */
static bool take_option(int option, struct options *options, int *ret_status)
{
    switch (option) {
    case 'c':
        options->config_path = optarg;
        return true;
    case OPTION_CHECK:
        options->check = true;
        return true;
    case OPTION_QUIET:
        options->quiet = true;
        return true;
    case OPTION_JSON:
        options->json = true;
        return true;
    case OPTION_ONCE:
        options->once = true;
        return true;
    case OPTION_TIMEOUT:
        if (!duration_parse(optarg, &options->once_timeout))
            return mistake(ret_status, "--timeout wants a duration such as 10m, not ", optarg);
        return true;
    case OPTION_FORMAT:
        options->has_log_format = true;
        if (!log_format_from_name(optarg, &options->log_format))
            return mistake(ret_status, "--log-format is auto, journal, logfmt or json, not ",
                           optarg);
        return true;
    case OPTION_LEVEL:
        options->has_log_level = true;
        if (!log_level_from_name(optarg, &options->log_level))
            return mistake(ret_status, "--log-level is error, warning, notice, info or debug, not ",
                           optarg);
        return true;
    case OPTION_VERSION:
        printf("keyrotated %s\n", KEYROTATED_VERSION);
        *ret_status = STATUS_OK;
        return false;
    case OPTION_HELP:
        fputs(usage, stdout);
        *ret_status = STATUS_OK;
        return false;
    default: /* getopt_long() has said what is wrong */
        return mistake(ret_status, "invalid option", "");
    }
}

bool options_parse(int argc, char **argv, struct options *options, int *ret_status)
{
    int option;

    *options = (struct options){
        .config_path = KEYROTATED_SYSCONFDIR "/keyrotated/keyrotated.yaml",
        .once_timeout = 10 * MS_MINUTE,
    };
    while ((option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1)
        if (!take_option(option, options, ret_status))
            return false;
    if (optind < argc && !options->check)
        return mistake(ret_status, "unexpected argument: ", argv[optind]);
    if ((options->quiet || options->json) && !options->check)
        return mistake(ret_status, "--quiet and --json go with --check", "");
    options->accounts = argv + optind;
    options->account_count = (size_t)(argc - optind);
    return true;
}

static const char *variable(const char *name)
{
    return getenv(name);
}

void environment_read(struct config_environment *environment)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    *environment = (struct config_environment){
        .state_directory = getenv("STATE_DIRECTORY"),
        .runtime_directory = getenv("RUNTIME_DIRECTORY"),
        .now = time_wall(),
        .variable = variable,
    };
    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
        if (getenv(proxies[i]))
            environment->proxy_variables_set = true;
}
