#include "app/daemon_state.h"

#include <stdio.h>

#include "base/str.h"

/* A level that is forgotten must not fill a disk. */
#define LONGEST MS_DAY
#define USUAL   (10 * MS_MINUTE)

enum { LEVELS = LEVEL_DEBUG - LEVEL_ERROR + 1, MESSAGE_MAX = 400 };

static enum log_level configured(const struct daemon *daemon, const struct config *config)
{
    return daemon->options->has_log_level ? daemon->options->log_level : config->log_level;
}

static bool is_changed(const struct daemon *daemon)
{
    return daemon->log_level.until != TIME_NEVER;
}

void daemon_log_configure(struct daemon *daemon, const struct config *config)
{
    log_sink_configure(daemon->sink,
                       daemon->options->has_log_format ? daemon->options->log_format
                                                       : config->log_format,
                       is_changed(daemon) ? daemon->log_level.level : configured(daemon, config));
}

/* Sets the level and logs that, under the level of both that lets more through. `until` TIME_NEVER:
 * the configured one returns. */
static void change(struct daemon *daemon, enum log_level level, time_ms until,
                   const struct log_line *line)
{
    const bool was_lower = daemon->log.level < level;

    if (!was_lower)
        log_emit(&daemon->log, line);
    daemon->log_level.level = level;
    daemon->log_level.until = until;
    daemon_log_configure(daemon, daemon->config);
    timer_set(&daemon->log_level.timer, until);
    if (was_lower)
        log_emit(&daemon->log, line);
}

static void on_end(struct timer *timer)
{
    struct daemon *daemon = container_of(timer, struct daemon, log_level.timer);
    const enum log_level back = configured(daemon, daemon->config);
    struct log_line line;

    log_line_start(&line, loop_now(daemon->loop), LEVEL_NOTICE, "operator.command",
                   "log-level %s is over: the level is %s again",
                   log_level_name(daemon->log_level.level), log_level_name(back));
    log_line_text(&line, "actor", daemon->log_level.actor);
    change(daemon, back, TIME_NEVER, &line);
}

void daemon_log_level_init(struct daemon *daemon)
{
    daemon->log_level.until = TIME_NEVER;
    timer_init(daemon->loop, &daemon->log_level.timer, on_end);
}

void daemon_log_level_snapshot(const struct daemon *daemon, struct daemon_snapshot *snapshot)
{
    snapshot->log_level = log_level_name(daemon->log.level);
    snapshot->log_level_configured = log_level_name(configured(daemon, daemon->config));
    snapshot->log_level_until = daemon->log_level.until;
    snapshot->log_level_actor = is_changed(daemon) ? daemon->log_level.actor : NULL;
}

/* --- the command --- */

/* "configured" is a level here: *ret_level is that one then, and *ret_ends is true. */
static int read_level(const struct daemon *daemon, const char *word, enum log_level *ret_level,
                      bool *ret_ends, struct err *err)
{
    const char *words[LEVELS + 2] = {NULL};
    const char *nearest;

    *ret_level = configured(daemon, daemon->config);
    *ret_ends = str_equal(word, "configured");
    for (int i = 0; i < LEVELS; i++) {
        words[i] = log_level_name((enum log_level)(LEVEL_ERROR + i));
        if (str_equal(word, words[i])) {
            *ret_level = (enum log_level)(LEVEL_ERROR + i);
            return 0;
        }
    }
    words[LEVELS] = "configured";
    if (*ret_ends)
        return 0;
    nearest = str_nearest(word, words);
    return nearest ? err_set(err, -1, "there is no level %.40s; did you mean %s?", word, nearest)
                   : err_set(err, -1,
                             "there is no level %.40s; error, warning, notice, info, debug or "
                             "configured was expected",
                             word);
}

static int read_until(const struct daemon *daemon, time_ms asked, time_ms *ret_until,
                      struct err *err)
{
    const time_ms now = loop_now(daemon->loop);

    *ret_until = asked == TIME_NEVER ? time_add(now, USUAL) : asked;
    if (*ret_until <= now)
        return err_set(err, -1, "that time has passed already");
    /* What was typed as a day from now was typed a moment ago. */
    if (*ret_until > time_add(now, LONGEST))
        return err_set(err, -1, "a level is changed for a day at most");
    return 0;
}

static void carry_out(struct daemon *daemon, const struct control_command *command,
                      enum log_level level, time_ms until, char message[MESSAGE_MAX])
{
    const char *back = log_level_name(configured(daemon, daemon->config));
    char date[DATE_TEXT_MAX];
    struct log_line line;

    log_line_start(&line, loop_now(daemon->loop), LEVEL_NOTICE, "operator.command", "log-level %s",
                   command->level);
    log_line_text(&line, "actor", command->actor);
    log_line_time(&line, "until", until);
    (void)str_copy(daemon->log_level.actor, sizeof(daemon->log_level.actor), command->actor);
    change(daemon, level, until, &line);
    if (until == TIME_NEVER)
        (void)snprintf(message, MESSAGE_MAX, "the log level is %s, as configured", back);
    else
        (void)snprintf(message, MESSAGE_MAX, "the log level is %s until %s, then %s again",
                       log_level_name(level), date_to_rfc3339(until - until % MS_SECOND, date),
                       back);
}

void daemon_command_log_level(struct daemon *daemon, const struct control_command *command,
                              struct control_request *request)
{
    struct control_answer answer = {.outcome = CONTROL_DONE, .until = TIME_NEVER};
    char message[MESSAGE_MAX];
    enum log_level level;
    time_ms until;
    bool ends;
    struct err err = {0};

    if (read_level(daemon, command->level, &level, &ends, &err) != 0 ||
        (!ends && read_until(daemon, command->until, &until, &err) != 0)) {
        answer.outcome = CONTROL_INVALID;
        answer.message = err.text;
    } else if (daemon->stopping) {
        answer.outcome = CONTROL_NOT_DONE;
        answer.message = "the daemon stops";
    } else {
        carry_out(daemon, command, level, ends ? TIME_NEVER : until, message);
        answer.message = message;
    }
    control_answer(request, &answer);
}
