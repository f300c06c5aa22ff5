/*
 * The configuration: it is accepted whole, and can be explained, or refused with messages that name
 * file, line and column, and can be shown.
 */
#include <stdio.h>
#include <string.h>

#include "conf/config.h"
#include "fuzz.h"

enum { EXPLANATION_MAX = 4 * 1024 * 1024 };

static void check_messages(const struct config_messages *messages, const char *path)
{
    const char *line = buf_str(&messages->text);
    size_t lines = 0;

    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        unsigned row = 0, column = 0;

        MUST(end);
        MUST(strncmp(line, path, strlen(path)) == 0);
        MUST(sscanf(line + strlen(path), ":%u:%u: ", &row, &column) == 2 && row > 0 && column > 0);
        for (const char *c = line; c < end; c++)
            MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
        line = end + 1;
        lines++;
    }
    MUST(lines > 0 || messages->error_count + messages->warning_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_environment environment = {.now = INT64_C(1795867200000)};
    const char *path = fuzz_file(data, size);
    struct config_messages messages;
    struct config *config;

    config_messages_init(&messages);
    config = config_load(path, &environment, &messages);
    MUST((!config) == (messages.error_count > 0));
    check_messages(&messages, path);
    if (config) {
        const struct account *found;
        struct buf out;

        buf_init(&out, EXPLANATION_MAX);
        MUST(config_explain(config, NULL, config->account_count, &out) == 0);
        for (size_t i = 0; i < config->account_count; i++) {
            MUST(config->accounts[i].destination_count > 0);
            MUST(config_match_account(config, config->accounts[i].id, &found) == 1);
            MUST(found == &config->accounts[i]);
        }
        buf_done(&out);
    }
    config_unref(config);
    config_messages_done(&messages);
    return 0;
}
