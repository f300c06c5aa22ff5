#include "app/engine_private.h"

#include <stdio.h>

enum { WARNING_MAX = 256 + REMEDY_MAX };

static bool differs(const struct account *before, const struct account *after)
{
    return after->has_adopt_active &&
           (!before->has_adopt_active || before->adopt_active != after->adopt_active);
}

static const char *describe(const struct engine_account *account, const struct account *subject,
                            char text[WARNING_MAX])
{
    const char *wanted = slot_name(subject->adopt_active);
    char written[256];

    (void)snprintf(written, sizeof(written),
                   "adopt_active %s changes nothing: the account is adopted, and its %s key is the "
                   "active one; if its consumers use the %s key, run "
                   "`keyrotatectl adopt {account} --active %s`",
                   wanted, slot_name(account->record.active), wanted, wanted);
    engine_remedy_expand(account, NULL, written, text, WARNING_MAX);
    return text;
}

static void warn(struct engine_account *account, const struct account *subject)
{
    struct engine *engine = account->engine;
    char text[WARNING_MAX];
    struct log_line line;

    log_line_start(&line, loop_now(engine->parts.loop), LEVEL_WARNING, "config.loaded", "%s: %s",
                   subject->name, describe(account, subject, text));
    log_line_text(&line, "account", subject->name);
    log_line_text(&line, "resource_group", subject->resource_group);
    log_emit(engine->parts.log, &line);
}

void engine_adopt_active_preview(const struct engine_account *account,
                                 const struct account *subject, struct buf *report)
{
    char text[WARNING_MAX];

    if (account->record.adopted && differs(account->account, subject))
        (void)buf_append_format(report, "%s/%s: warning: %s\n", subject->resource_group,
                                subject->name, describe(account, subject, text));
}

void engine_adopt_active_changed(struct engine_account *account, const struct account *subject)
{
    if (!account->record.adopted || !differs(account->account, subject))
        return;
    warn(account, subject);
    if (account->engine->place_report)
        engine_adopt_active_preview(account, subject, account->engine->place_report);
}

void engine_adopt_active_begins(struct engine_account *account)
{
    const struct record *record = &account->record;

    if (record->adopted && record->completed_at == 0 && account->account->has_adopt_active &&
        account->account->adopt_active != record->active)
        warn(account, account->account);
}
