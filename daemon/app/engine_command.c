#include "app/engine_account.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

/*
 * Commands of operators: found out whom they mean, posted to each account as an event, and answered
 * when the last account has answered.
 */

static void answer_and_free(struct command_group *group)
{
    struct control_answer answer = {
        .outcome = group->outcome,
        .message = group->message,
        .until = group->until,
        .accounts = group->accounts,
    };

    /* The words of one account would name that one. */
    if (group->accounts > 1 && group->outcome == CONTROL_ACCEPTED)
        snprintf(group->message, sizeof(group->message),
                 "%zu accounts are looked at now: `keyrotatectl status` shows what came of it",
                 group->accounts);
    if (group->accounts == 1) {
        answer.account = group->account;
        answer.cycle = group->cycle;
    }
    control_answer(group->request, &answer);
    free(group);
}

void command_name_account(const struct engine_account *account, struct turn *turn)
{
    const bool typed = turn->group && turn->group->typed[0];
    char text[sizeof(turn->effects.answer)];

    words_expand(account, typed ? turn->group->typed : NULL, turn->effects.answer, text,
                 sizeof(text));
    str_copy(turn->effects.answer, sizeof(turn->effects.answer), text);
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

void command_answered(struct engine_account *account, const struct turn *turn)
{
    static const enum control_outcome outcomes[] = {
        [COMMAND_NOT_ASKED] = CONTROL_NOT_DONE,
        [COMMAND_ACCEPTED] = CONTROL_ACCEPTED,
        [COMMAND_DONE] = CONTROL_DONE,
        [COMMAND_REFUSED] = CONTROL_REFUSED,
    };
    struct command_group *group = turn->group;
    const struct record *record = &account->record;

    group->cycle = record->cycle;
    if (turn->command.kind == COMMAND_ROTATE && !record->intent.open &&
        record->delivering == record->active)
        group->cycle++;
    str_copy(group->account, sizeof(group->account), account->account->id);
    add_outcome(group, outcomes[turn->effects.outcome], turn->effects.answer,
                turn->effects.refused_until);
}

void command_dropped(const struct turn *turn)
{
    if (turn->group)
        add_outcome(turn->group, CONTROL_NOT_DONE, "the daemon stops", TIME_NEVER);
}

/* --- whom is it about? --- */

static bool is_named(const struct engine_account *account, const char *typed)
{
    const struct account *subject = account->account;

    return control_names_account(typed, subject->name, subject->resource_group, subject->id);
}

/* The one account that `typed` names, or NULL with `ret_outcome` and `message` filled. */
static struct engine_account *find_one(struct engine *engine, const char *typed,
                                       enum control_outcome *ret_outcome, char *message,
                                       size_t size)
{
    struct engine_account *found = NULL;

    for (size_t i = 0; i < engine->account_count; i++) {
        if (!is_named(engine->accounts[i], typed))
            continue;
        if (found) {
            *ret_outcome = CONTROL_AMBIGUOUS;
            snprintf(message, size,
                     "more than one account is named %.100s: say group/name, or the resource id",
                     typed);
            return NULL;
        }
        found = engine->accounts[i];
    }
    if (!found) {
        *ret_outcome = CONTROL_NOT_FOUND;
        snprintf(message, size, "no account %.100s is configured", typed);
    }
    return found;
}

static bool translate_kind(enum control_command_kind kind, enum command_kind *ret_kind)
{
    switch (kind) {
    case CONTROL_ROTATE:
        *ret_kind = COMMAND_ROTATE;
        return true;
    case CONTROL_REDELIVER:
        *ret_kind = COMMAND_REDELIVER;
        return true;
    case CONTROL_ADOPT:
        *ret_kind = COMMAND_ADOPT;
        return true;
    case CONTROL_UNBLOCK:
        *ret_kind = COMMAND_UNBLOCK;
        return true;
    case CONTROL_CHECK:
        *ret_kind = COMMAND_CHECK;
        return true;
    case CONTROL_HOLD:
    case CONTROL_RESUME:
    case CONTROL_RELOAD:
        break;
    }
    return false;
}

static bool find_target(const struct engine_account *account, const char *name,
                        struct target_id *ret_id)
{
    for (size_t i = 0; i < account->account->destination_count && i < TARGETS_MAX; i++) {
        if (strcmp(account->account->destinations[i].name, name) == 0) {
            *ret_id = account->targets[i].id;
            return true;
        }
    }
    return false;
}

/* False: the account has no such target. */
static bool fill_command(const struct engine_account *account,
                         const struct control_command *command, struct turn *turn)
{
    if (!translate_kind(command->kind, &turn->command.kind))
        return false;
    turn->command.dry_run = command->dry_run;
    str_copy(turn->actor, sizeof(turn->actor), command->actor);
    turn->command.actor = turn->actor;
    if (command->active && !slot_from_name(command->active, &turn->command.slot))
        return false;
    if (command->target) {
        turn->command.has_target = true;
        if (!find_target(account, command->target, &turn->command.target))
            return false;
    }
    turn->event.command = &turn->command;
    return true;
}

static void post_command(struct engine_account *account, const struct control_command *command,
                         struct command_group *group)
{
    struct turn *turn = turn_new(account, EVENT_COMMAND);

    if (!fill_command(account, command, turn)) {
        turn_free(turn);
        add_outcome(group, CONTROL_REFUSED, "the account has no target of that name", TIME_NEVER);
        return;
    }
    turn->group = group;
    turn_post(account, turn);
}

void engine_command(struct engine *engine, const struct control_command *command,
                    struct control_request *request)
{
    enum control_outcome outcome = CONTROL_DONE;
    struct command_group *group;
    struct engine_account *one = NULL;
    char message[256] = "";

    if (engine->stopping) {
        answer_now(request, CONTROL_NOT_DONE, "the daemon stops");
        return;
    }
    if (command->account) {
        one = find_one(engine, command->account, &outcome, message, sizeof(message));
        if (!one) {
            answer_now(request, outcome, message);
            return;
        }
    }
    if (command->kind == CONTROL_HOLD || command->kind == CONTROL_RESUME) {
        engine_hold_command(engine, command, one, request);
        return;
    }
    if (!one && engine->account_count == 0) {
        answer_now(request, CONTROL_DONE, "no account is configured");
        return;
    }
    group = calloc(1, sizeof(*group));
    if (!group) {
        answer_now(request, CONTROL_NOT_DONE, "out of memory");
        return;
    }
    group->request = request;
    group->until = TIME_NEVER;
    group->accounts = one ? 1 : engine->account_count;
    if (command->account)
        str_copy(group->typed, sizeof(group->typed), command->account);
    group->waiting = group->accounts;
    if (one) {
        post_command(one, command, group);
        return;
    }
    /* `group` may be answered and freed by the last of these. */
    for (size_t i = 0, count = engine->account_count; i < count; i++)
        post_command(engine->accounts[i], command, group);
}
