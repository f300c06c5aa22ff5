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
#include "proto/azure_cli.h"
#include "proto/failure.h"

#define AZURE_CLI_TIMEOUT  MS_MINUTE
#define AZURE_CLI_DEADLINE (2 * MS_MINUTE)
#define SEARCH_PATH        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { ARGUMENTS_MAX = 64, VARIABLES_MAX = 24, PATH_LENGTH_MAX = 4096 };

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
    const char *directory = SEARCH_PATH;

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
                     name[0] == '/' ? "" : SEARCH_PATH);
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

/* It did not end by itself. */
static void explain_end(const struct credential *credential, const struct program_result *result,
                        struct failure *failure)
{
    const struct azure_cli_state *state = credential->state;
    char words[DURATION_TEXT_MAX];

    failure_init(failure, REASON_TOKEN_FAILED);
    if (result->timed_out > 0)
        failure_set_text(failure, "%s gave no token within %s and was ended", state->program,
                         duration_to_words(result->timed_out, words));
    else if (result->flooded)
        failure_set_text(failure, "%s wrote too much and was ended", state->program);
    else if (result->end == PROGRAM_SIGNALED)
        failure_set_text(failure, "%s was ended by signal %d (%s)", state->program, result->code,
                         strsignal(result->code));
    else if (result->end == PROGRAM_NOT_STARTED)
        failure_set_text(failure, "%s cannot be started: %s", state->program,
                         strerror(result->code));
    else
        failure_set_text(failure,
                         "%s cannot be started, because the process that starts programs "
                         "is gone",
                         state->program);
    if (result->end == PROGRAM_NO_SPAWNER || result->end == PROGRAM_LOST)
        failure_set_remedy(failure, "restart the daemon");
    else
        failure_set_remedy(failure,
                           "run `%s account get-access-token` as user %u, and see why; the unit's "
                           "sandbox may forbid what it needs (the example azure-cli.conf)",
                           state->program, (unsigned)geteuid());
}

static void on_ended(struct credential *credential, const struct program_result *result)
{
    const struct azure_cli cli = azure_cli_of(credential);
    struct access_token token;

    if (result->end != PROGRAM_EXITED || result->timed_out > 0 || result->flooded) {
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

/* "NAME=value" in fresh memory; NULL where there is no value. */
static char *variable(const char *name, const char *value)
{
    return value ? must(str_format("%s=%s", name, value)) : NULL;
}

/* What az needs of the daemon's environment, and what keeps it from asking questions. */
static void compose_environment(const struct identity *identity, char *variables[VARIABLES_MAX])
{
    static const char *const passed[] = {
        "HOME",     "TZ",       "HTTPS_PROXY",   "HTTP_PROXY",   "https_proxy",
        "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"};
    static const char *const fixed[] = {
        "LANG=C.UTF-8",
        "AZURE_CORE_NO_COLOR=true",
        "AZURE_CORE_ONLY_SHOW_ERRORS=true",
        "AZURE_CORE_COLLECT_TELEMETRY=false",
        "AZURE_CORE_DISABLE_CONFIRM_PROMPT=true",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL=no",
    };
    size_t count = 0;

    variables[count++] = variable("PATH", SEARCH_PATH);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        variables[count++] = must_dup(fixed[i]);
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        char *text = variable(passed[i], getenv(passed[i]));

        if (text)
            variables[count++] = text;
    }
    variables[count] = variable("AZURE_CONFIG_DIR", identity_setting(identity, "config_dir"));
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
    char *variables[VARIABLES_MAX] = {NULL};

    compose_environment(identity, variables);
    if (compose_arguments(credential, words, arguments)) {
        const struct program_request request = {
            .arguments = arguments,
            .environment = (const char *const *)variables,
            .timeout = AZURE_CLI_TIMEOUT,
        };

        credential_run_program(credential, &request, on_ended);
    } else {
        failure_init(&credential->failure, REASON_TOKEN_FAILED);
        failure_set_text(&credential->failure, "`command` of identity %s has too many arguments",
                         identity->name);
        credential_fail(credential);
    }
    for (size_t i = 0; i < VARIABLES_MAX; i++)
        free(variables[i]);
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
