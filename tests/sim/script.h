/*
 * A script: what a simulated world is like at its beginning, and what happens in it when.
 *
 * Scripts come from text (scenarios/ *.txt, see script_text.c) or from a seed (chance.c). Both are
 * the same thing: a failing random run is shrunk and printed as a scenario.
 */
#ifndef KEYROTATED_TESTS_SIM_SCRIPT_H
#define KEYROTATED_TESTS_SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "core/policy.h"
#include "core/slot.h"

enum {
    WORLD_ACCOUNTS_MAX = 8,
    WORLD_TARGETS_MAX = 4,
    WORLD_RULES_MAX = 2,
    SCRIPT_INCIDENTS_MAX = 4000,
    SCRIPT_NAME_MAX = 24
};

/* What the daemon does to the world, with an answer. */
enum effect {
    EFFECT_PROBE,      /* of one target */
    EFFECT_LOOK,       /* at Azure */
    EFFECT_READ,       /* of one target */
    EFFECT_REGENERATE, /* of one slot */
    EFFECT_VERIFY,     /* of one key */
    EFFECT_DELIVER,    /* to one target */
    EFFECT_SAVE,       /* of one record */
    EFFECT_POLL,       /* how a regenerate goes that was answered before its end */
    EFFECT_COUNT
};
const char *effect_name(enum effect effect); /* "probe" "look" … */

/* How one effect can go wrong. */
enum mishap {
    MISHAP_NONE,
    MISHAP_FAILS,       /* it did not happen, and the daemon is told so */
    MISHAP_DENIED,      /* the same, for want of a permission */
    MISHAP_THROTTLED,   /* the same, and asked to come back later */
    MISHAP_TOKEN,       /* the token expired on the way; it did not happen */
    MISHAP_LOST_BEFORE, /* outcome unknown: it did not happen */
    MISHAP_LOST_AFTER,  /* outcome unknown: it happened */
    MISHAP_LOST_LATE,   /* outcome unknown: it happens up to a minute later */
    MISHAP_TWICE,       /* it happens once more, up to a minute after its answer (regenerate) */
    MISHAP_PAST,        /* the answer shows what was true before the last change (look, regenerate)
                         */
    MISHAP_SLOW,        /* the answer takes 50 s */
    MISHAP_REFUSED,     /* the data plane says no (verify) */
    MISHAP_NOT_YET,     /* the target says: ask again (deliver) */
    MISHAP_CONFLICT,    /* it happened, and the daemon is told that it did not: what an earlier
                         * attempt wrote is in the way of this one (deliver) */
    MISHAP_UNDESCRIBED, /* the keys are shown, the account's description is not (look) */
    MISHAP_HANGS,       /* no answer for a day (deliver); given up before: it may still happen */
    MISHAP_UNNAMED,     /* the answer does not say where to ask how it goes (regenerate) */
    MISHAP_ENDS_BADLY,  /* it goes on after its answer, and ends without an effect (regenerate) */
    MISHAP_FORGOTTEN,   /* Azure does not know the operation any more (poll) */
    MISHAP_COUNT
};
const char *mishap_name(enum mishap mishap); /* "fails" "lost-before" … */
/* Can that happen to this effect? */
bool mishap_fits(enum mishap mishap, enum effect effect);

enum crash_moment { CRASH_BEFORE, CRASH_DURING, CRASH_AFTER, CRASH_MOMENT_COUNT };

enum incident_kind {
    /* one effect goes wrong: effect, mishap, account, times */
    INCIDENT_MISHAP,
    /* the daemon: `duration` is how long it is away */
    INCIDENT_CRASH,      /* right now */
    INCIDENT_CRASH_AT,   /* when it next comes to `effect` of `account`: `moment` */
    INCIDENT_STOP,       /* SIGTERM, and a start afterwards */
    INCIDENT_FREEZE,     /* SIGSTOP, SIGCONT */
    INCIDENT_SUSPEND,    /* the machine sleeps */
    INCIDENT_CLOCK,      /* the wall clock is set by `duration` (negative: back) */
    INCIDENT_CLOCK_OFF,  /* the same while the daemon is down (stopped for a minute) */
    INCIDENT_DISK_FULL,  /* nothing can be saved for `duration` */
    INCIDENT_DISK_SLOW,  /* each commit takes a minute for `duration` */
    INCIDENT_SAVES_WAIT, /* those of `account` begin after `duration`, and keep no other waiting */
    INCIDENT_BACKUP,     /* the journal is copied */
    INCIDENT_RESTORE,    /* the daemon is stopped, the copy put back, the daemon started */
    INCIDENT_ERASE,      /* the daemon is stopped, the journal removed, the daemon started */
    /* somebody else */
    INCIDENT_REGENERATE, /* `slot` of `account` */
    INCIDENT_ROTATE,     /* the same, and the new key is written to all readable targets */
    INCIDENT_WRITE,      /* `writing` to `target` of `account` */
    /* the world, for `duration` */
    INCIDENT_TARGET_FAILS, /* `target` of `account`; */
    INCIDENT_TARGET_LIES,  /* says yes and keeps what it had */
    INCIDENT_KEYS_OFF,     /* SharedKey is switched off for `account` */
    INCIDENT_GONE,         /* `account` cannot be found */
    INCIDENT_DENIED,       /* `account`: permission denied */
    INCIDENT_UNDESCRIBED,  /* `account`: its keys are shown, its description is not */
    INCIDENT_DATA_DOWN,    /* the data plane cannot be reached */
    INCIDENT_AZURE_DOWN,   /* nothing of Azure can be reached */
    INCIDENT_THROTTLE,     /* every request is answered 429 */
    INCIDENT_NEW_KEYS_LAG, /* the data plane refuses a new key for a minute after it was made */
    /* the configuration: each is followed by a reload */
    INCIDENT_REMOVE,     /* `account` */
    INCIDENT_ADD,        /* `account` again */
    INCIDENT_TARGET_OUT, /* `target` of `account` is removed */
    INCIDENT_TARGET_IN,  /* … and there again, required */
    INCIDENT_TARGET_OPTIONAL,
    INCIDENT_POLICY, /* `policy` */
    INCIDENT_RELOAD, /* the same configuration once more */
    /* the accounts as Azure lists them */
    INCIDENT_TAGGED,          /* `account` gets another tag, by which rules find it: `tag` */
    INCIDENT_SAYS,            /* a tag of `account` says that its active key is that of `slot` */
    INCIDENT_LISTS_FORBIDDEN, /* for `duration` no list is shown; */
    INCIDENT_LISTS_BREAK,     /* … a list ends after its first page, with an error; */
    INCIDENT_LISTS_LATE,      /* … lists show what was true at its beginning; */
    INCIDENT_LISTS_LACK,      /* … lists lack `account` */
    /* rules, each followed by a reload */
    INCIDENT_RULE_OUT,     /* `rule` is removed */
    INCIDENT_RULE_IN,      /* … and there again */
    INCIDENT_RULES_TURNED, /* the first rule becomes the last one */
    INCIDENT_SHARED, /* the targets of `account` get the places of those of the account after it …
                      */
    INCIDENT_APART,  /* … and places of their own again */
    /* people: `account`, or ALL_ACCOUNTS */
    INCIDENT_COMMAND, /* `command`, with `slot` (adopt), `duration` (hold) */
    INCIDENT_SETTLE,  /* an operator does what `status` says */
    /* the expectation */
    INCIDENT_EXPECT_ROTATION, /* every configured account completes a rotation within `duration` of
                                 now, and is well */
    INCIDENT_KIND_COUNT
};
const char *incident_kind_name(enum incident_kind kind); /* "mishap" "crash-at" … */

enum { ALL_ACCOUNTS = WORLD_ACCOUNTS_MAX };

/* What somebody writes to a target. */
enum writing {
    WRITING_NOTHING, /* it is emptied */
    WRITING_GIBBERISH,
    WRITING_PRIMARY, /* the live key of that slot */
    WRITING_SECONDARY,
    WRITING_OLD, /* a key that is dead */
    WRITING_COUNT
};

/* What a rule looks for. */
enum script_tag {
    TAG_NONE, /* of an account: it has none; of a rule: it wants none */
    TAG_RED,
    TAG_BLUE,
    TAG_COUNT
};
const char *script_tag_name(enum script_tag tag);

enum script_command {
    SCRIPT_ROTATE,
    SCRIPT_REDELIVER,
    SCRIPT_ADOPT,
    SCRIPT_HOLD,
    SCRIPT_RESUME,
    SCRIPT_RESUME_HOLD, /* the one with the id `times` */
    SCRIPT_UNBLOCK,
    SCRIPT_CHECK,
    SCRIPT_CONFIRM,
    SCRIPT_COMMAND_COUNT
};

/* The policy, which all accounts of a world share. */
struct script_policy {
    duration_ms rotate_every, overlap, splay, check_every, overdue_after;
    duration_ms freeze_from, freeze_until; /* since the world began, by its clock as it was set
                                            * then; the same: no freeze */
    enum verify_mode verify;
    enum drift_mode on_drift;
    bool rotate;
    bool has_window; /* Saturdays and Sundays from 22:00 to 04:00, Europe/Berlin */
};

bool script_policy_equal(const struct script_policy *a, const struct script_policy *b);

struct incident {
    duration_ms at; /* since the world began */
    unsigned bond;  /* the same for incidents that belong together; 0: none. Not in the text */
    enum incident_kind kind;
    unsigned account; /* index, or ALL_ACCOUNTS */
    unsigned target;  /* index */
    enum effect effect;
    enum mishap mishap; /* MISHAP_NONE, with 0 times: disarms */
    unsigned times;
    enum crash_moment moment;
    duration_ms duration;
    enum slot slot;
    enum writing writing;
    enum script_command command;
    enum script_tag tag;
    unsigned rule; /* index */
    struct script_policy policy;
};
/* How long the incident lasts; 0: it ends at once. */
duration_ms incident_length(const struct incident *incident);

struct script_target {
    char name[SCRIPT_NAME_MAX];
    bool required;
    bool readable;
    bool settles_at_once; /* a delivery of unknown outcome cannot land later */
    bool filled;          /* it holds the active key already when the world begins */
    bool hook;            /* it is told after the last target before it that is none */
};

/* How Azure regenerates keys. */
enum pace_effect {
    PACE_EFFECT_AT_START, /* of the time that it takes */
    PACE_EFFECT_IN_MIDDLE,
    PACE_EFFECT_AT_END,
    PACE_EFFECT_ANYWHERE, /* by chance, each time */
    PACE_EFFECT_COUNT
};
enum pace_answer { PACE_ANSWERS_BOTH, PACE_ANSWERS_ONE, PACE_ANSWERS_NOTHING, PACE_ANSWER_COUNT };
struct script_pace {
    duration_ms takes;   /* after its answer; 0: its answer is the end */
    duration_ms at_most; /* as the daemon knows it of the type */
    duration_ms lag;     /* lists show what was true so long ago */
    duration_ms asks;    /* for so long a pause between polls; 0: for none */
    enum pace_effect effect;
    enum pace_answer answer; /* the keys that it holds, where it is the end */
};

/* A rule of the configuration that finds accounts. */
struct script_rule {
    char name[SCRIPT_NAME_MAX];
    enum script_tag wants;
    bool has_active; /* adopt_active, for all accounts that it finds … */
    enum slot active;
    unsigned max_new;
    duration_ms every;
};

/* What Azure tells of when keys were made. */
enum script_key_times { KEY_TIMES_NONE, KEY_TIMES_TOLD, KEY_TIMES_WRONG, KEY_TIMES_COUNT };

struct script {
    uint64_t seed; /* of latencies, and of the script itself where it came from chance */
    unsigned accounts;
    bool pairs; /* a1 and a2 are pairs of keys of one resource, a3 and a4 of another, and so on */
    duration_ms length;
    struct script_policy policy;
    struct script_pace paces[WORLD_ACCOUNTS_MAX];
    enum script_key_times key_times;
    duration_ms keys_age;  /* of both, when the world begins */
    enum slot active;      /* the slot in use when the world begins */
    bool has_adopt_active; /* … and that the configuration names it */
    bool presumed;         /* … as a rule does: for all accounts, and to be confirmed */
    struct script_target targets[WORLD_TARGETS_MAX]; /* the same for every account */
    unsigned target_count;
    /* With rules, the accounts are in the configuration where rules find them, or INCIDENT_ADD has
     * named them. All have the tag red when the world begins. */
    struct script_rule rules[WORLD_RULES_MAX];
    unsigned rule_count;
    struct incident *incidents; /* owned; in order of `at` */
    size_t incident_count;
    size_t incident_room;
};

/* One account, its configuration names the active key (the primary one), one readable required
 * target that is empty, every 30 days, overlap 7 days, 60 days, nothing happens. Never fails. */
void script_init(struct script *script);
void script_done(struct script *script);
/* Keeps the order of `at`; later ones of the same instant come after. Aborts when memory is out,
 * and where there are more than SCRIPT_INCIDENTS_MAX. */
void script_add(struct script *script, const struct incident *incident);
/* `to` is nothing yet. */
void script_copy(struct script *to, const struct script *from);

/* --- script_text.c: the language of scenarios --- */
/*
 * Reads a script from text. Returns false with "LINE: what is wrong" in `error`. Lines after a line
 * `expect` are not the script's: *ret_expected is set to where they begin in `text` (the line after
 * `expect`), or to NULL.
 */
bool script_parse(const char *text, struct script *script, const char **ret_expected, char *error,
                  size_t error_size);
struct buf;
/* Writes it so that script_parse() reads the same. */
void script_print(const struct script *script, struct buf *out);
/* One incident as a scenario has it after its time: "crash for 5m". */
void incident_print(const struct script *script, const struct incident *incident, struct buf *out);

/* --- script_pace.c: the line of scenarios about regenerates --- */
struct words;
/* "regenerates: …", of all accounts, or "regenerates of a2: …". */
bool pace_read(struct words *words, struct script *script);
/* Nothing of those that are plain: the answer is the end, and holds both keys. */
void pace_print(const struct script *script, struct buf *out);
/* Slow, silent or late for some seeds, without a draw of the script's own chance. */
bool pace_is_plain(const struct script_pace *pace);

/* --- key_time.c: the line of scenarios about when keys were made --- */
bool key_times_read(struct words *words, struct script *script);
/* Nothing where Azure tells none. */
void key_times_print(const struct script *script, struct buf *out);
void key_times_by_chance(struct script *script);

/* --- script_rule.c: the lines of scenarios about rules --- */
struct words;
/* Reads "rule r1: finds red, says primary, at most 3, every 5d", which makes a further rule. */
bool script_rule_read(struct words *words, struct script *script);
void script_rule_print(const struct script_rule *rule, struct buf *out);

/* --- chance_slow.c --- */
/* Scripts from chance have no regenerates that take long, nor answers or lists that lack keys. */
extern bool chance_plain;

/* --- chance.c --- */
/* What a seed stands for: settings and incidents for about `years` account-years, ending in fair
 * weather in which every account has to rotate. */
void script_by_chance(struct script *script, uint64_t seed, unsigned years);
/* In fair weather, and with nothing left to repair, every account rotates within so long. */
duration_ms script_longest_wait(const struct script_policy *policy);
/* The length of that script, times its accounts, without making it. */
duration_ms script_time_by_chance(uint64_t seed, unsigned years);

/* --- chance_instant.c --- */
enum { HANG_RELOADS_MAX = 4, REPAIR_INCIDENTS_MAX = WORLD_TARGETS_MAX + 2 };
/* Of the mishaps of a delivery, each third at random hangs: changes `mishap`, which is armed at
 * that time, and fills in reloads that take a target away or make it optional, each followed by the
 * one that makes it required again. Never of the target `anchor`. Returns how many; 0: it stays. */
unsigned script_hang_by_chance(const struct script *script, unsigned anchor, duration_ms at,
                               struct incident *mishap, struct incident reloads[HANG_RELOADS_MAX]);

/* Of those that hang, each second one gets incidents that leave several targets without their key
 * at that time, and a command that has it noticed. Returns how many; 0: none. */
unsigned script_repair_by_chance(const struct script *script, duration_ms at,
                                 const struct incident *mishap,
                                 struct incident repair[REPAIR_INCIDENTS_MAX]);

/* The accounts of a hold, and what a resume ends or clears. */
void script_vary_command(struct incident *incident, duration_ms at);

#endif
