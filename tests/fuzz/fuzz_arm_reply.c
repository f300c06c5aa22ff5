/*
 * Whole answers of Azure Resource Manager and of the services that keys are for: only a 200 is a
 * success, a failure has words that can be shown and hold nothing that looks like a key, and no
 * wait is longer than a day.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/arm.h"
#include "proto/key_text.h"
#include "proto/two_key/two_key.h"

enum { NOW_MS_HIGH = 1795867200 };

static void check_failure(const struct failure *failure)
{
    char text[FAILURE_TEXT_MAX];

    MUST(failure->reason > REASON_NONE && failure->reason < REASON_COUNT);
    MUST(failure->text[0] != '\0');
    MUST(fuzz_is_presentable(failure->text) && fuzz_is_presentable(failure->remedy));
    MUST(fuzz_is_presentable(failure->error_code) && fuzz_is_presentable(failure->request_id));
    MUST(fuzz_is_presentable(failure->correlation_id));
    MUST(fuzz_is_presentable(failure->client_request_id));
    MUST(failure->retry_after >= 0 && failure->retry_after <= MS_DAY);
    memcpy(text, failure->text, sizeof(text));
    key_text_redact(text);
    MUST(strcmp(text, failure->text) == 0);
}

/* One of those that types have: by a number, so that each of them gets inputs. */
static const struct two_key_probe_form *probe_at(size_t number)
{
    size_t count = 1;

    while (two_key_resource_at(count))
        count++;
    while (!two_key_resource_at(number % count)->probe)
        number++;
    return two_key_resource_at(number % count)->probe;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum http_outcome outcomes[] = {HTTP_ANSWERED, HTTP_ANSWERED, HTTP_UNSENT,
                                                 HTTP_LOST};
    const time_ms now = NOW_MS_HIGH * MS_SECOND;
    struct arm_subject subject = {.operation = "listKeys",
                                  .action = "Microsoft.Batch/batchAccounts/listkeys/action",
                                  .role = "Contributor",
                                  .principal = "identity \"ops\""};
    const struct two_key_probe_form *probe = probe_at(size);
    struct http_reply reply;
    struct failure failure;

    fuzz_reply_init(&reply, data, size);
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        reply.outcome = outcomes[i];
        subject.changes = i % 2 == 1;
        if (arm_reply_check(&reply, &subject, now, &failure))
            MUST(reply.outcome == HTTP_ANSWERED && reply.status == 200);
        else
            check_failure(&failure);
        if (!probe->read(probe, &reply, now, &failure))
            check_failure(&failure);
    }
    MUST(arm_reply_remaining(&reply, false) >= -1 && arm_reply_remaining(&reply, true) >= -1);
    MUST(arm_reply_provider_remaining(&reply) >= -1);
    reply.outcome = HTTP_ANSWERED;
    MUST(arm_reply_limit(&reply, true) == ARM_LIMIT_OF_RESOURCE || reply.status == 429);
    http_reply_done(&reply);
    return 0;
}
