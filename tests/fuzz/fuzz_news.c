/*
 * What hooks and people are told, made of whatever texts: one line of JSON, whole, and without the
 * key, which stands in the middle of what others say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "fuzz.h"
#include "proto/key_file.h"
#include "proto/news.h"

#define KEY                                                                                        \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="
#define BEGINNING "qWK7l3wU"
#define END       "Yb2Ns8g="

/* Names are at most as long as the configuration lets them be. */
enum { NAMES = 4, NAME_MAX_LENGTH = 256, MESSAGE_MAX = 2 * NEWS_MAX };

static void check(struct buf *out, const char *member)
{
    struct json_object *value;

    MUST(out->failed == 0);
    for (size_t i = 0; i < out->length; i++)
        MUST((unsigned char)out->data[i] >= 0x20);
    MUST(!strstr(buf_str(out), BEGINNING) && !strstr(buf_str(out), END));
    value = json_parse(out->data, out->length, NULL);
    MUST(value && json_member(value, member));
    json_free_wiped(value);
}

static void write_news(char *const names[NAMES], const char *text)
{
    const struct news_form form = {
        .event = "account.blocked",
        .time = INT64_C(1795867200000),
        .account = names[0],
        .resource_group = names[1],
        .subscription_id = names[2],
        .resource_id = names[3],
        .state = "blocked",
        .text = text,
        .remedy = text,
        .since = TIME_NEVER,
        .next_at = INT64_C(1795867200000),
    };
    struct buf json, message;

    buf_init(&json, NEWS_MAX);
    buf_init(&message, MESSAGE_MAX);
    MUST(news_write(&form, &json) == 0);
    check(&json, "remedy");
    MUST(news_write_message(form.event, form.time, buf_str(&json), &message) == 0);
    check(&message, "data");
    buf_done(&json);
    buf_done(&message);
}

static void write_notice(char *const names[NAMES])
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    const struct key_file file = {.account = names[0],
                                  .resource_id = names[1],
                                  .account_endpoint = names[2],
                                  .key = key,
                                  .without_key = true,
                                  .delivered_at = INT64_C(1795867200000)};
    struct buf out;

    buf_init(&out, KEY_FILE_MAX);
    MUST(key_file_json(&file, &out) == 0);
    buf_truncate(&out, out.length - 1); /* the end of the line */
    check(&out, "delivered_at");
    buf_done(&out);
    secret_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = (const char *)data, .left = size};
    char *names[NAMES], *before, *after, *text;
    size_t length;

    /* The fuzzer learns from comparisons, and would put it into the names. */
    if (memmem(data, size, BEGINNING, strlen(BEGINNING)) || memmem(data, size, END, strlen(END)))
        return 0;
    for (size_t i = 0; i < NAMES; i++) {
        names[i] = fuzz_take_line(&input);
        if (strlen(names[i]) > NAME_MAX_LENGTH)
            names[i][NAME_MAX_LENGTH] = '\0';
    }
    before = fuzz_take_line(&input);
    after = fuzz_take_rest(&input, &length);
    text = str_format("%s %s %s", before, KEY, after);
    MUST(text);
    write_news(names, text);
    write_notice(names);
    for (size_t i = 0; i < NAMES; i++)
        free(names[i]);
    free(before);
    free(after);
    free(text);
    return 0;
}
