/*
 * A file target with a directory of its own for each test.
 */
#ifndef KEYROTATED_TESTS_FILE_FIXTURE_H
#define KEYROTATED_TESTS_FILE_FIXTURE_H

#include <sys/stat.h>

#include "conf/target_file.h"
#include "io/target/target.h"

/* 64 bytes each, as Batch issues them. */
#define KEY_A                                                                                      \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="
#define KEY_B                                                                                      \
    "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktMTU5PUA=="

enum { DELIVERED_AT = 1000000000 };

struct file_fixture {
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
struct file_answer {
    int count;
    bool failed, changed;
    enum target_form form;
    char form_text[TARGET_FORM_TEXT_MAX];
    struct failure failure;
    struct sighting sighting;
    char first_key[128];
};

int file_set_up(void **state);
int file_tear_down(void **state);
struct file_answer file_deliver_key(struct file_fixture *f, const char *key, time_ms delivered_at);
struct file_answer file_deliver(struct file_fixture *f, const char *key);
struct file_answer file_read_at(struct file_fixture *f, const char *location, bool set_form);
struct file_answer file_read(struct file_fixture *f);
struct file_answer file_probe(struct file_fixture *f);
void file_put(const char *path, const char *content);
void file_assert_holds(const char *path, const char *content);
struct stat file_status_of(const char *path);
void file_assert_failed(const struct file_answer *answer, enum reason reason, const char *text,
                        const char *remedy);
/* Probe and delivery both fail in that way, and the outcome of the delivery is known. */
void file_assert_both_fail(struct file_fixture *f, enum reason reason, const char *text,
                           const char *remedy);

#endif
