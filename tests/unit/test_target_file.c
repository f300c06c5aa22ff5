/* File targets: templates, owners, open directories, labels, and what watchers see. */
#include "file_fixture.h"

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs_label.h"
#include "base/str.h"
#include "io/target/file_job.h"

#define ID "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/sampleacct"

/* --- templates --- */

static void use_template(struct file_fixture *f, const char *content)
{
    f->account.id = ID;
    f->settings.format = FILE_FORMAT_TEMPLATE;
    f->settings.content = content;
}

static void test_template(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;

    use_template(f, "[{name}]\nkey = \"{key}\"\nurl = https://{endpoint}\n{{{slot} {cycle}}}\n");
    assert_true(file_deliver(f, KEY_A).changed);
    file_assert_holds(f->path, "[sampleacct]\nkey = \"" KEY_A
                               "\"\nurl = https://sampleacct.japaneast.batch.azure.com\n"
                               "{secondary 7}\n");
    answer = file_read(f);
    assert_string_equal(answer.first_key, KEY_A);
    assert_false(file_deliver(f, KEY_A).changed);
    assert_true(file_deliver(f, KEY_B).changed);
}

static void test_template_without_endpoint(void **state)
{
    struct file_fixture *f = *state;
    struct file_answer answer;

    f->endpoint = NULL;
    use_template(f, "{key}");
    assert_true(file_deliver(f, KEY_A).changed);
    use_template(f, "{key} {endpoint}");
    answer = file_deliver(f, KEY_B);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "endpoint is not known yet", "as soon as");
    file_assert_holds(f->path, KEY_A);
}

static void test_template_counts(void **state)
{
    struct file_fixture *f = *state;
    struct target_id id, other;

    use_template(f, "{key}\n");
    id = target_identify(&f->destination);
    use_template(f, "key={key}\n");
    other = target_identify(&f->destination);
    assert_false(target_id_equal(&id, &other));
    use_template(f, "{key}\n");
    f->settings.owner = "app";
    other = target_identify(&f->destination);
    assert_false(target_id_equal(&id, &other));
}

/* --- owners --- */

static void test_owner(void **state)
{
    struct file_fixture *f = *state;
    const struct passwd *own = getpwuid(geteuid());
    struct file_answer answer;

    assert_non_null(own);
    f->settings.owner = own->pw_name;
    assert_false(file_probe(f).failed);
    assert_true(file_deliver(f, KEY_A).changed);
    assert_int_equal(file_status_of(f->path).st_uid, geteuid());

    f->settings.owner = "no-such-user";
    answer = file_probe(f);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "no user \"no-such-user\"", "useradd");
    answer = file_deliver(f, KEY_B);
    file_assert_failed(&answer, REASON_TARGET_FAILED, "no user \"no-such-user\"", "useradd");
    file_assert_holds(f->path, KEY_A "\n");
}

static void test_owner_is_given_and_restored(void **state)
{
    struct file_fixture *f = *state;
    char leftover[192];
    struct file_answer answer;

    if (geteuid() != 0 || !getpwnam("nobody"))
        skip(); /* only root may give files away */
    f->settings.owner = "nobody";
    f->settings.mode = 0400;
    (void)snprintf(leftover, sizeof(leftover), "%s/.sampleacct.a1B2c3.tmp", f->directory);
    file_put(leftover, KEY_B);
    assert_int_equal(chown(leftover, getpwnam("nobody")->pw_uid, (gid_t)-1), 0);
    assert_true(file_deliver(f, KEY_A).changed);
    assert_int_equal(file_status_of(f->path).st_uid, getpwnam("nobody")->pw_uid);
    assert_int_equal(file_status_of(f->path).st_mode & 07777, 0400);
    assert_int_not_equal(access(leftover, F_OK), 0);

    assert_int_equal(chown(f->path, 0, (gid_t)-1), 0);
    answer = file_read_at(f, "japaneast", true);
    assert_int_equal(answer.form, TARGET_FORM_SET);
    assert_non_null(strstr(answer.form_text, "its owner was 0, not "));
    assert_int_equal(file_status_of(f->path).st_uid, getpwnam("nobody")->pw_uid);
}

static void test_owner_without_rights(void **state)
{
    struct file_fixture *f = *state;

    if (!getpwnam("games"))
        skip();
    f->settings.owner = "games";
    assert_int_equal(chmod(f->directory, 01777), 0);
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    file_assert_both_fail(f, REASON_TARGET_DENIED, "may not be given to user \"games\"",
                          "`AmbientCapabilities=CAP_CHOWN");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void test_words_for_an_unreadable_owner(void **state)
{
    const struct target_file settings = {.owner = "app", .mode = 0400};
    const struct err err = {.code = -EACCES, .text = "cannot open /k/acct: Permission denied"};
    struct failure failure;

    (void)state;
    file_failure_owner(&failure, "/k/acct", &settings, EACCES);
    assert_int_equal(failure.reason, REASON_TARGET_DENIED);
    assert_string_equal(failure.text,
                        "once /k/acct belongs to user \"app\" with mode 0400, the "
                        "daemon cannot read it any more");
    assert_non_null(strstr(failure.remedy, "set a `mode` such as \"0440\""));
    assert_non_null(strstr(failure.remedy, "or leave `owner: app` out"));
    file_failure_read(&failure, "/k/acct", &settings, &err);
    assert_non_null(strstr(failure.remedy, "or leave `owner: app` out"));
    file_failure_owner(&failure, "/k/acct", &settings, EIO);
    assert_non_null(strstr(failure.remedy, "`getent passwd app`"));
    file_failure_owner(&failure, "/k/acct", &settings, EPERM);
    assert_non_null(strstr(failure.remedy, "in the place of `owner: app`"));
}

/* --- directories of everybody --- */

static void test_open_directory(void **state)
{
    struct file_fixture *f = *state;

    assert_int_equal(chmod(f->directory, 0777), 0);
    file_assert_both_fail(f, REASON_TARGET_FAILED, "everybody may write to /tmp/keyrotated-target-",
                          "`chmod o-w /tmp/keyrotated-target-");
    assert_int_not_equal(access(f->path, F_OK), 0);
    assert_int_equal(chmod(f->directory, 01777), 0);
    assert_false(file_probe(f).failed);
    assert_true(file_deliver(f, KEY_A).changed);
    assert_int_equal(chmod(f->directory, 0775), 0);
    assert_true(file_deliver(f, KEY_B).changed);
}

/* --- labels --- */

/* Attributes of users can be set without a security module. Skips where the file system has none.
 */
#define LABEL "user.keyrotated.label"

static void set_label(const char *path, const char *label)
{
    if (setxattr(path, LABEL, label, strlen(label) + 1, 0) != 0)
        skip();
}

static void expect_label(const char *path, const char *expected)
{
    char label[64] = "";

    assert_true(getxattr(path, LABEL, label, sizeof(label)) > 0);
    assert_string_equal(label, expected);
}

static void test_label_is_kept(void **state)
{
    struct file_fixture *f = *state;
    struct err err = {.code = 0};
    char other[192];
    FILE *file;

    (void)snprintf(other, sizeof(other), "%s/other", f->directory);
    file_put(f->path, "old");
    file = fopen(other, "w+");
    assert_non_null(file);
    set_label(other, "default");
    assert_int_equal(fs_label_keep(f->path, fileno(file), LABEL, &err), 0);
    expect_label(other, "default"); /* the old one has none */
    set_label(f->path, "batch_key_t");
    assert_int_equal(fs_label_keep(f->path, fileno(file), LABEL, &err), 0);
    expect_label(other, "batch_key_t");
    assert_int_equal(removexattr(other, LABEL), 0);
    assert_int_equal(fs_label_keep(f->path, fileno(file), LABEL, &err), 0);
    assert_true(getxattr(other, LABEL, NULL, 0) < 0); /* nobody labels files there */
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(fs_label_keep(f->path, fileno(file), LABEL, &err), 0);
    assert_int_equal(fclose(file), 0);
}

static void test_label_that_cannot_be_kept(void **state)
{
    struct file_fixture *f = *state;
    struct err err = {.code = 0};
    struct failure failure;
    char other[192];
    FILE *file;

    (void)snprintf(other, sizeof(other), "%s/other", f->directory);
    file_put(f->path, "old");
    file_put(other, "");
    set_label(f->path, "batch_key_t");
    set_label(other, "default");
    assert_int_equal(chmod(f->directory, 0755), 0);
    assert_int_equal(chmod(f->path, 0644), 0);
    assert_int_equal(chmod(other, 0444), 0); /* user.* asks for the right to write */
    file = fopen(other, "r");
    assert_non_null(file);
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_int_equal(fs_label_keep(f->path, fileno(file), LABEL, &err), -ENODATA);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(fclose(file), 0);
    file_failure_write(&failure, f->path, NULL, &err);
    assert_non_null(strstr(failure.text, "cannot keep the label batch_key_t of /tmp/"));
    assert_non_null(strstr(failure.remedy, "`chcon --reference=/tmp/"));
}

/* --- watchers --- */

/* Every event but those of readers. */
#define CHANGES (IN_ALL_EVENTS & ~(IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE))

/* The events at the file's own name, added up; asserts that it was one event or none. */
static uint32_t take_events(int fd, const char *name)
{
    char events[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length = read(fd, events, sizeof(events));
    uint32_t seen = 0;

    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);

        if (event->len > 0 && str_equal(event->name, name)) {
            assert_int_equal(seen, 0);
            seen = event->mask;
        }
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    return seen;
}

static void test_watchers_see_one_rename(void **state)
{
    struct file_fixture *f = *state;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(inotify_add_watch(fd, f->directory, CHANGES) >= 0);
    f->settings.has_mode = true;
    assert_true(file_deliver(f, KEY_A).changed); /* a new file */
    assert_int_equal(take_events(fd, "sampleacct"), IN_MOVED_TO);
    assert_true(file_deliver(f, KEY_B).changed); /* in the place of another */
    assert_int_equal(take_events(fd, "sampleacct"), IN_MOVED_TO);
    assert_false(file_probe(f).failed);
    assert_false(file_deliver(f, KEY_B).changed);
    assert_false(file_read_at(f, "japaneast", true).failed);
    assert_int_equal(take_events(fd, "sampleacct"), 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, file_set_up, file_tear_down)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_template),
        IN_DIRECTORY(test_template_without_endpoint),
        IN_DIRECTORY(test_template_counts),
        IN_DIRECTORY(test_owner),
        IN_DIRECTORY(test_owner_is_given_and_restored),
        IN_DIRECTORY(test_owner_without_rights),
        cmocka_unit_test(test_words_for_an_unreadable_owner),
        IN_DIRECTORY(test_open_directory),
        IN_DIRECTORY(test_label_is_kept),
        IN_DIRECTORY(test_label_that_cannot_be_kept),
        IN_DIRECTORY(test_watchers_see_one_rename),
    };

    return cmocka_run_group_tests_name("target_file", tests, NULL, NULL);
}
