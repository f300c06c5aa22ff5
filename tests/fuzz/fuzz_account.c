/*
 * The answers to a GET of an account, to listKeys and to regenerateKey: there are two different
 * keys in base64, or none and a sentence that says why; and no part of one comes along with an
 * error.
 */
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "proto/key_text.h"
#include "proto/two_key/two_key.h"

extern const struct two_key_resource two_key_batch_account;

static void read_description(const char *body, size_t length)
{
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct resource_facts facts = {.endpoint = NULL};
    struct err err = {.code = 0};
    const int rc = two_key_describe(&two_key_batch_account, body, length, &facts, &obstacle, &err);

    if (rc == 0) {
        MUST(!facts.endpoint || (facts.endpoint[0] != '\0' && strlen(facts.endpoint) < 512));
        MUST(!facts.endpoint || !strpbrk(facts.endpoint, "/@?# "));
        MUST(!facts.endpoint || fuzz_is_presentable(facts.endpoint));
        MUST(obstacle.reason == REASON_NONE || obstacle.what.text[0] != '\0');
        MUST(obstacle.reason == REASON_NONE || fuzz_is_presentable(obstacle.what.text));
        MUST(!obstacle.stops_looks || obstacle.reason != REASON_NONE);
    } else {
        MUST(!facts.endpoint && !facts.location);
        MUST(err.code < 0 && err.text[0] != '\0' && fuzz_is_presentable(err.text));
    }
    resource_facts_done(&facts);
}

static void read_keys(const char *body, size_t length)
{
    struct secret *keys[SLOT_COUNT] = {NULL, NULL};
    struct err err = {.code = 0};
    uint8_t bytes[SECRET_MAX];
    size_t byte_count;

    if (two_key_read(&two_key_batch_account, "sampleacct", body, length, keys, &err) == 0) {
        MUST(keys[0] && keys[1] && !secret_equal(keys[0], keys[1]));
        for (size_t slot = 0; slot < SLOT_COUNT; slot++)
            MUST(key_text_decode(keys[slot], bytes, sizeof(bytes), &byte_count) == 0);
    } else {
        MUST(!keys[0] && !keys[1]);
        MUST(err.code < 0 && err.text[0] != '\0' && fuzz_is_presentable(err.text));
    }
    secret_free(keys[0]);
    secret_free(keys[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_description((const char *)data, size);
    read_keys((const char *)data, size);
    return 0;
}
