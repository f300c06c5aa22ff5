/*
 * Accounts share units, and systemd gives up a unit that is started six times within ten seconds:
 * one call serves all who ask for the same unit within a moment, or while an earlier call runs, and
 * calls for one unit begin ten seconds apart.
 *
 *   COLLECTING --> CALLED --+--> RESTING --+--> forgotten, or COLLECTING where somebody waits
 *                           |              |
 *                           +--> HANGING --+
 *
 * The time of a call counts from its own beginning, so that who waits behind one that hangs has a
 * whole one afterwards.
 */
#include "io/target/unit.h"
#include "io/target/target_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/target_unit.h"
#include "io/target/target_queue.h"
#include "io/target/unit_bus.h"
#include "io/target/unit_failure.h"
#include "proto/failure.h"

#define COLLECT_TIME MS_SECOND        /* more may ask until then */
#define CALLS_APART  (10 * MS_SECOND) /* between the beginnings of two calls for one unit */
#define CALL_TIME    (3 * MS_MINUTE)  /* systemd gives a start 90 s */
/* The call under way, and the job's own. Each call ends in time, so this only guards against that
 * it does not. */
#define JOB_TIME (2 * CALL_TIME + 2 * CALLS_APART)

enum { JOBS_PER_UNIT = 10000 /* wait together */ };

enum phase {
    COLLECTING, /* the timer begins the call */
    CALLED,     /* less than CALLS_APART ago; the timer ends that */
    HANGING     /* the call has been under way for longer; the timer ends it */
};

/* A unit that somebody waits for, or that was told within CALLS_APART. */
struct told_unit {
    struct told_unit *next; /* in world->units */
    struct target_world *world;
    char *name;
    struct list waiting; /* jobs for the next call */
    struct list served;  /* jobs of the call under way */
    struct unit_bus *call;
    enum phase phase;
    struct timer timer;
};

struct unit_job {
    struct target_job base; /* its place is the unit and the account, its lane the unit */
    char *unit;
    struct list link;       /* in one of the lists above; of a probe: in none */
    struct told_unit *told; /* deliver */
    struct unit_bus *look;  /* probe: under way */
};

static struct unit_job *unit_job_of(struct target_job *base)
{
    return container_of(base, struct unit_job, base);
}

/* --- units --- */

static void on_timer(struct timer *timer);

static struct told_unit *find_or_add(struct target_world *world, const char *name)
{
    struct told_unit *unit = world->units;

    while (unit && !str_equal(unit->name, name))
        unit = unit->next;
    if (unit)
        return unit;
    unit = must_alloc(sizeof(*unit));
    unit->world = world;
    unit->name = must_dup(name);
    list_init(&unit->waiting);
    list_init(&unit->served);
    timer_init(world->loop, &unit->timer, on_timer);
    timer_set_delay(&unit->timer, COLLECT_TIME);
    unit->next = world->units;
    world->units = unit;
    return unit;
}

static void on_unit_closed(struct timer *timer)
{
    struct told_unit *unit = container_of(timer, struct told_unit, timer);

    free(unit->name);
    free(unit);
}

static void forget(struct told_unit *unit)
{
    struct told_unit **link = &unit->world->units;

    while (*link != unit)
        link = &(*link)->next;
    *link = unit->next;
    timer_close(&unit->timer, on_unit_closed);
}

void unit_forget_all(struct target_world *world)
{
    while (world->units)
        forget(world->units);
}

/* --- calls --- */

static void finish_job(struct unit_job *job, const struct failure *failure)
{
    struct target_outcome *outcome = &job->base.outcome;

    list_remove(&job->link);
    outcome->failed = !!failure;
    if (failure)
        outcome->failure = *failure;
    outcome->changed = !failure;
    target_job_end(&job->base);
}

static void set_phase(struct told_unit *unit, enum phase phase, duration_ms delay)
{
    unit->phase = phase;
    timer_set_delay(&unit->timer, delay);
}

/* The unit may be called again. */
static void go_on(struct told_unit *unit)
{
    if (list_empty(&unit->waiting))
        forget(unit);
    else
        set_phase(unit, COLLECTING, COLLECT_TIME);
}

static void on_call_done(void *context, const struct failure *failure)
{
    struct told_unit *unit = context;

    unit->call = NULL;
    list_for_each_entry (job, &unit->served, struct unit_job, link)
        finish_job(job, failure);
    if (unit->phase == HANGING)
        go_on(unit);
}

static void begin_call(struct told_unit *unit)
{
    struct list *item;

    while ((item = list_pop(&unit->waiting)))
        list_append(&unit->served, item);
    set_phase(unit, CALLED, CALLS_APART);
    unit->call = unit_bus_start(unit->world->loop, unit->name, false, on_call_done, unit);
}

static void give_up_call(struct told_unit *unit)
{
    char timeout[DURATION_TEXT_MAX];
    struct failure failure;

    unit_failure_hangs(&failure, unit->name, duration_to_text(CALL_TIME, timeout));
    unit_bus_cancel(unit->call);
    on_call_done(unit, &failure);
}

static void on_timer(struct timer *timer)
{
    struct told_unit *unit = container_of(timer, struct told_unit, timer);

    if (unit->phase == COLLECTING && !list_empty(&unit->waiting))
        begin_call(unit);
    else if (!unit->call)
        go_on(unit);
    else if (unit->phase == CALLED)
        set_phase(unit, HANGING, CALL_TIME - CALLS_APART);
    else
        give_up_call(unit);
}

/* --- jobs --- */

static void begin(struct target_job *base)
{
    struct unit_job *job = unit_job_of(base);

    job->told = find_or_add(base->world, job->unit);
    list_append(&job->told->waiting, &job->link);
}

/* The call goes on while others wait for it. */
static void abort_job(struct target_job *base)
{
    struct unit_job *job = unit_job_of(base);
    struct told_unit *unit = job->told;

    list_remove(&job->link);
    if (unit->call && list_empty(&unit->served)) {
        unit_bus_cancel(unit->call);
        on_call_done(unit, NULL);
    }
    target_job_end(base);
}

static void on_looked(void *context, const struct failure *failure)
{
    struct unit_job *job = context;

    job->look = NULL;
    finish_job(job, failure);
}

static void begin_look(struct target_job *base)
{
    struct unit_job *job = unit_job_of(base);

    job->look = unit_bus_start(base->world->loop, job->unit, true, on_looked, job);
}

static void abort_look(struct target_job *base)
{
    struct unit_job *job = unit_job_of(base);

    if (!job->look)
        return;
    unit_bus_cancel(job->look);
    job->look = NULL;
    target_job_end(base);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const char *unit = container_of(base, const struct unit_job, base)->unit;

    if (end == TARGET_END_HANGS)
        unit_failure_hangs(failure, unit, timeout);
    else if (end == TARGET_END_NOT_TRIED)
        failure_set_text(failure, "unit %s: not told, because for %s others have waited for it",
                         unit, timeout);
    else
        target_explain(&(struct target_words){.type = "unit", .place = unit}, end, timeout,
                       failure);
    if (end != TARGET_END_HANGS)
        unit_failure_await(failure, unit);
}

static void explain_look(const struct target_job *base, enum target_end end, const char *timeout,
                         struct failure *failure)
{
    const char *unit = container_of(base, const struct unit_job, base)->unit;
    const struct target_words words = {
        .type = "unit",
        .place = unit,
        .hangs = "systemd did not say how it is",
        .earlier = "systemd has not said how it is",
    };

    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure, "see whether `systemctl status %s` answers", unit);
}

static void free_job(struct target_job *base)
{
    struct unit_job *job = unit_job_of(base);

    free(base->place);
    free(job->unit);
    free(job);
}

static void start(struct target_world *world, const struct target_request *request)
{
    const char *unit = request->destination->place;
    struct unit_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->base;
    const bool tells = request->action == TARGET_ACTION_DELIVER;

    list_init(&job->link);
    job->unit = must_dup(unit);
    base->place = tells ? must(str_format("unit %s\n%s", unit, request->delivery->account->id))
                        : must(str_format("look at unit %s", unit));
    base->lane_length = tells ? strlen("unit ") + strlen(unit) : strlen(base->place);
    base->lane_width = JOBS_PER_UNIT;
    base->timeout = tells ? JOB_TIME : 0;
    base->begin = tells ? begin : begin_look;
    base->abort = tells ? abort_job : abort_look;
    base->explain = tells ? explain : explain_look;
    base->free = free_job;
    target_queue_start(world, base, request);
}

static void append_form(const struct destination *destination, struct buf *out)
{
    (void)destination;
    (void)out;
}

/* To reload or restart a unit once too often harms nobody, so a job that was cut short is repeated
 * at once. */
const struct target_operations target_unit_operations = {
    .type = &target_unit_type,
    .settles_at_once = true,
    .append_form = append_form,
    .start = start,
};
