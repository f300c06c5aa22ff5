#include "io/log/log_private.h"

#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "base/list.h"
#include "base/must.h"
#include "base/str.h"

enum { STACK_SIZE = 256 * 1024, PATIENCE_MS = 500, PATIENCE_IN_ALL_MS = 5000, NS_PER_MS = 1000000 };

struct item {
    struct list link;
    log_writer_function *write;
    size_t size;
    struct log_copy *line;
};

struct log_writer {
    void *context;
    bool started;
    uv_thread_t thread;
    uv_mutex_t lock; /* over all that follows */
    uv_cond_t wake;  /* for the thread: there is something to do */
    uv_cond_t went;  /* for log_writer_free(): a line was written or dropped */
    struct list queue;
    size_t queued; /* bytes, including the line being written */
    bool writing;
    bool ending;
    uint64_t done_count; /* lines written or given up */
    uint64_t dropped;    /* and not yet reported */
    time_ms dropped_since;
    struct log_writer *left_before; /* list of the writers that were left behind */
};

/* --- on the thread --- */

static void free_item(struct item *item)
{
    free(item->line);
    free(item);
}

static void note_dropped(struct log_writer *writer, time_ms at)
{
    if (writer->dropped == 0)
        writer->dropped_since = at;
    writer->dropped++;
}

/* Reports dropped lines, between two other lines. The count returns to 0 only if the report was
 * written. */
static void tell_dropped(struct log_writer *writer, log_writer_function *write)
{
    uint64_t count = writer->dropped;
    time_ms since = writer->dropped_since;
    struct log_line line;

    uv_mutex_unlock(&writer->lock);
    log_line_start(&line, time_wall(), LEVEL_WARNING, "log.dropped",
                   "%llu %s could not be written and were dropped", (unsigned long long)count,
                   str_plural(count, "log line", "log lines"));
    log_line_number(&line, "dropped", (int64_t)count);
    log_line_time(&line, "since", since);
    log_line_text(&line, "remedy",
                  "see what reads the log (systemd-journald, a pipe) and whether its disk is full");
    bool written = write(writer->context, &line) == 0;
    uv_mutex_lock(&writer->lock);
    if (written)
        writer->dropped -= count;
}

/* Called and returns with the lock held. */
static void write_item(struct log_writer *writer, struct item *item)
{
    struct log_line line;

    writer->writing = true;
    uv_mutex_unlock(&writer->lock);
    log_copy_restore(item->line, &line);
    bool written = item->write(writer->context, &line) == 0;
    uv_mutex_lock(&writer->lock);
    writer->queued -= item->size;
    if (!written)
        note_dropped(writer, line.time);
    else if (writer->dropped > 0 && writer->queued < LOG_QUEUE_MAX / 2)
        tell_dropped(writer, item->write);
    writer->writing = false;
    writer->done_count++;
    uv_cond_signal(&writer->went);
}

static void run(void *context)
{
    struct log_writer *writer = context;
    struct list *link;

    uv_mutex_lock(&writer->lock);
    for (;;) {
        while ((link = list_pop(&writer->queue))) {
            struct item *item = container_of(link, struct item, link);

            write_item(writer, item);
            free_item(item);
        }
        if (writer->ending)
            break;
        uv_cond_wait(&writer->wake, &writer->lock);
    }
    uv_mutex_unlock(&writer->lock);
}

/* --- for all --- */

static bool fits(const struct log_writer *writer, const struct log_line *line, size_t size)
{
    size_t room = line->level > LEVEL_NOTICE ? LOG_QUEUE_MAX / 2 : LOG_QUEUE_MAX;

    return writer->queued + size <= room;
}

static struct item *item_new(log_writer_function *write, const struct log_line *line)
{
    struct item *item = must_alloc(sizeof(*item));

    item->line = log_copy_new(line);
    item->write = write;
    item->size = log_copy_size(item->line) + sizeof(*item);
    return item;
}

void log_writer_put(struct log_writer *writer, log_writer_function *write,
                    const struct log_line *line)
{
    struct item *item = item_new(write, line);

    uv_mutex_lock(&writer->lock);
    if (fits(writer, line, item->size)) {
        writer->queued += item->size;
        list_append(&writer->queue, &item->link);
        item = NULL;
        uv_cond_signal(&writer->wake);
    } else {
        note_dropped(writer, line->time);
    }
    uv_mutex_unlock(&writer->lock);
    if (item)
        free_item(item);
}

struct log_writer *log_writer_new(void *context)
{
    struct log_writer *writer = must_alloc(sizeof(*writer));

    writer->context = context;
    list_init(&writer->queue);
    if (uv_mutex_init(&writer->lock) != 0 || uv_cond_init(&writer->wake) != 0 ||
        uv_cond_init(&writer->went) != 0)
        fault_out_of_memory(); /* they fail only for lack of memory */
    return writer;
}

int log_writer_start(struct log_writer *writer)
{
    const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE,
                                         .stack_size = STACK_SIZE};
    sigset_t all, before;
    int rc;

    /* Block all signals; the loop receives them. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = uv_thread_create_ex(&writer->thread, &options, run, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    writer->started = rc == 0;
    return rc;
}

/* Called and returns with the lock held. */
static bool wait_for_end(struct log_writer *writer)
{
    const uint64_t end = uv_hrtime() + (uint64_t)PATIENCE_IN_ALL_MS * NS_PER_MS;
    uint64_t seen = writer->done_count;

    while (writer->writing || !list_empty(&writer->queue)) {
        int waited =
            uv_cond_timedwait(&writer->went, &writer->lock, (uint64_t)PATIENCE_MS * NS_PER_MS);

        if ((waited != 0 && writer->done_count == seen) || uv_hrtime() > end)
            return !writer->writing && list_empty(&writer->queue);
        seen = writer->done_count;
    }
    return true;
}

/* The thread hangs until the process ends and may still use the writer, so the writer is not
 * freed. */
static bool leave_behind(struct log_writer *writer)
{
    static struct log_writer *left;

    writer->left_before = left;
    left = writer;
    return false;
}

bool log_writer_free(struct log_writer *writer)
{
    struct list *link;
    bool ended;

    if (!writer)
        return true;
    if (!writer->started && log_writer_start(writer) == 0)
        writer->started = true;
    uv_mutex_lock(&writer->lock);
    writer->ending = true;
    uv_cond_signal(&writer->wake);
    ended = !writer->started || wait_for_end(writer);
    uv_mutex_unlock(&writer->lock);
    if (!ended)
        return leave_behind(writer);
    if (writer->started)
        (void)uv_thread_join(&writer->thread);
    while ((link = list_pop(&writer->queue)))
        free_item(container_of(link, struct item, link));
    uv_cond_destroy(&writer->went);
    uv_cond_destroy(&writer->wake);
    uv_mutex_destroy(&writer->lock);
    free(writer);
    return true;
}
