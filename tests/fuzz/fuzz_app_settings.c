/*
 * Settings of apps, as Azure lists them (the first byte says which kind of app). What was read and
 * is written back with one value changed is, when it is read again, the same but for that value.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz.h"
#include "proto/app_settings.h"
#include "proto/batch_auto_storage.h"

enum { NAMES_MAX = 256, STATE_MAX = 32 };

static const char name[] = "batch-key";
static const char value[] = "new \"+/=\"\n";

/* The answer that would list what was sent; to be freed. */
static char *answer_to(enum app_kind kind, const struct buf *sent)
{
    static const char *const before[] = {[APP_SITE] = "{\"properties\":",
                                         [APP_CONTAINER] =
                                             "{\"properties\":{\"configuration\":{\"secrets\":"};
    static const char *const after[] = {[APP_SITE] = "}", [APP_CONTAINER] = "}}}"};
    size_t length = sent->length - strlen(before[kind]) - strlen(after[kind]);

    MUST(str_starts_with(buf_str(sent), before[kind]));
    return str_format("{\"%s\":%.*s}", kind == APP_SITE ? "properties" : "value", (int)length,
                      buf_str(sent) + strlen(before[kind]));
}

static void write_back(enum app_kind kind, struct app_settings *settings)
{
    struct err err = {.code = 0};
    struct app_settings again;
    char names[NAMES_MAX];
    const char *found;
    struct buf sent;
    char *answer;

    buf_init(&sent, 8 * HTTP_BODY_MAX);
    MUST(app_settings_compose(settings, name, value, &sent) == 0);
    answer = answer_to(kind, &sent);
    if (app_settings_read(&again, kind, answer, strlen(answer), &err) == 0) {
        MUST(app_settings_differ(settings, &again, name, names, sizeof(names)) == 0);
        MUST(app_settings_find(&again, name, &found) == APP_SETTING_VALUE);
        MUST(str_equal(found, value));
        app_settings_done(&again);
    } else {
        MUST(strstr(err.text, "at most")); /* there was no room for one more */
    }
    free(answer);
    buf_done(&sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    enum app_kind kind = fuzz_take_number(&input, 1) % 2 == 0 ? APP_SITE : APP_CONTAINER;
    struct err err = {.code = 0};
    struct app_settings settings;
    enum batch_auto_storage storage;
    char state[STATE_MAX];
    const char *found;
    size_t length;
    char *body = fuzz_take_rest(&input, &length);

    if (app_settings_read(&settings, kind, body, length, &err) == 0) {
        (void)app_settings_find(&settings, name, &found);
        (void)app_settings_hidden(&settings, name);
        write_back(kind, &settings);
        app_settings_done(&settings);
    } else {
        MUST(fuzz_is_presentable(err.text) && err.text[0] != '\0');
    }
    err_clear(&err);
    if (app_state_read(body, length, state, sizeof(state), &err) != 0)
        MUST(fuzz_is_presentable(err.text));
    err_clear(&err);
    if (batch_auto_storage_read(body, length, &storage, &err) != 0)
        MUST(fuzz_is_presentable(err.text));
    free(body);
    return 0;
}
