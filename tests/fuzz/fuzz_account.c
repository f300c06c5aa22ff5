/*
 * The answers to a GET of a resource and to the listing of its keys, of the type that the first
 * line names (of a Batch account where it names none): there are two different keys in the form of
 * the type, or none and a sentence that says why; no part of one comes along with an error; and
 * what is asked with a key at the data plane has it in one header, one line or a signature.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "proto/key_text.h"
#include "proto/two_key/two_key.h"

enum { ID_MAX = 512 };

static const char resource_id[] = "/subscriptions/s/resourceGroups/g/providers/p/types/sampleacct";

/* The id of a resource of that type, all of whose names are the same. */
static const char *id_of(const struct two_key_resource *resource, char out[ID_MAX])
{
    const char *type = resource->type;
    size_t length = (size_t)snprintf(out, ID_MAX, "/subscriptions/s/resourceGroups/g/providers");

    for (size_t index = 0; *type != '\0'; index++) {
        const size_t segment = strcspn(type, "/");

        length += (size_t)snprintf(out + length, ID_MAX - length, "/%.*s%s", (int)segment, type,
                                   index > 0 ? "/sampleacct" : "");
        type += segment + (type[segment] == '/');
    }
    return out;
}

static void read_description(const struct two_key_resource *resource, const char *body,
                             size_t length)
{
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct resource_facts facts = {.endpoint = NULL};
    struct err err = {.code = 0};
    const int rc = two_key_describe(resource, body, length, &facts, &obstacle, &err);

    if (rc == 0) {
        MUST(!facts.endpoint || (facts.endpoint[0] != '\0' && strlen(facts.endpoint) < 512));
        MUST(!facts.endpoint || !strpbrk(facts.endpoint, "/@?# "));
        MUST(!facts.endpoint || fuzz_is_presentable(facts.endpoint));
        MUST(facts.port <= 65535);
        MUST(obstacle.reason == REASON_NONE || obstacle.what.text[0] != '\0');
        MUST(obstacle.reason == REASON_NONE || fuzz_is_presentable(obstacle.what.text));
        MUST(!obstacle.stops_looks || obstacle.reason != REASON_NONE);
    } else {
        MUST(!facts.endpoint && !facts.location);
        MUST(err.code < 0 && err.text[0] != '\0' && fuzz_is_presentable(err.text));
    }
    resource_facts_done(&facts);
}

/* A key goes nowhere but into one request, as a whole. */
static void probe(const struct two_key_resource *resource, const struct secret *key)
{
    const struct two_key_probe wish = {.endpoint = "sampleacct.example.net",
                                       .name = "sampleacct",
                                       .resource_id = resource_id,
                                       .key = key,
                                       .client_request_id = "id",
                                       .now = 1795867200 * (time_ms)MS_SECOND};
    struct http_request request = {.failed = false};
    struct err err = {.code = 0};
    int rc;

    if (!resource->probe)
        return;
    rc = resource->probe->build(resource->probe, &request, &wish, &err);
    MUST(rc == 0 || (err.code == rc && err.text[0] != '\0' && fuzz_is_presentable(err.text)));
    if (rc == 0) {
        for (size_t i = 0; i < request.header_count; i++)
            MUST(fuzz_is_presentable(buf_str(&request.headers[i])));
        MUST(fuzz_is_presentable(buf_str(&request.url)));
        MUST(!strstr(buf_str(&request.url), secret_bytes(key)));
    }
    http_request_done(&request);
}

static void read_keys(const struct two_key_resource *resource, const char *body, size_t length)
{
    struct secret *keys[SLOT_COUNT] = {NULL, NULL};
    struct err err = {.code = 0};
    uint8_t bytes[SECRET_MAX];
    size_t byte_count;
    char id[ID_MAX];

    if (two_key_read(resource, id_of(resource, id), body, length, keys, &err) == 0) {
        MUST(keys[0] && keys[1] && !secret_equal(keys[0], keys[1]));
        for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
            MUST(key_text_fits(keys[slot], resource->key_shape));
            MUST(fuzz_is_presentable(secret_bytes(keys[slot])));
            MUST(!resource->key_shape->base64 ||
                 key_text_decode(keys[slot], bytes, sizeof(bytes), &byte_count) == 0);
            probe(resource, keys[slot]);
        }
    } else {
        MUST(!keys[0] && !keys[1]);
        MUST(err.code < 0 && err.text[0] != '\0' && fuzz_is_presentable(err.text));
    }
    secret_free(keys[0]);
    secret_free(keys[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    char *name = fuzz_take_line(&input), *body;
    const struct two_key_resource *resource = two_key_resource_named(name);
    size_t length;

    if (!resource) {
        resource = two_key_resource_at(0);
        input = (struct fuzz_input){.at = (const char *)data, .left = size};
    }
    body = fuzz_take_rest(&input, &length);
    read_description(resource, body, length);
    read_keys(resource, body, length);
    free(body);
    free(name);
    return 0;
}
