/*
 * Answers of a Kubernetes API server, and kubeconfigs. A failure has words that can be shown and
 * hold nothing that looks like a key; what an answer shows is no more than it holds. Of a
 * kubeconfig the parser sees no long run, and what is refused has a sentence.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/kubeconfig.h"
#include "conf/masked_text.h"
#include "fuzz.h"
#include "proto/key_text.h"
#include "proto/kubernetes.h"

enum { NOW_S = 1795867200, LONGEST_RUN = 23 };

static void check_failure(const struct failure *failure)
{
    char text[FAILURE_TEXT_MAX];

    MUST(failure->reason == REASON_TARGET_DENIED || failure->reason == REASON_TARGET_FAILED);
    MUST(failure->text[0] != '\0' && failure->remedy[0] != '\0');
    MUST(fuzz_is_presentable(failure->text) && fuzz_is_presentable(failure->remedy));
    MUST(fuzz_is_presentable(failure->error_code));
    MUST(failure->retry_after >= 0 && failure->retry_after <= MS_DAY);
    memcpy(text, failure->text, sizeof(text));
    key_text_redact(text);
    MUST(strcmp(text, failure->text) == 0);
}

static void read_answer(const struct http_reply *reply, const struct kubernetes_secret *secret)
{
    struct kubernetes_subject subject = {.url = "https://k",
                                         .secret = secret,
                                         .credential_remedy = "renew it",
                                         .server_remedy = "correct it"};
    const time_ms now = NOW_S * MS_SECOND;
    struct kubernetes_sight sight;
    struct failure failure;

    if (kubernetes_get_read(&sight, reply, &subject, now, &failure) != KUBERNETES_DONE)
        check_failure(&failure);
    MUST(sight.values.length <= reply->body.length + secret->data.count);
    MUST(sight.holds_data || !sight.holds_all);
    MUST(sight.exists || !sight.holds_data);
    kubernetes_sight_done(&sight);
    subject.applies = true;
    for (int i = 0; i < 2; i++) {
        subject.changes = i == 1;
        if (kubernetes_apply_read(reply, &subject, now, &failure) != KUBERNETES_DONE)
            check_failure(&failure);
    }
}

static void add(struct kubernetes_pairs *pairs, const char *name, const char *value)
{
    struct buf *out = kubernetes_add(pairs, name, KUBERNETES_DATA_MAX);

    MUST(out && buf_append_str(out, value) == 0);
}

static void read_answers(const uint8_t *data, size_t size)
{
    static const enum http_outcome outcomes[] = {HTTP_ANSWERED, HTTP_UNSENT, HTTP_LOST};
    struct kubernetes_secret secret = {
        .space = str_dup("batch"), .name = str_dup("acct"), .manager = str_dup("keyrotated")};
    struct http_reply reply;

    add(&secret.data, "key", "secret");
    add(&secret.annotations, KUBERNETES_ANNOTATION_CYCLE, "7");
    fuzz_reply_init(&reply, data, size);
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        reply.outcome = outcomes[i];
        read_answer(&reply, &secret);
    }
    http_reply_done(&reply);
    kubernetes_secret_done(&secret);
}

static size_t longest_run(const char *text)
{
    static const char of_run[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_.-";
    size_t longest = 0;

    for (size_t at = 0; text[at] != '\0'; at++) {
        size_t run = strspn(text + at, of_run);

        /* What follows a backslash is left alone, and so is what replaces a run. */
        if (run > longest && (at == 0 || text[at - 1] != '\\') && run != LONGEST_RUN + 1)
            longest = run;
        at += run;
        if (text[at] == '\0')
            break;
    }
    return longest;
}

static void mask(const char *text, size_t length)
{
    static const char *const plain[] = {NULL};
    struct masked_text masked;
    struct buf restored;
    int rc = masked_text_init(&masked, text, length, plain);

    MUST(rc == 0 || rc == -EMSGSIZE);
    if (rc == 0 && strlen(text) == length) {
        buf_init(&restored, length + 1);
        MUST(longest_run(buf_str(&masked.text)) <= LONGEST_RUN);
        MUST(masked_text_restore(&masked, buf_str(&masked.text), &restored) == 0);
        MUST(strcmp(buf_str(&restored), text) == 0);
        buf_done(&restored);
    }
    masked_text_done(&masked);
}

static void read_kubeconfig(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {(const char *)data, size};
    size_t length;
    char *text = fuzz_take_rest(&input, &length);
    struct kubeconfig kubeconfig;
    struct err err = {.code = 0};
    int rc = kubeconfig_read(&kubeconfig, "/k", text, length, NULL, &err);

    if (rc == 0)
        MUST(kubeconfig.server && kubeconfig.user && kubeconfig.context);
    else
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
    kubeconfig_done(&kubeconfig);
    mask(text, length);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_answers(data, size);
    read_kubeconfig(data, size);
    return 0;
}
