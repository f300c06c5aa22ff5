#include "io/loop/file_write.h"

#include <stdlib.h>

#include "base/fs.h"
#include "base/must.h"
#include "base/str.h"
#include "io/loop/work.h"

struct file_write {
    struct work work;
    struct timer deadline;
    struct deferred refused; /* reports what could not be started */
    struct loop *loop;
    duration_ms patience;
    char *path;
    struct buf text;
    mode_t mode;
    struct err err;
    struct failure failure;
    file_write_done *done; /* NULL: it has been called */
    void *context;
    unsigned users; /* the thread and the timer: the last one frees it */
};

static void leave(struct file_write *write)
{
    if (--write->users > 0)
        return;
    buf_done(&write->text);
    free(write->path);
    free(write);
}

static void on_deadline_closed(struct timer *deadline)
{
    leave(container_of(deadline, struct file_write, deadline));
}

static void report(struct file_write *write, const struct failure *failure)
{
    file_write_done *done = write->done;

    write->done = NULL;
    if (!done)
        return;
    timer_close(&write->deadline, on_deadline_closed);
    done(write->context, failure);
}

static void replace(struct work *work)
{
    struct file_write *write = container_of(work, struct file_write, work);
    const struct fs_form form = {.mode = write->mode, .gid = (gid_t)-1};

    (void)fs_replace(write->path, buf_str(&write->text), write->text.length, &form, &write->err);
}

static void on_replaced(struct work *work)
{
    struct file_write *write = container_of(work, struct file_write, work);

    if (write->err.code != 0)
        failure_from_err(&write->failure, write->failure.reason, &write->err);
    report(write, write->err.code != 0 ? &write->failure : NULL);
    leave(write);
}

static void on_deadline(struct timer *timer)
{
    struct file_write *write = container_of(timer, struct file_write, deadline);
    struct work_pool *pool = loop_workers(write->loop);
    const bool begun = !work_abandon(pool, &write->work);

    work_explain_hang(pool, "writing", write->path, write->patience, &write->failure);
    report(write, &write->failure);
    if (!begun)
        leave(write);
}

static void on_refused(struct deferred *deferred)
{
    struct file_write *write = container_of(deferred, struct file_write, refused);

    report(write, &write->failure);
    leave(write);
}

void file_write_start(struct loop *loop, const char *path, struct buf *text, mode_t mode,
                      duration_ms patience, enum reason reason, file_write_done *done,
                      void *context)
{
    struct file_write *write = must_alloc(sizeof(*write));

    write->loop = loop;
    write->patience = patience;
    write->path = must_dup(path);
    write->text = *text;
    buf_init(text, text->maximum);
    write->mode = mode;
    write->done = done;
    write->context = context;
    write->users = 2;
    failure_init(&write->failure, reason);
    deferred_init(&write->refused, on_refused);
    timer_init(loop, &write->deadline, on_deadline);
    if (work_start(loop_workers(loop), &write->work, write->path, replace, on_replaced,
                   &write->failure) == 0)
        timer_set_delay(&write->deadline, patience);
    else
        loop_defer(loop, &write->refused);
}
