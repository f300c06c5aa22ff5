#include "app/daemon_state.h"

#include "app/question_list.h"
#include "base/str.h"

/* --- questions --- */

static int write_status(struct daemon *daemon, const struct control_query *query, bool unwell_alone,
                        struct buf *out, struct err *err)
{
    struct rule_snapshot rules[CONTROL_RULES_MAX];
    struct daemon_snapshot snapshot;

    daemon_snapshot(daemon, rules, &snapshot);
    return engine_status(daemon->engine, query, unwell_alone, &snapshot, out, err);
}

int daemon_answer_status(void *context, const struct control_query *query, struct buf *out,
                         struct err *err)
{
    /* Who asks for accounts in a state wants these, whether that is well or not. */
    return write_status(context, query, !query->state, out, err);
}

int daemon_answer_accounts(void *context, const struct control_query *query, struct buf *out,
                           struct err *err)
{
    return write_status(context, query, false, out, err);
}

int daemon_answer_plan(void *context, const struct control_query *query, struct buf *out,
                       struct err *err)
{
    struct daemon *daemon = context;

    return engine_plan(daemon->engine, query, out, err);
}

void daemon_ask_history(void *context, const struct control_query *query,
                        struct control_request *request)
{
    const struct daemon *daemon = context;

    engine_history(daemon->engine, query, request);
}

void daemon_ask_history_chains(void *context, const struct control_query *query,
                               struct control_request *request)
{
    const struct daemon *daemon = context;

    engine_history_chains(daemon->engine, query, request);
}

int daemon_answer_identify(void *context, const struct control_query *query, struct buf *out,
                           struct err *err)
{
    const struct daemon *daemon = context;

    (void)err;
    return engine_identify(daemon->engine, query, out);
}

int daemon_answer_holds(void *context, const struct control_query *query, struct buf *out,
                        struct err *err)
{
    struct daemon *daemon = context;

    (void)query;
    (void)err;
    return engine_hold_write(daemon->engine, out);
}

#define ROW(name, has_accounts, has_some, has_time, has_keys)                                      \
    {#name,                                                                                        \
     .of_accounts = has_accounts,                                                                  \
     .of_some = has_some,                                                                          \
     .of_time = has_time,                                                                          \
     .of_keys = has_keys,                                                                          \
     .answer = daemon_answer_##name},
#define ROW_OF_JOURNAL(name, has_past)                                                             \
    {#name, true, true, .of_past = has_past, .ask = daemon_ask_##name},
static const struct control_question questions[] = {QUESTION_LIST(ROW)
                                                        QUESTION_OF_JOURNAL_LIST(ROW_OF_JOURNAL)};
#undef ROW
#undef ROW_OF_JOURNAL

/* --- commands --- */

enum { RELOAD_REPORT_MAX = 256 * 1024 };

void daemon_command_reload(struct daemon *daemon, const struct control_command *command,
                           struct control_request *request)
{
    struct control_answer answer = {.until = TIME_NEVER};
    struct log_line line;
    struct buf report;

    log_line_start(&line, loop_now(daemon->loop), LEVEL_NOTICE, "operator.command", "reload%s",
                   command->dry_run ? " --dry-run" : "");
    log_line_text(&line, "actor", command->actor);
    log_emit(&daemon->log, &line);

    buf_init(&report, RELOAD_REPORT_MAX);
    if (daemon->stopping) {
        answer.outcome = CONTROL_NOT_DONE;
        answer.message = "the daemon stops";
    } else if (command->dry_run) {
        const bool good = daemon_reload_preview(daemon, &report);

        answer.outcome = good ? CONTROL_DONE : CONTROL_NOT_DONE;
        answer.message = good ? "a reload would succeed; nothing was changed"
                              : "a reload would be refused; nothing was changed";
    } else if (daemon_reload(daemon, &report)) {
        answer.outcome = CONTROL_DONE;
        answer.message = "the configuration was read and is in force";
        answer.accounts = daemon->config->account_count;
    } else {
        answer.outcome = CONTROL_NOT_DONE;
        answer.message = "the configuration is wrong; the one before stays in force";
    }
    answer.report = buf_str(&report);
    control_answer(request, &answer);
    buf_done(&report);
}

static void command_engine(struct daemon *daemon, const struct control_command *command,
                           struct control_request *request)
{
    engine_command(daemon->engine, command, request);
}

#define MACHINE(name)                 command_engine
#define HOLDS(name)                   command_engine
#define DAEMON(name)                  daemon_command_##name
#define ROW(NAME, name, CARRIER, ...) [CONTROL_##NAME] = CARRIER(name),
static void (*const operations[])(struct daemon *daemon, const struct control_command *command,
                                  struct control_request *request) = {COMMAND_LIST(ROW)};

static void answer_command(void *context, const struct control_command *command,
                           struct control_request *request)
{
    operations[command->kind](context, command, request);
}

void daemon_answer(struct daemon *daemon, struct control_handler *handler)
{
    *handler = (struct control_handler){
        .context = daemon,
        .questions = questions,
        .question_count = sizeof(questions) / sizeof(questions[0]),
        .command = answer_command,
    };
}
