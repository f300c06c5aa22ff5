/* File targets, each test with a directory of its own. */
#include "io/target/target.h"

#include <grp.h>
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
#include "base/str.h"
#include "conf/target_file.h"
#include "proto/key_text.h"

/* 64 bytes each, as Batch issues them. */
#define KEY_A                                                                                      \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="
#define KEY_B                                                                                      \
    "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktMTU5PUA=="

enum { DELIVERED_AT = 1000000000 };

struct fixture {
    char directory[64];
    char path[128];
    struct loop *loop;
    struct target_world world;
    struct target_file settings;
    struct destination destination;
    struct account account;
    const char *endpoint;
};

/* What a completion said, with copies of what does not outlive it. */
struct answer {
    int count;
    bool failed, changed;
    enum target_form form;
    char form_text[TARGET_FORM_TEXT_MAX];
    struct failure failure;
    struct sighting sighting;
    char first_key[128];
};

static struct fingerprint first_bytes(void *context, const char *key, size_t length)
{
    struct fingerprint fingerprint;

    assert_non_null(context);
    assert_true(length >= FINGERPRINT_LENGTH);
    memcpy(fingerprint.bytes, key, FINGERPRINT_LENGTH);
    return fingerprint;
}

static void note(void *context, struct target_result *result)
{
    struct answer *answer = context;

    answer->count++;
    answer->failed = !!result->failure;
    if (answer->failed)
        answer->failure = *result->failure;
    assert_false(result->canceled);
    answer->changed = result->changed;
    answer->form = result->form;
    (void)str_copy(answer->form_text, sizeof(answer->form_text),
                   result->form_text ? result->form_text : "");
    answer->sighting = result->sighting;
    if (result->keys[0]) {
        (void)str_copy(answer->first_key, sizeof(answer->first_key), secret_bytes(result->keys[0]));
        secret_clear(&result->keys[0]); /* the callee may keep or free it; the rest is not ours */
    }
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    (void)str_copy(f->directory, sizeof(f->directory), "/tmp/keyrotated-target-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/sampleacct", f->directory);
    f->loop = loop_new(NULL);
    assert_non_null(f->loop);
    f->world = (struct target_world){
        .loop = f->loop, .fingerprint = first_bytes, .fingerprint_context = f};
    f->settings.mode = 0640;
    f->destination = (struct destination){
        .name = "file", .type = &target_file_type, .place = f->path, .settings = &f->settings};
    f->destination.key_shape = &key_shape_base64;
    f->account = (struct account){.name = "sampleacct", .id = "/subscriptions/0/sampleacct"};
    f->endpoint = "sampleacct.japaneast.batch.azure.com";
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    assert_true(loop_free(f->loop));
    (void)snprintf(command, sizeof(command), "rm -rf %s", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static struct answer deliver_key(struct fixture *f, const char *key, time_ms delivered_at)
{
    struct secret *secret = secret_new(key, strlen(key));
    struct delivery delivery = {.account = &f->account,
                                .endpoint = f->endpoint,
                                .location = "Japan East",
                                .slot = SLOT_SECONDARY,
                                .key = secret,
                                .cycle = 7,
                                .delivered_at = delivered_at};
    struct answer answer = {.count = 0};

    target_deliver(&f->world, &f->destination, &delivery, note, &answer);
    secret_free(secret); /* borrowed until the call returned */
    assert_int_equal(answer.count, 0);
    loop_run(f->loop);
    assert_int_equal(answer.count, 1);
    return answer;
}

static struct answer deliver(struct fixture *f, const char *key)
{
    return deliver_key(f, key, DELIVERED_AT);
}

static struct answer read_at(struct fixture *f, const char *location, bool set_form)
{
    struct answer answer = {.count = 0};

    target_read(&f->world, &f->destination, location, set_form, note, &answer);
    assert_int_equal(answer.count, 0);
    loop_run(f->loop);
    assert_int_equal(answer.count, 1);
    return answer;
}

static struct answer read_target(struct fixture *f)
{
    return read_at(f, "japaneast", false);
}

static struct answer probe(struct fixture *f)
{
    struct answer answer = {.count = 0};

    target_probe(&f->world, &f->destination, "japaneast", note, &answer);
    assert_int_equal(answer.count, 0);
    loop_run(f->loop);
    assert_int_equal(answer.count, 1);
    return answer;
}

static void put(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *content)
{
    struct buf bytes;

    buf_init(&bytes, 4096);
    assert_int_equal(fs_read(path, &bytes, NULL), 0);
    assert_string_equal(buf_str(&bytes), content);
    buf_done(&bytes);
}

static struct stat status_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static void assert_failed(const struct answer *answer, enum reason reason, const char *text,
                          const char *remedy)
{
    assert_true(answer->failed);
    assert_false(answer->changed);
    assert_int_equal(answer->failure.reason, reason);
    if (!strstr(answer->failure.text, text))
        fail_msg("\"%s\" lacks \"%s\"", answer->failure.text, text);
    if (!strstr(answer->failure.remedy, remedy))
        fail_msg("\"%s\" lacks \"%s\"", answer->failure.remedy, remedy);
    assert_null(strstr(answer->failure.text, KEY_A));
}

/* --- delivering --- */

static void test_deliver_writes_then_acknowledges(void **state)
{
    struct fixture *f = *state;
    struct answer answer = deliver(f, KEY_A);
    struct stat before, after;

    assert_false(answer.failed);
    assert_true(answer.changed);
    assert_holds(f->path, KEY_A "\n");
    before = status_of(f->path);
    assert_int_equal(before.st_mode & 07777, 0640);

    answer = deliver(f, KEY_A);
    assert_false(answer.failed);
    assert_false(answer.changed);
    after = status_of(f->path);
    assert_int_equal(before.st_ino, after.st_ino); /* not even written again */

    answer = deliver(f, KEY_B);
    assert_true(answer.changed);
    assert_holds(f->path, KEY_B "\n");
    after = status_of(f->path);
    assert_int_not_equal(before.st_ino, after.st_ino); /* replaced, not written in place */
}

static void test_deliver_corrects_mode_and_content(void **state)
{
    struct fixture *f = *state;
    struct stat before;

    assert_true(deliver(f, KEY_A).changed);
    before = status_of(f->path);
    assert_int_equal(chmod(f->path, 0644), 0);
    assert_false(deliver(f, KEY_A).changed); /* in place: nobody is told a key anew */
    assert_int_equal(status_of(f->path).st_mode & 07777, 0640);
    assert_int_equal(status_of(f->path).st_ino, before.st_ino);

    put(f->path, KEY_A "\n\n");
    assert_int_equal(chmod(f->path, 0640), 0);
    assert_true(deliver(f, KEY_A).changed);
    assert_holds(f->path, KEY_A "\n");
}

static void test_read_tells_and_sets_the_form(void **state)
{
    struct fixture *f = *state;
    struct answer answer;
    struct stat before;

    f->settings.has_mode = true;
    assert_int_equal(read_at(f, "japaneast", true).form, TARGET_FORM_RIGHT); /* there is nothing */
    assert_true(deliver(f, KEY_A).changed);
    before = status_of(f->path);
    assert_int_equal(read_at(f, "japaneast", true).form, TARGET_FORM_RIGHT);

    assert_int_equal(chmod(f->path, 0604), 0);
    answer = read_at(f, "japaneast", false);
    assert_int_equal(answer.form, TARGET_FORM_WRONG);
    assert_string_equal(answer.form_text, "its mode is 0604, not 0640");
    assert_int_equal(status_of(f->path).st_mode & 07777, 0604);
    assert_int_equal(answer.sighting.kind, SIGHTING_KEYS);

    answer = read_at(f, "japaneast", true);
    assert_int_equal(answer.form, TARGET_FORM_SET);
    assert_string_equal(answer.form_text, "its mode was 0604, not 0640");
    assert_int_equal(status_of(f->path).st_mode & 07777, 0640);
    assert_int_equal(status_of(f->path).st_ino, before.st_ino);
}

static void test_json_is_equal_but_for_its_time(void **state)
{
    struct fixture *f = *state;
    struct answer answer;

    f->settings.format = FILE_FORMAT_JSON;
    assert_true(deliver_key(f, KEY_A, DELIVERED_AT).changed);
    answer = deliver_key(f, KEY_A, DELIVERED_AT + MS_HOUR);
    assert_false(answer.failed);
    assert_false(answer.changed);
    assert_true(deliver_key(f, KEY_B, DELIVERED_AT + MS_HOUR).changed);

    answer = read_target(f);
    assert_int_equal(answer.sighting.kind, SIGHTING_KEYS);
    assert_int_equal(answer.sighting.cycle, 7);
    assert_string_equal(answer.first_key, KEY_B);
}

static void test_deliver_removes_leftovers(void **state)
{
    struct fixture *f = *state;
    char leftover[192], other[192];

    (void)snprintf(leftover, sizeof(leftover), "%s/.sampleacct.a1B2c3.tmp", f->directory);
    (void)snprintf(other, sizeof(other), "%s/.otheracct.a1B2c3.tmp", f->directory);
    put(leftover, KEY_B);
    put(other, KEY_B);
    assert_false(deliver(f, KEY_A).failed);
    assert_int_not_equal(access(leftover, F_OK), 0);
    assert_int_equal(access(other, F_OK), 0);
}

static void test_group(void **state)
{
    struct fixture *f = *state;
    struct group *own = getgrgid(getegid());
    struct answer answer;

    assert_non_null(own);
    f->settings.group = own->gr_name;
    assert_false(probe(f).failed);
    assert_true(deliver(f, KEY_A).changed);
    assert_int_equal(status_of(f->path).st_gid, getegid());

    f->settings.group = "no-such-group";
    answer = probe(f);
    assert_failed(&answer, REASON_TARGET_FAILED, "no group \"no-such-group\"", "groupadd");
    answer = deliver(f, KEY_B);
    assert_failed(&answer, REASON_TARGET_FAILED, "no group \"no-such-group\"", "groupadd");
    assert_holds(f->path, KEY_A "\n");
}

static void test_group_is_compared(void **state)
{
    struct fixture *f = *state;
    struct group *other = getgrnam("games");

    if (geteuid() != 0 || !other)
        skip(); /* only root may give files to any group */
    assert_true(deliver(f, KEY_A).changed);
    f->settings.group = "games";
    assert_false(deliver(f, KEY_A).changed); /* in place */
    assert_int_equal(status_of(f->path).st_gid, getgrnam("games")->gr_gid);
    assert_false(deliver(f, KEY_A).changed);
}

/* --- what stands in the way --- */

static void assert_both_fail(struct fixture *f, enum reason reason, const char *text,
                             const char *remedy)
{
    struct answer answer = probe(f);

    assert_failed(&answer, reason, text, remedy);
    answer = deliver(f, KEY_A);
    assert_failed(&answer, reason, text, remedy);
    assert_false(answer.failure.outcome_unknown);
}

static void test_directory_missing(void **state)
{
    struct fixture *f = *state;
    char path[192];

    (void)snprintf(path, sizeof(path), "%s/missing/sampleacct", f->directory);
    f->destination.place = path;
    assert_both_fail(f, REASON_TARGET_FAILED, "No such file or directory", "install -d");
    *strrchr(path, '/') = '\0';
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_directory_in_place(void **state)
{
    struct fixture *f = *state;

    f->destination.place = f->directory;
    assert_both_fail(f, REASON_TARGET_FAILED, "is a directory", "set `path` to a file in it");
}

static void test_part_of_path_is_file(void **state)
{
    struct fixture *f = *state;
    char path[192];

    put(f->path, "");
    (void)snprintf(path, sizeof(path), "%s/below", f->path);
    f->destination.place = path;
    assert_both_fail(f, REASON_TARGET_FAILED, "Not a directory", "correct `path`");
}

static void test_symbolic_link_in_place(void **state)
{
    struct fixture *f = *state;
    char behind[192];
    struct answer answer;

    (void)snprintf(behind, sizeof(behind), "%s/behind", f->directory);
    put(behind, KEY_B "\n");
    assert_int_equal(symlink(behind, f->path), 0);
    assert_both_fail(f, REASON_TARGET_FAILED, "is a symbolic link", "that the link leads to");
    assert_holds(behind, KEY_B "\n");
    assert_true(S_ISLNK(status_of(f->path).st_mode));
    answer = read_target(f); /* its readers do find that key there */
    assert_string_equal(answer.first_key, KEY_B);
}

static void test_pipe_in_place(void **state)
{
    struct fixture *f = *state;
    struct answer answer;

    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_both_fail(f, REASON_TARGET_FAILED, "a pipe", "remove");
    answer = read_target(f);
    assert_failed(&answer, REASON_TARGET_FAILED, "not a regular file", "remove");
}

static void test_no_permission(void **state)
{
    struct fixture *f = *state;
    struct answer answer;

    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    else
        assert_int_equal(chmod(f->directory, 0500), 0);
    answer = probe(f);
    assert_failed(&answer, REASON_TARGET_DENIED, "Permission denied", "chown ");
    assert_string_equal(answer.failure.error_code, "EACCES");
    answer = deliver(f, KEY_A);
    assert_failed(&answer, REASON_TARGET_DENIED, "Permission denied", "chown ");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    else
        assert_int_equal(chmod(f->directory, 0700), 0);
}

static void test_group_of_others(void **state)
{
    struct fixture *f = *state;

    if (!getgrnam("games"))
        skip();
    f->settings.group = "games";
    assert_int_equal(chmod(f->directory, 0777), 0);
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_both_fail(f, REASON_TARGET_DENIED, "may not be given to group \"games\"",
                     "SupplementaryGroups=games");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void test_format_cannot_hold_account(void **state)
{
    struct fixture *f = *state;
    struct answer answer;

    f->settings.format = FILE_FORMAT_ENV;
    f->account.name = "two words";
    answer = deliver(f, KEY_A);
    assert_failed(&answer, REASON_TARGET_FAILED, "cannot write account", "");
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void test_endpoint_not_known(void **state)
{
    struct fixture *f = *state;
    struct answer answer;

    f->endpoint = NULL;
    assert_true(deliver(f, KEY_A).changed); /* the raw form does without */
    f->settings.format = FILE_FORMAT_JSON;
    answer = deliver(f, KEY_B);
    assert_failed(&answer, REASON_TARGET_FAILED, "endpoint is not known yet", "as soon as");
    assert_holds(f->path, KEY_A "\n");
}

/* --- reading --- */

static void test_read(void **state)
{
    static const struct {
        const char *content;
        enum sighting_kind kind;
        size_t key_count;
    } cases[] = {
        {NULL, SIGHTING_EMPTY, 0},
        {"", SIGHTING_EMPTY, 0},
        {" \n\t\n", SIGHTING_EMPTY, 0},
        {"to be filled in\n", SIGHTING_FOREIGN, 0},
        {KEY_A, SIGHTING_KEYS, 1},
        {"old=" KEY_A "\nnew=" KEY_B "\n", SIGHTING_KEYS, 2},
        {"{\"key\":\"" KEY_A "\",\"cycle\":7}", SIGHTING_KEYS, 1},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct target_id id = target_identify(&f->destination);
        struct answer answer;

        if (cases[i].content)
            put(f->path, cases[i].content);
        answer = read_target(f);
        assert_false(answer.failed);
        assert_int_equal(answer.sighting.kind, cases[i].kind);
        assert_int_equal(answer.sighting.key_count, cases[i].key_count);
        assert_memory_equal(&answer.sighting.target, &id, sizeof(id));
        if (cases[i].key_count > 0)
            assert_memory_equal(answer.sighting.keys[0].bytes, KEY_A, FINGERPRINT_LENGTH);
    }
}

static void test_read_is_capped(void **state)
{
    struct fixture *f = *state;
    struct answer answer;

    put(f->path, KEY_A);
    assert_int_equal(truncate(f->path, 1024 * 1024 + 1), 0);
    answer = read_target(f);
    assert_failed(&answer, REASON_TARGET_FAILED, "larger than", "this large");
    assert_int_equal(answer.sighting.kind, SIGHTING_NONE);
}

/* --- names --- */

static void test_identity(void **state)
{
    static const struct target_file forms[] = {{.mode = 0600},
                                               {.mode = 0640, .group = "batch"},
                                               {.mode = 0640, .format = FILE_FORMAT_ENV}};
    struct fixture *f = *state;
    struct target_id id = target_identify(&f->destination), other;

    f->destination.name = "renamed";
    f->destination.required = true;
    other = target_identify(&f->destination);
    assert_true(target_id_equal(&id, &other));
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        f->destination.settings = &forms[i];
        other = target_identify(&f->destination);
        assert_false(target_id_equal(&id, &other));
    }
    f->destination.settings = &f->settings;
    f->destination.place = "/var/lib/keyrotated-keys/other";
    other = target_identify(&f->destination);
    assert_false(target_id_equal(&id, &other));
}

static void test_location(void **state)
{
    struct fixture *f = *state;
    char path[192], text[256];
    struct answer answer;
    struct target_id id;

    (void)snprintf(path, sizeof(path), "%s/{location}-key", f->directory);
    f->destination.place = path;
    f->destination.needs_location = true;
    id = target_identify(&f->destination);
    target_describe(&f->destination, "Japan East", text, sizeof(text));
    assert_string_equal(text + strlen(text) - strlen("/japaneast-key"), "/japaneast-key");
    assert_true(str_starts_with(text, "file /"));
    assert_true(deliver(f, KEY_A).changed);
    answer = read_target(f);
    assert_string_equal(answer.first_key, KEY_A);
    assert_memory_equal(&answer.sighting.target, &id, sizeof(id));
    answer = read_at(f, NULL, false);
    assert_failed(&answer, REASON_TARGET_FAILED, "not known yet", "as soon as");
    answer = read_at(f, "../etc", false);
    assert_failed(&answer, REASON_TARGET_FAILED, "\"../etc\" cannot stand", "{location}");
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_deliver_writes_then_acknowledges),
        IN_DIRECTORY(test_deliver_corrects_mode_and_content),
        IN_DIRECTORY(test_read_tells_and_sets_the_form),
        IN_DIRECTORY(test_json_is_equal_but_for_its_time),
        IN_DIRECTORY(test_deliver_removes_leftovers),
        IN_DIRECTORY(test_group),
        IN_DIRECTORY(test_group_is_compared),
        IN_DIRECTORY(test_directory_missing),
        IN_DIRECTORY(test_directory_in_place),
        IN_DIRECTORY(test_part_of_path_is_file),
        IN_DIRECTORY(test_symbolic_link_in_place),
        IN_DIRECTORY(test_pipe_in_place),
        IN_DIRECTORY(test_no_permission),
        IN_DIRECTORY(test_group_of_others),
        IN_DIRECTORY(test_format_cannot_hold_account),
        IN_DIRECTORY(test_endpoint_not_known),
        IN_DIRECTORY(test_read),
        IN_DIRECTORY(test_read_is_capped),
        IN_DIRECTORY(test_identity),
        IN_DIRECTORY(test_location),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
