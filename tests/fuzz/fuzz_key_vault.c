/*
 * Whole answers of Key Vault: a challenge is answered only for the vault's own cloud, only a 200
 * with a value and a version is a secret, what is written about it can be read again, and a failure
 * has words that can be shown and hold nothing that looks like a key.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "proto/key_text.h"
#include "proto/key_vault.h"

#define VAULT    "https://contoso.vault.azure.net"
#define AUDIENCE "https://vault.azure.net"
#define NOW      (1795867200 * MS_SECOND)

static void check_failure(const struct failure *failure)
{
    char text[FAILURE_TEXT_MAX];

    MUST(failure->reason > REASON_NONE && failure->reason < REASON_COUNT);
    MUST(failure->text[0] != '\0' && failure->remedy[0] != '\0');
    MUST(fuzz_is_presentable(failure->text) && fuzz_is_presentable(failure->remedy));
    MUST(fuzz_is_presentable(failure->error_code) && fuzz_is_presentable(failure->request_id));
    MUST(failure->retry_after >= 0 && failure->retry_after <= MS_DAY);
    memcpy(text, failure->text, sizeof(text));
    key_text_redact(text);
    MUST(strcmp(text, failure->text) == 0);
}

static void check_challenge(const struct http_reply *reply)
{
    struct key_vault_challenge challenge;
    const bool found = key_vault_challenge_read(&challenge, reply);

    MUST(found == (challenge.resource[0] != '\0'));
    MUST(fuzz_is_presentable(challenge.tenant));
    if (found && key_vault_challenge_check(&challenge, VAULT, AUDIENCE, NULL) == 0)
        MUST(strncasecmp(challenge.resource, AUDIENCE, strlen(AUDIENCE)) == 0 &&
             strspn(challenge.resource + strlen(AUDIENCE), "/") ==
                 strlen(challenge.resource + strlen(AUDIENCE)));
}

/* What a delivery would write: JSON with the key, and not more tags than a secret may have. */
static void check_body(const struct key_vault_secret *secret)
{
    struct secret *key = secret_new("a key", 5);
    const struct key_vault_content content = {
        .key = key, .cycle = 3, .resource_id = "/subscriptions/1", .expires = NOW};
    struct json_object *written;
    struct buf body;

    buf_init(&body, KEY_VAULT_BODY_MAX);
    if (key_vault_set_body(&body, &content, secret) == 0) {
        written = json_parse(body.data, body.length, NULL);
        MUST(written && strcmp(json_string(written, "value"), "a key") == 0);
        MUST(json_object_object_length(json_member(written, "tags")) <= KEY_VAULT_TAGS_MAX);
        json_object_put(written);
    }
    buf_done(&body);
    secret_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum http_outcome outcomes[] = {HTTP_ANSWERED, HTTP_UNSENT, HTTP_LOST};
    struct key_vault_subject subject = {.vault = VAULT,
                                        .vault_name = "contoso",
                                        .name = "acct-key",
                                        .principal = "identity \"ops\"",
                                        .tenant = "1111"};
    struct key_vault_secret secret;
    struct http_reply reply;
    struct failure failure;

    fuzz_reply_init(&reply, data, size);
    check_challenge(&reply);
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        reply.outcome = outcomes[i];
        subject.operation = i == 0 ? KEY_VAULT_GET : KEY_VAULT_SET;
        if (!key_vault_reply_check(&reply, &subject, NOW, &failure)) {
            check_failure(&failure);
            continue;
        }
        MUST(reply.outcome == HTTP_ANSWERED && reply.status == 200);
        if (key_vault_secret_read(&secret, &reply, NULL) == 0) {
            MUST(secret.value && secret.version[0] != '\0' && !strchr(secret.version, '/'));
            MUST(secret.expires >= 0);
            check_body(&secret);
        }
        key_vault_secret_done(&secret);
        key_vault_reply_unreadable(&reply, &subject, "it is something else", &failure);
        check_failure(&failure);
    }
    http_reply_done(&reply);
    return 0;
}
