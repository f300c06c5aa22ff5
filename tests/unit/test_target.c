/* File targets, each test with a directory of its own. */
#include "file_fixture.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/str.h"

/* --- delivering --- */

static void test_deliver_writes_then_acknowledges(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer = file_deliver(f, KEY_A);
    struct stat before, after;

    assert_false(answer.failed);
    assert_true(answer.changed);
    file_assert_holds(f->path, KEY_A "\n");
    before = file_status_of(f->path);
    assert_int_equal(before.st_mode & 07777, 0640);

    answer = file_deliver(f, KEY_A);
    assert_false(answer.failed);
    assert_false(answer.changed);
    after = file_status_of(f->path);
    assert_int_equal(before.st_ino, after.st_ino); /* not even written again */

    answer = file_deliver(f, KEY_B);
    assert_true(answer.changed);
    file_assert_holds(f->path, KEY_B "\n");
    after = file_status_of(f->path);
    assert_int_not_equal(before.st_ino, after.st_ino); /* replaced, not written in place */
}

static void test_deliver_corrects_mode_and_content(void **state)
{
    struct file_fixture *f = *state;
    struct stat before;

    assert_true(file_deliver(f, KEY_A).changed);
    before = file_status_of(f->path);
    assert_int_equal(chmod(f->path, 0644), 0);
    assert_false(file_deliver(f, KEY_A).changed); /* in place: consumers get no new key */
    assert_int_equal(file_status_of(f->path).st_mode & 07777, 0640);
    assert_int_equal(file_status_of(f->path).st_ino, before.st_ino);

    file_put(f->path, KEY_A "\n\n");
    assert_int_equal(chmod(f->path, 0640), 0);
    assert_true(file_deliver(f, KEY_A).changed);
    file_assert_holds(f->path, KEY_A "\n");
}

static void test_read_tells_and_sets_the_form(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;
    struct stat before;

    f->settings.has_mode = true;
    assert_int_equal(file_read_at(f, "japaneast", true).form,
                     TARGET_FORM_RIGHT); /* there is nothing */
    assert_true(file_deliver(f, KEY_A).changed);
    before = file_status_of(f->path);
    assert_int_equal(file_read_at(f, "japaneast", true).form, TARGET_FORM_RIGHT);

    assert_int_equal(chmod(f->path, 0604), 0);
    answer = file_read_at(f, "japaneast", false);
    assert_int_equal(answer.form, TARGET_FORM_WRONG);
    assert_string_equal(answer.form_text, "its mode is 0604, not 0640");
    assert_int_equal(file_status_of(f->path).st_mode & 07777, 0604);
    assert_int_equal(answer.sighting.kind, SIGHTING_KEYS);

    answer = file_read_at(f, "japaneast", true);
    assert_int_equal(answer.form, TARGET_FORM_SET);
    assert_string_equal(answer.form_text, "its mode was 0604, not 0640");
    assert_int_equal(file_status_of(f->path).st_mode & 07777, 0640);
    assert_int_equal(file_status_of(f->path).st_ino, before.st_ino);
}

static void test_json_is_equal_but_for_its_time(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;

    f->settings.format = FILE_FORMAT_JSON;
    assert_true(file_deliver_key(f, KEY_A, DELIVERED_AT).changed);
    answer = file_deliver_key(f, KEY_A, DELIVERED_AT + MS_HOUR);
    assert_false(answer.failed);
    assert_false(answer.changed);
    assert_true(file_deliver_key(f, KEY_B, DELIVERED_AT + MS_HOUR).changed);

    answer = file_read(f);
    assert_int_equal(answer.sighting.kind, SIGHTING_KEYS);
    assert_int_equal(answer.sighting.cycle, 7);
    assert_string_equal(answer.first_key, KEY_B);
}

static void test_deliver_removes_leftovers(void **state)
{
    struct file_fixture *f = *state;
    char leftover[192], other[192];

    (void)snprintf(leftover, sizeof(leftover), "%s/.sampleacct.a1B2c3.tmp", f->directory);
    (void)snprintf(other, sizeof(other), "%s/.otheracct.a1B2c3.tmp", f->directory);
    file_put(leftover, KEY_B);
    file_put(other, KEY_B);
    assert_false(file_deliver(f, KEY_A).failed);
    assert_int_not_equal(access(leftover, F_OK), 0);
    assert_int_equal(access(other, F_OK), 0);
}

static void test_group(void **state)
{
    struct file_fixture *f = *state;
    struct group *own = getgrgid(getegid());
    struct file_answer answer;

    assert_non_null(own);
    f->settings.group = own->gr_name;
    assert_false(file_probe(f).failed);
    assert_true(file_deliver(f, KEY_A).changed);
    assert_int_equal(file_status_of(f->path).st_gid, getegid());

    f->settings.group = "no-such-group";
    answer = file_probe(f);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "no group \"no-such-group\"", "groupadd");
    answer = file_deliver(f, KEY_B);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "no group \"no-such-group\"", "groupadd");
    file_assert_holds(f->path, KEY_A "\n");
}

static void test_group_is_compared(void **state)
{
    struct file_fixture *f = *state;
    struct group *other = getgrnam("games");

    if (geteuid() != 0 || !other)
        skip(); /* only root may give files to any group */
    assert_true(file_deliver(f, KEY_A).changed);
    f->settings.group = "games";
    assert_false(file_deliver(f, KEY_A).changed); /* in place */
    assert_int_equal(file_status_of(f->path).st_gid, getgrnam("games")->gr_gid);
    assert_false(file_deliver(f, KEY_A).changed);
}

/* --- what stands in the way --- */

static void test_directory_missing(void **state)
{
    struct file_fixture *f = *state;
    char path[192];

    (void)snprintf(path, sizeof(path), "%s/missing/sampleacct", f->directory);
    f->destination.place = path;
    file_assert_both_fail(f, REASON_TARGET_FAILED, "No such file or directory", "install -d");
    *strrchr(path, '/') = '\0';
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_directory_in_place(void **state)
{
    struct file_fixture *f = *state;

    f->destination.place = f->directory;
    file_assert_both_fail(f, REASON_TARGET_FAILED, "is a directory", "set `path` to a file in it");
}

static void test_part_of_path_is_file(void **state)
{
    struct file_fixture *f = *state;
    char path[192];

    file_put(f->path, "");
    (void)snprintf(path, sizeof(path), "%s/below", f->path);
    f->destination.place = path;
    file_assert_both_fail(f, REASON_TARGET_FAILED, "Not a directory", "correct `path`");
}

static void test_symbolic_link_in_place(void **state)
{
    struct file_fixture *f = *state;
    char behind[192];
    struct file_answer answer;

    (void)snprintf(behind, sizeof(behind), "%s/behind", f->directory);
    file_put(behind, KEY_B "\n");
    assert_int_equal(symlink(behind, f->path), 0);
    file_assert_both_fail(f, REASON_TARGET_FAILED, "is a symbolic link", "that the link leads to");
    file_assert_holds(behind, KEY_B "\n");
    assert_true(S_ISLNK(file_status_of(f->path).st_mode));
    answer = file_read(f); /* its readers do find that key there */
    assert_string_equal(answer.first_key, KEY_B);
}

static void test_pipe_in_place(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;

    assert_int_equal(mkfifo(f->path, 0600), 0);
    file_assert_both_fail(f, REASON_TARGET_FAILED, "not a regular file", "remove");
    answer = file_read(f);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "not a regular file", "remove");
}

static void test_no_permission(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;
    /* What belongs to root stays root's. */
    const char *remedy = geteuid() == 0 ? "`install -d -o " : "`chown ";

    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    else
        assert_int_equal(chmod(f->directory, 0500), 0);
    answer = file_probe(f);
    file_assert_failed(&answer, REASON_TARGET_DENIED, "Permission denied", remedy);
    assert_string_equal(answer.failure.error_code, "EACCES");
    answer = file_deliver(f, KEY_A);
    file_assert_failed(&answer, REASON_TARGET_DENIED, "Permission denied", remedy);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    else
        assert_int_equal(chmod(f->directory, 0700), 0);
}

static void test_group_of_others(void **state)
{
    struct file_fixture *f = *state;

    if (!getgrnam("games"))
        skip();
    f->settings.group = "games";
    assert_int_equal(chmod(f->directory, 01777), 0);
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    file_assert_both_fail(f, REASON_TARGET_DENIED, "may not be given to group \"games\"",
                          "SupplementaryGroups=games");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void test_format_cannot_hold_account(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;

    f->settings.format = FILE_FORMAT_ENV;
    f->account.name = "two words";
    answer = file_deliver(f, KEY_A);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "cannot write account", "");
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void test_endpoint_not_known(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;

    f->endpoint = NULL;
    assert_true(file_deliver(f, KEY_A).changed); /* the raw form does not need it */
    f->settings.format = FILE_FORMAT_JSON;
    answer = file_deliver(f, KEY_B);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "endpoint is not known yet", "as soon as");
    file_assert_holds(f->path, KEY_A "\n");
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
    struct file_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct target_id id = target_identify(&f->destination);
        struct file_answer answer;

        if (cases[i].content)
            file_put(f->path, cases[i].content);
        answer = file_read(f);
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
    struct file_fixture *f = *state;
    struct file_answer answer;

    file_put(f->path, KEY_A);
    assert_int_equal(truncate(f->path, 1024 * 1024 + 1), 0);
    answer = file_read(f);
    assert_false(answer.failed);
    assert_int_equal(answer.sighting.kind, SIGHTING_FOREIGN);
    assert_int_equal(answer.sighting.key_count, 0);
}

/* --- names --- */

static void test_identity(void **state)
{
    static const struct target_file forms[] = {{.mode = 0600},
                                               {.mode = 0640, .group = "batch"},
                                               {.mode = 0640, .format = FILE_FORMAT_ENV}};
    struct file_fixture *f = *state;
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
    struct file_fixture *f = *state;
    char path[192], text[256];
    struct file_answer answer;
    struct target_id id;

    (void)snprintf(path, sizeof(path), "%s/{location}-key", f->directory);
    f->destination.place = path;
    f->destination.needs_location = true;
    id = target_identify(&f->destination);
    target_describe(&f->destination, "Japan East", text, sizeof(text));
    assert_string_equal(text + strlen(text) - strlen("/japaneast-key"), "/japaneast-key");
    assert_true(str_starts_with(text, "file /"));
    assert_true(file_deliver(f, KEY_A).changed);
    answer = file_read(f);
    assert_string_equal(answer.first_key, KEY_A);
    assert_memory_equal(&answer.sighting.target, &id, sizeof(id));
    answer = file_read_at(f, NULL, false);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "not known yet", "as soon as");
    answer = file_read_at(f, "../etc", false);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "\"../etc\" cannot stand", "{location}");
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, file_set_up, file_tear_down)
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
