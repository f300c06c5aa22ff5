#include "file_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/str.h"
#include "proto/key_text.h"

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
    struct file_answer *answer = context;

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

int file_set_up(void **state)
{
    struct file_fixture *f = calloc(1, sizeof(*f));

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

int file_tear_down(void **state)
{
    struct file_fixture *f = *state;
    char command[128];

    assert_true(loop_free(f->loop));
    (void)snprintf(command, sizeof(command), "rm -rf %s", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

struct file_answer file_deliver_key(struct file_fixture *f, const char *key, time_ms delivered_at)
{
    struct secret *secret = secret_new(key, strlen(key));
    struct delivery delivery = {.account = &f->account,
                                .endpoint = f->endpoint,
                                .location = "Japan East",
                                .slot = SLOT_SECONDARY,
                                .key = secret,
                                .cycle = 7,
                                .delivered_at = delivered_at};
    struct file_answer answer = {.count = 0};

    target_deliver(&f->world, &f->destination, &delivery, note, &answer);
    secret_free(secret); /* borrowed until the call returned */
    assert_int_equal(answer.count, 0);
    loop_run(f->loop);
    assert_int_equal(answer.count, 1);
    return answer;
}

struct file_answer file_deliver(struct file_fixture *f, const char *key)
{
    return file_deliver_key(f, key, DELIVERED_AT);
}

struct file_answer file_read_at(struct file_fixture *f, const char *location, bool set_form)
{
    struct file_answer answer = {.count = 0};

    target_read(&f->world, &f->destination, location, set_form, note, &answer);
    assert_int_equal(answer.count, 0);
    loop_run(f->loop);
    assert_int_equal(answer.count, 1);
    return answer;
}

struct file_answer file_read(struct file_fixture *f)
{
    return file_read_at(f, "japaneast", false);
}

struct file_answer file_probe(struct file_fixture *f)
{
    struct file_answer answer = {.count = 0};

    target_probe(&f->world, &f->destination, "japaneast", note, &answer);
    assert_int_equal(answer.count, 0);
    loop_run(f->loop);
    assert_int_equal(answer.count, 1);
    return answer;
}

void file_put(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void file_assert_holds(const char *path, const char *content)
{
    struct buf bytes;

    buf_init(&bytes, 4096);
    assert_int_equal(fs_read(path, &bytes, NULL), 0);
    assert_string_equal(buf_str(&bytes), content);
    buf_done(&bytes);
}

struct stat file_status_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status;
}

void file_assert_failed(const struct file_answer *answer, enum reason reason, const char *text,
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

void file_assert_both_fail(struct file_fixture *f, enum reason reason, const char *text,
                           const char *remedy)
{
    struct file_answer answer = file_probe(f);

    file_assert_failed(&answer, reason, text, remedy);
    answer = file_deliver(f, KEY_A);
    file_assert_failed(&answer, reason, text, remedy);
    assert_false(answer.failure.outcome_unknown);
}
