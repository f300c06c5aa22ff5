/*
 * Answers to a request for a token, of Microsoft Entra ID and of the metadata service: a token that
 * can be used and that is renewed before it ends, or words that hold neither token nor secret.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/entra.h"
#include "proto/imds.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const time_ms now = INT64_C(1795867200000);
    struct secret *secret = secret_new(client_secret, strlen(client_secret));
    const struct entra_client client = {.login = "https://login.microsoftonline.com",
                                        .tenant_id = "11111111-1111-1111-1111-111111111111",
                                        .client_id = "22222222-2222-2222-2222-222222222222",
                                        .proof = secret,
                                        .audience = "https://management.azure.com/"};
    const struct imds_identity identity = {.endpoint = "http://169.254.169.254",
                                           .audience = "https://management.azure.com/"};
    struct access_token token;
    struct http_reply reply;
    struct failure failure;

    fuzz_reply_init(&reply, data, size);
    check(&token, entra_token_reply(&token, &reply, &client, now, &failure), &failure);
    check(&token, imds_token_reply(&token, &reply, &identity, now, &failure), &failure);
    for (unsigned attempts = 0; attempts < 8; attempts++)
        MUST(imds_retry_delay(&reply, attempts, attempts * MS_SECOND, now) >= 0);
    http_reply_done(&reply);
    secret_free(secret);
    return 0;
}
