#include "ctl/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/str.h"
#include "ctl/command_table.h"

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

/* Says in which zone a time without a zone was read, and which instant that is in UTC. */
static void say_zone(const char *option, const char *text, time_ms at)
{
    const time_t seconds = (time_t)(at / MS_SECOND);
    char utc[DATE_TEXT_MAX];
    struct tm civil;

    if (localtime_r(&seconds, &civil))
        fprintf(stderr, "keyrotatectl: %s %s is read in the local time zone, %s: %s\n", option,
                text, civil.tm_zone, date_to_rfc3339(at, utc));
}

/* --- the options --- */

static enum ctl_exit set_active(struct ctl_options *options, const char *value)
{
    options->request.active = control_slot_from_name(value);
    return options->request.active
               ? CTL_DONE
               : ctl_complain_of_use("--active %s: primary or secondary was expected", value);
}

static enum ctl_exit set_reason(struct ctl_options *options, const char *value)
{
    options->request.reason = value;
    return *value != '\0' && strlen(value) < CONTROL_TEXT_MAX
               ? CTL_DONE
               : ctl_complain_of_use("--reason: between 1 and %d bytes", CONTROL_TEXT_MAX - 1);
}

static enum ctl_exit set_hold(struct ctl_options *options, const char *value)
{
    int64_t id;

    if (options->request.hold != 0)
        return ctl_complain_of_use("--hold: one of them, once");
    if (!str_to_int64(value, &id) || id <= 0)
        return ctl_complain_of_use(
            "--hold %s: the id of a hold was expected, as hold --list shows it", value);
    options->request.hold = (uint64_t)id;
    return CTL_DONE;
}

static enum ctl_exit set_timeout(struct ctl_options *options, const char *value)
{
    return duration_parse(value, &options->timeout) && options->timeout > 0
               ? CTL_DONE
               : ctl_complain_of_use("--timeout %s: a duration such as 90s or 1h was expected",
                                     value);
}

static enum ctl_exit set_end(struct ctl_options *options, time_ms end, const char *value)
{
    if (options->request.until != TIME_NEVER)
        return ctl_complain_of_use("--for and --until: one of them, once");
    options->request.until = end;
    options->until = value;
    return CTL_DONE;
}

static enum ctl_exit set_for(struct ctl_options *options, const char *value)
{
    duration_ms duration;

    if (!duration_parse(value, &duration) || duration <= 0)
        return ctl_complain_of_use("--for %s: a duration such as 12h or 30d was expected", value);
    options->is_for = true;
    return set_end(options, time_add(options->now, duration), value);
}

static enum ctl_exit set_until(struct ctl_options *options, const char *value)
{
    duration_ms duration;
    time_ms end;

    options->until_is_distance = duration_parse(value, &duration) && duration > 0;
    if (options->until_is_distance)
        return set_end(options, time_add(options->now, duration), value);
    if (!ctl_parse_instant(value, &end))
        return ctl_complain_of_use(
            "--until %s: a time such as 2026-11-22T12:00:00Z, or 90d, was expected", value);
    if (!date_from_rfc3339(value, &(time_ms){0}))
        say_zone("--until", value, end);
    return set_end(options, end, value);
}

static enum ctl_exit set_since(struct ctl_options *options, const char *value)
{
    duration_ms duration;

    if (duration_parse(value, &duration) && duration > 0) {
        options->since = options->now - duration;
    } else if (!ctl_parse_instant(value, &options->since)) {
        return ctl_complain_of_use(
            "--since %s: a time such as 2026-11-22T12:00:00Z, or 90d ago, was expected", value);
    } else if (!date_from_rfc3339(value, &(time_ms){0})) {
        say_zone("--since", value, options->since);
    }
    options->since = options->since > 0 ? options->since : 0;
    return CTL_DONE;
}

/* --until of what was is past; of what comes, it is not. */
static enum ctl_exit check_times(struct ctl_options *options)
{
    time_ms *until = &options->request.until;

    if (*until == TIME_NEVER)
        return CTL_DONE;
    if (!(options->command->options & OPTION_SINCE))
        return *until > options->now
                   ? CTL_DONE
                   : ctl_complain_of_use("--until %s has passed already", options->until);
    if (options->is_for)
        return ctl_complain_of_use("%s has no option --for: say --since, and perhaps --until",
                                   options->command->name);
    if (options->until_is_distance)
        *until = options->now - (*until - options->now);
    return *until > options->since ? CTL_DONE
                                   : ctl_complain_of_use("--until has to be later than --since");
}

static enum ctl_exit set_word(const char **word, const char *name, const char *value)
{
    if (*word || *value == '\0' || strlen(value) > CONTROL_TEXT_MAX)
        return ctl_complain_of_use("--%s: one word, once", name);
    *word = value;
    return CTL_DONE;
}

static enum ctl_exit set_state(struct ctl_options *options, const char *value)
{
    return set_word(&options->state, "state", value);
}

static enum ctl_exit set_policy(struct ctl_options *options, const char *value)
{
    return set_word(&options->policy, "policy", value);
}

static enum ctl_exit print_help(struct ctl_options *options, const char *value)
{
    (void)value;
    options->answered = true;
    ctl_print_usage();
    return CTL_DONE;
}

static enum ctl_exit print_version(struct ctl_options *options, const char *value)
{
    (void)value;
    options->answered = true;
    puts("keyrotatectl " KEYROTATED_VERSION);
    return CTL_DONE;
}

enum { OPTION_CODE_BASE = 0x1000000 }; /* keeps getopt's codes apart from characters */

#define FLAG(member) .flag = offsetof(struct ctl_options, member)
#define TEXT(member) .has_value = true, .text = offsetof(struct ctl_options, member)

static const struct option_row {
    const char *name;
    unsigned bit;
    size_t flag; /* offset of the member that becomes true, */
    size_t text; /* or of the one that gets the value; 0: the option has set() */
    bool has_value;
    bool one_account; /* at most one account is named with it */
    enum ctl_exit (*set)(struct ctl_options *options, const char *value);
    const char *needed; /* where it is required: "hold needs …" */
    const char *alone;  /* may be combined only with --yes and general options: the error
                         * otherwise */
} rows[] = {
    {"socket", OPTION_GENERAL, TEXT(socket)},
    {"json", OPTION_GENERAL, FLAG(json)},
    {"help", OPTION_GENERAL, .set = print_help},
    {"version", OPTION_GENERAL, .set = print_version},
    {"all", OPTION_ALL, FLAG(all)},
    {"wait", OPTION_WAIT, FLAG(wait)},
    {"dry-run", PARAMETER_DRY_RUN, FLAG(request.dry_run)},
    {"target", PARAMETER_TARGET, TEXT(request.target)},
    {"for", PARAMETER_UNTIL, .has_value = true, .set = set_for,
     .needed = "an end: --for DURATION or --until TIME"},
    {"until", PARAMETER_UNTIL, .has_value = true, .set = set_until},
    {"since", OPTION_SINCE, .has_value = true, .set = set_since},
    {"failed", OPTION_FAILED, FLAG(failed)},
    {"csv", OPTION_CSV, FLAG(csv)},
    {"verify", OPTION_VERIFY, FLAG(verify)},
    {"reason", PARAMETER_REASON, .has_value = true, .set = set_reason,
     .needed = "a --reason, for those who find the account held"},
    {"active", PARAMETER_ACTIVE, .has_value = true, .one_account = true, .set = set_active,
     .needed = "--active primary or --active secondary"},
    {"yes", OPTION_YES, FLAG(yes)},
    {"list", OPTION_LIST, FLAG(list),
     .alone = "hold --list lists every hold: leave out everything else"},
    {"hold", PARAMETER_HOLD, .has_value = true, .set = set_hold,
     .alone = "--hold names one hold: leave out everything else"},
    {"file", OPTION_FILE, TEXT(file),
     .alone = "adopt --file: the file says which accounts, and which key"},
    {"state", OPTION_STATE, .has_value = true, .set = set_state},
    {"policy", OPTION_POLICY, .has_value = true, .set = set_policy},
    {"watch", OPTION_WATCH, FLAG(watch)},
    {"rule", OPTION_RULE, TEXT(rule),
     .alone = "adopt --rule confirms what the rule has adopted: leave out everything else"},
    {"timeout", OPTION_TIMEOUT, .has_value = true, .set = set_timeout},
    {"calendar", OPTION_CALENDAR, FLAG(calendar)},
    {"ics", OPTION_ICS, FLAG(ics)},
    {"scan", OPTION_SCAN, FLAG(scan)},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static bool takes_separate_value(const char *argument)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].has_value && strcmp(argument + 2, rows[i].name) == 0)
            return true;
    return false;
}

/* Reports a command of a later version as such, before getopt refuses its options as unknown. */
static enum ctl_exit refuse_command_to_come(int argc, char **argv)
{
    const struct ctl_command *command;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            i += takes_separate_value(argv[i]) ? 1 : 0;
            continue;
        }
        if (ctl_command_is_to_come(argv[i]))
            return ctl_command_find(argv[i], &command);
        return CTL_DONE;
    }
    return CTL_DONE;
}

static bool has(unsigned given, size_t row)
{
    return given & (1U << row);
}

/* Every required parameter was given. */
static enum ctl_exit check_required(const struct ctl_command *command, unsigned given_bits)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].needed && (command->required & ~given_bits & rows[i].bit))
            return ctl_complain_of_use("%s needs %s", command->name, rows[i].needed);
    return CTL_DONE;
}

/* Instead of accounts. */
static enum ctl_exit check_places(const struct ctl_options *options)
{
    if (options->scan)
        return options->account_count > 0
                   ? CTL_DONE
                   : ctl_complain_of_use("--scan needs a directory, or several");
    return options->account_count == 0
               ? CTL_DONE
               : ctl_complain_of_use(
                     "identify reads the key from standard input, never from an argument, "
                     "which whoever lists processes can read");
}

static enum ctl_exit check_accounts(const struct ctl_options *options, unsigned given)
{
    const struct ctl_command *command = options->command;
    size_t most = command->about & ABOUT_ACCOUNT ? CONTROL_NAMED_MAX : 0;

    if (command->options & OPTION_WORD)
        most = 1;

    if (command->options & OPTION_SCAN)
        return check_places(options);
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (has(given, i) && rows[i].one_account)
            most = 1;
    if (options->account_count > most)
        return ctl_complain_of_use("%s %s", command->name,
                                   most == 0                        ? "takes no account"
                                   : command->options & OPTION_WORD ? "takes one word"
                                                                    : "takes fewer accounts");
    for (size_t i = 0; i < options->account_count; i++)
        if (options->accounts[i][0] == '\0' || strlen(options->accounts[i]) > CONTROL_ACCOUNT_MAX)
            return ctl_complain_of_use("an account's name is empty or too long");
    for (size_t i = 0; i < options->account_count && options->all; i++)
        if (!command->only_asks || !control_is_pattern(options->accounts[i]))
            return ctl_complain_of_use("--all, or accounts: not both");
    return CTL_DONE;
}

/* Returns true when the command line names a subject: accounts, --all, or a hold. */
static bool is_about_something(const struct ctl_options *options)
{
    return options->account_count > 0 || options->all || options->command->only_asks ||
           options->command->about == ABOUT_ALL;
}

/* `given` has a bit for each row. */
static enum ctl_exit check(const struct ctl_options *options, unsigned given)
{
    const struct ctl_command *command = options->command;
    unsigned given_bits = 0;
    enum ctl_exit result;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (has(given, i) && !(rows[i].bit & (command->options | OPTION_GENERAL)))
            return ctl_complain_of_use("%s has no option --%s", command->name, rows[i].name);
        given_bits |= has(given, i) ? rows[i].bit : 0;
    }
    result = check_accounts(options, given);
    if (result != CTL_DONE)
        return result;
    if ((given_bits & OPTION_TIMEOUT) && !options->wait)
        return ctl_complain_of_use("--timeout is how long --wait waits: it needs --wait");
    if (options->json + options->calendar + options->ics > 1 && command->only_asks &&
        (options->calendar || options->ics))
        return ctl_complain_of_use("--json, --calendar and --ics: one of them");
    if (options->verify &&
        (given_bits & (PARAMETER_UNTIL | OPTION_SINCE | OPTION_FAILED | OPTION_CSV)))
        return ctl_complain_of_use(
            "history --verify checks all of it: leave out the other options");
    if (options->json && options->csv)
        return ctl_complain_of_use("--json and --csv: one of them");
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (has(given, i) && rows[i].alone)
            return options->account_count > 0 ||
                           (given_bits & ~(rows[i].bit | OPTION_YES | OPTION_GENERAL))
                       ? ctl_complain_of_use("%s", rows[i].alone)
                       : CTL_DONE;
    if (!is_about_something(options))
        return ctl_complain_of_use("%s needs an account%s", command->name,
                                   command->options & OPTION_ALL ? ", or --all"
                                   : command->options & OPTION_FILE
                                       ? ", or --file FILE, or --rule RULE"
                                       : "");
    return check_required(command, given_bits);
}

/* Of a command about something shown, the word `show` is taken away. */
static enum ctl_exit take_show(struct ctl_options *options)
{
    if (!(options->command->about & ABOUT_SHOWN))
        return CTL_DONE;
    if (options->account_count != 2 || strcmp(options->accounts[0], "show") != 0)
        return ctl_complain_of_use("%s %s was expected", options->command->name,
                                   options->command->synopsis);
    options->accounts++;
    options->account_count--;
    return CTL_DONE;
}

/* The first argument that is no option is the command. */
static enum ctl_exit take_command(struct ctl_options *options)
{
    enum ctl_exit result;

    if (options->account_count == 0)
        return ctl_complain_of_use("a command was expected");
    result = ctl_command_find(options->accounts[0], &options->command);
    options->accounts++;
    options->account_count--;
    return result;
}

/* Looks for --json before the command line is parsed, so that its errors are reported in JSON,
 * too. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static enum ctl_exit set_option(struct ctl_options *options, const struct option_row *row,
                                const char *value)
{
    if (row->set)
        return row->set(options, value);
    if (row->text)
        *(const char **)(void *)((char *)options + row->text) = value;
    else
        *(bool *)(void *)((char *)options + row->flag) = true;
    return CTL_DONE;
}

static enum ctl_exit refuse_option(const char *typed)
{
    const char *names[ROW_COUNT + 1] = {NULL};
    const char *nearest;

    for (int i = 0; i < ROW_COUNT; i++)
        names[i] = rows[i].name;
    nearest = str_starts_with(typed, "--") ? str_nearest(typed + 2, names) : NULL;
    if (nearest && !str_equal(typed + 2, nearest))
        return ctl_complain_of_use("there is no option %s; did you mean --%s?", typed, nearest);
    return ctl_complain_of_use("option %s is not known, is ambiguous, or takes no value", typed);
}

static enum ctl_exit take_options(int argc, char **argv, struct ctl_options *options,
                                  unsigned *given)
{
    struct option long_options[ROW_COUNT + 1] = {0};
    enum ctl_exit result = CTL_DONE;
    int rc;

    for (int i = 0; i < ROW_COUNT; i++)
        long_options[i] =
            (struct option){rows[i].name, rows[i].has_value ? required_argument : no_argument, NULL,
                            OPTION_CODE_BASE + i};
    optind = 0;
    opterr = 0; /* getopt would print plain text even with --json */
    while (result == CTL_DONE && !options->answered &&
           (rc = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (rc == ':')
            return ctl_complain_of_use("%s needs a value", argv[optind - 1]);
        if (rc < OPTION_CODE_BASE)
            return refuse_option(argv[optind - 1]);
        *given |= 1U << (rc - OPTION_CODE_BASE);
        result = set_option(options, &rows[rc - OPTION_CODE_BASE], optarg);
    }
    options->accounts = argv + optind;
    options->account_count = (size_t)(argc - optind);
    return result;
}

enum ctl_exit ctl_options_parse(int argc, char **argv, time_ms now, struct ctl_options *options)
{
    unsigned given = 0;
    enum ctl_exit result;

    *options =
        (struct ctl_options){.now = now, .request.until = TIME_NEVER, .timeout = 10 * MS_MINUTE};
    if (wants_json(argc, argv))
        ctl_complain_in_json();
    result = refuse_command_to_come(argc, argv);
    if (result == CTL_DONE)
        result = take_options(argc, argv, options, &given);
    if (result != CTL_DONE || options->answered)
        return result;
    result = take_command(options);
    if (result == CTL_DONE)
        result = take_show(options);
    if (result == CTL_DONE)
        result = check(options, given);
    if (result == CTL_DONE)
        result = check_times(options);
    if (result == CTL_DONE)
        options->request.kind = options->command->kind;
    else
        options->command = NULL;
    return result;
}
