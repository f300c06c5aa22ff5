#include "proto/azure_cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/local_time.h"
#include "base/str.h"
#include "proto/failure.h"
#include "proto/program_output.h"

enum { SHOWN_MAX = 220, READ_MAX = 8192, TOKEN_SHOWN = 16 };

const char *azure_cli_command(const struct azure_cli *cli, char out[AZURE_CLI_COMMAND_MAX])
{
    const char *directory = cli->directory;

    (void)snprintf(out, AZURE_CLI_COMMAND_MAX, "sudo -u '#%u' env%s%s %s", cli->user,
                   directory ? " AZURE_CONFIG_DIR=" : "", directory ? directory : "", cli->program);
    return out;
}

/* --- the token --- */

/* "2026-11-22 13:00:00.000000" */
static bool read_local(const char *text, struct local_time *local)
{
    struct tm fields = {0};
    const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S", &fields);

    if (!rest || (*rest != '\0' && *rest != '.'))
        return false;
    *local = (struct local_time){.year = fields.tm_year + 1900,
                                 .month = fields.tm_mon + 1,
                                 .day = fields.tm_mday,
                                 .hour = fields.tm_hour,
                                 .minute = fields.tm_min,
                                 .second = fields.tm_sec};
    return true;
}

/* Returns a description of what is wrong, or NULL. */
static const char *read_expiry(struct json_object *document, time_ms *ret_at)
{
    const char *text = json_string(document, "expires_on");
    const char *local_text = json_string(document, "expiresOn");
    struct local_time local;
    int64_t seconds;

    if (json_int64(document, "expires_on", &seconds) || (text && str_to_int64(text, &seconds))) {
        if (seconds < 0 || seconds > 1000 * (int64_t)100000000)
            return "its expires_on is no time";
        *ret_at = seconds * MS_SECOND;
        return NULL;
    }
    if (!local_text)
        return "it does not say when it expires";
    if (!read_local(local_text, &local))
        return "its expiresOn is no time";
    *ret_at = local_time_to_instant(&local);
    return NULL;
}

static const char *read_document(struct access_token *token, struct json_object *document,
                                 time_ms now)
{
    const char *type = json_string(document, "tokenType");
    const char *value = json_string(document, "accessToken");
    const char *problem;
    time_ms at = 0;

    if (!value)
        return "there is no accessToken in it";
    if (type && !str_equal_nocase(type, "Bearer"))
        return "its tokenType is not Bearer";
    problem = read_expiry(document, &at);
    if (problem)
        return problem;
    if (time_between(now, at) < MS_SECOND)
        return "it has expired";
    return access_token_set(token, value, time_between(now, at));
}

int azure_cli_read(struct access_token *token, const struct azure_cli *cli, const char *output,
                   size_t length, time_ms now, struct failure *failure)
{
    struct err err = {.code = 0};
    struct json_object *document = json_parse_foreign(output, length, &err);
    const char *problem = "it is no JSON object";
    char command[AZURE_CLI_COMMAND_MAX];

    *token = (struct access_token){.token = NULL};
    if (!document && err.code == -ENOMEM)
        return -ENOMEM;
    if (json_object_is_type(document, json_type_object))
        problem = read_document(token, document, now);
    json_free_wiped(document);
    if (!problem)
        return 0;
    failure_init(failure, REASON_TOKEN_FAILED);
    failure_set_text(failure, "%s gave a token that cannot be used: %s", cli->program, problem);
    failure_set_remedy(
        failure,
        "run `%s account get-access-token --output json`, and see what is wrong with "
        "its output",
        azure_cli_command(cli, command));
    return -EINVAL;
}

/* --- what is wrong --- */

/* Tokens begin with the text that `{"` gives in base64. */
static void hide_tokens(char *text)
{
    for (char *start = text; (start = strstr(start, "eyJ")); start++) {
        const size_t length =
            strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

        if (length > TOKEN_SHOWN)
            memset(start, '*', length);
    }
}

static const struct trouble {
    const char *sign;     /* in any case */
    const char *sentence; /* what it means */
    enum {
        LOGIN,
        LOGIN_OF_APP,
        POLICY,
        TENANT,
        EXTENSION,
        DIRECTORY,
        CERTIFICATE,
        NETWORK,
        BROKEN
    } kind;
} troubles[] = {
    {"CERTIFICATE_VERIFY_FAILED", "it does not trust the server's certificate", CERTIFICATE},
    {"certificate verify failed", "it does not trust the server's certificate", CERTIFICATE},
    {"Read-only file system", "it cannot write its configuration", DIRECTORY},
    {"Permission denied", "it cannot write its configuration", DIRECTORY},
    {"Max retries exceeded", "it does not reach Azure", NETWORK},
    {"Failed to resolve", "it does not reach Azure", NETWORK},
    {"Name or service not known", "it does not reach Azure", NETWORK},
    {"Temporary failure in name resolution", "it does not reach Azure", NETWORK},
    {"Connection refused", "it does not reach Azure", NETWORK},
    {"ModuleNotFoundError", "it is not installed as a whole", BROKEN},
    {"ImportError", "it is not installed as a whole", BROKEN},
    /* Most of Entra ID's refusals end with "please run: az login". */
    {"AADSTS700082", "a login is needed: the last one is too old", LOGIN},
    {"AADSTS50173", "a login is needed: the last one was revoked", LOGIN},
    {"AADSTS50076", "a login is needed, with a second factor", LOGIN},
    {"AADSTS50079", "a login is needed, with a second factor", LOGIN},
    {"AADSTS50078", "a login is needed, with a second factor", LOGIN},
    {"AADSTS7000222", "a login is needed: the client secret has expired", LOGIN_OF_APP},
    {"AADSTS7000215", "a login is needed: the client secret is wrong", LOGIN_OF_APP},
    {"AADSTS700027", "a login is needed: the certificate is not the application's", LOGIN_OF_APP},
    {"AADSTS53003", "a conditional access policy forbids it", POLICY},
    {"AADSTS90002", "the tenant is not known", TENANT},
    {"AADSTS700016", "whoever is signed in is not known in the tenant", TENANT},
    {"AADSTS50020", "whoever is signed in is not known in the tenant", TENANT},
    {"interaction_required", "a login is needed", LOGIN},
    {"az login", "a login is needed", LOGIN},
    {"No subscription found", "a login is needed", LOGIN},
    {"extension", "it wants to install an extension", EXTENSION},
};

static const struct trouble *find_trouble(const char *errors)
{
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        if (strcasestr(errors, troubles[i].sign))
            return &troubles[i];
    }
    return NULL;
}

static void set_remedy(const struct azure_cli *cli, const struct trouble *trouble,
                       struct failure *failure)
{
    char command[AZURE_CLI_COMMAND_MAX];

    (void)azure_cli_command(cli, command);
    switch (trouble->kind) {
    case LOGIN:
        failure_set_remedy(failure, "sign in as the daemon's user: `%s login`", command);
        break;
    case POLICY:
        failure_set_remedy(failure,
                           "let the conditional access policies of the tenant admit who is signed "
                           "in from here (`%s account show` says who)",
                           command);
        break;
    case TENANT:
        failure_set_remedy(failure,
                           "correct tenant_id of the identity, or sign in to that tenant: `%s "
                           "login --tenant TENANT`",
                           command);
        break;
    case LOGIN_OF_APP:
        failure_set_remedy(failure,
                           "sign in as the daemon's user: `%s login --service-principal --username "
                           "CLIENT_ID --tenant TENANT_ID`, which asks for the secret, or "
                           "`--password FILE` with a certificate",
                           command);
        break;
    case EXTENSION:
        failure_set_remedy(failure,
                           "install what it asks for by hand: `%s extension add --name EXTENSION`",
                           command);
        break;
    case DIRECTORY:
        failure_set_remedy(
            failure,
            "give user %u a directory that it may write, and name it as `config_dir` "
            "of the identity (systemd: the example azure-cli.conf)",
            cli->user);
        break;
    case CERTIFICATE:
        failure_set_remedy(failure,
                           "let the daemon's environment name the authorities: "
                           "REQUESTS_CA_BUNDLE=/path/to/file");
        break;
    case NETWORK:
        failure_set_remedy(
            failure,
            "let this machine reach the login endpoint; where a proxy is needed, let "
            "the daemon's environment name it: HTTPS_PROXY=http://HOST:PORT");
        break;
    case BROKEN:
        failure_set_remedy(failure, "install the Azure CLI again, and try `%s version`", command);
        break;
    }
}

void azure_cli_explain(const struct azure_cli *cli, int status, const char *errors, size_t length,
                       struct failure *failure)
{
    char shown[SHOWN_MAX], all[READ_MAX], command[AZURE_CLI_COMMAND_MAX];
    const struct trouble *trouble;

    (void)program_output_text(errors, length, NULL, all, sizeof(all));
    (void)program_output_text(errors, length, NULL, shown, sizeof(shown));
    hide_tokens(shown);
    trouble = find_trouble(all);
    failure_init(failure,
                 trouble && trouble->kind == NETWORK ? REASON_NETWORK : REASON_TOKEN_FAILED);
    failure_set_text(failure, "%s gave no token (exit status %d)%s%s%s%s", cli->program, status,
                     trouble ? ", because " : "", trouble ? trouble->sentence : "",
                     shown[0] != '\0' ? ": " : "", shown);
    if (trouble)
        set_remedy(cli, trouble, failure);
    else
        failure_set_remedy(failure, "run `%s account get-access-token`, and see what it says",
                           azure_cli_command(cli, command));
}
