#include "ctl/identify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "proto/key_text.h"

#define NOW  1795348800000 /* 2026-11-22T12:00:00Z */
#define ID   "/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/alpha"
#define HEX1 "00112233445566778899aabbccddeeff"
#define HEX2 "ffeeddccbbaa99887766554433221100"

/* 64 bytes in base64; 84 letters and digits; 52 of them; one of an integration runtime. */
#define BATCH                                                                                      \
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
#define OTHER                                                                                      \
    "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEwZmVkY2JhOTg3NjU0MzIxMA=="
#define WORDS   "8aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9nO1pQ3rS5tU7vW9xY1zA3bC5dE"
#define SEARCH  "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5j"
#define RUNTIME "IR@0f0e0d0c-0b0a-4908-8706-050403020100@factory@ServiceEndpoint=x@" SEARCH "="

static const uint8_t salt[FINGERPRINT_SALT_LENGTH] = "a salt of thirty-two bytes, or";

static struct fingerprint mark_of(const char *key)
{
    struct fingerprint fingerprint;

    assert_int_equal(key_fingerprint(salt, key, strlen(key), &fingerprint), 0);
    return fingerprint;
}

/* --- the document --- */

static const struct identified_key idle = {.fingerprint = HEX1,
                                           .state = "idle",
                                           .id = ID,
                                           .name = "alpha\x1b",
                                           .resource_group = "g",
                                           .slot = "secondary",
                                           .adopted = true,
                                           .configured = true,
                                           .dead_since = TIME_NEVER,
                                           .overlap_until = NOW + MS_DAY,
                                           .looked_at = NOW - MS_HOUR};
static const struct identified_key unknown = {.fingerprint = HEX2,
                                              .state = "unknown",
                                              .dead_since = TIME_NEVER,
                                              .overlap_until = TIME_NEVER,
                                              .looked_at = TIME_NEVER};

static void test_the_document_is_read_as_it_was_written(void **state)
{
    struct control_identity identity;
    struct buf text;
    struct err err;

    (void)state;
    buf_init(&text, CONTROL_REPLY_MAX);
    control_identify_start(&text, NOW, salt);
    control_identify_key(&text, &idle);
    control_identify_key(&text, &unknown);
    control_identify_end(&text);
    assert_int_equal(text.failed, 0);
    assert_int_equal(control_identify_parse(buf_str(&text), text.length, &identity, &err), 0);
    assert_true(identity.now == NOW);
    assert_memory_equal(identity.salt, salt, sizeof(salt));
    assert_int_equal(identity.key_count, 2);
    assert_string_equal(identity.keys[0].fingerprint, HEX1);
    assert_int_equal(key_use_from_name(identity.keys[0].state), KEY_IDLE);
    assert_string_equal(identity.keys[0].id, ID);
    assert_true(identity.keys[0].adopted && identity.keys[0].configured);
    assert_false(identity.keys[0].unconfirmed || identity.keys[0].regenerating);
    assert_true(identity.keys[0].overlap_until == NOW + MS_DAY);
    assert_true(identity.keys[0].dead_since == TIME_NEVER);
    assert_int_equal(key_use_from_name(identity.keys[1].state), KEY_UNKNOWN);
    assert_null(identity.keys[1].id);
    control_identify_done(&identity);
    buf_done(&text);
}

static void test_other_documents_are_refused(void **state)
{
    static const char *const texts[] = {
        "", "[]", "{}", "{\"salt\":\"00\",\"keys\":[]}", "{", "{\"salt\":3,\"keys\":[]}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct control_identity identity;
        struct err err;

        assert_int_equal(control_identify_parse(texts[i], strlen(texts[i]), &identity, &err),
                         -EBADMSG);
        assert_int_equal(identity.key_count, 0);
    }
    assert_int_equal(key_use_from_name("asleep"), KEY_USE_COUNT);
    assert_int_equal(key_use_from_name(NULL), KEY_USE_COUNT);
}

static void test_the_path_asks_about_all(void **state)
{
    struct fingerprint sought[2] = {{{1}}, {{2}}};
    struct buf path;

    (void)state;
    buf_init(&path, CONTROL_URI_MAX);
    assert_int_equal(control_identify_path(NULL, 0, &path), 0);
    assert_string_equal(buf_str(&path), "/v1/identify");
    buf_clear(&path);
    assert_int_equal(control_identify_path(sought, 2, &path), 0);
    assert_string_equal(buf_str(&path),
                        "/v1/identify?fingerprint=01000000000000000000000000000000"
                        "&fingerprint=02000000000000000000000000000000");
    buf_done(&path);
}

/* --- what is shown --- */

static void assert_shown(const struct findings *findings, enum ctl_exit result, const char *text)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    identify_write_text(&out, findings, NOW);
    assert_string_equal(buf_str(&out), text);
    assert_int_equal(identify_result(findings), result);
    buf_done(&out);
}

static void assert_one_shown(struct identified_key key, enum ctl_exit result, const char *text)
{
    struct found_key found = {.known = &key};

    assert_shown(&(struct findings){.keys = &found, .key_count = 1}, result, text);
}

static void test_a_line_for_each_state(void **state)
{
    struct identified_key key = idle;

    (void)state;
    assert_one_shown(key, CTL_IDLE,
                     "g/alpha?: the secondary key: live and idle\n"
                     "    consumers that have not read the new key yet may use it until "
                     "2026-11-23T12:00:00Z (in 1d)\n");
    key.overlap_until = TIME_NEVER;
    key.state = "active";
    assert_one_shown(key, CTL_DONE, "g/alpha?: the secondary key: live and in use\n");
    key.regenerating = key.unconfirmed = true;
    key.adopted = key.configured = false;
    assert_one_shown(
        key, CTL_DONE,
        "g/alpha?: the secondary key: live; which key is in use is not known yet\n"
        "    it is being replaced: it may be dead at any moment\n"
        "    the last look showed that a key was changed by somebody else, which a second look has "
        "to confirm\n"
        "    the account is no longer in the configuration: this was so when it was last looked "
        "at, "
        "2026-11-22T11:00:00Z (1h ago)\n");
    key = idle;
    key.state = "dead";
    key.overlap_until = TIME_NEVER;
    key.dead_since = NOW - 2 * MS_DAY;
    assert_one_shown(key, CTL_DEAD,
                     "g/alpha?: a former secondary key: dead since 2026-11-20T12:00:00Z (2d "
                     "ago)\n");
    key.slot = NULL;
    key.dead_since = TIME_NEVER;
    assert_one_shown(key, CTL_DEAD, "g/alpha?: a former key: dead, since when is not known\n");
    key.state = "of a newer daemon";
    assert_one_shown(key, CTL_UNKNOWN,
                     "unknown: no account has this key, or is known to have had it\n");
    assert_one_shown(unknown, CTL_UNKNOWN,
                     "unknown: no account has this key, or is known to have had it\n");
}

static void test_blanks_are_a_hint(void **state)
{
    struct found_key found = {.known = &unknown};

    (void)state;
    assert_shown(&(struct findings){.keys = &found, .key_count = 1, .is_more_than_key = true},
                 CTL_UNKNOWN,
                 "unknown: no account has this key, or is known to have had it\n"
                 "    it is more than a key: give the key alone, or let `keyrotatectl identify "
                 "--scan FILE` find the keys in a file\n");
}

static void test_a_scan_tells_the_known_ones(void **state)
{
    static char first[] = "/etc/a", second[] = "/etc/b\n", third[] = "/etc/c";
    static char *files[] = {first, second};
    struct identified_key dead = idle, active = idle;
    struct found_key keys[] = {{.file = 0, .known = &unknown},
                               {.file = 1, .known = &dead},
                               {.file = 1, .known = &active},
                               {.file = 1, .known = NULL}};
    struct findings findings = {.of_scan = true,
                                .files = files,
                                .file_count = 2,
                                .keys = keys,
                                .key_count = 4,
                                .files_read = 7};
    struct buf out;

    (void)state;
    dead.state = "dead";
    dead.dead_since = dead.overlap_until = TIME_NEVER;
    active.state = "active";
    active.overlap_until = TIME_NEVER;
    assert_shown(&findings, CTL_DONE,
                 "/etc/b?\n"
                 "    g/alpha?: a former secondary key: dead, since when is not known\n"
                 "    g/alpha?: the secondary key: live and in use\n"
                 "2 keys in 1 of 7 files\n");
    findings.skipped[findings.skipped_count++] = (struct skipped_file){third, "it is odd"};
    assert_int_equal(identify_result(&findings), CTL_DONE);
    buf_init(&out, CONTROL_REPLY_MAX);
    identify_write_json(&out, &findings, NOW);
    assert_non_null(strstr(buf_str(&out), "{\"path\":\"/etc/b\\n\",\"fingerprint\":\"" HEX1 "\""));
    assert_null(strstr(buf_str(&out), HEX2));
    assert_non_null(strstr(buf_str(&out),
                           "\"files\":7,\"skipped\":[{\"path\":\"/etc/c\",\"why\":"
                           "\"it is odd\"}],\"whole\":false}"));
    json_object_put(json_parse(buf_str(&out), out.length, NULL));
    buf_done(&out);
    findings.key_count = 1;
    assert_int_equal(identify_result(&findings), CTL_NOT_DONE);
    findings.skipped_count = 0;
    assert_shown(&findings, CTL_UNKNOWN, "0 keys in 0 of 7 files\n");
    findings.cut_by = "there is too much";
    assert_int_equal(identify_result(&findings), CTL_NOT_DONE);
}

/* --- scanning --- */

static char directory[] = "/tmp/test_identify.XXXXXX";

static const char *in_directory(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void put_bytes(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(in_directory(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static int set_up(void **state)
{
    static const char nested[] = "\0\xff\x80" OTHER "\0";

    (void)state;
    assert_non_null(mkdtemp(directory));
    put("a.env", "AZURE_BATCH_ACCOUNT=x\nAZURE_BATCH_ACCESS_KEY=" BATCH "\nOTHER='" OTHER "'\n");
    put("b.json", "{\"key\":\"" BATCH "\",\"again\":\"" BATCH "\",\"search\":\"" SEARCH "\"}");
    put("c.txt", "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=" BATCH
                 ";EntityPath=q\nAccountKey=" OTHER ";x\nopenai: " WORDS "\nruntime " RUNTIME "\n");
    put("empty", "");
    put("prose", "no key in this file, nor in this path: /usr/share/doc/keyrotated/README.md\n");
    assert_int_equal(mkdir(in_directory("deep"), 0700), 0);
    put_bytes("deep/binary", nested, sizeof(nested) - 1);
    assert_int_equal(mkfifo(in_directory("deep/fifo"), 0600), 0);
    return 0;
}

static bool holds(const struct findings *findings, const char *file, const char *key)
{
    const struct fingerprint mark = mark_of(key);

    for (size_t i = 0; i < findings->key_count; i++)
        if (strcmp(findings->files[findings->keys[i].file], in_directory(file)) == 0 &&
            fingerprint_equal(&findings->keys[i].fingerprint, &mark))
            return true;
    return false;
}

static void scan(struct findings *findings, const char *path)
{
    char copy[512];
    char *paths[] = {copy, NULL};

    snprintf(copy, sizeof(copy), "%s", path);
    *findings = (struct findings){.of_scan = false};
    assert_int_equal(identify_scan(findings, paths, salt), 0);
    assert_true(findings->of_scan);
}

static void test_keys_of_every_form_are_found(void **state)
{
    struct findings findings;

    (void)state;
    scan(&findings, directory);
    assert_true(holds(&findings, "a.env", BATCH));
    assert_true(holds(&findings, "a.env", OTHER));
    assert_true(holds(&findings, "b.json", BATCH));
    assert_true(holds(&findings, "b.json", SEARCH));
    assert_true(holds(&findings, "c.txt", BATCH));
    assert_true(holds(&findings, "c.txt", OTHER));
    assert_true(holds(&findings, "c.txt", WORDS));
    assert_true(holds(&findings, "c.txt", RUNTIME));
    assert_true(holds(&findings, "deep/binary", OTHER));
    assert_int_equal(findings.files_read, 6);
    assert_int_equal(findings.file_count, 4);
    assert_int_equal(findings.skipped_count, 0);
    for (size_t i = 1; i < findings.key_count; i++)
        assert_false(
            findings.keys[i].file == findings.keys[i - 1].file &&
            fingerprint_equal(&findings.keys[i].fingerprint, &findings.keys[i - 1].fingerprint));
    findings_done(&findings);
}

static void test_links_are_followed_where_named_alone(void **state)
{
    struct findings findings;

    (void)state;
    assert_int_equal(mkdir(in_directory("links"), 0700), 0);
    assert_int_equal(symlink("../a.env", in_directory("links/file")), 0);
    assert_int_equal(symlink("..", in_directory("links/up")), 0);
    assert_int_equal(symlink("nowhere", in_directory("dangling")), 0);
    scan(&findings, in_directory("links"));
    assert_int_equal(findings.files_read, 0);
    assert_int_equal(findings.key_count + findings.skipped_count, 0);
    findings_done(&findings);
    scan(&findings, in_directory("links/file"));
    assert_int_equal(findings.files_read, 1);
    assert_true(holds(&findings, "links/file", BATCH));
    findings_done(&findings);
    scan(&findings, in_directory("dangling"));
    assert_int_equal(findings.skipped_count, 1);
    assert_string_equal(findings.skipped[0].why, "it is a link to nothing");
    findings_done(&findings);
    scan(&findings, in_directory("missing"));
    assert_int_equal(findings.skipped_count, 1);
    assert_string_equal(findings.skipped[0].path, in_directory("missing"));
    findings_done(&findings);
}

static void test_large_files_are_named(void **state)
{
    struct findings findings;

    (void)state;
    put("large", BATCH "\n");
    assert_int_equal(truncate(in_directory("large"), SCAN_FILE_SIZE_MAX), 0);
    scan(&findings, in_directory("large"));
    assert_true(holds(&findings, "large", BATCH));
    assert_int_equal(findings.skipped_count, 0);
    findings_done(&findings);
    assert_int_equal(truncate(in_directory("large"), SCAN_FILE_SIZE_MAX + 1), 0);
    scan(&findings, in_directory("large"));
    assert_int_equal(findings.key_count, 0);
    assert_int_equal(findings.skipped_count, 1);
    assert_string_equal(findings.skipped[0].why, "it is larger than 8 MiB");
    findings_done(&findings);
}

static int tear_down(void **state)
{
    char command[600];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_document_is_read_as_it_was_written),
        cmocka_unit_test(test_other_documents_are_refused),
        cmocka_unit_test(test_the_path_asks_about_all),
        cmocka_unit_test(test_a_line_for_each_state),
        cmocka_unit_test(test_blanks_are_a_hint),
        cmocka_unit_test(test_a_scan_tells_the_known_ones),
        cmocka_unit_test(test_keys_of_every_form_are_found),
        cmocka_unit_test(test_links_are_followed_where_named_alone),
        cmocka_unit_test(test_large_files_are_named),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
