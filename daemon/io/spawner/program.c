#include "io/spawner/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/wipe.h"
#include "io/spawner/spawner_link.h"

enum { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPE_COUNT, CHUNK = 4096 };

/* The kernel keeps 64 KiB in a pipe; more comes only from a process that has left the group. */
enum { DRAIN_MAX = 128 * 1024 };

/* The last part of what was written. */
struct tail {
    struct buf bytes;
    bool cut;
};

struct program {
    struct spawner_task task;
    struct spawner *spawner;
    struct loop *loop;
    uv_pipe_t pipes[PIPE_COUNT];
    size_t open_handles; /* pipes, and the timer */
    struct timer deadline;
    struct deferred finish;
    uv_write_t write;
    struct buf input;
    struct tail tails[PIPE_COUNT]; /* of the last two */
    size_t written;                /* by the program */
    char chunk[CHUNK];
    bool has_pipes;
    duration_ms room_wait, timeout, timed_out;
    bool flooded;
    enum program_end end;
    int code;
    program_done *done;
    void *context;
};

/* --- output --- */

static void tail_append(struct tail *tail, const char *bytes, size_t length)
{
    struct buf *kept = &tail->bytes;

    if (kept->length + length > PROGRAM_OUTPUT_MAX) {
        const size_t half = kept->length / 2;

        memmove(kept->data, kept->data + half, kept->length - half);
        buf_truncate(kept, kept->length - half);
        tail->cut = true;
    }
    if (buf_append(kept, bytes, length) != 0)
        fault_out_of_memory();
}

static void take_output(struct program *program, size_t which, size_t length)
{
    program->written += length;
    tail_append(&program->tails[which], program->chunk, length);
    if (program->written <= PROGRAM_FLOOD || program->flooded)
        return;
    program->flooded = true;
    for (size_t i = PIPE_OUT; i < PIPE_COUNT; i++)
        (void)uv_read_stop((uv_stream_t *)&program->pipes[i]);
    program_kill(program);
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct program *program = handle->data;

    (void)suggested;
    *out = uv_buf_init(program->chunk, CHUNK);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct program *program = stream->data;

    (void)bytes;
    if (length > 0)
        take_output(program, (size_t)((uv_pipe_t *)stream - program->pipes), (size_t)length);
    else if (length < 0)
        (void)uv_read_stop(stream);
}

/* What the program wrote before its end may still stand in the pipe. Its end is not waited for: a
 * process that outlives the program may keep the pipe open. */
static void drain(struct program *program, size_t which)
{
    uv_os_fd_t fd;
    size_t total = 0;
    ssize_t length;

    if (program->flooded || uv_fileno((uv_handle_t *)&program->pipes[which], &fd) != 0)
        return;
    while (total < DRAIN_MAX && (length = read(fd, program->chunk, CHUNK)) > 0) {
        total += (size_t)length;
        tail_append(&program->tails[which], program->chunk, (size_t)length);
    }
}

/* --- the end --- */

static void finish(struct deferred *deferred)
{
    struct program *program = container_of(deferred, struct program, finish);
    const struct program_result result = {
        .end = program->end,
        .code = program->code,
        .timed_out = program->timed_out,
        .flooded = program->flooded,
        .output_cut = program->tails[PIPE_OUT].cut,
        .output = &program->tails[PIPE_OUT].bytes,
        .errors = &program->tails[PIPE_ERR].bytes,
    };

    program->done(program->context, &result);
    buf_done(&program->input);
    for (size_t i = 0; i < PIPE_COUNT; i++)
        buf_done(&program->tails[i].bytes);
    wipe(program->chunk, sizeof(program->chunk));
    free(program);
}

static void note_closed(struct program *program)
{
    if (--program->open_handles == 0)
        loop_defer(program->loop, &program->finish);
}

static void on_pipe_closed(uv_handle_t *handle)
{
    note_closed(handle->data);
}

static void on_timer_closed(struct timer *timer)
{
    note_closed(container_of(timer, struct program, deadline));
}

static void on_started(struct spawner_task *task)
{
    struct program *program = container_of(task, struct program, task);

    if (program->timeout > 0)
        timer_set_delay(&program->deadline, program->timeout);
    else
        timer_stop(&program->deadline);
}

static void on_ended(struct spawner_task *task, enum program_end end, int code)
{
    struct program *program = container_of(task, struct program, task);

    program->end = end;
    program->code = code;
    for (size_t i = 0; program->has_pipes && i < PIPE_COUNT; i++) {
        if (i != PIPE_IN)
            drain(program, i);
        if (!uv_is_closing((uv_handle_t *)&program->pipes[i]))
            uv_close((uv_handle_t *)&program->pipes[i], on_pipe_closed);
    }
    timer_close(&program->deadline, on_timer_closed);
}

void program_kill(struct program *program)
{
    spawner_end(program->spawner, &program->task);
}

static void on_deadline(struct timer *timer)
{
    struct program *program = container_of(timer, struct program, deadline);

    program->timed_out = program->task.sent ? program->timeout : program->room_wait;
    program_kill(program);
}

/* --- the start --- */

/* A program that does not read its input is no error: its exit status counts. */
static void on_written(uv_write_t *write, int status)
{
    struct program *program = container_of(write, struct program, write);
    uv_handle_t *pipe = (uv_handle_t *)&program->pipes[PIPE_IN];

    (void)status;
    buf_clear(&program->input);
    if (!uv_is_closing(pipe))
        uv_close(pipe, on_pipe_closed);
}

static void open_pipe(struct program *program, size_t which, int fd)
{
    uv_pipe_t *pipe = &program->pipes[which];

    (void)uv_pipe_init(loop_uv(program->loop), pipe, 0);
    pipe->data = program;
    program->open_handles++;
    if (uv_pipe_open(pipe, fd) != 0)
        (void)close(fd);
}

/* Returns 0 or a positive errno value, with nothing left open. */
static int make_pipes(int fds[PIPE_COUNT][2])
{
    for (size_t i = 0; i < PIPE_COUNT; i++) {
        if (pipe2(fds[i], O_CLOEXEC) == 0)
            continue;
        const int rc = errno;

        while (i-- > 0) {
            (void)close(fds[i][0]);
            (void)close(fds[i][1]);
        }
        return rc;
    }
    return 0;
}

static void connect_pipes(struct program *program, int fds[PIPE_COUNT][2])
{
    for (size_t i = 0; i < PIPE_COUNT; i++) {
        const size_t ours = i == PIPE_IN ? 1 : 0;

        open_pipe(program, i, fds[i][ours]);
        program->task.descriptors[i] = fds[i][1 - ours];
    }
    program->has_pipes = true;
    for (size_t i = PIPE_OUT; i < PIPE_COUNT; i++)
        (void)uv_read_start((uv_stream_t *)&program->pipes[i], give_chunk, on_read);
}

static void send_input(struct program *program)
{
    uv_buf_t part = uv_buf_init(program->input.data, (unsigned)program->input.length);

    if (program->input.length == 0 ||
        uv_write(&program->write, (uv_stream_t *)&program->pipes[PIPE_IN], &part, 1, on_written) !=
            0)
        on_written(&program->write, 0);
}

struct program *program_start(struct spawner *spawner, struct loop *loop,
                              const struct program_request *request, program_done *done,
                              void *context)
{
    struct program *program = must_alloc(sizeof(*program));
    int fds[PIPE_COUNT][2];
    int rc;

    program->spawner = spawner;
    program->loop = loop;
    program->done = done;
    program->context = context;
    program->task.started = on_started;
    program->task.ended = on_ended;
    program->task.uses_reserve = request->uses_reserve;
    list_init(&program->task.link);
    deferred_init(&program->finish, finish);
    timer_init(loop, &program->deadline, on_deadline);
    program->open_handles = 1;
    buf_init(&program->input, PROGRAM_INPUT_MAX);
    for (size_t i = 0; i < PIPE_COUNT; i++)
        buf_init(&program->tails[i].bytes, PROGRAM_OUTPUT_MAX);
    if (request->input_length > PROGRAM_INPUT_MAX) {
        on_ended(&program->task, PROGRAM_NOT_STARTED, EMSGSIZE);
        return program;
    }
    if (buf_append(&program->input, request->input, request->input_length) != 0)
        fault_out_of_memory();
    rc = make_pipes(fds);
    if (rc != 0) {
        on_ended(&program->task, PROGRAM_NOT_STARTED, rc);
        return program;
    }
    connect_pipes(program, fds);
    program->timeout = request->timeout;
    program->room_wait = request->room_wait > 0 ? request->room_wait : PROGRAM_ROOM_WAIT;
    timer_set_delay(&program->deadline, program->room_wait);
    send_input(program);
    spawner_submit(spawner, &program->task, request->arguments, request->environment);
    return program;
}
