#include "app/engine_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/hold_book.h"
#include "base/date.h"
#include "base/must.h"
#include "base/str.h"

enum { EXPIRE_AT_ONCE = 64 };

/* A command that waits until the journal has what it changed. */
struct hold_change {
    struct engine *engine;
    struct control_request *request;
    char actor[ACTOR_MAX];
    char account[HOLD_ACCOUNT_MAX]; /* as in struct hold: whom the command named */
    bool is_put;                    /* a hold is put on; else they are ended */
    struct hold *holds;             /* that it is about: copies */
    size_t count;
};

/* --- words --- */

/* "hold 3 of all accounts until 2026-12-01T00:00:00Z, by uid 0 (root): release week" */
static void describe(const struct hold *hold, char *out, size_t size)
{
    char until[DATE_TEXT_MAX];

    snprintf(out, size, "hold %llu%s%s%s%s%s: %s", (unsigned long long)hold->id,
             hold->account[0] ? "" : " of all accounts", hold->until == TIME_NEVER ? "" : " until ",
             hold->until == TIME_NEVER ? "" : date_to_rfc3339(hold->until, until),
             hold->actor[0] ? ", by " : "", hold->actor,
             hold->reason[0] ? hold->reason : "no reason was given");
}

static int compare_key(const void *key, const void *account)
{
    return strcmp(key, (*(struct engine_account *const *)account)->key);
}

/* The account of that key, or NULL. The list is sorted by key. */
static struct engine_account *find_account(const struct engine *engine, const char *key)
{
    struct engine_account **found = engine->account_count > 0
                                        ? bsearch(key, engine->accounts, engine->account_count,
                                                  sizeof(*engine->accounts), compare_key)
                                        : NULL;

    return found ? *found : NULL;
}

static void log_command(struct engine *engine, const struct hold *hold, const char *what,
                        const char *actor)
{
    char words[HOLD_REASON_MAX + ACTOR_MAX + 100];
    const struct engine_account *account = find_account(engine, hold->account);
    const char *slash = strrchr(hold->account, '/');
    const char *name = account ? account->account->name : slash ? slash + 1 : NULL;
    struct log_line line;

    describe(hold, words, sizeof(words));
    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_NOTICE, "operator.command",
                   "%s%s%s: %s", name ? name : "", name ? ": " : "", what, words);
    log_line_text(&line, "account", name);
    log_line_text(&line, "resource_group", account ? account->account->resource_group : NULL);
    log_line_text(&line, "actor", actor);
    log_line_number(&line, "hold", (int64_t)hold->id);
    log_emit(engine->parts.log, &line);
}

/* A rotation under way is finished despite a hold, so that all consumers have the same key. */
static bool rotation_is_under_way(const struct engine_account *account)
{
    return account &&
           (account->record.intent.open || account->record.delivering != account->record.active);
}

static void describe_put(const struct hold_change *change, char *out, size_t size)
{
    const struct hold *hold = &change->holds[0];
    const struct engine_account *account = find_account(change->engine, hold->account);
    char until[DATE_TEXT_MAX];

    snprintf(out, size, "held until %s (hold %llu): %s", date_to_rfc3339(hold->until, until),
             (unsigned long long)hold->id,
             !hold->account[0] ? "rotations under way are completed, no new one starts, and "
                                 "accounts that are configured later are held too"
             : rotation_is_under_way(account)
                 ? "the rotation under way is completed, no new one starts"
                 : "nothing is regenerated");
}

/* What still binds after some holds have ended, or although none has. */
static void describe_remaining(const struct engine *engine, const char *account, const char *ended,
                               char *out, size_t size)
{
    const time_ms now = loop_now(engine->parts.loop);
    const struct engine_account *subject = find_account(engine, account);
    const struct hold *rest = hold_list_binding(&engine->holds, account, now);
    char words[HOLD_REASON_MAX + ACTOR_MAX + 100];

    if (rest) {
        describe(rest, words, sizeof(words));
        snprintf(out, size, "%s; it stays held by %s; `keyrotatectl resume --hold %llu` ends that",
                 ended, words, (unsigned long long)rest->id);
    } else if (subject && !subject->account->policy->rotate) {
        snprintf(out, size,
                 "%s; the configuration says rotate: false, which resume does not change", ended);
    } else {
        snprintf(out, size, "%s; nothing holds it", ended);
    }
}

static void describe_ended(const struct engine *engine, const char *account, size_t count,
                           char *out, size_t size)
{
    char ended[80];
    size_t of_all;

    (void)hold_list_scope(&engine->holds, "", &of_all);
    snprintf(ended, sizeof(ended), "%zu hold%s ended", count, count == 1 ? "" : "s");
    if (account[0])
        describe_remaining(engine, account, count > 0 ? ended : "no hold was put on it by name",
                           out, size);
    else if (count == 0 && engine->holds.count == 0)
        snprintf(out, size, "nothing is held: there was nothing to end");
    else if (engine->holds.count > of_all)
        snprintf(out, size, "%s; %zu on single accounts stay: `keyrotatectl hold --list`",
                 count > 0 ? ended : "no hold of all accounts is in force: nothing was ended",
                 engine->holds.count - of_all);
    else
        snprintf(out, size, "%s%s", ended, of_all > 0 ? "; others of all accounts stay" : "");
}

/* Each hold is ended the way that it was put on: those by name together, others one by one. */
void engine_hold_remedy(const struct hold *const *holds, size_t count, char *out, size_t size)
{
    const char *separator = "run ";
    bool by_name = false;
    size_t used = 0;

    for (size_t i = 0; i < count && used < size; i++) {
        const bool of_all = holds[i]->account[0] == '\0';
        int written = 0;

        if (of_all)
            written = snprintf(out + used, size - used, "%s`keyrotatectl resume --hold %llu`",
                               separator, (unsigned long long)holds[i]->id);
        else if (!by_name)
            written =
                snprintf(out + used, size - used, "%s`keyrotatectl resume {account}`", separator);
        if (written == 0)
            continue;
        by_name = by_name || !of_all;
        separator = " and ";
        used += (size_t)written;
    }
    if (used < size)
        snprintf(out + used, size - used, " when it may go on");
}

/* --- answers --- */

void engine_hold_snapshot(const struct engine *engine, const struct hold *hold,
                          struct hold_snapshot *snapshot)
{
    const struct engine_account *account = find_account(engine, hold->account);

    *snapshot = (struct hold_snapshot){
        .id = hold->id,
        .account = account            ? account->account->id
                   : hold->account[0] ? hold->account
                                      : NULL,
        .configured = !!account,
        .actor = str_or_null(hold->actor),
        .since = hold->since == 0 ? TIME_NEVER : hold->since,
        .until = hold->until,
        .reason = str_or_null(hold->reason),
    };
}

static void answer_with(const struct hold_change *change, const char *message)
{
    const struct engine_account *account = find_account(change->engine, change->account);
    struct hold_snapshot *snapshots = must_alloc_array(change->count, sizeof(*snapshots));
    struct control_answer answer = {
        .outcome = CONTROL_DONE,
        .message = message,
        .account = account ? account->account->id : NULL,
        .until = TIME_NEVER,
        .accounts = account ? 1 : change->engine->account_count,
        .holds = snapshots,
        .hold_count = change->count,
    };

    for (size_t i = 0; i < answer.hold_count; i++)
        engine_hold_snapshot(change->engine, &change->holds[i], &snapshots[i]);
    control_answer(change->request, &answer);
    free(snapshots);
}

static void refuse(struct control_request *request, enum control_outcome outcome,
                   const char *message)
{
    struct control_answer answer = {.outcome = outcome, .message = message, .until = TIME_NEVER};

    control_answer(request, &answer);
}

int engine_hold_write(struct engine *engine, struct buf *out)
{
    struct hold_snapshot *snapshots;

    engine_hold_expire(engine);
    snapshots = must_alloc_array(engine->holds.count, sizeof(*snapshots));
    for (size_t i = 0; i < engine->holds.count; i++)
        engine_hold_snapshot(engine, engine->holds.items[i], &snapshots[i]);
    control_holds_write(out, loop_now(engine->parts.loop), snapshots, engine->holds.count);
    free(snapshots);
    return out->failed;
}

/* --- events of holds --- */

static bool binds(const struct hold *hold, const struct engine_account *account)
{
    return hold->account[0] == '\0' || strcmp(hold->account, account->key) == 0;
}

static void post_to_account(struct engine_account *account, enum event_kind kind,
                            const struct hold *hold, const char *actor)
{
    struct transaction *transaction = transaction_new(kind);

    if (kind == EVENT_HELD) {
        transaction->hold = must_alloc(sizeof(*transaction->hold));
        *transaction->hold = *hold;
    }
    str_copy(transaction->actor, sizeof(transaction->actor), actor);
    engine_account_post_transaction(account, transaction);
}

/* An account that waits for its predecessor gets the hold when it starts. */
static void post_to_accounts(struct engine *engine, enum event_kind kind, const struct hold *hold,
                             const char *actor)
{
    for (size_t i = 0; i < engine->account_count; i++)
        if (!engine->accounts[i]->waits && binds(hold, engine->accounts[i]))
            post_to_account(engine->accounts[i], kind, hold, actor);
}

/* --- changing --- */

static struct hold_change *change_new(struct engine *engine, const struct control_command *command,
                                      struct control_request *request, size_t count)
{
    struct hold_change *change = must_alloc(sizeof(*change));
    struct hold *holds = must_alloc_array(count, sizeof(*holds));

    change->engine = engine;
    change->request = request;
    change->holds = holds;
    change->is_put = command->kind == CONTROL_HOLD;
    str_copy(change->actor, sizeof(change->actor), command->actor);
    return change;
}

static void change_free(struct hold_change *change)
{
    free(change->holds);
    free(change);
}

static void carry_out_end(struct hold_change *change)
{
    struct engine *engine = change->engine;

    for (size_t i = 0; i < change->count; i++) {
        if (!hold_book_remove(&engine->holds, change->holds[i].id))
            continue; /* it has ended meanwhile, by time or by another operator */
        log_command(engine, &change->holds[i], "resume", change->actor);
        post_to_accounts(engine, EVENT_HOLD_ENDED, &change->holds[i], change->actor);
    }
}

static void on_durable(void *context)
{
    struct hold_change *change = context;
    struct engine *engine = change->engine;
    char message[600];

    if (change->is_put) {
        log_command(engine, &change->holds[0], "hold", change->actor);
        describe_put(change, message, sizeof(message));
    } else {
        carry_out_end(change);
        describe_ended(engine, change->account, change->count, message, sizeof(message));
    }
    answer_with(change, message);
    change_free(change);
    engine->hold_changes--;
    engine_run_soon(engine); /* it may wait for this to stop */
}

static void put(struct engine *engine, const struct control_command *command,
                const struct engine_account *account, struct control_request *request)
{
    struct hold_change *change = change_new(engine, command, request, 1);
    struct hold *hold = &change->holds[0];

    change->count = 1;
    *hold = (struct hold){.id = engine->last_hold_id + 1,
                          .since = loop_now(engine->parts.loop),
                          .until = command->until};
    str_copy(hold->actor, sizeof(hold->actor), command->actor);
    str_copy(hold->reason, sizeof(hold->reason), command->reason);
    str_copy(hold->account, sizeof(hold->account), account ? account->key : "");
    str_copy(change->account, sizeof(change->account), hold->account);
    if (!hold_book_add(&engine->holds, hold)) {
        refuse(request, CONTROL_NOT_DONE,
               "there are too many holds: `keyrotatectl hold --list` shows them, `keyrotatectl "
               "resume --hold ID` ends one");
        change_free(change);
        return;
    }
    engine->last_hold_id++;
    engine->hold_changes++;
    store_save_hold(engine->parts.store, hold, on_durable, change);
    post_to_accounts(engine, EVENT_HELD, hold, command->actor);
}

static void end(struct hold_change *change)
{
    struct engine *engine = change->engine;
    uint64_t *ids = must_alloc_array(change->count, sizeof(*ids));

    for (size_t i = 0; i < change->count; i++)
        ids[i] = change->holds[i].id;
    engine->hold_changes++;
    store_end_holds(engine->parts.store, ids, change->count, on_durable, change);
    free(ids);
}

/* Holds by name, holds of all, or the one with an id. */
static void resume(struct engine *engine, const struct control_command *command,
                   const struct engine_account *account, struct control_request *request)
{
    const char *scope = account ? account->key : "";
    const struct hold *one = command->hold ? hold_list_find(&engine->holds, command->hold) : NULL;
    size_t count;
    struct hold *const *found = hold_list_scope(&engine->holds, scope, &count);
    struct hold_change *change = change_new(engine, command, request, count);
    char message[600];

    str_copy(change->account, sizeof(change->account), one ? one->account : scope);
    if (one)
        change->holds[change->count++] = *one;
    for (size_t i = 0; command->hold == 0 && i < count; i++)
        change->holds[change->count++] = *found[i];
    if (change->count > 0) {
        end(change);
        return;
    }
    if (command->hold != 0)
        snprintf(message, sizeof(message),
                 command->hold <= engine->last_hold_id ? "hold %llu has ended already"
                                                       : "there is no hold %llu",
                 (unsigned long long)command->hold);
    else
        describe_ended(engine, scope, 0, message, sizeof(message));
    answer_with(change, message);
    change_free(change);
}

void engine_hold_command(struct engine *engine, const struct control_command *command,
                         const struct engine_account *account, struct control_request *request)
{
    engine_hold_expire(engine);
    if (command->hold != 0 && account)
        refuse(request, CONTROL_INVALID, "the id names the hold: leave the account out");
    else if (command->kind == CONTROL_RESUME)
        resume(engine, command, account, request);
    else if (command->until <= loop_now(engine->parts.loop))
        refuse(request, CONTROL_INVALID, "the end of the hold lies in the past");
    else
        put(engine, command, account, request);
}

/* --- ends by time, and the journal --- */

void engine_hold_expire(struct engine *engine)
{
    uint64_t ids[EXPIRE_AT_ONCE];
    size_t count;

    while ((count = hold_book_expire(&engine->holds, loop_now(engine->parts.loop), ids,
                                     EXPIRE_AT_ONCE)) > 0)
        store_end_holds(engine->parts.store, ids, count, NULL, NULL);
}

static void on_hold_loaded(void *context, const struct hold *hold)
{
    struct engine *engine = context;

    /* A missing hold would let an account rotate that an operator has stopped. */
    if (!hold_book_add(&engine->holds, hold))
        engine_fault(engine, "more holds in the journal than there can be");
}

int engine_hold_load(struct engine *engine, struct err *err)
{
    return store_load_holds(engine->parts.store, on_hold_loaded, engine, &engine->last_hold_id,
                            err);
}
