/*
 * build/sim: plays simulated worlds, and says what the oracles say about them.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "design.h"
#include "results.h"
#include "run.h"
#include "scenario.h"

static const char usage[] =
    "Usage: sim --years N [--seed S] [--jobs J]       plays random worlds from seed S (1) on\n"
    "       sim --seed S                              plays that world and tells what happens\n"
    "       sim --shrink S                            makes the failing world S small, and tells\n"
    "       sim --scenario [--record] FILE...         plays scenarios; records what is expected\n"
    "       sim --expect ORACLE --years N             plays until that oracle convicts\n"
    "       sim --oracles | --designs                 lists them\n"
    "\n"
    "      --design NAME     what is played (keyrotated)\n"
    "      --without ORACLE  switches oracles off (several, with commas)\n"
    "      --jobs J          processes for --years (1)\n"
    "      --plain           worlds without regenerates that take long, or of which answers\n"
    "                        and lists do not tell all at once\n"
    "      --results FILE    writes a JUnit file for --scenario and --years\n"
    "      --help            prints this\n"
    "\n"
    "Exit status: 0 all is well; 1 an oracle convicted, or a trace is not the expected one (with\n"
    "--expect: the oracle did not convict); 64 usage. tests/sim/README.md says more.\n";

enum { STATUS_GOOD, STATUS_BAD, STATUS_USAGE = 64 };
enum { TOLD_CONVICTIONS = 10 };

enum {
    OPTION_YEARS = 256,
    OPTION_SEED,
    OPTION_JOBS,
    OPTION_SHRINK,
    OPTION_SCENARIO,
    OPTION_RECORD,
    OPTION_DESIGN,
    OPTION_EXPECT,
    OPTION_WITHOUT,
    OPTION_ORACLES,
    OPTION_DESIGNS,
    OPTION_RESULTS,
    OPTION_PLAIN,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"years", required_argument, NULL, OPTION_YEARS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"shrink", required_argument, NULL, OPTION_SHRINK},
    {"scenario", no_argument, NULL, OPTION_SCENARIO},
    {"record", no_argument, NULL, OPTION_RECORD},
    {"design", required_argument, NULL, OPTION_DESIGN},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"without", required_argument, NULL, OPTION_WITHOUT},
    {"oracles", no_argument, NULL, OPTION_ORACLES},
    {"designs", no_argument, NULL, OPTION_DESIGNS},
    {"results", required_argument, NULL, OPTION_RESULTS},
    {"plain", no_argument, NULL, OPTION_PLAIN},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

struct options {
    struct run_settings settings;
    bool one_world, shrinks, scenarios, records;
    const char *results;
    char **files;
    int file_count;
};

static bool mistake(int *ret_status, const char *what, const char *value)
{
    fprintf(stderr, "sim: %s%s\nTry 'sim --help'.\n", what, value);
    *ret_status = STATUS_USAGE;
    return false;
}

/* --- lists --- */

static void list_oracles(void)
{
    for (int i = 0; i < ORACLE_COUNT; i++) {
        const struct oracle_description *description = oracle_describe((enum oracle)i);

        printf("%-18s %-8s %s\n", description->name, description->rule, description->meaning);
    }
}

static void list_design(const struct design *design)
{
    printf("%-22s %s\n", design->name, design->summary);
}

static void list_designs(void)
{
    list_design(&design_keyrotated);
    for (size_t i = 0; designs_of_the_field[i]; i++)
        list_design(designs_of_the_field[i]);
}

/* --- options --- */

static bool take_number(const char *text, int64_t from, int64_t to, const char *what,
                        int64_t *ret_number, int *ret_status)
{
    if (str_to_int64(text, ret_number) && *ret_number >= from && *ret_number <= to)
        return true;
    return mistake(ret_status, what, text);
}

static bool take_seed(const char *text, struct options *options, int *ret_status)
{
    int64_t number;

    if (!take_number(text, 0, INT64_MAX, "a seed is a number, not ", &number, ret_status))
        return false;
    options->settings.seed = (uint64_t)number;
    return true;
}

static bool take_design(const char *name, struct options *options, int *ret_status)
{
    const struct design *const *design = designs_of_the_field;

    if (strcmp(name, design_keyrotated.name) == 0) {
        options->settings.design = &design_keyrotated;
        return true;
    }
    while (*design && strcmp((*design)->name, name) != 0)
        design++;
    if (!*design)
        return mistake(ret_status, "--designs lists the designs; there is no ", name);
    options->settings.design = *design;
    return true;
}

static bool take_oracle(const char *name, enum oracle *ret_oracle, int *ret_status)
{
    *ret_oracle = oracle_from_name(name);
    return *ret_oracle != ORACLE_COUNT ||
           mistake(ret_status, "--oracles lists the oracles; there is no ", name);
}

static bool mute(char *names, struct options *options, int *ret_status)
{
    char *rest = NULL;

    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        enum oracle oracle;

        if (!take_oracle(name, &oracle, ret_status))
            return false;
        options->settings.muted |= UINT64_C(1) << oracle;
    }
    return true;
}

/* One option. False: exit with *ret_status. */
static bool take_option(int option, struct options *options, int *ret_status)
{
    struct run_settings *settings = &options->settings;
    int64_t number = 0;

    switch (option) {
    case OPTION_YEARS:
        if (!take_number(optarg, 1, 100000000, "--years wants a number, not ", &number, ret_status))
            return false;
        settings->years = (unsigned)number;
        return true;
    case OPTION_SEED:
        options->one_world = true;
        return take_seed(optarg, options, ret_status);
    case OPTION_JOBS:
        if (!take_number(optarg, 1, RUN_JOBS_MAX, "--jobs wants a number from 1 to 64, not ",
                         &number, ret_status))
            return false;
        settings->jobs = (unsigned)number;
        return true;
    case OPTION_SHRINK:
        options->shrinks = true;
        return take_seed(optarg, options, ret_status);
    case OPTION_SCENARIO:
        options->scenarios = true;
        return true;
    case OPTION_RECORD:
        options->records = true;
        return true;
    case OPTION_DESIGN:
        return take_design(optarg, options, ret_status);
    case OPTION_EXPECT:
        return take_oracle(optarg, &settings->expected, ret_status);
    case OPTION_WITHOUT:
        return mute(optarg, options, ret_status);
    case OPTION_PLAIN:
        chance_plain = true;
        return true;
    case OPTION_RESULTS:
        options->results = optarg;
        return true;
    case OPTION_ORACLES:
        list_oracles();
        *ret_status = STATUS_GOOD;
        return false;
    case OPTION_DESIGNS:
        list_designs();
        *ret_status = STATUS_GOOD;
        return false;
    case OPTION_HELP:
        fputs(usage, stdout);
        *ret_status = STATUS_GOOD;
        return false;
    default: /* getopt_long() has said what is wrong */
        return mistake(ret_status, "that was not understood", "");
    }
}

static bool parse_options(int argc, char **argv, struct options *options, int *ret_status)
{
    int option;

    *options = (struct options){.settings = {.design = &design_keyrotated,
                                             .seed = 1,
                                             .jobs = 1,
                                             .expected = ORACLE_COUNT,
                                             .convict_limit = TOLD_CONVICTIONS}};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!take_option(option, options, ret_status))
            return false;
    options->files = argv + optind;
    options->file_count = argc - optind;
    options->one_world = options->one_world && options->settings.years == 0;
    if (options->scenarios != (options->file_count > 0))
        return mistake(ret_status, "--scenario and files belong together", "");
    if (options->settings.expected != ORACLE_COUNT && options->settings.years == 0)
        return mistake(ret_status, "--expect wants --years", "");
    if (!options->scenarios && !options->one_world && !options->shrinks &&
        options->settings.years == 0)
        return mistake(ret_status, "what is to be played?", "");
    return true;
}

/* --- what is done --- */

static int play_one(const struct options *options)
{
    struct script script;
    bool good;

    script_by_chance(&script, options->settings.seed, RUN_WORLD_YEARS);
    if (options->shrinks) {
        good = !run_shrunk(&script, &options->settings);
        if (good)
            printf("seed %" PRIu64 ": no oracle convicts\n", options->settings.seed);
    } else {
        good = run_told(&script, &options->settings);
    }
    script_done(&script);
    return good ? STATUS_GOOD : STATUS_BAD;
}

/* Prints the sentence of the expected oracle. */
static bool tell_expected(const struct run_settings *settings, const struct run_outcome *outcome)
{
    const char *name = oracle_describe(settings->expected)->name;
    struct oracle_verdict verdict = {.muted = ~(UINT64_C(1) << settings->expected)};
    struct script script;
    char text[ORACLE_TEXT_MAX + 200];

    if (!outcome->found) {
        printf("%s did not convict %s in %u account-years\n", name, settings->design->name,
               settings->years);
        return false;
    }
    script_by_chance(&script, outcome->first_seed, RUN_WORLD_YEARS);
    verdict.first_only = true;
    run_apart(&script, settings->design, &verdict, NULL);
    script_done(&script);
    run_describe(&verdict, text, sizeof(text));
    printf("%s is convicted, seed %" PRIu64 ": %s\n", settings->design->name, outcome->first_seed,
           text);
    return true;
}

static bool play_random(const struct options *options)
{
    struct run_settings settings = options->settings;
    struct run_outcome outcome;
    struct script script;

    run_random(&settings, &outcome);
    if (settings.expected != ORACLE_COUNT)
        return tell_expected(&settings, &outcome);
    if (outcome.convicted == 0)
        return true;
    script_by_chance(&script, outcome.first_seed, RUN_WORLD_YEARS);
    fflush(stdout);
    (void)run_shrunk(&script, &settings);
    script_done(&script);
    return false;
}

static void play_scenarios(const struct options *options, struct results *results)
{
    size_t failed = results->failed;

    for (int i = 0; i < options->file_count; i++)
        results_add(results, options->files[i],
                    scenario_play(options->files[i], &options->settings, options->records));
    failed = results->failed - failed;
    printf("%zu scenarios passed, %zu failed\n", (size_t)options->file_count - failed, failed);
}

int main(int argc, char **argv)
{
    static struct results results;
    struct options options;
    int status;

    if (!parse_options(argc, argv, &options, &status))
        return status;
    if (options.one_world || options.shrinks)
        return play_one(&options);
    if (options.scenarios)
        play_scenarios(&options, &results);
    if (options.settings.years > 0)
        results_add(&results, "random worlds", play_random(&options));
    if (options.results && !results_write(&results, options.results))
        return STATUS_BAD;
    return results.failed == 0 ? STATUS_GOOD : STATUS_BAD;
}
