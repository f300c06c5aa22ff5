/*
 *   LoadUnit --> properties --> ReloadOrTryRestartUnit --> properties, again and again
 *
 * After the call systemd has queued a job. The unit is looked at until no job is left and it is
 * neither starting nor stopping, and once more a moment later: a service of Type=simple counts as
 * running before its program has read anything.
 */
#include "io/target/unit_bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "base/must.h"
#include "base/str.h"
#include "io/target/unit_failure.h"

#define SYSTEMD   "org.freedesktop.systemd1"
#define MANAGER   "/org/freedesktop/systemd1", SYSTEMD ".Manager"
#define LOOK_WAIT (MS_SECOND / 5)
#define LAST_WAIT MS_SECOND

enum { STATE_MAX = 32 };

struct unit_bus {
    struct loop *loop;
    char *unit;
    bool looks_only;
    unit_bus_done *done;
    void *context;

    sd_bus *bus;
    uv_poll_t poll;
    bool is_polling; /* the handle is initialised */
    struct timer timer;
    unsigned open_handles;

    char *path;        /* of the unit's object */
    bool told;         /* systemd has been asked to reload or restart it */
    bool seen_running; /* since then */
    bool ended;        /* `failed` and `failure` are valid */
    bool failed;
    struct failure failure;

    /* the properties of the unit, as last read */
    char load_state[STATE_MAX];
    char active_state[STATE_MAX];
    uint32_t job;
};

/* --- the end --- */

static void on_handle_closed(struct unit_bus *bus)
{
    if (--bus->open_handles > 0)
        return;
    free(bus->path);
    free(bus->unit);
    free(bus);
}

static void on_poll_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

static void on_timer_closed(struct timer *timer)
{
    on_handle_closed(container_of(timer, struct unit_bus, timer));
}

void unit_bus_cancel(struct unit_bus *bus)
{
    if (bus->is_polling)
        uv_close((uv_handle_t *)&bus->poll, on_poll_closed);
    timer_close(&bus->timer, on_timer_closed);
    /* Not flushed: that would block. */
    sd_bus_close(bus->bus);
    bus->bus = sd_bus_unref(bus->bus);
}

/* The conversation ends when control is back from the library. */
static void end(struct unit_bus *bus, bool failed)
{
    bus->ended = true;
    bus->failed = failed;
}

static void fail_reached(struct unit_bus *bus, int rc)
{
    if (rc == -ENOMEM)
        fault_out_of_memory();
    unit_failure_bus(&bus->failure, bus->unit, -rc);
    end(bus, true);
}

static void check(struct unit_bus *bus, int rc)
{
    if (rc < 0 && !bus->ended)
        fail_reached(bus, rc);
}

/* Is the answer an error? The conversation has ended then. */
static bool is_error(struct unit_bus *bus, sd_bus_message *answer)
{
    const sd_bus_error *error = sd_bus_message_get_error(answer);

    if (!error)
        return false;
    unit_failure_refused(&bus->failure, bus->unit, error->name, error->message);
    end(bus, true);
    return true;
}

/* --- looking at the unit --- */

static int on_result(sd_bus_message *answer, void *context, sd_bus_error *ignored)
{
    struct unit_bus *bus = context;
    const char *result = NULL;

    (void)ignored;
    /* A unit that is no service has no result. */
    if (sd_bus_message_is_method_error(answer, NULL) ||
        sd_bus_message_read(answer, "v", "s", &result) < 0)
        result = NULL;
    unit_failure_failed(&bus->failure, bus->unit, bus->told, result);
    end(bus, true);
    return 0;
}

static void ask_result(struct unit_bus *bus)
{
    check(bus, sd_bus_call_method_async(bus->bus, NULL, SYSTEMD, bus->path,
                                        "org.freedesktop.DBus.Properties", "Get", on_result, bus,
                                        "ss", SYSTEMD ".Service", "Result"));
}

static int on_told(sd_bus_message *answer, void *context, sd_bus_error *ignored)
{
    struct unit_bus *bus = context;

    (void)ignored;
    if (is_error(bus, answer))
        return 0;
    bus->told = true;
    timer_set_delay(&bus->timer, LOOK_WAIT);
    return 0;
}

static bool is_state(const struct unit_bus *bus, const char *state)
{
    return str_equal(bus->active_state, state);
}

static void look_before(struct unit_bus *bus)
{
    if (str_equal(bus->load_state, "not-found")) {
        unit_failure_missing(&bus->failure, bus->unit);
        end(bus, true);
    } else if (is_state(bus, "failed")) {
        ask_result(bus);
    } else if (bus->looks_only || is_state(bus, "inactive")) {
        end(bus, false);
    } else {
        check(bus,
              sd_bus_call_method_async(bus->bus, NULL, SYSTEMD, MANAGER, "ReloadOrTryRestartUnit",
                                       on_told, bus, "ss", bus->unit, "replace"));
    }
}

static void look_after(struct unit_bus *bus)
{
    const bool is_settled = bus->job == 0 && (is_state(bus, "active") || is_state(bus, "inactive"));

    if (is_state(bus, "failed")) {
        ask_result(bus);
    } else if (is_settled && (bus->seen_running || is_state(bus, "inactive"))) {
        end(bus, false);
    } else {
        bus->seen_running = is_settled;
        timer_set_delay(&bus->timer, is_settled ? LAST_WAIT : LOOK_WAIT);
    }
}

static int read_state(sd_bus_message *answer, char out[STATE_MAX])
{
    const char *text;
    const int rc = sd_bus_message_read(answer, "v", "s", &text);

    if (rc >= 0)
        (void)str_copy(out, STATE_MAX, text);
    return rc;
}

static int read_property(struct unit_bus *bus, sd_bus_message *answer)
{
    const char *name;
    int rc = sd_bus_message_read(answer, "s", &name);

    if (rc < 0)
        return rc;
    if (str_equal(name, "LoadState"))
        return read_state(answer, bus->load_state);
    if (str_equal(name, "ActiveState"))
        return read_state(answer, bus->active_state);
    if (str_equal(name, "Job"))
        return sd_bus_message_read(answer, "v", "(uo)", &bus->job, NULL);
    return sd_bus_message_skip(answer, "v");
}

static int read_properties(struct unit_bus *bus, sd_bus_message *answer)
{
    int rc = sd_bus_message_enter_container(answer, 'a', "{sv}");

    bus->load_state[0] = bus->active_state[0] = '\0';
    bus->job = 0;
    while (rc >= 0 && (rc = sd_bus_message_enter_container(answer, 'e', "sv")) > 0) {
        rc = read_property(bus, answer);
        if (rc >= 0)
            rc = sd_bus_message_exit_container(answer);
    }
    return rc;
}

static int on_properties(sd_bus_message *answer, void *context, sd_bus_error *ignored)
{
    struct unit_bus *bus = context;

    (void)ignored;
    if (is_error(bus, answer))
        return 0;
    check(bus, read_properties(bus, answer));
    if (bus->ended)
        return 0;
    if (bus->told)
        look_after(bus);
    else
        look_before(bus);
    return 0;
}

static void look(struct unit_bus *bus)
{
    check(bus, sd_bus_call_method_async(bus->bus, NULL, SYSTEMD, bus->path,
                                        "org.freedesktop.DBus.Properties", "GetAll", on_properties,
                                        bus, "s", SYSTEMD ".Unit"));
}

static int on_loaded(sd_bus_message *answer, void *context, sd_bus_error *ignored)
{
    struct unit_bus *bus = context;
    const char *path;
    int rc;

    (void)ignored;
    if (is_error(bus, answer))
        return 0;
    rc = sd_bus_message_read(answer, "o", &path);
    check(bus, rc);
    if (rc < 0)
        return 0;
    bus->path = must_dup(path);
    look(bus);
    return 0;
}

/* --- the bus on the loop --- */

static void on_ready(uv_poll_t *poll, int status, int events);

/* Hands over what has come, sends what waits, and then watches for more. */
static void process(struct unit_bus *bus)
{
    int rc = 1;

    while (!bus->ended && rc > 0)
        rc = sd_bus_process(bus->bus, NULL);
    check(bus, rc);
    if (!bus->ended) {
        const int events = sd_bus_get_events(bus->bus);

        check(bus, events);
        if (events >= 0)
            check(bus, uv_poll_start(&bus->poll,
                                     ((events & POLLIN) ? UV_READABLE : 0) |
                                         ((events & POLLOUT) ? UV_WRITABLE : 0),
                                     on_ready));
    }
    if (!bus->ended)
        return;
    bus->done(bus->context, bus->failed ? &bus->failure : NULL);
    unit_bus_cancel(bus);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* the library finds out itself */
    (void)events;
    process(poll->data);
}

static void open_bus(struct unit_bus *bus)
{
    int rc = sd_bus_open_system(&bus->bus);

    if (rc >= 0)
        rc = uv_poll_init(loop_uv(bus->loop), &bus->poll, sd_bus_get_fd(bus->bus));
    if (rc >= 0) {
        bus->is_polling = true;
        bus->poll.data = bus;
        bus->open_handles++;
        rc = sd_bus_call_method_async(bus->bus, NULL, SYSTEMD, MANAGER, "LoadUnit", on_loaded, bus,
                                      "s", bus->unit);
    }
    check(bus, rc);
}

static void on_timer(struct timer *timer)
{
    struct unit_bus *bus = container_of(timer, struct unit_bus, timer);

    if (bus->path)
        look(bus);
    else
        open_bus(bus);
    process(bus);
}

struct unit_bus *unit_bus_start(struct loop *loop, const char *unit, bool looks_only,
                                unit_bus_done *done, void *context)
{
    struct unit_bus *bus = must_alloc(sizeof(*bus));

    bus->loop = loop;
    bus->unit = must_dup(unit);
    bus->looks_only = looks_only;
    bus->done = done;
    bus->context = context;
    bus->open_handles = 1;
    timer_init(loop, &bus->timer, on_timer);
    timer_set_delay(&bus->timer, 0);
    return bus;
}
