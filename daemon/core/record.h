/*
 * The journal record of one account: everything that has to survive a crash, and nothing else.
 *
 * The rotation machine (core/rotation.h) is the only writer. A record is stored whole, so that what
 * is read after a crash is always the outcome of one complete step.
 */
#ifndef KEYROTATED_CORE_RECORD_H
#define KEYROTATED_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "core/look.h"
#include "core/position.h"
#include "core/reason.h"
#include "core/slot.h"

/* Replaced keys that are remembered: two and a half years at a rotation every 40 days. */
enum { REPLACED_MAX = 24, CORRELATION_MAX = 40, ACTOR_MAX = 64 };
/* Longer ones are not stored, so a restart has to read the description for them. */
enum { ENDPOINT_MAX = 128, LOCATION_MAX = 40 };

/* Why a rotation was started. */
enum trigger { TRIGGER_NONE, TRIGGER_SCHEDULE, TRIGGER_COMMAND };
const char *trigger_name(enum trigger trigger);

/* How a look can differ from the journal. */
enum drift_kind {
    DRIFT_NONE,
    DRIFT_TARGET_CHANGED,    /* a target does not hold the key delivered to it */
    DRIFT_STANDBY_CHANGED,   /* somebody else regenerated the standby key */
    DRIFT_ROTATED_ELSEWHERE, /* and gave it to all the targets */
    DRIFT_ACTIVE_CHANGED,    /* somebody else regenerated the active key */
    DRIFT_TARGETS_DISAGREE,  /* the targets contradict each other */
    DRIFT_JOURNAL_UNFIT,     /* the journal contradicts the look and is not used */
    DRIFT_KIND_COUNT
};
const char *drift_name(enum drift_kind drift);

/* The state of one destination. */
struct target_record {
    struct target_id id;
    bool required;
    bool acknowledged; /* it got, or was seen to hold, `fingerprint` */
    struct fingerprint fingerprint;
    time_ms acknowledged_at; /* the last time that this was known; 0: never, or it may have been
                              * changed since */
    bool delivery_intended;  /* a delivery was begun: it may hold the new key */
    time_ms unsettled_until; /* a delivery of unknown outcome may still land until then; 0: none */
    uint32_t attempts;       /* deliveries since it was last seen to hold its key */
    time_ms retry_at;        /* not before then; 0: at once */
    enum reason reason;      /* of the last failure; REASON_NONE: none */
    time_ms failing_since;   /* 0: it is not */
    time_ms dead_since; /* it holds a key that is not live, as far as is known; 0: it does not */
    bool early; /* a look cannot see it, and it had its delivery while a required target before it
                   lacked the key: it is delivered again when that one has it */
};

/* A regenerate that may have been sent and whose outcome is not settled yet. */
struct intent {
    bool open;
    enum slot slot;
    struct fingerprint before[SLOT_COUNT]; /* what the look right before it saw */
    time_ms written_at;
    uint32_t attempts;            /* how often it has been sent for this cycle */
    struct fingerprint operation; /* of the URL that tells how it goes; none: there is none */
    bool ended;         /* it has ended, as far as is known: a look that shows a change counts */
    time_ms settles_at; /* until then a look that shows no change proves nothing, nor does any look
                         * where it has not ended; also of a closed intent that was still in doubt.
                         * 0: that of unknown_wait alone */
    time_ms poll_at;    /* when the operation is asked about next */
    uint32_t poll_failures; /* polls in a row that have failed */
};

/* A look that does not fit the journal, waiting for a second one that shows the same. */
struct unconfirmed_drift {
    bool pending;
    struct fingerprint live[SLOT_COUNT];
    time_ms made[SLOT_COUNT];   /* when Azure says that they were made; 0: it does not */
    struct fingerprint targets; /* digest of what the targets showed */
    time_ms seen_at;
    bool standby_in_use; /* a target held the standby's live key */
    bool proven; /* the data plane refused what a target holds and accepted what the look showed */
};

struct record {
    enum position position;

    /* the keys */
    bool adopted; /* `active` and `live` are valid */
    enum slot active;
    enum slot delivering;                /* the slot whose key is being, or was last, delivered */
    struct fingerprint live[SLOT_COUNT]; /* the live keys, as far as the journal knows */
    time_ms born[SLOT_COUNT];            /* since when; the time of adoption for keys found there */
    time_ms made[SLOT_COUNT]; /* when somebody else made it, as Azure tells; 0: it does not, or the
                               * journal's rotation made it */
    struct fingerprint replaced[REPLACED_MAX]; /* keys known to be dead, newest first */
    enum slot replaced_slot[REPLACED_MAX];     /* where each of them stood … */
    time_ms replaced_at[REPLACED_MAX]; /* … until then, at the latest. 0: an earlier version
                                        * kept neither */

    /* the rotation */
    uint64_t cycle; /* of the last completed one, or of the one under way */
    enum trigger trigger;
    char actor[ACTOR_MAX];             /* who asked for it; "" for the schedule */
    char correlation[CORRELATION_MAX]; /* groups its requests in Azure's activity log */
    time_ms started_at;                /* of the rotation under way or the last one */
    time_ms completed_at;              /* of the last completed one; 0: none yet */
    struct intent intent;
    time_ms verify_since; /* the first attempt to prove the new key; 0: none */
    bool verified;        /* the data plane accepted the key under delivery */
    bool refused;         /* the data plane's last answer refused it */

    time_ms regenerate_after; /* Azure asked for a pause of regenerating; 0: it did not */

    /* the resource, as last described: what a repair needs where it cannot be described now */
    char endpoint[ENDPOINT_MAX]; /* "": not known */
    char location[LOCATION_MAX]; /* the same */

    /* the guarantees */
    time_ms overlap_from;      /* set by record_begin_overlap() alone */
    time_ms foreign_change_at; /* the last time that somebody else changed a key; 0: never */
    time_ms both_changed_at; /* … changed both: nothing is regenerated for rotate_every; 0: never */
    bool another_rotator;    /* … was the second within rotate_every: until a person settles it */
    time_ms looked_at;       /* the last look that succeeded */
    struct unconfirmed_drift unconfirmed;
    enum drift_kind repairing; /* the drift that the deliveries under way repair */
    bool consumers_at_risk;    /* a required target has dead_since, and that was reported */

    /* the schedule */
    time_ms adopted_at;
    time_ms planned_at;       /* on the time line of planned times; 0: not planned yet */
    time_ms due_at;           /* when it starts: with window, splay, catch-up */
    duration_ms planned_with; /* the rotate_every that the plan was made with */
    bool catching_up;         /* due_at makes up for a start that was missed while we were off */
    bool window_missed_reported;
    time_ms overdue_reported_at; /* 0: not */
    time_ms check_at;            /* the next look for drift */
    bool requested;              /* `rotate` was asked for: due now, whatever the window */

    /* what is wrong */
    enum reason blocked; /* a reason of state blocked, or REASON_NONE */
    time_ms blocked_at;
    time_ms blocked_reported_at;
    enum reason retry_reason; /* a reason of state retrying, or REASON_NONE */
    time_ms retrying_since;
    uint32_t attempts; /* failures in a row */
    time_ms retry_at;

    /* what operators said */
    uint64_t hold_id;   /* the hold that bound it at the last step, and was reported; 0: none did */
    time_ms hold_until; /* its end: what was held then is released, once, also after a restart */
    bool adopt_asked;   /* `adopt --active` has settled what evidence could not */
    enum slot adopt_slot;
    bool presumed; /* a rule alone says which key is active, and nobody has confirmed that: nothing
                      is regenerated */

    struct target_record targets[TARGETS_MAX];
    size_t target_count;
};

/* Makes the record of an unknown account, which has to be adopted. */
void record_init(struct record *record);

/* The record of that destination, or NULL. */
struct target_record *record_target(struct record *record, const struct target_id *id);
const struct target_record *record_target_const(const struct record *record,
                                                const struct target_id *id);

/* Was this key live once and replaced since? */
bool record_is_replaced(const struct record *record, const struct fingerprint *fingerprint);
/* The key in that slot is dead since then; the oldest one that is remembered is forgotten. */
void record_add_replaced(struct record *record, enum slot slot, time_ms at);
/* Removes a key from the list: it is live after all. */
void record_remove_replaced(struct record *record, const struct fingerprint *fingerprint);

/* The readers of a required target were notified at that time, or may have been: the other key
 * stays as it is for an overlap from then on. Everything that rule 8 asks for is said here. */
void record_begin_overlap(struct record *record, time_ms at);

/* The key that every required target is to hold. */
const struct fingerprint *record_delivering_key(const struct record *record);

/* When the key under delivery was made, for waits that count from then: it moves along where the
 * clock is set, and born[] does not. */
time_ms record_delivering_since(const struct record *record);

/* Is it left to another rotator, who gave it the standby's live key? That key is its `fingerprint`,
 * so that it is known when the key dies. Set by delivery_leave(). */
bool record_target_is_left(const struct record *record, const struct target_record *target);

/* The other rotator is gone: what was left to it is owed the key again. */
void record_clear_another_rotator(struct record *record);

/* Closes the intent without knowing its outcome: what it may still do binds the next one. */
void record_close_intent(struct record *record);

/* Did this target acknowledge the key under delivery? */
bool record_target_has_key(const struct record *record, const struct target_record *target);

/* Is this target owed no delivery: it has the key under delivery, or is left? */
bool record_target_satisfied(const struct record *record, const struct target_record *target);

/* The required targets that are still owed the key under delivery. */
size_t record_owed_required(const struct record *record);

#endif
