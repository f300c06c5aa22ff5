#include "app/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/must.h"
#include "base/str.h"

/* A command that was given to several accounts is answered when the last of them has answered. */
struct command_group {
    struct control_request *request;
    const struct control_command_row *row;
    size_t waiting;
    size_t accounts;
    enum control_outcome outcome; /* the worst so far */
    char message[1000];
    char account[512];
    char typed[CONTROL_ACCOUNT_MAX + 1]; /* the account as the operator named it; "" for all */
    time_ms until;
    uint64_t cycle;
    size_t paused;        /* accounts that wait for a pause of Azure */
    time_ms paused_until; /* at least, the last of them */
};

/* "3 accounts are looked at now: …", and how many of them wait. */
static void name_several(struct command_group *group)
{
    char until[DATE_TEXT_MAX];
    int length = snprintf(group->message, sizeof(group->message), "%zu accounts %s",
                          group->accounts, group->row->several);

    if (group->paused > 0 && length > 0 && (size_t)length < sizeof(group->message))
        snprintf(group->message + length, sizeof(group->message) - (size_t)length,
                 "; %zu of them wait, because Azure has asked for a pause of such requests, until "
                 "%s at the earliest",
                 group->paused, date_to_rfc3339(group->paused_until, until));
}

static void answer_and_free(struct command_group *group)
{
    struct control_answer answer = {
        .outcome = group->outcome,
        .message = group->message,
        .until = group->until,
        .accounts = group->accounts,
    };

    /* The words of one account would name that one. */
    if (group->accounts > 1 && group->outcome == CONTROL_ACCEPTED && group->row->several)
        name_several(group);
    if (group->accounts == 1) {
        answer.account = group->account;
        answer.cycle = group->cycle;
    }
    control_answer(group->request, &answer);
    free(group);
}

/* Reports that the accepted command waits for a pause of Azure, and until when. */
static void note_pause(const struct engine_account *account, struct transaction *transaction)
{
    struct command_group *group = transaction->group;
    struct effects *effects = transaction->effects;
    char until[DATE_TEXT_MAX];
    struct azure_pause pause;
    time_ms at;

    if (!group || effects->outcome != COMMAND_ACCEPTED || account->record.intent.open ||
        !azure_is_throttled(account->engine->parts.azure, &account->azure, &pause))
        return;
    at = time_add(loop_now(account->engine->parts.loop), pause.wait);
    group->paused++;
    group->paused_until = time_max(group->paused_until, at);
    snprintf(
        effects->answer, sizeof(effects->answer),
        "accepted, and it waits: Azure has asked for a pause of all such requests to %s%sthe "
        "subscription, until %s at the earliest; `keyrotatectl status {account}` shows the result",
        pause.provider, pause.provider[0] ? " in " : "", date_to_rfc3339(at, until));
}

void engine_command_name_account(const struct engine_account *account,
                                 struct transaction *transaction)
{
    const bool typed = transaction->group && transaction->group->typed[0];
    char text[sizeof(transaction->effects->answer)];

    note_pause(account, transaction);
    engine_remedy_expand(account, typed ? transaction->group->typed : NULL,
                         transaction->effects->answer, text, sizeof(text));
    str_copy(transaction->effects->answer, sizeof(transaction->effects->answer), text);
}

static void answer_now(struct control_request *request, enum control_outcome outcome,
                       const char *message)
{
    struct control_answer answer = {.outcome = outcome, .message = message, .until = TIME_NEVER};

    control_answer(request, &answer);
}

/* The worst outcome of several accounts is the outcome of the command. */
static void add_outcome(struct command_group *group, enum control_outcome outcome,
                        const char *message, time_ms until)
{
    static const int severity[] = {
        [CONTROL_DONE] = 0,
        [CONTROL_ACCEPTED] = 1,
        [CONTROL_REFUSED] = 2,
        [CONTROL_NOT_DONE] = 3,
    };

    if (group->message[0] == '\0' || severity[outcome] > severity[group->outcome]) {
        group->outcome = outcome;
        group->until = until;
        str_copy(group->message, sizeof(group->message), message);
    }
    if (--group->waiting == 0)
        answer_and_free(group);
}

/* Writes into the history what an operator asked for and the answer. Checks and dry runs change
 * nothing and are left out. */
static void remember(struct engine_account *account, const struct transaction *transaction)
{
    static const char *const events[] = {
        [COMMAND_ACCEPTED] = "command.accepted",
        [COMMAND_DONE] = "command.done",
        [COMMAND_REFUSED] = "command.refused",
    };
    const struct effects *effects = transaction->effects;
    char text[sizeof(effects->answer) + 16];
    const struct history_row row = {
        .at = transaction->event.now,
        .event = events[effects->outcome],
        .cycle = account->record.cycle,
        .actor = transaction->actor,
        .text = text,
    };

    if (effects->outcome == COMMAND_NOT_ASKED || transaction->command.dry_run ||
        transaction->command.kind == COMMAND_CHECK)
        return;
    (void)snprintf(text, sizeof(text), "%s: %s", transaction->group->row->name, effects->answer);
    store_save_history(account->engine->parts.store, account->key, &row, 1);
}

void engine_command_answered(struct engine_account *account, const struct transaction *transaction)
{
    static const enum control_outcome outcomes[] = {
        [COMMAND_NOT_ASKED] = CONTROL_NOT_DONE,
        [COMMAND_ACCEPTED] = CONTROL_ACCEPTED,
        [COMMAND_DONE] = CONTROL_DONE,
        [COMMAND_REFUSED] = CONTROL_REFUSED,
    };
    struct command_group *group = transaction->group;
    const struct record *record = &account->record;

    group->cycle = record->cycle;
    if (transaction->command.kind == COMMAND_ROTATE && !record->intent.open &&
        record->delivering == record->active)
        group->cycle++;
    str_copy(group->account, sizeof(group->account), account->account->id);
    remember(account, transaction);
    add_outcome(group, outcomes[transaction->effects->outcome], transaction->effects->answer,
                transaction->effects->refused_until);
}

void engine_command_dropped(const struct engine_account *account,
                            const struct transaction *transaction)
{
    if (transaction->group)
        add_outcome(transaction->group, CONTROL_NOT_DONE,
                    account->engine->stopping ? "the daemon stops"
                                              : "the account is no longer in the configuration",
                    TIME_NEVER);
}

/* --- the accounts of a command --- */

/* Several have one name where it is told after several others. Returns false when none has it. */
static bool find_targets(const struct engine_account *account, const char *name,
                         struct command *command)
{
    for (size_t i = 0; i < account->account->destination_count && i < TARGETS_MAX; i++) {
        if (str_equal(account->account->destinations[i].name, name))
            command->targets[command->target_count++] = account->targets[i].id;
    }
    return command->target_count > 0;
}

/* False: the account has no such target. */
static bool fill_command(const struct engine_account *account,
                         const struct control_command *command, struct transaction *transaction)
{
    transaction->command.kind = (enum command_kind)transaction->group->row->machine;
    transaction->command.dry_run = command->dry_run;
    str_copy(transaction->actor, sizeof(transaction->actor), command->actor);
    transaction->command.actor = transaction->actor;
    if (command->active && !slot_from_name(command->active, &transaction->command.slot))
        return false;
    if (command->target && !find_targets(account, command->target, &transaction->command))
        return false;
    transaction->event.command = &transaction->command;
    return true;
}

/* Names the targets that there are. */
static void refuse_target(const struct engine_account *account, struct command_group *group)
{
    const struct account *subject = account->account;
    struct buf text;

    buf_init(&text, sizeof(group->message) - 1);
    buf_append_str(&text, "the account has no target of that name; it has: ");
    for (size_t i = 0; i < subject->destination_count; i++) {
        size_t first = 0;

        while (!str_equal(subject->destinations[first].name, subject->destinations[i].name))
            first++;
        if (first == i)
            buf_append_format(&text, "%s%s", i > 0 ? ", " : "", subject->destinations[i].name);
    }
    add_outcome(group, CONTROL_REFUSED, buf_str(&text), TIME_NEVER);
    buf_done(&text);
}

static void post_command(struct engine_account *account, const struct control_command *command,
                         struct command_group *group)
{
    struct transaction *transaction = transaction_new(EVENT_COMMAND);

    transaction->group = group;
    if (!fill_command(account, command, transaction)) {
        transaction_free(transaction);
        refuse_target(account, group);
        return;
    }
    engine_account_post_transaction(account, transaction);
}

void engine_command(struct engine *engine, const struct control_command *command,
                    struct control_request *request)
{
    struct command_group *group;
    struct engine_account *one = NULL;
    const struct control_command_row *row = control_command_row(command->kind);
    struct err err = {0};

    if (engine->stopping) {
        answer_now(request, CONTROL_NOT_DONE, "the daemon stops");
        return;
    }
    if (command->account) {
        one = engine_words_find(engine, command->account, &err);
        if (!one) {
            answer_now(request, err.code == -ENOENT ? CONTROL_NOT_FOUND : CONTROL_AMBIGUOUS,
                       err.text);
            return;
        }
    }
    if (row->machine == CONTROL_NOT_OF_MACHINE) {
        engine_hold_command(engine, command, one, request);
        return;
    }
    if (!one && engine->account_count == 0) {
        answer_now(request, CONTROL_DONE, "no account is configured");
        return;
    }
    group = must_alloc(sizeof(*group));
    group->request = request;
    group->row = row;
    group->until = TIME_NEVER;
    group->accounts = one ? 1 : engine->account_count;
    if (command->account)
        str_copy(group->typed, sizeof(group->typed), command->account);
    group->waiting = group->accounts;
    if (one) {
        post_command(one, command, group);
        return;
    }
    for (size_t i = 0; i < engine->account_count; i++)
        post_command(engine->accounts[i], command, group);
}
