/*
 * Answers about a cloud's endpoints: what is read of them can be shown, kept in a file and read
 * there again, and a failure has words that can be shown.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/cloud_metadata.h"

enum { TEXT_MAX = 65536, NOW_S = 1795867200 };

static const char resource_manager[] = "https://management.contoso.example";

static bool is_plain(const char text[CLOUD_METADATA_TEXT_MAX])
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return true;
}

static void check_kept(const struct cloud_metadata *metadata)
{
    struct cloud_metadata again;
    struct err err = {.code = 0};
    struct buf text;

    buf_init(&text, TEXT_MAX);
    cloud_metadata_write(&text, metadata);
    MUST(cloud_metadata_parse(&again, buf_str(&text), text.length, &err) == 0);
    MUST(strcmp(again.login, metadata->login) == 0);
    MUST(strcmp(again.audience, metadata->audience) == 0);
    MUST(strcmp(again.key_vault_audience, metadata->key_vault_audience) == 0);
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cloud_metadata metadata;
    struct failure failure;
    struct http_reply reply;
    struct err err = {.code = 0};

    fuzz_reply_init(&reply, data, size);
    if (cloud_metadata_read(&metadata, &reply, resource_manager, NOW_S * MS_SECOND, &failure) ==
        0) {
        MUST(is_plain(metadata.login) && is_plain(metadata.audience) && is_plain(metadata.name));
        MUST(is_plain(metadata.key_vault_audience));
        MUST(metadata.login[0] != '\0' && metadata.audience[0] != '\0');
        check_kept(&metadata);
    } else {
        MUST(failure.text[0] != '\0');
        MUST(fuzz_is_presentable(failure.text) && fuzz_is_presentable(failure.remedy));
    }
    (void)cloud_metadata_parse(&metadata, buf_str(&reply.body), reply.body.length, &err);
    http_reply_done(&reply);
    return 0;
}
