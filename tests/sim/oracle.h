/*
 * The oracles: what must always hold, each as a check of its own over what really happens in the
 * simulated world. They know the truth, which the daemon does not.
 *
 * Each oracle states one rule of README.md ("Why it is safe") or the sentence they all serve. An
 * oracle convicts with the time, the account, and what was seen. A world can be played with an
 * oracle switched off, which is how it is shown that each is needed.
 */
#ifndef KEYROTATED_TESTS_SIM_ORACLE_H
#define KEYROTATED_TESTS_SIM_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record.h"
#include "io/store/store.h"
#include "script.h"

struct account;
struct world;
struct world_account;
struct world_listed;
struct operation;

/* Why another configuration comes into force. */
enum force { FORCE_RELOAD, FORCE_START, FORCE_FOUND };

enum oracle {
    ORACLE_NO_OUTAGE,       /* the product: who reads again within overlap holds a live key */
    ORACLE_STANDBY_ONLY,    /* rule 1: every required target has had the active key for overlap */
    ORACLE_LOOK_FIRST,      /* rule 2 */
    ORACLE_CLOCKS_AGREE,    /* rule 2: no regenerate with clocks over five minutes apart */
    ORACLE_INTENT_FIRST,    /* rule 3 */
    ORACLE_POLLED_DURABLE,  /* rule 3: a URL is asked when the journal has it */
    ORACLE_DOUBT_LOOKS,     /* rule 4 */
    ORACLE_ONE_OPERATION,   /* rule 4: no second regenerate while one may go on */
    ORACLE_ENDED_FIRST,     /* rule 4: nothing is concluded from what may still change */
    ORACLE_SAME_SLOT,       /* rule 5 */
    ORACLE_CALM_START,      /* rule 5: nothing is regenerated within unknown_wait of a start */
    ORACLE_FROZEN,          /* rule 6 */
    ORACLE_IN_ORDER,        /* rule 6: in a rotation targets wait for the required ones before */
    ORACLE_OFFER_FIRST,     /* rule 6: that a target may hold the new key is durable first */
    ORACLE_DELIVERS_GOAL,   /* rule 6: nothing but the key under delivery is delivered */
    ORACLE_PROVEN,          /* product: a new key is delivered when it was seen to work */
    ORACLE_ACKNOWLEDGED,    /* rule 7: completed means that every required target has it */
    ORACLE_OWED,            /* rule 7: a required target without the key is owed one, and gets it */
    ORACLE_RELEASED,        /* rule 7: nothing waits long for a delivery that is not required */
    ORACLE_OVERLAP_AGAIN,   /* rule 8 */
    ORACLE_UNSETTLED,       /* rule 8: nothing goes to a target whose last delivery may land */
    ORACLE_NONE_WAITS,      /* rule 8: in a repair nothing waits long for a target that hangs */
    ORACLE_ACTIVE_LAST,     /* rule 9 */
    ORACLE_SETTLE_LOOK,     /* rule 9: a look follows within `settle` */
    ORACLE_PAST_LOOK,       /* rule 10: nothing dead is delivered because of a late look */
    ORACLE_TWO_LOOKS,       /* rule 10: an unexpected change counts when seen twice, or proven */
    ORACLE_SURE_ADOPTION,   /* rule 10: what only the configuration says needs two looks */
    ORACLE_STANDBY_CHANGED, /* rule 11: not regenerated for an overlap after it was seen */
    ORACLE_BOTH_CHANGED,    /* rule 11: then nothing is regenerated for rotate_every */
    ORACLE_NO_FIGHT,        /* rule 11: the second foreign change blocks */
    ORACLE_JOURNAL_UNFIT,   /* rule 12: nothing is regenerated on the word of a stale journal */
    ORACLE_ONE_AT_A_TIME,   /* rule 13 */
    ORACLE_PAIRS_APART,     /* rule 13: one pair of a resource's keys at a time */
    ORACLE_NOT_PROMPTED,    /* rule 14: starting, reloading, adopting does not rotate */
    ORACLE_CAUGHT_UP_ONCE,  /* rule 14: not more rotations than the schedule has */
    ORACLE_IN_WINDOW,       /* rule 14: a scheduled rotation starts inside its window */
    ORACLE_CHANGE_FREEZE,   /* rule 14: no scheduled rotation starts in a change freeze */
    ORACLE_NO_KEY_STORED,   /* rule 15: no key in a record, a row of history or a log line */
    ORACLE_KEYS_FORGOTTEN,  /* rule 15: no key in memory while nothing is under way */
    ORACLE_NOT_SILENT,    /* rule 16: who waits for a person has said so; the others have a timer */
    ORACLE_REPAIRED,      /* an outage by somebody else is repaired in time */
    ORACLE_LEADS_ON,      /* rule 16: a regenerate that has ended leads on in time */
    ORACLE_PROGRESS,      /* once faults stop, every due account completes in time */
    ORACLE_NO_STARVATION, /* … and none waits while the others rotate again and again */
    ORACLE_CLOSED_FIRST,  /* what closes the interlock is durable before the daemon goes on */
    ORACLE_ANSWERED_DURABLE, /* a command is answered when the journal has it */
    ORACLE_HELD,            /* nothing is regenerated while held, or where the policy says not to */
    ORACLE_CONFIRMED,       /* rule 1: what a rule alone says of a key is not acted upon */
    ORACLE_NOT_FORGOTTEN,   /* no listing alone takes an account away */
    ORACLE_FEW_AT_ONCE,     /* a listing adds max_new accounts at most */
    ORACLE_ONE_DESTINATION, /* accounts with one destination get nothing */
    ORACLE_AGES_ONLY,       /* when Azure says that keys were made decides nothing else */
    ORACLE_SOUND,           /* no fault of the machine, no broken invariant, no endless loop */
    ORACLE_COUNT
};
struct oracle_description {
    const char *name; /* "no-outage" */
    const char *rule; /* "product", "rule 1" … */
    const char *meaning;
};
const struct oracle_description *oracle_describe(enum oracle oracle);
/* ORACLE_COUNT where there is none of that name. */
enum oracle oracle_from_name(const char *name);

enum { ORACLE_TEXT_MAX = 300 };

/* What the oracles said about one play. */
struct oracle_verdict {
    bool first_only;    /* in: end the play at the first conviction */
    uint64_t muted;     /* in: bits of oracles that are switched off */
    uint64_t convicted; /* out: bits */
    enum oracle first;
    duration_ms first_at;       /* since the world began */
    char text[ORACLE_TEXT_MAX]; /* the first conviction, as a sentence */
};

#include "oracle_state.h"

void oracle_convict(struct world *world, enum oracle oracle, const struct world_account *account,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * --- what the world tells the oracles ---
 *
 * The world keeps this order: an operation is begun before its effect, its effect comes before its
 * answer; truth is told before it changes (key_dies, target_changes, record_durable), and has
 * changed when the next hook is called. Configuration and clock are told after they have changed.
 */
/* Accounts and targets are as the script has them; no daemon has run. */
void oracle_world_begins(struct world *world);
/* world->started_at is set, the journal is what it will read; nothing of it has run yet. */
void oracle_daemon_starts(struct world *world);
/* It died or stopped; its operations are canceled already. */
void oracle_daemon_ends(struct world *world);
/* The daemon asks for it, now. Slot, target, key and cycle of the operation are set. */
void oracle_operation_begins(struct world *world, const struct operation *operation);
/* The daemon gets the answer now (before it sees it). `failed`: it is told of a failure, with the
 * cause in operation->failure; `unknown`: it is told that the outcome is unknown. `live` has what a
 * look or a regenerate shows, `key` and `cycle` what a read shows. Not called for canceled
 * operations. */
void oracle_operation_ends(struct world *world, const struct operation *operation, bool failed,
                           bool unknown);
/* A slot is about to be given another key. */
void oracle_key_dies(struct world *world, struct world_account *account, enum slot slot,
                     bool by_daemon);
/* A target is about to hold something else. */
void oracle_target_changes(struct world *world, struct world_account *account, unsigned target,
                           uint32_t key, bool by_daemon);
/* The daemon gives a record and rows to the journal; the record is not durable yet. */
void oracle_record_saved(struct world *world, struct world_account *account,
                         const struct record *record, const struct history_row *rows,
                         size_t row_count);
/* It is durable now, whether the daemon lives to learn it or not; account->journal still is what
 * was before. */
void oracle_record_durable(struct world *world, struct world_account *account,
                           const struct record *record);
/* An incident is about to happen. What is done to the journal by it (restore, erase) happens before
 * the next oracle_daemon_starts(). */
void oracle_incident(struct world *world, const struct incident *incident);
/* The daemon has answered the command for this account (as the control socket would). */
void oracle_command_answered(struct world *world, struct world_account *account,
                             enum script_command command, bool refused);
/* The daemon has answered that the account (NULL: all of them) is held by the hold of that id until
 * that instant of the wall clock: from now on nothing is regenerated there, whatever happens. */
void oracle_held(struct world *world, const struct world_account *account, uint64_t id,
                 time_ms until);
/* world->policy, the accounts and their targets are what the daemon is told, or will read when it
 * is down. */
void oracle_reconfigured(struct world *world);
/* What the configuration that comes into force says of the account (NULL: nothing), before
 * account->configured and account->refused have changed. */
void oracle_account_configured(struct world *world, struct world_account *account,
                               const struct account *subject, enum force why);
/* The daemon has asked for this account, and is told this. */
void oracle_account_shown(struct world *world, struct world_account *account,
                          const struct world_listed *listed);
/* The daemon gives what rules have found to the journal; it is not durable yet. */
void oracle_found_saved(struct world *world, const struct discovery *discoveries, size_t count);
void oracle_log_line(struct world *world, const struct log_line *line);
/* Nothing can happen at this instant any more. The daemon is alive and not frozen. */
void oracle_rest(struct world *world);
/* The deadline of INCIDENT_EXPECT_ROTATION has come. */
void oracle_expectation(struct world *world, time_ms since);
void oracle_world_ends(struct world *world);

/* --- oracle_key_time.c: the world whose steps it is to watch --- */
void key_time_watch(struct world *world);

#endif
