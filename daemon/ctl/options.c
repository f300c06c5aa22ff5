#include "ctl/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/str.h"
#include "ctl/complain.h"
#include "proto/remedy.h"

enum {
    OPTION_SOCKET = 1U << 0,
    OPTION_JSON = 1U << 1,
    OPTION_HELP = 1U << 2,
    OPTION_VERSION = 1U << 3,
    OPTION_ALL = 1U << 4,
    OPTION_WAIT = 1U << 5,
    OPTION_DRY_RUN = 1U << 6,
    OPTION_TARGET = 1U << 7,
    OPTION_FOR = 1U << 8,
    OPTION_UNTIL = 1U << 9,
    OPTION_REASON = 1U << 10,
    OPTION_ACTIVE = 1U << 11,
    OPTION_YES = 1U << 12,
    OPTION_LIST = 1U << 13,
    OPTION_HOLD = 1U << 14,
    OPTION_FILE = 1U << 15,
    OPTION_TIMEOUT = 1U << 16,
    OPTIONS_GENERAL = OPTION_SOCKET | OPTION_JSON | OPTION_HELP | OPTION_VERSION,
    OPTION_CODE_BASE = 0x1000000 /* keeps getopt's codes apart from characters */
};

#define CODE(option) (OPTION_CODE_BASE + (int)(option))

static const struct option long_options[] = {
    {"socket", required_argument, NULL, CODE(OPTION_SOCKET)},
    {"json", no_argument, NULL, CODE(OPTION_JSON)},
    {"help", no_argument, NULL, CODE(OPTION_HELP)},
    {"version", no_argument, NULL, CODE(OPTION_VERSION)},
    {"all", no_argument, NULL, CODE(OPTION_ALL)},
    {"wait", no_argument, NULL, CODE(OPTION_WAIT)},
    {"dry-run", no_argument, NULL, CODE(OPTION_DRY_RUN)},
    {"target", required_argument, NULL, CODE(OPTION_TARGET)},
    {"for", required_argument, NULL, CODE(OPTION_FOR)},
    {"until", required_argument, NULL, CODE(OPTION_UNTIL)},
    {"reason", required_argument, NULL, CODE(OPTION_REASON)},
    {"active", required_argument, NULL, CODE(OPTION_ACTIVE)},
    {"yes", no_argument, NULL, CODE(OPTION_YES)},
    {"list", no_argument, NULL, CODE(OPTION_LIST)},
    {"hold", required_argument, NULL, CODE(OPTION_HOLD)},
    {"file", required_argument, NULL, CODE(OPTION_FILE)},
    {"timeout", required_argument, NULL, CODE(OPTION_TIMEOUT)},
    {0},
};

static const struct ctl_command commands[] = {
    {"status", "[ACCOUNT...] [--all]", "what is not well, or everything about the accounts",
     OPTION_ALL, 0, CONTROL_NAMED_MAX, ctl_status},
    {"rotate", "ACCOUNT... [--wait [--timeout DURATION]] [--dry-run]",
     "rotate now, whatever the window; --wait: until it is done, 10m at most by default",
     OPTION_WAIT | OPTION_TIMEOUT | OPTION_DRY_RUN, 1, CONTROL_NAMED_MAX, ctl_rotate},
    {"redeliver", "ACCOUNT... [--target TARGET]", "deliver the active key again, without rotating",
     OPTION_TARGET, 1, CONTROL_NAMED_MAX, ctl_redeliver},
    {"adopt", "ACCOUNT --active primary|secondary [--yes] | --file FILE [--yes]",
     "say which key the consumers use, where nothing else does; FILE: for many accounts",
     OPTION_ACTIVE | OPTION_YES | OPTION_FILE, 0, 1, ctl_adopt},
    {"hold", "ACCOUNT...|--all (--for DURATION|--until TIME) --reason TEXT | --list",
     "pause, with an end: accounts, or all, also those to come; or list what is held",
     OPTION_ALL | OPTION_FOR | OPTION_UNTIL | OPTION_REASON | OPTION_LIST, 0, CONTROL_NAMED_MAX,
     ctl_hold},
    {"resume", "ACCOUNT...|--all|--hold ID",
     "end the holds put on accounts by name, those of --all, or one", OPTION_ALL | OPTION_HOLD, 0,
     CONTROL_NAMED_MAX, ctl_resume},
    {"unblock", "ACCOUNT...", "clear another_rotator, or targets_disagree", 0, 1, CONTROL_NAMED_MAX,
     ctl_unblock},
    {"check", "ACCOUNT...|--all", "look now, and repair what a look may repair", OPTION_ALL, 0,
     CONTROL_NAMED_MAX, ctl_check},
    {"reload", "[--dry-run]",
     "read the configuration again, and say what came of it, or would come", OPTION_DRY_RUN, 0, 0,
     ctl_reload},
    {.name = "plan"},
    {.name = "history"},
    {.name = "revoke"},
    {.name = "identify"},
    {.name = "doctor"},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *out)
{
    fputs(
        "Usage: keyrotatectl [--socket PATH] [--json] COMMAND [ACCOUNT...] [OPTION...]\n"
        "Asks and tells keyrotated, which rotates the keys of Azure Batch accounts.\n\n",
        out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].synopsis)
            fprintf(out, "  %s %s\n          %s\n", commands[i].name, commands[i].synopsis,
                    commands[i].summary);
    }
    fputs("\n  --socket PATH  the daemon's control socket (default " CONTROL_SOCKET_DEFAULT
          ")\n"
          "  --json         answer as the daemon does, for programs\n"
          "  --version      print the version\n"
          "  --help         print this\n\n"
          "ACCOUNT is a name where it is unique, group/name, or a resource id.\n"
          "DURATION is written 90s, 15m, 12h, 30d or 2w; TIME 2026-11-22T12:00:00Z, or\n"
          "2026-11-22 or \"2026-11-22 14:00\" in the local time zone.\n\n"
          "Exit status: 0 done; 1 not done; 2 refused; 3 the daemon cannot be reached; 64 usage;\n"
          "77 not permitted. Of status: 0 all well; 1 something retrying or held; 2 something\n"
          "blocked, overdue, or with consumers at risk; 3 the daemon cannot be reached.\n",
          out);
}

static enum ctl_exit complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static enum ctl_exit complain(const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return ctl_complain(CTL_USAGE, "%s (--help shows how)", message);
}

bool ctl_parse_instant(const char *text, time_ms *ret_at)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"};

    if (date_from_rfc3339(text, ret_at))
        return true;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm civil = {.tm_isdst = -1};
        const char *rest = strptime(text, forms[i], &civil);
        time_t seconds;

        if (!rest || *rest != '\0')
            continue;
        seconds = mktime(&civil);
        if (seconds == (time_t)-1)
            return false;
        *ret_at = (time_ms)seconds * MS_SECOND;
        return true;
    }
    return false;
}

/* A time without a zone is one of the local clock: which zone that was, and what came of it. */
static void say_zone(const char *text, time_ms at)
{
    const time_t seconds = (time_t)(at / MS_SECOND);
    char utc[DATE_TEXT_MAX];
    struct tm civil;

    if (localtime_r(&seconds, &civil))
        fprintf(stderr, "keyrotatectl: --until %s is read in the local time zone, %s: %s\n", text,
                civil.tm_zone, date_to_rfc3339(at, utc));
}

static enum ctl_exit set_hold_end(struct ctl_options *options, bool is_duration, const char *text,
                                  time_ms now)
{
    duration_ms duration;

    if (options->until != TIME_NEVER)
        return complain("--for and --until: one of them, once");
    if (!is_duration && !ctl_parse_instant(text, &options->until))
        return complain("--until %s: a time such as 2026-11-22T12:00:00Z was expected", text);
    if (is_duration) {
        if (!duration_parse(text, &duration) || duration <= 0)
            return complain("--for %s: a duration such as 12h or 30d was expected", text);
        options->until = time_add(now, duration);
    }
    if (!is_duration && !date_from_rfc3339(text, &(time_ms){0}))
        say_zone(text, options->until);
    return options->until > now ? CTL_DONE : complain("--until %s has passed already", text);
}

static enum ctl_exit set_timeout(struct ctl_options *options, const char *text)
{
    if (!duration_parse(text, &options->timeout) || options->timeout <= 0)
        return complain("--timeout %s: a duration such as 90s or 1h was expected", text);
    return CTL_DONE;
}

static enum ctl_exit set_hold_id(struct ctl_options *options, const char *text)
{
    int64_t id;

    if (options->hold != 0)
        return complain("--hold: one of them, once");
    if (!str_to_int64(text, &id) || id <= 0)
        return complain("--hold %s: the id of a hold was expected, as hold --list shows it", text);
    options->hold = (uint64_t)id;
    return CTL_DONE;
}

static enum ctl_exit set_option(struct ctl_options *options, unsigned option, const char *value,
                                time_ms now)
{
    switch (option) {
    case OPTION_SOCKET:
        options->socket = value;
        break;
    case OPTION_JSON:
        options->json = true;
        break;
    case OPTION_ALL:
        options->all = true;
        break;
    case OPTION_WAIT:
        options->wait = true;
        break;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        break;
    case OPTION_YES:
        options->yes = true;
        break;
    case OPTION_LIST:
        options->list = true;
        break;
    case OPTION_HOLD:
        return set_hold_id(options, value);
    case OPTION_TIMEOUT:
        return set_timeout(options, value);
    case OPTION_TARGET:
        options->target = value;
        break;
    case OPTION_FILE:
        options->file = value;
        break;
    case OPTION_REASON:
        if (*value == '\0' || strlen(value) >= CONTROL_TEXT_MAX)
            return complain("--reason: between 1 and %d bytes", CONTROL_TEXT_MAX - 1);
        options->reason = value;
        break;
    case OPTION_ACTIVE:
        options->active = str_equal_nocase(value, "primary")     ? "primary"
                          : str_equal_nocase(value, "secondary") ? "secondary"
                                                                 : NULL;
        if (!options->active)
            return complain("--active %s: primary or secondary was expected", value);
        break;
    default:
        return set_hold_end(options, option == OPTION_FOR, value, now);
    }
    return CTL_DONE;
}

static enum ctl_exit find_command(const char *name, const struct ctl_command **ret_command)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    const char *nearest;
    size_t available = 0;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].synopsis)
            names[available++] = commands[i].name;
        if (strcmp(commands[i].name, name) != 0)
            continue;
        *ret_command = &commands[i];
        return commands[i].synopsis ? CTL_DONE
                                    : complain("%s is not available in this version", name);
    }
    nearest = str_nearest(name, names);
    if (nearest)
        return complain("there is no command %s; did you mean %s?", name, nearest);
    return complain("there is no command %s", name);
}

static bool takes_separate_value(const char *argument)
{
    for (size_t i = 0; long_options[i].name; i++)
        if (long_options[i].has_arg == required_argument &&
            strcmp(argument + 2, long_options[i].name) == 0)
            return true;
    return false;
}

/* Commands to come have options that are unknown yet: what is wrong with those is the command. */
static enum ctl_exit refuse_command_to_come(int argc, char **argv)
{
    const struct ctl_command *command;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            i += takes_separate_value(argv[i]) ? 1 : 0;
            continue;
        }
        for (size_t c = 0; c < COMMAND_COUNT; c++)
            if (!commands[c].synopsis && strcmp(commands[c].name, argv[i]) == 0)
                return find_command(argv[i], &command);
        return CTL_DONE;
    }
    return CTL_DONE;
}

static const char *option_name(unsigned option)
{
    for (size_t i = 0; long_options[i].name; i++)
        if (long_options[i].val == CODE(option))
            return long_options[i].name;
    return "";
}

/* hold --list */
static enum ctl_exit check_list(const struct ctl_options *options, unsigned given)
{
    if ((given & ~(unsigned)(OPTION_LIST | OPTIONS_GENERAL)) != 0 || options->account_count > 0)
        return complain("hold --list stands alone: it lists every hold");
    return CTL_DONE;
}

static enum ctl_exit check(const struct ctl_options *options, unsigned given)
{
    const struct ctl_command *command = options->command;
    const unsigned misplaced = given & ~(command->options | OPTIONS_GENERAL);

    if (misplaced != 0)
        return complain("%s has no option --%s", command->name,
                        option_name(misplaced & -misplaced));
    if (options->account_count > command->accounts_max)
        return complain("%s %s", command->name,
                        command->accounts_max == 0 ? "takes no account" : "takes fewer accounts");
    if (options->account_count < command->accounts_min)
        return complain("%s needs an account", command->name);
    for (size_t i = 0; i < options->account_count; i++)
        if (options->accounts[i][0] == '\0' || strlen(options->accounts[i]) > CONTROL_ACCOUNT_MAX)
            return complain("an account's name is empty or too long");
    if (options->all && options->account_count > 0)
        return complain("--all, or accounts: not both");
    if ((given & OPTION_TIMEOUT) && !options->wait)
        return complain("--timeout is how long --wait waits: it needs --wait");
    if (options->list)
        return check_list(options, given);
    if (options->hold != 0)
        return options->all || options->account_count > 0
                   ? complain("--hold names one hold: it stands alone")
                   : CTL_DONE;
    if (command->run != ctl_status && (command->options & OPTION_ALL) && !options->all &&
        options->account_count == 0)
        return complain("%s needs an account, or --all", command->name);
    if (command->run == ctl_adopt && options->file)
        return options->active || options->account_count > 0
                   ? complain("adopt --file: the file says which accounts, and which key")
                   : CTL_DONE;
    if (command->run == ctl_adopt && options->account_count == 0)
        return complain("adopt needs an account, or --file FILE");
    if (command->run == ctl_adopt && !options->active)
        return complain("adopt needs --active primary or --active secondary");
    if (command->run == ctl_hold && options->until == TIME_NEVER)
        return complain("hold needs an end: --for DURATION or --until TIME");
    if (command->run == ctl_hold && !options->reason)
        return complain("hold needs a --reason, for those who find the account held");
    return CTL_DONE;
}

/* The first argument that is no option is the command. */
static enum ctl_exit take_command(struct ctl_options *options)
{
    enum ctl_exit result;

    if (options->account_count == 0)
        return complain("a command was expected");
    result = find_command(options->accounts[0], &options->command);
    options->accounts++;
    options->account_count--;
    return result;
}

/* Before the command line is understood: what is wrong with it is to be told in JSON, too. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

enum ctl_exit ctl_options_parse(int argc, char **argv, time_ms now, struct ctl_options *options)
{
    unsigned given = 0;
    enum ctl_exit result;
    int rc;

    *options = (struct ctl_options){.until = TIME_NEVER, .timeout = 10 * MS_MINUTE};
    if (wants_json(argc, argv))
        ctl_complain_in_json();
    result = refuse_command_to_come(argc, argv);
    if (result != CTL_DONE)
        return result;
    optind = 0;
    opterr = 0; /* what it prints by itself is no JSON */
    while ((rc = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        const unsigned option = (unsigned)(rc - OPTION_CODE_BASE);

        if (rc < OPTION_CODE_BASE)
            return complain(rc == ':' ? "%s needs a value"
                                      : "option %s is not known, is ambiguous, or takes no value",
                            argv[optind - 1]);
        if (option == OPTION_HELP) {
            print_usage(stdout);
            return CTL_DONE;
        }
        if (option == OPTION_VERSION) {
            puts("keyrotatectl " KEYROTATED_VERSION);
            return CTL_DONE;
        }
        given |= option;
        result = set_option(options, option, optarg, now);
        if (result != CTL_DONE)
            return result;
    }
    options->accounts = argv + optind;
    options->account_count = (size_t)(argc - optind);
    result = take_command(options);
    if (result == CTL_DONE)
        result = check(options, given);
    if (result != CTL_DONE)
        options->command = NULL;
    return result;
}
