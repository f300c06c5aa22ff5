/*
 * keyrotatectl: the parts that its commands share.
 */
#ifndef KEYROTATED_CTL_CTL_H
#define KEYROTATED_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/time.h"
#include "proto/control_protocol.h"

enum ctl_exit {
    CTL_DONE = 0,     /* status: all well */
    CTL_NOT_DONE = 1, /* status: something retrying or held */
    CTL_REFUSED = 2,  /* status: something blocked, overdue or at risk */
    CTL_UNREACHABLE = 3,
    CTL_IDLE = 4,    /* identify, of which CTL_DONE is a key in use: the key is live and idle */
    CTL_DEAD = 5,    /* identify */
    CTL_UNKNOWN = 6, /* identify */
    CTL_USAGE = 64,
    CTL_NOT_PERMITTED = 77
};

/* Besides ABOUT_ACCOUNT and ABOUT_ALL, of commands that ask. */
enum { ABOUT_SHOWN = 4 };

/* The parsed command line. Texts are borrowed from argv. */
struct ctl_options {
    const struct ctl_command *command; /* NULL: --help or --version was answered */
    bool answered;                     /* they were */
    time_ms now;                       /* when the command was given */
    const char *socket;
    bool json;
    bool all;
    bool wait;
    bool yes;
    bool list;
    bool calendar;
    bool ics;
    bool verify; /* history: is it as it was written? */
    bool csv;
    bool failed;                    /* history: only what went wrong */
    bool until_is_distance;         /* --until was a duration: from now, or of history ago */
    bool is_for;                    /* --for was given rather than --until */
    const char *until;              /* --until or --for as typed; NULL: not given */
    time_ms since;                  /* history: 0: from the beginning */
    bool watch;                     /* status: again and again */
    bool scan;                      /* identify: `accounts` are directories and files */
    duration_ms timeout;            /* of rotate --wait */
    const char *file;               /* adopt: of lines ACCOUNT primary|secondary */
    const char *state;              /* status: only accounts in it */
    const char *policy;             /* status: only accounts of it */
    const char *rule;               /* adopt: whose accounts are confirmed */
    struct control_command request; /* the request of that command, without the account */
    char **accounts;
    size_t account_count;
};

/* A command as the command line accepts it. */
struct ctl_command {
    const char *name;
    const char *synopsis; /* what follows the name; NULL: not available in this version */
    const char *summary;
    unsigned about;    /* ABOUT_ACCOUNT: accounts may be named; ABOUT_ALL: or --all has to be;
                        * ABOUT_SHOWN: `show` and one account have to be */
    unsigned options;  /* those that may be given: see options.c */
    unsigned required; /* those that have to be */
    enum control_command_kind kind; /* of the request */
    bool only_asks;                 /* there is no request */
    enum ctl_exit (*run)(const struct ctl_options *options);
};

/* The commands that ask: name, what they are about, options, synopsis and summary as in
 * core/command_list.h. ctl_name() asks, and prints the answer. */
#define CTL_QUESTION_LIST(ROW)                                                                     \
    ROW(status, ABOUT_ACCOUNT | ABOUT_ALL,                                                         \
        OPTION_ALL | OPTION_STATE | OPTION_POLICY | OPTION_WATCH,                                  \
        "[ACCOUNT|PATTERN...] [--state STATE] [--policy POLICY] [--all] [--watch]",                \
        "what is not well, or everything about the accounts")                                      \
    ROW(plan, ABOUT_ACCOUNT, PARAMETER_UNTIL | OPTION_CALENDAR | OPTION_ICS,                       \
        "[ACCOUNT|PATTERN...] [--until TIME] [--calendar|--ics]",                                  \
        "the rotations to come (90d ahead), and why they start when they do")                      \
    ROW(history, ABOUT_ACCOUNT,                                                                    \
        PARAMETER_UNTIL | OPTION_SINCE | OPTION_FAILED | OPTION_CSV | OPTION_VERIFY,               \
        "[ACCOUNT...] [--since TIME] [--until TIME] [--failed] [--csv] [--verify]",                \
        "what happened to accounts, when, and by whom")                                            \
    ROW(config, ABOUT_ACCOUNT | ABOUT_SHOWN, 0, "show ACCOUNT",                                    \
        "every value that an account lives by, with the file and line of each")                    \
    ROW(identify, 0, OPTION_SCAN, "[--scan DIR...]",                                               \
        "whose key is on standard input, or in these files, and is it live?")                      \
    ROW(ping, 0, 0, "", "does the daemon answer? (by exit status, for probes)")                    \
    ROW(help, 0, OPTION_WORD, "[COMMAND]", "how this program, or a command of it, is used")

#define ROW(name, ...) enum ctl_exit ctl_##name(const struct ctl_options *options);
CTL_QUESTION_LIST(ROW)
#undef ROW

/* What core/command_list.h says that its commands do. ctl_send(): sends the request for each
 * account that was named; once where there is none. */
#define ROW(NAME, name, CARRIER, ABOUT, MEMBERS, REQUIRED, OPTIONS, run, ...)                      \
    enum ctl_exit ctl_##run(const struct ctl_options *options);
COMMAND_LIST(ROW)
#undef ROW

/*
 * --- client.c ---
 *
 * Requests over the daemon's unix socket. All of them say on standard error why they fail.
 */

/* The socket of the command line, else of the service's environment, else the usual one. `storage`
 * holds the path where it had to be put together. */
enum { CTL_PATH_MAX = 512 };
const char *ctl_socket_path(const struct ctl_options *options, char storage[CTL_PATH_MAX]);

/* Sends GET (body NULL) or POST and appends the body of the reply to `reply`. Returns CTL_DONE with
 * the status code in *ret_status; CTL_UNREACHABLE, CTL_NOT_PERMITTED or CTL_USAGE (too long). */
enum ctl_exit ctl_request(const struct ctl_options *options, const struct buf *path,
                          const char *body, struct buf *reply, long *ret_status);

/* Requests from now on fail, with CTL_UNREACHABLE, within about a second after ended() is true. */
void ctl_end_requests_when(bool (*ended)(void));

/* Fetches the document that answers a question. */
enum ctl_exit ctl_fetch(const struct ctl_options *options, const char *question, char *const *names,
                        size_t name_count, struct buf *text);

/* The same for a question with parameters: `path` has them. */
enum ctl_exit ctl_fetch_path(const struct ctl_options *options, const struct buf *path,
                             struct buf *text);

/* Fetches the status document that answers `question`: "status", or "accounts" (these, or all).
 * `text`: gets the document as it is; NULL: nobody wants it. */
enum ctl_exit ctl_fetch_status(const struct ctl_options *options, const char *question,
                               char *const *names, size_t name_count, struct control_status *status,
                               struct buf *text);
/* The same where `path` has parameters. */
enum ctl_exit ctl_fetch_status_path(const struct ctl_options *options, const struct buf *path,
                                    struct control_status *status, struct buf *text);

/*
 * --- session.c ---
 *
 * Commands sent, and their answers printed: as they come for people, as one document at the end for
 * programs.
 */

struct ctl_session {
    const struct ctl_options *options;
    struct buf results; /* --json: the answers so far */
    enum ctl_exit worst;
};

void ctl_session_start(struct ctl_session *session, const struct ctl_options *options);
/* Prints the document of --json, with what was complained of meanwhile. Returns the worst exit
 * status of the commands. */
enum ctl_exit ctl_session_end(struct ctl_session *session);

/* Sends one command and prints its answer. Returns the command's own exit status, and keeps the
 * worst. */
enum ctl_exit ctl_send_command(struct ctl_session *session, const struct control_command *command);

/* The worse of two exit statuses, for commands on several accounts. */
enum ctl_exit ctl_worse(enum ctl_exit a, enum ctl_exit b);

/* Nothing further is tried once the daemon cannot be talked to. */
bool ctl_is_final(enum ctl_exit result);

/*
 * --- complain.c ---
 *
 * Reports the errors of keyrotatectl itself: a line on standard error; with --json {"error":
 * {"code", "message"}} on standard output, as a document of its own or as a member of the one that
 * is printed anyway.
 */

/* From now on complaints are kept for a document instead of being printed. */
void ctl_complain_in_json(void);

/* Returns `result`, whose name is the code: usage, unreachable, not_permitted, refused, not_done. A
 * document has only the first complaint, because it causes the others. */
enum ctl_exit ctl_complain(enum ctl_exit result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with a code that the daemon gave. */
enum ctl_exit ctl_complain_as(enum ctl_exit result, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Of a command line; says that --help shows how it is used. Returns CTL_USAGE. */
enum ctl_exit ctl_complain_of_use(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a text for people, and frees it. */
void ctl_print(FILE *stream, struct buf *text);

/* Appends the member "error" to an object that is open; nothing where there is no complaint. */
void ctl_complaint_write(struct buf *out);
/* Appends the message of that complaint, which then was not made; nothing where there is none. */
enum { CTL_COMPLAINT_MAX = 8192 };
void ctl_complaint_take(struct buf *out);
/* Prints the complaint that no document has had; nothing where there is none. */
void ctl_complaint_print(void);

#endif
