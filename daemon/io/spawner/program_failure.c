#include "io/spawner/program_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/wipe.h"
#include "proto/failure.h"
#include "proto/program_output.h"

enum { LINE_MAX_SHOWN = 200 };

/* --- what keeps a program from being started --- */

static void set_error_code(struct failure *failure, int saved_errno)
{
    const char *name = strerrorname_np(saved_errno);

    if (name)
        (void)str_copy(failure->error_code, sizeof(failure->error_code), name);
}

static void explain_missing(struct failure *failure, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0) {
        failure_set_text(failure, "%s cannot be started: its interpreter is missing", path);
        failure_set_remedy(
            failure, "correct the first line of %s (`head -n 1 %s`), or install what it names",
            path, path);
        return;
    }
    failure_set_text(failure, "%s cannot be started: there is no such file", path);
    if (strpbrk(path, " \t")) {
        failure_set_remedy(failure,
                           "there is no shell: write the program and each argument as an "
                           "item of `command` of its own");
        return;
    }
    failure_set_remedy(failure,
                       "install %s, or correct `command`; a file below /home, /root or /tmp may be "
                       "hidden by the unit's sandbox",
                       path);
}

static void explain_denied(struct failure *failure, const char *path)
{
    struct stat status;

    failure->reason = REASON_TARGET_DENIED;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        failure_set_text(failure, "%s cannot be started: it is a directory", path);
        failure_set_remedy(failure, "change the path to a program in %s", path);
        return;
    }
    failure_set_text(failure, "%s cannot be started: the daemon's user may not execute it", path);
    failure_set_remedy(failure,
                       "run `chmod a+x %s`, and see whether `namei -l %s` lets others pass; what "
                       "lies below a path of the unit's NoExecPaths= or on a file system that is "
                       "mounted noexec is not executed either: move it to /usr/local/libexec",
                       path, path);
}

/* What the system says besides. */
static void explain_refused(struct failure *failure, const char *path, int saved_errno)
{
    switch (saved_errno) {
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETOOMANYREFS:
        failure_set_text(failure, "%s cannot be started: the service has reached a limit: %s", path,
                         strerror(saved_errno));
        failure_set_remedy(failure,
                           "give the service more: see TasksMax=, LimitNOFILE= and MemoryMax= in "
                           "`systemctl show {unit}`");
        break;
    default:
        failure_set_text(failure, "%s cannot be started: the system refuses it: %s", path,
                         strerror(saved_errno));
        failure_set_remedy(failure,
                           "see whether `head -c 4 %s` reads it, and what `journalctl -k` says of "
                           "its file system; it is run again by itself",
                           path);
        break;
    }
}

static void explain_not_started(struct failure *failure, const char *path, int saved_errno)
{
    set_error_code(failure, saved_errno);
    switch (saved_errno) {
    case ENOENT:
        explain_missing(failure, path);
        break;
    case EACCES:
    case EPERM:
        explain_denied(failure, path);
        break;
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        failure_set_text(failure, "%s cannot be started: its path is wrong: %s", path,
                         strerror(saved_errno));
        failure_set_remedy(failure, "correct the path, which `namei -l %s` takes apart", path);
        break;
    case ENOEXEC:
        failure_set_text(failure, "%s cannot be started: it is no program of this machine", path);
        failure_set_remedy(failure,
                           "if it is a script, make `#!/bin/sh` its first line; otherwise install "
                           "one that was built for `uname -m`");
        break;
    case E2BIG:
        failure_set_text(failure, "%s cannot be started: its arguments are too long", path);
        failure_set_remedy(failure, "shorten `command`; the key's data is on standard input");
        break;
    case EMSGSIZE:
        failure_set_text(failure, "%s cannot be started: what it gets is longer than %d KiB", path,
                         PROGRAM_INPUT_MAX / 1024);
        failure_set_remedy(failure,
                           "this is a fault in keyrotated: please report it with this line");
        break;
    case EISDIR:
    case ELIBBAD:
    case EINVAL:
        failure_set_text(failure, "%s cannot be started: its interpreter is unfit: %s", path,
                         strerror(saved_errno));
        failure_set_remedy(failure, "see which one it names (`head -n 1 %s`, `file %s`)", path,
                           path);
        break;
    case ETXTBSY:
        failure_set_text(failure, "%s cannot be started: somebody is writing it", path);
        failure_set_remedy(failure, "none needed, if it is being installed; else see `fuser -v %s`",
                           path);
        break;
    default:
        explain_refused(failure, path, saved_errno);
        break;
    }
}

void program_failure_of_start(struct failure *failure, const char *path, int saved_errno)
{
    failure_init(failure, REASON_TARGET_FAILED);
    explain_not_started(failure, path, saved_errno);
}

bool program_check(struct failure *failure, const char *path)
{
    struct stat status;
    const bool is_there = stat(path, &status) == 0;
    int rc = 0;

    if (is_there && !S_ISREG(status.st_mode))
        rc = EACCES;
    else if (!is_there || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
        rc = errno;
    if (rc == 0)
        return true;
    program_failure_of_start(failure, path, rc);
    return false;
}

/* --- what became of it --- */

/* ": LINE", or "". */
static void last_words(const struct program_result *result, const struct secret *key,
                       char out[LINE_MAX_SHOWN + 2])
{
    char line[LINE_MAX_SHOWN];

    program_output_last_line(result->errors->data, result->errors->length, key, line, sizeof(line));
    if (line[0] == '\0')
        program_output_last_line(result->output->data, result->output->length, key, line,
                                 sizeof(line));
    (void)snprintf(out, LINE_MAX_SHOWN + 2, "%s%s", line[0] ? ": " : "", line);
    wipe(line, sizeof(line));
}

static void explain_exit(struct failure *failure, const char *path, int status, const char *words)
{
    char code[24];

    if (status == PROGRAM_NOT_YET) {
        failure->reason = REASON_NOT_YET;
        failure_set_text(failure, "%s asked for more time (exit status %d)%s", path, status, words);
        return;
    }
    (void)snprintf(code, sizeof(code), "exit_%d", status);
    failure_set_code(failure, code);
    failure_set_text(failure, "%s failed with exit status %d%s", path, status, words);
    failure_set_remedy(failure,
                       "correct what it complains about (delivery.output in the log has all of "
                       "it); it is run again by itself, or at once by `keyrotatectl redeliver "
                       "{account}`");
}

/* Whatever it had begun may have an effect. */
static void explain_signal(struct failure *failure, const char *path,
                           const struct program_result *result, const char *words)
{
    char timeout[DURATION_TEXT_MAX];

    failure->outcome_unknown = true;
    if (result->flooded) {
        failure_set_text(failure, "%s wrote more than %d MiB and was ended%s", path,
                         PROGRAM_FLOOD / (1024 * 1024), words);
        failure_set_remedy(failure, "make it write less: its output only goes into the log");
        return;
    }
    if (result->timed_out > 0) {
        failure_set_text(failure,
                         "%s did not end within %s, and was ended with all that it had "
                         "started%s",
                         path, duration_to_text(result->timed_out, timeout), words);
        failure_set_remedy(failure,
                           "find out what %s waits for, or raise the target's `timeout`; it is run "
                           "again by itself",
                           path);
        return;
    }
    failure_set_text(failure, "%s was ended by signal %d (SIG%s)%s", path, result->code,
                     sigabbrev_np(result->code) ? sigabbrev_np(result->code) : "?", words);
    failure_set_remedy(failure,
                       "find out who or what ended it: `journalctl -k` names a lack of memory, "
                       "delivery.output in the log has what it wrote");
}

static void explain_no_room(struct failure *failure, const char *path, duration_ms waited)
{
    char wait[DURATION_TEXT_MAX];

    if (waited == 0) {
        failure_set_text(failure, "%s: not run, because the daemon stops", path);
        return;
    }
    failure_set_text(failure,
                     "%s: not run, because for %s too many other programs have been running", path,
                     duration_to_text(waited, wait));
    failure_set_remedy(failure,
                       "see which of them hang (`systemctl status {unit}` lists them), and lower "
                       "the `timeout` of their targets; it is run again by itself");
}

bool program_failure(struct failure *failure, const char *path, const struct program_result *result,
                     const struct secret *key, const char *problem)
{
    char words[LINE_MAX_SHOWN + 2];

    if (result->end == PROGRAM_EXITED && result->code == 0 && !result->flooded &&
        result->timed_out == 0)
        return false;
    failure_init(failure, REASON_TARGET_FAILED);
    last_words(result, key, words);
    switch (result->end) {
    case PROGRAM_EXITED:
        if (result->flooded || result->timed_out > 0)
            explain_signal(failure, path, result, words);
        else
            explain_exit(failure, path, result->code, words);
        break;
    case PROGRAM_SIGNALED:
        explain_signal(failure, path, result, words);
        break;
    case PROGRAM_NOT_STARTED:
        explain_not_started(failure, path, result->code);
        break;
    case PROGRAM_NO_ROOM:
        explain_no_room(failure, path, result->timed_out);
        break;
    case PROGRAM_LOST:
    case PROGRAM_NO_SPAWNER:
        failure->outcome_unknown = result->end == PROGRAM_LOST;
        failure_set_text(failure, "%s cannot be %s: %s", path,
                         result->end == PROGRAM_LOST ? "waited for" : "started",
                         problem ? problem : "the daemon stops");
        failure_set_remedy(failure, "run `systemctl restart {unit}`");
        break;
    }
    wipe(words, sizeof(words));
    return true;
}
