/* base/ when memory runs out: see allocation.h. */
#include "allocation_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/tz.h"
#include "config_fixture.h"
#include "io/log/log_private.h"

#define NOW FIXTURE_NOW

/* --- text --- */

static void append_to_buf(struct result *result, const void *context)
{
    struct buf buf;

    (void)context;
    buf_init(&buf, 4096);
    for (int i = 0; i < 40; i++) {
        buf_append(&buf, "bytes ", 6);
        buf_append_str(&buf, "text ");
        buf_append_char(&buf, 'c');
        buf_append_format(&buf, "%d, ", i);
    }
    if (buf.failed != 0)
        result_failed(result, buf.failed, NULL);
    else
        result_add(result, "%s", buf_str(&buf));
    buf_done(&buf);
}

static void take_from_buf(struct result *result, const void *context)
{
    struct buf buf;
    char *taken;

    (void)context;
    buf_init(&buf, 4096);
    buf_append_format(&buf, "%0100d", 7);
    taken = buf_take(&buf);
    if (!taken)
        result_failed(result, -ENOMEM, NULL);
    else
        result_add(result, "%s, then \"%s\"", taken, buf_str(&buf));
    free(taken);
    buf_done(&buf);
}

/* An item that finds no memory is in no heap, and the others stay. */
static void fill_heap(struct result *result, const void *context)
{
    struct heap_item items[100] = {0};
    struct heap heap = {0};
    int rc = 0;

    (void)context;
    for (int i = 0; rc == 0 && i < 100; i++)
        rc = heap_set(&heap, &items[i], 100 - i);
    if (rc != 0)
        result_failed(result, rc, NULL);
    else
        result_add(result, "%" PRId64, heap_first(&heap)->at);
    heap_done(&heap);
}

/* After a failure it can be filled anew. */
static void clear_buf(struct result *result, const void *context)
{
    struct buf buf;

    (void)context;
    buf_init(&buf, 4096);
    buf_append_format(&buf, "%0100d", 7);
    buf_clear(&buf);
    if (buf_append_str(&buf, "anew") != 0 || percent_encode(&buf, "a b/c", 5) != 0)
        result_failed(result, buf.failed, NULL);
    else
        result_add(result, "%s", buf_str(&buf));
    buf_done(&buf);
}

static void make_strings(struct result *result, const void *context)
{
    char *texts[] = {
        str_format("%s and %0200d", "text", 7),
        str_dup("a copy"),
        str_dup_n("a part", 3),
        base64_encode("bytes", 5),
        str_dup(""),
    };

    (void)context;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!texts[i])
            result_failed(result, -ENOMEM, NULL);
        else
            result_add(result, "%s\n", texts[i]);
        free(texts[i]);
    }
}

/* --- JSON --- */

static const char *string_or_null(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static void add_json(struct result *result, struct json_object *document)
{
    struct json_object *inner = json_member(document, "object");
    struct json_object *list = json_member(document, "list");
    struct secret *key;
    int64_t number = 0;
    bool yes = false;

    result_add_text(result, "text", json_string(document, "text"));
    result_add(result, "%d %" PRId64 "\n", json_int64(document, "number", &number), number);
    result_add(result, "%d %d\n", json_boolean(document, "yes", &yes), yes);
    result_add_text(result, "inner", json_string(inner, "inner"));
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        result_add_text(result, "element", string_or_null(json_object_array_get_idx(list, i)));
    for (char name[] = "a"; name[0] <= 'z'; name[0]++)
        result_add_text(result, name, json_string(document, name));
    if (!json_string(document, "text"))
        return;
    key = json_secret(document, "text");
    if (!key)
        result_failed(result, -ENOMEM, NULL);
    else
        result_add(result, "secret %s\n", secret_bytes(key));
    secret_free(key);
}

static void parse_json(struct result *result, const void *text)
{
    struct err err = {.code = 0};
    struct json_object *document = json_parse(text, strlen(text), &err);

    if (!document)
        result_failed(result, err.code, err.text);
    else
        add_json(result, document);
    json_free_wiped(document);
}

static const char good_json[] =
    "{\"text\":\"a long text, longer than what a string object holds within itself: 0123456789\","
    "\"number\":-42,\"digits\":\"17\",\"yes\":true,\"nothing\":null,\"fraction\":1.5e3,"
    "\"object\":{\"inner\":\"\\u00e4 \\ud83d\\ude00\",\"empty\":{}},\"list\":[\"one\",\"two\",[]]}";

/* So many names that the tables of names grow, here and in json-c. */
static const char wide_json[] =
    "{\"text\":\"t\",\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\",\"f\":\"6\","
    "\"g\":\"7\",\"h\":\"8\",\"i\":\"9\",\"j\":\"10\",\"k\":\"11\",\"l\":\"12\",\"m\":\"13\","
    "\"n\":\"14\",\"o\":\"15\",\"p\":\"16\",\"q\":\"17\",\"r\":\"18\",\"s\":\"19\",\"u\":\"20\","
    "\"list\":[\"01\",\"02\",\"03\",\"04\",\"05\",\"06\",\"07\",\"08\",\"09\",\"10\",\"11\","
    "\"12\",\"13\",\"14\",\"15\",\"16\",\"17\",\"18\",\"19\",\"20\",\"21\",\"22\",\"23\",\"24\","
    "\"25\",\"26\",\"27\",\"28\",\"29\",\"30\",\"31\",\"32\",\"33\",\"34\"]}";

static void write_json_string(struct result *result, const void *context)
{
    static const char text[] =
        "quotes \" and \\, \n\r\t, \x01, \xff, \xe2\x80\xa8 and plain text "
        "that makes it so long that it has to grow";
    struct buf out;

    (void)context;
    buf_init(&out, 4096);
    if (json_append_string(&out, text, sizeof(text) - 1) != 0)
        result_failed(result, out.failed, NULL);
    else
        result_add(result, "%s", buf_str(&out));
    buf_done(&out);
}

/* --- the log --- */

static void fill_line(struct log_line *line)
{
    log_line_start(line, NOW, LEVEL_NOTICE, "key.delivered", "%s: delivered", "sampleacct");
    log_line_text(line, "account", "sampleacct");
    log_line_text(line, "target", "a name with \"quotes\"");
    log_line_number(line, "cycle", 7);
    log_line_time(line, "next_at", NOW + MS_DAY);
}

static void format_line(struct result *result, const void *context)
{
    int (*const *format)(struct buf *, const struct log_line *) = context;
    struct log_line line;
    struct buf out;

    fill_line(&line);
    buf_init(&out, LOG_LINE_MAX);
    if ((*format)(&out, &line) != 0)
        result_failed(result, out.failed, NULL);
    else
        result_add(result, "%s", buf_str(&out));
    buf_done(&out);
}

/* A line for which there is no memory is written as the bare name of its event: short, and not to
 * be taken for the whole. */
static void write_line(struct result *result, const void *context)
{
    static const char bare[] = "level=notice event=key.delivered\n";
    log_format_line *const *format = context;
    struct log_stream stream;
    struct log_line line;
    char text[1024];
    ssize_t length;
    int ends[2];

    if (pipe(ends) != 0)
        return;
    fill_line(&line);
    stream = (struct log_stream){.fd = ends[1]};
    (void)log_stream_write(&stream, *format, &line);
    length = read(ends[0], text, sizeof(text) - 1);
    text[length > 0 ? length : 0] = '\0';
    if (strcmp(text, bare) == 0)
        result_failed(result, -ENOMEM, NULL);
    else
        result_add(result, "%s", text);
    close(ends[0]);
    close(ends[1]);
}

static int (*const logfmt)(struct buf *, const struct log_line *) = log_format_logfmt;
static int (*const json)(struct buf *, const struct log_line *) = log_format_json;

/* --- secrets --- */

static void keep_secrets(struct result *result, const void *context)
{
    static const size_t lengths[] = {0, 88, 88, 2000, 10000};
    static const char bytes[10000] = "secret";
    struct secret *secrets[sizeof(lengths) / sizeof(lengths[0])];
    struct secret *twin = NULL;

    (void)context;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        secrets[i] = secret_new(bytes, lengths[i]);
        if (!secrets[i])
            result_failed(result, -ENOMEM, NULL);
        else
            result_add(result, "%zu %s\n", secret_length(secrets[i]), secret_bytes(secrets[i]));
    }
    if (secrets[1]) {
        twin = secret_clone(secrets[1]);
        if (!twin)
            result_failed(result, -ENOMEM, NULL);
        else
            result_add(result, "%d\n", secret_equal(secrets[1], twin));
    }
    secret_clear(&twin);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        secret_free(secrets[i]);
}

/* --- files --- */

static const char old_content[] = "old";

static void put_file(const char *path, const char *content)
{
    allocation_suspend();
    config_fixture_write(path, content);
    allocation_resume();
}

static void add_file(struct result *result, const char *path)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    result_add_text(result, path, length < 0 ? NULL : text);
}

static void read_file(struct result *result, const void *context)
{
    struct err err = {.code = 0};
    struct buf content;
    int rc;

    (void)context;
    put_file("file",
             "what the file holds, in more bytes than the first allocation has room for: "
             "0123456789 0123456789 0123456789");
    buf_init(&content, 4096);
    rc = fs_read("file", &content, &err);
    if (rc != 0)
        result_failed(result, rc, err.text);
    else
        result_add(result, "%s", buf_str(&content));
    buf_done(&content);
}

/* Done, or nothing has changed; no temporary file is left. */
static void replace_file(struct result *result, const void *context)
{
    struct err err = {.code = 0};
    int rc;

    (void)context;
    put_file("file", old_content);
    rc = fs_replace("./file", "new", 3, &(struct fs_form){.mode = 0600, .gid = (gid_t)-1}, &err);
    if (rc != 0)
        result_failed(result, rc, err.text);
    add_file(result, "file");
    result_add(result, "%d\n", rmdir(".")); /* fails: the directory is in use */
    rc = fs_check_replaceable("file", &err);
    if (rc != 0)
        result_failed(result, rc, err.text);
}

static void make_directory(struct result *result, const void *context)
{
    struct err err = {.code = 0};
    struct stat status;
    int rc;

    (void)context;
    rc = fs_make_directory("one/two", 0700, &err);
    if (rc != 0)
        result_failed(result, rc, err.text);
    else
        result_add(result, "%d", stat("one/two", &status));
    (void)rmdir("one/two");
    (void)rmdir("one");
}

/* The function cannot report that its search failed: the next start finds what remains. */
static void remove_leftovers(struct result *result, const void *context)
{
    (void)context;
    put_file(".file.aB3dE6.tmp", "left behind");
    put_file("file", old_content);
    fs_remove_leftovers("file", geteuid());
    add_file(result, "file");
    if (access(".file.aB3dE6.tmp", F_OK) == 0)
        result_failed(result, -ENOMEM, "it is still there");
}

/* --- libraries --- */

/* -EIO stands for whatever libcrypto could not do, for want of memory or of entropy. It notes its
 * errors in a queue that lives as long as the thread. */
static void digest(struct result *result, const void *context)
{
    uint8_t hash[SHA256_LENGTH] = {0}, mac[SHA256_LENGTH] = {0};
    char hex[2 * SHA256_LENGTH + 1], uuid[UUID_TEXT_MAX] = "";
    int codes[3];

    (void)context;
    allocation_suspend();
    ERR_clear_error();
    allocation_resume();
    codes[0] = crypto_sha256("text", 4, hash);
    codes[1] = crypto_hmac_sha256("key", 3, "text", 4, mac);
    codes[2] = crypto_uuid(uuid);
    ERR_clear_error();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == -EIO)
            result_failed(result, -ENOMEM, NULL);
        else
            result_add(result, "%d\n", codes[i]);
    }
    hex_encode(hash, sizeof(hash), hex);
    result_add(result, "%s\n", hex);
    hex_encode(mac, sizeof(mac), hex);
    result_add(result, "%s\n%zu\n", hex, strlen(uuid));
}

static void load_time_zone(struct result *result, const void *name)
{
    struct tz *tz;

    errno = 0;
    tz = tz_load(name);
    if (!tz) {
        result_failed(result, -errno, NULL);
    } else {
        struct civil_time civil = tz_to_civil(tz, NOW);

        result_add(result, "%s %d:%d %" PRId64, tz_name(tz), civil.hour, civil.minute,
                   tz_from_civil(tz, 2026, 11, 22, 12, 0));
    }
    tz_free(tz);
}

static void name_time_zone(struct result *result, const void *name)
{
    char *current;

    errno = 0;
    current = tz_current_name(name);
    if (!current)
        result_failed(result, -errno, NULL);
    else
        result_add_text(result, "now", current);
    free(current);
}

/* Functions that have to work without memory, and functions that are called too often to request
 * any. */
static void without_memory(struct result *result, const void *context)
{
    struct list head, item;
    struct err err;
    char text[DATE_TEXT_MAX];
    duration_ms duration = 0;
    time_ms at = 0;

    (void)context;
    list_init(&head);
    list_append(&head, &item);
    result_add(result, "%d\n", list_pop(&head) == &item);
    (void)err_set_errno(&err, ENOENT, "cannot read %s", "file");
    (void)err_wrap(&err, "loading");
    result_add(result, "%s\n", err.text);
    result_add(result, "%s\n", date_to_rfc3339(NOW, text));
    result_add(result, "%s\n", date_to_http(NOW, text));
    result_add(result, "%d %d\n", date_from_http("Sun, 22 Nov 2026 12:00:00 GMT", &at),
               date_from_rfc3339("2026-11-22T12:00:00Z", &at));
    result_add(result, "%d %s\n", duration_parse("1h30m", &duration),
               duration_to_text(duration, text));
    result_add(result, "%d\n", (int)strlen(str_nearest("nmae", (const char *[]){"name", NULL})));
}

static void test_some_need_no_memory(void **state)
{
    const struct scenario scenario = {"without memory", without_memory, NULL};

    (void)state;
    if (!allocation_works())
        skip();
    assert_null(allocation_convict(&scenario));
    assert_int_equal(allocation_count(&scenario), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("buf", append_to_buf, NULL),
        ALLOCATION_TEST("buf_take", take_from_buf, NULL),
        ALLOCATION_TEST("buf_clear", clear_buf, NULL),
        ALLOCATION_TEST("heap", fill_heap, NULL),
        ALLOCATION_TEST("strings", make_strings, NULL),
        ALLOCATION_TEST("json", parse_json, good_json),
        ALLOCATION_TEST("json_with_many_names", parse_json, wide_json),
        ALLOCATION_TEST("json_list", parse_json, "[1,\"two\",{\"three\":3},null]"),
        ALLOCATION_TEST("json_with_a_name_twice", parse_json, "{\"a\":1,\"b\":{\"c\":2},\"a\":3}"),
        ALLOCATION_TEST("json_without_end", parse_json, "{\"a\":[1,{\"b\":"),
        ALLOCATION_TEST("json_string", write_json_string, NULL),
        ALLOCATION_TEST("log_logfmt", format_line, &logfmt),
        ALLOCATION_TEST("log_json", format_line, &json),
        ALLOCATION_TEST("log_stream_logfmt", write_line, &logfmt),
        ALLOCATION_TEST("log_stream_json", write_line, &json),
        ALLOCATION_TEST("secret", keep_secrets, NULL),
        ALLOCATION_TEST("fs_read", read_file, NULL),
        ALLOCATION_TEST("fs_replace", replace_file, NULL),
        ALLOCATION_TEST("fs_make_directory", make_directory, NULL),
        ALLOCATION_TEST("fs_remove_leftovers", remove_leftovers, NULL),
        ALLOCATION_TEST("crypto", digest, NULL),
        ALLOCATION_TEST("time_zone", load_time_zone, "Europe/Berlin"),
        ALLOCATION_TEST("time_zone_utc", load_time_zone, "UTC"),
        ALLOCATION_TEST("time_zone_of_old", name_time_zone, "US/Pacific"),
        ALLOCATION_TEST("time_zone_that_is_none", load_time_zone, "Europe/Nowhere"),
        cmocka_unit_test(test_some_need_no_memory),
    };
    return cmocka_run_group_tests(tests, config_fixture_enter, config_fixture_leave);
}
