/*
 * One account in the engine's care, and one turn of its machine. Shared by the engine's files.
 */
#ifndef KEYROTATED_APP_ENGINE_ACCOUNT_H
#define KEYROTATED_APP_ENGINE_ACCOUNT_H

#include "app/engine.h"
#include "base/list.h"
#include "core/judge.h"
#include "core/rotation.h"
#include "io/target/target.h"
#include "proto/remedy.h"

/* A command that was given to several accounts is answered when the last of them has answered. */
struct command_group {
    struct control_request *request;
    size_t waiting;
    size_t accounts;
    enum control_outcome outcome; /* the worst so far */
    char message[1000];
    char account[512];
    char typed[CONTROL_ACCOUNT_MAX + 1]; /* the account as the operator named it; "" for all */
    time_ms until;
    uint64_t cycle;
};

/* An event on its way through the machine, with all it points to. */
struct turn {
    struct list link;
    struct event event;
    struct failure failure;
    struct failure undescribed;
    struct look look;
    struct command command;
    char uuid[CORRELATION_MAX];
    char actor[ACTOR_MAX];
    struct hold hold;            /* EVENT_HELD */
    struct command_group *group; /* whom to answer */
    struct effects effects;
    char request_id[FAILURE_ID_MAX]; /* of the action that ended */
    char correlation_id[FAILURE_ID_MAX];
    char client_request_id[FAILURE_ID_MAX];
    duration_ms duration;
};

/* A key that the last look found in a target: the data plane may be asked about it. */
struct seen_key {
    struct list link;
    struct fingerprint fingerprint;
    struct secret *key;
};

/* What failed last: it is forgotten when the same has worked since. */
enum failed_kind {
    FAILED_LOOK,
    FAILED_DESCRIPTION,
    FAILED_READ, /* of a target */
    FAILED_REGENERATE,
    FAILED_VERIFY,
    FAILED_TARGET /* that was probed, or delivered to */
};

/* How an account is named so that keyrotatectl takes the name as it stands. */
enum naming { NAMED_ALONE, NAMED_WITH_GROUP, NAMED_BY_ID };

/* So much of a fingerprint tells two keys apart for people; all zero: none. */
enum { HELD_MARK_LENGTH = 4 };

struct engine_account {
    struct engine *engine;
    char *key;             /* the resource id in lower case */
    struct config *config; /* a reference: `account` lives in it */
    const struct account *account;
    struct record record;
    struct azure_account azure;
    struct rotation_target targets[TARGETS_MAX]; /* parallel to account->destinations */
    enum holding holdings[TARGETS_MAX];          /* what the last look saw in each, for people */
    uint8_t held_marks[TARGETS_MAX][HELD_MARK_LENGTH]; /* beginnings of the keys' fingerprints */
    struct list queue;                                 /* of turns */
    struct turn *saving;     /* its effects wait until the journal has the record */
    struct turn *acting;     /* what its action will report; NULL: none is under way */
    struct azure_call *call; /* of the action under way; NULL: it is not at Azure now */
    time_ms keys_seen_at;    /* when the look under way was shown the live keys */
    size_t parts_pending;    /* of an action made of several (reading all targets) */
    bool parts_canceled;
    size_t first_failure;         /* index of the first target that failed a preflight, or a look */
    struct deferred finish_later; /* an action that ended before it began still ends on the loop */
    struct list seen_keys;
    struct timer timer;
    bool wake_queued;
    bool draining;                    /* starts no more actions */
    bool removed;                     /* gone from the configuration: freed when quiet */
    struct list leaving_link;         /* in engine->leaving_accounts while removed and not quiet */
    struct engine_account *successor; /* removed, and configured again before it was quiet */
    bool waits; /* for its predecessor to be quiet: one machine per account at a time */
    bool closing;
    enum naming naming;
    struct failure last_failure;
    enum failed_kind failed_kind;
    struct target_id failed_target; /* FAILED_READ, FAILED_TARGET */
    time_ms last_failure_at;        /* TIME_NEVER: none that still stands */
};

/* Sorted by account and text; texts owned. Those of configured accounts that are delivered to are
 * not in it. */
struct place_list {
    struct place *items;
    size_t count;
    size_t capacity;
};

struct engine {
    struct engine_parts parts;
    struct config *config;
    time_ms started_at;
    struct engine_account **accounts; /* sorted by key */
    size_t account_count;
    struct list parked;           /* records of accounts that are not configured (now) */
    size_t leaving;               /* removed accounts that are not freed yet */
    struct list leaving_accounts; /* those of them that are not quiet yet */
    struct target_world targets;
    struct place_list places;        /* see app/engine_place.h */
    struct place_list place_changes; /* not handed to the journal yet, in no order */
    struct buf *place_report;        /* of the reload under way; NULL: none is */
    struct list form_changes;        /* see app/engine_form.h */
    struct hold_list holds;
    uint64_t last_hold_id;
    size_t hold_changes; /* commands about holds that wait for the journal */
    bool stopping;
    bool faulted;
    struct deferred stopped_call;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* --- engine.c --- */
void engine_fault(struct engine *engine, const char *what);
void engine_check_stopped(struct engine *engine);
void engine_let_go(struct engine_account *account); /* it is quiet and removed */

/* --- engine_turn.c: events in, effects out --- */
struct turn *turn_new(struct engine_account *account, enum event_kind kind);
void turn_free(struct turn *turn);
void turn_fail(struct turn *turn, const struct failure *failure);
/* Queues the turn (owned from now on) and goes on. */
void turn_post(struct engine_account *account, struct turn *turn);
/* Takes queued turns until one has to be made durable, or there is none. */
void turn_go_on(struct engine_account *account);
void engine_context(const struct engine_account *account, struct rotation_context *context);
bool engine_account_is_quiet(const struct engine_account *account);

/* --- engine_action.c --- */
void action_start(struct engine_account *account, const struct action *action);
void action_forget_keys(struct engine_account *account);
void action_finish_later(struct deferred *deferred);
/* The destination of the account with that id, or NULL. */
const struct destination *action_destination(const struct engine_account *account,
                                             const struct target_id *id);

/* --- engine_report.c --- */
/* Writes the log lines of a turn's notes. */
void report_notes(struct engine_account *account, const struct turn *turn);
/* Ends in the log what was wrong by the record `before` and is not any more. */
void report_ended(const struct engine_account *account, const struct record *before);
/* Fills history rows from the notes; texts are borrowed from `turn`, `account` and `text`. */
struct history_text {
    char fingerprint[FINGERPRINT_TEXT_MAX];
};
size_t report_history(struct engine_account *account, const struct turn *turn,
                      struct history_row rows[STORE_HISTORY_PER_SAVE],
                      struct history_text texts[STORE_HISTORY_PER_SAVE]);

/* The hold that a note is about, where this turn has told it; else NULL. */
const struct hold *report_hold(const struct turn *turn, const struct note *note);

/* --- engine_hold.c --- */
int engine_load_holds(struct engine *engine, struct err *err);
/* Forgets, in memory and on disk, the holds that have ended by time. */
void engine_expire_holds(struct engine *engine);
/* What ends these holds, in words; {account} stands for the account. */
void engine_hold_remedy(const struct hold *const *holds, size_t count, char *out, size_t size);
/* Borrows from the engine and from `hold`. */
void engine_hold_snapshot(const struct engine *engine, const struct hold *hold,
                          struct hold_snapshot *snapshot);
/* CONTROL_HOLD and CONTROL_RESUME; `account`: whom the command names, NULL: all, or a hold's id. */
void engine_hold_command(struct engine *engine, const struct control_command *command,
                         const struct engine_account *account, struct control_request *request);

/* --- engine_words.c --- */
enum { WORDS_ACCOUNT_MAX = 512 };
/* Finds out anew how each account has to be named. */
void words_name_accounts(struct engine *engine);
/* The shortest name that keyrotatectl takes for this account alone. */
void words_account(const struct engine_account *account, char out[WORDS_ACCOUNT_MAX]);

/* --- engine_remedy.c --- */
/* `text` with its placeholders filled (proto/remedy.h). The account is named as `typed`; NULL: as
 * words_account() has it. */
void words_expand(const struct engine_account *account, const char *typed, const char *text,
                  char *out, size_t size);

/* --- engine_command.c --- */
/* The machine's answer names the account as the operator did. */
void command_name_account(const struct engine_account *account, struct turn *turn);
void command_answered(struct engine_account *account, const struct turn *turn);
/* The daemon stops, or the account is gone, before the command could be carried out. */
void command_dropped(const struct turn *turn);

#endif
