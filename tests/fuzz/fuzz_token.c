/*
 * Answers to a request for a token, of Microsoft Entra ID, of the metadata service and of the Azure
 * CLI: a token that can be used and that is renewed before it ends, or words that hold neither
 * token nor secret. Also what a federated token says of itself, and challenges that demand claims.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/azure_cli.h"
#include "proto/claims.h"
#include "proto/entra.h"
#include "proto/managed_identity.h"

static const char client_secret[] = "ThisIsTheClientSecretOfTheFuzzer";

static void check(struct access_token *token, int r, const struct failure *failure)
{
    if (r == 0) {
        const char *bytes = secret_bytes(token->token);

        MUST(secret_length(token->token) > 0);
        MUST(!strpbrk(bytes, "\r\n") && strlen(bytes) == secret_length(token->token));
        MUST(token->lifetime >= MS_SECOND);
        MUST(token->refresh_after >= 0 && token->refresh_after <= token->lifetime);
    } else {
        MUST(!token->token);
        MUST(failure->reason > REASON_NONE && failure->reason < REASON_COUNT);
        MUST(failure->text[0] != '\0');
        MUST(fuzz_is_presentable(failure->text) && fuzz_is_presentable(failure->remedy));
        MUST(fuzz_is_presentable(failure->error_code));
        MUST(failure->retry_after >= 0 && failure->retry_after <= MS_DAY);
    }
    access_token_done(token);
}

/* A challenge names a file of the agent, and no other. */
static void check_challenge(const struct http_reply *reply)
{
    struct failure failure = {.reason = REASON_NONE};
    char name[ARC_NAME_MAX];

    if (!managed_identity_challenged(reply, name, &failure))
        return;
    MUST(strlen(name) < sizeof(name) && !strchr(name, '/') && name[0] != '.');
    MUST((name[0] == '\0') == (failure.text[0] != '\0'));
    MUST(fuzz_is_presentable(failure.text));
}

static void check_managed(const struct http_reply *reply, time_ms now)
{
    static const enum managed_source sources[] = {MANAGED_IMDS, MANAGED_APP_SERVICE, MANAGED_ARC};

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        const struct managed_identity identity = {.source = sources[i],
                                                  .endpoint = "http://169.254.169.254",
                                                  .client_id = i == 0 ? NULL : "3333",
                                                  .audience = "https://management.azure.com/"};
        struct access_token token;
        struct failure failure;

        check(&token, managed_identity_reply(&token, reply, &identity, now, &failure), &failure);
        for (unsigned attempts = 0; attempts < 8; attempts++)
            MUST(managed_identity_retry_delay(sources[i], reply, attempts, attempts * MS_SECOND,
                                              now) >= 0);
    }
    check_challenge(reply);
}

static void check_cli(const struct http_reply *reply, time_ms now)
{
    static const struct azure_cli cli = {.program = "/usr/bin/az", .directory = "/srv/az"};
    struct access_token token;
    struct failure failure;
    const int rc =
        azure_cli_read(&token, &cli, buf_str(&reply->body), reply->body.length, now, &failure);

    check(&token, rc, &failure);
    azure_cli_explain(&cli, 1, buf_str(&reply->body), reply->body.length, &failure);
    MUST(fuzz_is_presentable(failure.text) && fuzz_is_presentable(failure.remedy));
}

/* What was understood can be asked for. */
static void check_claims(const struct http_reply *reply)
{
    char *claims = claims_of_challenge(reply);
    struct buf out;

    if (!claims)
        return;
    buf_init(&out, 64 * 1024);
    MUST(claims_append(&out, claims) == 0);
    MUST(strstr(buf_str(&out), "xms_cc"));
    buf_done(&out);
    free(claims);
}

static void check_federated(const uint8_t *data, size_t size, time_ms now)
{
    struct secret *text = secret_new((const char *)data, size);
    struct federated_token token;
    struct failure failure;
    struct err err = {.code = 0};

    if (federated_token_read(&token, text, &err) < 0)
        MUST(err.text[0] != '\0');
    else if (!federated_token_check(&token, "/t", now, &failure))
        MUST(fuzz_is_presentable(failure.text) && fuzz_is_presentable(failure.remedy));
    secret_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const time_ms now = INT64_C(1795867200000);
    struct secret *secret = secret_new(client_secret, strlen(client_secret));
    const struct entra_client client = {.login = "https://login.microsoftonline.com",
                                        .tenant_id = "11111111-1111-1111-1111-111111111111",
                                        .client_id = "22222222-2222-2222-2222-222222222222",
                                        .proof = secret,
                                        .audience = "https://management.azure.com/"};
    struct access_token token;
    struct http_reply reply;
    struct failure failure;

    check_federated(data, size, now);
    fuzz_reply_init(&reply, data, size);
    check_claims(&reply);
    check_cli(&reply, now);
    check(&token, entra_token_reply(&token, &reply, &client, now, &failure), &failure);
    check_managed(&reply, now);
    http_reply_done(&reply);
    secret_free(secret);
    return 0;
}
