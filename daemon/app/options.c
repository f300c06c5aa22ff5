#include "app/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "conf/schema.h"

static const char usage[] =
    "Usage: keyrotated [OPTION...]\n"
    "       keyrotated --check [--quiet | --json] [ACCOUNT...]\n"
    "       keyrotated --print-role [--identity NAME] [--scope SCOPE] [[--accounts] ACCOUNT...]\n"
    "Rotates the shared keys of Azure resources without breaking a consumer.\n"
    "\n"
    "  -c, --config FILE      the configuration (default " KEYROTATED_SYSCONFDIR
    "/keyrotated/keyrotated.yaml)\n"
    "      --check            check and explain the configuration, exit\n"
    "      --quiet            with --check: print only mistakes and warnings\n"
    "      --json             with --check: print the explanation as JSON\n"
    "      --print-role       print the smallest role of Azure that the configuration needs, exit\n"
    "      --identity NAME    with --print-role: of this identity (default: the only one)\n"
    "      --scope SCOPE      with --print-role: where the role can be assigned; may be repeated\n"
    "                         (default: the resource groups and subscriptions of the accounts)\n"
    "      --accounts         with --print-role: for the accounts that follow (default: all)\n"
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

/* What getopt_long() sets, besides the options with values. */
enum { HELP = 1, VERSION };

enum { OPTIONS_KNOWN_MAX = 32 };

static bool mistake(int *ret_status, const char *what, const char *value)
{
    fprintf(stderr, "keyrotated: %s%s\nTry 'keyrotated --help'.\n", what, value);
    *ret_status = STATUS_USAGE;
    return false;
}

/* A word that the key `name` of `log` may have in the configuration. */
static bool take_word(const char *name, const char *word, bool *ret_has, int *ret_value)
{
    *ret_has = true;
    return schema_choice_value(schema_key(&schema_log, name)->choices, word, ret_value);
}

/* One option with a value. False: exit with *ret_status. */
static bool take_value(int option, struct options *options, int *ret_status)
{
    int word = 0;

    switch (option) {
    case 'c':
        options->config_path = optarg;
        return true;
    case 't':
        options->has_timeout = true;
        return duration_parse(optarg, &options->once_timeout) ||
               mistake(ret_status, "--timeout wants a duration such as 10m, not ", optarg);
    case 'f':
        if (!take_word("format", optarg, &options->has_log_format, &word))
            return mistake(ret_status, "--log-format is auto, journal, logfmt or json, not ",
                           optarg);
        options->log_format = (enum log_format)word;
        return true;
    case 'l':
        if (!take_word("level", optarg, &options->has_log_level, &word))
            return mistake(ret_status, "--log-level is error, warning, notice, info or debug, not ",
                           optarg);
        options->log_level = (enum log_level)word;
        return true;
    case 'i':
        options->identity = optarg;
        return true;
    case 's':
        if (options->scope_count == OPTIONS_SCOPES_MAX)
            return mistake(ret_status, "too many times: --scope ", optarg);
        options->scopes[options->scope_count++] = optarg;
        return *optarg == '/' ||
               mistake(ret_status,
                       "--scope wants the id of a subscription, a resource group or a "
                       "management group, which begins with '/', not ",
                       optarg);
    default: /* refuse_option() is for the others */
        return false;
    }
}

/* What getopt_long() could not take: '?', or ':' where the value is missing. */
static bool refuse_option(int answer, const char *typed, const struct option *known,
                          int *ret_status)
{
    const char *names[OPTIONS_KNOWN_MAX + 1] = {NULL};
    const char *nearest;

    if (answer == ':')
        return mistake(ret_status, "a value is missing behind ", typed);
    for (size_t i = 0; i < OPTIONS_KNOWN_MAX && known[i].name; i++)
        names[i] = known[i].name;
    nearest = str_starts_with(typed, "--") ? str_nearest(typed + 2, names) : NULL;
    if (!nearest || str_equal(typed + 2, nearest))
        return mistake(ret_status, "not known, ambiguous, or without a value: ", typed);
    fprintf(stderr,
            "keyrotated: there is no option %s; did you mean --%s?\nTry 'keyrotated --help'.\n",
            typed, nearest);
    *ret_status = STATUS_USAGE;
    return false;
}

/* Do the options go together, and does each have the one that it belongs to? */
static bool go_together(const struct options *options, bool says_accounts, int *ret_status)
{
    const bool prints = options->check || options->print_role;
    const bool is_of_role = options->identity || options->scope_count > 0 || says_accounts;
    const struct {
        bool clash;
        const char *problem, *value;
    } rules[] = {
        {options->check && options->print_role, "give either --check or --print-role", ""},
        {options->once && prints,
         "--once rotates, --check and --print-role only print: give one of them", ""},
        {options->has_timeout && !options->once, "--timeout goes with --once", ""},
        {(options->has_log_format || options->has_log_level) && prints,
         "--check and --print-role write no log: leave out --log-format and --log-level", ""},
        {options->account_count > 0 && !prints,
         "unexpected argument: ", options->account_count > 0 ? options->accounts[0] : ""},
        {(options->quiet || options->json) && !options->check, "--quiet and --json go with --check",
         ""},
        {options->quiet && options->json, "give either --quiet or --json", ""},
        {is_of_role && !options->print_role,
         "--identity, --scope and --accounts go with --print-role", ""},
        {says_accounts && options->account_count == 0,
         "--accounts wants the names of accounts behind it", ""},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].clash)
            return mistake(ret_status, rules[i].problem, rules[i].value);
    return true;
}

bool options_parse(int argc, char **argv, struct options *options, int *ret_status)
{
    int check = 0, quiet = 0, json = 0, role = 0, accounts = 0, once = 0, answer = 0, option;
    const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, &check, true},
        {"quiet", no_argument, &quiet, true},
        {"json", no_argument, &json, true},
        {"print-role", no_argument, &role, true},
        {"identity", required_argument, NULL, 'i'},
        {"scope", required_argument, NULL, 's'},
        {"accounts", no_argument, &accounts, true},
        {"once", no_argument, &once, true},
        {"timeout", required_argument, NULL, 't'},
        {"log-format", required_argument, NULL, 'f'},
        {"log-level", required_argument, NULL, 'l'},
        {"version", no_argument, &answer, VERSION},
        {"help", no_argument, &answer, HELP},
        {0},
    };

    *options = (struct options){
        .config_path = KEYROTATED_SYSCONFDIR "/keyrotated/keyrotated.yaml",
        .once_timeout = 10 * MS_MINUTE,
    };
    opterr = 0; /* getopt_long() would call the program by its path */
    while (answer == 0 && (option = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return refuse_option(option, argv[optind - 1], long_options, ret_status);
        if (option != 0 && !take_value(option, options, ret_status))
            return false;
    }
    if (answer != 0) {
        fputs(answer == HELP ? usage : "keyrotated " KEYROTATED_VERSION "\n", stdout);
        *ret_status = STATUS_OK;
        return false;
    }
    options->print_role = role;
    options->check = check;
    options->quiet = quiet;
    options->json = json;
    options->once = once;
    options->accounts = argv + optind;
    options->account_count = (size_t)(argc - optind);
    return go_together(options, accounts, ret_status);
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
