/*
 * Answers about operations: a URL that gets a token leads to the resource manager alone, as libcurl
 * understands it, and is the same when it is read from the journal again. What a poll says is said
 * by its status and its member `status`, and the words of a failure can be shown.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "fuzz.h"
#include "proto/arm_operation.h"
#include "proto/key_text.h"

#define MANAGER "https://management.azure.com"

enum { SPARE_MAX = 12, STATUS_COUNT = 6 };

static void must_be(CURLU *url, CURLUPart part, const char *expected)
{
    char *text = NULL;

    MUST(curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK);
    MUST(strcasecmp(text, expected) == 0);
    curl_free(text);
}

static void check_place(const char *text)
{
    CURLU *url = curl_url();
    char *user = NULL;

    MUST(url);
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        must_be(url, CURLUPART_SCHEME, "https");
        must_be(url, CURLUPART_HOST, "management.azure.com");
        must_be(url, CURLUPART_PORT, "443");
        MUST(curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
    }
    curl_url_cleanup(url);
}

static void check_words(const struct err *err)
{
    MUST(err->code != 0 && err->text[0] != '\0');
    MUST(fuzz_is_presentable(err->text));
}

/* A refusal tells nothing of a query, which may be what opens the operation. */
static void check_refusal(const char *url, const struct err *err)
{
    static char out[HTTP_URL_MAX];
    char *cut = strndup(url, strcspn(url, "?"));
    struct err without_query = {.code = 0};
    bool by_status;

    check_words(err);
    MUST(cut);
    if (arm_operation_target(cut, MANAGER, out, sizeof(out), &by_status, &without_query) ==
        err->code)
        MUST(strcmp(err->text, without_query.text) == 0);
    free(cut);
}

/* As the journal gives it back, whoever wrote there. `size`: of the memory for it. */
static void check_target(const char *stored, size_t size)
{
    char *out = malloc(size);
    struct err err = {.code = 0};
    bool by_status = false;

    MUST(out);
    if (arm_operation_target(stored, MANAGER, out, size, &by_status, &err) == 0) {
        check_place(out);
        MUST(!strchr(out, '#'));
        MUST(strncmp(stored, out, strlen(out)) == 0);
        MUST(strcmp(stored + strlen(out), by_status ? ARM_OPERATION_BY_STATUS : "") == 0);
    } else {
        check_refusal(stored, &err);
    }
    free(out);
}

/* Is that the value of the header, and its mark? */
static bool comes_from(const struct http_reply *reply, const char *header, const char *stored,
                       const char *mark)
{
    static char value[HTTP_URL_MAX];
    const size_t length = strlen(stored), mark_length = strlen(mark);

    return http_reply_header(reply, header, value, sizeof(value)) &&
           length == strlen(value) + mark_length && strncmp(stored, value, strlen(value)) == 0 &&
           strcmp(stored + length - mark_length, mark) == 0;
}

static void check_url(const struct http_reply *reply, size_t size)
{
    char *stored = malloc(size);
    struct err err = {.code = 0};
    int rc;

    MUST(stored);
    rc = arm_operation_url(reply, MANAGER, stored, size, &err);
    if (rc == 0) {
        char *out = malloc(size);
        bool by_status = false;

        MUST(out);
        MUST(arm_operation_target(stored, MANAGER, out, size, &by_status, &err) == 0);
        check_place(out);
        MUST(by_status ? comes_from(reply, "Azure-AsyncOperation", stored, ARM_OPERATION_BY_STATUS)
                       : comes_from(reply, "Location", stored, ""));
        free(out);
    } else if (rc != -ENOENT) {
        check_words(&err);
    }
    free(stored);
}

/* With memory that is just too small, and with more. */
static void check_headers(const struct http_reply *reply)
{
    static const char *const names[] = {"Azure-AsyncOperation", "Location"};
    static char value[HTTP_URL_MAX];

    check_url(reply, HTTP_URL_MAX);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!http_reply_header(reply, names[i], value, sizeof(value)))
            continue;
        for (size_t spare = 1; spare <= SPARE_MAX; spare++) {
            check_url(reply, strlen(value) + spare);
            check_target(value, strlen(value) + spare);
        }
        check_target(value, HTTP_URL_MAX);
        if (value[0] != '\0')
            check_target(value, strlen(value));
    }
}

static void check_failure(const struct failure *failure)
{
    char text[FAILURE_TEXT_MAX];

    MUST(failure->reason == REASON_AZURE_ERROR && failure->text[0] != '\0');
    MUST(fuzz_is_presentable(failure->text) && fuzz_is_presentable(failure->error_code));
    memcpy(text, failure->text, sizeof(text));
    key_text_redact(text);
    MUST(strcmp(text, failure->text) == 0);
}

/* Is that its member `status`? */
static bool says(const struct http_reply *reply, const char *word)
{
    struct err err;
    struct json_object *document =
        json_parse_foreign(buf_str(&reply->body), reply->body.length, &err);
    const char *status = json_object_get_string(json_object_object_get(document, "status"));
    const bool same = status && strcasecmp(status, word) == 0;

    json_object_put(document);
    return same;
}

static void check_answer(const struct http_reply *reply, bool by_status)
{
    const bool gone = reply->status == 404 || reply->status == 410;
    enum operation_state state = OPERATION_RUNNING;
    struct failure failure = {.reason = REASON_NONE};
    struct err err = {.code = 0};
    const int rc = arm_operation_read(reply, by_status, &state, &failure, &err);

    if (rc != 0) {
        MUST(rc == -EBADMSG && by_status && !gone && reply->status != 202);
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        return;
    }
    MUST((state == OPERATION_FORGOTTEN) == gone);
    MUST((state == OPERATION_FAILED) == (failure.reason != REASON_NONE));
    if (reply->status == 202)
        MUST(state == OPERATION_RUNNING);
    if (state == OPERATION_FAILED) {
        MUST(by_status && (says(reply, "Failed") || says(reply, "Canceled")));
        check_failure(&failure);
    }
    if (state == OPERATION_SUCCEEDED && by_status)
        MUST(says(reply, "Succeeded"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[STATUS_COUNT] = {200, 201, 202, 204, 404, 410};
    struct http_reply reply;

    fuzz_reply_init(&reply, data, size);
    check_headers(&reply);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        reply.status = statuses[i];
        check_answer(&reply, true);
        check_answer(&reply, false);
    }
    http_reply_done(&reply);
    return 0;
}
