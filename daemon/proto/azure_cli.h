/*
 * What the Azure CLI says when it is asked for a token
 * (`az account get-access-token --output json`).
 */
#ifndef KEYROTATED_PROTO_AZURE_CLI_H
#define KEYROTATED_PROTO_AZURE_CLI_H

#include <stddef.h>

#include "proto/access_token.h"

/* Who asks, for messages. */
struct azure_cli {
    const char *program;   /* the full path */
    const char *directory; /* of its configuration; NULL: below the user's home */
    unsigned user;         /* the daemon's */
};

/*
 * Reads standard output: accessToken, and expires_on (seconds since 1970, since az 2.54) or else
 * expiresOn ("2026-11-22 13:00:00.000000", by the clocks of this machine). 0 and a token; -EINVAL
 * with *failure filled, or -ENOMEM.
 */
int azure_cli_read(struct access_token *token, const struct azure_cli *cli, const char *output,
                   size_t length, time_ms now, struct failure *failure);

/* Why az exited with a status that is not 0, by what it wrote to standard error. A token in that is
 * redacted. */
void azure_cli_explain(const struct azure_cli *cli, int status, const char *errors, size_t length,
                       struct failure *failure);

/* What a person types to run it as the daemon does, without its arguments. Returns out. */
enum { AZURE_CLI_COMMAND_MAX = 256 };
const char *azure_cli_command(const struct azure_cli *cli, char out[AZURE_CLI_COMMAND_MAX]);

#endif
