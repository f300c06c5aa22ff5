#include "io/target/target_reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/must.h"
#include "io/loop/work.h"
#include "proto/failure.h"

enum { DOING_MAX = 128 };

/* Belongs to its thread until that has returned. */
struct target_file {
    struct work work;
    struct target_reading *reading; /* NULL: it was given up */
    struct secret_file file;        /* its path belongs to this */
    char *path;                     /* NULL: it leads nowhere, and `failure` says why */
    size_t maximum;
    bool is_refused; /* too much hangs already, and `failure` says so */
    bool is_under_way;
    struct secret_file_content content;
    struct failure failure;
};

struct target_reading {
    struct target_world *world;
    struct target_file *files[TARGET_READING_MAX];
    size_t count;
    size_t under_way;
    struct deferred ending; /* where no file is under way from the start on */
    void (*done)(void *context);
    void *context;
};

static void free_file(struct target_file *file)
{
    secret_file_content_done(&file->content);
    free((char *)file->file.path);
    free(file->path);
    free(file);
}

static void on_ending(struct deferred *deferred)
{
    struct target_reading *reading = container_of(deferred, struct target_reading, ending);

    reading->done(reading->context);
}

struct target_reading *target_reading_new(struct target_world *world)
{
    struct target_reading *reading = must_alloc(sizeof(*reading));

    reading->world = world;
    deferred_init(&reading->ending, on_ending);
    return reading;
}

size_t target_reading_add(struct target_reading *reading, const struct secret_file *file,
                          size_t maximum)
{
    struct target_file *added = must_alloc(sizeof(*added));

    if (reading->count == TARGET_READING_MAX)
        abort(); /* the caller knows how many files it needs */
    added->reading = reading;
    added->file = *file;
    added->file.path = must_dup(file->path);
    added->maximum = maximum;
    added->path =
        secret_file_path(&added->file, reading->world->credentials_directory, &added->failure);
    reading->files[reading->count] = added;
    return reading->count++;
}

static void on_thread(struct work *work)
{
    struct target_file *file = container_of(work, struct target_file, work);

    secret_file_fetch(file->path, file->maximum, &file->content);
}

static void on_thread_done(struct work *work)
{
    struct target_file *file = container_of(work, struct target_file, work);
    struct target_reading *reading = file->reading;

    file->is_under_way = false;
    if (!reading) {
        free_file(file);
        return;
    }
    if (file->content.err.code == -ENOMEM)
        fault_out_of_memory();
    if (--reading->under_way == 0)
        reading->done(reading->context);
}

void target_reading_start(struct target_reading *reading, void (*done)(void *context),
                          void *context)
{
    reading->done = done;
    reading->context = context;
    for (size_t i = 0; i < reading->count; i++) {
        struct target_file *file = reading->files[i];

        if (!file->path)
            continue;
        failure_init(&file->failure, file->file.reason);
        file->is_refused = work_start(loop_workers(reading->world->loop), &file->work, file->path,
                                      on_thread, on_thread_done, &file->failure) != 0;
        file->is_under_way = !file->is_refused;
        reading->under_way += file->is_under_way;
    }
    if (reading->under_way == 0)
        loop_defer(reading->world->loop, &reading->ending);
}

void target_reading_free(struct target_reading *reading)
{
    if (!reading)
        return;
    loop_defer_cancel(&reading->ending);
    for (size_t i = 0; i < reading->count; i++) {
        struct target_file *file = reading->files[i];

        file->reading = NULL;
        if (!file->is_under_way || work_abandon(loop_workers(reading->world->loop), &file->work))
            free_file(file);
    }
    free(reading);
}

struct secret *target_reading_secret(const struct target_reading *reading, size_t i,
                                     struct failure *failure)
{
    const struct target_file *file = reading->files[i];

    if (file->path && !file->is_refused)
        return secret_file_take(&file->file, file->path, &file->content, failure);
    *failure = file->failure;
    return NULL;
}

const struct buf *target_reading_bytes(const struct target_reading *reading, size_t i,
                                       const char *remedy, struct failure *failure)
{
    const struct target_file *file = reading->files[i];

    if (!file->path || file->is_refused) {
        *failure = file->failure;
        return NULL;
    }
    if (file->content.err.code == 0)
        return &file->content.bytes;
    failure_set(failure, file->file.reason, "%s %s cannot be used: %s", file->file.key, file->path,
                file->content.err.text);
    if (!secret_file_set_remedy(&file->file, file->path, &file->content, failure))
        failure_set_remedy(failure, "%s", remedy);
    return NULL;
}

bool target_reading_authorities(const struct target_reading *reading, size_t i, const char *remedy,
                                struct buf *out, struct failure *failure)
{
    const struct buf *pem = target_reading_bytes(reading, i, remedy, failure);
    struct err err = {.code = 0};

    if (!pem)
        return false;
    if (crypto_check_authorities_text(pem->data, pem->length, &err) == 0) {
        if (buf_append(out, pem->data, pem->length) != 0)
            fault_out_of_memory(); /* it is no longer than the buffer may become */
        return true;
    }
    if (err.code == -ENOMEM)
        fault_out_of_memory();
    failure_set(failure, reading->files[i]->file.reason, "%s %s cannot be used: %s",
                reading->files[i]->file.key, reading->files[i]->path, err.text);
    failure_set_remedy(failure, "%s", remedy);
    return false;
}

const char *target_reading_path(const struct target_reading *reading, size_t i)
{
    const struct target_file *file = reading->files[i];

    return file->path ? file->path : file->file.path;
}

void target_reading_explain(const struct target_reading *reading, duration_ms patience,
                            struct failure *failure)
{
    char doing[DOING_MAX];

    for (size_t i = 0; i < reading->count; i++) {
        const struct target_file *file = reading->files[i];

        if (!file->is_under_way)
            continue;
        (void)snprintf(doing, sizeof(doing), "reading %s", file->file.key);
        work_explain_hang(loop_workers(reading->world->loop), doing, file->path, patience, failure);
        return;
    }
}
