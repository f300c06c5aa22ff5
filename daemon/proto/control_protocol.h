/*
 * The protocol between the daemon and keyrotatectl: paths, requests, answers, and the status
 * document. HTTP/1.1 with JSON on a unix socket:
 *
 *    GET  /v1/QUESTION                       the questions are listed in app/question_list.h
 *    GET  /v1/QUESTION/ACCOUNT               of one that is about accounts
 *    GET  /v1/QUESTION?account=A&account=B
 *    GET  /v1/QUESTION?until=TIME&after=ID   of one that is about time, in pages
 *    GET  /v1/QUESTION?since=TIME&failed=true  of one that is about what was
 *    GET  /v1/QUESTION?account=PATTERN&state=S&policy=P  of one about some accounts
 *    GET  /v1/QUESTION?fingerprint=HEX       of one that is about keys, some of them
 *    POST /v1/accounts/ACCOUNT/COMMAND       the commands are listed in core/command_list.h
 *    POST /v1/COMMAND                        about all accounts, or the daemon
 *
 * The body of a command is an object with its parameters, such as {"dry_run": true}, {"active":
 * "primary"} or {"until": "2026-11-22T12:00:00Z", "reason": "…"}; none is {}.
 *
 * ACCOUNT is what a person typed, percent-encoded: a name, group/name, or a resource id. Commands
 * are answered with an answer document, or {"error": {"code", "message"}}. Both documents only
 * grow: members keep their names and meanings, and readers ignore what they do not know.
 *
 * This module is pure: it reads and writes text. States, reasons and slots travel as their names,
 * so that an older program can show what a newer one says.
 */
#ifndef KEYROTATED_PROTO_CONTROL_PROTOCOL_H
#define KEYROTATED_PROTO_CONTROL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "core/command_list.h"
#include "core/slot.h"

enum {
    CONTROL_BODY_MAX = 16 * 1024,          /* of a request */
    CONTROL_REPLY_MAX = 128 * 1024 * 1024, /* of an answer: ten thousand accounts and more */
    CONTROL_URI_MAX = 16 * 1024,
    CONTROL_ACCOUNT_MAX = 400, /* as typed */
    CONTROL_ID_MAX = 800,      /* the id that a page goes on after */
    CONTROL_NAMED_MAX = 256,   /* accounts in one question */
    CONTROL_SOUGHT_MAX = 32,   /* fingerprints in one question */
    CONTROL_TEXT_MAX = 120,    /* the reason of a hold, the name of a target */
    CONTROL_STATES_MAX = 12,
    CONTROL_RULES_MAX = 64,
    CONTROL_KEYS = 2 /* 0: primary, 1: secondary, as enum slot */
};

/* --- the status document --- */

struct key_snapshot {
    const char *fingerprint; /* hex; NULL: the key is unknown */
    time_ms born;            /* TIME_NEVER: unknown */
    bool older;              /* the key existed before the account was adopted; `born` is the
                              * time of adoption, because Azure does not tell when it was made */
    time_ms made;            /* when Azure says that somebody else made it; TIME_NEVER: it does
                              * not tell, or the daemon made it */
};

struct target_snapshot {
    const char *name;
    const char *destination; /* "file /var/lib/keyrotated-keys/sampleacct" */
    bool required;
    bool satisfied;    /* it has acknowledged its current key */
    const char *holds; /* in words, by the last look: "the primary key", "nothing"; or NULL */
    const char *holds_fingerprint; /* its beginning, in hex; NULL: it holds no key, or several */
    time_ms delivered_at;          /* TIME_NEVER: not yet */
    const char *reason;            /* of the last failure, or NULL */
    time_ms failing_since;         /* TIME_NEVER: it is not */
    time_ms retry_at;              /* TIME_NEVER: no retry is planned */
    time_ms dead_since;            /* it holds a key that is not live; TIME_NEVER: it does not */
    const char *form; /* what is wrong with its mode and group, in words; NULL: nothing */
    const char *gets; /* "key": it lies there to be read; "key_unread": nobody can look which key it
                       * has; "notice": it is told of the key without it. NULL: not known */
};

/* A place that no longer gets keys, whose readers may still use it. */
struct abandoned_snapshot {
    const char *destination;
    time_ms since;
};

/* The last failure, with the ids that find it in Azure's logs. */
struct failure_snapshot {
    time_ms at; /* TIME_NEVER: no failure yet; the other members are unused */
    const char *text;
    int http_status;        /* 0: none */
    const char *error_code; /* these four may be NULL */
    const char *request_id;
    const char *correlation_id;
    const char *client_request_id;
};

/* A hold: nothing is regenerated until it ends. Texts may be NULL, and are borrowed. */
struct hold_snapshot {
    uint64_t id;
    const char *account; /* the resource id; NULL: all accounts */
    bool configured;     /* that account is */
    const char *actor;   /* who: "uid 1000 (alice)"; NULL: unknown */
    time_ms since;       /* TIME_NEVER: unknown */
    time_ms until;       /* TIME_NEVER: until resumed */
    const char *reason;
};

/* Texts may be NULL (not known) and are borrowed; instants may be TIME_NEVER (or 0, which is read
 * back as TIME_NEVER). */
struct account_snapshot {
    const char *id; /* the resource id, as configured, with #PAIR of a pair besides the first one */
    const char *pair; /* of the resource's keys; NULL: it has one pair */
    const char *name;
    const char *resource_group;
    const char *subscription_id;
    const char *location;
    const char *identity;
    const char *policy;
    const char *rule; /* that found it; NULL: it is configured by itself */

    const char *active; /* "primary", "secondary"; NULL: not known yet */
    bool unconfirmed;   /* only its rule says so: nothing is regenerated before it is confirmed */
    struct key_snapshot keys[CONTROL_KEYS];

    const char *state;   /* "ok", "blocked", … */
    const char *reason;  /* "permission_denied", …; NULL: none */
    const char *meaning; /* what is wrong, a sentence */
    const char *remedy;  /* the words after `do:` */
    bool overdue;
    bool consumers_at_risk;
    time_ms since;   /* of the reason */
    time_ms next_at; /* the next rotation */
    time_ms retry_at;
    time_ms due_since; /* when it should have started; TIME_NEVER: it is not due */
    const char *waits; /* the cause of the wait, unless it is only the planned time; or NULL */

    time_ms regenerating_since; /* Azure may be carrying out a regenerate; TIME_NEVER: it is not */
    time_ms regenerating_until; /* when that must have ended */
    const char *phase;          /* the position: "idle", "regenerate", … */
    bool rotating;              /* a rotation is under way; the state may show another fact */
    bool rotation_requested;    /* `rotate` was accepted and is not completed yet */
    uint64_t cycle;             /* of the rotation under way, or of the last one */
    time_ms started_at;         /* of that rotation */
    time_ms completed_at;       /* of the last completed one */
    time_ms looked_at;          /* the last look that succeeded; TIME_NEVER: none yet */
    bool as_recorded;           /* that look found everything as expected */

    const struct hold_snapshot *holds; /* that bind it, the last to end first */
    size_t hold_count;

    struct failure_snapshot failure; /* the last one */
    const struct target_snapshot *targets;
    size_t target_count;
    const struct abandoned_snapshot *abandoned;
    size_t abandoned_count;
};

/* A rule that finds accounts, and its last listing. */
struct rule_snapshot {
    const char *name;
    size_t accounts; /* that it has found and that are known */
    size_t waiting;  /* that it would add, by max_new or dry_run later or never */
    bool dry_run;
    time_ms listed_at; /* the last time that all of it was listed; TIME_NEVER: not yet */
    time_ms next_at;
    const char *error; /* why the last listing was not whole; NULL: it was */
};

struct state_count {
    const char *state;
    size_t count;
};

struct daemon_snapshot {
    const char *version;
    time_ms now; /* when the document was made */
    time_ms started_at;
    time_ms config_loaded_at;
    const char *config_error; /* why the last reload was refused; NULL: it was not */
    size_t accounts;
    struct state_count states[CONTROL_STATES_MAX];
    size_t state_count;
    size_t watched; /* of those that are held: by `rotate: false`, which is well */
    size_t frozen;  /* of those that are held: by a change freeze, which is well, too */
    size_t overdue;
    size_t consumers_at_risk;
    size_t selected;         /* accounts that the question concerns, well or not */
    time_ms oldest_key_born; /* TIME_NEVER: no key is known */
    const char *oldest_key_account;
    time_ms next_at; /* the next rotation of any account */
    const char *next_account;
    /* Of the identity whose credential ends first; NULL: no end is known. */
    const char *credential_identity;
    const char *credential; /* "the certificate CN=keyrotated (thumbprint …)" */
    time_ms credential_expires_at;
    const char
        *credential_problem; /* why it is still that which was read before; NULL: it is not */
    const char *credential_remedy;
    time_ms journal_failing_since; /* TIME_NEVER: it is not */
    const char *journal_error;
    const char *log_level;            /* in force: "info" */
    const char *log_level_configured; /* what it returns to */
    time_ms log_level_until;          /* TIME_NEVER: it is the configured one */
    const char *log_level_actor;      /* who changed it; NULL: nobody */
    const struct rule_snapshot *rules;
    size_t rule_count;
};

/*
 * Writing it: start, any number of accounts, end. Failures are sticky in `out` (see base/buf.h), so
 * that one check of out->failed at the end suffices.
 */
void control_status_start(struct buf *out, const struct daemon_snapshot *daemon);
void control_status_account(struct buf *out, const struct account_snapshot *account, time_ms now);
void control_status_end(struct buf *out);

/* The document as it was read. All texts in it live as long as it does. */
struct control_status {
    struct daemon_snapshot daemon;
    struct account_snapshot *accounts;
    size_t account_count;
    struct json_object *document; /* owns the texts */
};

/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *status is empty. */
int control_status_parse(const char *text, size_t length, struct control_status *status,
                         struct err *err);
void control_status_done(struct control_status *status);

/* True when the account needs no attention: ok, rotating or adopting without a reason, not overdue,
 * no consumer at risk. */
bool control_account_is_well(const struct account_snapshot *account);

/* --- questions and commands --- */

struct control_request; /* io/server/control.h */

/* The accounts that a question names. */
struct control_query {
    char *names[CONTROL_NAMED_MAX]; /* as typed */
    size_t name_count;              /* 0: all, or the question concerns no account */
    time_ms until;                  /* TIME_NEVER: not given */
    char *after;                    /* the id that the page before ended with; NULL: not given */
    time_ms since;                  /* 0: not given */
    bool failed;                    /* only what went wrong */
    char *state;                    /* only accounts in that state; NULL: in any */
    char *policy;                   /* only accounts of that policy; NULL: of any */
    struct fingerprint sought[CONTROL_SOUGHT_MAX];
    size_t sought_count;
};

/* A row of the daemon's table of questions: GET /v1/NAME. */
struct control_question {
    const char *name;
    bool of_accounts; /* also /v1/NAME/ACCOUNT, and /v1/NAME?account=A&account=B */
    bool of_time;     /* also until=TIME and after=ID */
    bool of_keys;     /* /v1/NAME?fingerprint=HEX&fingerprint=HEX */
    bool of_past;     /* also since=TIME and failed=true */
    bool of_some;     /* also state=STATE and policy=POLICY; and account=PATTERN */
    /* Appends the whole document to `out`. Returns 0; -ENOENT: one of query->names is no
     * account; -ENOTUNIQ: it matches several; -EINVAL: a parameter is out of bounds; err names it.
     * NULL in tables that are used only for parsing. */
    int (*answer)(void *context, const struct control_query *query, struct buf *out,
                  struct err *err);
    /* Instead of that where the answer has to be waited for: control_answer_question()
     * (io/server/control.h) is called with `request` exactly once, at any time. Until then the
     * query stays valid. */
    void (*ask)(void *context, const struct control_query *query, struct control_request *request);
};

#define ROW(NAME, ...) CONTROL_##NAME,
enum control_command_kind { COMMAND_LIST(ROW) };
#undef ROW

/* The subject of a command: one account, named in the path; or all accounts, or the daemon. */
enum { ABOUT_ACCOUNT = 1, ABOUT_ALL = 2 };

/* The members of a request, which are members of struct control_command, too. */
enum {
    PARAMETER_DRY_RUN = 1 << 0,
    PARAMETER_TARGET = 1 << 1,
    PARAMETER_ACTIVE = 1 << 2,
    PARAMETER_UNTIL = 1 << 3,
    PARAMETER_REASON = 1 << 4,
    PARAMETER_HOLD = 1 << 5,
    PARAMETER_LEVEL = 1 << 6
};

/* The part of a row of core/command_list.h that daemon and keyrotatectl share. */
enum { CONTROL_NOT_OF_MACHINE = -1 };
struct control_command_row {
    const char *name;
    int machine; /* enum command_kind, or CONTROL_NOT_OF_MACHINE */
    unsigned about;
    unsigned members;
    unsigned required;
    const char *several; /* NULL: no special text for the answers of several accounts */
};
const struct control_command_row *control_command_row(enum control_command_kind kind);
/* Returns false when no command of that name has such a subject. */
bool control_command_from_name(const char *name, unsigned about,
                               enum control_command_kind *ret_kind);

struct control_command {
    enum control_command_kind kind;
    const char *account; /* as typed; NULL: all accounts (hold, resume, check), or none (reload) */
    const char *actor;   /* the operator, from the kernel: "uid 1000 (alice)"; never NULL */
    bool dry_run;        /* rotate, reload: only report what would happen */
    const char *target;  /* redeliver: this one alone; NULL: all */
    const char *active;  /* adopt: "primary" or "secondary" */
    time_ms until;       /* hold, log_level: its end */
    const char *reason;  /* hold */
    const char *level;   /* log_level: the name of a level, or "configured" */
    uint64_t hold; /* resume: the id of the one to be ended; 0: those of the account, or of all */
};

/* "primary" or "secondary", whatever its case; NULL: it is neither. */
const char *control_slot_from_name(const char *name);

/* The meaning of a request line. */
struct control_request_line {
    const struct control_question *question; /* NULL: it is a command */
    struct control_query query;              /* of a question */
    enum control_command_kind kind;          /* of a command */
    char *account;                           /* of a command; NULL: all, or none */
};

/*
 * Reads method and raw request target (path and query, still percent-encoded), where there are
 * these questions. Returns 0; -ENOENT: there is no such path; -ENOTSUP: there is, but not for this
 * method (`ret_allow` then names the one); -EINVAL: malformed; -ENOMEM. Call
 * control_request_line_done() on `line` in every case.
 */
int control_request_line_parse(const char *method, const char *uri,
                               const struct control_question *questions, size_t question_count,
                               struct control_request_line *line, const char **ret_allow,
                               struct err *err);
void control_request_line_done(struct control_request_line *line);

/*
 * Reads the body of a command of that kind ("" counts as {}). Unknown and duplicate members are
 * errors, because a refused command is better than a misunderstood one. Texts in `command` are
 * borrowed from *ret_document, which the caller frees with json_object_put(). `account` and `actor`
 * are not touched. Returns 0, -EINVAL or -ENOMEM.
 */
int control_command_parse(enum control_command_kind kind, const char *body, size_t length,
                          struct control_command *command, struct json_object **ret_document,
                          struct err *err);

/* The same in the other direction: the path ("/v1/accounts/…/rotate") and the body. */
int control_command_path(const struct control_command *command, struct buf *out);
int control_command_body(const struct control_command *command, struct buf *out);
int control_question_path(const char *question, char *const *names, size_t name_count,
                          struct buf *out);
/* That of a question about some accounts; `state` and `policy` may be NULL. */
int control_selection_path(const char *question, char *const *names, size_t name_count,
                           const char *state, const char *policy, struct buf *out);

/* Does `typed` match this account? It is a name, group/name or resource id, in any case. Several
 * accounts may match a name; then it is ambiguous. */
bool control_names_account(const char *typed, const char *name, const char *resource_group,
                           const char *id);

/* Is it a pattern with * (any text) or ? (any byte) rather than a name? Azure's names have
 * neither. */
bool control_is_pattern(const char *typed);
/* Does a pattern match this account? One that begins with '/' is held against the resource id, one
 * with another '/' against group/name, any other against the name; in any case. */
bool control_pattern_matches(const char *pattern, const char *name, const char *resource_group,
                             const char *id);

/* The one of `names` (of accounts, NULL-terminated) that was probably meant by `typed`, which is
 * none: a misspelt one, or that of the resource where the account is one of its parts ("myhub", or
 * "myhub/service", of myhub-service) or pairs of keys. NULL: none is near, or several are. */
const char *control_nearest_account(const char *typed, const char *const names[]);

/* --- answers --- */

enum control_outcome {
    CONTROL_DONE,      /* it is so now */
    CONTROL_ACCEPTED,  /* it is durable in the journal, and the daemon will carry it out */
    CONTROL_NOT_DONE,  /* tried, and failed */
    CONTROL_REFUSED,   /* it would break a guarantee, or is pointless now; possible from `until` */
    CONTROL_NOT_FOUND, /* no such account (or target) */
    CONTROL_AMBIGUOUS, /* several accounts have that name */
    CONTROL_INVALID    /* the request is invalid */
};

struct control_answer {
    enum control_outcome outcome;
    const char *message; /* a sentence for a person; never NULL */
    const char *account; /* the resource id of the account, or NULL */
    time_ms until;       /* refused: until then; TIME_NEVER: nobody knows */
    uint64_t cycle;      /* rotate: the number that the rotation has or would have; 0: unused */
    size_t accounts;     /* how many accounts were affected */
    const char *report;  /* reload: the messages about the configuration, one a line; or NULL */
    const struct hold_snapshot *holds; /* hold: the new one; resume: those that ended; or NULL */
    size_t hold_count;
};

const char *control_outcome_name(enum control_outcome outcome);
/* The status code that goes with it: 200 202 409 404 400 503. */
int control_outcome_http_status(enum control_outcome outcome);

/* Writes the answer document; for the last three outcomes the error document, with the outcome as
 * code. Returns out->failed. */
int control_answer_write(struct buf *out, const struct control_answer *answer);
int control_error_write(struct buf *out, const char *code, const char *message);

/* Reads either document except the holds; for these use control_hold_list_read(). An error code
 * without an outcome of its own gives CONTROL_INVALID. Texts in `answer` are borrowed from
 * *ret_document (json_object_put()). Returns 0, -EBADMSG or -ENOMEM. */
int control_answer_parse(const char *text, size_t length, struct control_answer *answer,
                         struct json_object **ret_document, struct err *err);

/* --- holds --- */

/* As a member of that name; NULL (no hold): null. */
void control_hold_write(struct buf *out, const char *name, const struct hold_snapshot *hold);
/* As a member `holds`. */
void control_hold_list_write(struct buf *out, const struct hold_snapshot *holds, size_t count);
/* Reads a member `holds`; *ret_holds is the caller's to free(), its texts are borrowed from
 * `object`. Returns 0 or -ENOMEM. */
int control_hold_list_read(struct json_object *object, struct hold_snapshot **ret_holds,
                           size_t *ret_count);

/* Writes the document of all holds, and reads it. All texts belong to `holds` and live as long as
 * it does. */
void control_holds_write(struct buf *out, time_ms now, const struct hold_snapshot *holds,
                         size_t count);
struct control_holds {
    time_ms now;
    struct hold_snapshot *items;
    size_t count;
    struct json_object *document;
};
/* Returns 0, -EBADMSG (not such a document), or -ENOMEM. On failure *holds is empty. */
int control_holds_parse(const char *text, size_t length, struct control_holds *holds,
                        struct err *err);
void control_holds_done(struct control_holds *holds);

#endif
