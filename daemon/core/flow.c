#include "core/steps.h"

#include <stdint.h>

#define TO(name) (UINT32_C(1) << POSITION_##name)

struct row {
    const char *name;       /* stable: stored in the journal, and logged */
    uint32_t successors;    /* the moves that are allowed, as bits */
    enum position restart;  /* the position after a restart */
    enum event_kind awaits; /* the event that moves the account on */
    bool adopts_first;      /* a waiting `adopt` takes precedence over the event */
    bool to_poll;           /* POLL_WAIT is a successor, too: it stands for another, see there */
    bool prompted;          /* a start, a command or a new configuration also moves it on */
    enum position failed;   /* the position after a failed look or preflight */
    enum position next;     /* the position after the event, when there is no `done` */
    enum position (*gate)(struct machine *);    /* called before the position is entered; may
                                                 * return another one */
    enum position (*enter)(struct machine *);   /* starts the action of the position */
    enum position (*done)(struct machine *);    /* handles the awaited event */
    time_ms (*wake_at)(const struct machine *); /* the time that the position awaits */
};

static enum position enter_look(struct machine *machine)
{
    machine_act_look(machine);
    return POSITION_STAY;
}

/* An intent may follow, which needs the description. */
static enum position enter_look_described(struct machine *machine)
{
    machine_act_look(machine);
    machine->effects->action.describe = true;
    return POSITION_STAY;
}

static time_ms retry_at(const struct machine *machine)
{
    return machine->record->retry_at;
}

/* A restart may also enter a position anew from itself; that is no move. */
static const struct row rows[POSITION_COUNT] = {
    [POSITION_ADOPT_WAIT] =
        {
            .name = "adopt_wait",
            .successors = TO(ADOPT_LOOK),
            .restart = POSITION_ADOPT_WAIT,
            .awaits = EVENT_WAKE,
            .prompted = true,
            .wake_at = adopt_wake_at,
            .next = POSITION_ADOPT_LOOK,
        },
    [POSITION_ADOPT_LOOK] =
        {
            .name = "adopt_look",
            .successors = TO(ADOPT_WAIT) | TO(DELIVER_INTENT) | TO(IDLE) | TO(DELIVER_WAIT),
            .restart = POSITION_ADOPT_WAIT,
            .awaits = EVENT_LOOKED,
            .failed = POSITION_ADOPT_WAIT,
            .enter = enter_look,
            .done = adopt_look_done,
        },
    [POSITION_IDLE] =
        {
            .name = "idle",
            .successors = TO(CHECK_LOOK) | TO(PREFLIGHT) | TO(DELIVER_LOOK) | TO(ADOPT_LOOK),
            .restart = POSITION_IDLE,
            .awaits = EVENT_WAKE,
            .prompted = true,
            .gate = operation_or_idle,
            .enter = idle_next,
            .wake_at = idle_wake_at,
            .done = idle_next,
        },
    [POSITION_CHECK_LOOK] =
        {
            .name = "check_look",
            .successors = TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) | TO(CONFIRM_WAIT) |
                          TO(DELIVER_INTENT) | TO(DELIVER_WAIT) | TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
            .to_poll = true,
            .restart = POSITION_IDLE,
            .awaits = EVENT_LOOKED,
            .adopts_first = true,
            .failed = POSITION_IDLE,
            .enter = enter_look,
            .done = check_look_done,
        },
    [POSITION_PROVE_TARGET] =
        {
            .name = "prove_target",
            .successors = TO(PROVE_LIVE) | TO(CONFIRM_WAIT) | TO(ADOPT_LOOK),
            .restart = POSITION_IDLE,
            .awaits = EVENT_VERIFIED,
            .adopts_first = true,
            .enter = check_enter_prove_target,
            .done = check_target_proved,
        },
    [POSITION_PROVE_LIVE] =
        {
            .name = "prove_live",
            .successors = TO(CHECK_LOOK) | TO(CONFIRM_WAIT) | TO(ADOPT_LOOK),
            .restart = POSITION_IDLE,
            .awaits = EVENT_VERIFIED,
            .adopts_first = true,
            .enter = check_enter_prove_live,
            .done = check_live_proved,
        },
    [POSITION_CONFIRM_WAIT] =
        {
            .name = "confirm_wait",
            .successors = TO(CHECK_LOOK) | TO(DELIVER_LOOK) | TO(ADOPT_LOOK),
            .restart = POSITION_IDLE,
            .awaits = EVENT_WAKE,
            .wake_at = machine_confirm_at,
            .next = POSITION_CHECK_LOOK,
        },
    [POSITION_PREFLIGHT] =
        {
            .name = "preflight",
            .successors = TO(ROTATE_LOOK) | TO(IDLE) | TO(ADOPT_LOOK),
            .restart = POSITION_IDLE,
            .awaits = EVENT_PREFLIGHT_DONE,
            .adopts_first = true,
            .failed = POSITION_IDLE,
            .enter = rotate_enter_preflight,
            .next = POSITION_ROTATE_LOOK,
        },
    [POSITION_ROTATE_LOOK] =
        {
            .name = "rotate_look",
            .successors = TO(INTENT) | TO(IDLE) | TO(PROVE_TARGET) | TO(PROVE_LIVE) |
                          TO(CONFIRM_WAIT) | TO(DELIVER_INTENT) | TO(DELIVER_WAIT) |
                          TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
            .restart = POSITION_IDLE,
            .awaits = EVENT_LOOKED,
            .adopts_first = true,
            .failed = POSITION_IDLE,
            .enter = enter_look_described,
            .done = rotate_look_done,
        },
    [POSITION_INTENT] =
        {
            .name = "intent",
            .successors = TO(REGENERATE) | TO(DOUBT_LOOK) | TO(DOUBT_WAIT) | TO(IDLE),
            .to_poll = true,
            .restart = POSITION_DOUBT_WAIT,
            .awaits = EVENT_PERSISTED,
            .done = rotate_intent_durable,
        },
    [POSITION_REGENERATE] =
        {
            .name = "regenerate",
            .successors = TO(VERIFY) | TO(DELIVER_INTENT) | TO(DOUBT_WAIT) | TO(DELIVER_WAIT) |
                          TO(IDLE) | TO(OPERATION) | TO(DOUBT_LOOK) | TO(VERIFY_LOOK),
            .to_poll = true,
            .restart = POSITION_DOUBT_WAIT,
            .awaits = EVENT_REGENERATED,
            .enter = rotate_enter_regenerate,
            .done = rotate_regenerated,
        },
    [POSITION_OPERATION] =
        {
            .name = "operation",
            .successors = TO(POLL_WAIT),
            .restart = POSITION_POLL_WAIT,
            .awaits = EVENT_PERSISTED,
            .next = POSITION_POLL_WAIT,
        },
    [POSITION_POLL_WAIT] =
        {
            .name = "poll_wait",
            .successors = TO(POLL) | TO(DOUBT_LOOK) | TO(CHECK_LOOK) | TO(DELIVER_LOOK),
            .restart = POSITION_POLL_WAIT,
            .awaits = EVENT_WAKE,
            .prompted = true,
            .enter = operation_next,
            .wake_at = operation_wake_at,
            .done = operation_next,
        },
    [POSITION_POLL] =
        {
            .name = "poll",
            .successors = TO(POLL_WAIT) | TO(DOUBT_LOOK),
            .restart = POSITION_POLL_WAIT,
            .awaits = EVENT_POLLED,
            .enter = operation_enter_poll,
            .done = operation_polled,
        },
    [POSITION_DOUBT_WAIT] =
        {
            .name = "doubt_wait",
            .successors = TO(DOUBT_LOOK),
            .restart = POSITION_DOUBT_WAIT,
            .awaits = EVENT_WAKE,
            .gate = operation_or_doubt,
            .wake_at = retry_at,
            .next = POSITION_DOUBT_LOOK,
        },
    [POSITION_DOUBT_LOOK] =
        {
            .name = "doubt_look",
            .successors = TO(DOUBT_WAIT) | TO(INTENT) | TO(VERIFY) | TO(DELIVER_INTENT) | TO(IDLE) |
                          TO(PROVE_TARGET) | TO(PROVE_LIVE) | TO(CONFIRM_WAIT) | TO(DELIVER_WAIT) |
                          TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
            .to_poll = true,
            .restart = POSITION_DOUBT_WAIT,
            .awaits = EVENT_LOOKED,
            .failed = POSITION_DOUBT_WAIT,
            .enter = enter_look_described,
            .done = rotate_doubt_look_done,
        },
    [POSITION_VERIFY_LOOK] =
        {
            .name = "verify_look",
            .successors = TO(VERIFY) | TO(VERIFY_WAIT) | TO(DELIVER_INTENT) | TO(IDLE) |
                          TO(DELIVER_WAIT) | TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
            .restart = POSITION_VERIFY_WAIT,
            .awaits = EVENT_LOOKED,
            .adopts_first = true,
            .failed = POSITION_VERIFY_WAIT,
            .enter = enter_look,
            .done = verify_look_done,
        },
    [POSITION_VERIFY] =
        {
            .name = "verify",
            .successors =
                TO(DELIVER_INTENT) | TO(VERIFY_WAIT) | TO(IDLE) | TO(DELIVER_WAIT) | TO(ADOPT_LOOK),
            .restart = POSITION_VERIFY_WAIT,
            .awaits = EVENT_VERIFIED,
            .adopts_first = true,
            .gate = verify_gate,
            .enter = verify_enter,
            .done = verify_done,
        },
    [POSITION_VERIFY_WAIT] =
        {
            .name = "verify_wait",
            .successors = TO(VERIFY_LOOK) | TO(ADOPT_LOOK),
            .restart = POSITION_VERIFY_WAIT,
            .awaits = EVENT_WAKE,
            .wake_at = retry_at,
            .next = POSITION_VERIFY_LOOK,
        },
    [POSITION_DELIVER_LOOK] =
        {
            .name = "deliver_look",
            .successors = TO(DELIVER_INTENT) | TO(DELIVER_WAIT) | TO(VERIFY) | TO(IDLE) |
                          TO(PROVE_TARGET) | TO(PROVE_LIVE) | TO(CONFIRM_WAIT) | TO(VERIFY_WAIT) |
                          TO(ADOPT_WAIT) | TO(ADOPT_LOOK),
            .to_poll = true,
            .restart = POSITION_DELIVER_WAIT,
            .awaits = EVENT_LOOKED,
            .adopts_first = true,
            .failed = POSITION_DELIVER_WAIT,
            .enter = enter_look,
            .done = deliver_look_done,
        },
    [POSITION_DELIVER_INTENT] =
        {
            .name = "offer",
            .successors =
                TO(DELIVER) | TO(DELIVER_LOOK) | TO(DELIVER_WAIT) | TO(IDLE) | TO(ADOPT_LOOK),
            .to_poll = true,
            .restart = POSITION_DELIVER_WAIT,
            .awaits = EVENT_PERSISTED,
            .adopts_first = true,
            .gate = deliver_gate,
            .done = deliver_intent_durable,
        },
    [POSITION_DELIVER] =
        {
            .name = "deliver",
            .successors = TO(DELIVER_INTENT) | TO(DELIVER_WAIT) | TO(IDLE) | TO(ADOPT_LOOK),
            .to_poll = true,
            .restart = POSITION_DELIVER_WAIT,
            .awaits = EVENT_DELIVERED,
            .enter = deliver_enter,
            .done = deliver_done,
        },
    [POSITION_DELIVER_WAIT] =
        {
            .name = "deliver_wait",
            .successors = TO(DELIVER_LOOK) | TO(IDLE) | TO(ADOPT_LOOK),
            .restart = POSITION_DELIVER_WAIT,
            .awaits = EVENT_WAKE,
            .prompted = true,
            .gate = deliver_wait_gate,
            .wake_at = deliver_resume_at,
            .done = deliver_resume,
        },
};

/* --- what core/position.h asks --- */

const char *position_name(enum position position)
{
    return position < POSITION_COUNT ? rows[position].name : "?";
}

bool position_move_allowed(enum position from, enum position to)
{
    return from < POSITION_COUNT && to < POSITION_COUNT &&
           ((rows[from].successors & (UINT32_C(1) << to)) != 0 ||
            (rows[from].to_poll && to == POSITION_POLL_WAIT));
}

enum position position_after_restart(enum position stored)
{
    return stored < POSITION_COUNT ? rows[stored].restart : POSITION_ADOPT_WAIT;
}

bool position_awaits_time(enum position position)
{
    return rows[position].awaits == EVENT_WAKE;
}

bool position_may_be_delivering(enum position position)
{
    return position == POSITION_DELIVER_INTENT || position == POSITION_DELIVER;
}

bool position_awaits_commit(enum position position)
{
    return rows[position].awaits == EVENT_PERSISTED;
}

bool position_needs_keys(enum position position)
{
    return !position_awaits_time(position) && rows[position].awaits != EVENT_PREFLIGHT_DONE &&
           rows[position].awaits != EVENT_POLLED;
}

/* --- from position to position --- */

static void move(struct machine *machine, enum position to)
{
    struct effects *effects = machine->effects;
    enum position from = machine->record->position;

    if (!position_move_allowed(from, to))
        machine_fault(machine, "a move that the flow table forbids");
    if (effects->move_count == MOVES_MAX) {
        machine_fault(machine, "more moves than one step can make");
        return;
    }
    effects->moves[effects->move_count].from = from;
    effects->moves[effects->move_count].to = to;
    effects->move_count++;
    machine->record->position = to;
}

void flow_go(struct machine *machine, enum position to)
{
    while (to != POSITION_STAY && !machine->effects->fault) {
        const struct row *row = &rows[to];
        const enum position instead = row->gate ? row->gate(machine) : to;

        if (instead == to) {
            move(machine, to);
            to = row->enter ? row->enter(machine) : POSITION_STAY;
        } else {
            to = instead;
        }
    }
}

static enum position leave(struct machine *machine, const struct row *row)
{
    return row->done ? row->done(machine) : row->next;
}

enum position flow_take(struct machine *machine)
{
    const struct row *row = &rows[machine->record->position];
    const struct event *event = machine->event;
    const bool can_fail = row->awaits == EVENT_LOOKED || row->awaits == EVENT_PREFLIGHT_DONE;

    if (event->kind != row->awaits) {
        if (event->kind != EVENT_WAKE && event->kind != EVENT_PERSISTED)
            machine_fault(machine, "a completion that nobody waited for");
        return POSITION_STAY;
    }
    if (event->kind == EVENT_WAKE && flow_wake_at(machine) > machine->now)
        return POSITION_STAY;
    if (row->adopts_first && machine_adopt_is_asked(machine))
        return POSITION_ADOPT_LOOK;
    if (event->failure && can_fail) {
        machine_fail(machine, event->failure);
        return row->failed;
    }
    return leave(machine, row);
}

enum position flow_prompt(struct machine *machine)
{
    const struct row *row = &rows[machine->record->position];

    return row->prompted ? leave(machine, row) : POSITION_STAY;
}

enum position flow_repeat(struct machine *machine)
{
    const struct row *row = &rows[machine->record->position];

    return row->awaits == machine->event->kind ? row->enter(machine) : flow_take(machine);
}

time_ms flow_wake_at(const struct machine *machine)
{
    const struct row *row = &rows[machine->record->position];

    return row->wake_at ? row->wake_at(machine) : TIME_NEVER;
}
