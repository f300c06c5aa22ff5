#include "io/loop/signals.h"

#include <signal.h>
#include <stdlib.h>

#include "base/must.h"

static const int caught[] = {SIGTERM, SIGINT, SIGHUP};
enum { CAUGHT_COUNT = sizeof(caught) / sizeof(caught[0]) };

struct signals {
    uv_signal_t handles[CAUGHT_COUNT];
    size_t open;
    signals_received *received;
    void *context;
};

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct signals *signals = handle->data;

    signals->received(signals->context, signal_number);
}

static void on_closed(uv_handle_t *handle)
{
    struct signals *signals = handle->data;

    if (--signals->open == 0)
        free(signals);
}

void signals_close(struct signals *signals)
{
    size_t open;

    if (!signals)
        return;
    open = signals->open;
    if (open == 0)
        free(signals);
    for (size_t i = 0; i < open; i++)
        uv_close((uv_handle_t *)&signals->handles[i], on_closed);
}

struct signals *signals_new(struct loop *loop, signals_received *received, void *context)
{
    struct signals *signals = must_alloc(sizeof(*signals));

    signals->received = received;
    signals->context = context;
    for (size_t i = 0; i < CAUGHT_COUNT; i++) {
        uv_signal_t *handle = &signals->handles[i];

        if (uv_signal_init(loop_uv(loop), handle) != 0)
            break;
        handle->data = signals;
        signals->open++;
        if (uv_signal_start(handle, on_signal, caught[i]) != 0)
            break;
        /* Waiting for a signal must not keep the loop running. */
        uv_unref((uv_handle_t *)handle);
    }
    if (signals->open == CAUGHT_COUNT &&
        uv_is_active((uv_handle_t *)&signals->handles[CAUGHT_COUNT - 1]))
        return signals;
    signals_close(signals);
    return NULL;
}
