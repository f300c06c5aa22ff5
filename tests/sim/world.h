/*
 * The simulated world: one daemon, its disk, its network, Azure, the targets, on one clock that
 * jumps from one happening to the next.
 *
 * The daemon in it is the real one: daemon/core and daemon/app/engine*.c, linked with this
 * directory's implementations of io/loop/loop.h (clock.c), io/store/store.h (disk.c),
 * io/azure/azure.h (azure.c) and io/target/target.h (targets.c). Everything is decided by the
 * script and its seed: the same script gives the same world, to the millisecond.
 *
 * Time: `now` is true time, which nobody can set. The daemon's wall clock is now + wall_offset.
 *
 * Crashes: a call from the daemon cannot be unwound. When it is to die, `dying` is set and from
 * then on nothing it asks for happens; its memory is freed when the call has returned (daemon.c).
 */
#ifndef KEYROTATED_TESTS_SIM_WORLD_H
#define KEYROTATED_TESTS_SIM_WORLD_H

#include "base/list.h"
#include "base/log.h"
#include "base/secret.h"
#include "conf/config.h"
#include "core/record.h"
#include "io/azure/azure.h"
#include "io/loop/loop.h"
#include "io/store/store.h"
#include "io/target/target.h"
#include "oracle.h"
#include "script.h"

/* Keys are numbers; no two keys of a world have the same. */
typedef uint32_t key_number;
enum { KEY_NONE = 0, KEY_GIBBERISH = UINT32_MAX };

enum { TARGET_PAST_MAX = 12, LIVE_PAST_MAX = 12, WORLD_KEY_MAX = 96, WORLD_URL_MAX = 64 };

/* Something that happens at a true time; embedded in whatever it is about. */
struct happening {
    time_ms at;
    uint64_t order; /* order among happenings of the same time */
    size_t place;   /* in the queue, counted from 1; 0: not queued */
    void (*happen)(struct happening *happening);
    bool for_daemon; /* waits while the daemon is frozen */
    bool on_wall;    /* a timer of the daemon: `at` moves when the clock is set */
};

/* What a target held from then on. */
struct target_span {
    time_ms from;
    key_number key;
    bool by_daemon;
};

struct world_target {
    struct script_target settings;
    struct target_id id;
    bool configured, required; /* as the configuration says now */
    time_ms cared_since;       /* since when it is configured and required; TIME_NEVER */
    struct target_span past[TARGET_PAST_MAX]; /* newest first: past[0] stands there now */
    size_t past_count;
    uint64_t cycle; /* that it names */
    time_ms fails_until, lies_until;
    unsigned late_writes; /* deliveries of unknown outcome that may still land */
};

/* What lists, and a GET of the account, show of it. */
struct world_listed {
    bool exists;
    enum script_tag tag;
    bool says; /* which key is active: that of `slot` */
    enum slot slot;
};

enum { FOUND_TAGS_MAX = 96 };

/* What the journal has of an account that a rule has found. */
struct world_found {
    bool in_book;
    char rule[SCRIPT_NAME_MAX];
    char tags[FOUND_TAGS_MAX];
};

/* A regenerate that Azure carries out after its answer. One at a time: the oracles see to that. */
struct world_operation {
    struct happening takes_effect;
    struct world *world;
    unsigned number; /* of the account's: names its URL; 0: there was none */
    enum slot slot;
    time_ms ends_at; /* it runs until then; 0: none ran yet */
    bool ends_badly;
    bool orphaned; /* no journal knows of it: to the daemon, its key is somebody else's */
};

struct world_account {
    unsigned index;
    char name[16]; /* "a1" … */
    char id[160];
    bool configured; /* under care: by the configuration, with what its rules have found */
    bool named;      /* with rules: the configuration names it */
    bool shared;     /* its targets are to have the places of those of the account after it */
    bool refused;    /* its targets are another's, too: it can have none of them */
    struct world_listed listed, listed_late; /* `exists` of the first is gone_until's to say */
    time_ms lacking_until;                   /* lists do not show it */
    struct world_found found, found_backup;  /* durable */

    /* the truth */
    key_number live[SLOT_COUNT];
    time_ms live_since[SLOT_COUNT];
    struct world_operation slow; /* the last one */
    struct {
        time_ms until;
        key_number live[SLOT_COUNT];
    } past[LIVE_PAST_MAX]; /* what was live before, newest first */
    size_t past_count;
    time_ms keys_off_until, gone_until, denied_until, undescribed_until, saves_wait_until;
    struct world_target targets[WORLD_TARGETS_MAX];

    /* what is to go wrong next */
    struct {
        enum mishap mishap;
        unsigned times;
    } mishaps[EFFECT_COUNT];

    /* what its journal has: durable, as of the last commit */
    struct record journal;
    bool in_journal;
    char url[WORLD_URL_MAX]; /* of an operation, in the journal; "": none */
    char url_backup[WORLD_URL_MAX];
    struct record backup;
    bool in_backup;

    struct oracle_account oracle;
};

struct design;
struct operation;

struct world {
    const struct script *script;
    struct oracle_verdict *verdict;
    const struct design *design;

    /* clock.c */
    time_ms began, now;
    duration_ms wall_offset;
    time_ms frozen_until;   /* 0: it runs */
    bool calls_daemon;      /* inside a call, during which it may begin nothing */
    struct happening wakes; /* from a suspend */
    struct happening **queue;
    size_t queue_count, queue_room;
    uint64_t order;
    struct list deferred;
    uint64_t happened;        /* how many happenings there were … */
    uint64_t happened_before; /* … before this instant */
    time_ms instant;

    /* the truth */
    struct world_account accounts[WORLD_ACCOUNTS_MAX];
    unsigned account_count;
    key_number keys_made;
    uint64_t draws; /* how often chance was asked */
    time_ms data_down_until, azure_down_until, throttled_until, lag_until;
    time_ms lists_forbidden_until, lists_break_until, lists_late_until;
    bool rules_out[WORLD_RULES_MAX], rules_turned;
    struct policy policy;
    struct timing timing;
    struct window window;
    struct freeze freeze;

    /* disk.c */
    struct store *store;
    time_ms disk_full_until, disk_slow_until;

    /* the daemon */
    struct config *config;
    void *daemon; /* of design->start(); NULL: it is down */
    bool dying;
    bool stopping;
    time_ms stopping_since;
    bool stopped;       /* it has nothing under way any more and can be freed */
    time_ms started_at; /* true time */
    struct happening start;
    duration_ms away;                    /* how long it will be down once it has ended */
    bool restore_journal, erase_journal; /* when it has ended */
    struct {
        bool armed;
        enum effect effect;
        enum crash_moment moment;
        unsigned account;
        duration_ms away;
    } trap;                 /* where it will crash */
    struct list operations; /* under way */
    struct log log;

    struct happening next_incident;
    size_t incident;
    struct happening expectation; /* of INCIDENT_EXPECT_ROTATION */
    time_ms expected_since;
    duration_ms clock_turn_when_off; /* to be done as soon as the daemon is down */

    struct trace *trace; /* NULL: no trace */
    struct oracle_world oracle;
    struct world_counts {
        uint64_t rotations, regenerates, deliveries, crashes, mishaps, incidents;
    } counts;
};

/* Plays the script to its end, or until the first violation where verdict->first_only. `trace` may
 * be NULL. `counts` may be NULL. */
struct trace;
void world_play(const struct script *script, const struct design *design,
                struct oracle_verdict *verdict, struct trace *trace, struct world_counts *counts);

/* --- clock.c --- */
void clock_init(struct world *world);
void clock_done(struct world *world);
/* Queues it, or moves it. */
void clock_set(struct world *world, struct happening *happening, time_ms at);
void clock_cancel(struct world *world, struct happening *happening);
/* Runs what the daemon deferred, until nothing is left. */
void clock_run_deferred(struct world *world);
/* Runs the next happening, until `until` at the latest. False: there is none, and it is `until`
 * now. */
bool clock_next(struct world *world, time_ms until);
/* The wall clock is set: the daemon's timers are measured anew. */
void clock_turn(struct world *world, duration_ms by);
time_ms world_wall(const struct world *world);
struct loop *world_loop(struct world *world);
struct world *loop_world(struct loop *loop);

/* --- chance within a world: latencies. From the script's seed. --- */
uint32_t world_draw(struct world *world, uint32_t below);

/* --- disk.c --- */
void disk_init(struct world *world);
void disk_done(struct world *world);
/* The daemon died: saves that are not committed are lost; the commit under way is kept or lost as a
 * whole. */
void disk_crash(struct world *world);
/* The daemon has stopped: saves without a waiter are written in a last attempt, or lost. */
void disk_close(struct world *world);
/* The dead daemon's saves are called back, so that it can be taken apart. False: there were none.
 */
bool disk_release(struct world *world);
/* Is that hold durable? */
bool disk_has_hold(const struct world *world, uint64_t id);
/* Is nothing queued, nothing being written? */
bool disk_is_idle(const struct world *world);
void disk_backup(struct world *world);
void disk_restore(struct world *world);
void disk_erase(struct world *world);

/* --- truth.c: changing the truth, telling the oracles --- */
struct world_account *world_account_of(struct world *world, const char *name);
key_number world_make_key(struct world *world);
void world_regenerate(struct world *world, struct world_account *account, enum slot slot,
                      bool by_daemon);
void world_write_target(struct world *world, struct world_account *account, unsigned target,
                        key_number key, uint64_t cycle, bool by_daemon);
/* What the target holds at that time (not before its past begins: then the oldest known). */
key_number world_target_held(const struct world_target *target, time_ms at);
struct fingerprint world_fingerprint(key_number key);
/* 0 if it is not one of world_fingerprint(). */
key_number world_key_of(const struct fingerprint *fingerprint);
/* A key in the daemon's hands, and the text that secret_bytes() shows of it. */
#define WORLD_KEY_PREFIX "SIMULATED-KEY-"
struct secret *world_secret(key_number key);
key_number world_key_of_secret(const struct secret *secret);
key_number world_key_of_text(const char *text, size_t length);
/* The account's keys of `before`; the live ones if they have not changed since. */
void world_live_at(const struct world_account *account, time_ms at,
                   key_number ret_live[SLOT_COUNT]);

/* --- operation.c: what the daemon asked for, until the answer --- */
struct operation {
    struct list link;
    struct happening takes_effect; /* in the world, whether the daemon lives or not */
    struct happening completes;    /* at the daemon */
    struct world *world;
    struct world_account *account;
    enum effect effect;
    enum mishap mishap;
    enum slot slot;             /* regenerate */
    unsigned number;            /* regenerate, poll: of the account's operation; 0: none */
    enum operation_state state; /* poll: what the answer says */
    unsigned target;            /* probe, read, deliver */
    key_number key;             /* verify, deliver */
    uint64_t cycle;             /* deliver */
    time_ms began;
    bool took_effect;
    bool changed;                /* deliver: the destination held something else before */
    bool describes;              /* look: the description is asked for … */
    bool described;              /* … and had */
    key_number live[SLOT_COUNT]; /* what the answer shows */
    bool shows[SLOT_COUNT];      /* … of regenerate: which of them */
    bool failed;                 /* the answer says so */
    bool given_up;               /* nobody waits for the answer any more */
    bool canceled;               /* the daemon stops */
    struct failure failure;
    void (*apply)(struct operation *operation);                   /* the effect itself */
    void (*complete)(struct operation *operation, bool canceled); /* calls the daemon */
    void *done; /* NULL unless the daemon waits for the answer */
    void *context;
    union {
        azure_done *azure;
        target_done *target;
    } call;
    void *subject; /* struct azure_account * */
};
/* A new one, on its way nowhere yet. */
struct operation *operation_begin(struct world *world, struct world_account *account,
                                  enum effect effect);
/* Takes the mishap that is armed for it, if any, into operation->mishap. */
enum mishap operation_mishap(struct operation *operation);
/* Call it after its members are set: queues its happenings. until_effect < 0: it has none. Runs the
 * crash that is armed for it; tells the oracles. */
void operation_run(struct operation *operation, duration_ms until_effect, duration_ms until_answer);
/* The daemon is gone: completes all as canceled. Effects on their way still happen. */
void operation_cancel_all(struct world *world);
/* The daemon stops: after the grace, what hangs completes as canceled. */
void operation_end_hanging(struct world *world, duration_ms grace);
/* Frees it when none of its happenings is left. */
void operation_release(struct operation *operation);
/* The world ends. */
void operation_free_all(struct world *world);
bool operation_is_waited_for(const struct world *world);

/* --- key_time.c --- */
/* When the answer to a look says that the key was made; 0: it says nothing. */
time_ms key_time_shown(const struct operation *operation, enum slot slot);

/* --- slow.c: regenerates that go on after their answer --- */
/* How Azure regenerates the account's keys. */
const struct script_pace *slow_pace(const struct world *world, const struct world_account *account);
/* A regenerate was accepted. */
void slow_begin(struct world *world, struct world_account *account, struct operation *operation);
/* The journal was restored or erased. */
void slow_journal_edited(struct world *world);
/* Does the account's last one still run? */
bool slow_runs(const struct world *world, const struct world_account *account);
/* "op 3" of the account, and back; 0: it is no such URL. */
void slow_url(unsigned number, char out[WORLD_URL_MAX]);
unsigned slow_number(const char *url);
/* What Azure says of it. */
enum operation_state slow_state(const struct world *world, const struct world_account *account,
                                unsigned number);
/* The world ends. */
void slow_done(struct world *world);

/* --- listing.c: the accounts as Azure lists them --- */
struct world_listed listing_of(const struct world *world, const struct world_account *account);
/* Lists show from now on what is true now. */
void listing_note(struct world *world);
/* Does a rule of the configuration find an account of that tag? */
bool listing_is_wanted(const struct world *world, enum script_tag tag);

/* --- pairs.c --- */
/* The account whose keys are another pair of the same resource, or NULL. */
struct world_account *world_pair_of(struct world *world, const struct world_account *account);
/* What the id of the account ends with: "a1", "a1#second". */
void world_pair_id(const struct world *world, unsigned index, char *out, size_t size);

/* --- configuration.c --- */
/* Are there rules, and a design that knows of them? Without, the configuration names all accounts.
 */
bool world_has_rules(const struct world *world);
struct config_found;
/* A configuration with one reference: the accounts that it names, and these. */
struct config *world_configuration(const struct world *world, const struct config_found *found,
                                   size_t count);
/* It is from now on: notes which accounts are under care, and tells the oracles. */
void world_in_force(struct world *world, const struct config *config, enum force why);
/* With rules, while the daemon is down: notes which accounts its next start will take. */
void world_foresee(struct world *world);

/* --- targets.c --- */
struct target_id world_target_id(unsigned account, unsigned target);

/* --- daemon.c --- */
void daemon_start(struct world *world);
void daemon_crash(struct world *world, duration_ms away);
void daemon_stop(struct world *world, duration_ms away);
void daemon_reconfigure(struct world *world);
void daemon_command(struct world *world, const struct incident *incident);
/* Before or after an effect: is a crash armed for this moment? */
void daemon_trap(struct world *world, struct world_account *account, enum effect effect,
                 enum crash_moment moment);
/* Frees a daemon that died; call it from outside of the daemon. */
void daemon_bury(struct world *world);

/* --- incident.c --- */
void world_set_policy(struct world *world, const struct script_policy *policy);
void incident_happen(struct world *world, const struct incident *incident);

/* --- trace.c --- */
/* Lines "12d 00:00:05.250  a1  azure     regenerates secondary: k3 replaces k2". */
struct trace *trace_new(void);
void trace_free(struct trace *trace);
const char *trace_text(const struct trace *trace);
void trace_tell(struct world *world, const struct world_account *account, const char *who,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
