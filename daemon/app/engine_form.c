#include "app/engine_private.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"

enum { SET_AT_MOST = 2, PLACE_MAX = 512 };

/* One destination whose mode or group was changed lately; those are few. */
struct form_change {
    struct list link; /* in engine->form_changes */
    const struct engine_account *account;
    struct target_id target;
    time_ms set_at[SET_AT_MOST]; /* oldest first; 0: not yet */
    time_ms reported_at;         /* that it is left; 0: not reported */
    bool wrong;                  /* as the last read found it */
    char text[TARGET_FORM_TEXT_MAX];
};

static struct form_change *find(const struct engine_account *account,
                                const struct target_id *target)
{
    list_for_each_entry (change, &account->engine->form_changes, struct form_change, link) {
        if (change->account == account && target_id_equal(&change->target, target))
            return change;
    }
    return NULL;
}

static bool within_a_day(time_ms at, time_ms now)
{
    return at != 0 && at <= now && now - at < MS_DAY;
}

bool engine_form_is_kept(const struct engine_account *account, size_t destination)
{
    const struct form_change *change;

    if (!account->record.adopted || account->draining ||
        account->account->policy->on_drift != DRIFT_REDELIVER)
        return false;
    change = find(account, &account->targets[destination].id);
    return !change || !within_a_day(change->set_at[0], loop_now(account->engine->parts.loop));
}

const char *engine_form_problem(const struct engine_account *account,
                                const struct target_id *target)
{
    const struct form_change *change = find(account, target);

    return change && change->wrong ? change->text : NULL;
}

static void free_change(struct form_change *change)
{
    list_remove(&change->link);
    free(change);
}

void engine_form_forget(struct engine_account *account)
{
    list_for_each_entry (change, &account->engine->form_changes, struct form_change, link) {
        if (change->account == account)
            free_change(change);
    }
}

/* `place` is the caller's: the line borrows it. */
static void start_line(struct log_line *line, char place[PLACE_MAX],
                       const struct engine_account *account, const struct target_id *target,
                       enum log_level level, const char *event, const char *text,
                       const char *what_follows)
{
    const struct destination *destination = engine_account_destination(account, target);

    str_copy(place, PLACE_MAX, "a target");
    if (destination)
        target_describe(destination, account->azure.location, place, PLACE_MAX);
    log_line_start(line, loop_now(account->engine->parts.loop), level, event, "%s: %s: %s%s",
                   account->account->name, place, text, what_follows);
    log_line_text(line, "account", account->account->name);
    log_line_text(line, "resource_group", account->account->resource_group);
    log_line_text(line, "target", place);
    log_line_text(line, "reason", "target_form_changed");
}

static void report_set(const struct engine_account *account, const struct target_result *result)
{
    char place[PLACE_MAX];
    struct log_line line;

    start_line(&line, place, account, &result->sighting.target, LEVEL_NOTICE, "drift.repaired",
               result->form_text, ": corrected in place; the key is unchanged");
    log_emit(account->engine->parts.log, &line);
}

static void report_left(struct engine_account *account, struct form_change *change, bool insists,
                        const char *own_remedy)
{
    const struct destination *destination = engine_account_destination(account, &change->target);
    char words[256];
    char remedy[REMEDY_MAX], place[PLACE_MAX];
    struct log_line line;

    start_line(&line, place, account, &change->target, LEVEL_WARNING, "drift.detected",
               change->text,
               insists ? ": left unchanged: it was corrected twice within a day" : "");
    (void)snprintf(
        words, sizeof(words),
        "find out who changes it; `keyrotatectl redeliver {account} --target %s` corrects it",
        destination ? destination->name : "TARGET");
    engine_remedy_expand(account, NULL, own_remedy && own_remedy[0] != '\0' ? own_remedy : words,
                         remedy, sizeof(remedy));
    log_line_text(&line, "remedy", remedy);
    log_emit(account->engine->parts.log, &line);
    change->reported_at = loop_now(account->engine->parts.loop);
}

void engine_form_delivered(struct engine_account *account, const struct target_id *target)
{
    struct form_change *change = find(account, target);

    if (change)
        change->wrong = false;
}

static struct form_change *find_or_add(struct engine_account *account,
                                       const struct target_id *target)
{
    struct form_change *change = find(account, target);

    if (change)
        return change;
    change = must_alloc(sizeof(*change));
    change->account = account;
    change->target = *target;
    list_init(&change->link);
    list_append(&account->engine->form_changes, &change->link);
    return change;
}

void engine_form_take(struct engine_account *account, const struct target_result *result)
{
    const time_ms now = loop_now(account->engine->parts.loop);
    struct form_change *change = find(account, &result->sighting.target);

    if (result->form == TARGET_FORM_RIGHT) {
        if (change && !within_a_day(change->set_at[SET_AT_MOST - 1], now))
            free_change(change);
        else if (change)
            change->wrong = false;
        return;
    }
    change = find_or_add(account, &result->sighting.target);
    change->wrong = result->form == TARGET_FORM_WRONG;
    str_copy(change->text, sizeof(change->text), result->form_text);
    if (result->form == TARGET_FORM_SET) {
        change->set_at[0] = change->set_at[1];
        change->set_at[1] = now;
        report_set(account, result);
    } else if (!within_a_day(change->reported_at, now)) {
        report_left(account, change, within_a_day(change->set_at[0], now), result->form_remedy);
    }
}
