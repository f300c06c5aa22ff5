/*
 * A job looks for the program, since a thread may touch file systems; then the program runs,
 * without a shell, in the working directory / (io/spawner/program.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/str.h"
#include "io/access/credential.h"
#include "io/spawner/program_environment.h"
#include "io/spawner/program_failure.h"
#include "proto/azure_cli.h"
#include "proto/failure.h"

#define AZURE_CLI_TIMEOUT  MS_MINUTE
#define AZURE_CLI_DEADLINE (2 * MS_MINUTE)

enum { ARGUMENTS_MAX = 64 };

struct azure_cli_state {
    char *program; /* the full path */
};

/* --- looking for the program --- */

struct search_job {
    struct credential_job base;
    char *name; /* as configured: "az", or a full path */
    char *found;
};

static struct search_job *search_job_of(struct credential_job *job)
{
    return container_of(job, struct search_job, base);
}

static void search(struct credential_job *job)
{
    struct search_job *searching = search_job_of(job);
    const char *directory = PROGRAM_SEARCH_PATH;

    if (searching->name[0] == '/') {
        if (access(searching->name, F_OK) == 0)
            searching->found = must_dup(searching->name);
        return;
    }
    while (!searching->found && *directory != '\0') {
        const size_t length = strcspn(directory, ":");
        char *path = must(str_format("%.*s/%s", (int)length, directory, searching->name));

        if (access(path, X_OK) == 0)
            searching->found = path;
        else
            free(path);
        directory += length + (directory[length] == ':');
    }
}

static void free_search(struct credential_job *job)
{
    struct search_job *searching = search_job_of(job);

    free(searching->name);
    free(searching->found);
    free(searching);
}

static void fail_missing(struct credential *credential, const char *name)
{
    struct failure *failure = &credential->failure;

    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure,
                     "identity %s gets its tokens from the Azure CLI, but there is no %s%s%s",
                     credential->wish.identity->name, name, name[0] == '/' ? "" : " in ",
                     name[0] == '/' ? "" : PROGRAM_SEARCH_PATH);
    failure_set_remedy(failure,
                       "install it (Debian: `apt-get install azure-cli`), or let `command` of "
                       "the identity name its full path");
}

/* --- its answer --- */

static struct azure_cli azure_cli_of(const struct credential *credential)
{
    const struct azure_cli_state *state = credential->state;

    return (struct azure_cli){.program = state->program,
                              .directory =
                                  identity_setting(credential->wish.identity, "config_dir"),
                              .user = (unsigned)geteuid()};
}

/* It did not end by itself. What it wrote stays out of the failure: it may be a token. */
static void explain_end(const struct credential *credential, const struct program_result *result,
                        struct failure *failure)
{
    const struct azure_cli_state *state = credential->state;
    const struct azure_cli cli = azure_cli_of(credential);
    const struct buf nothing = {.data = NULL};
    char command[AZURE_CLI_COMMAND_MAX];
    struct program_result quiet = *result;

    quiet.output = &nothing;
    quiet.errors = &nothing;
    (void)program_failure(failure, state->program, &quiet, NULL,
                          spawner_problem(credential->spawner));
    failure->reason = REASON_TOKEN_FAILED;
    failure->outcome_unknown = false;
    if (result->flooded)
        failure_set_remedy(failure, "run `%s account get-access-token`, and see what it writes",
                           azure_cli_command(&cli, command));
    else if (result->end == PROGRAM_EXITED || result->end == PROGRAM_SIGNALED)
        failure_set_remedy(failure,
                           "run `%s account get-access-token`, and see why; the unit's sandbox may "
                           "forbid what it needs (the example azure-cli.conf)",
                           azure_cli_command(&cli, command));
}

/* --- a program that cannot be started --- */

/* Why, on a thread: the program lies on a file system. */
struct look_job {
    struct credential_job base;
    char *program;
    int start_errno;
    struct failure failure;
};

static struct look_job *look_job_of(struct credential_job *job)
{
    return container_of(job, struct look_job, base);
}

static void look(struct credential_job *job)
{
    struct look_job *looking = look_job_of(job);

    program_failure_of_start(&looking->failure, looking->program, looking->start_errno);
    looking->failure.reason = REASON_TOKEN_FAILED;
}

static void on_looked(struct credential *credential, struct credential_job *job)
{
    credential->failure = look_job_of(job)->failure;
    credential_fail(credential);
}

static void free_look(struct credential_job *job)
{
    free(look_job_of(job)->program);
    free(look_job_of(job));
}

static void look_at_program(struct credential *credential, int start_errno)
{
    const struct azure_cli_state *state = credential->state;
    struct look_job *looking = must_alloc(sizeof(*looking));

    looking->program = must_dup(state->program);
    looking->start_errno = start_errno;
    looking->base.key = "command";
    looking->base.path = looking->program;
    looking->base.run = look;
    looking->base.then = on_looked;
    looking->base.free = free_look;
    credential_start_job(credential, &looking->base);
}

static void on_ended(struct credential *credential, const struct program_result *result)
{
    const struct azure_cli cli = azure_cli_of(credential);
    struct access_token token;

    if (result->end == PROGRAM_NOT_STARTED) {
        look_at_program(credential, result->code);
    } else if (result->end != PROGRAM_EXITED || result->timed_out > 0 || result->flooded) {
        explain_end(credential, result, &credential->failure);
        credential_fail(credential);
    } else if (result->code != 0) {
        azure_cli_explain(&cli, result->code, buf_str(result->errors), result->errors->length,
                          &credential->failure);
        credential_fail(credential);
    } else if (credential_checked(azure_cli_read(&token, &cli, buf_str(result->output),
                                                 result->output->length, credential_now(credential),
                                                 &credential->failure))) {
        credential_succeed(credential, &token);
    } else {
        credential_fail(credential);
    }
}

/* --- its start --- */

/* What az needs of the daemon's environment, and what keeps it from asking questions. */
static void compose_environment(const struct identity *identity,
                                struct program_environment *environment)
{
    static const char *const passed[] = {
        "HOME",     "TZ",       "HTTPS_PROXY",   "HTTP_PROXY",   "https_proxy",
        "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"};
    static const char *const fixed[][2] = {
        {"AZURE_CORE_NO_COLOR", "true"},
        {"AZURE_CORE_ONLY_SHOW_ERRORS", "true"},
        {"AZURE_CORE_COLLECT_TELEMETRY", "false"},
        {"AZURE_CORE_DISABLE_CONFIRM_PROMPT", "true"},
        {"AZURE_EXTENSION_USE_DYNAMIC_INSTALL", "no"},
    };

    program_environment_init(environment);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        program_environment_add(environment, fixed[i][0], fixed[i][1]);
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        program_environment_add(environment, passed[i], getenv(passed[i]));
    program_environment_add(environment, "AZURE_CONFIG_DIR",
                            identity_setting(identity, "config_dir"));
}

/* The words of `command`, of which the first is replaced by the program that was found, and those
 * of the request. `words` keeps the copies. */
static bool compose_arguments(const struct credential *credential, char *words,
                              const char *arguments[ARGUMENTS_MAX])
{
    enum { OWN_MAX = 8 };
    const struct azure_cli_state *state = credential->state;
    const char *tenant = identity_setting(credential->wish.identity, "tenant_id");
    const char *const own[] = {"account",
                               "get-access-token",
                               "--output",
                               "json",
                               "--resource",
                               credential->wish.audience,
                               tenant ? "--tenant" : NULL,
                               tenant};
    size_t count = 0;
    char *rest = words;

    for (char *word = strsep(&rest, "\n"); word; word = strsep(&rest, "\n")) {
        if (count >= ARGUMENTS_MAX - OWN_MAX - 1)
            return false;
        arguments[count++] = word;
    }
    arguments[0] = state->program;
    for (size_t i = 0; i < OWN_MAX && own[i]; i++)
        arguments[count++] = own[i];
    arguments[count] = NULL;
    return true;
}

static void run(struct credential *credential)
{
    const struct identity *identity = credential->wish.identity;
    char *words = must_dup(identity_setting(identity, "command"));
    const char *arguments[ARGUMENTS_MAX];
    struct program_environment environment;

    compose_environment(identity, &environment);
    if (compose_arguments(credential, words, arguments)) {
        const struct program_request request = {
            .arguments = arguments,
            .environment = environment.variables,
            .timeout = AZURE_CLI_TIMEOUT,
        };

        credential_run_program(credential, &request, on_ended);
    } else {
        failure_init(&credential->failure, REASON_TOKEN_FAILED);
        failure_set_text(&credential->failure, "`command` of identity %s has too many arguments",
                         identity->name);
        credential_fail(credential);
    }
    program_environment_done(&environment);
    free(words);
}

static void on_found(struct credential *credential, struct credential_job *job)
{
    struct search_job *searching = search_job_of(job);
    struct azure_cli_state *state = credential->state;

    if (searching->found) {
        state->program = searching->found;
        searching->found = NULL;
        run(credential);
    } else {
        fail_missing(credential, searching->name);
        credential_fail(credential);
    }
}

static void begin(struct credential *credential)
{
    struct search_job *searching = must_alloc(sizeof(*searching));
    const char *command = identity_setting(credential->wish.identity, "command");

    searching->name = must(str_dup_n(command, strcspn(command, "\n")));
    searching->base.key = "command";
    searching->base.path = searching->name[0] == '/' ? searching->name : "/usr/bin";
    searching->base.run = search;
    searching->base.then = on_found;
    searching->base.free = free_search;
    credential_start_job(credential, &searching->base);
}

static void done(void *data)
{
    struct azure_cli_state *state = data;

    free(state->program);
}

const struct credential_source credential_azure_cli = {
    .type = "azure_cli",
    .deadline = AZURE_CLI_DEADLINE,
    .state_size = sizeof(struct azure_cli_state),
    .begin = begin,
    .done = done,
};
