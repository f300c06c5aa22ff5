/*
 * The errors of Microsoft Entra ID, each with a cause and a remedy
 * ("Microsoft Entra authentication and authorization error codes").
 */
#ifndef KEYROTATED_PROTO_ENTRA_ERROR_H
#define KEYROTATED_PROTO_ENTRA_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "core/look.h"
#include "proto/entra_client.h"

/* A row of the table. Placeholders of its texts stand for values of the client: {client}
 * {client_id} {tenant} {audience} {login} {login_key} {file}, and {issuer} {subject}
 * {audience_of_token} of a federated token. */
struct entra_error {
    int64_t code;         /* of AADSTS7000215: 7000215 */
    const char *sentence; /* "the client secret is wrong" */
    const char *remedy;
};

/* The rows, for tests; the last one has the code 0. */
extern const struct entra_error entra_errors[];

/* The first number of the answer's error_codes that has a row; failing that, of the text that
 * follows AADSTS in error_description. NULL: no row explains it. */
const struct entra_error *entra_error_find(struct json_object *answer);

/* The number of "AADSTS7000215: Invalid client secret provided." in error_description; 0: none. */
int64_t entra_error_code(struct json_object *answer);

/* Writes the sentence and sets the remedy of *failure. */
void entra_error_explain(const struct entra_error *error, const struct entra_client *client,
                         char sentence[FAILURE_TEXT_MAX], struct failure *failure);

#endif
