/*
 * Answers of HashiCorp Vault, and of what stands before it: what is read of an object is whole, a
 * failure has words that can be shown and hold nothing that looks like a key, and only a write
 * leaves a doubt.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "proto/key_text.h"
#include "proto/vault_failure.h"
#include "proto/vault_login.h"

enum { NOW_S = 1795867200, TEXT_MAX = 1024 * 1024 };

static const struct vault_object objects[] = {
    {"https://v", NULL, "secret", "a", VAULT_KV2},
    {"https://v", "team", "old/kv", "b c", VAULT_KV1},
};

static void check_failure(const struct failure *failure, bool may_leave_doubt)
{
    char text[FAILURE_TEXT_MAX];

    MUST(failure->reason == REASON_TARGET_FAILED || failure->reason == REASON_TARGET_DENIED);
    MUST(failure->text[0] != '\0');
    MUST(fuzz_is_presentable(failure->text) && fuzz_is_presentable(failure->remedy));
    MUST(failure->retry_after >= 0 && failure->retry_after <= MS_DAY);
    MUST(may_leave_doubt || !failure->outcome_unknown);
    memcpy(text, failure->text, sizeof(text));
    key_text_redact(text);
    MUST(strcmp(text, failure->text) == 0);
}

static void read_object(const struct http_reply *reply, const struct vault_object *object)
{
    struct vault_content content;
    int rc = vault_read_answer(&content, reply, object->engine);
    struct buf text;

    MUST(rc == 0 || rc == -EBADMSG);
    buf_init(&text, TEXT_MAX);
    if (rc == 0 && content.presence == VAULT_PRESENT) {
        MUST(json_object_is_type(content.data, json_type_object));
        MUST(object->engine == VAULT_KV1 || content.version > 0);
        (void)vault_content_text(&content, &text);
    } else if (rc == 0 && content.presence == VAULT_DELETED) {
        MUST(content.version > 0 && !content.data);
    } else if (rc == 0) {
        MUST(content.version == 0 && !content.data);
    }
    buf_done(&text);
    vault_content_done(&content);
}

static void fail(const struct http_reply *reply, const struct vault_object *object,
                 enum vault_call call)
{
    struct failure failure;

    vault_failure_fill(&failure, reply, object, call, NOW_S * MS_SECOND);
    check_failure(&failure, call == VAULT_CALL_WRITE);
    MUST(failure.remedy[0] != '\0');
}

static void read_all(const struct http_reply *reply, const struct vault_object *object)
{
    struct vault_capabilities may;
    char type[16];

    read_object(reply, object);
    MUST(vault_write_answer(reply, object->engine) != 0 || reply->status < 300);
    MUST(vault_mount_answer(reply, type, sizeof(type)) == 0 || type[0] == '\0');
    if (vault_capabilities_answer(&may, reply, object) != 0)
        MUST(!may.read && !may.create && !may.update);
    fail(reply, object, VAULT_CALL_READ);
    fail(reply, object, VAULT_CALL_WRITE);
}

static void log_in(const struct http_reply *reply, enum vault_login_kind kind, bool wrapped)
{
    const struct vault_login login = {.address = "https://v",
                                      .kind = kind,
                                      .mount = "m",
                                      .role = "r",
                                      .file = "/f",
                                      .wrapped = wrapped};
    struct failure failure;
    struct secret *secret;
    duration_ms lifetime;

    if (vault_login_answer(&secret, &lifetime, reply, &login, NOW_S * MS_SECOND, &failure) == 0)
        MUST(secret_length(secret) > 0 && lifetime >= 0);
    else
        check_failure(&failure, false);
    secret_free(secret);
    if (vault_unwrap_answer(&secret, reply, &login, false, NOW_S * MS_SECOND, &failure) == 0)
        MUST(secret_length(secret) > 0);
    else
        check_failure(&failure, false);
    secret_free(secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reply reply;

    fuzz_reply_init(&reply, data, size);
    read_all(&reply, &objects[0]);
    read_all(&reply, &objects[1]);
    log_in(&reply, VAULT_LOGIN_APPROLE, true);
    log_in(&reply, VAULT_LOGIN_KUBERNETES, false);
    reply.outcome = size % 2 == 0 ? HTTP_UNSENT : HTTP_LOST;
    fail(&reply, &objects[0], VAULT_CALL_WRITE);
    fail(&reply, &objects[0], VAULT_CALL_READ);
    http_reply_done(&reply);
    return 0;
}
