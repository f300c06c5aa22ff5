/*
 * A small world for the rotation machine: two live keys, a few targets, a data plane, a journal, a
 * clock, and one account whose engine drives rotation_step() as the daemon's does. Time is virtual.
 *
 * Everything can go wrong on request, or by chance from a seed. Oracles watch what happens, from
 * the truth of this world and not from the machine's record (rotation_oracle.c); the first broken
 * rule is kept in `violation`.
 */
#ifndef KEYROTATED_TESTS_ROTATION_WORLD_H
#define KEYROTATED_TESTS_ROTATION_WORLD_H

#include "core/rotation.h"

enum {
    WORLD_TARGETS_MAX = 6,
    WORLD_QUEUE_MAX = 32,
    WORLD_TRACE_MAX = 4096,
    WORLD_ACTION_KINDS = ACTION_DELIVER + 1,
    WORLD_PAST_MAX = 16,
    WORLD_NOTE_KINDS = NOTE_COUNT,
    WORLD_LAG_MAX_MS = 60 * 1000 /* of lost requests that take effect, and of looks */
};

/* What becomes of an action. */
enum outcome {
    OUTCOME_OK,
    OUTCOME_FAILS,        /* a clear failure, without effect */
    OUTCOME_LOST_BEFORE,  /* no answer, no effect */
    OUTCOME_LOST_AFTER,   /* no answer, but it has happened */
    OUTCOME_LOST_LATE,    /* no answer, and it happens a while later */
    OUTCOME_LATE_LOOK,    /* a look into the past */
    OUTCOME_UNREAD_TARGET /* a look that could not read one target */
};

/* Ways to break a rule, with which tests show that the oracles convict. */
enum sabotage {
    SABOTAGE_NONE,
    SABOTAGE_REGENERATE_ACTIVE,    /* the request goes out for the wrong slot */
    SABOTAGE_NO_OVERLAP,           /* the machine is told that the overlap is nothing */
    SABOTAGE_LOOK_SHOWS_JOURNAL,   /* looks never look */
    SABOTAGE_FAILURE_IS_SUCCESS,   /* a failed delivery is reported as done */
    SABOTAGE_NO_JOURNAL,           /* the machine acts before anything is durable */
    SABOTAGE_UNKNOWN_IS_FAILURE,   /* a lost answer is reported as a clear failure */
    SABOTAGE_DELIVERIES_UNCHANGED, /* no delivery ever reports that it changed its target */
    SABOTAGE_OLD_START,            /* the machine is not told that the daemon has just started */
    SABOTAGE_STALE_ACTIVE,         /* every crash restores the journal of the day before */
    SABOTAGE_COUNT
};

/* A key is a number; 0 is none. */
struct world_target {
    struct rotation_target configured;
    bool in_configuration;
    unsigned holds;
    uint64_t cycle;
    time_ms told_at;             /* when a delivery last changed it */
    time_ms written_at;          /* when somebody else last changed it */
    time_ms seen_at;             /* when a look last showed it */
    time_ms left_at[SLOT_COUNT]; /* since when it lacks that slot's live key */
    time_ms required_at;         /* since when it is required; 0: from the beginning */
    bool late_pending;           /* a lost delivery may still arrive */
    unsigned late_key;
    time_ms late_at;
};

struct world_event {
    struct event event;
    struct look look;
    struct failure failure;
    struct command command;
};

struct world {
    /* the truth; instants without a suffix are true time, which nobody can set */
    time_ms now;
    duration_ms clock_offset; /* wall clock minus true time */
    unsigned live[SLOT_COUNT];
    unsigned keys_made;
    struct world_target targets[WORLD_TARGETS_MAX];
    size_t target_count;
    struct {
        time_ms until;
        unsigned live[SLOT_COUNT];
    } past[WORLD_PAST_MAX]; /* what was live before, newest first */
    bool late_regenerate;
    enum slot late_slot;
    time_ms late_at;
    bool data_plane_down;
    bool refuses_new_keys;
    time_ms foreign_at;

    /* the daemon */
    const char *account_id;
    bool running;
    time_ms started_at;
    struct policy policy;
    struct policy told_policy; /* what the machine is told: `policy`, except under sabotage */
    struct timing timing;
    duration_ms list_delay;
    struct rotation_target configured[WORLD_TARGETS_MAX];
    bool has_adopt_active;
    enum slot adopt_active;
    bool presumes_active;
    bool refused;
    struct record record;
    struct record journal;
    struct hold hold; /* id 0: there is none */
    uint64_t holds_given;
    bool saving;
    time_ms saved_at;
    duration_ms save_takes;
    struct effects saving_effects;
    bool behind; /* a commit that the machine does not wait for is under way */
    time_ms caught_up_at;
    struct world_event queue[WORLD_QUEUE_MAX];
    size_t queue_count;
    bool acting;
    struct action action;
    enum outcome action_outcome;
    time_ms action_done_at;
    struct look action_look;
    bool wake_set;
    time_ms wake_at;
    unsigned idle_wakes; /* wakes at one instant without a move */

    /* what is to happen to actions */
    struct {
        enum outcome outcome;
        enum reason reason;
        unsigned times;
    } script[WORLD_ACTION_KINDS];
    unsigned chance[OUTCOME_UNREAD_TARGET + 1]; /* per thousand actions */
    uint64_t random;
    duration_ms clock_skew;
    duration_ms retry_after; /* the pause that servers ask for with a failure */
    enum sabotage sabotage;
    bool narrates; /* every step, to standard error */

    /* what was seen */
    char violation[300];
    char trace[WORLD_TRACE_MAX]; /* the positions, "idle preflight …" */
    unsigned notes[WORLD_NOTE_KINDS];
    enum drift_kind last_drift;
    unsigned actions[WORLD_ACTION_KINDS];
    struct effects last_effects;
    enum command_outcome answered;
    char answer[1000];
    time_ms answered_until;
    time_ms looked_at;
    bool lost_request; /* a regenerate of unknown outcome, and no look since */
    time_ms lost_at;
    unsigned completed;
};

/* Two required targets (a readable one that settles at once, an unreadable one) and a readable
 * optional one; adopt_active primary. Nothing is started. */
void world_init(struct world *world, uint64_t seed);
void world_start(struct world *world);
void world_crash(struct world *world, duration_ms downtime);
void world_configure(struct world *world);
void world_jump(struct world *world, duration_ms jump);
void world_command(struct world *world, const struct command *command);
/* Held for so long from now; a hold that is on is replaced. Holds are durable at once. */
void world_hold(struct world *world, duration_ms duration);
void world_resume(struct world *world);

/* Somebody else at work. */
void world_foreign_regenerate(struct world *world, enum slot slot);
void world_write_target(struct world *world, size_t index, unsigned key);

/* The next `times` actions of that kind have this outcome. */
void world_script(struct world *world, enum action_kind kind, enum outcome outcome,
                  enum reason reason, unsigned times);

/* Carries out the next happening, if it comes before `until`. False: there is none, and time is
 * `until`. */
bool world_next(struct world *world, time_ms until);
void world_run(struct world *world, duration_ms duration);
/* Runs until the machine waits in that position. False: `limit` has passed. */
bool world_reach(struct world *world, enum position position, duration_ms limit);

void world_context(const struct world *world, struct rotation_context *context);
time_ms world_wall(const struct world *world);
struct fingerprint world_fingerprint(unsigned key);
struct target_id world_target_id(size_t index);
unsigned world_random(struct world *world, unsigned below);
bool world_required(const struct world *world, size_t index);

/* --- rotation_oracle.c --- */
void oracle_convict(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void oracle_action(struct world *world, const struct action *action);
/* A request of ours is about to kill that slot's key. */
void oracle_key_dies(struct world *world, enum slot slot);
void oracle_step(struct world *world, const struct record *before, const struct event *event,
                 const struct effects *effects);
/* Nothing is under way or queued: will something wake the account? */
void oracle_rest(struct world *world);

#endif
