/*
 * Input and output of a step of the rotation machine (core/rotation.h): the context, the event, and
 * its effects.
 */
#ifndef KEYROTATED_CORE_EVENT_H
#define KEYROTATED_CORE_EVENT_H

#include "core/command_list.h"
#include "core/hold.h"
#include "core/policy.h"
#include "core/record.h"

/* The facts about an account that its record does not hold. Borrowed during a call. */
struct rotation_target {
    struct target_id id;
    bool required;
    bool readable;        /* a look can see what it holds */
    bool settles_at_once; /* a delivery that was cut short cannot land later (a local file) */
    size_t follows;       /* a hook: it is told once the target at this index - 1 has the key, and
                           * again whenever that one got it anew; 0: none */
};
/* A delivery that has begun and has not ended. */
struct delivery_under_way {
    struct target_id target;
    bool required;    /* when it began */
    time_ms began_at; /* 0: none is under way */
};
struct rotation_context {
    const char *account_id; /* lower case: seeds splay and jitter */
    const struct policy *policy;
    const struct timing *timing;
    const struct rotation_target *targets; /* in the order of delivery */
    size_t target_count;
    bool has_adopt_active;
    enum slot adopt_active;
    bool presumes_active;      /* adopt_active is that of a rule: a person has to confirm it */
    bool refused;              /* it can have none of its targets: what is done for it fails with
                                  REASON_DESTINATION_REFUSED */
    time_ms daemon_started_at; /* nothing is regenerated within unknown_wait and list_delay of it */
    const struct hold *hold;   /* of the holds in force, the last one to end; NULL: none */
    struct delivery_under_way under_way;
    duration_ms regenerate_takes; /* the longest time from a regenerate's request to its end; 0: it
                                   * has ended when it is answered */
    duration_ms list_delay;       /* after its end, lists show the new key within this time */
    bool shares_resource;         /* other pairs of keys of its resource are accounts, too */
    const char *pair_busy;   /* one of them is being regenerated: a static sentence; NULL: none */
    time_ms pair_busy_until; /* TIME_NEVER: until EVENT_WAKE comes for it */
    time_ms pair_busy_about; /* until about when, for people; in the past: not known */
    bool writes_whole; /* a regenerate writes back all of its resource, and with it the keys of
                        * the other accounts as a list shows them */
    time_ms whole_is_known_at; /* writes_whole: from then on a list shows the resource as it is, if
                                * it stays unchanged; in the past: it does, or a look has to tell */
};

/* What Azure says of an operation that it carries out after its answer. */
enum operation_state {
    OPERATION_RUNNING,
    OPERATION_SUCCEEDED,
    OPERATION_FAILED,   /* Failed or Canceled */
    OPERATION_FORGOTTEN /* Azure does not know it, or it may not be asked: that says nothing */
};

enum event_kind {
    EVENT_START,          /* the record was read from the journal, or is new */
    EVENT_WAKE,           /* wake_at was reached */
    EVENT_PERSISTED,      /* the awaited commit is durable */
    EVENT_PREFLIGHT_DONE, /* failure: of `target` */
    EVENT_LOOKED,         /* look, or failure */
    EVENT_REGENERATED,    /* live as far as `shown`, or under_way, or failure */
    EVENT_POLLED,         /* operation_state; failure: of the operation where that is FAILED, else
                           * the poll has failed */
    EVENT_VERIFIED,       /* accepted, or failure (REASON_KEY_REFUSED: the data plane refused the
                           * key) */
    EVENT_DELIVERED,      /* target: changed, or failure */
    EVENT_CONFIGURED,     /* the configuration was (re)loaded: the context is new */
    EVENT_CLOCK_JUMPED,   /* the wall clock was set, or the machine slept */
    EVENT_COMMAND,        /* an operator's command */
    EVENT_HELD,           /* `hold` binds the account since now */
    EVENT_HOLD_ENDED      /* a hold that bound it was ended by an operator */
};

/* The commands that an account's machine carries out. */
#define MACHINE(NAME, name) COMMAND_##NAME,
#define HOLDS(NAME, name)
#define DAEMON(NAME, name)
#define ROW(NAME, name, CARRIER, ...) CARRIER(NAME, name)
enum command_kind { COMMAND_LIST(ROW) };
#undef ROW
#undef DAEMON
#undef HOLDS
#undef MACHINE

struct command {
    enum command_kind kind;
    enum slot slot;      /* adopt */
    bool dry_run;        /* rotate: only report what would happen */
    size_t target_count; /* redeliver: these alone; 0: all */
    struct target_id targets[TARGETS_MAX];
    const char *actor; /* "uid 1000 (alice)" */
};

struct event {
    enum event_kind kind;
    time_ms now;
    const struct failure *failure;       /* NULL: it worked */
    const struct look *look;             /* LOOKED */
    const struct failure *undescribed;   /* LOOKED: why the look has no description, or why the
                                          * description rules out a new key; NULL: neither, or no
                                          * description was requested. REGENERATED, under_way: why
                                          * Azure's URL may not be asked; NULL: it may, or there is
                                          * none */
    const char *endpoint;                /* LOOKED: of the data plane; NULL: not known */
    const char *location;                /* LOOKED; NULL: not known */
    const struct failure *read_failure;  /* LOOKED: why the look could not read `target` */
    const char *fresh_uuid;              /* any event: names a rotation that begins with it */
    duration_ms jump;                    /* CLOCK_JUMPED: how far the wall clock moved */
    bool shifted;                        /* START: the wall clock has been set and the record's
                                          * times moved with it, which may not be durable yet */
    struct fingerprint live[SLOT_COUNT]; /* REGENERATED */
    bool shown[SLOT_COUNT];              /* REGENERATED: the answer held the key of that slot */
    bool under_way;                      /* REGENERATED: Azure goes on with it after its answer */
    struct fingerprint operation; /* REGENERATED, under_way: of the URL to ask about it; none:
                                   * there is none that may be asked */
    enum operation_state operation_state; /* POLLED */
    duration_ms poll_after;        /* REGENERATED, POLLED: Azure asks for this pause; 0: not */
    duration_ms clock_skew;        /* LOOKED, REGENERATED */
    struct target_id target;       /* PREFLIGHT_DONE, DELIVERED; LOOKED: see read_failure */
    bool changed;                  /* DELIVERED: it held something else before */
    const struct command *command; /* COMMAND */
    const struct hold *hold;       /* HELD */
};

enum action_kind {
    ACTION_NONE,
    ACTION_PREFLIGHT,     /* try every required target */
    ACTION_LOOK,          /* listKeys, the description if `describe`, read the targets */
    ACTION_REGENERATE,    /* `slot`; exactly one request */
    ACTION_POLL,          /* how the operation of the open intent goes */
    ACTION_VERIFY_LIVE,   /* the live key of `slot` from the last look or regenerate */
    ACTION_VERIFY_TARGET, /* the key that `target` was seen to hold in the last look: `key` */
    ACTION_DELIVER        /* the live key of `slot` to `target` */
};

struct action {
    enum action_kind kind;
    enum slot slot;
    bool describe;          /* look: fetch the description, because an intent may follow or time
                             * allows it */
    bool urgent;            /* look: it serves a repair */
    struct fingerprint key; /* the key to verify or deliver must have this fingerprint */
    struct target_id target;
};

/* Something to report: a log line, and a row of history for those that are marked so. */
enum note_kind {
    NOTE_ADOPTED,
    NOTE_HELD,
    NOTE_RELEASED,
    NOTE_BLOCKED,
    NOTE_UNBLOCKED,
    NOTE_ROTATION_STARTED,
    NOTE_ROTATION_RESUMED,
    NOTE_ROTATION_RETRYING,
    NOTE_ROTATION_OVERDUE,
    NOTE_ROTATION_COMPLETED,
    NOTE_WINDOW_MISSED,
    NOTE_OPERATION_STARTED, /* Azure goes on with a regenerate after its answer */
    NOTE_OPERATION_ENDED,
    NOTE_OPERATION_LOST, /* nobody can tell how it goes */
    NOTE_KEY_REGENERATED,
    NOTE_KEY_VERIFIED,
    NOTE_KEY_UNVERIFIED,
    NOTE_KEY_DELIVERED,
    NOTE_DELIVERY_FAILED,
    NOTE_DRIFT_SUSPECTED,
    NOTE_DRIFT_DETECTED,
    NOTE_DRIFT_REPAIRED,
    NOTE_CONSUMERS_AT_RISK,
    NOTE_CONSUMERS_SAFE,
    NOTE_OPERATOR_COMMAND,
    NOTE_COUNT
};
struct note {
    enum note_kind kind;
    enum trigger trigger; /* why the rotation that it belongs to was started */
    enum reason reason;
    enum drift_kind drift;
    bool has_slot;
    enum slot slot;
    bool has_target;
    struct target_id target;
    struct fingerprint fingerprint; /* none: not about a key */
    time_ms key_made_at;   /* when a key was made that somebody else made, or may have, as Azure
                            * tells; 0: it does not, or the note is about no such key */
    uint64_t hold_id;      /* HELD: see effects.held; RELEASED: the last that ended */
    bool from_failure;     /* the event's failure belongs to it */
    bool from_undescribed; /* or the event's `undescribed` does */
    const char *detail;    /* a static sentence, or NULL */
};

enum { NOTES_MAX = 24, MOVES_MAX = 12, HOLDS_REPORTED_MAX = 2 };

enum command_outcome { COMMAND_NOT_ASKED, COMMAND_ACCEPTED, COMMAND_DONE, COMMAND_REFUSED };

struct effects {
    bool persist; /* a restart would read another record, or there is history to write */
    bool wait;    /* the account waits until that is durable */
    struct action action;
    const char *give_up; /* the delivery under way ends now, as failed: why; NULL: it goes on */
    time_ms wake_at;     /* TIME_NEVER: only an event can move this account */
    bool forget_keys;    /* no key is needed until the next look */
    struct note notes[NOTES_MAX];
    size_t note_count;
    struct {
        enum position from, to;
    } moves[MOVES_MAX]; /* the trace of this step */
    size_t move_count;
    struct hold held[HOLDS_REPORTED_MAX]; /* of the notes HELD of this step, by id */
    size_t held_count;
    enum command_outcome outcome; /* of EVENT_COMMAND */
    char answer[1000];            /* the sentence for the operator; may hold {account} */
    time_ms refused_until;        /* when it would be accepted; TIME_NEVER: nobody knows */
    const char *fault; /* a broken invariant or a forbidden move: stop, persist nothing */
};

#endif
