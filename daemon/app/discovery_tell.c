#include "app/discovery_tell.h"

#include <stdio.h>

#include "base/str.h"
#include "proto/remedy.h"
#include "proto/two_key/two_key.h"

enum { SUBJECT_MAX = 300 };

/* One condition for each rule and subscription. */
static void write_subject(const struct discovery_teller *teller, const char *subscription,
                          char out[SUBJECT_MAX])
{
    snprintf(out, SUBJECT_MAX, "rule %s %s", teller->rule->name,
             subscription ? subscription : "subscriptions");
}

static void add_remedy(const struct discovery_teller *teller, const char *subscription,
                       const struct failure *failure, struct log_line *line,
                       char remedy[REMEDY_MAX])
{
    const char *text =
        failure->remedy[0] ? failure->remedy : reason_describe(failure->reason)->remedy;
    char scope[100];
    const struct remedy_words words = {
        .account = "ACCOUNT",
        .subscription_id = subscription,
        .resource_id = scope,
        .type = teller->rule->types[0],
        .socket = teller->socket,
    };

    snprintf(scope, sizeof(scope), "/subscriptions/%s", subscription ? subscription : "ID");
    remedy_expand(text, &words, remedy, REMEDY_MAX);
    log_line_text(line, "remedy", remedy);
}

static void add_failure(struct log_line *line, const struct failure *failure)
{
    log_line_text(line, "reason", reason_describe(failure->reason)->name);
    if (failure->http_status != 0)
        log_line_number(line, "http_status", failure->http_status);
    log_line_text(line, "error_code", str_or_null(failure->error_code));
    log_line_text(line, "request_id", str_or_null(failure->request_id));
    log_line_text(line, "correlation_id", str_or_null(failure->correlation_id));
}

static void add_rule(const struct discovery_teller *teller, struct log_line *line)
{
    log_line_text(line, "rule", teller->rule->name);
    log_line_text(line, "identity", teller->rule->identity->name);
}

void discovery_tell_failed(const struct discovery_teller *teller, const char *subscription,
                           const struct failure *failure)
{
    char remedy[REMEDY_MAX], subject[SUBJECT_MAX];
    struct log_line line;

    write_subject(teller, subscription, subject);
    log_line_start(&line, teller->now, LEVEL_WARNING, "discovery.failed",
                   "rule %s: %s%s cannot be listed: %s; the accounts that it has found stay under "
                   "care",
                   teller->rule->name, subscription ? "subscription " : "subscriptions",
                   subscription ? subscription : "", failure->text);
    add_rule(teller, &line);
    log_line_text(&line, "subscription_id", subscription);
    add_remedy(teller, subscription, failure, &line, remedy);
    add_failure(&line, failure);
    log_line_lasts(&line, subject);
    log_emit(teller->log, &line);
}

void discovery_tell_listed(const struct discovery_teller *teller, const char *subscription)
{
    char subject[SUBJECT_MAX];

    write_subject(teller, subscription, subject);
    log_ended(teller->log, teller->now, "discovery.failed", subject, false);
}

/* Nothing is missed for it, so it is a notice. */
void discovery_tell_degraded(const struct discovery_teller *teller, const struct failure *failure)
{
    char remedy[REMEDY_MAX];
    struct log_line line;

    if (!failure) {
        log_ended(teller->log, teller->now, "discovery.degraded", teller->rule->name, false);
        return;
    }
    log_line_start(&line, teller->now, LEVEL_NOTICE, "discovery.degraded",
                   "rule %s: Azure Resource Graph cannot be used, and the lists of Azure Resource "
                   "Manager are read instead: %s",
                   teller->rule->name, failure->text);
    add_rule(teller, &line);
    add_remedy(teller, NULL, failure, &line, remedy);
    add_failure(&line, failure);
    log_line_lasts(&line, teller->rule->name);
    log_emit(teller->log, &line);
}

/* So many accounts can hardly be gone: the identity may have lost sight of them. */
void discovery_tell_missing(const struct discovery_teller *teller, size_t missing, size_t unasked)
{
    struct log_line line;

    if (unasked == 0) {
        log_ended(teller->log, teller->now, "discovery.missing", teller->rule->name, false);
        return;
    }
    log_line_start(&line, teller->now, LEVEL_WARNING, "discovery.missing",
                   "rule %s: %zu accounts that are known are not in the lists; %zu of them were "
                   "asked for, and the others will be at the next listings; each stays under care "
                   "until Azure says that it is gone",
                   teller->rule->name, missing, missing - unasked);
    add_rule(teller, &line);
    log_line_number(&line, "missing", (int64_t)missing);
    log_line_text(&line, "remedy",
                  "if they exist, see which role the identity has lost at their subscriptions or "
                  "resource groups (az role assignment list --all --assignee CLIENT_ID)");
    log_line_lasts(&line, teller->rule->name);
    log_emit(teller->log, &line);
}
