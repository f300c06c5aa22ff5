/*
 * One account in the engine: its record, its queue, and its action under way. Also the engine's own
 * state, which the files of the engine share. Events are posted to the account's queue and handled
 * later, from the loop (see app/engine_step.c), so posting never calls back.
 */
#ifndef KEYROTATED_APP_ENGINE_ACCOUNT_H
#define KEYROTATED_APP_ENGINE_ACCOUNT_H

#include "app/engine.h"
#include "app/transaction.h"
#include "base/heap.h"
#include "core/judge.h"
#include "io/target/target.h"

/* A key that the last look found in a target: the data plane may be asked about it. */
struct seen_key {
    struct list link;
    struct fingerprint fingerprint;
    struct secret *key;
};

/* The kind of the last failure, which is cleared when the same operation succeeds. */
enum failed_kind {
    FAILED_LOOK,
    FAILED_DESCRIPTION,
    FAILED_READ, /* of a target */
    FAILED_REGENERATE,
    FAILED_VERIFY,
    FAILED_TARGET /* that was probed, or delivered to */
};

/* The form of an account's name that keyrotatectl accepts. */
enum naming { NAMED_ALONE, NAMED_WITH_GROUP, NAMED_BY_ID };

/* The length of fingerprint that people need to tell two keys apart; all zero: none. */
enum { HELD_MARK_LENGTH = 4 };

/* How the account was counted last (app/engine_totals.c). */
struct standing {
    bool counted;
    enum account_state state;
    bool overdue;
    bool at_risk;
    bool watched; /* held by `rotate: false` */
    bool frozen;  /* held by a freeze */
    struct list unwell_link;
    struct heap_item next;   /* its next rotation */
    struct heap_item oldest; /* the birth of its older key */
};

/* An operation on a target that belongs to the action under way. */
struct engine_part {
    struct engine_account *account;
    struct target_job *job; /* NULL: it has ended */
    struct target_id id;
    bool required; /* when it began */
};

struct engine_account {
    struct engine *engine;
    char *key;             /* the resource id in lower case */
    struct config *config; /* a reference: `account` lives in it */
    const struct account *account;
    struct record record;
    char *operation_url; /* of record.intent.operation; NULL: there is none, or it is lost */
    struct azure_account azure;
    struct rotation_target targets[TARGETS_MAX]; /* parallel to account->destinations */
    enum holding holdings[TARGETS_MAX];          /* what the last look saw in each, for people */
    uint8_t held_marks[TARGETS_MAX][HELD_MARK_LENGTH]; /* beginnings of the keys' fingerprints */
    unsigned pending;           /* events that wait and carry nothing: 1U << enum event_kind */
    duration_ms jump;           /* of the pending EVENT_CLOCK_JUMPED: the sum of all jumps */
    bool shifted;               /* of the pending EVENT_START: core/event.h */
    struct list queue;          /* of transactions that wait */
    struct list ready_link;     /* in engine->ready */
    bool busy;                  /* counted in engine->busy */
    struct transaction *saving; /* its effects wait until the journal has the record */
    bool saved;                 /* the journal has it: they may be carried out */
    struct transaction *acting; /* what its action will report; NULL: none is under way */
    time_ms acting_since;
    struct azure_call *call;  /* of the action under way; NULL: it is not at Azure now */
    struct list calling_link; /* in engine->counts.calling while `call` is set */
    time_ms keys_seen_at;     /* when the look under way was shown the live keys */
    struct engine_part parts[TARGETS_MAX]; /* of the action under way; a delivery is the first */
    size_t part_count;
    size_t parts_pending; /* of an action made of several (reading all targets) */
    bool parts_canceled;
    size_t first_failure; /* index of the first target that failed a preflight, or a look */
    struct list seen_keys;
    struct timer timer;
    bool draining;            /* the account starts no more actions */
    bool removed;             /* gone from the configuration: freed when quiet */
    struct list leaving_link; /* in engine->leaving_accounts while removed and not quiet */
    struct list pair_link;    /* a ring: the accounts of one resource; see app/engine_pair.c */
    bool pair_held;           /* the journal has its intent, or may have it */
    struct two_key_neighbour *neighbours; /* of `azure`; see app/engine_whole.c */
    struct engine_account *successor;     /* removed, and configured again before it was quiet */
    bool waits; /* for its predecessor to be quiet: one machine per account at a time */
    bool closing;
    struct standing standing;
    enum naming naming;
    struct failure last_failure;
    uint64_t blocked_meaning; /* of the failure that blocks it, as last reported; 0: not known */
    enum failed_kind failed_kind;
    struct target_id failed_target; /* FAILED_READ, FAILED_TARGET */
    time_ms last_failure_at;        /* TIME_NEVER: none that still stands */
    time_ms told_due_at;            /* the planned rotation of which … */
    unsigned told_upcoming;         /* … these notifiers have been told: bits of their indices */
};

/* Sorted by account and text; texts owned. Those of configured accounts that are delivered to are
 * not in it. */
struct place_list {
    struct place *items;
    size_t count;
    size_t capacity;
    size_t gone_count; /* items that are `gone` and stand there still */
};

struct engine_counts {
    size_t by_state[STATE_COUNT];
    size_t overdue;
    size_t at_risk;
    size_t watched;
    size_t frozen;
    size_t unwell;
    struct list needs_people; /* who is not well, and will not be by itself */
    struct list recovers;     /* who is not well, and may be soon */
    struct list calling;      /* accounts with a call at Azure */
    struct heap next;
    struct heap oldest;
};

struct engine {
    struct engine_parts parts;
    struct config *config;
    time_ms started_at;
    struct engine_account **accounts; /* sorted by key */
    size_t account_count;
    struct list ready; /* accounts for which something waits, and can be carried out */
    struct deferred ready_call;
    size_t busy;                  /* accounts that are not quiet */
    void *unconfigured;           /* see app/engine_unconfigured.c */
    size_t leaving;               /* removed accounts that are not freed yet */
    struct list leaving_accounts; /* those of them that are not quiet yet */
    struct engine_counts counts;
    uint64_t told[NOTE_COUNT]; /* notes of accounts since the start, by kind */
    struct target_world targets;
    struct place_list places;                /* see app/engine_place.c */
    struct place_list place_changes;         /* not handed to the journal yet, in no order */
    const struct engine_farewell *farewells; /* of the configuration that comes next */
    size_t farewell_count;
    struct buf *place_report; /* of the reload under way; NULL: none is */
    struct list form_changes; /* see app/engine_form.c */
    struct engine_news *news; /* see app/engine_news.c; NULL: nobody is told */
    struct hold_list holds;
    uint64_t last_hold_id;
    size_t hold_changes; /* commands about holds that wait for the journal */
    bool stopping;
    bool faulted;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* Reports a broken invariant and stops all work. */
void engine_fault(struct engine *engine, const char *what);
/* What is ready is carried out, from the loop; and the engine reports that it has stopped, where it
 * was told to stop and nothing is under way. */
void engine_run_soon(struct engine *engine);

/* Its timer posts EVENT_WAKE. */
struct engine_account *engine_account_new(struct engine *engine, struct config *config,
                                          const struct account *subject);
/* Frees the memory, with nothing in the queue and the timer closed. */
void engine_account_free(struct engine_account *account);
/* Takes over what the configuration says; holds a reference to it. */
void engine_account_configure(struct engine_account *account, struct config *config,
                              const struct account *subject);

/* Queues an event without data. The same event is queued only once until it is handled. */
void engine_account_post(struct engine_account *account, enum event_kind kind);
void engine_account_post_jump(struct engine_account *account, duration_ms jump);
/* Queues the transaction, owned from now on. */
void engine_account_post_transaction(struct engine_account *account,
                                     struct transaction *transaction);
/* Marks the account as ready: it has work to do, or may have become quiet. */
void engine_account_make_ready(struct engine_account *account);
/* Nothing waits and nothing is under way. */
bool engine_account_is_quiet(const struct engine_account *account);

void engine_account_context(const struct engine_account *account, struct rotation_context *context);
/* How the account is now. */
void engine_account_view(const struct engine_account *account, struct rotation_view *view);
/* As rotation_due_since(). */
time_ms engine_account_due_since(const struct engine_account *account);
/* The same as people see it: an account that waits for a pause of Azure is retried. */
void engine_account_view_for_people(const struct engine_account *account,
                                    struct rotation_view *view);
/* The destination of the account with that id, or NULL. */
const struct destination *engine_account_destination(const struct engine_account *account,
                                                     const struct target_id *id);
/* Is that one of its targets, and required? */
bool engine_account_requires(const struct engine_account *account, const struct target_id *id);

#endif
